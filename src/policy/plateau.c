#include "policy/plateau.h"

#include "policy/best.h"

#include <math.h>

static bool is_better(const struct job *job, const struct history *history, double value)
{
    const struct plateau_settings *settings = job->schedule.settings;
    double than = history->plateau_reference;
    if (isnan(value) || history->plateau_step == 0)
        return !isnan(value);
    double by = settings->threshold * fabs(than); /* r2 may be negative */
    return best_is_lower(job) ? value < than - by : value > than + by;
}

void plateau_consider(const struct job *job, struct history *history, const struct evaluation *evaluation,
                      uint64_t step)
{
    if (job->schedule.class != &schedule_plateau || !best_is_regular(job, step))
        return;
    const struct plateau_settings *settings = job->schedule.settings;
    double value = evaluation->values[job->validate.metric];
    if (is_better(job, history, value)) {
        history->plateau_step = step;
        history->plateau_reference = value;
        history->plateau_stale = 0;
    } else if (++history->plateau_stale > settings->patience) {
        history->plateau_falls++;
        history->plateau_stale = 0;
    }
}

double plateau_factor(const struct job *job, const struct history *history)
{
    return job->schedule.class == &schedule_plateau ? schedule_fallen(&job->schedule, history->plateau_falls) : 1;
}
