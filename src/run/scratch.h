/* A directory to try a job in: beside its run directory, on the same file system, so that the speed and the room of the
 * disk are those that count; hidden; and gone when the process is, however that ends. A process of its own waits for
 * that, and takes the directory away: it is told nothing, and is there also after a crash, a SIGKILL or an MPI_Abort.
 * Where all processes of a job are killed at once, as Slurm does it, the next one that is made for this run takes away
 * what is left.
 *
 *   .NAME.check-0123456789abcdef     beside the run NAME
 *     check.lock                     held by who uses it */
#ifndef RUN_SCRATCH_H
#define RUN_SCRATCH_H

#include "base/error.h"

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

struct scratch {
    pid_t remover; /* the process that waits; 0: none */
    int pipe;      /* to it: by its end it learns of ours */
    int lock;
    char path[PATH_MAX]; /* "": not made */
};

/* Local; before MPI is initialised and before there are threads, since it forks. Nothing is made yet. */
bool scratch_prepare(struct scratch *scratch, struct error *error) WARN_UNUSED;

/* Local. Makes the directory, for this run: beside it; in it if what is beside it cannot be written in, or is another
 * file system. A run that there is not yet: where it would begin to be made. The run itself is not looked into. */
bool scratch_make(struct scratch *scratch, const char *run, struct error *error) WARN_UNUSED;

/* Local. Takes it away and waits until it is gone. Accepts an all-zero one. */
void scratch_remove(struct scratch *scratch);

#endif
