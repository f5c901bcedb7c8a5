#include "launch/launch.h"

#include "base/clock.h"
#include "base/log.h"
#include "launch/ending.h"
#include "run/refusal.h"

#include <math.h>

#define LOOK_S         2.0   /* between two looks at the run */
#define LAUNCH_FIRST_S 600.0 /* what a launch may take if nothing is known, */
#define LAUNCH_LEAST_S 30.0  /* and if a start is known: this, and ... */
#define LAUNCH_TIMES   20    /* ... so many times as long */

void launch_init(struct launch *launch, const struct supervisor_options *options, struct supervision *supervision,
                 struct sight *sight, struct sense *sense, struct slurm_job *slurm)
{
    *launch = (struct launch){.options = options,
                              .supervision = supervision,
                              .sight = sight,
                              .sense = sense,
                              .slurm = slurm,
                              .kill_s = INFINITY,
                              .last_call_s = INFINITY};
    preparation_init(&launch->preparation, slurm, options->command, options->ranks_most);
    watchmen_init(&launch->watchmen, slurm);
    launch->telling = (struct telling){.run = options->run, .job = slurm, .preparation = &launch->preparation};
    process_take_signals();
}

void launch_release(struct launch *launch)
{
    watchmen_release(&launch->watchmen);
}

/* ---- its start ---- */

/* srun may have to wait until Slurm notices that a node is lost. */
static double launch_limit(const struct launch *launch)
{
    const struct slurm_site *site = &launch->slurm->site;
    double limit_s = launch->options->launch_s, noticed_s = 0;
    if (limit_s < 0) {
        double start_s = lives_sum(&launch->sight->run.lives).start_s;
        limit_s = start_s > 0 ? LAUNCH_LEAST_S + LAUNCH_TIMES * start_s : LAUNCH_FIRST_S;
        noticed_s = launch->preparation.is_srun ? site->slurmd_timeout_s + site->kill_wait_s : 0;
    }
    return noticed_s + supervision_limit_s(launch->supervision, limit_s, LAUNCH_FIRST_S);
}

/* Somebody may have deleted what the ranks read, or edited what they do not. */
static void keep_submission(const struct launch *launch)
{
    const struct supervisor_options *options = launch->options;
    if (sight_is_open(launch->sight))
        submission_renew(options->submission, options->asked, options->job);
    submission_tell_edit(options->submission, options->asked);
}

static bool start_launcher(struct launch *launch, struct error *error)
{
    struct words command;
    bool is_again = launch->supervision->launches > 1;
    if (is_again)
        keep_submission(launch);
    if (launch->supervision->slow > 0 && launch_limit(launch) > 0)
        log_info("supervise: this launch may take %.3g s", launch_limit(launch));
    refusal_reserve(launch->options->submission->path);
    error_clear(&launch->refusal);
    preparation_make(&launch->preparation, is_again, &command);
    launch->launched_s = clock_seconds();
    sight_expect(launch->sight);
    telling_begin(&launch->telling);
    bool ok = process_start(&launch->launcher, command.items, error);
    watchmen_move(&launch->watchmen);
    words_release(&command);
    return ok;
}

/* Whether this launch has met what passes: a disk that is not mounted yet or full now, a server that does not know the
 * user yet, or an earlier start that still has the lock. */
static bool lacks_something(const struct launch *launch)
{
    enum error_kind kind = launch->refusal.kind;
    return kind == ERROR_NOT_FOUND || kind == ERROR_DENIED ||
           (kind == ERROR_FULL && launch->sight->run.lives.count > 0) ||
           (kind != ERROR_NONE && sight_is_at_work(launch->sight));
}

/* A controller that is away starts nothing on other nodes. */
static enum supervision_event not_begun(const struct launch *launch)
{
    slurm_look(launch->slurm);
    return launch->slurm->is_unanswered || lacks_something(launch) ? EVENT_EXCUSED : EVENT_NOT_BEGUN;
}

/* Whether the run directory was moved; a warning says so. */
static bool tell_moved(const struct launch *launch)
{
    char where[PATH_MAX];
    if (!sight_is_moved(launch->sight, where))
        return false;
    log_warn("supervise: %s was moved to %s: a start would begin at step 0, so the job is not started again, nor "
             "requeued; move it back, or let run: lead there",
             launch->options->run, where);
    return true;
}

enum supervision_event launch_start(struct launch *launch, struct error *error)
{
    launch->lives = launch->sight->run.lives.count;
    launch->kill_s = INFINITY;
    if (start_launcher(launch, error))
        return EVENT_LAUNCHED;
    if (!sense_was_good(launch->sense, launch->lives))
        return EVENT_NO_LAUNCH;
    log_warn("supervise: %s", error->text); /* its disk may be away for a while */
    sense_hear(launch->sense, error);
    enum supervision_event event = not_begun(launch);
    return tell_moved(launch) ? EVENT_MOVED : event;
}

/* ---- while it runs ---- */

