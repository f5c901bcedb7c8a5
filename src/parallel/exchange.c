#include "parallel/exchange.h"

#include "base/check.h"
#include "base/digest.h"
#include "base/memory.h"
#include "base/partition.h"
#include "base/timeline.h"
#include "parallel/promise.h"
#include "parallel/reduction.h"

#include <limits.h>
#include <math.h>
#include <string.h>

enum { TAG_PARTIAL = 1, TAG_PARAMS = 2 };

/* What this rank does for a shard whose owner is on another node: it adds up the node's subtrees of that shard, sends
 * them, and receives the new parameters for its node. The ranks of a node share these relays evenly. */
struct relay {
    int owner;
    struct shard shard;
    struct reduction sum; /* of the node's subtrees; sum.results parts */
    float *parts;         /* [sum.results, shard.count] to be sent */
};

struct exchange {
    const struct world *world;
    const struct node *node;
    size_t leaves, count; /* L, P */
    size_t measured;      /* elements of the norm */
    size_t copies;        /* of the parameters */
    struct shard shard;   /* this rank's */

    struct window window; /* node rank 0: params [copies, P]; then every rank: slots [P] each */
    float *params;        /* the copy in use */
    float *other;         /* NULL: there is one copy only */
    float *slots;
    struct tree_walker walker; /* of this rank's leaves; slot i holds the value of walker.stack[i] */
    size_t next_leaf;
    size_t awaited; /* elements of the leaf that was given out which are not final yet */

    struct relay *relays;
    int relay_count;
    struct reduction sum; /* of this rank's shard: one result */
    float *received;      /* the other nodes' parts of this rank's shard, one after the other */
    int received_count;   /* parts */
    int *received_from;   /* [received_count] world rank that sends it */
    MPI_Request *requests;

    float *gradient; /* [shard.count] */
    double *squares; /* [blocks] */
    int *square_counts, *square_places;
};

size_t exchange_blocks(size_t count)
{
    return (count + EXCHANGE_BLOCK - 1) / EXCHANGE_BLOCK;
}

struct shard exchange_shard(size_t count, int size, int rank)
{
    size_t blocks = exchange_blocks(count);
    size_t first = partition_first(blocks, (size_t)size, (size_t)rank) * EXCHANGE_BLOCK;
    size_t end = partition_first(blocks, (size_t)size, (size_t)rank + 1) * EXCHANGE_BLOCK;
    return (struct shard){.first = first < count ? first : count,
                          .count = (end < count ? end : count) - (first < count ? first : count)};
}

/* The subtrees that remain of a rank's own leaves, and how many slots it needs on the way. */
static size_t rank_cover(const struct exchange *x, int rank, struct subtree subtrees[TREE_DEPTH], size_t *slots)
{
    size_t size = (size_t)x->world->size, r = (size_t)rank;
    return tree_cover(x->leaves, partition_first(x->leaves, size, r), partition_count(x->leaves, size, r), subtrees,
                      slots);
}

/* The world rank on `node` that runs the relay for the shard of `owner`. */
static int relay_rank(const struct exchange *x, int node, int owner)
{
    int turn = owner % x->node->sizes[node];
    for (int r = 0; r < x->world->size; r++)
        if (x->node->node_of[r] == node && x->node->rank_of[r] == turn)
            return r;
    CHECK(false, "every node has its ranks");
    return -1;
}

/* Adds the subtrees of all ranks of this node as sources, straight from their slots. */
static void add_own_node(const struct exchange *x, struct reduction *sum)
{
    for (int r = 0; r < x->world->size; r++) {
        if (x->node->node_of[r] != x->node->index)
            continue;
        struct subtree subtrees[TREE_DEPTH];
        size_t length = rank_cover(x, r, subtrees, NULL);
        const float *piece = window_piece(&x->window, x->node->rank_of[r]);
        const float *slots = piece + (x->node->rank_of[r] == 0 ? x->copies * x->count : 0);
        for (size_t i = 0; i < length; i++)
            reduction_add(sum, subtrees[i], slots + i * x->count, 0);
    }
}

/* The subtrees that remain on a node after it has added up its own; returns how many. */
static size_t node_cover(const struct exchange *x, int node, struct subtree subtrees[TREE_DEPTH])
{
    struct tree_walker walker;
    tree_start(&walker, x->leaves);
    for (int r = 0; r < x->world->size; r++) {
        struct subtree own[TREE_DEPTH];
        size_t length = x->node->node_of[r] == node ? rank_cover(x, r, own, NULL) : 0;
        for (size_t i = 0; i < length; i++) {
            tree_push(&walker, own[i]);
            while (tree_merge(&walker))
                ;
        }
    }
    memcpy(subtrees, walker.stack, walker.length * sizeof *subtrees);
    return walker.length;
}

