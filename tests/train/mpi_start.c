/* What a start of lockstep is measured against (scripts/bench --restart): MPI_Init as it has it, and one barrier. Rank
 * 0 prints the unix time behind it. */
#include "base/clock.h"
#include "base/say.h"

#include <mpi.h>

int main(void)
{
    int rank, thread_level;
    MPI_Init_thread(NULL, NULL, MPI_THREAD_MULTIPLE, &thread_level);
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank == 0)
        say("%.6f\n", clock_unix_exact());
    MPI_Finalize();
    return 0;
}
