/* What starts a job again that was given up, as words to be copied. */
#ifndef LAUNCH_AGAIN_H
#define LAUNCH_AGAIN_H

#include "base/text.h"
#include "launch/slurm.h"

/* Local. Appends the command: of the batch job, as scontrol tells it; else the words of the command that was given to
 * supervise, quoted for a shell where they need it. */
void again_append(const struct slurm_job *job, char *const *command, struct text *words);

#endif
