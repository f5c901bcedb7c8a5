#include "train/runtime.h"

#include "base/fault.h"
#include "base/log.h"
#include "base/watchdog.h"
#include "h5/h5.h"
#include "nn/kernels/gemm.h"
#include "policy/preemption.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

/* Between MPI_Init and MPI_Finalize: only then can MPI be asked for anything. */
static atomic_bool mpi_is_up;

int runtime_rank(void)
{
    int rank = 0;
    const char *told = getenv("OMPI_COMM_WORLD_RANK");
    if (atomic_load(&mpi_is_up))
        MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    else if (told || (told = getenv("PMIX_RANK")))
        rank = (int)strtol(told, NULL, 10);
    return rank;
}

_Noreturn void runtime_leave(int code)
{
    if (atomic_load(&mpi_is_up))
        MPI_Abort(MPI_COMM_WORLD, code);
    _exit(code);
}

/* A process without a thread for it goes on without. */
static void watch(const struct runtime_options *options)
{
    struct error error;
    const struct watchdog_limits limits = {.meeting_s = options->meeting_s};
    if (options->lost && !watchdog_open(&limits, options->lost, &error))
        log_warn("%s", error.text);
}

static bool init_mpi(void)
{
    int is_initialised, thread_level;
    MPI_Initialized(&is_initialised);
    if (is_initialised)
        return false;
    /* Open MPI's MPI-IO prepares a shared file pointer for every file: a lock file beside it, and a semaphore in
     * /dev/shm without which the file does not open. Nobody uses it here. What the user has set stays. */
    setenv("OMPI_MCA_sharedfp", "individual", 0);
    MPI_Init_thread(NULL, NULL, MPI_THREAD_MULTIPLE, &thread_level);
    return true;
}

bool runtime_begin(struct runtime *runtime, const struct runtime_options *options, struct error *error)
{
    *runtime = (struct runtime){0};
    if (options->takes_signals)
        preemption_watch(); /* first: a signal that comes while MPI starts must not kill a rank */
    watch(options);
    watchdog_begin_meeting("MPI_Init", 0, false);
    runtime->owns_mpi = init_mpi();
    atomic_store(&mpi_is_up, true);
    world_open(&runtime->world);
    watchdog_end();
    log_init(runtime->world.rank);
    h5_init();
    gemm_init();
    return fault_init(runtime->world.rank, error);
}

void runtime_end(struct runtime *runtime)
{
    h5_release();
    watchdog_begin_meeting("MPI_Finalize", 0, false);
    world_close(&runtime->world);
    atomic_store(&mpi_is_up, false);
    if (runtime->owns_mpi)
        MPI_Finalize();
    watchdog_end();
    watchdog_close();
}
