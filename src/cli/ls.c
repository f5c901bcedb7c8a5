#include "base/clock.h"
#include "base/memory.h"
#include "base/say.h"
#include "base/text.h"
#include "checkpoint/pin.h"
#include "checkpoint/reader.h"
#include "checkpoint/reason.h"
#include "checkpoint/store.h"
#include "checkpoint/store_name.h"
#include "cli/command.h"
#include "cli/flags.h"
#include "cli/ls_runs.h"
#include "h5/h5.h"
#include "job/job.h"
#include "policy/best.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

struct listing {
    struct store store;
    bool fast; /* without reading the arrays */
    /* Of the newest checkpoint that is valid, once one was found. */
    bool found;
    struct history history; /* without the window */
    uint64_t keep_every;
    size_t kept_best;
};

/* What the newest valid checkpoint knows about all of them. */
static void take_newest(struct listing *listing, const struct record *record)
{
    struct job job;
    struct error error;
    listing->found = true;
    listing->history = record->history;
    listing->history.window = NULL;
    /* A job of another version may have other keys: then there is just no such note. */
    if (job_parse_saved(&job, "the checkpoint's job", record->job, NULL, 0, &error)) {
        listing->keep_every = job.checkpoint.keep_every;
        listing->kept_best = best_kept(&job);
        job_release(&job);
    }
}

static void add_note(struct text *notes, const char *note)
{
    text_append(notes, "%s%s", notes->length ? ", " : "", note);
}

/* Why it will stay: "best 2, pinned, kept". */
static void find_notes(const struct listing *listing, uint64_t step, const char *path, struct text *notes)
{
    for (size_t i = 0; i < listing->history.best_count && i < listing->kept_best; i++)
        if (listing->history.best[i].step == step) {
            char note[32];
            snprintf(note, sizeof note, "best %zu", i + 1);
            add_note(notes, note);
        }
    if (pin_exists(path))
        add_note(notes, "pinned");
    if (listing->keep_every > 0 && step % listing->keep_every == 0)
        add_note(notes, "kept");
}

/* Older files do not know why they were saved, only how their segment of the job's life ended. */
static const char *find_why(const struct record *record)
{
    const char *end = record->segments[record->segment_count - 1].end;
    if (record->why[0])
        return record->why;
    return reason_of(end) == REASON_RUNNING ? "on the way" : end;
}

static void print_valid(const struct listing *listing, const struct record *record, const char *path, const char *size)
{
    char when[CLOCK_TEXT_BYTES];
    struct text notes;
    text_init(&notes);
    find_notes(listing, record->step, path, &notes);
    clock_text(record->saved_unix, when);
    say("%7" PRIu64 " %7.3f %9.5g %8s %-20s  %-5s %016" PRIx64 " %6zu  %-12s  %s\n", record->step, record->epoch,
        record->loss, size, when, listing->fast ? "-" : "yes", record->fingerprint, record->segment_count,
        text_bytes(&notes), find_why(record));
    text_release(&notes);
}

/* One line; returns whether the checkpoint is valid. One that a running job has taken away meanwhile is none. */
static bool list_one(struct listing *listing, uint64_t step)
{
    char path[PATH_MAX], when[CLOCK_TEXT_BYTES], size[TEXT_AMOUNT];
    struct reader reader;
    struct error error;
    struct stat info = {0};
    store_path(&listing->store, step, path);
    text_amount(stat(path, &info) == 0 ? (uint64_t)info.st_size : 0, size);
    bool ok = reader_open(&reader, path, &error) && store_check_name(path, reader.record.step, &error) &&
              (listing->fast || reader_verify(&reader, &error));
    if (ok) {
        if (!listing->found)
            take_newest(listing, &reader.record);
        print_valid(listing, &reader.record, path, size);
    } else if (access(path, F_OK)) {
        return true;
    } else {
        clock_text((int64_t)info.st_mtime, when);
        say("%7" PRIu64 " %7s %9s %8s %-20s  %-5s %s%s\n", step, "-", "-", size, when, "no", error.text,
            pin_exists(path) ? " (pinned)" : "");
    }
    reader_close(&reader);
    return ok;
}

static void print_best(const struct listing *listing)
{
    const struct history *history = &listing->history;
    for (size_t i = 0; i < history->best_count; i++) {
        char path[PATH_MAX], number[24] = "";
        store_path(&listing->store, history->best[i].step, path);
        if (history->best_count > 1)
            snprintf(number, sizeof number, " %zu", i + 1);
        say("best%s: step %" PRIu64 ", validation %s %.6g%s\n", number, history->best[i].step,
            metric_name(history->metric), history->best[i].value,
            access(path, R_OK) == 0 ? "" : " (its checkpoint was not kept)");
    }
}

static bool print_rejected(const struct store *store, struct error *error)
{
    uint64_t *steps;
    size_t count;
    if (!store_list_rejected(store, &steps, &count, error))
        return false;
    for (size_t i = 0; i < count; i++) {
        char path[PATH_MAX], size[TEXT_AMOUNT], when[CLOCK_TEXT_BYTES];
        struct stat info = {0};
        store_rejected_path(store, steps[i], path);
        text_amount(stat(path, &info) == 0 ? (uint64_t)info.st_size : 0, size);
        clock_text((int64_t)info.st_mtime, when);
        say("put aside as invalid: %s, %s, written %s\n", path, size, when);
    }
    memory_free(steps);
    return true;
}

/* The table; *all_valid becomes whether every file in it is. */
static bool list_all(struct listing *listing, bool *all_valid, struct error *error)
{
    uint64_t *steps;
    size_t length;
    if (!store_list(&listing->store, &steps, &length, error))
        return false;
    if (length == 0)
        say("no checkpoints in %s\n", listing->store.directory);
    else
        say("%7s %7s %9s %8s %-20s  %-5s %-16s %6s  %-12s  %s\n", "step", "epoch", "loss", "size", "saved", "valid",
            "fingerprint", "starts", "stays as", "why");
    *all_valid = true;
    for (size_t i = 0; i < length; i++)
        *all_valid &= list_one(listing, steps[i]);
    memory_free(steps);
    print_best(listing);
    return print_rejected(&listing->store, error);
}

static int run(int count, char **words)
{
    struct listing listing = {0};
    bool as_json = false, all_valid = true;
    const struct flag flags[] = {
        {.name = "--fast", .given = &listing.fast}, {.name = "--json", .given = &as_json}, {0}};
    struct error error;
    struct stat info;
    if (!flags_parse(flags, (struct flag_files){"a directory", 1, 1}, &count, words, &error))
        return command_misused(&command_ls, "%s", error.text);
    bool ok = store_init(&listing.store, words[0], 0, &error);
    bool is_run = ok && stat(listing.store.directory, &info) == 0;
    if (is_run && as_json)
        return command_misused(&command_ls, "--json goes with a directory of runs, and %s is a run", words[0]);
    h5_init();
    if (ok)
        ok = is_run ? list_all(&listing, &all_valid, &error) : ls_runs(words[0], as_json, &all_valid, &error);
    h5_release();
    if (!ok)
        return command_fail(&error);
    return all_valid ? EXIT_FINISHED : EXIT_FAILED;
}

const struct command command_ls = {
    .name = "ls",
    .usage = "lockstep ls RUN [--fast]        lists the checkpoints of a run, newest first; --fast: reads no arrays\n"
             "  lockstep ls DIRECTORY [--json]  lists the runs in it, and the keys in which their jobs differ",
    .run = run};
