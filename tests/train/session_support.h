/* What the tests of sessions share: a small job in a run directory of its own, trained step by step, and what is to be
 * seen of that in the directory and on standard error. Four leaves: up to four ranks. */
#ifndef TRAIN_SESSION_SUPPORT_H
#define TRAIN_SESSION_SUPPORT_H

#include "checkpoint/pin.h"
#include "checkpoint/reader.h"
#include "h5/h5.h"
#include "job/job.h"
#include "nn/kernels/gemm.h"
#include "support/test_mpi.h"
#include "train/boundary.h"
#include "train/progress.h"
#include "train/save.h"
#include "train/start.h"
#include "train/step.h"

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Saves are in the foreground, so that each is settled when its boundary has been passed. */
#define TRIAL_JOB                                                                                                      \
    "data:\n"                                                                                                          \
    "  train: {format: digits, count: 64}\n"                                                                           \
    "  validation: {format: digits, first: 64, count: 16}\n"                                                           \
    "model: [{layer: dense, units: 10}]\n"                                                                             \
    "train: {steps: 12, batch: 8, microbatch: 2}\n"                                                                    \
    "optimizer: {name: sgd, learning_rate: 0.01, momentum: 0.9}\n"                                                     \
    "checkpoint: {keep: 100, background: false}\n"                                                                     \
    "log: {every: 1}\n"                                                                                                \
    "heartbeat: 0\n"

#define SETTINGS_MOST 12
#define SETTINGS(...) ((const char *const[SETTINGS_MOST]){__VA_ARGS__})

static struct world world;
static struct error error;

/* A life of the job: what trainer_run has on its way, one step at a time. */
struct trial {
    struct session_options options; /* before trial_start */
    struct job job;
    struct session session; /* closed: its world is NULL */
    struct progress progress;
};

/* Local. As CU_ASSERT_STRING_EQUAL, and shows both. */
static inline void expect_text(const char *actual, const char *expected)
{
    bool is_equal = strcmp(actual, expected) == 0;
    if (!is_equal)
        printf("    expected: %s\n    actual:   %s\n", expected, actual);
    CU_ASSERT_TRUE(is_equal);
}

/* Local. As CU_ASSERT_TRUE for a call that may have set the error, and shows it. */
static inline bool expect_ok(bool ok)
{
    if (!ok)
        printf("    %s\n", error.text);
    CU_ASSERT_TRUE(ok);
    return ok;
}

/* Collective over the session's world. The error has the same kind and words on every rank, and these are some of them.
 */
static inline void expect_error(const struct world *among, enum error_kind kind, const char *words)
{
    char **texts = world_gather_texts(among, error.text);
    expect_text(error_kind_word(error.kind), error_kind_word(kind));
    if (!strstr(error.text, words))
        expect_text(error.text, words);
    for (int r = 0; r < among->size; r++)
        expect_text(texts[r], texts[0]);
    memory_free(texts);
}

/* Collective over `among`. Starts the job with these settings in a run directory. The verdict of start_session. */
static inline bool trial_start_among(struct trial *trial, const struct world *among, const char *run,
                                     const char *const settings[SETTINGS_MOST])
{
    char where[PATH_MAX + 8];
    const char *overrides[SETTINGS_MOST + 1] = {where};
    size_t count = 1;
    snprintf(where, sizeof where, "run=%s", run);
    while (settings && count <= SETTINGS_MOST && settings[count - 1]) {
        overrides[count] = settings[count - 1];
        count++;
    }
    trial->options.key = trial->options.key ? trial->options.key : "";
    trial->progress = (struct progress){0};
    if (!expect_ok(job_parse(&trial->job, "job.yaml", TRIAL_JOB, overrides, count, &error)))
        return false;
    struct session *session = &trial->session;
    if (!start_session(session, among, &trial->job, &trial->options, &error)) {
        job_release(&trial->job);
        return false;
    }
    session->pause = pause_begin(&trial->options.stop_after, &session->data.sampler, session->step, 0);
    return true;
}

/* Collective over world. The same, and it succeeds. */
static inline bool trial_start(struct trial *trial, const char *run, const char *const settings[SETTINGS_MOST])
{
    return expect_ok(trial_start_among(trial, &world, run, settings));
}

/* Collective. Closes the session and tells nobody: the files of the run are as a kill leaves them. */
static inline void trial_close(struct trial *trial)
{
    session_close(&trial->session);
    job_release(&trial->job);
}

