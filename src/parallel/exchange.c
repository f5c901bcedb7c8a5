#include "parallel/exchange.h"

#include "base/check.h"
#include "base/digest.h"
#include "base/memory.h"
#include "base/partition.h"
#include "base/timeline.h"
#include "parallel/bucket.h"
#include "parallel/cover.h"
#include "parallel/exchange_memory.h"
#include "parallel/internode.h"
#include "parallel/promise.h"
#include "parallel/reduction.h"

#include <limits.h>
#include <math.h>
#include <string.h>

struct exchange {
    const struct world *world;
    const struct node *node;
    size_t leaves, count; /* L, P */
    size_t measured;      /* elements of the norm */
    struct shard shard;   /* this rank's */

    struct exchange_memory memory;
    struct buckets buckets;
    struct internode *internode;
    float *params; /* the copy in use */
    float *other;  /* NULL: there is one copy only */
    float *slots;
    struct tree_walker walker; /* of this rank's leaves; slot i holds the value of walker.stack[i] */
    size_t next_leaf, end_leaf;
    size_t merges;  /* what the leaf that was given out is combined with: so many of the slots before its own */
    size_t awaited; /* its elements that are not final yet */

    struct reduction sum; /* of this rank's shard: one result */
    float *gradient;      /* [shard.count] */
    double *squares;      /* [blocks] */
    int *square_counts, *square_places;
};

/* Sources of this rank's shard, from left to right: the nodes are in the order of their leaves. */
static void plan_own_shard(struct exchange *x)
{
    reduction_init(&x->sum, x->leaves);
    for (int node = 0; node < x->node->count; node++)
        if (node == x->node->index)
            internode_add_own(x->internode, &x->sum);
        else
            internode_add_received(x->internode, node, &x->sum);
    CHECK(x->sum.results == 1, "the subtrees of all ranks make one tree");
}

static bool allocate(struct exchange *x, struct error *error)
{
    size_t size = (size_t)x->world->size, blocks = exchange_blocks(x->count);
    x->squares = memory_need(blocks, sizeof *x->squares);
    x->square_counts = memory_need(size, sizeof *x->square_counts);
    x->square_places = memory_need(size, sizeof *x->square_places);
    for (size_t r = 0; r < size; r++) {
        x->square_places[r] = (int)partition_first(blocks, size, r);
        x->square_counts[r] = (int)partition_count(blocks, size, r);
    }
    x->gradient = memory_alloc(x->shard.count, sizeof *x->gradient, "the gradient of a shard", error);
    if (!x->gradient || !internode_open(&x->internode, x->world, x->node, &x->buckets, &x->memory, x->leaves, error))
        return false;
    plan_own_shard(x);
    return true;
}

/* The leaves of the next step are awaited. */
static void begin_step(struct exchange *x)
{
    size_t size = (size_t)x->world->size, rank = (size_t)x->world->rank;
    tree_start(&x->walker, x->leaves);
    x->next_leaf = partition_first(x->leaves, size, rank);
    x->end_leaf = partition_first(x->leaves, size, rank + 1);
}

bool exchange_open(struct exchange **exchange, const struct world *world, const struct node *node, size_t leaves,
                   size_t count, size_t measured, size_t copies, struct error *error)
{
    PROMISE_EQUAL(world, leaves);
    PROMISE_EQUAL(world, count);
    PROMISE_EQUAL(world, measured);
    PROMISE_EQUAL(world, copies);
    struct exchange *x = memory_need(1, sizeof *x);
    *x = (struct exchange){.world = world, .node = node, .leaves = leaves, .count = count, .measured = measured};
    *exchange = NULL;
    CHECK(measured == count || (measured < count && measured % EXCHANGE_BLOCK == 0), "the norm is taken by blocks");
    CHECK(leaves >= (size_t)world->size, "every rank has a leaf");
    x->shard = exchange_shard(count, world->size, world->rank);
    buckets_init(&x->buckets, count, world->size);
    struct subtree subtrees[TREE_DEPTH];
    size_t slots;
    cover_of_rank(world, leaves, world->rank, subtrees, &slots);
    bool ok = x->shard.count <= INT_MAX ||
              error_set(error, ERROR_USAGE, "%zu parameters are too many for %d ranks: use more ranks", count,
                        world->size);
    ok = world_agree(world, ok, error) &&
         exchange_memory_open(&x->memory, world, node, count, copies, slots, internode_marks(&x->buckets, node), error);
    if (!ok) {
        buckets_release(&x->buckets);
        memory_free(x);
        return false;
    }
    x->params = exchange_memory_params(&x->memory, 0);
    x->other = copies > 1 ? exchange_memory_params(&x->memory, 1) : NULL;
    x->slots = exchange_memory_slots(&x->memory, node->rank);
    begin_step(x);
    if (!world_agree_memory(world, allocate(x, error), (slots + 2) * count * sizeof(float), error)) {
        exchange_close(x);
        return false;
    }
    *exchange = x;
    return true;
}

