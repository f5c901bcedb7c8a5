#include "launch/supervisor.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "launch/again.h"
#include "launch/ending.h"
#include "launch/launch.h"
#include "policy/deadline.h"
#include "run/environment.h"

struct supervisor {
    const struct supervisor_options *options;
    struct supervision supervision;
    struct slurm_job slurm;
    struct sight sight;
    struct sense sense;
    struct launch launch;
    struct error *error; /* why it gives up, or was refused */
};

/* Whether the ranks of the last launch are at work without a launcher, which both processes of srun can leave behind if
 * they are killed. */
static bool has_outlived(const struct supervisor *supervisor)
{
    return supervisor->supervision.launches > 0 && sense_is_ours(&supervisor->sense) &&
           !ending_last_life(&supervisor->sight.run)->ended && sight_is_locked(&supervisor->sight);
}

/* They hold the run: they are asked to save and leave, again after each new wish, and waited for while they write. */
static void see_off_ranks(struct supervisor *supervisor)
{
    struct launch *launch = &supervisor->launch;
    bool is_batch = supervisor->slurm.batch_flag > 0; /* not salloc, whose shell would hear it as well */
    double save_s = lives_sum(&supervisor->sight.run.lives).write_s, quiet_s = clock_seconds();
    double most_s = supervisor->options->shutdown_s + deadline_reserve(save_s);
    int asked = -1;
    if (!has_outlived(supervisor))
        return;
    log_info("supervise: the launcher is gone, but its ranks are at work: waiting until they have left");
    while (sight_is_locked(&supervisor->sight) && clock_seconds() - quiet_s < most_s) {
        if (launch->preparation.is_srun && is_batch && asked != launch->asked)
            slurm_signal_ranks(&supervisor->slurm, "USR2");
        asked = launch->asked;
        launch_attend(launch, 0.2);
        if (sight_is_writing(&supervisor->sight))
            quiet_s = clock_seconds();
    }
}

/* Whether there is time for one more start, a step and a save. */
static bool has_time(const struct supervisor *supervisor)
{
    struct lives_total total = lives_sum(&supervisor->sight.run.lives);
    double left_s = supervisor->slurm.end_unix - clock_unix_exact();
    return supervisor->slurm.end_unix == 0 || left_s > total.start_s + deadline_reserve(total.write_s);
}

/* One launch is made in any case, unless the batch job is ending. */
static enum supervision_event think_over(struct supervisor *supervisor)
{
    bool is_first = supervisor->supervision.launches == 0;
    see_off_ranks(supervisor);
    slurm_look(&supervisor->slurm);
    sight_look(&supervisor->sight);
    if (!is_first && !supervisor->slurm.is_preempted && !sense_goes_on(&supervisor->sense, supervisor->error))
        return EVENT_NO_SENSE;
    bool is_late = slurm_is_ending(&supervisor->slurm) || (!is_first && !has_time(supervisor));
    return is_late ? EVENT_NO_TIME : EVENT_SENSE;
}

static enum supervision_event start(struct supervisor *supervisor)
{
    return launch_start(&supervisor->launch, supervisor->error);
}

static enum supervision_event watch(struct supervisor *supervisor)
{
    return launch_watch(&supervisor->launch);
}

static enum supervision_event judge(struct supervisor *supervisor)
{
    return launch_judge(&supervisor->launch, supervisor->error);
}

/* Time for what has hit the job to pass, unless somebody wants to leave meanwhile. */
static enum supervision_event pause_before_next(struct supervisor *supervisor)
{
    const struct supervision *supervision = &supervisor->supervision;
    slurm_look(&supervisor->slurm);
    if (supervision_is_asked(supervision) || slurm_is_ending(&supervisor->slurm) ||
        !sense_goes_on(&supervisor->sense, supervisor->error))
        return EVENT_PAUSE_OVER;
    double pause_s = supervision_pause_s(supervision, sense_futile(&supervisor->sense));
    if (pause_s > 0)
        log_info("supervise: starting it again in %g s", pause_s);
    for (double end_s = clock_seconds() + pause_s; !supervision_is_asked(supervision) && clock_seconds() < end_s;)
        launch_attend(&supervisor->launch, end_s - clock_seconds());
    return EVENT_PAUSE_OVER;
}

