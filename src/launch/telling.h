/* Keeps a job that is at work informed of the end of its time: that of its batch job can be moved (scontrol update
 * TimeLimit), and what a warning is worth can be changed by the site (scontrol reconfigure) while it runs. Slurm is
 * asked now and then, more often towards the end, and when a warning comes; what has changed is told to the job
 * (run/notice.h). */
#ifndef LAUNCH_TELLING_H
#define LAUNCH_TELLING_H

#include "launch/preparation.h"
#include "launch/slurm.h"
#include "run/notice.h"

struct telling {
    const char *run;                       /* borrowed, like ... */
    struct slurm_job *job;                 /* ... what is looked at here, */
    const struct preparation *preparation; /* and what the user has set: that stays */
    struct notice told;
    double looked_s, looked_at_site_s;
    bool has_complained;
};

/* Local. A launch begins, with what its environment tells. */
void telling_begin(struct telling *telling);

/* Local, while the job is at work. Asks if it is time for it, for a few seconds at most. */
void telling_keep(struct telling *telling);

/* Local. Asks at once: a warning has come, and goes to the job afterwards. */
void telling_hurry(struct telling *telling);

#endif
