#include "parallel/clocks.h"

#include "base/clock.h"

#include <math.h>

#define TAG    90
#define ROUNDS 32

/* Rank 0's side: { what the rank's clock is ahead of ours, by how much that can be wrong }. */
static void ask(const struct world *world, int rank, double answer[2])
{
    answer[1] = INFINITY;
    for (int round = 0; round < ROUNDS; round++) {
        double theirs, begin = clock_seconds();
        MPI_Send(NULL, 0, MPI_DOUBLE, rank, TAG, world->comm);
        MPI_Recv(&theirs, 1, MPI_DOUBLE, rank, TAG, world->comm, MPI_STATUS_IGNORE);
        double end = clock_seconds();
        if ((end - begin) / 2 >= answer[1])
            continue;
        answer[0] = theirs - (begin + end) / 2;
        answer[1] = (end - begin) / 2;
    }
    MPI_Send(answer, 2, MPI_DOUBLE, rank, TAG, world->comm);
}

static void answer_all(const struct world *world, double answer[2])
{
    for (int round = 0; round < ROUNDS; round++) {
        MPI_Recv(NULL, 0, MPI_DOUBLE, 0, TAG, world->comm, MPI_STATUS_IGNORE);
        double now = clock_seconds();
        MPI_Send(&now, 1, MPI_DOUBLE, 0, TAG, world->comm);
    }
    MPI_Recv(answer, 2, MPI_DOUBLE, 0, TAG, world->comm, MPI_STATUS_IGNORE);
}

double clocks_offset(const struct world *world, double *precision_s)
{
    double answer[2] = {0, 0};
    if (world->rank > 0)
        answer_all(world, answer);
    for (int rank = 1; world->rank == 0 && rank < world->size; rank++)
        ask(world, rank, (double[2]){0});
    *precision_s = answer[1];
    return fabs(answer[0]) <= answer[1] ? 0 : -answer[0];
}
