/* Numbers in others' texts. */
#include "base/number.h"

#include "base/clock.h"
#include "support/test.h"

#include <math.h>
#include <string.h>

static bool reads(const char *text, uint64_t most, uint64_t expected)
{
    uint64_t number = 77;
    return number_whole(text, SIZE_MAX, most, &number) && number == expected;
}

static void whole_numbers_are_digits(void)
{
    CU_ASSERT_TRUE(reads("0", 10, 0));
    CU_ASSERT_TRUE(reads("007", 10, 7));
    CU_ASSERT_TRUE(reads("18446744073709551615", UINT64_MAX, UINT64_MAX));
    CU_ASSERT_TRUE(reads("65535", 65535, 65535));
}

static void what_is_none_leaves_the_number(void)
{
    static const char *const wrong[] = {"", " 4", "-1", "+1", "0x10", "4 ", "4,", "1e3", "12", "18446744073709551616"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        uint64_t number = 77;
        CU_ASSERT_FALSE(number_whole(wrong[i], SIZE_MAX, 11, &number));
        CU_ASSERT_EQUAL(number, 77);
    }
    CU_ASSERT_FALSE(reads("18446744073709551616", UINT64_MAX, 0));
    CU_ASSERT_FALSE(reads("99999999999999999999999999", UINT64_MAX, UINT64_MAX));
}

static void only_the_bytes_that_belong_to_it_are_read(void)
{
    uint64_t number;
    CU_ASSERT_TRUE(number_whole("123456", 3, 1000, &number));
    CU_ASSERT_EQUAL(number, 123);
    CU_ASSERT_EQUAL(number_digits("12a", 3), 2);
    CU_ASSERT_EQUAL(number_digits("123", 1), 1);
    CU_ASSERT_EQUAL(number_digits("", SIZE_MAX), 0);
}

static void every_number_is_bounded_before_it_is_a_count(void)
{
    CU_ASSERT_EQUAL(number_bounded(7.9, 100), 7);
    CU_ASSERT_EQUAL(number_bounded(6e81, 100), 100);
    CU_ASSERT_EQUAL(number_bounded(INFINITY, UINT64_MAX), UINT64_MAX);
    CU_ASSERT_EQUAL(number_bounded(NAN, 100), 0);
    CU_ASSERT_EQUAL(number_bounded(-5, 100), 0);
}

static void a_time_that_is_none_is_unknown(void)
{
    static const double none[] = {6e81, -6e81, NAN, INFINITY};
    char text[CLOCK_TEXT_BYTES];
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        clock_text_exact(none[i], text);
        CU_ASSERT_STRING_EQUAL(text, "unknown");
    }
    clock_text_exact(1795712781.9, text);
    CU_ASSERT_STRING_EQUAL(text, "2026-11-26T17:06:21Z");
}

int main(void)
{
    static const struct test_case cases[] = {
        {"whole numbers are digits", whole_numbers_are_digits},
        {"what is none leaves the number", what_is_none_leaves_the_number},
        {"only the bytes that belong to it are read", only_the_bytes_that_belong_to_it_are_read},
        {"every number is bounded before it is a count", every_number_is_bounded_before_it_is_a_count},
        {"a time that is none is unknown", a_time_that_is_none_is_unknown},
        {0},
    };
    return test_run("base/number", cases);
}
