/* What a run tells: lines for people, and the same numbers as metrics. Rank 0 writes. */
#ifndef TRAIN_PROGRESS_H
#define TRAIN_PROGRESS_H

#include "checkpoint/saver.h"
#include "policy/evaluation.h"
#include "train/session.h"

/* The numbers of one step. */
struct step_numbers {
    double loss;
    double learning_rate;
    double gradient_norm;
    double data_wait_s; /* for samples, by the rank that has waited longest */
    bool skipped;       /* the parameters stayed as they were */
};

/* Time spent in steps since the last training line; saves and validations do not count. */
struct progress {
    uint64_t steps;
    double seconds;
    double data_wait_s; /* of them: for samples */
    double seconds_all; /* since the session began */
    uint64_t steps_all;
};

/* Local. The first lines of a log, the `start` or `resume` event, and a new life in the history of the run. */
void progress_begin(struct session *session);

/* Local. Instead of that, if the job was finished before: a line. If nobody could tell that in the history of the run
 * (killed after the last save, say), this life does. `reason` as for progress_end. */
void progress_nothing_left(struct session *session, const char *reason);

/* Local. The first step is made: how long that took goes into the history of the run. */
void progress_ready(struct session *session);

/* Local. Counts a step's time. Every log.every steps: a line and a training record; on a terminal a progress line every
 * step.
 */
void progress_step(struct progress *progress, struct session *session, const struct step_numbers *numbers,
                   double seconds);

/* Local. A warning and the `skipped` event. */
void progress_skipped(struct session *session, uint64_t step, const struct step_numbers *numbers,
                      const struct error *why);

/* Local. A line and the `validation` event; `rank` as best_consider returns it. */
void progress_validation(struct session *session, const struct evaluation *evaluation, size_t rank);

/* Local. A line, if anything was validated: the best model so far, and where it is. */
void progress_best(const struct session *session);

/* Local. A line: the validation of this step is left to the next life. */
void progress_validation_left(struct session *session);

/* Local. A line and the `checkpoint` event of the save that was running; only the line if it will be replaced. */
void progress_checkpoint(struct session *session, const struct saver_result *result, bool replaced);

/* Local. A line, and one in the history of the run, if checkpoint.every: auto has come to another period. */
void progress_cadence(struct session *session);

/* Local. The `checkpoint_failed` event of the save of `step`, and a warning if training goes on all the same. */
void progress_checkpoint_failed(struct session *session, uint64_t step, bool goes_on, const struct error *error);

/* Local. A warning: the checkpoint that was to stay for ever does not, and why. */
void progress_not_kept(const struct error *error);

/* Local. The `local` event of copies on the nodes, or, with an error, `local_failed`: then a warning, too, but only
 * about the first of several failures in a row. */
void progress_copies(struct session *session, const struct saver_result *result, const struct error *error);

/* Local. A warning, where progress_copies has told already that some have failed. */
void progress_no_more_copies(void);

/* Local. The `stop` event, and the end of this life in the history of the run. `reason` is "finished",
 * "early_stopping", "deadline", "stop-after", a signal, or "failed", then with its failure (else NULL); interrupted: it
 * was not the job's own decision. */
void progress_end(struct session *session, const char *reason, bool interrupted, const struct error *failure);

#endif
