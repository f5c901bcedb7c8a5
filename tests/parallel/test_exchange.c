/* The exchange against the tree summed by one process, bit for bit, for ranks that share memory, ranks that do not, and
 * pairs. Every rank computes the reference alone. */
#include "parallel/exchange.h"
#include "support/test_mpi.h"

#include "base/digest.h"
#include "base/memory.h"
#include "base/partition.h"
#include "base/rng.h"
#include "parallel/bucket.h"
#include "parallel/tally.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct world world;

/* Element `e` of leaf `leaf` in round `round`: floats of many sizes, so that the order of a sum shows in its bits. */
static float leaf_value(size_t leaf, size_t e, size_t round)
{
    float uniform = rng_uniform(rng_key(round, "exchange test"), leaf * 1000003 + e) - 0.5f;
    return uniform * (float)(1 << (e + leaf) % 20);
}

static float reference(size_t leaves, size_t e, size_t round)
{
    struct tree_walker walker;
    float waiting[TREE_DEPTH];
    tree_start(&walker, leaves);
    for (size_t leaf = 0; leaf < leaves; leaf++) {
        tree_push(&walker, (struct subtree){.level = 0, .index = leaf});
        waiting[walker.length - 1] = leaf_value(leaf, e, round);
        while (tree_merge(&walker))
            waiting[walker.length - 1] += waiting[walker.length];
    }
    return waiting[0];
}

static void write_leaves(struct exchange *x, size_t leaves, size_t count, size_t round)
{
    size_t size = (size_t)world.size, rank = (size_t)world.rank;
    for (size_t leaf = partition_first(leaves, size, rank); leaf < partition_first(leaves, size, rank + 1); leaf++) {
        float *gradient = exchange_leaf(x);
        for (size_t e = 0; e < count; e++)
            gradient[e] = leaf_value(leaf, e, round);
        /* In pieces of any size, the last one first, as backward does it; but one that comes too late for its place. */
        size_t late = count / 2, width = count / 7 + 1, end = count;
        for (; end > late + width; end -= width)
            exchange_leaf_final(x, end - width, width);
        exchange_leaf_final(x, 0, late);
        exchange_leaf_final(x, late, end - late);
    }
}

/* Three rounds, so that old values in the buffers would show; before the parameters of the last one the copies, if
 * there are two, change roles. The norm is of the first `measured` elements. */
static void run_rounds(const struct node *node, size_t leaves, size_t count, size_t measured, size_t copies)
{
    struct exchange *x;
    struct error error;
    bool opened = exchange_open(&x, &world, node, leaves, count, measured, copies, &error);
    CU_ASSERT_TRUE(opened);
    if (!opened)
        return;
    CU_ASSERT_EQUAL(exchange_other_params(x) != NULL, copies == 2);
    struct shard shard = exchange_shard(count, world.size, world.rank);
    float *params = exchange_params(x), divisor = 96;
    for (size_t round = 0; round < 3; round++) {
        float *gradient;
        write_leaves(x, leaves, count, round);
        double norm = exchange_reduce(x, (double)divisor, &gradient), square = 0;
        size_t wrong = 0;
        for (size_t e = 0; e < shard.count; e++)
            wrong += gradient[e] != reference(leaves, shard.first + e, round) / divisor;
        CU_ASSERT_EQUAL(wrong, 0);
        for (size_t e = 0; e < measured; e++) {
            double g = (double)(reference(leaves, e, round) / divisor);
            square += g * g;
        }
        CU_ASSERT(fabs(norm - sqrt(square)) <= 1e-12 * norm);
        double highest, lowest;
        MPI_Allreduce(&norm, &highest, 1, MPI_DOUBLE, MPI_MAX, world.comm);
        MPI_Allreduce(&norm, &lowest, 1, MPI_DOUBLE, MPI_MIN, world.comm);
        CU_ASSERT_EQUAL(highest, lowest);

        bool turns = round == 2 && copies == 2;
        if (turns) {
            exchange_turn(x);
            CU_ASSERT_PTR_EQUAL(exchange_other_params(x), params);
            params = exchange_params(x);
        }
        memcpy(params + shard.first, gradient, shard.count * sizeof *gradient);
        exchange_distribute(x);
        wrong = 0;
        for (size_t first = 0, width = count / 5 + 1; first < count; first += width) {
            size_t n = count - first < width ? count - first : width;
            exchange_await(x, first, n);
            for (size_t e = first; e < first + n; e++)
                wrong += params[e] != reference(leaves, e, round) / divisor;
        }
        CU_ASSERT_PTR_EQUAL(exchange_settle(x), params);
        CU_ASSERT_EQUAL(wrong, 0);
        wrong = 0;
        for (size_t e = 0; turns && e < count; e++)
            wrong += exchange_other_params(x)[e] != reference(leaves, e, 1) / divisor;
        CU_ASSERT_EQUAL(wrong, 0);
        MPI_Barrier(world.comm); /* nobody writes the next round's parameters while others still compare */
    }
    exchange_close(x);
}

