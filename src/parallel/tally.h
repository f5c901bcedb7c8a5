/* The small numbers of a step: a few doubles a leaf (its loss; of a validation chunk also hits and terms), and one word
 * of flags a rank. They travel in one small message that every step needs anyway, so that any rank's flag reaches all
 * ranks at the same step. */
#ifndef PARALLEL_TALLY_H
#define PARALLEL_TALLY_H

#include "parallel/world.h"

struct tally {
    const struct world *world;
    size_t items;    /* leaves (or validation chunks) of the world, dealt by partition_first */
    size_t columns;  /* doubles an item */
    double *values;  /* [items, columns] */
    double *message; /* private: [size + items * columns] flags and values, rank after rank */
    int *counts, *places;
};

/* Local. columns <= 8. The world is borrowed. */
bool tally_init(struct tally *tally, const struct world *world, size_t items, size_t columns,
                struct error *error) WARN_UNUSED;

/* Local. Accepts a released tally. */
void tally_release(struct tally *tally);

/* Local. The numbers of an item that this rank owns: `columns` doubles to be filled in. */
double *tally_item(struct tally *tally, size_t item);

/* Collective over world. Every rank gets all items; returns the union (bitwise or) of all ranks' flags (32 bits). */
unsigned tally_share(struct tally *tally, unsigned flags);

/* Local, after tally_share: the sum of a column along the leaf tree. Equal bits on every rank and for every number
 * of ranks. items >= 1. */
double tally_sum(const struct tally *tally, size_t column);

#endif
