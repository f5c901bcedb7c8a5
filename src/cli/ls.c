#include "base/clock.h"
#include "base/memory.h"
#include "checkpoint/h5.h"
#include "checkpoint/reader.h"
#include "checkpoint/store.h"
#include "cli/command.h"
#include "train/job.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* One line; returns whether the checkpoint is valid, and then its history, but for the window. */
static bool list_one(const struct store *store, uint64_t step, struct history *history)
{
    char path[PATH_MAX], when[CLOCK_TEXT_BYTES];
    struct reader reader;
    struct error error;
    struct stat info = {0};
    store_path(store, step, path);
    double megabytes = stat(path, &info) == 0 ? (double)info.st_size / 1e6 : 0;
    bool ok = reader_open(&reader, path, &error) && reader_verify(&reader, &error);
    if (ok) {
        clock_text(reader.record.saved_unix, when);
        printf("%12" PRIu64 " %9.3f %12.6g %9.1f MB  %-20s  yes    %016" PRIx64 "\n", step, reader.record.epoch,
               reader.record.loss, megabytes, when, reader.record.fingerprint);
        *history = reader.record.history;
        history->window = NULL;
    } else {
        clock_text((int64_t)info.st_mtime, when);
        printf("%12" PRIu64 " %9s %12s %9.1f MB  %-20s  no     %s\n", step, "-", "-", megabytes, when, error.text);
    }
    reader_close(&reader);
    return ok;
}

static void print_best(const struct store *store, const struct history *history)
{
    char path[PATH_MAX];
    store_path(store, history->best_step, path);
    printf("best: step %" PRIu64 ", validation %s %.6g%s\n", history->best_step,
           history->metric == METRIC_ACCURACY ? "accuracy" : "loss", history->best,
           access(path, R_OK) == 0 ? "" : " (its checkpoint was not kept)");
}

static int run(int count, char **words)
{
    struct store store;
    struct error error;
    uint64_t *steps;
    size_t length;
    struct stat info;
    if (count != 1)
        return command_misused(&command_ls, "one run directory is listed");
    if (!store_init(&store, words[0], 0, &error))
        return command_fail(&error);
    if (stat(store.directory, &info)) {
        error_errno(&error, "%s is not a run directory: cannot look at %s", words[0], store.directory);
        return command_fail(&error);
    }
    if (!store_list(&store, &steps, &length, &error))
        return command_fail(&error);
    if (length == 0)
        printf("no checkpoints in %s\n", store.directory);
    else
        printf("%12s %9s %12s %12s  %-20s  %-5s  %s\n", "step", "epoch", "loss", "size", "saved", "valid",
               "fingerprint");
    bool all_valid = true, found = false;
    struct history newest = {0};
    h5_init();
    for (size_t i = 0; i < length; i++) {
        struct history history;
        bool valid = list_one(&store, steps[i], &history);
        if (valid && !found)
            newest = history;
        found = found || valid;
        all_valid = all_valid && valid;
    }
    h5_release();
    if (newest.best_step > 0)
        print_best(&store, &newest);
    memory_free(steps);
    return all_valid ? EXIT_FINISHED : EXIT_FAILED;
}

const struct command command_ls = {
    .name = "ls",
    .usage = "lockstep ls RUN                 lists the checkpoints of a run directory, newest first",
    .run = run};
