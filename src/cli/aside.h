/* A job that is tried, on the ranks that it will have, in a directory of its own beside its run (run/scratch.h): the
 * run is neither needed nor touched. */
#ifndef CLI_ASIDE_H
#define CLI_ASIDE_H

#include "job/job.h"
#include "parallel/world.h"
#include "run/scratch.h"

struct aside {
    struct job job;         /* with run: in that directory, and no copies on the nodes: these are the run's */
    char *run;              /* what run: was; NULL: not read */
    struct scratch scratch; /* rank 0's, as ... */
    struct error wrong;     /* ... what kept it from being prepared */
};

/* Local; before MPI is initialised and before there are threads. Nothing is made yet. */
void aside_prepare(struct aside *aside);

/* Collective over world. Rank 0 reads the file, which the other nodes may not see, and makes the directory. A file that
 * cannot be read is ERROR_USAGE. */
bool aside_open(const struct world *world, struct aside *aside, const char *file, const char *const *overrides,
                size_t override_count, struct error *error) WARN_UNUSED;

/* Local. Forgets the job, and takes the directory away if rank 0 has made it. Accepts one that was only prepared, and
 * one that was closed. */
void aside_close(struct aside *aside);

#endif
