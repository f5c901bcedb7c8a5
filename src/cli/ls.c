#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "checkpoint/h5.h"
#include "checkpoint/pin.h"
#include "checkpoint/reader.h"
#include "checkpoint/store.h"
#include "cli/command.h"
#include "cli/flags.h"
#include "train/job.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct listing {
    struct store store;
    bool fast; /* without reading the arrays */
    /* Of the newest checkpoint that is valid, once one was found. */
    bool found;
    struct history history; /* without the window */
    uint64_t keep_every;
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
    if (job_parse(&job, "the checkpoint's job", record->job, NULL, 0, &error)) {
        listing->keep_every = job.checkpoint.keep_every;
        job_release(&job);
    }
}

/* Why it will stay: "best 2, pinned, kept". */
static void print_notes(const struct listing *listing, uint64_t step, const char *path)
{
    const char *comma = "  ";
    for (size_t i = 0; i < listing->history.best_count; i++)
        if (listing->history.best[i].step == step) {
            printf("%sbest %zu", comma, i + 1);
            comma = ", ";
        }
    if (pin_exists(path)) {
        printf("%spinned", comma);
        comma = ", ";
    }
    if (listing->keep_every > 0 && step % listing->keep_every == 0)
        printf("%skept", comma);
    printf("\n");
}

/* Why it was saved: on the way, or because its segment of the job's life ended there. */
static void print_segment(const struct record *record)
{
    const struct segment *segment = &record->segments[record->segment_count - 1];
    bool running = strcmp(segment->end, "running") == 0;
    printf("  %3zu  %-10.*s", record->segment_count, (int)sizeof segment->end, running ? "on the way" : segment->end);
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
    bool ok = reader_open(&reader, path, &error) && (listing->fast || reader_verify(&reader, &error));
    if (ok) {
        if (!listing->found)
            take_newest(listing, &reader.record);
        clock_text(reader.record.saved_unix, when);
        printf("%10" PRIu64 " %8.3f %10.5g %9s  %-20s  %-5s %016" PRIx64, step, reader.record.epoch, reader.record.loss,
               size, when, listing->fast ? "-" : "yes", reader.record.fingerprint);
        print_segment(&reader.record);
        print_notes(listing, step, path);
    } else if (access(path, F_OK)) {
        return true;
    } else {
        clock_text((int64_t)info.st_mtime, when);
        printf("%10" PRIu64 " %8s %10s %9s  %-20s  %-5s %s%s\n", step, "-", "-", size, when, "no", error.text,
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
        printf("best%s: step %" PRIu64 ", validation %s %.6g%s\n", number, history->best[i].step,
               history->metric == METRIC_ACCURACY ? "accuracy" : "loss", history->best[i].value,
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
        printf("put aside as invalid: %s, %s, written %s\n", path, size, when);
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
        printf("no checkpoints in %s\n", listing->store.directory);
    else
        printf("%10s %8s %10s %9s  %-20s  %-5s %-16s  %3s  %-10s  %s\n", "step", "epoch", "loss", "size", "saved",
               "valid", "fingerprint", "seg", "why", "stays as");
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
    const struct flag flags[] = {{.name = "--fast", .given = &listing.fast}, {0}};
    struct error error;
    struct stat info;
    bool all_valid = true;
    if (!flags_parse(flags, (struct flag_files){"a run directory", 1, 1}, &count, words, &error))
        return command_misused(&command_ls, "%s", error.text);
    if (!store_init(&listing.store, words[0], 0, &error))
        return command_fail(&error);
    if (stat(listing.store.directory, &info)) {
        error_errno(&error, "%s is not a run directory: cannot look at %s", words[0], listing.store.directory);
        return command_fail(&error);
    }
    h5_init();
    bool ok = list_all(&listing, &all_valid, &error);
    h5_release();
    if (!ok)
        return command_fail(&error);
    return all_valid ? EXIT_FINISHED : EXIT_FAILED;
}

const struct command command_ls = {
    .name = "ls",
    .usage = "lockstep ls RUN [--fast]        lists the checkpoints of a run, newest first; --fast: reads no arrays",
    .run = run};
