/* A number of each rank, as people look at it. */
#ifndef TRAIN_SPREAD_H
#define TRAIN_SPREAD_H

#include "parallel/world.h"

struct spread {
    double own;         /* rank 0's */
    double least, most; /* of all ranks */
    double sum;
};

/* Collective over world; count must be equal on every rank. Of each of the values, on rank 0. */
void spread_find(const struct world *world, const double *values, size_t count, struct spread *spreads);

#endif
