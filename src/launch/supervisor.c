#include "launch/supervisor.h"

#include "base/clock.h"
#include "base/directory.h"
#include "base/file.h"
#include "base/log.h"
#include "launch/again.h"
#include "launch/ending.h"
#include "launch/preparation.h"
#include "launch/process.h"
#include "launch/slurm.h"
#include "launch/telling.h"
#include "launch/watchmen.h"
#include "policy/deadline.h"
#include "run/environment.h"
#include "run/holder.h"
#include "run/refusal.h"
#include "run/run_files.h"
#include "run/run_state.h"

#include <limits.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOOK_S         2.0   /* between two looks at the run */
#define LAUNCH_FIRST_S 600.0 /* what a launch may take if nothing is known, */
#define LAUNCH_LEAST_S 30.0  /* and if a start is known: this, and ... */
#define LAUNCH_TIMES   20    /* ... so many times as long */
#define PAUSE_MOST_S   60.0  /* between two launches */
#define EXCUSED_MOST   30    /* launches while Slurm does not answer: half an hour */
#define KILL_S         5.0   /* from SIGTERM to SIGKILL, for a launcher that does not end by itself */

struct supervisor {
    const struct supervisor_options *options;
    char lock[PATH_MAX];        /* of the run directory: held while the job is at work, and hears signals */
    struct directory directory; /* the run directory, held since the job was seen at work there */
    struct slurm_job slurm;
    struct preparation preparation;
    struct process launcher;
    struct watchmen watchmen;
    struct telling telling;
    size_t launches;
    size_t lives;         /* of the run when the launcher was started */
    double launched_s;    /* when that was */
    bool was_at_work;     /* the lock was held since then */
    bool was_ever;        /* or in a launch before */
    double silent_s;      /* since when nobody has held it or written */
    off_t metrics_bytes;  /* as they were looked at last */
    size_t first;         /* life that counts: of this supervisor or, requeued, of its batch job. What was before that
                           * somebody may have mended */
    int never_begun;      /* launches in a row that have not come to a life, */
    int excused;          /* and how many of these while Slurm did not answer */
    int too_slow;         /* launches in a row that were ended before they had begun */
    struct error refusal; /* why the last launch has come to no life, if its ranks have told, */
    struct error told;    /* and the last that was told by any, or why none could be started */
    int asked;            /* the signal by which somebody wants the job to leave; 0: nobody does */
    double requeue_s;     /* when to ask for a requeue if the launcher is still there; 0: not asked for */
    struct run_state run; /* as it was looked at last */
};

/* Somebody has moved the run directory while the job was at work: what has become of it is to be seen where that is
 * now, and a start would not find it. */
static bool is_moved(const struct supervisor *supervisor)
{
    return directory_look(&supervisor->directory) == DIRECTORY_MOVED;
}

/* A run that cannot be looked at has not begun, or its disk is away: it stays as it was seen last. */
static void look(struct supervisor *supervisor)
{
    struct run_state now = {0};
    struct error error;
    char held[64];
    enum directory_state state = directory_look(&supervisor->directory);
    bool is_elsewhere = state == DIRECTORY_MOVED || state == DIRECTORY_AWAY;
    directory_name(&supervisor->directory, held);
    if (run_state_look(&now, is_elsewhere ? held : supervisor->options->run, &error)) {
        run_state_release(&supervisor->run);
        supervisor->run = now;
    } else {
        run_state_release(&now);
    }
}

/* Whether who has the lock is not of this job. */
static bool is_of_others(const struct supervisor *supervisor)
{
    return holder_is_other(supervisor->options->run, supervisor->options->submission->key);
}

/* Launches in a row from which the run has nothing. */
static int futile(const struct supervisor *supervisor)
{
    return (int)ending_futile(&supervisor->run, supervisor->first, false) + supervisor->never_begun;
}

/* Whether the last launch has met what passes: a disk that is not mounted yet or full now, a server that does not
 * know the user yet, or an earlier start that still has the lock. */
static bool lacks_something(const struct supervisor *supervisor)
{
    enum error_kind kind = supervisor->refusal.kind;
    return kind == ERROR_NOT_FOUND || kind == ERROR_DENIED || (kind == ERROR_FULL && supervisor->run.lives.count > 0) ||
           (kind != ERROR_NONE && file_is_locked(supervisor->lock) && !is_of_others(supervisor));
}

