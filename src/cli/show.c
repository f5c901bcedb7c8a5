#include "base/clock.h"
#include "base/memory.h"
#include "base/plural.h"
#include "base/say.h"
#include "base/text.h"
#include "checkpoint/locate.h"
#include "checkpoint/reader.h"
#include "cli/command.h"
#include "cli/flags.h"
#include "cli/statistics.h"
#include "data/description.h"
#include "h5/h5.h"
#include "job/job.h"

#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* Each line of a text, indented. */
static void print_lines(const char *title, const char *text)
{
    say("\n%s\n", title);
    for (size_t length; *text; text += length + (text[length] == '\n')) {
        length = strcspn(text, "\n");
        say("  %.*s\n", (int)length, text);
    }
}

/* How many tokens there are, and whose they are. */
static void print_tokens(const struct record *record)
{
    struct description about;
    struct error unreadable;
    if (!record->data || !*record->data || !description_read(&about, record->data, &unreadable))
        return;
    if (about.form.vocabulary > 0)
        say("vocabulary   %zu tokens%s\n", about.form.vocabulary, about.tokenizer ? " (tokenizer)" : "");
    description_release(&about);
}

static void print_head(const struct reader *reader)
{
    const struct record *record = &reader->record;
    char size[TEXT_AMOUNT] = "?", when[CLOCK_TEXT_BYTES];
    struct stat info;
    if (stat(reader->path, &info) == 0)
        text_amount((uint64_t)info.st_size, size);
    clock_text(record->saved_unix, when);
    say("file         %s, %s\n", reader->path, size);
    say("step         %" PRIu64 ", epoch %.3f, loss %.9g\n", record->step, record->epoch, record->loss);
    say("saved        %s\n", when);
    say("fingerprint  %016" PRIx64 "\n", record->fingerprint);
    say("data         digest %016" PRIx64 "\n", record->data_digest);
    say("arrays      ");
    for (size_t a = 0; a < reader->array_count; a++)
        say(" %s", reader->names[a]);
    say(", of %zu floats each\n", reader->count);
    size_t characters = 0; /* in UTF-8 all bytes of a character but its first are 10xxxxxx */
    for (const char *c = record->vocabulary; c && *c; c++)
        characters += ((unsigned char)*c & 0xC0) != 0x80;
    if (characters > 0)
        say("vocabulary   %zu characters\n", characters);
    else
        print_tokens(record);
    if (record->why[0])
        say("why          %s\n", record->why);
    if (record->origin && record->origin[0])
        say("origin       %s\n", record->origin);
}

static void print_segments(const struct record *record)
{
    say("\nstarts that have saved (all of them: lockstep history)\n");
    say("  %4s %12s %12s  %-20s  %-20s %6s %6s  %-14s %s\n", "no.", "first step", "last step", "began", "saved",
        "ranks", "nodes", "end", "hosts");
    for (size_t i = 0; i < record->segment_count; i++) {
        const struct segment *segment = &record->segments[i];
        char began[CLOCK_TEXT_BYTES], saved[CLOCK_TEXT_BYTES];
        clock_text(segment->began_unix, began);
        clock_text(segment->saved_unix, saved);
        say("  %4zu %12" PRIu64 " %12" PRIu64 "  %-20s  %-20s %6" PRIu64 " %6" PRIu64 "  %-14.*s %.*s\n", i + 1,
            segment->first_step, segment->last_step, began, saved, segment->ranks, segment->nodes,
            (int)sizeof segment->end, segment->end, (int)sizeof segment->hosts, segment->hosts);
        if (segment->changes[0])
            say("       changed: %.*s\n", (int)sizeof segment->changes, segment->changes);
    }
}

static void print_history(const struct history *history)
{
    say("\nhistory\n");
    say("  %" PRIu64 " step%s changed the parameters; %" PRIu64 " skipped in a row at the end\n", history->updates,
        plural(history->updates), history->skipped_row);
    if (history->yardstick == 0) {
        say("  nothing was validated\n");
    } else {
        say("  %" PRIu64 " validations since the %s that patience counts from, %.9g\n", history->stale,
            metric_name(history->metric), history->reference);
        for (size_t i = 0; i < history->best_count; i++)
            say("  best %zu: step %" PRIu64 ", %.9g\n", i + 1, history->best[i].step, history->best[i].value);
    }
    if (history->window_count > 0)
        say("  the outlier rule looks at the last %zu steps\n", history->window_count);
}

