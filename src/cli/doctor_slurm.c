#include "base/clock.h"
#include "base/text.h"
#include "cli/doctor.h"
#include "launch/slurm.h"
#include "policy/deadline.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void say_requeue(const struct slurm_job *job)
{
    if (job->may_requeue)
        doctor_say(VERDICT_GOOD, "requeue", NULL, "job %s may be requeued", job->id);
    else
        doctor_say(
            VERDICT_BAD, "requeue",
            "submit it with --requeue, as slurm/train.sbatch does; if the site's JobRequeue is 0, that may need its "
            "administrators",
            "job %s may not be requeued: it saves and leaves, and does not come back by itself", job->id);
}

/* Slurm 22.05 keeps the number of tasks that it has derived from the nodes of the life before; 24.11 does not. */
static void say_nodes(const struct slurm_job *job)
{
    const char *tasks = getenv("SLURM_NTASKS_PER_NODE"), *nodes = getenv("SLURM_JOB_NUM_NODES");
    if (tasks && nodes && strtol(nodes, NULL, 10) > 1 && job->may_requeue && job->site.version > 0 &&
        job->site.version < 24.11)
        doctor_say(VERDICT_WARNING, "nodes", "submit it with --mincpus=CPUS instead, as slurm/train.sbatch does",
                   "after --ntasks-per-node a job that is requeued can wait for as many nodes as it has now, %s, also "
                   "if it may begin on fewer",
                   nodes);
}

static void say_end(const struct slurm_job *job)
{
    struct text left;
    text_init(&left);
    if (job->end_unix > 0)
        text_append_seconds(&left, job->end_unix - clock_unix_exact());
    if (job->end_unix == 0)
        doctor_say(VERDICT_GOOD, "time limit", NULL, "none");
    else if (getenv("LOCKSTEP_END_TIME"))
        doctor_say(VERDICT_GOOD, "time limit", NULL, "in %s; the training is told", text_bytes(&left));
    else
        doctor_say(VERDICT_WARNING, "time limit",
                   "start the launcher by lockstep supervise, as slurm/train.sbatch does",
                   "in %s; the training knows only if Slurm (from 23.02 on) or lockstep supervise tells it",
                   text_bytes(&left));
    text_release(&left);
}

static void say_warning(const struct slurm_job *job, double save_s)
{
    static const struct {
        bool by_srun;
        const char *name;
    } launchers[] = {{false, "mpirun"}, {true, "srun"}};
    if (job->site.is_by_qos) {
        doctor_say(VERDICT_WARNING, "preemption",
                   "sacctmgr show qos format=name,gracetime,preemptmode; LOCKSTEP_WARNING_S=SECONDS tells the job",
                   "partition %s: by QOS, and how much warning a job gets is not known here", job->partition);
        return;
    }
    if (isnan(slurm_warning_s(job, false))) {
        doctor_say(VERDICT_GOOD, "preemption", NULL, "jobs of partition %s are %s", job->partition,
                   job->site.preemption == SLURM_SUSPENDED ? "suspended when others need their nodes, and go on later"
                                                           : "not preempted");
        return;
    }
    doctor_say(VERDICT_GOOD, "preemption", NULL,
               "partition %s: %g s of grace, %g s from SIGTERM to SIGKILL; %s; --signal=%s", job->partition,
               job->site.grace_s, job->site.kill_wait_s,
               job->site.warns ? "the signal of --signal is sent at once (send_user_signal)"
                               : "the signal of --signal is not sent (no send_user_signal)",
               *job->site.signal ? job->site.signal
                                 : "none in the script (what sbatch was told on its command line is not known)");
    for (size_t i = 0; i < sizeof launchers / sizeof *launchers; i++) {
        double warning_s = slurm_warning_s(job, launchers[i].by_srun), needs_s = deadline_reserve(save_s);
        bool is_enough = save_s > 0 && warning_s >= needs_s;
        struct text words;
        text_init(&words);
        if (warning_s > 0)
            text_append(&words, "hear of it at least %g s before the end%s", warning_s,
                        save_s == 0 ? "; what a save takes is not known"
                        : is_enough ? ""
                                    : ": less than a save and leaving need");
        else
            text_append(&words, "may hear nothing of it before the end");
        doctor_say(is_enough ? VERDICT_GOOD : VERDICT_WARNING, "warning",
                   is_enough
                       ? NULL
                       : "what comes after the newest checkpoint can be lost; checkpoint.every: auto saves as often as "
                         "pays; a longer warning: --signal=B:USR1@SECONDS, and preempt_send_user_signal by the site",
                   "ranks started by %s %s", launchers[i].name, text_bytes(&words));
        text_release(&words);
    }
}

/* On a login node: what a job of slurm/ could expect in each partition. */
static void say_partitions(double save_s)
{
    struct text answer;
    text_init(&answer);
    if (!slurm_ask((const char *[]){"show", "partition", "-o", NULL}, &answer)) {
        doctor_say(VERDICT_GOOD, "Slurm", NULL, "not in a job, and no scontrol that answers");
    } else {
        doctor_say(VERDICT_GOOD, "Slurm", NULL,
                   "not in a job; with --signal=B:USR1@120, as in slurm/, jobs can expect:");
        for (const char *line = text_bytes(&answer); *line;) {
            struct slurm_job job = {.is_known = true};
            slurm_value(line, "PartitionName", job.partition);
            slurm_look_at_site(&job);
            snprintf(job.site.signal, sizeof job.site.signal, "B:USR1@120");
            say_warning(&job, save_s);
            line += strcspn(line, "\n");
            line += *line == '\n';
        }
    }
    text_release(&answer);
}

void doctor_ask_slurm(double save_s)
{
    struct slurm_job job = {0};
    slurm_look(&job);
    if (!job.is_inside) {
        say_partitions(save_s);
        return;
    }
    if (!job.is_known) {
        doctor_say(VERDICT_BAD, "Slurm", "is scontrol in PATH on the compute nodes, and may users call it there?",
                   "scontrol does not tell about job %s: no end time, and no requeue", job.id);
        return;
    }
    doctor_say(VERDICT_GOOD, "Slurm", NULL, "job %s, %s, requeued %d times", job.id, job.state, (int)job.restarts);
    say_requeue(&job);
    say_nodes(&job);
    say_end(&job);
    say_warning(&job, save_s);
}
