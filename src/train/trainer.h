/* The trainer: where data, model, exchange, optimizer and checkpoint meet. */
#ifndef TRAIN_TRAINER_H
#define TRAIN_TRAINER_H

#include "base/error.h"
#include "job/job.h"
#include "parallel/world.h"
#include "train/progress.h"
#include "train/session.h"

/* How a run ended, if it did not fail. */
struct trainer_outcome {
    bool finished; /* all steps are done; else: saved, and wants to be run again */
    uint64_t step;
    double loss; /* of that step */
    uint64_t fingerprint;
    char reason[32]; /* why it stopped, e.g. "SIGUSR1" */
};

/* Collective over world; job and options must be equal on every rank. Trains the job from its newest valid checkpoint,
 * or from step 0, until it is finished or some rank is asked to leave. The same verdict and error on every rank. After
 * failure the newest checkpoint is as good as it was. After ERROR_LATE, which may be on this rank alone, a rank or a
 * thread hangs: the process can only be left. */
bool trainer_run(const struct world *world, const struct job *job, const struct session_options *options,
                 struct trainer_outcome *outcome, struct error *error) WARN_UNUSED;

/* Collective over world. What trainer_run does again and again: the session's next step, what it tells, and what is due
 * behind it. `progress` begins all zero; *flags becomes what any rank was asked from outside. False: the job ends with
 * this error. */
bool trainer_step(struct session *session, struct progress *progress, unsigned *flags, struct error *error) WARN_UNUSED;

#endif