void exchange_close(struct exchange *x)
{
    if (!x)
        return;
    if (x->walker.length > 0) { /* messages of the step that was given up are under way */
        window_fence(&x->memory.window);
        internode_finish(x->internode);
    }
    if (x->internode) /* an exchange that could not be opened may have none */
        internode_settle(x->internode);
    internode_close(x->internode);
    exchange_memory_close(&x->memory);
    buckets_release(&x->buckets);
    reduction_release(&x->sum);
    memory_free(x->gradient);
    memory_free(x->squares);
    memory_free(x->square_counts);
    memory_free(x->square_places);
    memory_free(x);
}

float *exchange_other_params(const struct exchange *x)
{
    return x->other;
}

void exchange_turn(struct exchange *x)
{
    CHECK(x->other, "there is a copy to turn to");
    float *used = x->params;
    x->params = x->other;
    x->other = used;
}

float *exchange_params(const struct exchange *x)
{
    return x->params;
}

float *exchange_leaf(struct exchange *x)
{
    CHECK(x->awaited == 0 && x->next_leaf < x->end_leaf, "the leaf before this one is complete");
    if (x->walker.length == 0)
        internode_begin(x->internode);
    size_t place = x->walker.length;
    tree_push(&x->walker, (struct subtree){.level = 0, .index = x->next_leaf++});
    x->merges = 0;
    while (tree_merge(&x->walker))
        x->merges++;
    x->awaited = x->count;
    return x->slots + place * x->count;
}

void exchange_leaf_final(struct exchange *x, size_t first, size_t count)
{
    CHECK(count <= x->awaited && first <= x->count && count <= x->count - first,
          "each element of a leaf becomes final once");
    x->awaited -= count;
    for (size_t merge = x->merges; merge-- > 0;) {
        float *left = x->slots + (x->walker.length - 1 + merge) * x->count + first;
        timeline_begin(MARK_COMBINE);
        reduction_pair(left, left, left + x->count, count);
        timeline_end();
    }
    if (x->next_leaf == x->end_leaf)
        internode_final(x->internode, first, count);
}

double exchange_reduce(struct exchange *x, double divisor, float **gradient)
{
    CHECK(x->next_leaf == x->end_leaf && x->awaited == 0, "all own leaves are complete");
    PROMISE_EQUAL_REAL(x->world, divisor);
    timeline_begin(MARK_WAIT);
    window_fence(&x->memory.window);
    internode_settle(x->internode);
    internode_finish(x->internode);
    timeline_end();
    timeline_begin(MARK_SUM);
    double *squares = x->squares + x->square_places[x->world->rank];
    for (size_t first = 0; first < x->shard.count; first += EXCHANGE_BLOCK) {
        size_t left = x->shard.count - first, n = left < EXCHANGE_BLOCK ? left : EXCHANGE_BLOCK;
        reduction_run(&x->sum, x->shard.first + first, n, x->gradient + first, n);
        squares[first / EXCHANGE_BLOCK] = reduction_finish(x->gradient + first, n, (float)divisor);
    }
    timeline_end();
    /* Nobody gets all blocks before all have given theirs, and so have read what they need: the slots are free again.
     */
    timeline_begin(MARK_NORM);
    MPI_Allgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, x->squares, x->square_counts, x->square_places, MPI_DOUBLE,
                   x->world->comm);
    double sum = 0;
    for (size_t block = 0; block < exchange_blocks(x->measured); block++)
        sum += x->squares[block];
    timeline_end();
    begin_step(x);
    *gradient = x->gradient;
    return sqrt(sum);
}

void exchange_distribute(struct exchange *x)
{
    timeline_begin(MARK_DISTRIBUTE);
    internode_settle(x->internode);
    internode_distribute(x->internode, x->params);
    if (x->node->count == 1)
        window_fence(&x->memory.window);
    timeline_end();
}

void exchange_await(struct exchange *x, size_t first, size_t count)
{
    CHECK(first <= x->count && count <= x->count - first, "what is awaited lies in the arena");
    internode_await(x->internode, first, count);
}

float *exchange_settle(struct exchange *x)
{
    internode_settle(x->internode);
    return x->params;
}

bool exchange_check_replica(const struct exchange *x, const float *params, const uint64_t *digests, size_t *wrong)
{
    size_t blocks = exchange_blocks(x->count), size = (size_t)x->node->size, rank = (size_t)x->node->rank;
    for (size_t block = partition_first(blocks, size, rank); block < partition_first(blocks, size, rank + 1); block++) {
        size_t first = block * EXCHANGE_BLOCK, left = x->count - first;
        *wrong = block;
        if (digest_bytes(params + first, (left < EXCHANGE_BLOCK ? left : EXCHANGE_BLOCK) * sizeof(float)) !=
            digests[block])
            return false;
    }
    return true;
}