/* A controller that is away starts nothing on other nodes. */
static void count_not_begun(struct supervisor *supervisor)
{
    supervisor->never_begun++;
    slurm_look(&supervisor->slurm);
    if ((supervisor->slurm.is_unanswered || lacks_something(supervisor)) && supervisor->excused < EXCUSED_MOST)
        supervisor->excused++;
}

/* SIGUSR1 that announces the time limit and nothing else: the job knows that, and can use the time until then. */
static bool is_known_to_job(const struct supervisor *supervisor, int number)
{
    return number == SIGUSR1 && supervisor->preparation.tells_end && supervisor->was_at_work &&
           slurm_is_limit_near(&supervisor->slurm, clock_unix_exact());
}

/* If it is there; without it goes on, too. */
static void hold_directory(struct supervisor *supervisor)
{
    struct error error;
    if (supervisor->directory.handle < 0 && !directory_open(&supervisor->directory, supervisor->options->run, &error))
        directory_init(&supervisor->directory);
}

/* Whether the job is at its work now. */
static bool see_work(struct supervisor *supervisor)
{
    if (!file_is_locked(supervisor->lock) || is_of_others(supervisor))
        return false;
    enum directory_state state = directory_look(&supervisor->directory);
    if (state == DIRECTORY_GONE || (state == DIRECTORY_MOVED && !supervisor->was_at_work))
        directory_close(&supervisor->directory);
    hold_directory(supervisor);
    supervisor->was_at_work = supervisor->was_ever = true;
    supervisor->silent_s = clock_seconds();
    submission_begun(supervisor->options->submission, supervisor->options->run);
    return true;
}

/* Slurm does not say who needs the nodes; who is the first in line is the best guess. */
static void tell_for_whom(const struct supervisor *supervisor)
{
    char words[SLURM_TEXT];
    if (slurm_first_in_line(&supervisor->slurm, words))
        log_event("supervise: the first in line for nodes is %s", words);
}

static void pass_on(struct supervisor *supervisor, int number)
{
    static const struct {
        int from, to;
    } table[] = {{SIGUSR1, SIGUSR1}, {SIGUSR2, SIGUSR2}, {SIGTERM, SIGUSR2}, {SIGINT, SIGUSR2},
                 {SIGHUP, SIGUSR2},  {SIGXCPU, SIGUSR2}, {SIGPWR, SIGUSR2},  {SIGALRM, SIGALRM}};
    if (number == SIGINT && supervisor->asked == SIGINT) {
        process_signal(&supervisor->launcher, SIGTERM);
        return;
    }
    if (see_work(supervisor) && number == SIGUSR1) /* who is at work hears it, and what has changed before */
        telling_hurry(&supervisor->telling);
    if (is_known_to_job(supervisor, number)) {
        log_event(
            "supervise: SIGUSR1 announces the end of the job's time, in %.0f s, which it knows: it trains on while "
            "there is time for a save (SIGUSR2: leave now)",
            supervisor->slurm.end_unix - clock_unix_exact());
        return;
    }
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (table[i].from != number)
            continue;
        log_event("supervise: SIG%s is passed on as SIG%s", sigabbrev_np(number), sigabbrev_np(table[i].to));
        process_signal(&supervisor->launcher, table[i].to);
        if (number != SIGALRM)
            supervisor->asked = number;
        if (supervisor->slurm.is_preempted)
            tell_for_whom(supervisor);
        if (number == SIGTERM && supervisor->slurm.is_inside) /* it may be Slurm's */
            supervisor->requeue_s = clock_seconds() + slurm_requeue_delay(&supervisor->slurm);
    }
}

/* Waits for a signal or the end of the launcher; passes signals on. */
static void attend(struct supervisor *supervisor, double seconds)
{
    watchmen_keep(&supervisor->watchmen);
    int number = process_await(seconds);
    if (number != 0 && number != SIGCHLD)
        pass_on(supervisor, number);
}

/* A launcher that does not end by itself. */
static void end_launcher(struct supervisor *supervisor, const char *why)
{
    log_warn("supervise: %s: ending %s", why, supervisor->options->command[0]);
    process_signal(&supervisor->launcher, SIGTERM);
    for (double end_s = clock_seconds() + KILL_S; process_runs(&supervisor->launcher) && clock_seconds() < end_s;)
        attend(supervisor, 0.1);
    process_signal_group(&supervisor->launcher, SIGKILL);
    while (process_runs(&supervisor->launcher))
        attend(supervisor, 0.1);
}

