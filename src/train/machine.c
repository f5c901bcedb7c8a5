#include "train/machine.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/partition.h"
#include "base/target.h"
#include "base/team.h"
#include "nn/kernels/numerics.h"
#include "nn/kernels/peak.h"
#include "parallel/exchange.h"
#include "parallel/tally.h"

#include <math.h>
#include <stdlib.h>

#define TRIAD_FLOATS    ((size_t)8 << 20)
#define TRIADS          7
#define EXCHANGES       9
#define AGREEMENTS      200
#define NODE_BYTES_MOST 2e9

static const size_t exchange_floats[MACHINE_EXCHANGES] = {(size_t)1 << 20, (size_t)4 << 20, (size_t)16 << 20};

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, compare);
    return values[count / 2];
}

/* ---- the cores and their memory ---- */

/* So many threads, or as many as the system has; the caller closes the team. */
static struct team *open_team(size_t threads)
{
    struct team *team;
    struct error error;
    return threads > 1 && team_open(&team, threads, &error) ? team : NULL;
}

static void find_peak(void *context, size_t i, size_t thread)
{
    (void)thread;
    ((double *)context)[i] = peak_flops();
}

void machine_measure_peak(const struct world *world, struct machine *machine)
{
    struct spread found;
    double flops = 0, parts[TEAM_THREADS_MOST] = {0};
    numerics_enter();
    struct team *team = open_team(machine->threads);
    world_union(world, 0); /* all at once */
    team_run(team, team_threads(team), find_peak, parts);
    for (size_t i = 0; i < TEAM_THREADS_MOST; i++)
        flops += parts[i];
    team_close(team);
    spread_find(world, &flops, 1, &found);
    if (world->rank == 0 && found.sum > machine->flops.sum)
        machine->flops = found;
}

TARGET_CLONES static void triad(size_t count, float *a, const float *b, const float *c, float s)
{
    for (size_t i = 0; i < count; i++)
        a[i] = b[i] + c[i] * s;
}

struct triads {
    float *arrays; /* [3, TRIAD_FLOATS] */
    size_t parts;
};

static void run_triad(void *context, size_t i, size_t thread)
{
    const struct triads *triads = context;
    size_t first = partition_first(TRIAD_FLOATS, triads->parts, i);
    (void)thread;
    triad(partition_count(TRIAD_FLOATS, triads->parts, i), triads->arrays + first,
          triads->arrays + TRIAD_FLOATS + first, triads->arrays + 2 * TRIAD_FLOATS + first, 0.5F);
}

static void measure_memory(const struct world *world, struct machine *machine)
{
    float *arrays = memory_need(3 * TRIAD_FLOATS, sizeof *arrays);
    double seconds[TRIADS];
    struct team *team = open_team(machine->threads);
    struct triads triads = {.arrays = arrays, .parts = team_threads(team)};
    for (size_t i = 0; i < TRIADS; i++) {
        world_union(world, 0);
        double begin = clock_seconds();
        team_run(team, triads.parts, run_triad, &triads);
        seconds[i] = clock_seconds() - begin;
    }
    double rate = 3.0 * sizeof(float) * (double)TRIAD_FLOATS / median(seconds, TRIADS);
    spread_find(world, &rate, 1, &machine->memory);
    team_close(team);
    memory_free(arrays);
}

/* ---- what the ranks have together ---- */

static double measure_agreement(const struct world *world)
{
    struct tally tally;
    struct error error;
    double seconds[AGREEMENTS];
    bool ok = tally_init(&tally, world, (size_t)world->size, 3, &error);
    if (!world_agree(world, ok, &error)) {
        tally_release(&tally);
        return (double)NAN;
    }
    for (size_t i = 0; i < AGREEMENTS; i++) {
        double begin = clock_seconds();
        tally_share(&tally, 0);
        seconds[i] = clock_seconds() - begin;
    }
    tally_release(&tally);
    return median(seconds, AGREEMENTS);
}

/* As a step does it, with one leaf a rank. */
static double measure_exchange(const struct world *world, const struct node *node, size_t count)
{
    struct exchange *exchange;
    struct error error;
    double seconds[EXCHANGES];
    float *gradient;
    uint64_t most_ranks = (uint64_t)node->size;
    world_most(world, &most_ranks, 1);
    if ((double)(most_ranks + 1) * (double)count * sizeof(float) > NODE_BYTES_MOST ||
        !exchange_open(&exchange, world, node, (size_t)world->size, count, count, 1, &error))
        return (double)NAN;
    for (size_t i = 0; i < EXCHANGES; i++) {
        float *leaf = exchange_leaf(exchange);
        for (size_t j = 0; j < count; j++) /* into this core's cache, as backward does */
            leaf[j] = (float)(j % 16);
        exchange_leaf_final(exchange, 0, count);
        world_union(world, 0);
        double begin = clock_seconds();
        exchange_reduce(exchange, 1, &gradient);
        exchange_distribute(exchange);
        exchange_settle(exchange);
        seconds[i] = clock_seconds() - begin;
    }
    exchange_close(exchange);
    return median(seconds, EXCHANGES);
}

void machine_measure(const struct world *world, size_t threads, struct machine *machine)
{
    struct node node;
    *machine = (struct machine){.threads = threads};
    machine_measure_peak(world, machine);
    measure_memory(world, machine);
    machine->agreement_s = measure_agreement(world);
    node_open(&node, world, 0);
    machine->nodes = node.count;
    for (size_t i = 0; i < MACHINE_EXCHANGES; i++) {
        machine->exchanges[i].bytes = (double)exchange_floats[i] * sizeof(float);
        machine->exchanges[i].seconds = measure_exchange(world, &node, exchange_floats[i]);
    }
    node_close(&node);
}