/* Collective. The life begins: its lines, and what the life before has left to do. */
static inline void trial_begin(struct trial *trial)
{
    struct session *session = &trial->session;
    unsigned flags = 0;
    progress_begin(session);
    expect_ok(boundary_begin(session, &flags, &error));
    CU_ASSERT_EQUAL(flags, 0);
}

/* Collective. One step without its boundary; returns its flags. */
static inline unsigned trial_step(struct trial *trial)
{
    struct session *session = &trial->session;
    struct step_numbers numbers;
    unsigned flags = 0;
    expect_ok(step_make(session, &numbers, &flags, &error));
    progress_step(&trial->progress, session, &numbers, 0.001);
    if (trial->progress.steps_all == 1)
        progress_ready(session);
    return flags;
}

/* Collective. Passes the boundary with these flags beside those that the step had. The verdict of boundary_pass. */
static inline bool trial_pass(struct trial *trial, unsigned flags)
{
    return boundary_pass(&trial->session, &flags, &error);
}

/* Collective. Steps and boundaries up to this step. */
static inline void trial_train(struct trial *trial, uint64_t step)
{
    while (trial->session.step < step) {
        unsigned flags = trial_step(trial);
        if (!expect_ok(trial_pass(trial, flags)))
            break;
    }
}

/* Collective. The life ends and tells so, as trainer_run does. */
static inline void trial_end(struct trial *trial, const char *reason, bool interrupted, const struct error *failure)
{
    progress_end(&trial->session, reason, interrupted, failure);
    trial_close(trial);
}

/* ---- what is to be seen ---- */

/* Local. Content of a file of the run; the caller frees it (free). */
static inline char *trial_read(const char *run, const char *name)
{
    char path[PATH_MAX], *bytes = NULL;
    size_t count;
    struct error unread;
    snprintf(path, sizeof path, "%.3000s/%s", run, name);
    bool ok = file_read(path, &bytes, &count, &unread);
    CU_ASSERT_TRUE(ok);
    return ok ? bytes : strdup("");
}

/* Local. The lines of metrics.jsonl with this event, as "STEP VALUE, STEP VALUE" of a text in them. */
static inline void trial_events(const char *run, const char *event, const char *key, struct text *events)
{
    char *lines = trial_read(run, "metrics.jsonl"), *rest = lines;
    for (char *line; (line = strsep(&rest, "\n"));) {
        char kind[32] = "", value[200] = "";
        double step = 0;
        if (!json_text(line, "event", kind, sizeof kind) || strcmp(kind, event) != 0)
            continue;
        json_number(line, "step", &step);
        json_text(line, key, value, sizeof value);
        text_append(events, "%s%.0f %s", events->length ? ", " : "", step, value);
    }
    free(lines);
}

/* Local; rank 0 looks, as with what follows: it alone knows when it is done with its files. The lines of metrics.jsonl
 * with this event, and a text that each of them has: "4 every, 6 at+best". */
static inline void expect_events(const struct trial *trial, const char *event, const char *key, const char *expected)
{
    struct text events;
    if (world.rank != 0)
        return;
    text_init(&events);
    trial_events(trial->job.run, event, key, &events);
    expect_text(text_bytes(&events), expected);
    text_release(&events);
}

/* Local. The saves that were committed, and why. */
static inline void expect_saves(const struct trial *trial, const char *expected)
{
    expect_events(trial, "checkpoint", "why", expected);
}

/* Local. The checkpoint of this step is pinned, or it is not. */
static inline void expect_pinned(const struct trial *trial, uint64_t step, bool is_pinned)
{
    char path[PATH_MAX];
    store_path(&trial->session.store, step, path);
    CU_ASSERT(world.rank != 0 || pin_exists(path) == is_pinned);
}

/* Local. The steps that have a file, oldest first; and those that were put aside: "2 4 (6)". */
static inline void expect_files(const char *run, const char *expected)
{
    struct store store;
    struct text files;
    uint64_t *steps[2] = {NULL, NULL};
    size_t counts[2] = {0, 0};
    if (world.rank != 0)
        return;
    text_init(&files);
    expect_ok(store_init(&store, run, 0, &error) && store_list(&store, &steps[0], &counts[0], &error) &&
              store_list_rejected(&store, &steps[1], &counts[1], &error));
    for (int aside = 0; aside < 2; aside++)
        for (size_t i = counts[aside]; i-- > 0;)
            text_append(&files, aside ? "%s(%" PRIu64 ")" : "%s%" PRIu64, files.length ? " " : "", steps[aside][i]);
    expect_text(text_bytes(&files), expected);
    memory_free(steps[0]);
    memory_free(steps[1]);
    text_release(&files);
}

