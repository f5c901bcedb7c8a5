/* The signals that come while a launch goes on, or between two, and what is done on the spot. */
#include "launch/launch.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "launch/ending.h"

#include <signal.h>
#include <string.h>

#define KILL_S 5.0 /* from SIGTERM to SIGKILL, for a launcher that does not end by itself */

struct meaning {
    int from, to;
    enum supervision_event event;
};

static const struct meaning meanings[] = {
    {SIGUSR1, SIGUSR1, EVENT_ASKED}, {SIGUSR2, SIGUSR2, EVENT_ASKED}, {SIGTERM, SIGUSR2, EVENT_ASKED},
    {SIGINT, SIGUSR2, EVENT_ASKED},  {SIGHUP, SIGUSR2, EVENT_ASKED},  {SIGXCPU, SIGUSR2, EVENT_ASKED},
    {SIGPWR, SIGUSR2, EVENT_ASKED},  {SIGALRM, SIGALRM, EVENT_SAVE},
};

/* NULL: it has none. */
static const struct meaning *meaning_of(int number)
{
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++)
        if (meanings[i].from == number)
            return &meanings[i];
    return NULL;
}

/* ---- on the spot ---- */

static void do_nothing(struct launch *launch)
{
    (void)launch;
}

/* Slurm does not say who needs the nodes; who is the first in line is the best guess. */
static void tell_for_whom(const struct launch *launch)
{
    char words[SLURM_TEXT];
    if (slurm_first_in_line(launch->slurm, words))
        log_info("supervise: the first in line for nodes is %s", words);
}

static void pass_on(struct launch *launch)
{
    int to = meaning_of(launch->heard)->to;
    log_info("supervise: SIG%s is passed on as SIG%s", sigabbrev_np(launch->heard), sigabbrev_np(to));
    process_signal(&launch->launcher, to);
    if (launch->slurm->is_preempted)
        tell_for_whom(launch);
    if (launch->heard == SIGTERM && launch->slurm->is_inside) /* it may be Slurm's */
        launch->last_call_s = clock_seconds() + slurm_requeue_delay(launch->slurm);
}

static void ask_again(struct launch *launch)
{
    process_signal(&launch->launcher, SIGUSR2);
}

static void explain(struct launch *launch)
{
    log_info("supervise: SIGUSR1 announces the end of the job's time, in %.0f s, which it knows: it trains on while "
             "there is time for a save (SIGUSR2: leave now)",
             launch->slurm->end_unix - clock_unix_exact());
}

static void terminate(struct launch *launch)
{
    process_signal(&launch->launcher, SIGTERM);
}

static void stop(struct launch *launch)
{
    process_signal(&launch->launcher, SIGTERM);
    launch->kill_s = clock_seconds() + KILL_S;
}

static void kill_all(struct launch *launch)
{
    process_signal_group(&launch->launcher, SIGKILL);
}

static void requeue_soon(struct launch *launch)
{
    struct error error;
    sight_look(launch->sight);
    if (ending_judge(&launch->sight->run, launch->lives, 0) == ENDING_FINISHED)
        return;
    if (!sense_comes_back(launch->sense, launch->slurm->is_preempted, &error))
        log_warn("supervise: not requeued: %s", error.text);
    else
        slurm_requeue_at_once(launch->slurm);
}

void launch_happens(struct launch *launch, enum supervision_event event)
{
    static void (*const actions[ACTION_COUNT])(struct launch *) = {
        [ACTION_NONE] = do_nothing, [ACTION_PASS_ON] = pass_on,           [ACTION_ASK_AGAIN] = ask_again,
        [ACTION_EXPLAIN] = explain, [ACTION_TERMINATE] = terminate,       [ACTION_STOP] = stop,
        [ACTION_KILL] = kill_all,   [ACTION_REQUEUE_SOON] = requeue_soon,
    };
    enum supervision_action action = supervision_step(launch->supervision, event);
    CHECK(actions[action], "this is done on the spot");
    actions[action](launch);
}

/* ---- what is heard ---- */

bool launch_find_work(struct launch *launch)
{
    bool found = sight_find_work(launch->sight, supervision_has_worked(launch->supervision));
    if (found)
        launch_happens(launch, EVENT_AT_WORK);
    return found;
}

/* SIGUSR1 that announces the time limit and nothing else: the job knows that, and can use the time until then. */
static bool is_known_to_job(const struct launch *launch)
{
    return launch->heard == SIGUSR1 && launch->preparation.tells_end && supervision_has_worked(launch->supervision) &&
           slurm_is_limit_near(launch->slurm, clock_unix_exact());
}

/* What it means now. Who is at work hears SIGUSR1 as well, and before that what has changed of its end. */
static enum supervision_event understand(struct launch *launch, const struct meaning *meaning)
{
    if (meaning->from == SIGINT && launch->asked == SIGINT)
        return EVENT_INSISTED;
    if (launch_find_work(launch) && meaning->from == SIGUSR1)
        telling_hurry(&launch->telling);
    return is_known_to_job(launch) ? EVENT_LIMIT : meaning->event;
}

static void hear(struct launch *launch, int number)
{
    const struct meaning *meaning = meaning_of(number);
    if (!meaning)
        return;
    launch->heard = number;
    enum supervision_event event = understand(launch, meaning);
    if (event == EVENT_ASKED)
        launch->asked = number;
    launch_happens(launch, event);
}

void launch_attend(struct launch *launch, double seconds)
{
    watchmen_keep(&launch->watchmen);
    int number = process_await(seconds);
    if (number != 0 && number != SIGCHLD)
        hear(launch, number);
}