static bool plan_relays(struct exchange *x, struct error *error)
{
    int size = x->world->size;
    x->relays = memory_need((size_t)size, sizeof *x->relays);
    for (int owner = 0; owner < size; owner++) {
        if (x->node->node_of[owner] == x->node->index || relay_rank(x, x->node->index, owner) != x->world->rank)
            continue;
        struct relay *relay = &x->relays[x->relay_count++];
        relay->owner = owner;
        relay->shard = exchange_shard(x->count, size, owner);
        reduction_init(&relay->sum, x->leaves);
        add_own_node(x, &relay->sum);
        relay->parts = memory_alloc(relay->sum.results * relay->shard.count, sizeof *relay->parts,
                                    "the parts for other nodes", error);
        if (!relay->parts)
            return false;
    }
    return true;
}

/* Sources of this rank's shard, from left to right: the nodes are in the order of their leaves. */
static bool plan_own_shard(struct exchange *x, struct error *error)
{
    struct subtree subtrees[TREE_DEPTH];
    size_t parts = 0;
    for (int node = 0; node < x->node->count; node++)
        parts += node == x->node->index ? 0 : node_cover(x, node, subtrees);
    x->received = memory_alloc(parts * x->shard.count, sizeof *x->received, "the parts of other nodes", error);
    x->received_from = memory_need(parts, sizeof *x->received_from);
    if (!x->received)
        return false;
    reduction_init(&x->sum, x->leaves);
    for (int node = 0; node < x->node->count; node++) {
        if (node == x->node->index) {
            add_own_node(x, &x->sum);
            continue;
        }
        size_t length = node_cover(x, node, subtrees);
        for (size_t i = 0; i < length; i++) {
            x->received_from[x->received_count] = relay_rank(x, node, x->world->rank);
            reduction_add(&x->sum, subtrees[i], x->received + (size_t)x->received_count++ * x->shard.count,
                          x->shard.first);
        }
    }
    CHECK(x->sum.results == 1, "the subtrees of all ranks make one tree");
    return true;
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
    return x->gradient && plan_relays(x, error) && plan_own_shard(x, error);
}

/* Collective over world. Other nodes may have more ranks, and need longer. */
static bool open_window(struct exchange *x, size_t bytes, struct error *error)
{
    size_t most = bytes + (1 + x->copies) * x->count * sizeof(float);
    return world_agree_memory(x->world, window_open(&x->window, x->node, bytes, "the buffers of the exchange", error),
                              most, error);
}

