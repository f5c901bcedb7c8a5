/* What a job is supervised with. */
#ifndef LAUNCH_SUPERVISOR_OPTIONS_H
#define LAUNCH_SUPERVISOR_OPTIONS_H

#include "run/submission.h"

struct supervisor_options {
    const char *run;               /* the run directory of the job */
    char **command;                /* the launcher and its words, NULL-terminated; borrowed */
    struct submission *submission; /* the job as it is kept for all launches; borrowed, as what was asked for */
    const struct submission_request *asked;
    const struct job *job; /* the same; borrowed */
    unsigned ranks_most;   /* the job's leaves: with more ranks it is refused */
    int restarts;          /* without progress, in a row, until it gives up */
    double launch_s;       /* how long a launch may take to begin its work; 0: for ever; below 0: derived from how long
                            * earlier starts took, which is much longer than they did */
    double shutdown_s;     /* how long a launcher may stay when its job has ended, or is gone */
};

#endif
