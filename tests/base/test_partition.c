#include "base/partition.h"
#include "support/test.h"

#include <stdbool.h>
#include <stdint.h>

/* Owners cover 0..total in order, without gap or overlap, in sizes that differ by at most one. */
static bool tiles(size_t total, size_t parts)
{
    size_t next = 0, smallest = total / parts;
    for (size_t i = 0; i < parts; i++) {
        size_t count = partition_count(total, parts, i);
        if (partition_first(total, parts, i) != next || count < smallest || count > smallest + (total % parts != 0))
            return false;
        next += count;
    }
    return next == total && partition_first(total, parts, parts) == total;
}

static void every_small_partition_tiles(void)
{
    for (size_t total = 0; total <= 200; total++)
        for (size_t parts = 1; parts <= 40; parts++)
            if (!tiles(total, parts))
                CU_FAIL("a small partition does not tile");
    CU_PASS("all tile");
}

static void huge_partitions_tile(void)
{
    static const size_t totals[] = {
        ((size_t)1 << 32) - 1, (size_t)1 << 32, ((size_t)1 << 53) + 1, SIZE_MAX / 3, SIZE_MAX / 2 + 12345,
        SIZE_MAX - 1,          SIZE_MAX};
    static const size_t parts[] = {1, 2, 3, 4, 5, 7, 16, 1000, 65537};
    for (size_t i = 0; i < sizeof totals / sizeof *totals; i++)
        for (size_t j = 0; j < sizeof parts / sizeof *parts; j++)
            CU_ASSERT_TRUE(tiles(totals[i], parts[j]));
}

static void ranges_are_those_of_the_rule(void)
{
    /* 16 leaves on 3 ranks: [0, 5) [5, 10) [10, 16). */
    CU_ASSERT_EQUAL(partition_first(16, 3, 0), 0);
    CU_ASSERT_EQUAL(partition_first(16, 3, 1), 5);
    CU_ASSERT_EQUAL(partition_first(16, 3, 2), 10);
    CU_ASSERT_EQUAL(partition_first(16, 3, 3), 16);
    CU_ASSERT_EQUAL(partition_count(16, 3, 2), 6);
}

static void more_owners_than_things_leave_some_with_none(void)
{
    CU_ASSERT_TRUE(tiles(3, 8));
    CU_ASSERT_TRUE(tiles(0, 8));
    size_t with_one = 0;
    for (size_t i = 0; i < 8; i++)
        with_one += partition_count(3, 8, i);
    CU_ASSERT_EQUAL(with_one, 3);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"every small partition tiles exactly", every_small_partition_tiles},
        {"huge partitions tile exactly", huge_partitions_tile},
        {"the ranges are those of the rule", ranges_are_those_of_the_rule},
        {"more owners than things leave some with none", more_owners_than_things_leave_some_with_none},
        {NULL, NULL},
    };
    return test_run("base/partition", cases);
}
