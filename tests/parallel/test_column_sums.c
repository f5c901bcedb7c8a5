#include "parallel/column_sums.h"
#include "support/test_mpi.h"

#include "base/memory.h"

#include <math.h>
#include <string.h>

enum { COLUMNS = 3 };

static struct world world;

/* Numbers whose sum depends on the order in nearly every bit. */
static double value(size_t item, size_t column)
{
    return sin((double)(COLUMNS * item + column) * 12.9898) * pow(10, (double)(item % 7) - 3);
}

static void add_own(struct column_sums *sums, size_t items, size_t scale)
{
    size_t size = (size_t)world.size, rank = (size_t)world.rank;
    column_sums_begin(sums);
    for (size_t item = items * rank / size; item < items * (rank + 1) / size; item++) {
        double *values = column_sums_next(sums);
        for (size_t c = 0; c < COLUMNS; c++)
            values[c] += (double)scale * value(item, c);
        column_sums_add(sums);
    }
}

/* Twice, so that what was left of the first would show. More ranks than items, too. */
static void sums_are_those_of_the_tree_on_every_rank(void)
{
    double values[130 * COLUMNS];
    for (size_t i = 0; i < 130 * COLUMNS; i++)
        values[i] = value(i / COLUMNS, i % COLUMNS);
    for (size_t items = 1; items <= 130; items += items < 20 ? 1 : 11) {
        struct column_sums sums;
        struct error error;
        bool ok = column_sums_init(&sums, &world, items, COLUMNS, &error);
        CU_ASSERT_TRUE(ok);
        for (size_t scale = 1; ok && scale <= 2; scale++) {
            add_own(&sums, items, scale);
            const double *found = column_sums_share(&sums);
            for (size_t c = 0; c < COLUMNS; c++)
                CU_ASSERT_EQUAL(found[c], (double)scale * tree_sum(values + c, items, COLUMNS));
        }
        column_sums_release(&sums);
        column_sums_release(&sums);
    }
}

static void whole_numbers_are_summed(void)
{
    uint64_t values[] = {1, (uint64_t)world.rank, UINT64_C(1) << 53};
    uint64_t size = (uint64_t)world.size;
    world_sum(&world, values, 3);
    CU_ASSERT(values[0] == size && values[1] == size * (size - 1) / 2 && values[2] == size << 53);
}

static void opening(void)
{
    world_open(&world);
}

static void closing(void)
{
    world_close(&world);
}

int main(int argc, char **argv)
{
    const struct test_case cases[] = {
        {"a world opens", opening},
        {"sums are those of the tree, on every rank", sums_are_those_of_the_tree_on_every_rank},
        {"whole numbers are summed", whole_numbers_are_summed},
        {"a world closes", closing},
        {0},
    };
    return test_mpi_run(&argc, &argv, "parallel/column_sums", cases);
}