static void look_for_begin(struct launch *launch)
{
    const struct run_state *run = &launch->sight->run;
    sight_look(launch->sight);
    bool has_begun = run->lives.count > launch->lives;
    if (has_begun && ending_last_life(run)->ended) { /* faster than our looks */
        sight_expect(launch->sight);
        launch_happens(launch, EVENT_LIVED);
    }
    if (has_begun) /* on a file system without locks that is all that can be told */
        return;
    double limit_s = launch_limit(launch), shutdown_s = launch->options->shutdown_s;
    bool is_asked = supervision_is_asked(launch->supervision);
    if (is_asked && (limit_s == 0 || limit_s > shutdown_s)) /* nothing is lost: it has not begun */
        limit_s = shutdown_s;
    if (limit_s > 0 && clock_seconds() - launch->launched_s > limit_s) {
        log_warn("supervise: the job has not begun within %.3g s (--%s-timeout): ending %s", limit_s,
                 is_asked ? "shutdown" : "launch", launch->options->command[0]);
        launch_happens(launch, EVENT_SLOW);
    }
}

/* mpirun can hang in its own shutdown, and a launch can come to nothing. */
static void look_after(struct launch *launch)
{
    if (launch_find_work(launch))
        return;
    double silence_s = sight_silence_s(launch->sight);
    if (supervision_is(launch->supervision, STATE_BEGINNING)) {
        look_for_begin(launch);
    } else if (silence_s > launch->options->shutdown_s) {
        log_warn("supervise: the job is gone, but not its launcher: ending %s", launch->options->command[0]);
        launch_happens(launch, EVENT_SILENT);
    }
}

/* When its time is over Slurm sends SIGTERM, and kills all that is still there KillWait later, this process as well. */
static void mind_the_time(struct launch *launch)
{
    double now_s = clock_seconds();
    if (now_s >= launch->last_call_s) {
        launch->last_call_s = INFINITY;
        launch_happens(launch, EVENT_LAST_CALL);
    }
    if (now_s >= launch->kill_s && process_runs(&launch->launcher)) {
        launch->kill_s = INFINITY;
        launch_happens(launch, EVENT_STAYS);
    }
}

enum supervision_event launch_watch(struct launch *launch)
{
    double looked_s = clock_seconds();
    while (process_runs(&launch->launcher)) {
        double wait_s = fmin(launch->last_call_s, launch->kill_s) - clock_seconds();
        launch_attend(launch, fmin(LOOK_S, fmax(wait_s, 0)));
        mind_the_time(launch);
        if (launch->supervision->state == STATE_WORKING) /* who is asked to leave needs no news */
            telling_keep(&launch->telling);
        if (supervision_is(launch->supervision, STATE_STOPPING) || clock_seconds() - looked_s < LOOK_S)
            continue;
        looked_s = clock_seconds();
        look_after(launch);
    }
    return EVENT_GONE;
}

/* ---- its end ---- */

static enum ending find_ending(struct launch *launch)
{
    const struct supervisor_options *options = launch->options;
    const struct run_state *run = &launch->sight->run;
    enum ending ending = ending_judge(run, launch->lives, launch->launcher.code);
    bool is_told = refusal_take(options->submission->path, &launch->refusal);
    bool was_good = sense_was_good(launch->sense, launch->lives);
    if (is_told)
        sense_hear(launch->sense, &launch->refusal);
    if (run->lives.count > launch->lives)
        submission_begun(options->submission, options->run);
    if (ending != ENDING_REFUSED && ending != ENDING_NOT_BEGUN)
        return ending;
    if (is_told)
        return ending_of_refusal(launch->refusal.kind, was_good);
    return was_good ? ENDING_NOT_BEGUN : ending; /* srun's "no such file", on a node that is not ready */
}

static void tell_ending(const struct launch *launch, enum ending ending)
{
    struct text words;
    text_init(&words);
    ending_tell(ending, &launch->sight->run, launch->options->command[0], launch->launcher.code, &words);
    log_info("supervise: the job %s", text_bytes(&words));
    text_release(&words);
}

enum supervision_event launch_judge(struct launch *launch, struct error *error)
{
    static const enum supervision_event events[] = {
        [ENDING_FINISHED] = EVENT_FINISHED, [ENDING_LEFT] = EVENT_SAVED,    [ENDING_PAUSED] = EVENT_PAUSED,
        [ENDING_FAILED] = EVENT_FAILED,     [ENDING_KILLED] = EVENT_KILLED, [ENDING_NOT_BEGUN] = EVENT_NOT_BEGUN,
        [ENDING_REFUSED] = EVENT_REFUSED,
    };
    sight_look(launch->sight);
    enum ending ending = find_ending(launch);
    enum supervision_event event = ending == ENDING_NOT_BEGUN ? not_begun(launch) : events[ending];
    if (ending != ENDING_NOT_BEGUN)
        sense_hear(launch->sense, NULL);
    tell_ending(launch, ending);
    if (ending != ENDING_FINISHED && tell_moved(launch))
        return EVENT_MOVED;
    if (ending == ENDING_REFUSED)
        error_set(error, ERROR_USAGE, "%s: it is not started any more",
                  launch->refusal.kind == ERROR_BUSY ? "another job has the run"
                                                     : "the job was refused, and would be again");
    return event;
}
