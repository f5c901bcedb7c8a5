#include "support/test_mpi.h"

#include "base/log.h"

#include <fcntl.h>
#include <limits.h>
#include <mpi.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int test_mpi_run(int *argc, char ***argv, const char *suite, const struct test_case *cases)
{
    int rank, failed, anywhere;
    int level;
    MPI_Init_thread(argc, argv, MPI_THREAD_MULTIPLE, &level);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    log_init(rank);
    failed = test_run_cases(suite, cases);
    /* Nobody's files go before everybody is done with them. */
    MPI_Allreduce(&failed, &anywhere, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
    test_clean();
    MPI_Finalize();
    return anywhere;
}

const char *test_mpi_path(const char *name)
{
    static char paths[4][PATH_MAX];
    static unsigned next = 0;
    char *path = paths[next++ % 4];
    int rank;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    memset(path, 0, PATH_MAX);
    if (rank == 0)
        snprintf(path, PATH_MAX, "%s", test_path(name));
    MPI_Bcast(path, PATH_MAX, MPI_CHAR, 0, MPI_COMM_WORLD);
    return path;
}
