#include "train/runtime.h"

#include "base/fault.h"
#include "base/log.h"
#include "base/rank.h"
#include "base/watchdog.h"
#include "h5/h5.h"
#include "nn/kernels/cpu.h"
#include "nn/kernels/gemm.h"
#include "nn/kernels/numerics.h"
#include "policy/preemption.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

/* Between MPI_Init and MPI_Finalize: only then can MPI be asked for anything. */
static atomic_bool mpi_is_up;

int runtime_rank(void)
{
    int rank = rank_told();
    if (atomic_load(&mpi_is_up))
        MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    return rank > 0 ? rank : 0;
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

/* Open MPI's MPI-IO prepares a shared file pointer for every file: a lock file beside it, and a semaphore in /dev/shm
 * without which the file does not open. Nobody uses it here. What the user has set stays. */
static void spare_shared_pointers(void)
{
    setenv("OMPI_MCA_sharedfp", "individual", 0);
}

static bool init_mpi(void)
{
    int is_initialised, thread_level;
    MPI_Initialized(&is_initialised);
    if (!is_initialised)
        MPI_Init_thread(NULL, NULL, MPI_THREAD_MULTIPLE, &thread_level);
    return !is_initialised;
}

bool runtime_begin(struct runtime *runtime, const struct runtime_options *options, struct error *error)
{
    int is_finalised;
    *runtime = (struct runtime){.ends_process = options->ends_process};
    MPI_Finalized(&is_finalised);
    if (is_finalised)
        return error_set(error, ERROR_USAGE, "MPI was finalised in this process, and cannot be initialised again");
    if (options->takes_signals)
        preemption_watch();  /* first: a signal that comes while MPI starts must not kill a rank */
    spare_shared_pointers(); /* before there is a thread that reads the environment */
    watch(options);
    watchdog_begin_meeting("MPI_Init", 0, false);
    runtime->owns_mpi = init_mpi();
    atomic_store(&mpi_is_up, true);
    world_open(&runtime->world);
    watchdog_end();
    runtime->is_up = true;
    log_init(runtime->world.rank);
    h5_init();
    gemm_init();
    numerics_enter();
    return cpu_check(error) && fault_init(runtime->world.rank, error);
}

void runtime_end(struct runtime *runtime)
{
    if (!runtime->is_up)
        return;
    if (runtime->owns_mpi)
        h5_release();
    watchdog_begin_meeting(runtime->owns_mpi ? "MPI_Finalize" : "the ranks take leave of each other", 0, false);
    world_close(&runtime->world);
    atomic_store(&mpi_is_up, false);
    if (runtime->owns_mpi)
        MPI_Finalize();
    watchdog_end();
    watchdog_close();
    if (!runtime->ends_process)
        preemption_release();
    runtime->is_up = false;
}
