#include "train/forecast.h"

#include "policy/best.h"

#include <math.h>

/* Saves that the steps bring with them. */
static double count_by_steps(const struct job *job, uint64_t steps, uint64_t validations)
{
    uint64_t every = job->checkpoint.every == CHECKPOINT_AUTO ? 0 : job->checkpoint.every;
    uint64_t keep = job->checkpoint.keep_every;
    double saves = 0;
    if (every > 0)
        saves += (double)(steps / every);
    if (keep > 0 && (every == 0 || keep % every != 0))
        saves += (double)(steps / keep);
    for (size_t i = 0; i < job->checkpoint.at_count; i++)
        saves += job->checkpoint.at[i] <= steps && (every == 0 || job->checkpoint.at[i] % every != 0);
    if (job->checkpoint.on_validation && (every == 0 || job->validate.every % every != 0))
        saves += (double)validations;
    return saves;
}

/* Steps between saves that come again and again; `steps`: there are none of these. */
static uint64_t find_gap(const struct job *job, uint64_t steps, uint64_t validations)
{
    uint64_t gap = steps, every = job->checkpoint.every, keep = job->checkpoint.keep_every;
    if (every > 0 && every < gap) /* `auto` is larger than all */
        gap = every;
    if (keep > 0 && keep < gap)
        gap = keep;
    if (job->checkpoint.on_validation && validations > 0 && job->validate.every < gap)
        gap = job->validate.every;
    return gap;
}

/* Those that the clock brings, while training goes on for so long: it begins anew with each save, whatever that is
 * made for. */
static double count_by_time(const struct job *job, const struct forecast_parts *parts, uint64_t gap, double seconds)
{
    double period_s = parts->period_s > 0 ? parts->period_s : INFINITY;
    if (job->checkpoint.minutes > 0)
        period_s = fmin(period_s, 60 * job->checkpoint.minutes);
    double step_s = seconds / (double)parts->steps, gap_s = (double)gap * step_s;
    if (gap == parts->steps)
        return floor(seconds / period_s);
    double in_each = fmax(ceil(gap_s / period_s) - 1, 0);
    return (double)(parts->steps / gap) * in_each + floor((double)(parts->steps % gap) * step_s / period_s);
}

struct forecast forecast_make(const struct job *job, const struct forecast_parts *parts)
{
    struct forecast cast = {0};
    if (parts->validates && job->validate.every > 0)
        cast.validations = (parts->steps + job->validate.every - 1) / job->validate.every; /* the last step has one */
    double steps_s = (double)parts->steps * parts->step_s + (double)cast.validations * parts->validation_s;
    double saves = count_by_steps(job, parts->steps, cast.validations);
    uint64_t gap = find_gap(job, parts->steps, cast.validations);
    saves = fmin(saves + count_by_time(job, parts, gap, steps_s + saves * parts->stall_s), (double)parts->steps);
    double trained_s = steps_s + saves * parts->stall_s;
    cast.saves = (uint64_t)fmax(saves, 1); /* the last one */
    cast.epoch_s = trained_s * parts->epoch_steps / (double)parts->steps;
    cast.whole_s = parts->start_s + trained_s + parts->write_s;
    uint64_t best = best_kept(job), keep_every = job->checkpoint.keep_every;
    best = best < cast.validations ? best : cast.validations;
    cast.stays = (job->checkpoint.keep < cast.saves + best ? job->checkpoint.keep : cast.saves + best) + best +
                 (keep_every > 0 ? parts->steps / keep_every : 0);
    cast.stays = cast.stays < cast.saves + best ? cast.stays : cast.saves + best;
    cast.bytes = (double)(cast.stays + 1) * (double)parts->checkpoint_bytes;
    return cast;
}