/* The same nodes may need longer than they did, after an outage say. */
static double grown(const struct supervisor *supervisor, double limit_s)
{
    return fmin(ldexp(limit_s, supervisor->too_slow), fmax(limit_s, LAUNCH_FIRST_S));
}

/* srun may have to wait until Slurm notices that a node is lost. */
static double launch_limit(const struct supervisor *supervisor)
{
    const struct slurm_site *site = &supervisor->slurm.site;
    double start_s = lives_sum(&supervisor->run.lives).start_s;
    double noticed_s = supervisor->preparation.is_srun ? site->slurmd_timeout_s + site->kill_wait_s : 0;
    if (supervisor->options->launch_s >= 0)
        return grown(supervisor, supervisor->options->launch_s);
    return noticed_s + grown(supervisor, start_s > 0 ? LAUNCH_LEAST_S + LAUNCH_TIMES * start_s : LAUNCH_FIRST_S);
}

/* Metrics that grow tell of a job that is alive, whatever has become of its lock. (Not by their time: the disk's clock
 * may be another one.) */
static bool is_writing(struct supervisor *supervisor)
{
    char path[PATH_MAX];
    struct stat info;
    run_file_path(supervisor->options->run, RUN_METRICS, path);
    bool grows = stat(path, &info) == 0 && info.st_size != supervisor->metrics_bytes;
    if (grows)
        supervisor->metrics_bytes = info.st_size;
    return grows;
}

/* mpirun can hang in its own shutdown, and a launch can come to nothing. */
static void look_for_hang(struct supervisor *supervisor)
{
    const struct supervisor_options *options = supervisor->options;
    double now_s = clock_seconds();
    bool was_at_work = supervisor->was_at_work;
    if (see_work(supervisor)) {
        if (!was_at_work && supervisor->asked) /* ranks that were not there yet have not heard it */
            process_signal(&supervisor->launcher, SIGUSR2);
        return;
    }
    if (is_writing(supervisor) || access(supervisor->lock, F_OK) != 0)
        supervisor->silent_s = now_s;
    if (supervisor->was_at_work && now_s - supervisor->silent_s > options->shutdown_s) {
        end_launcher(supervisor, "the job is gone, but not its launcher");
        return;
    }
    if (supervisor->was_at_work)
        return;
    look(supervisor);
    bool has_begun = supervisor->run.lives.count > supervisor->lives;
    if (has_begun && ending_last_life(&supervisor->run)->ended) { /* faster than our looks */
        supervisor->was_at_work = true;
        supervisor->silent_s = now_s;
    }
    /* On a file system without locks it may have begun all the same. */
    double limit_s = launch_limit(supervisor);
    if (supervisor->asked && (limit_s == 0 || limit_s > options->shutdown_s)) /* nothing is lost: it has not begun */
        limit_s = options->shutdown_s;
    if (!has_begun && limit_s > 0 && now_s - supervisor->launched_s > limit_s) {
        char words[100];
        snprintf(words, sizeof words, "the job has not begun within %.3g s (--%s-timeout)", limit_s,
                 supervisor->asked ? "shutdown" : "launch");
        end_launcher(supervisor, words);
        supervisor->too_slow++;
    }
}

/* The first of the newest lives that belong to this batch job, also before a requeue. */
static size_t first_of_ours(const struct run_state *run)
{
    size_t first = run->lives.count;
    while (first > 0 && *run->lives.items[first - 1].job &&
           strcmp(run->lives.items[first - 1].job, environment_batch_job()) == 0)
        first--;
    return first;
}

/* Whether the last life is of this batch job. */
static bool is_ours(const struct supervisor *supervisor)
{
    return first_of_ours(&supervisor->run) < supervisor->run.lives.count;
}

/* The error says what was tried. False. */
static bool give_up(const struct supervisor *supervisor, int launches, struct error *error)
{
    const struct life *life = ending_last_life(&supervisor->run);
    if (supervisor->never_begun > 0 || !life)
        return error_set(error, ERROR_STATE,
                         "%d launches in a row without a newer checkpoint (--restarts), the last: the job has not "
                         "begun%s%s",
                         launches, *supervisor->told.text ? ": " : ". What its launcher says stands above",
                         supervisor->told.text);
    return error_set(error, ERROR_STATE,
                     "%d launches in a row without a newer checkpoint (--restarts), the last: %s. If it comes to none "
                     "before it is killed, checkpoint.every: auto may help",
                     launches, life->end);
}

