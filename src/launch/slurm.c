#include "launch/slurm.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/number.h"
#include "launch/process.h"
#include "run/environment.h"

#include <limits.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ASK_S       20.0 /* a controller that is busy answers slowly */
#define ASK_AGAIN_S 3.0  /* of what is known well enough */
#define GONE_S      60.0 /* until a requeued job's processes are ended */
#define TRIES       10   /* to have it requeued, if Slurm says no, and ... */
#define AWAY_S      1800 /* ... while the controller does not answer: an upgrade takes minutes */
#define PAUSE_S     5.0  /* between two of them */
#define REQUEUE_S   4.0  /* the launcher's end and scontrol, while there is still a job to requeue */
#define ROUNDED_S   2.0  /* scontrol tells whole seconds */
#define LEAD_S      60.0 /* --signal=USR1 alone */
#define EARLY_S     65.0 /* what Slurm may be early with it, and some seconds */
#define MOST_WORDS  8
#define NUMBER_MOST 1e11 /* of seconds since 1970, too: the year 5138 */

static bool ask(const char *const *words, double limit_s, struct text *answer)
{
    const char *all[MOST_WORDS + 3] = {"env", "SLURM_TIME_FORMAT=%s", "scontrol"};
    for (size_t i = 0; words[i] && i + 4 < sizeof all / sizeof *all; i++)
        all[3 + i] = words[i];
    return process_ask((char *const *)all, limit_s, answer) == 0; /* exec does not write there */
}

bool slurm_ask(const char *const *words, struct text *answer)
{
    return ask(words, ASK_S, answer);
}

const char *slurm_find(const char *text, const char *key, size_t *length)
{
    for (const char *at = text; (at = strstr(at, key)) != NULL; at += strlen(key)) {
        bool begins = at == text || at[-1] == ' ' || at[-1] == '\n';
        const char *from = at + strlen(key);
        from += strspn(from, " ");
        if (!begins || *from != '=')
            continue;
        from += 1 + strspn(from + 1, " ");
        *length = strcspn(from, " \n");
        return *length > 0 && strncmp(from, "(null)", 6) != 0 ? from : NULL;
    }
    return NULL;
}

bool slurm_value(const char *text, const char *key, char value[SLURM_TEXT])
{
    size_t length = 0;
    const char *from = slurm_find(text, key, &length);
    snprintf(value, SLURM_TEXT, "%.*s", from ? (int)length : 0, from ? from : "");
    return from != NULL;
}

/* What is no number, or none that a time or a count of Slurm can be, is 0: not known. */
static double number_of(const char *text, const char *key)
{
    char value[SLURM_TEXT];
    double number = slurm_value(text, key, value) ? strtod(value, NULL) : 0;
    return number > 0 && number <= NUMBER_MOST ? number : 0;
}

static unsigned count_of(const char *text, const char *key)
{
    return (unsigned)number_bounded(number_of(text, key), UINT_MAX);
}

void slurm_read_signal(const char *script, char signal[SLURM_TEXT])
{
    static const char option[] = "--signal";
    *signal = '\0';
    for (const char *line = script; *line == '#' || *line == '\n';) {
        size_t length = strcspn(line, "\n");
        const char *found = strncmp(line, "#SBATCH", 7) == 0 ? memmem(line, length, option, strlen(option)) : NULL;
        const char *value = found ? found + strlen(option) : NULL;
        if (value && *value != '\0' && strchr("= \t", *value)) {
            value += 1 + strspn(value + 1, " \t");
            snprintf(signal, SLURM_TEXT, "%.*s", (int)strcspn(value, " \t\n#"), value);
        }
        line += length + (line[length] == '\n');
    }
}

/* From the script as Slurm has kept it: options of the sbatch command line are not known. */
static void find_signal(struct slurm_job *job, double limit_s)
{
    struct text script;
    text_init(&script);
    if (ask((const char *[]){"write", "batch_script", job->id, "-", NULL}, limit_s, &script))
        slurm_read_signal(text_bytes(&script), job->site.signal);
    text_release(&script);
}

