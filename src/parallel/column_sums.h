/* Sums of vectors along the leaf tree, in double: for what is wanted once, not in every step. Of each rank the subtrees
 * of its items are kept, not the items. */
#ifndef PARALLEL_COLUMN_SUMS_H
#define PARALLEL_COLUMN_SUMS_H

#include "parallel/tree.h"
#include "parallel/world.h"

struct column_sums {
    const struct world *world;
    size_t items;   /* of the world, dealt by partition_first */
    size_t columns; /* of an item's vector */
    size_t next;    /* private: item */
    struct tree_walker walker;
    double *waiting; /* private: [rows, columns] a row for each of walker.stack */
    size_t rows;     /* private */
};

/* Local. The world is borrowed. Release accepts a released one. */
bool column_sums_init(struct column_sums *sums, const struct world *world, size_t items, size_t columns,
                      struct error *error) WARN_UNUSED;
void column_sums_release(struct column_sums *sums);

/* Local. Nothing is added yet. */
void column_sums_begin(struct column_sums *sums);

/* Local. The vector of this rank's next item, in order, all 0: [columns], to be filled in; column_sums_add then adds it
 * to the others. */
double *column_sums_next(struct column_sums *sums);
void column_sums_add(struct column_sums *sums);

/* Collective over world, once each rank has added all its items. The sums, on every rank, for every number of ranks
 * with equal bits; borrowed, until column_sums_begin. */
const double *column_sums_share(struct column_sums *sums);

#endif