bool exchange_open(struct exchange **exchange, const struct world *world, const struct node *node, size_t leaves,
                   size_t count, size_t measured, size_t copies, struct error *error)
{
    PROMISE_EQUAL(world, leaves);
    PROMISE_EQUAL(world, count);
    PROMISE_EQUAL(world, measured);
    PROMISE_EQUAL(world, copies);
    struct exchange *x = memory_need(1, sizeof *x);
    *x = (struct exchange){
        .world = world, .node = node, .leaves = leaves, .count = count, .measured = measured, .copies = copies};
    *exchange = NULL;
    CHECK(measured == count || (measured < count && measured % EXCHANGE_BLOCK == 0), "the norm is taken by blocks");
    CHECK(leaves >= (size_t)world->size, "every rank has a leaf");
    x->shard = exchange_shard(count, world->size, world->rank);
    struct subtree subtrees[TREE_DEPTH];
    size_t slots;
    rank_cover(x, world->rank, subtrees, &slots);
    size_t floats = (slots + (node->rank == 0 ? copies : 0)) * count;
    bool ok = x->shard.count <= INT_MAX ||
              error_set(error, ERROR_USAGE, "%zu parameters are too many for %d ranks: use more ranks", count,
                        world->size);
    ok = world_agree(world, ok, error);
    if (!ok || !open_window(x, floats * sizeof(float), error)) {
        if (ok && x->window.memory)
            window_close(&x->window);
        memory_free(x);
        return false;
    }
    x->params = window_piece(&x->window, 0);
    x->other = copies > 1 ? x->params + count : NULL;
    x->slots = (float *)x->window.memory + (node->rank == 0 ? copies * count : 0);
    tree_start(&x->walker, leaves);
    ok = world_agree_memory(world, allocate(x, error), (slots + 2) * count * sizeof(float), error);
    x->requests = memory_need((size_t)(2 * world->size + x->received_count) * (TREE_DEPTH + 1), sizeof *x->requests);
    x->next_leaf = partition_first(leaves, (size_t)world->size, (size_t)world->rank);
    if (!ok) {
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
    window_close(&x->window);
    for (int i = 0; i < x->relay_count; i++) {
        reduction_release(&x->relays[i].sum);
        memory_free(x->relays[i].parts);
    }
    memory_free(x->relays);
    reduction_release(&x->sum);
    memory_free(x->received);
    memory_free(x->received_from);
    memory_free(x->requests);
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

float *exchange_leaf(struct exchange *x, size_t elements)
{
    CHECK(x->awaited == 0, "the leaf before this one is complete");
    x->awaited = elements;
    return x->slots + x->walker.length * x->count;
}

/* Combines the leaf with its buddies as far as they are here. */
static void combine(struct exchange *x)
{
    tree_push(&x->walker, (struct subtree){.level = 0, .index = x->next_leaf++});
    while (tree_merge(&x->walker)) {
        float *left = x->slots + (x->walker.length - 1) * x->count;
        timeline_begin(MARK_COMBINE);
        reduction_pair(left, left, left + x->count, x->count);
        timeline_end();
    }
}

void exchange_leaf_final(struct exchange *x, size_t first, size_t count)
{
    CHECK(count <= x->awaited && first <= x->count && count <= x->count - first,
          "each element of a leaf becomes final once");
    x->awaited -= count;
    if (x->awaited == 0 && count > 0)
        combine(x);
}

/* Other nodes' parts of our shard come in, our node's parts of their shards go out. */
static void exchange_parts(struct exchange *x)
{
    int open = 0;
    for (int i = 0; i < x->received_count; i++)
        MPI_Irecv(x->received + (size_t)i * x->shard.count, (int)x->shard.count, MPI_FLOAT, x->received_from[i],
                  TAG_PARTIAL, x->world->comm, &x->requests[open++]);
    for (int i = 0; i < x->relay_count; i++) {
        struct relay *relay = &x->relays[i];
        reduction_run(&relay->sum, relay->shard.first, relay->shard.count, relay->parts);
        for (size_t part = 0; part < relay->sum.results; part++)
            MPI_Isend(relay->parts + part * relay->shard.count, (int)relay->shard.count, MPI_FLOAT, relay->owner,
                      TAG_PARTIAL, x->world->comm, &x->requests[open++]);
    }
    MPI_Waitall(open, x->requests, MPI_STATUSES_IGNORE);
}

double exchange_reduce(struct exchange *x, double divisor, float **gradient)
{
    size_t size = (size_t)x->world->size, rank = (size_t)x->world->rank;
    CHECK(x->next_leaf == partition_first(x->leaves, size, rank + 1) && x->awaited == 0, "all own leaves are complete");
    PROMISE_EQUAL_REAL(x->world, divisor);
    timeline_begin(MARK_WAIT);
    window_fence(&x->window);
    timeline_end();
    timeline_begin(MARK_SUM);
    if (x->node->count > 1)
        exchange_parts(x);
    double *squares = x->squares + x->square_places[rank];
    for (size_t first = 0; first < x->shard.count; first += EXCHANGE_BLOCK) {
        size_t left = x->shard.count - first, n = left < EXCHANGE_BLOCK ? left : EXCHANGE_BLOCK;
        reduction_run(&x->sum, x->shard.first + first, n, x->gradient + first);
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
    tree_start(&x->walker, x->leaves);
    x->next_leaf = partition_first(x->leaves, size, rank);
    *gradient = x->gradient;
    return sqrt(sum);
}

void exchange_distribute(struct exchange *x)
{
    int open = 0;
    timeline_begin(MARK_DISTRIBUTE);
    for (int i = 0; i < x->relay_count; i++)
        MPI_Irecv(x->params + x->relays[i].shard.first, (int)x->relays[i].shard.count, MPI_FLOAT, x->relays[i].owner,
                  TAG_PARAMS, x->world->comm, &x->requests[open++]);
    for (int node = 0; node < x->node->count; node++)
        if (node != x->node->index)
            MPI_Isend(x->params + x->shard.first, (int)x->shard.count, MPI_FLOAT, relay_rank(x, node, x->world->rank),
                      TAG_PARAMS, x->world->comm, &x->requests[open++]);
    MPI_Waitall(open, x->requests, MPI_STATUSES_IGNORE);
    window_fence(&x->window);
    timeline_end();
}

bool exchange_check_replica(const struct exchange *x, const float *params, const uint64_t *digests, struct error *error)
{
    size_t blocks = exchange_blocks(x->count), size = (size_t)x->node->size, rank = (size_t)x->node->rank;
    for (size_t block = partition_first(blocks, size, rank); block < partition_first(blocks, size, rank + 1); block++) {
        size_t first = block * EXCHANGE_BLOCK, left = x->count - first;
        uint64_t found = digest_bytes(params + first, (left < EXCHANGE_BLOCK ? left : EXCHANGE_BLOCK) * sizeof(float));
        if (found != digests[block])
            return error_set(
                error, ERROR_STATE,
                "this node's copy of the parameters differs from the owner's in block %zu: memory or network "
                "of this node is not to be trusted",
                block);
    }
    return true;
}
