#include "launch/slurm.h"

#include "base/log.h"
#include "launch/process.h"
#include "train/environment.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ASK_S      20.0 /* a controller that is busy answers slowly */
#define GONE_S     60.0 /* until a requeued job's processes are ended */
#define MPIRUN_S   1.0  /* what mpirun leaves its ranks when everything gets SIGTERM */
#define MOST_WORDS 8

bool slurm_ask(char *const *words, struct text *answer)
{
    char *all[MOST_WORDS + 3] = {(char *)"env", (char *)"SLURM_TIME_FORMAT=%s", (char *)"scontrol"};
    for (size_t i = 0; words[i] && i + 4 < sizeof all / sizeof *all; i++)
        all[3 + i] = words[i];
    return process_ask(all, ASK_S, answer) == 0;
}

bool slurm_value(const char *text, const char *key, char value[SLURM_TEXT])
{
    size_t length = strlen(key);
    for (const char *at = text; (at = strstr(at, key)) != NULL; at += length) {
        bool begins = at == text || at[-1] == ' ' || at[-1] == '\n';
        const char *from = at + length + strspn(at + length, " ");
        if (!begins || *from != '=')
            continue;
        from += 1 + strspn(from + 1, " ");
        snprintf(value, SLURM_TEXT, "%.*s", (int)strcspn(from, " \n"), from);
        return *value && strcmp(value, "(null)") != 0;
    }
    *value = '\0';
    return false;
}

static double number_of(const char *text, const char *key)
{
    char value[SLURM_TEXT], *end;
    double number = slurm_value(text, key, value) ? strtod(value, &end) : 0;
    return isfinite(number) && number > 0 ? number : 0;
}

/* From the script as Slurm has kept it: options of the sbatch command line are not known. */
static void find_signal(struct slurm_job *job)
{
    struct text script;
    text_init(&script);
    if (slurm_ask((char *[]){(char *)"write", (char *)"batch_script", job->id, (char *)"-", NULL}, &script)) {
        const char *line = text_bytes(&script);
        for (; strncmp(line, "#", 1) == 0; line += strcspn(line, "\n") + 1) {
            const char *option = memmem(line, strcspn(line, "\n"), "--signal", 8);
            if (strncmp(line, "#SBATCH", 7) == 0 && option)
                snprintf(job->site.signal, sizeof job->site.signal, "%.*s", (int)strcspn(option + 9, " \t\n#"),
                         option + 9);
            if (line[strcspn(line, "\n")] == '\0')
                break;
        }
    }
    text_release(&script);
}

static void look_at_site(struct slurm_job *job)
{
    struct slurm_site *site = &job->site;
    struct text answer;
    char value[SLURM_TEXT];
    text_init(&answer);
    if (slurm_ask((char *[]){(char *)"show", (char *)"partition", (char *)"-o", job->partition, NULL}, &answer)) {
        site->grace_s = number_of(text_bytes(&answer), "GraceTime");
        site->is_preemptible = slurm_value(text_bytes(&answer), "PreemptMode", value) && strcmp(value, "OFF") != 0;
    }
    text_release(&answer);
    if (slurm_ask((char *[]){(char *)"show", (char *)"config", NULL}, &answer)) {
        const char *text = text_bytes(&answer);
        site->kill_wait_s = number_of(text, "KillWait");
        /* In SlurmctldParameters until 23.02, in PreemptParameters since. */
        site->warns = strstr(text, "preempt_send_user_signal") || strstr(text, "send_user_signal");
        if (slurm_value(text, "PreemptType", value) && strcmp(value, "preempt/none") == 0)
            site->is_preemptible = false;
    }
    text_release(&answer);
    find_signal(job);
}

void slurm_look(struct slurm_job *job)
{
    const char *id = getenv("SLURM_JOB_ID");
    const struct slurm_job before = *job;
    struct text answer;
    char value[SLURM_TEXT];
    *job = (struct slurm_job){.is_inside = id && *id};
    if (!job->is_inside)
        return;
    snprintf(job->id, sizeof job->id, "%s", id);
    text_init(&answer);
    job->is_known = slurm_ask((char *[]){(char *)"show", (char *)"job", (char *)"-o", job->id, NULL}, &answer);
    if (job->is_known) {
        const char *text = text_bytes(&answer);
        slurm_value(text, "JobState", job->state);
        slurm_value(text, "Reason", job->reason);
        slurm_value(text, "Partition", job->partition);
        job->may_requeue = number_of(text, "Requeue") > 0;
        job->is_preempted = slurm_value(text, "PreemptTime", value) && strcmp(value, "None") != 0;
        job->restarts = (uint64_t)number_of(text, "Restarts");
        job->end_unix = number_of(text, "EndTime");
        job->site = before.site;
        if (!before.is_known || strcmp(before.partition, job->partition) != 0)
            look_at_site(job);
    }
    text_release(&answer);
}

bool slurm_is_ending(const struct slurm_job *job)
{
    return job->is_known && (job->is_preempted || strcmp(job->state, "RUNNING") != 0);
}

double slurm_warning_s(const struct slurm_job *job, bool by_srun)
{
    const struct slurm_site *site = &job->site;
    if (!job->is_known || !site->is_preemptible)
        return NAN;
    if (site->warns && strstr(site->signal, "B:") && site->grace_s > 0)
        return site->grace_s;
    return by_srun ? site->grace_s + site->kill_wait_s : MPIRUN_S;
}

bool slurm_requeue(struct slurm_job *job, struct error *error)
{
    struct text answer;
    slurm_look(job);
    if (!job->is_known)
        return error_set(error, ERROR_IO, "scontrol does not tell about job %s; by hand: scontrol requeue %s", job->id,
                         job->id);
    if (job->restarts > environment_restarts()) {
        log_info("supervise: Slurm requeues job %s by itself", job->id);
        return true;
    }
    bool is_over = strcmp(job->state, "RUNNING") != 0;
    if (is_over && strcmp(job->reason, "TimeLimit") != 0)
        return error_set(error, ERROR_BUSY, "somebody has cancelled job %s", job->id);
    if (!job->may_requeue)
        return error_set(error, ERROR_USAGE,
                         "job %s may not be (sbatch --no-requeue, or the site's JobRequeue=0): submit it again with "
                         "--requeue",
                         job->id);
    text_init(&answer);
    bool ok = slurm_ask((char *[]){(char *)"requeue", job->id, NULL}, &answer) ||
              error_set(error, ERROR_IO, "scontrol requeue %s: %s", job->id, text_bytes(&answer));
    text_release(&answer);
    if (!ok)
        return false;
    log_info("supervise: job %s is requeued", job->id);
    for (int i = 0; i < GONE_S; i++)
        if (process_await(1) == SIGTERM)
            break;
    return true;
}
