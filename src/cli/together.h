/* Subcommands that all ranks of an mpirun do together, or one process alone. */
#ifndef CLI_TOGETHER_H
#define CLI_TOGETHER_H

#include "parallel/world.h"

/* Collective over MPI_COMM_WORLD. Sets up what is global in a process, lets the ranks work, and returns the exit code:
 * `work` gives the same verdict, with the same error, on every rank; rank 0 says it. */
int together(bool (*work)(const struct world *world, void *context, struct error *error), void *context);

#endif
