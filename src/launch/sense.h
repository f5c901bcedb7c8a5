/* Whether there is sense in another launch, by what those before have come to. Pure, but for the environment's word on
 * the batch job: numbers and lives in, an answer and its words out. */
#ifndef LAUNCH_SENSE_H
#define LAUNCH_SENSE_H

#include "base/error.h"
#include "launch/supervision.h"
#include "run/run_state.h"

#include <stdbool.h>
#include <stddef.h>

struct sense {
    const struct supervision *supervision; /* borrowed, as ... */
    const struct run_state *run;           /* ... the run, as it was looked at last */
    bool was_requeued;                     /* the batch job, or it may have been */
    int restarts;                          /* --restarts: launches in a row without progress */
    size_t first;      /* life that counts: of this supervisor or, requeued, of its batch job. What was before that
                        * somebody may have mended */
    struct error told; /* what was told last by launches in a row that have not begun, or why none could be made */
};

/* Local. The run as it is when the supervisor begins. */
void sense_init(struct sense *sense, const struct supervision *supervision, const struct run_state *run,
                bool was_requeued, int restarts);

/* Local. Why the launch that is over has not begun, or could not be made; NULL: it has begun. */
void sense_hear(struct sense *sense, const struct error *told);

/* Local. Whether the last life is of this batch job. */
bool sense_is_ours(const struct sense *sense);

/* Local. Whether the request was good once, before a launch that found `lives` lives: else the batch job would not have
 * been requeued. */
bool sense_was_good(const struct sense *sense, size_t lives);

/* Local. Lives in a row from which the run has nothing. */
size_t sense_futile(const struct sense *sense);

/* Local. Whether to launch it again here; the error says why not. */
bool sense_goes_on(const struct sense *sense, struct error *error) WARN_UNUSED;

/* Local. Whether to have the batch job come back. Not if it would come to nothing again, as a time limit does that is
 * over before the first save, and the error says so. (Preemptions come as they like.) */
bool sense_comes_back(const struct sense *sense, bool is_preempted, struct error *error) WARN_UNUSED;

/* Local. Whether it begins its work at all when it comes back: not if it has come back `restarts` times without. */
bool sense_begins(const struct sense *sense, struct error *error) WARN_UNUSED;

#endif
