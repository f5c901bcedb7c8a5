#include "train/ranks.h"

#include "base/check.h"
#include "base/digest.h"
#include "base/memory.h"
#include "base/plural.h"
#include "checkpoint/passport.h"
#include "parallel/equality.h"
#include "run/environment.h"
#include "train/restore.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { PASSPORT_LINES = 3, ITEMS = 2 + PASSPORT_LINES }; /* of environment_passport; and the run and the job */

bool ranks_compare(struct session *session, struct error *error)
{
    static const char rounding[] = "The bits depend on which rank runs where, and training continues to rounding";
    const struct compute *compute = compute_of(session->job->model.gemm, session->job->model.precision);
    struct equality_item items[ITEMS];
    struct text passport, job;
    size_t count = 0;
    text_init(&passport);
    text_init(&job);
    environment_passport(compute, &passport);
    job_write(session->job, &job);
    char digest[40];
    snprintf(digest, sizeof digest, "digest %016" PRIx64, digest_bytes(job.bytes, job.length));
    items[count++] = (struct equality_item){"run", session->job->run, "All ranks write into one directory", false};
    items[count++] = (struct equality_item){"the job", digest, "Start all ranks alike", false};
    char *lines = memory_text(text_bytes(&passport)), *rest = lines;
    for (char *line; (line = strsep(&rest, "\n")) && *line;) {
        CHECK(count < ITEMS, "the passport has grown");
        char *key = strsep(&line, ":");
        items[count++] = (struct equality_item){key, line ? line + strspn(line, " ") : "", rounding, true};
    }
    bool ok = equality_check(session->world, items, count, error);
    char **all = world_gather_texts(session->world, text_bytes(&passport));
    passport_merge(all, (size_t)session->world->size, &session->restore->passport);
    memory_free(all);
    memory_free(lines);
    text_release(&passport);
    text_release(&job);
    return ok;
}

bool ranks_check(const struct session *session, struct error *error)
{
    uint64_t batch = session->job->train.batch, microbatch = session->job->train.microbatch,
             leaves = batch / microbatch;
    return (uint64_t)session->world->size <= leaves ||
           error_set(error, ERROR_USAGE,
                     "%d ranks, but only %" PRIu64 " %s (train.batch %" PRIu64 " / train.microbatch %" PRIu64
                     "): start at most %" PRIu64 " rank%s, or make train.microbatch smaller",
                     session->world->size, leaves, leaves == 1 ? "leaf" : "leaves", batch, microbatch, leaves,
                     plural(leaves));
}

bool ranks_compare_data(const struct session *session, struct error *error)
{
    static const char advice[] = "Give all nodes the same files";
    struct text train, validation;
    text_init(&train);
    text_init(&validation);
    dataset_describe(&session->data.train, &train);
    dataset_describe(&session->data.validation, &validation);
    const struct equality_item items[] = {
        {"data.train", text_bytes(&train), advice, false},
        {"data.validation", text_bytes(&validation), advice, false},
    };
    bool ok = equality_check(session->world, items, sizeof items / sizeof *items, error);
    text_release(&train);
    text_release(&validation);
    return ok;
}