void slurm_read_partition(const char *text, struct slurm_site *site)
{
    char mode[SLURM_TEXT];
    site->grace_s = number_of(text, "GraceTime");
    if (slurm_value(text, "PreemptMode", mode) && strcmp(mode, "OFF") != 0)
        site->preemption = strstr(mode, "SUSPEND")        ? SLURM_SUSPENDED
                           : strcmp(mode, "REQUEUE") == 0 ? SLURM_REQUEUED
                                                          : SLURM_CANCELLED;
}

void slurm_read_config(const char *text, struct slurm_site *site)
{
    char type[SLURM_TEXT];
    site->kill_wait_s = number_of(text, "KillWait");
    site->slurmd_timeout_s = number_of(text, "SlurmdTimeout");
    site->port = count_of(text, "SlurmdPort");
    site->version = number_of(text, "SLURM_VERSION");
    /* SlurmctldParameters=preempt_send_user_signal, or PreemptParameters=send_user_signal in newer ones. */
    site->warns = strstr(text, "send_user_signal") != NULL;
    if (slurm_value(text, "PreemptType", type) && strcmp(type, "preempt/none") == 0)
        site->preemption = SLURM_NOT_PREEMPTED;
    site->is_by_qos = site->preemption != SLURM_NOT_PREEMPTED && strcmp(type, "preempt/qos") == 0;
    if (site->preemption == SLURM_REQUEUED && site->grace_s > 0 && strcmp(type, "preempt/partition_prio") == 0 &&
        site->version >= 24.05)
        site->requeues_most = count_of(text, "MaxBatchRequeue");
}

/* False: not all is answered. */
static bool look_at_site(struct slurm_job *job, double limit_s)
{
    struct text partition, config;
    text_init(&partition);
    text_init(&config);
    bool has_partition = ask((const char *[]){"show", "partition", "-o", job->partition, NULL}, limit_s, &partition);
    bool has_config = ask((const char *[]){"show", "config", NULL}, limit_s, &config);
    if (has_partition)
        slurm_read_partition(text_bytes(&partition), &job->site);
    if (has_config)
        slurm_read_config(text_bytes(&config), &job->site);
    if (*job->id)
        find_signal(job, limit_s);
    text_release(&partition);
    text_release(&config);
    return has_partition && has_config;
}

void slurm_look_at_site(struct slurm_job *job)
{
    (void)look_at_site(job, ASK_S);
}

/* What scontrol says of a controller that is busy or away; nothing, if it was ended before it had given up. */
static bool is_silence(const char *answer)
{
    return !*answer || strstr(answer, "nable to contact") || strstr(answer, "timed out");
}

void slurm_read_job(const char *text, struct slurm_job *job)
{
    char value[SLURM_TEXT];
    slurm_value(text, "JobState", job->state);
    slurm_value(text, "Reason", job->reason);
    slurm_value(text, "Partition", job->partition);
    job->may_requeue = number_of(text, "Requeue") > 0;
    job->is_preempted = slurm_value(text, "PreemptTime", value) && strcmp(value, "None") != 0;
    job->restarts = count_of(text, "Restarts");
    job->batch_flag = count_of(text, "BatchFlag");
    job->end_unix = number_of(text, "EndTime");
    job->preempted_unix = job->is_preempted ? number_of(text, "PreemptTime") : 0;
}

static void look(struct slurm_job *job, double limit_s)
{
    const struct slurm_job before = *job;
    struct text answer;
    snprintf(job->id, sizeof job->id, "%s", getenv("SLURM_JOB_ID") ? environment_batch_job() : "");
    job->is_inside = *job->id != '\0';
    job->is_known = job->is_unanswered = false;
    if (!job->is_inside)
        return;
    text_init(&answer);
    job->is_known = ask((const char *[]){"show", "job", "-o", job->id, NULL}, limit_s, &answer);
    if (job->is_known) {
        slurm_read_job(text_bytes(&answer), job);
        bool is_other = strcmp(before.partition, job->partition) != 0;
        struct slurm_job anew = *job;
        anew.site = (struct slurm_site){0};
        if ((is_other || !before.is_known) && (look_at_site(&anew, limit_s) || is_other))
            job->site = anew.site;
    }
    job->is_unanswered = !job->is_known && is_silence(text_bytes(&answer));
    text_release(&answer);
}

void slurm_look(struct slurm_job *job)
{
    look(job, ASK_S);
}

