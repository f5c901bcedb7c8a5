/* What a launch of a job has come to. It is read in the run directory, not in the launcher's exit code, which is 0 also
 * of some jobs that were killed. */
#ifndef LAUNCH_ENDING_H
#define LAUNCH_ENDING_H

#include "run/run_state.h"

#include <stdbool.h>
#include <stddef.h>

enum ending {
    ENDING_FINISHED,  /* the last life tells so */
    ENDING_LEFT,      /* it has saved and left, because a signal or the end of its time asked it to */
    ENDING_PAUSED,    /* the same, by --stop-after */
    ENDING_FAILED,    /* it could tell what was wrong */
    ENDING_KILLED,    /* a life without an end */
    ENDING_NOT_BEGUN, /* there is no new life */
    ENDING_REFUSED,   /* nor could there be: exit code 2, the request is wrong */
};

/* Local. `run` as it stands after the launch, before which it had `lives` lives; the launcher has ended with `code`. */
enum ending ending_judge(const struct run_state *run, size_t lives, int code);

/* Local. The ending of a launch without a life, whose ranks have told why. A request that was good once waits for what
 * it lacks now; a run that another job holds is not waited for. */
enum ending ending_of_refusal(enum error_kind kind, bool was_good);

/* Local. Appends what is worth knowing of an ending: "has saved and left (SIGTERM) at step 120"; where the run
 * directory does not tell why, also how the launcher has ended. */
void ending_tell(enum ending ending, const struct run_state *run, const char *launcher, int code, struct text *words);

/* Local. The newest life; NULL if there is none. */
const struct life *ending_last_life(const struct run_state *run);

/* Local. How many of the newest lives, of those from number `first` (0, ...) on, were interrupted without having
 * brought the run forward by a checkpoint. Those that were killed when their batch job was requeued count only
 * with_requeued. */
size_t ending_futile(const struct run_state *run, size_t first, bool with_requeued);

/* Local. Whether the last two of these have failed with the same words, and for a reason that does not pass. */
bool ending_repeats(const struct run_state *run, size_t first);

#endif
