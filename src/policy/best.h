/* The best validations so far, which of them keep their checkpoints, and when to stop waiting for a better one.
 *
 * A validation enters the history when it is made. Whether its checkpoint comes to stand is known later: when a save
 * fails, best_forget takes its validation out again, and what it had pushed out moves up; when one is committed,
 * best_settle lets go of what was pushed out and has been pruned. */
#ifndef POLICY_BEST_H
#define POLICY_BEST_H

#include "checkpoint/history.h"
#include "checkpoint/store.h"
#include "data/dataset.h"
#include "job/job.h"
#include "policy/evaluation.h"

/* Local. Whether a lower value of the job's metric is better. */
bool best_is_lower(const struct job *job);

/* Local. Whether decisions may hang on the validation of this step: it is a multiple of validate.every. The last step
 * of a job has a validation in any case; if the job is longer one day, its rate and its end have to be those of a job
 * that was as long from the beginning, which has none there. */
bool best_is_regular(const struct job *job, uint64_t step);

/* Local. Takes a validation into the history. Returns its rank among the best that count: 1 is the best so far, 0 is
 * none of them; of equal values the earlier one is better. Patience begins anew if it is better by more than
 * early_stopping.min_delta than the one that patience counts from; one that is not regular is nothing to patience. */
size_t best_consider(const struct job *job, struct history *history, const struct evaluation *evaluation,
                     uint64_t step);

/* Local. How many of the best are saved when they appear, and stay: what the job asks for, one if it does not say, and
 * one at least with early stopping; none without validations. Of a job that keeps none the history still knows the best
 * one. */
size_t best_kept(const struct job *job);

/* Local. Whether early_stopping.patience is exhausted. */
bool best_is_late(const struct job *job, const struct history *history);

/* Local. Once, when a job begins or goes on. What is measured by another yardstick than before (metric, its mode,
 * validation data, averaged weights or not) cannot be compared: forgets the past, with a warning. */
void best_prepare(const struct job *job, const struct dataset *validation, struct history *history);

/* Local, rank 0's work. Which of the best have a checkpoint; found[i] of history->best[i]. */
void best_find(const struct store *store, const struct history *history, bool found[HISTORY_BEST + HISTORY_SPARE]);

/* Local; after best_prepare. Best models whose checkpoints were not found, because nobody wanted them kept before or
 * they were taken away, must not hinder worse ones from being kept: forgets them, with a warning. */
void best_look(const struct job *job, const bool *found, struct history *history);

/* Local. What is to stay after a commit by the wishes of the job and the history. */
void best_retain(const struct job *job, const struct history *history, struct retention *retention);

/* Local. The validation of this step, if it is one of the best, has no checkpoint; patience goes on. */
void best_forget(struct history *history, uint64_t step);

/* Local. A commit has pruned all that `retention` does not name. */
void best_settle(struct history *history, const struct retention *retention);

#endif
