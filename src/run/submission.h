/* What a job was submitted as. A job that is supervised, or belongs to a batch system that requeues it, goes on as what
 * it was when it was first started, whatever becomes of its job file meanwhile: that may be edited for the next
 * experiment, or be gone.
 *
 *   RUN/submitted/KEY.yaml   the job with all its --set, behind a comment that says whose it is:
 *                            # {"key":"14_1","file":"job.yaml","restart":0,"version":"0.3.0"}
 *   .lockstep-KEY-DIGEST     beside the log of a batch job, in the directory that it is started from: where RUN is, and
 *                            whether the job has begun its work there. DIGEST is of the job file's name (and of a run
 *                            that is --set), as one batch job may train several.
 *
 * KEY is the batch job, with its element of an array ("14_1"), else the supervisor ("host-4711"). The second file, the
 * trace, finds the run of a job whose file is gone. It is also the evidence that a run directory without anything of
 * the job is not the one that it has worked in, but a disk of another node: a batch job that was requeued before it had
 * begun any work has none there either, and the number of its requeues cannot tell the one from the other. Without a
 * trace the job begins anew, with a warning; if the kept job alone is gone, and the run is not, it goes on as
 * RUN/job.yaml says.
 *
 * A start that nobody repeats (by hand; those of a batch job before its first requeue) reads the job file as it is
 * then. "restart" is that of the first keeping: all starts of later lives of the batch job repeat it.
 *
 * PBS and LSF keep the number of a job that is run again, and do not tell that it is: there each start of the same
 * batch job with the same job file repeats the first, in an interactive job none. */
#ifndef RUN_SUBMISSION_H
#define RUN_SUBMISSION_H

#include "job/job.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#define SUBMISSION_KEY 128

/* The words that ask for a job; borrowed. */
struct submission_request {
    const char *file;
    const char *const *overrides; /* behind --set */
    size_t override_count;
    bool anew; /* --reread: the job file counts at each start */
};

struct submission {
    char key[SUBMISSION_KEY]; /* "": it is nobody's, and is not kept */
    bool is_batch;
    char path[PATH_MAX];  /* RUN/submitted/KEY.yaml; "" before submission_read */
    char trace[PATH_MAX]; /* "": none */
    bool is_kept;         /* what was submitted counts, not the job file */
    bool has_begun;       /* by the trace */
    uint64_t first;       /* how often the batch job had been requeued when it was first kept */
    uint64_t told;        /* digest of the edit that was told last */
};

/* Local. The submission of this process: of its batch job; else, if is_supervisor, its own; else nobody's. */
void submission_init(struct submission *submission, bool is_supervisor);

/* Local. The job: as it was submitted, if this is a start after a requeue; what differs in the job file is logged. Else
 * as the job file says. Nothing is written. ERROR_NOT_FOUND also: the job has begun its work, and there is nothing of
 * it in the run directory here. The caller owns the job, after success. */
bool submission_read(struct submission *submission, const struct submission_request *request, struct job *job,
                     struct error *error) WARN_UNUSED;

/* Local. The text of a kept job, by its path; the caller frees it. */
bool submission_text(const char *path, char **text, size_t *bytes, struct error *error) WARN_UNUSED;

/* Local. Makes the run directory, and keeps the job there for later starts, durably. */
bool submission_keep(struct submission *submission, const struct submission_request *request, const struct job *job,
                     struct error *error) WARN_UNUSED;

/* Local, before a later start: what somebody has deleted of what submission_keep has kept in a run directory that is
 * there, or was deleted as well, is made again, with a warning. */
void submission_renew(const struct submission *submission, const struct submission_request *request,
                      const struct job *job);

/* Local. Logs how the job file differs from what is kept, if it does, once for each edit. */
void submission_tell_edit(struct submission *submission, const struct submission_request *request);

/* Local. The job is at its work in this run directory, which the trace has to know. */
void submission_begun(struct submission *submission, const char *run);

/* Local. The job comes back no more: takes its files away. Accepts one that is not kept. */
void submission_forget(struct submission *submission);

/* Local. The key in the path of a kept job; "" if it is none. */
void submission_key_of(const char *path, char key[SUBMISSION_KEY]);

#endif
