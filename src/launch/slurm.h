/* The batch job of Slurm that this process belongs to: what Slurm tells about it, and having it requeued. Asked with
 * scontrol; tried with Slurm 22.05 and 24.11. */
#ifndef LAUNCH_SLURM_H
#define LAUNCH_SLURM_H

#include "base/error.h"
#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SLURM_TEXT 128

/* What becomes of a job whose nodes others need. Of those from SLURM_REQUEUED on it has to leave. */
enum slurm_preemption { SLURM_NOT_PREEMPTED, SLURM_SUSPENDED, SLURM_REQUEUED, SLURM_CANCELLED };

/* What the site, the partition and the batch script have settled; asked for once. */
struct slurm_site {
    enum slurm_preemption preemption; /* of the partition; if it has to leave, it has */
    double grace_s;                   /* this long, */
    double kill_wait_s;               /* and this long from SIGTERM to SIGKILL; */
    double slurmd_timeout_s;          /* until a node that does not answer is taken for lost */
    unsigned port;                    /* of slurmd, where a node has none of its own */
    double version;                   /* 22.05; 0: not known */
    bool is_by_qos;                   /* preempt/qos: grace_s is another one, that of the job's QOS */
    bool warns;                       /* the signal of --signal is sent then, too */
    unsigned requeues_most;  /* at so many ends within the time of grace Slurm holds the job, which it requeues at each
                              * before; 0: it does not requeue it */
    char signal[SLURM_TEXT]; /* --signal in the batch script: "B:USR1@120"; "": none */
};

struct slurm_job {
    bool is_inside;         /* this process belongs to a job at all; else all else is empty */
    bool is_known;          /* scontrol has told about it; else the rest is as it was told before, if it was, and ... */
    bool is_unanswered;     /* ... it was the controller that did not answer */
    char id[SLURM_TEXT];    /* as scontrol takes it: "123", "123_4" */
    char state[SLURM_TEXT]; /* "RUNNING", "COMPLETING", ... */
    char reason[SLURM_TEXT];
    char partition[SLURM_TEXT];
    bool may_requeue;      /* sbatch --requeue, or the site's default */
    bool is_preempted;     /* its time of grace runs, or has run */
    double preempted_unix; /* since when; 0: it is not */
    uint64_t restarts;     /* of the job, the one that is being prepared included */
    unsigned batch_flag;   /* 1 + the ends after which Slurm has requeued it like that; 0: salloc, or not
                            * known */
    double end_unix;       /* when its time is over, that of grace as well; 0: there is no limit */
    struct slurm_site site;
};

/* Local. Looks, or looks anew. The first time the job is all zero. */
void slurm_look(struct slurm_job *job);

/* Local, a part of it: the site, for job->partition. */
void slurm_look_at_site(struct slurm_job *job);

/* Local. Whether the signal of --signal, if it comes at now_unix, announces the time limit, by what is known of the
 * job. Slurm sends it up to a minute early. */
bool slurm_is_limit_near(const struct slurm_job *job, double now_unix);

/* Local. The same for a job that goes on meanwhile: waits for a few seconds only, and what is not answered stays as it
 * was. with_site: also what the site has settled, which it may have changed. */
void slurm_look_again(struct slurm_job *job, bool with_site);

/* Local. How long before the end of its time the job has to be over, to be requeued instead of cancelled. */
double slurm_margin_s(const struct slurm_job *job);

/* Local. Part of it, for texts of scontrol: `key` as in "Key=value" or "Key = value" at the beginning of a word or
 * line. False: not there, or "(null)". */
bool slurm_value(const char *text, const char *key, char value[SLURM_TEXT]);

/* Local. The same for values of any length: borrowed from the text, not terminated; NULL: not there. */
const char *slurm_find(const char *text, const char *key, size_t *length);

/* Local. Parts of it: what scontrol's words tell of a job, a partition and the site (to be read in this order); all
 * else of the job and the site stays. */
void slurm_read_job(const char *text, struct slurm_job *job);
void slurm_read_partition(const char *text, struct slurm_site *site);
void slurm_read_config(const char *text, struct slurm_site *site);

/* Local. Part of it: the value of --signal in the #SBATCH lines at the beginning of a batch script, the last one; "" if
 * there is none. */
void slurm_read_signal(const char *script, char signal[SLURM_TEXT]);

/* Local. Whether Slurm is ending the job, or about to. */
bool slurm_is_ending(const struct slurm_job *job);

/* Local. Whether Slurm requeues the job by itself if it ends now: from 24.05 on within its time of grace. Had scontrol
 * requeued it, Slurm (24.11) would do so once more at the end of its next life, whatever that has come to. One end is
 * left over for such a case. */
bool slurm_is_requeued_at_end(const struct slurm_job *job);

/* Local. Whether a job that is over was ended by Slurm because its time was over, its limit or that of grace; else
 * somebody has cancelled it. */
bool slurm_is_out_of_time(const struct slurm_job *job);

/* Local. How long at least a job that is preempted goes on after its ranks have heard of it, started by srun or by
 * mpirun under `lockstep supervise`. NaN: jobs of this partition do not have to leave, or it is not known. See
 * slurm/README.md.
 */
double slurm_warning_s(const struct slurm_job *job, bool by_srun);

/* Local. Has the job requeued, once: not if Slurm is doing so by itself. False, with the reason, if it may not be, if
 * somebody has cancelled it, or if Slurm does not answer for half an hour. After having had it requeued waits for Slurm
 * to end this process. */
bool slurm_requeue(struct slurm_job *job, struct error *error) WARN_UNUSED;

/* Local. For how many seconds after a SIGTERM of Slurm the launcher can be waited for: then a requeue has to be asked
 * for, before all processes are killed (KillWait). */
double slurm_requeue_delay(const struct slurm_job *job);

/* Local. Asks for it, if Slurm is ending the job because its time is over, while its processes are still at work: once,
 * and waits for nothing. */
void slurm_requeue_at_once(struct slurm_job *job);

/* Local. Sends a signal ("USR2") to what the launchers of this job have started on its nodes, not to the batch script.
 */
void slurm_signal_ranks(const struct slurm_job *job, const char *signal);

/* Local. Who waits for nodes in a partition other than the job's, with the highest priority: "job 17 of anna, partition
 * high". False: nobody, or it is not known. */
bool slurm_first_in_line(const struct slurm_job *job, char words[SLURM_TEXT]);

/* Local. Ends the job, if nobody else does. */
void slurm_cancel(const struct slurm_job *job);

/* Local. Asks scontrol; words end with NULL. Times are seconds since 1970. False: no answer in time. */
bool slurm_ask(const char *const *words, struct text *answer);

#endif