/* False: it would come to nothing again, as a time limit does that is over before the first save, and the error says
 * so. (Preemptions come as they like.) */
static bool may_come_back(const struct supervisor *supervisor, struct error *error)
{
    int launches = (int)ending_futile(&supervisor->run, supervisor->first, true);
    return supervisor->slurm.is_preempted || launches < supervisor->options->restarts ||
           give_up(supervisor, launches, error);
}

/* When its time is over Slurm sends SIGTERM, and kills all that is still there KillWait later, this process as well. */
static void requeue_in_time(struct supervisor *supervisor)
{
    struct error error;
    if (supervisor->requeue_s == 0 || clock_seconds() < supervisor->requeue_s)
        return;
    supervisor->requeue_s = 0;
    look(supervisor);
    if (ending_judge(&supervisor->run, supervisor->lives, 0) == ENDING_FINISHED)
        return;
    if (!may_come_back(supervisor, &error))
        log_warn("supervise: not requeued: %s", error.text);
    else
        slurm_requeue_at_once(&supervisor->slurm);
}

/* Whether the batch job comes back: as its system tells, or as the kept job shows. */
static bool was_requeued(const struct supervisor *supervisor)
{
    return environment_restarts() > 0 || supervisor->options->submission->is_kept;
}

/* Whether the request was good once: else the batch job would not have been requeued. */
static bool has_worked(const struct supervisor *supervisor)
{
    return supervisor->was_ever || supervisor->lives > supervisor->first || was_requeued(supervisor);
}

/* What the launch that is over has come to. */
static enum ending judge(struct supervisor *supervisor)
{
    const struct supervisor_options *options = supervisor->options;
    enum ending ending = ending_judge(&supervisor->run, supervisor->lives, supervisor->launcher.code);
    bool is_told = refusal_take(options->submission->path, &supervisor->refusal);
    if (is_told)
        supervisor->told = supervisor->refusal;
    if (supervisor->run.lives.count > supervisor->lives)
        submission_begun(options->submission, options->run);
    if (ending != ENDING_REFUSED && ending != ENDING_NOT_BEGUN)
        return ending;
    if (is_told)
        return ending_of_refusal(supervisor->refusal.kind, has_worked(supervisor));
    /* srun's "no such file", on a node that is not ready */
    return has_worked(supervisor) ? ENDING_NOT_BEGUN : ending;
}

static enum ending watch(struct supervisor *supervisor)
{
    double looked_s = clock_seconds();
    while (process_runs(&supervisor->launcher)) {
        double wait_s = supervisor->requeue_s > 0 ? supervisor->requeue_s - clock_seconds() : LOOK_S;
        attend(supervisor, fmin(LOOK_S, fmax(wait_s, 0)));
        requeue_in_time(supervisor);
        if (supervisor->was_at_work && !supervisor->asked)
            telling_keep(&supervisor->telling);
        if (clock_seconds() - looked_s < LOOK_S)
            continue;
        looked_s = clock_seconds();
        look_for_hang(supervisor);
    }
    look(supervisor);
    enum ending ending = judge(supervisor);
    if (ending == ENDING_NOT_BEGUN)
        count_not_begun(supervisor);
    else
        supervisor->never_begun = supervisor->excused = supervisor->too_slow = 0;
    if (supervisor->never_begun == 0)
        error_clear(&supervisor->told);
    return ending;
}

/* Whether there is time for one more start, a step and a save. One is made in any case. */
static bool has_time(const struct supervisor *supervisor)
{
    struct lives_total total = lives_sum(&supervisor->run.lives);
    double left_s = supervisor->slurm.end_unix - clock_unix_exact();
    return supervisor->launches == 0 || supervisor->slurm.end_unix == 0 ||
           left_s > total.start_s + deadline_reserve(total.write_s);
}

/* How often the batch job was requeued since it has last come to a life: one whose start takes longer than the time
 * that it is given would go round for ever. */
static uint64_t vain_requeues(const struct supervisor *supervisor)
{
    return environment_restarts() - (is_ours(supervisor) ? ending_last_life(&supervisor->run)->restart : 0);
}

