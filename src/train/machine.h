/* What the machine can do, on all ranks at once: measured, without a job. */
#ifndef TRAIN_MACHINE_H
#define TRAIN_MACHINE_H

#include "parallel/world.h"
#include "train/spread.h"

#define MACHINE_EXCHANGES 3

struct machine {
    int nodes;
    size_t threads;       /* of a rank, that are measured together */
    struct spread flops;  /* of a rank, a second (kernels/peak.h) */
    struct spread memory; /* bytes a second of a = b + c s over arrays of 32 MB, counted as STREAM does: 12 an element
                           * (J. McCalpin, "Memory bandwidth and machine balance in current high performance
                           * computers", IEEE TCCA Newsletter, 1995) */
    double agreement_s;   /* of the small message that every step ends with */
    struct {
        double bytes;   /* of a gradient */
        double seconds; /* for the tree's sum and the distribution of as many parameters; NaN: there is no room */
    } exchanges[MACHINE_EXCHANGES];
};

/* Collective over world; threads, >= 1, must be equal on every rank. Rank 0's is the world's. Takes about a second, and
 * for that time 100 MB of each rank and, in shared memory, at most 2 GB of a node. */
void machine_measure(const struct world *world, size_t threads, struct machine *machine);

/* Collective over world. The peak once more, which counts where it is higher: cores share power, and a host has other
 * guests. */
void machine_measure_peak(const struct world *world, struct machine *machine);

#endif
