#include "train/best.h"

#include "base/digest.h"
#include "base/log.h"

#include <math.h>

/* By how much `value` is better than `than`. */
static double gain(const struct job *job, double value, double than)
{
    return job->validate.metric == METRIC_LOSS ? than - value : value - than;
}

bool best_consider(const struct job *job, struct history *history, const struct evaluation *evaluation, uint64_t step)
{
    double value = job->validate.metric == METRIC_LOSS ? evaluation->loss : evaluation->accuracy;
    bool first = history->best_step == 0, counts = !isnan(value);
    if (counts && (isnan(history->reference) || gain(job, value, history->reference) > job->early_stopping.min_delta)) {
        history->reference = value;
        history->stale = 0;
    } else {
        history->stale++;
    }
    if (!counts || (!first && gain(job, value, history->best) <= 0))
        return false;
    history->best = value;
    history->best_step = step;
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

static uint64_t yardstick(const struct job *job, const struct dataset *validation)
{
    const struct dataset_spec *spec = &job->data.validation;
    uint64_t digest = digest_chain(1, (uint64_t)job->validate.metric);
    digest = digest_chain(digest, validation->digest);
    digest = digest_chain(digest, digest_bytes(&spec->mean, sizeof spec->mean));
    digest = digest_chain(digest, digest_bytes(&spec->std, sizeof spec->std));
    return digest_chain(digest, job->validate.ema);
}

void best_prepare(const struct job *job, const struct dataset *validation, struct history *history)
{
    uint64_t now = validation->count > 0 ? yardstick(job, validation) : 0;
    if (history->yardstick == now)
        return;
    if (history->best_step > 0)
        log_warn("validations are measured otherwise than before: the search for the best begins anew");
    best_forget(history);
    history->yardstick = now;
    history->metric = (uint64_t)job->validate.metric;
    history->reference = (double)NAN;
    history->stale = 0;
}

void best_forget(struct history *history)
{
    history->best = 0;
    history->best_step = 0;
}
