/* What is global in a process that trains: MPI, HDF5, the BLAS, signals, fault points, the rank in the log, the watch
 * over meetings. Set up once, before the first trainer, and torn down behind the last one; trainers may follow each
 * other in between.
 *
 * What stays: a handler of SIGBUS from the first dataset on (base/guard.h), which passes on what is not its own; HDF5
 * says nothing on standard error, loads no plugins and closes nothing by itself at exit; OpenBLAS has one thread. And
 * small memory that cannot be had ends the process (memory_none), as there is nothing left to return an error with. */
#ifndef TRAIN_RUNTIME_H
#define TRAIN_RUNTIME_H

#include "base/error.h"
#include "parallel/world.h"

struct runtime_options {
    bool takes_signals; /* they ask for saves, and to leave (policy/preemption.h), also all trainers that begin later.
                         * Else they are the program's own */
    bool ends_process;  /* the process ends behind runtime_end, which then does not put back what signals did before:
                         * one that is late would give it another exit code */
    double meeting_s; /* how long ranks may wait for each other until a job says more (base/watchdog.h); 0: for ever */

    /* Called, from any thread, with ERROR_LATE when a rank does not come to a meeting: MPI does not let the others out
     * of it, so that the process can only be left. It does not return. NULL: nobody watches. */
    void (*lost)(const struct error *error);
};

struct runtime {
    struct world world;
    bool is_up;
    bool owns_mpi; /* has initialised it */
    bool ends_process;
};

/* Collective over MPI_COMM_WORLD; the calling thread is the one that trains. MPI is initialised, unless the program has
 * done it: then without MPI_THREAD_MULTIPLE saves are in the foreground, and MPI-IO leaves files for shared pointers
 * beside those that it opens unless OMPI_MCA_sharedfp=individual was set before.
 *
 * False: MPI was finalised before, and is_up is false: there is no world. Or, perhaps on this rank alone, so that the
 * ranks have to agree on it: the environment names a fault point that there is not, or in LOCKSTEP_CPU instructions. runtime_end is due in any
 * case.
 *
 * Floating point of the calling thread is as numerics.h wants it from here on, and stays so. */
bool runtime_begin(struct runtime *runtime, const struct runtime_options *options, struct error *error) WARN_UNUSED;

/* Collective over world, not after ERROR_LATE. MPI is finalised, if runtime_begin has initialised it. If the program
 * finalises it later, HDF5 cleans up in there, and may crash over it if a save has failed. */
void runtime_end(struct runtime *runtime);

/* Local, at any time and in any thread. The rank of this process, as far as it can be known. */
int runtime_rank(void);

/* Local, in any thread. Ends the process, and through the launcher those of the other ranks, with this exit code. */
_Noreturn void runtime_leave(int code);

#endif
