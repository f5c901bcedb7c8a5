#include "policy/deadline.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/watchdog.h"

#include <math.h>
#include <stdlib.h>

#define FORGET        0.98 /* of the longest step, each step: one that was slow for once does not count for ever */
#define LOOK_S        1.0  /* between two looks for news */
#define STOPPED_S     10.0 /* a step that takes longer, ... */
#define STOPPED_TIMES 20.0 /* ... and so many times longer than the longest of late */

/* NaN: not set. */
static bool parse(const char *name, const char *text, double *number, struct error *error)
{
    char *end;
    *number = NAN;
    if (!text || !*text)
        return true;
    *number = strtod(text, &end);
    return (*end == '\0' && isfinite(*number) && *number >= 0) ||
           error_set(error, ERROR_USAGE, "%s=%.40s in the environment is not a number of seconds", name, text);
}

bool deadline_parse(struct deadline *deadline, const char *end_unix, const char *warning_s, double now_s,
                    double now_unix, struct error *error)
{
    double end;
    *deadline = (struct deadline){.end_s = INFINITY};
    if (!parse("LOCKSTEP_END_TIME", end_unix, &end, error) ||
        !parse("LOCKSTEP_WARNING_S", warning_s, &deadline->warning_s, error))
        return false;
    if (end > 0)
        deadline->end_s = now_s + end - now_unix;
    return true;
}

bool deadline_open(struct deadline *deadline, const struct world *world, struct error *error)
{
    const char *end = NULL, *warning = NULL;
    if (world->rank == 0) {
        end = getenv("LOCKSTEP_END_TIME");
        warning = getenv("LOCKSTEP_WARNING_S");
    }
    if (world->rank == 0 && (!end || !*end))
        end = getenv("SLURM_JOB_END_TIME");
    bool ok = deadline_parse(deadline, end, warning, clock_seconds(), clock_unix_exact(), error);
    world_share(world, &deadline->warning_s, sizeof deadline->warning_s);
    return world_agree(world, ok, error);
}

bool deadline_hear(struct deadline *deadline, const struct notice *notice, double now_s, double now_unix)
{
    if (!isnan(notice->warning_s))
        deadline->warning_s = notice->warning_s;
    if (isnan(notice->end_unix))
        return false;
    double before_s = deadline->end_s, end_s = notice->end_unix > 0 ? now_s + notice->end_unix - now_unix : INFINITY;
    /* What a warning has announced comes, wherever the time limit is. */
    deadline->end_s = deadline->warned && !notice->is_grace ? fmin(before_s, end_s) : end_s;
    deadline->is_exact = notice->is_grace;
    return fabs(deadline->end_s - before_s) > 1;
}

void deadline_look(struct deadline *deadline, const char *run, bool at_once, double now_s)
{
    struct notice notice;
    if (!at_once && now_s - deadline->looked_s < LOOK_S)
        return;
    deadline->looked_s = now_s;
    watchdog_begin(run, 0);
    bool is_there = notice_read(run, &notice);
    watchdog_end();
    if (!is_there || !deadline_hear(deadline, &notice, now_s, clock_unix_exact()))
        return;
    if (isfinite(deadline->end_s))
        log_info("the job ends in %.3g s, as is told now", deadline->end_s - now_s);
    else
        log_info("the job's time has no end, as is told now");
}

void deadline_expect(struct deadline *deadline, double step_s)
{
    deadline->step_s = step_s;
}

/* The first one takes the place of what was expected: if that was a stall, it is over. A job that is suspended stands
 * still for any time, and the next step is as long as ever. */
void deadline_note_step(struct deadline *deadline, double seconds)
{
    bool is_first = deadline->last_step_s == 0;
    if (!is_first && seconds > STOPPED_S && seconds > STOPPED_TIMES * deadline->step_s)
        return;
    deadline->step_s = is_first ? seconds : fmax(seconds, deadline->step_s * FORGET);
    deadline->last_step_s = seconds;
}

double deadline_reserve(double write_s)
{
    return 1.5 * write_s + DEADLINE_LEAVE_S;
}

unsigned deadline_flags(const struct deadline *deadline, unsigned steps, double write_s, double now_s)
{
    double needed_s = steps * deadline->step_s + deadline_reserve(write_s);
    return now_s + needed_s > deadline->end_s ? LEAVE_DEADLINE : 0;
}

unsigned deadline_announced(const struct deadline *deadline)
{
    return deadline->warning_s > 0 || deadline->is_exact ? END_IS_ANNOUNCED : 0;
}

unsigned deadline_weigh(struct deadline *deadline, unsigned flags, double now_s)
{
    bool is_announced = flags & END_IS_ANNOUNCED;
    flags &= ~(unsigned)END_IS_ANNOUNCED;
    if (!(flags & LEAVE_SIGUSR1) || !is_announced)
        return flags;
    if (!deadline->warned) {
        if (!deadline->is_exact)
            deadline->end_s = fmin(deadline->end_s, now_s + deadline->warning_s);
        log_info("SIGUSR1: the end comes in %.3g s; training goes on until the last step after which a save fits",
                 deadline->end_s - now_s);
    }
    deadline->warned = true;
    return (flags & LEAVE_ALL) == LEAVE_SIGUSR1 ? flags & ~(unsigned)LEAVE_SIGUSR1 : flags;
}