static enum supervisor_outcome leave(struct supervisor *supervisor, struct error *error)
{
    if (!supervisor->slurm.is_inside)
        return SUPERVISOR_LEFT;
    if (!may_come_back(supervisor, error))
        return SUPERVISOR_GAVE_UP;
    if (supervisor->never_begun > 0 && vain_requeues(supervisor) >= (uint64_t)supervisor->options->restarts) {
        error_set(
            error, ERROR_STATE,
            "requeued %d times (--restarts), and the job has never begun its work: it needs more time for a start",
            (int)vain_requeues(supervisor));
        return SUPERVISOR_GAVE_UP;
    }
    struct error refused;
    if (!slurm_requeue(&supervisor->slurm, &refused))
        log_warn("supervise: not requeued: %s", refused.text);
    return SUPERVISOR_LEFT;
}

/* False: there is no sense in going on, and the error says why. */
static bool may_go_on(const struct supervisor *supervisor, struct error *error)
{
    const struct life *life = ending_last_life(&supervisor->run);
    int launches = futile(supervisor) - supervisor->excused;
    if (ending_repeats(&supervisor->run, supervisor->first))
        return error_set(error, ERROR_STATE, "the same failure twice, and no newer checkpoint: %s", life->end);
    return launches < supervisor->options->restarts || give_up(supervisor, launches, error);
}

/* Time for what has hit the job to pass, unless somebody wants to leave meanwhile. */
static void pause_before_next(struct supervisor *supervisor)
{
    int launches = futile(supervisor);
    double pause_s = launches == 0 ? 0 : fmin(PAUSE_MOST_S, ldexp(1, launches - 1));
    if (pause_s > 0)
        log_event("supervise: starting it again in %g s", pause_s);
    for (double end_s = clock_seconds() + pause_s; !supervisor->asked && clock_seconds() < end_s;)
        attend(supervisor, end_s - clock_seconds());
}

/* Somebody may have deleted what the ranks read. Not where the run directory is another one now, or its disk away:
 * nothing is made there. */
static void keep_submission(struct supervisor *supervisor)
{
    const struct supervisor_options *options = supervisor->options;
    enum directory_state state = directory_look(&supervisor->directory);
    if (state == DIRECTORY_GONE || (state == DIRECTORY_HERE && access(options->run, F_OK) == 0))
        submission_renew(options->submission, options->asked, options->job);
}

static bool start_launcher(struct supervisor *supervisor, struct error *error)
{
    struct words command;
    const struct supervisor_options *options = supervisor->options;
    if (supervisor->launches > 0) {
        keep_submission(supervisor);
        submission_tell_edit(options->submission, options->asked);
    }
    if (supervisor->too_slow > 0 && launch_limit(supervisor) > 0)
        log_event("supervise: this launch may take %.3g s", launch_limit(supervisor));
    refusal_reserve(options->submission->path);
    error_clear(&supervisor->refusal);
    preparation_make(&supervisor->preparation, supervisor->launches++ > 0, &command);
    supervisor->launched_s = supervisor->silent_s = clock_seconds();
    telling_begin(&supervisor->telling);
    bool ok = process_start(&supervisor->launcher, command.items, error);
    watchmen_move(&supervisor->watchmen);
    words_release(&command);
    return ok;
}

/* Ranks can outlive their launcher (if both processes of srun are killed), and hold the run: they are asked to save and
 * leave, and waited for while they are at work. */
static void see_off_ranks(struct supervisor *supervisor)
{
    const struct life *life = ending_last_life(&supervisor->run);
    double save_s = lives_sum(&supervisor->run.lives).write_s, quiet_s = clock_seconds();
    bool is_batch = supervisor->slurm.batch_flag > 0; /* not salloc, whose shell would hear it as well */
    int asked = -1;
    if (supervisor->launches == 0 || !is_ours(supervisor) || life->ended || !file_is_locked(supervisor->lock))
        return;
    log_event("supervise: the launcher is gone, but its ranks are at work: waiting until they have left");
    while (file_is_locked(supervisor->lock) &&
           clock_seconds() - quiet_s < supervisor->options->shutdown_s + deadline_reserve(save_s)) {
        if (supervisor->preparation.is_srun && is_batch && asked != supervisor->asked)
            slurm_signal_ranks(&supervisor->slurm, "USR2");
        asked = supervisor->asked;
        attend(supervisor, 0.2);
        if (is_writing(supervisor))
            quiet_s = clock_seconds();
    }
}