static void with_nodes_of(int ranks_per_node)
{
    struct node node;
    size_t n = (size_t)world.size;
    node_open(&node, &world, ranks_per_node);
    /* One leaf a rank; also more ranks than blocks. */
    run_rounds(&node, n, 3 * EXCHANGE_BLOCK + 100, 3 * EXCHANGE_BLOCK + 100, 2);
    run_rounds(&node, 8 > n ? 8 : n, 16, 16, 2);
    run_rounds(&node, 11 + n, 9 * EXCHANGE_BLOCK, 9 * EXCHANGE_BLOCK, 2); /* uneven */
    run_rounds(&node, 16, 2 * EXCHANGE_BLOCK + 1, 2 * EXCHANGE_BLOCK + 1, 1);
    run_rounds(&node, 16, 2 * EXCHANGE_BLOCK + 1, EXCHANGE_BLOCK, 2);    /* with statistics */
    run_rounds(&node, n + 1, 7 * n * EXCHANGE_BLOCK, EXCHANGE_BLOCK, 2); /* several buckets a shard */
    node_close(&node);
}

/* Nothing hangs, and nothing stays under way: another exchange follows at once. */
static void a_step_can_be_given_up(void)
{
    struct node node;
    struct exchange *x;
    struct error error;
    size_t n = (size_t)world.size, count = 7 * n * EXCHANGE_BLOCK;
    node_open(&node, &world, 1);
    CU_ASSERT_TRUE_FATAL(exchange_open(&x, &world, &node, n, count, count, 1, &error));
    write_leaves(x, n, count, 0);
    MPI_Barrier(world.comm); /* as the tally: all leaves of all ranks are complete */
    exchange_close(x);
    run_rounds(&node, n, 3 * EXCHANGE_BLOCK, 3 * EXCHANGE_BLOCK, 1);
    node_close(&node);
}

static void shards_are_cut_into_buckets(void)
{
    for (size_t count = 1; count < 300 * EXCHANGE_BLOCK; count = 3 * count + 4001)
        for (int size = 1; size < 9; size++) {
            struct buckets buckets;
            buckets_init(&buckets, count, size);
            CU_ASSERT_EQUAL(buckets.start[0], 0);
            CU_ASSERT_EQUAL(buckets.start[buckets.count], count);
            for (int r = 0; r < size; r++) {
                struct shard shard = exchange_shard(count, size, r);
                size_t first = buckets.first[r], end = buckets.first[r + 1];
                CU_ASSERT(shard.count == 0 ? first == end : buckets.start[first] == shard.first);
                CU_ASSERT(shard.count == 0 || buckets.start[end] == shard.first + shard.count);
            }
            for (size_t b = 0; b < buckets.count; b++) {
                CU_ASSERT(bucket_floats(&buckets, b) > 0 && bucket_floats(&buckets, b) <= BUCKET_FLOATS);
                CU_ASSERT_EQUAL(buckets_find(&buckets, buckets.start[b]), b);
                CU_ASSERT_EQUAL(buckets_find(&buckets, buckets.start[b + 1] - 1), b);
            }
            buckets_release(&buckets);
        }
}

static void through_shared_memory(void)
{
    with_nodes_of(0);
}

static void through_messages_only(void)
{
    with_nodes_of(1);
}

static void through_both(void)
{
    with_nodes_of(2);
    with_nodes_of(3);
}

