/* The command line of what starts the ranks: mpirun or srun, perhaps itself started by something else, its options, and
 * then "... lockstep train ...". */
#ifndef LAUNCH_LAUNCHER_H
#define LAUNCH_LAUNCHER_H

#include "launch/words.h"

#include <stdbool.h>

enum launcher { LAUNCHER_OTHER, LAUNCHER_MPIRUN, LAUNCHER_SRUN };

/* Local. Which one it is, and (NULL: not wanted) the number of the word behind its name. */
enum launcher launcher_find(const struct words *command, size_t *first);

/* Local. Whether word i, behind the name, comes before the program and has another word behind it that may be its
 * value. */
bool launcher_is_option(const struct words *command, size_t i);

/* Local. The numbers of ranks and nodes, where the command gives them, for `there` slots instead of `all`, on `nodes`
 * nodes: ranks in proportion, at least one; nodes at most so many. The first number of each kind counts: what follows
 * may belong to the program. */
void launcher_shrink(struct words *command, size_t nodes, unsigned long there, unsigned long all);

/* Local. So many ranks, at least one, unless the command gives a number of ranks itself, or of each node. False: it
 * does, or the launcher is not known. */
bool launcher_give_ranks(struct words *command, unsigned long ranks);

#endif
