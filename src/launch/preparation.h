/* What a launch is given: its command, changed to fit the nodes that are there, and its environment, which is that of
 * this process. What the user has said or set stays, except more of sbatch's ranks than the job can use. */
#ifndef LAUNCH_PREPARATION_H
#define LAUNCH_PREPARATION_H

#include "launch/slurm.h"
#include "launch/words.h"

#include <stdbool.h>

struct preparation {
    const struct slurm_job *slurm; /* the batch job, as it was looked at last; borrowed */
    char *const *command;          /* as the user has given it; borrowed */
    unsigned ranks_most;           /* the job's leaves: with more ranks it is refused */
    bool is_srun;                  /* what starts the ranks */
    bool tells_end, tells_warning; /* what the user has not set */
};

/* Local. Before anything is changed in the environment. */
void preparation_init(struct preparation *preparation, const struct slurm_job *slurm, char *const *command,
                      unsigned ranks_most);

/* Local. For the next launch. after_crash: lost nodes are looked for (which can take seconds), and left out. The caller
 * owns the command (words_release). */
void preparation_make(const struct preparation *preparation, bool after_crash, struct words *command);

#endif