static void shards_tile_the_arena(void)
{
    for (size_t count = 1; count < 20 * EXCHANGE_BLOCK; count += 3001)
        for (int size = 1; size < 9; size++) {
            size_t next = 0;
            for (int r = 0; r < size; r++) {
                struct shard shard = exchange_shard(count, size, r);
                CU_ASSERT(shard.first == next);
                CU_ASSERT(shard.first % EXCHANGE_BLOCK == 0 || shard.count == 0);
                next = shard.first + shard.count;
            }
            CU_ASSERT(next == count);
        }
}

static void a_replica_that_differs_is_found(void)
{
    struct node node;
    struct exchange *x;
    struct error error = {0};
    size_t count = 5 * EXCHANGE_BLOCK + 7, blocks = exchange_blocks(count);
    node_open(&node, &world, 1);
    bool opened = exchange_open(&x, &world, &node, (size_t)world.size, count, count, 1, &error);
    CU_ASSERT_TRUE(opened);
    if (opened) {
        uint64_t *digests = memory_need(blocks, sizeof *digests);
        float *params = exchange_params(x);
        for (size_t e = 0; e < count; e++)
            params[e] = leaf_value(0, e, 0);
        digest_blocks(params, count, EXCHANGE_BLOCK, digests);
        size_t wrong = 0;
        CU_ASSERT_TRUE(exchange_check_replica(x, params, digests, &wrong));
        if (world.rank == world.size - 1) {
            union {
                float value;
                uint32_t bits;
            } flipped = {.value = params[2 * EXCHANGE_BLOCK + 5]};
            flipped.bits ^= 1;
            params[2 * EXCHANGE_BLOCK + 5] = flipped.value;
        }
        CU_ASSERT_EQUAL(exchange_check_replica(x, params, digests, &wrong), world.rank != world.size - 1);
        CU_ASSERT(wrong == 2 || world.rank != world.size - 1);
        memory_free(digests);
        exchange_close(x);
    }
    node_close(&node);
}

static void a_tally_reaches_everybody(void)
{
    struct tally tally;
    struct error error;
    for (size_t items = 1; items <= 17; items += 4) {
        CU_ASSERT_TRUE(tally_init(&tally, &world, items, 2, &error));
        double expected[17];
        for (size_t i = 0; i < items; i++)
            expected[i] = (double)leaf_value(i, 7, 3);
        size_t size = (size_t)world.size, rank = (size_t)world.rank;
        for (size_t i = partition_first(items, size, rank); i < partition_first(items, size, rank + 1); i++) {
            tally_item(&tally, i)[0] = expected[i];
            tally_item(&tally, i)[1] = 1;
        }
        unsigned flags = tally_share(&tally, 1u << (world.rank % 31));
        unsigned all = 0;
        for (int r = 0; r < world.size; r++)
            all |= 1u << (r % 31);
        CU_ASSERT_EQUAL(flags, all);
        CU_ASSERT_EQUAL(tally_sum(&tally, 0), tree_sum(expected, items, 1));
        CU_ASSERT_EQUAL(tally_sum(&tally, 1), (double)items);
        tally_release(&tally);
        tally_release(&tally);
    }
}

static void opening(void)
{
    world_open(&world);
    CU_ASSERT_TRUE(world.size > 0);
}

static void closing(void)
{
    world_close(&world);
    CU_ASSERT_EQUAL(world.comm, MPI_COMM_NULL);
}

int main(int argc, char **argv)
{
    const struct test_case cases[] = {
        {"a world opens", opening},
        {"shards tile the arena", shards_tile_the_arena},
        {"shards are cut into buckets", shards_are_cut_into_buckets},
        {"a tally reaches everybody, flags of any rank included", a_tally_reaches_everybody},
        {"the tree's bits come through shared memory", through_shared_memory},
        {"the tree's bits come through messages", through_messages_only},
        {"the tree's bits come through nodes of two and three ranks", through_both},
        {"a step can be given up", a_step_can_be_given_up},
        {"a replica that differs in one bit is found", a_replica_that_differs_is_found},
        {"a world closes", closing},
        {0},
    };
    return test_mpi_run(&argc, &argv, "parallel/exchange", cases);
}
