#include "checkpoint/passport.h"
#include "support/test.h"

static void assert_changes(const char *saved, const char *now, const char *expected)
{
    struct text changes;
    text_init(&changes);
    passport_compare(saved, now, &changes);
    CU_ASSERT_STRING_EQUAL(text_bytes(&changes), expected);
    text_release(&changes);
}

static void lines_are_keys_and_values(void)
{
    struct text passport;
    text_init(&passport);
    passport_add(&passport, "blas", "OpenBLAS 1 Haswell");
    passport_add(&passport, "compiler", "two\nlines");
    CU_ASSERT_STRING_EQUAL(text_bytes(&passport), "blas: OpenBLAS 1 Haswell\ncompiler: two lines\n");
    text_release(&passport);
}

static void equal_passports_have_no_changes(void)
{
    assert_changes("a: 1\nb: x: y\n", "a: 1\nb: x: y\n", "");
    assert_changes("a: 1\nb: 2\n", "b: 2\na: 1\n", "");
    assert_changes("", "", "");
}

static void each_change_is_named(void)
{
    assert_changes("a: 1\nb: 2\n", "a: 1\nb: 3\n", "b: 2 -> 3\n");
    assert_changes("a: 1\n", "ab: 1\na: 12\n", "a: 1 -> 12\nab: (none) -> 1\n");
    assert_changes("a: 1\nold: 5\n", "a: 1\n", "old: 5 -> (none)\n");
    assert_changes("a: 1", "", "a: 1 -> (none)\n");
}

static void ranks_share_one_passport(void)
{
    struct text merged;
    char *equal[] = {(char *)"a: 1\nb: 2\n", (char *)"a: 1\nb: 2\n"};
    char *mixed[] = {(char *)"a: 1\nb: 2\n", (char *)"a: 1\nb: 3\n", (char *)"a: 1\nb: 2\n", (char *)"a: 1\n"};
    text_init(&merged);
    CU_ASSERT_TRUE(passport_merge(equal, 2, &merged));
    CU_ASSERT_STRING_EQUAL(text_bytes(&merged), "a: 1\nb: 2\n");
    text_release(&merged);
    CU_ASSERT_FALSE(passport_merge(mixed, 4, &merged));
    CU_ASSERT_STRING_EQUAL(text_bytes(&merged), "a: 1\nb: 2 | 3 | (none)\n");
    text_release(&merged);
}

int main(void)
{
    const struct test_case cases[] = {
        {"a passport is lines of keys and values", lines_are_keys_and_values},
        {"equal passports have no changes", equal_passports_have_no_changes},
        {"each change is named", each_change_is_named},
        {"ranks share one passport, which shows where they differ", ranks_share_one_passport},
        {0},
    };
    return test_run("checkpoint/passport", cases);
}
