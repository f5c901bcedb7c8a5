/* The best validation so far, and when to stop waiting for a better one. */
#ifndef TRAIN_BEST_H
#define TRAIN_BEST_H

#include "checkpoint/history.h"
#include "data/dataset.h"
#include "train/evaluator.h"
#include "train/job.h"

/* Local. Takes a validation into the history. True: it is the best so far. Patience begins anew if it is better by more
 * than early_stopping.min_delta than the one that patience counts from. */
bool best_consider(const struct job *job, struct history *history, const struct evaluation *evaluation, uint64_t step);

/* Local. Whether the best model is saved when it appears, and stays: the job asks for it, or for early stopping. */
bool best_is_kept(const struct job *job);

/* Local. Whether early_stopping.patience is exhausted. */
bool best_is_late(const struct job *job, const struct history *history);

/* Local. What is measured by another yardstick than before (metric, validation data, averaged weights or not) cannot be
 * compared: forgets the past, with a warning. */
void best_prepare(const struct job *job, const struct dataset *validation, struct history *history);

/* Local. There is no best any more; patience goes on. */
void best_forget(struct history *history);

#endif
