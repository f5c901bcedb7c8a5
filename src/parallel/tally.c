#include "parallel/tally.h"

#include "base/check.h"
#include "base/memory.h"
#include "base/partition.h"
#include "base/timeline.h"
#include "parallel/tree.h"

#include <limits.h>
#include <string.h>

bool tally_init(struct tally *tally, const struct world *world, size_t items, size_t columns, struct error *error)
{
    size_t size = (size_t)world->size;
    *tally = (struct tally){.world = world, .items = items, .columns = columns};
    if (items > (size_t)INT_MAX / 16)
        return error_set(error, ERROR_USAGE, "%zu microbatches are too many to be counted one by one", items);
    tally->counts = memory_need(size, sizeof *tally->counts);
    tally->places = memory_need(size, sizeof *tally->places);
    tally->values = memory_alloc(items * columns, sizeof *tally->values, "the numbers of the leaves", error);
    tally->message = memory_alloc(size + items * columns, sizeof *tally->message, "the numbers of the leaves", error);
    if (!tally->values || !tally->message) {
        tally_release(tally);
        return false;
    }
    for (size_t r = 0; r < size; r++) {
        tally->counts[r] = (int)(1 + partition_count(items, size, r) * columns);
        tally->places[r] = (int)(r + partition_first(items, size, r) * columns);
    }
    return true;
}

void tally_release(struct tally *tally)
{
    memory_free(tally->counts);
    memory_free(tally->places);
    memory_free(tally->values);
    memory_free(tally->message);
    memset(tally, 0, sizeof *tally);
}

double *tally_item(struct tally *tally, size_t item)
{
    return tally->values + item * tally->columns;
}

unsigned tally_share(struct tally *tally, unsigned flags)
{
    size_t size = (size_t)tally->world->size, rank = (size_t)tally->world->rank, columns = tally->columns;
    /* A rank's part of the message is its flags (every 32-bit number is a double) and then its items. */
    double *own = tally->message + tally->places[rank];
    own[0] = flags;
    memcpy(own + 1, tally_item(tally, partition_first(tally->items, size, rank)),
           partition_count(tally->items, size, rank) * columns * sizeof *own);
    timeline_begin(MARK_AGREEMENT);
    MPI_Allgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, tally->message, tally->counts, tally->places, MPI_DOUBLE,
                   tally->world->comm);
    timeline_end();
    unsigned all = 0;
    for (size_t r = 0; r < size; r++) {
        const double *part = tally->message + tally->places[r];
        all |= (unsigned)part[0];
        memcpy(tally_item(tally, partition_first(tally->items, size, r)), part + 1,
               partition_count(tally->items, size, r) * columns * sizeof *part);
    }
    return all;
}

double tally_sum(const struct tally *tally, size_t column)
{
    return tree_sum(tally->values + column, tally->items, tally->columns);
}