/* Local. Opens the checkpoint of a step; reader_close, after failure too. */
static inline bool open_checkpoint(const char *run, uint64_t step, struct reader *reader)
{
    char path[PATH_MAX];
    struct store store;
    *reader = (struct reader){0};
    if (!expect_ok(store_init(&store, run, 0, &error)))
        return false;
    store_path(&store, step, path);
    return expect_ok(reader_open(reader, path, &error));
}

/* Local. The checkpoint of this step was saved for this reason, which has ended its segment. */
static inline void expect_end(const char *run, uint64_t step, const char *why, const char *end)
{
    struct reader reader;
    if (open_checkpoint(run, step, &reader)) {
        const struct segment *last = &reader.record.segments[reader.record.segment_count - 1];
        CU_ASSERT(reader.record.step == step && last->last_step == step);
        expect_text(reader.record.why, why);
        expect_text(last->end, end);
    }
    reader_close(&reader);
}

/* ---- what the log says ---- */

struct hearing {
    FILE *file; /* NULL: another rank than 0, which says nothing */
    int before;
    char *words; /* once it has ended */
};

/* Local, rank 0's work. From here on standard error is heard, and not seen, up to hearing_end. */
static inline struct hearing hearing_begin(void)
{
    struct hearing hearing = {.before = -1};
    if (world.rank != 0 || !(hearing.file = tmpfile()))
        return hearing;
    fflush(stderr);
    hearing.before = dup(STDERR_FILENO);
    dup2(fileno(hearing.file), STDERR_FILENO);
    return hearing;
}

static inline void hearing_end(struct hearing *hearing)
{
    if (!hearing->file)
        return;
    fflush(stderr);
    dup2(hearing->before, STDERR_FILENO);
    close(hearing->before);
    long length = lseek(fileno(hearing->file), 0, SEEK_END);
    hearing->words = calloc(1, (size_t)length + 1);
    CU_ASSERT_EQUAL(pread(fileno(hearing->file), hearing->words, (size_t)length, 0), length);
    fclose(hearing->file);
}

/* Local. These words were said, in one piece; true on ranks that hear nothing. */
static inline void expect_heard(const struct hearing *hearing, const char *words)
{
    bool is_heard = !hearing->words || strstr(hearing->words, words);
    if (!is_heard)
        expect_text(hearing->words, words);
    CU_ASSERT_TRUE(is_heard);
}

static inline void hearing_release(struct hearing *hearing)
{
    free(hearing->words);
    *hearing = (struct hearing){0};
}

/* ---- a disk that refuses ---- */

/* Collective over world. Until it is mended no save in this run can succeed: a file has the place of the directory of
 * checkpoints. */
static inline void break_store(const char *run)
{
    char place[PATH_MAX], aside[PATH_MAX];
    snprintf(place, sizeof place, "%.3000s/checkpoints", run);
    snprintf(aside, sizeof aside, "%.3000s/aside", run);
    MPI_Barrier(world.comm);
    if (world.rank == 0)
        CU_ASSERT(rename(place, aside) == 0 && expect_ok(file_replace(place, "", 0, &error)));
    MPI_Barrier(world.comm);
}

static inline void mend_store(const char *run)
{
    char place[PATH_MAX], aside[PATH_MAX];
    snprintf(place, sizeof place, "%.3000s/checkpoints", run);
    snprintf(aside, sizeof aside, "%.3000s/aside", run);
    MPI_Barrier(world.comm);
    if (world.rank == 0)
        CU_ASSERT(unlink(place) == 0 && rename(aside, place) == 0);
    MPI_Barrier(world.comm);
}

/* ---- the program ---- */

static inline void a_world_opens(void)
{
    world_open(&world);
    h5_init();
    gemm_init();
    CU_ASSERT_TRUE(world.size > 0);
}

static inline void a_world_closes(void)
{
    h5_release();
    world_close(&world);
    CU_ASSERT_EQUAL(world.comm, MPI_COMM_NULL);
}

/* test_mpi_run, with what the program sets before MPI (cli/train.c). The first and the last case are the two above. */
static inline int session_tests_run(int *argc, char ***argv, const char *suite, const struct test_case *cases)
{
    setenv("OMPI_MCA_sharedfp", "individual", 0);
    return test_mpi_run(argc, argv, suite, cases);
}

#endif