void slurm_look_again(struct slurm_job *job, bool with_site)
{
    struct slurm_job now = *job, anew;
    look(&now, ASK_AGAIN_S);
    if (!now.is_known)
        return;
    anew = now;
    anew.site = (struct slurm_site){0};
    if (with_site && look_at_site(&anew, ASK_AGAIN_S))
        now = anew;
    *job = now;
}

double slurm_margin_s(const struct slurm_job *job)
{
    return job->is_preempted && job->site.preemption == SLURM_CANCELLED ? REQUEUE_S : 0;
}

bool slurm_is_limit_near(const struct slurm_job *job, double now_unix)
{
    const char *lead = strchr(job->site.signal, '@');
    double lead_s = lead ? strtod(lead + 1, NULL) : LEAD_S;
    return job->is_known && !job->is_preempted && *job->site.signal && job->end_unix > 0 &&
           job->end_unix - now_unix < lead_s + EARLY_S;
}

/* Its processes are being ended. */
static bool is_over(const struct slurm_job *job)
{
    static const char *const states[] = {"COMPLETING", "COMPLETED",     "CANCELLED", "FAILED",
                                         "TIMEOUT",    "PREEMPTED",     "NODE_FAIL", "BOOT_FAIL",
                                         "DEADLINE",   "OUT_OF_MEMORY", "REVOKED"};
    for (size_t i = 0; i < sizeof states / sizeof *states; i++)
        if (strcmp(job->state, states[i]) == 0)
            return true;
    return false;
}

bool slurm_is_ending(const struct slurm_job *job)
{
    return job->is_known && (job->is_preempted || is_over(job));
}

double slurm_warning_s(const struct slurm_job *job, bool by_srun)
{
    const struct slurm_site *site = &job->site;
    if (!job->is_known || site->preemption < SLURM_REQUEUED || site->is_by_qos)
        return NAN;
    if (site->warns && strstr(site->signal, "B:") && site->grace_s > 0)
        return site->preemption == SLURM_REQUEUED ? site->grace_s : fmax(0, site->grace_s - REQUEUE_S);
    return by_srun ? site->grace_s + site->kill_wait_s : 0; /* on other nodes mpirun's daemons may go first */
}

bool slurm_is_out_of_time(const struct slurm_job *job)
{
    /* A job that is cancelled when its grace is over gets a new PreemptTime. */
    double grace_s = job->end_unix - job->preempted_unix;
    return strcmp(job->reason, "TimeLimit") == 0 ||
           (job->preempted_unix > 0 && (grace_s == 0 || grace_s >= job->site.grace_s - ROUNDED_S));
}

bool slurm_is_requeued_at_end(const struct slurm_job *job)
{
    return job->is_preempted && job->may_requeue && job->batch_flag > 0 &&
           job->batch_flag + 1 < job->site.requeues_most;
}

enum attempt {
    ATTEMPT_DONE,       /* Slurm will end this process */
    ATTEMPT_NEEDLESS,   /* Slurm requeues it by itself */
    ATTEMPT_FORBIDDEN,  /* for good */
    ATTEMPT_REFUSED,    /* perhaps not the next time */
    ATTEMPT_UNANSWERED, /* the controller is busy, or away */
};

/* The error says why, if it was not done and will not be. */
static enum attempt try_to_requeue(struct slurm_job *job, struct error *error)
{
    slurm_look(job);
    if (!job->is_known) {
        error_set(error, ERROR_IO, "scontrol does not tell about job %s; by hand: scontrol requeue %s", job->id,
                  job->id);
        return job->is_unanswered ? ATTEMPT_UNANSWERED : ATTEMPT_REFUSED;
    }
    if (job->restarts > environment_restarts()) {
        log_info("supervise: Slurm requeues job %s by itself", job->id);
        return ATTEMPT_NEEDLESS;
    }
    if (is_over(job) && !slurm_is_out_of_time(job)) {
        error_set(error, ERROR_BUSY, "somebody has cancelled job %s", job->id);
        return ATTEMPT_FORBIDDEN;
    }
    if (job->batch_flag == 0) {
        error_set(error, ERROR_USAGE, "job %s is not a batch job: start it again by hand", job->id);
        return ATTEMPT_FORBIDDEN;
    }
    if (!job->may_requeue) {
        error_set(error, ERROR_USAGE,
                  "job %s may not be (sbatch --no-requeue, or the site's JobRequeue=0): submit it again with --requeue",
                  job->id);
        return ATTEMPT_FORBIDDEN;
    }
    if (slurm_is_requeued_at_end(job)) {
        log_info("supervise: job %s is being preempted: Slurm requeues it when it has ended", job->id);
        return ATTEMPT_NEEDLESS;
    }
    struct text answer;
    text_init(&answer);
    bool ok = slurm_ask((const char *[]){"requeue", job->id, NULL}, &answer) ||
              error_set(error, ERROR_IO, "scontrol requeue %s: %s", job->id, text_bytes(&answer));
    text_release(&answer);
    if (ok)
        log_info("supervise: job %s is requeued", job->id);
    return ok ? ATTEMPT_DONE : ATTEMPT_REFUSED;
}

