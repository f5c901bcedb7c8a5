/* The best validation so far, and when to stop waiting for a better one. */
#ifndef TRAIN_BEST_H
#define TRAIN_BEST_H

#include "checkpoint/history.h"
#include "train/evaluator.h"
#include "train/job.h"

/* Local. Takes a validation into the history. True: it is the best so far (by more than early_stopping.min_delta). */
bool best_consider(const struct job *job, struct history *history, const struct evaluation *evaluation, uint64_t step);

/* Local. Whether the best model is saved when it appears, and stays: the job asks for it, or for early stopping. */
bool best_is_kept(const struct job *job);

/* Local. Whether early_stopping.patience is exhausted. */
bool best_is_late(const struct job *job, const struct history *history);

/* Local. Another metric than before begins anew. */
void best_prepare(const struct job *job, struct history *history);

#endif
