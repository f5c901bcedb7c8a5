/* One rank that fails alone, or hangs, in a call to which all ranks have to come. To be preloaded:
 *
 *   LONELY_CALL=MPI_Init_thread|MPI_Win_allocate_shared|MPI_Win_free|MPI_Finalize  LONELY_RANK=R LONELY_HOW=fails|hangs
 */
#include <mpi.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int is_it(const char *call)
{
    const char *chosen = getenv("LONELY_CALL"), *rank = getenv("LONELY_RANK"), *own = getenv("OMPI_COMM_WORLD_RANK");
    return chosen && rank && own && strcmp(chosen, call) == 0 && strcmp(rank, own) == 0;
}

/* Nonzero: the call has failed. */
static int meets_it(const char *call)
{
    const char *how = getenv("LONELY_HOW");
    if (!is_it(call))
        return 0;
    while (!how || strcmp(how, "fails") != 0)
        pause();
    return 1;
}

int MPI_Init_thread(int *argc, char ***argv, int required, int *provided)
{
    return meets_it("MPI_Init_thread") ? MPI_ERR_OTHER : PMPI_Init_thread(argc, argv, required, provided);
}

int MPI_Win_allocate_shared(MPI_Aint size, int unit, MPI_Info info, MPI_Comm comm, void *base, MPI_Win *window)
{
    return meets_it("MPI_Win_allocate_shared") ? MPI_ERR_NO_MEM
                                               : PMPI_Win_allocate_shared(size, unit, info, comm, base, window);
}

int MPI_Win_free(MPI_Win *window)
{
    return meets_it("MPI_Win_free") ? MPI_ERR_OTHER : PMPI_Win_free(window);
}

int MPI_Finalize(void)
{
    return meets_it("MPI_Finalize") ? MPI_ERR_OTHER : PMPI_Finalize();
}
