#include "train/best.h"

#include <math.h>

bool best_consider(const struct job *job, struct history *history, const struct evaluation *evaluation, uint64_t step)
{
    bool is_loss = job->validate.metric == METRIC_LOSS;
    double value = is_loss ? evaluation->loss : evaluation->accuracy;
    double gain = is_loss ? history->best - value : value - history->best;
    bool better = !isnan(value) && (history->best_step == 0 || gain > job->early_stopping.min_delta);
    history->metric = (uint64_t)job->validate.metric;
    if (!better) {
        history->stale++;
        return false;
    }
    history->best = value;
    history->best_step = step;
    history->stale = 0;
    return true;
}

bool best_is_kept(const struct job *job)
{
    return job->checkpoint.best || job->early_stopping.patience > 0;
}

bool best_is_late(const struct job *job, const struct history *history)
{
    return job->early_stopping.patience > 0 && history->stale >= job->early_stopping.patience;
}

void best_prepare(const struct job *job, struct history *history)
{
    if (history->metric == (uint64_t)job->validate.metric)
        return;
    history->metric = 0;
    history->best = 0;
    history->best_step = 0;
    history->stale = 0;
}