/* Starts the launcher and waits for its end. False: it cannot be started. */
static bool launch(struct supervisor *supervisor, enum ending *ending, struct error *error)
{
    supervisor->lives = supervisor->run.lives.count;
    supervisor->was_at_work = false;
    if (!start_launcher(supervisor, error)) {
        if (!has_worked(supervisor))
            return false;
        log_warn("supervise: %s", error->text); /* its disk may be away for a while */
        supervisor->told = *error;
        *ending = ENDING_NOT_BEGUN;
        count_not_begun(supervisor);
        return true;
    }
    *ending = watch(supervisor);
    struct text words;
    text_init(&words);
    ending_tell(*ending, &supervisor->run, supervisor->options->command[0], supervisor->launcher.code, &words);
    log_event("supervise: the job %s", text_bytes(&words));
    text_release(&words);
    return true;
}

static enum supervisor_outcome run(struct supervisor *supervisor, struct error *error)
{
    for (;;) {
        enum ending ending;
        see_off_ranks(supervisor);
        slurm_look(&supervisor->slurm);
        look(supervisor);
        if (supervisor->launches > 0 && !supervisor->slurm.is_preempted && !may_go_on(supervisor, error))
            return SUPERVISOR_GAVE_UP;
        if (supervisor->asked || slurm_is_ending(&supervisor->slurm) || !has_time(supervisor))
            return leave(supervisor, error);
        if (!launch(supervisor, &ending, error))
            return SUPERVISOR_REFUSED;
        if (ending != ENDING_FINISHED && is_moved(supervisor)) {
            char where[PATH_MAX];
            directory_where(&supervisor->directory, where);
            log_warn(
                "supervise: %s was moved to %s: a start would begin at step 0, so the job is not started again, nor "
                "requeued; move it back, or let run: lead there",
                supervisor->options->run, where);
            return SUPERVISOR_LEFT;
        }
        switch (ending) {
        case ENDING_FINISHED:
            return SUPERVISOR_FINISHED;
        case ENDING_LEFT:
            return leave(supervisor, error);
        case ENDING_PAUSED: /* on purpose: somebody will start it again */
            return SUPERVISOR_LEFT;
        case ENDING_REFUSED:
            error_set(error, ERROR_USAGE, "%s: it is not started any more",
                      supervisor->refusal.kind == ERROR_BUSY ? "another job has the run"
                                                             : "the job was refused, and would be again");
            return SUPERVISOR_REFUSED;
        case ENDING_FAILED:
        case ENDING_KILLED:
        case ENDING_NOT_BEGUN:
            break;
        }
        slurm_look(&supervisor->slurm);
        if (!supervisor->asked && !slurm_is_ending(&supervisor->slurm) && may_go_on(supervisor, error))
            pause_before_next(supervisor);
    }
}

/* The kept job, if nobody comes back to it: outside of a batch system this process is all that knows its name. */
static void forget(const struct supervisor *supervisor, enum supervisor_outcome outcome)
{
    struct submission *submission = supervisor->options->submission;
    if (!submission->is_batch || outcome == SUPERVISOR_FINISHED || outcome == SUPERVISOR_REFUSED)
        submission_forget(submission);
}

/* Behind the reason why it was given up. */
static void tell_again(const struct supervisor *supervisor, struct error *error)
{
    struct text words;
    text_init(&words);
    again_append(&supervisor->slurm, supervisor->options->command, &words);
    error_set(error, error->kind, "%s; %s", error->text, text_bytes(&words));
    text_release(&words);
}

enum supervisor_outcome supervisor_run(const struct supervisor_options *options, struct error *error)
{
    struct supervisor supervisor = {.options = options};
    directory_init(&supervisor.directory);
    hold_directory(&supervisor); /* it may be moved sooner than the first look */
    run_file_path(options->run, RUN_LOCK, supervisor.lock);
    preparation_init(&supervisor.preparation, &supervisor.slurm, options->command, options->ranks_most);
    process_take_signals();
    slurm_look(&supervisor.slurm);
    watchmen_init(&supervisor.watchmen, &supervisor.slurm);
    supervisor.telling = (struct telling){
        .run = options->run, .job = &supervisor.slurm, .preparation = &supervisor.preparation};
    look(&supervisor);
    supervisor.first = was_requeued(&supervisor) ? first_of_ours(&supervisor.run) : supervisor.run.lives.count;
    enum supervisor_outcome outcome = run(&supervisor, error);
    if (outcome == SUPERVISOR_GAVE_UP)
        tell_again(&supervisor, error);
    forget(&supervisor, outcome);
    watchmen_release(&supervisor.watchmen);
    run_state_release(&supervisor.run);
    directory_close(&supervisor.directory);
    return outcome;
}
