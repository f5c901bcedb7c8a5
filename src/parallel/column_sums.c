#include "parallel/column_sums.h"

#include "base/check.h"
#include "base/memory.h"
#include "base/partition.h"

#include <limits.h>
#include <string.h>

enum { TAG_SUBTREE = 3 };

/* Rows that are needed at most: for a rank's own items, and on rank 0 for the subtrees of all ranks. */
static size_t rows_needed(const struct world *world, size_t items)
{
    struct subtree subtrees[TREE_DEPTH];
    size_t size = (size_t)world->size, rank = (size_t)world->rank, own, all = 0;
    tree_cover(items, partition_first(items, size, rank), partition_count(items, size, rank), subtrees, &own);
    if (world->rank == 0)
        tree_cover(items, 0, items, subtrees, &all);
    size_t most = own > all ? own : all;
    return most > 0 ? most : 1; /* the result */
}

bool column_sums_init(struct column_sums *sums, const struct world *world, size_t items, size_t columns,
                      struct error *error)
{
    CHECK(items > 0 && columns < INT_MAX / sizeof(double), "a vector is one message");
    *sums = (struct column_sums){.world = world, .items = items, .columns = columns};
    sums->rows = rows_needed(world, items);
    sums->waiting = memory_alloc(sums->rows * columns, sizeof *sums->waiting, "sums of columns", error);
    column_sums_begin(sums);
    return sums->waiting;
}

void column_sums_release(struct column_sums *sums)
{
    memory_free(sums->waiting);
    memset(sums, 0, sizeof *sums);
}

void column_sums_begin(struct column_sums *sums)
{
    sums->next = partition_first(sums->items, (size_t)sums->world->size, (size_t)sums->world->rank);
    tree_start(&sums->walker, sums->items);
}

static double *row(const struct column_sums *sums, size_t i)
{
    CHECK(i < sums->rows, "as many as were asked for");
    return sums->waiting + i * sums->columns;
}

/* Puts a subtree, whose vector lies in the first free row, to those that wait. */
static void push(struct column_sums *sums, struct subtree subtree)
{
    tree_push(&sums->walker, subtree);
    while (tree_merge(&sums->walker)) {
        double *left = row(sums, sums->walker.length - 1);
        const double *right = row(sums, sums->walker.length);
        for (size_t c = 0; c < sums->columns; c++)
            left[c] += right[c];
    }
}

double *column_sums_next(struct column_sums *sums)
{
    double *values = row(sums, sums->walker.length);
    memset(values, 0, sums->columns * sizeof *values);
    return values;
}

void column_sums_add(struct column_sums *sums)
{
    push(sums, (struct subtree){.level = 0, .index = sums->next++});
}

/* Rank 0's work. */
static void receive(struct column_sums *sums, int from)
{
    struct subtree subtrees[TREE_DEPTH];
    size_t size = (size_t)sums->world->size, first = partition_first(sums->items, size, (size_t)from);
    size_t count = tree_cover(sums->items, first, partition_count(sums->items, size, (size_t)from), subtrees, NULL);
    for (size_t i = 0; i < count; i++) {
        MPI_Recv(row(sums, sums->walker.length), (int)sums->columns, MPI_DOUBLE, from, TAG_SUBTREE, sums->world->comm,
                 MPI_STATUS_IGNORE);
        push(sums, subtrees[i]);
    }
}

const double *column_sums_share(struct column_sums *sums)
{
    const struct world *world = sums->world;
    for (int r = 1; r < world->size && world->rank == 0; r++)
        receive(sums, r);
    for (size_t i = 0; i < sums->walker.length && world->rank != 0; i++)
        MPI_Send(row(sums, i), (int)sums->columns, MPI_DOUBLE, 0, TAG_SUBTREE, world->comm);
    CHECK(world->rank != 0 || sums->walker.length == 1, "all items make one tree");
    world_share(world, sums->waiting, sums->columns * sizeof *sums->waiting);
    return sums->waiting;
}