static enum supervision_event hand_over(struct supervisor *supervisor)
{
    struct error refused;
    struct slurm_job *slurm = &supervisor->slurm;
    if (!slurm->is_inside)
        return EVENT_HANDED_OVER;
    if (!sense_comes_back(&supervisor->sense, slurm->is_preempted, supervisor->error) ||
        !sense_begins(&supervisor->sense, supervisor->error))
        return EVENT_NO_SENSE;
    if (!slurm_requeue(slurm, &refused))
        log_warn("supervise: not requeued: %s", refused.text);
    return EVENT_HANDED_OVER;
}

static enum supervisor_outcome run(struct supervisor *supervisor)
{
    static enum supervision_event (*const actions[ACTION_COUNT])(struct supervisor *) = {
        [ACTION_THINK_OVER] = think_over,
        [ACTION_LAUNCH] = start,
        [ACTION_WATCH] = watch,
        [ACTION_JUDGE] = judge,
        [ACTION_PAUSE] = pause_before_next,
        [ACTION_HAND_OVER] = hand_over,
    };
    static const enum supervisor_outcome outcomes[STATE_COUNT] = {[STATE_FINISHED] = SUPERVISOR_FINISHED,
                                                                  [STATE_LEFT] = SUPERVISOR_LEFT,
                                                                  [STATE_GAVE_UP] = SUPERVISOR_GAVE_UP,
                                                                  [STATE_REFUSED] = SUPERVISOR_REFUSED};
    for (enum supervision_action action = ACTION_THINK_OVER; !supervision_is_over(&supervisor->supervision);) {
        CHECK(actions[action], "this takes its time");
        action = supervision_step(&supervisor->supervision, actions[action](supervisor));
    }
    return outcomes[supervisor->supervision.state];
}

/* The kept job, if nobody comes back to it: outside of a batch system this process is all that knows its name. */
static void forget(const struct supervisor *supervisor, enum supervisor_outcome outcome)
{
    struct submission *submission = supervisor->options->submission;
    if (!submission->is_batch || outcome == SUPERVISOR_FINISHED || outcome == SUPERVISOR_REFUSED)
        submission_forget(submission);
}

/* Behind the reason why it was given up. */
static void tell_again(const struct supervisor *supervisor)
{
    struct text words;
    struct error *error = supervisor->error;
    text_init(&words);
    again_append(&supervisor->slurm, supervisor->options->command, &words);
    error_set(error, error->kind, "%s; %s", error->text, text_bytes(&words));
    text_release(&words);
}

enum supervisor_outcome supervisor_run(const struct supervisor_options *options, struct error *error)
{
    struct supervisor supervisor = {.options = options, .error = error};
    bool was_requeued = environment_restarts() > 0 || options->submission->is_kept; /* as its system tells, or not */
    supervision_init(&supervisor.supervision);
    sight_init(&supervisor.sight, options->run, options->submission);
    launch_init(&supervisor.launch, options, &supervisor.supervision, &supervisor.sight, &supervisor.sense,
                &supervisor.slurm);
    slurm_look(&supervisor.slurm);
    sight_look(&supervisor.sight);
    sense_init(&supervisor.sense, &supervisor.supervision, &supervisor.sight.run, was_requeued, options->restarts);
    enum supervisor_outcome outcome = run(&supervisor);
    if (outcome == SUPERVISOR_GAVE_UP)
        tell_again(&supervisor);
    forget(&supervisor, outcome);
    launch_release(&supervisor.launch);
    sight_release(&supervisor.sight);
    return outcome;
}