/* Behind "/model/", or "/optimizer/<array>/". */
static const char *name_of(const struct reader_tensor *tensor)
{
    const char *name = strchr(tensor->path + 1, '/') + 1;
    return strncmp(tensor->path, "/optimizer/", 11) == 0 && strchr(name, '/') ? strchr(name, '/') + 1 : name;
}

static bool is_wanted(const struct reader_tensor *tensor, const char *pattern)
{
    return !pattern || fnmatch(pattern, name_of(tensor), 0) == 0 ||
           fnmatch(pattern, tensor->path + (*pattern != '/'), 0) == 0;
}

static bool print_tensor(const struct reader *reader, const struct reader_tensor *tensor, int width,
                         struct error *error)
{
    float *values = memory_alloc(tensor->count, sizeof *values, tensor->path, error);
    bool ok = values && reader_load_tensor(reader, tensor, values, error);
    if (ok) {
        char shape[64];
        struct statistics is = statistics_of(values, tensor->count);
        text_sizes(tensor->dims, tensor->shape, shape, sizeof shape);
        say("%-*s %12s %14.7g %14.7g %14.7g %14.7g %10zu\n", width, tensor->path, shape, is.mean, is.deviation, is.low,
            is.high, is.nonfinite);
    }
    memory_free(values);
    return ok;
}

static bool print_tensors(const struct reader *reader, const char *pattern, struct error *error)
{
    struct reader_tensor *tensors;
    size_t count, wanted = 0;
    int width = 6;
    if (!reader_list_tensors(reader, &tensors, &count, error))
        return false;
    for (size_t t = 0; t < count; t++)
        if (is_wanted(&tensors[t], pattern) && ++wanted && (int)strlen(tensors[t].path) > width)
            width = (int)strlen(tensors[t].path);
    bool ok = wanted > 0 ||
              error_set(error, ERROR_USAGE, "--tensors '%s' fits none of the %zu tensors of %s, such as %s", pattern,
                        count, reader->path, count > 0 ? name_of(&tensors[0]) : "");
    if (ok)
        say("%-*s %12s %14s %14s %14s %14s %10s\n", width, "tensor", "shape", "mean", "deviation", "min", "max",
            "non-finite");
    for (size_t t = 0; ok && t < count; t++)
        if (is_wanted(&tensors[t], pattern))
            ok = print_tensor(reader, &tensors[t], width, error);
    memory_free(tensors);
    return ok;
}

/* With a pattern: the tensors that it fits, and nothing else. */
static bool show(const struct reader *reader, const char *pattern, struct error *error)
{
    if (!pattern) {
        print_head(reader);
        print_lines("job", reader->record.job);
        print_lines("passport", reader->record.passport);
        print_segments(&reader->record);
        print_history(&reader->record.history);
        say("\n");
    }
    return print_tensors(reader, pattern, error);
}

static int run(int count, char **words)
{
    const char *pattern = NULL;
    const struct flag flags[] = {{.name = "--tensors", .value = &pattern}, {0}};
    char path[PATH_MAX];
    struct reader reader = {0};
    struct error error;
    if (!flags_parse(flags, (struct flag_files){"a checkpoint", 1, 1}, &count, words, &error))
        return command_misused(&command_show, "%s", error.text);
    h5_init();
    bool ok = locate_checkpoint(words[0], path, &error) && reader_open(&reader, path, &error) &&
              show(&reader, pattern, &error);
    /* Last, so that also what is damaged can be looked at. */
    ok = ok && reader_verify(&reader, &error);
    fflush(stdout);
    reader_close(&reader);
    h5_release();
    return ok ? EXIT_FINISHED : command_fail(&error);
}

const struct command command_show = {
    .name = "show",
    .usage = "lockstep show CHECKPOINT [--tensors PATTERN]   what is in a checkpoint, and how its tensors look",
    .run = run};
