#include "launch/telling.h"

#include "base/clock.h"
#include "base/log.h"

#include <math.h>

#define LOOK_MOST_S  60.0 /* between two looks at the job, or ... */
#define LOOK_LEAST_S 5.0
#define LOOK_PART    0.25  /* ... this part of the time that is left to it */
#define SITE_S       300.0 /* between two looks at the site */
#define SAME_S       1.5   /* scontrol tells whole seconds */

/* What the job is to know now. */
static struct notice news(const struct telling *telling)
{
    const struct slurm_job *job = telling->job;
    const struct preparation *preparation = telling->preparation;
    double end_unix = job->end_unix > 0 ? job->end_unix - slurm_margin_s(job) : 0;
    return (struct notice){.end_unix = preparation->tells_end ? end_unix : NAN,
                           .is_grace = job->is_preempted,
                           .warning_s = preparation->tells_warning ? slurm_warning_s(job, preparation->is_srun) : NAN};
}

static bool is_same(double a, double b)
{
    return (isnan(a) && isnan(b)) || fabs(a - b) < SAME_S;
}

void telling_begin(struct telling *telling)
{
    telling->told = news(telling);
    telling->looked_s = telling->looked_at_site_s = clock_seconds();
    if (telling->job->is_inside)
        notice_remove(telling->run);
}

static void tell(struct telling *telling)
{
    struct notice now = news(telling);
    struct error error;
    bool same_end = is_same(now.end_unix, telling->told.end_unix) && now.is_grace == telling->told.is_grace;
    if (same_end && is_same(now.warning_s, telling->told.warning_s))
        return;
    if (!notice_write(telling->run, &now, &error)) {
        if (!telling->has_complained)
            log_warn("supervise: the job does not hear of its new end: %s", error.text);
        telling->has_complained = true;
        return;
    }
    telling->told = now;
    char end[CLOCK_TEXT_BYTES];
    clock_text_exact(now.end_unix, end);
    if (!same_end && now.is_grace)
        log_info("supervise: job %s is being preempted, and ends at %s", telling->job->id, end);
    else if (!same_end)
        log_info("supervise: the time limit of job %s is another one now: it ends at %s", telling->job->id,
                 now.end_unix > 0 ? end : "no time");
    else
        log_info("supervise: the site announces a preemption %.3g s before it comes, now", now.warning_s);
}

void telling_keep(struct telling *telling)
{
    double now_s = clock_seconds(), left_s = telling->job->end_unix - clock_unix_exact();
    double pause_s = telling->job->end_unix > 0 ? fmin(LOOK_MOST_S, fmax(LOOK_LEAST_S, LOOK_PART * left_s))
                                                : LOOK_MOST_S;
    if (!telling->job->is_inside || telling->job->batch_flag == 0 || now_s - telling->looked_s < pause_s)
        return;
    bool with_site = now_s - telling->looked_at_site_s >= SITE_S;
    slurm_look_again(telling->job, with_site);
    telling->looked_s = clock_seconds();
    if (with_site)
        telling->looked_at_site_s = telling->looked_s;
    tell(telling);
}

void telling_hurry(struct telling *telling)
{
    if (!telling->job->is_inside)
        return;
    slurm_look_again(telling->job, false);
    telling->looked_s = clock_seconds();
    tell(telling);
}
