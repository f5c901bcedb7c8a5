/* The nodes of a batch job of Slurm, and those of them that are lost. A job that was submitted with --no-kill keeps the
 * others, and its launcher can be started again on them. A node that comes back does not belong to the job any more. */
#ifndef LAUNCH_NODES_H
#define LAUNCH_NODES_H

#include "base/error.h"
#include "base/text.h"
#include "launch/slurm.h"
#include "launch/words.h"

#include <stddef.h>

/* Local. Probes the nodes of SLURM_JOB_NODELIST (each slurmd has to take a connection within some seconds, and the job,
 * as scontrol names it, has to have the node still), and has launchers use the others only: mpirun by the environment
 * (SLURM_JOB_NODELIST and its kin), srun by --exclude. Numbers of ranks and nodes in the command shrink with it. The
 * lost ones are appended to `lost`, separated by commas. Each call begins with all nodes that the job was given.
 * Returns how many are there; 0: nothing is known, or none is there (then they are appended all the same), and the
 * command and the environment are those for all nodes. */
size_t nodes_leave_out_lost(const struct slurm_job *job, struct words *command, struct text *lost);

/* Local. Whether the running job does not have this node any more, as scontrol tells: Slurm has taken it out of the
 * allocation. False also if that is not known. */
bool nodes_has_lost(const struct slurm_job *job, const char *node);

/* Local. For how many ranks the nodes that are there have room, as mpirun counts: tasks, or CPUs (by --cpus-per-task)
 * if the job has asked for no tasks. 0: not known. */
unsigned nodes_slots(void);

/* Local. How many of the nodes, of which there are *nodes, so many ranks fill if they are given one after the other. 0,
 * and *nodes is 0: not known. */
size_t nodes_filled_by(unsigned ranks, size_t *nodes);

/* Local, a part of it. Expands "4(x2),3": how many tasks each of `count` nodes has. False if it is not of that form, or
 * not of so many nodes. */
bool nodes_parse_tasks(const char *text, unsigned *tasks, size_t count);

#endif
