#include "parallel/tree.h"
#include "support/test.h"

#include "base/partition.h"

#include <math.h>

/* The definition, recursively: what a walker has to come to. */
static double sum_subtree(const double *values, size_t leaves, unsigned level, size_t index)
{
    if (level == 0)
        return values[index];
    double left = sum_subtree(values, leaves, level - 1, 2 * index);
    return (2 * index + 1) << (level - 1) < leaves ? left + sum_subtree(values, leaves, level - 1, 2 * index + 1)
                                                   : left;
}

static unsigned height(size_t leaves)
{
    unsigned level = 0;
    while ((size_t)1 << level < leaves)
        level++;
    return level;
}

/* Numbers whose sum depends on the order in nearly every bit. */
static double value(size_t leaf)
{
    return sin((double)leaf * 12.9898) * pow(10, (double)(leaf % 7) - 3);
}

static void sums_follow_the_definition(void)
{
    double values[130];
    for (size_t i = 0; i < 130; i++)
        values[i] = value(i);
    for (size_t leaves = 1; leaves <= 130; leaves++)
        CU_ASSERT_EQUAL(tree_sum(values, leaves, 1), sum_subtree(values, leaves, height(leaves), 0));
}

static void the_order_matters_for_these_numbers(void)
{
    double values[64], straight = 0;
    for (size_t i = 0; i < 64; i++)
        straight += values[i] = value(i);
    CU_ASSERT_NOT_EQUAL(tree_sum(values, 64, 1), straight);
    CU_ASSERT_DOUBLE_EQUAL(tree_sum(values, 64, 1), straight, 1e-6);
}

static void columns_are_summed_apart(void)
{
    double pairs[14], evens[7];
    for (size_t i = 0; i < 7; i++) {
        evens[i] = pairs[2 * i] = value(i);
        pairs[2 * i + 1] = NAN;
    }
    CU_ASSERT_EQUAL(tree_sum(pairs, 7, 2), tree_sum(evens, 7, 1));
}

/* Each rank sums its leaves, then somebody sums what remains of all ranks, in order. */
static double sum_over_ranks(const double *values, size_t leaves, size_t ranks)
{
    struct tree_walker all;
    double waiting[TREE_DEPTH];
    tree_start(&all, leaves);
    for (size_t r = 0; r < ranks; r++) {
        struct tree_walker own;
        double sums[TREE_DEPTH];
        tree_start(&own, leaves);
        for (size_t leaf = partition_first(leaves, ranks, r); leaf < partition_first(leaves, ranks, r + 1); leaf++) {
            tree_push(&own, (struct subtree){.level = 0, .index = leaf});
            sums[own.length - 1] = values[leaf];
            while (tree_merge(&own))
                sums[own.length - 1] += sums[own.length];
        }
        for (size_t i = 0; i < own.length; i++) {
            tree_push(&all, own.stack[i]);
            waiting[all.length - 1] = sums[i];
            while (tree_merge(&all))
                waiting[all.length - 1] += waiting[all.length];
        }
    }
    CU_ASSERT_EQUAL(all.length, 1);
    return waiting[0];
}

static void any_number_of_ranks_gives_the_same_bits(void)
{
    double values[40];
    for (size_t i = 0; i < 40; i++)
        values[i] = value(i);
    for (size_t leaves = 1; leaves <= 40; leaves++)
        for (size_t ranks = 1; ranks <= leaves; ranks++)
            CU_ASSERT_EQUAL(sum_over_ranks(values, leaves, ranks), tree_sum(values, leaves, 1));
}

static void a_range_leaves_few_subtrees(void)
{
    struct subtree subtrees[TREE_DEPTH];
    size_t deepest;
    CU_ASSERT_EQUAL(tree_cover(8, 0, 8, subtrees, &deepest), 1);
    CU_ASSERT_EQUAL(deepest, 4);
    CU_ASSERT_EQUAL(subtrees[0].level, 3);
    CU_ASSERT_EQUAL(tree_cover(8, 4, 4, subtrees, &deepest), 1);
    CU_ASSERT_EQUAL(subtrees[0].level, 2);
    CU_ASSERT_EQUAL(subtrees[0].index, 1);
    /* Leaves 3 to 7 of 8: leaf 3 waits for leaf 2, which is elsewhere. */
    CU_ASSERT_EQUAL(tree_cover(8, 3, 5, subtrees, &deepest), 2);
    CU_ASSERT_EQUAL(subtrees[0].index, 3);
    CU_ASSERT_EQUAL(subtrees[1].level, 2);
    /* The last of five leaves has no buddies at all: it is its own parent and grandparent. */
    CU_ASSERT_EQUAL(tree_cover(5, 4, 1, subtrees, &deepest), 1);
    CU_ASSERT_EQUAL(subtrees[0].level, 2);
    CU_ASSERT_EQUAL(subtrees[0].index, 1);
    for (size_t first = 0; first < 1000; first += 37)
        for (size_t count = 1; first + count <= 1000; count += 29)
            CU_ASSERT(tree_cover(1000, first, count, subtrees, &deepest) <= 20);
}

int main(void)
{
    const struct test_case cases[] = {
        {"sums follow the definition of the tree", sums_follow_the_definition},
        {"the order matters for the numbers of these tests", the_order_matters_for_these_numbers},
        {"columns are summed apart", columns_are_summed_apart},
        {"any number of ranks gives the same bits", any_number_of_ranks_gives_the_same_bits},
        {"a range of leaves leaves few subtrees", a_range_leaves_few_subtrees},
        {0},
    };
    return test_run("parallel/tree", cases);
}