/* Between two tries; the ends of tools that were asked do not end it. False: Ctrl-C does. */
static bool pause_before_try(void)
{
    for (double end_s = clock_seconds() + PAUSE_S; clock_seconds() < end_s;)
        if (process_await(end_s - clock_seconds()) == SIGINT)
            return false;
    return true;
}

bool slurm_requeue(struct slurm_job *job, struct error *error)
{
    double give_up_s = clock_seconds() + AWAY_S;
    enum attempt attempt = try_to_requeue(job, error);
    if (attempt == ATTEMPT_UNANSWERED)
        log_warn("supervise: Slurm does not answer: trying for up to %d min to have job %s requeued", AWAY_S / 60,
                 job->id);
    for (int refused = 0; attempt >= ATTEMPT_REFUSED; attempt = try_to_requeue(job, error)) {
        refused += attempt == ATTEMPT_REFUSED;
        if (refused == TRIES || clock_seconds() > give_up_s || !pause_before_try())
            break;
    }
    for (int i = 0; attempt == ATTEMPT_DONE && i < GONE_S; i++)
        if (process_await(1) == SIGTERM)
            break;
    return attempt <= ATTEMPT_NEEDLESS;
}

double slurm_requeue_delay(const struct slurm_job *job)
{
    return fmax(0, job->site.kill_wait_s - REQUEUE_S);
}

void slurm_requeue_at_once(struct slurm_job *job)
{
    struct error error;
    slurm_look(job);
    if (job->is_known && is_over(job) && slurm_is_out_of_time(job) && try_to_requeue(job, &error) > ATTEMPT_NEEDLESS)
        log_warn("supervise: not requeued: %s", error.text);
}

bool slurm_first_in_line(const struct slurm_job *job, char words[SLURM_TEXT])
{
    static const char *const all[] = {
        "squeue", "--noheader", "--states=PENDING", "--sort=-p,i", "--format=%P job %i of %u, partition %P", NULL};
    struct text answer;
    size_t length = strlen(job->partition);
    *words = '\0';
    text_init(&answer);
    if (process_ask((char *const *)all, ASK_AGAIN_S, &answer) == 0) /* exec does not write there */
        for (const char *line = text_bytes(&answer); *line && !*words;) {
            const char *space = strchr(line, ' ');
            bool is_own = strncmp(line, job->partition, length) == 0 && line[length] == ' ';
            if (space && !is_own)
                snprintf(words, SLURM_TEXT, "%.*s", (int)strcspn(space + 1, "\n"), space + 1);
            line += strcspn(line, "\n");
            line += *line == '\n';
        }
    text_release(&answer);
    return *words != '\0';
}

/* option: "": to the end with it. */
static void cancel(const struct slurm_job *job, const char *option)
{
    struct text answer;
    text_init(&answer);
    const char *const words[] = {"scancel", *option ? option : job->id, *option ? job->id : NULL, NULL};
    if (process_ask((char *const *)words, ASK_S, &answer) != 0) /* exec does not write there */
        log_warn("supervise: scancel %s %s: %s", option, job->id, text_bytes(&answer));
    text_release(&answer);
}

void slurm_signal_ranks(const struct slurm_job *job, const char *signal)
{
    struct text option;
    text_init(&option);
    text_append(&option, "--signal=%s", signal);
    cancel(job, text_bytes(&option));
    text_release(&option);
}

void slurm_cancel(const struct slurm_job *job)
{
    cancel(job, "");
}
