#include "base/json.h"
#include "base/text.h"
#include "support/test.h"

#include <string.h>

static const char line[] =
    "{\"event\":\"be\\\"gin\",\"step\":12, \"nested\":{\"step\":99,\"a\":[1,{\"x\":\"}\"}]} ,\"big\":"
    "1.5e3,\"yes\":true,\"no\":false,\"none\":null,\"last\":-0.25}";

static void values_are_found_by_their_key(void)
{
    double number = 0;
    bool truth = false;
    char text[32];
    CU_ASSERT(json_number(line, "step", &number) && number == 12);
    CU_ASSERT(json_number(line, "big", &number) && number == 1500);
    CU_ASSERT(json_number(line, "last", &number) && number == -0.25);
    CU_ASSERT(json_bool(line, "yes", &truth) && truth);
    CU_ASSERT(json_bool(line, "no", &truth) && !truth);
    CU_ASSERT(json_text(line, "event", text, sizeof text));
    CU_ASSERT_STRING_EQUAL(text, "be\"gin");
}

static void what_is_not_there_leaves_the_value_alone(void)
{
    double number = 7;
    bool truth = true;
    char text[8] = "as was";
    CU_ASSERT_FALSE(json_number(line, "x", &number)); /* nested */
    CU_ASSERT_FALSE(json_number(line, "ste", &number));
    CU_ASSERT_FALSE(json_number(line, "none", &number));
    CU_ASSERT_FALSE(json_number(line, "event", &number));
    CU_ASSERT_FALSE(json_bool(line, "step", &truth));
    CU_ASSERT_FALSE(json_text(line, "step", text, sizeof text));
    CU_ASSERT(number == 7 && truth);
    CU_ASSERT_STRING_EQUAL(text, "as was");
}

static void a_text_comes_back_as_it_went_in(void)
{
    static const char *const values[] = {
        "", "plain", "a \"b\" \\ c/d", "two\nlines\t\x01", "n\xc3\xa4h \xf0\x9f\x99\x82", "{\"step\":3}"};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        struct text object;
        char read[64];
        text_init(&object);
        text_append(&object, "{\"a\":1,\"t\":");
        text_append_json(&object, values[i]);
        text_append(&object, ",\"b\":2}");
        CU_ASSERT_TRUE(json_text(text_bytes(&object), "t", read, sizeof read));
        CU_ASSERT_STRING_EQUAL(read, values[i]);
        text_release(&object);
    }
}

static void a_long_text_is_cut_between_characters(void)
{
    char text[5];
    CU_ASSERT_TRUE(json_text("{\"t\":\"abc\xc3\xa4\"}", "t", text, sizeof text));
    CU_ASSERT_STRING_EQUAL(text, "abc");
    CU_ASSERT_TRUE(json_text("{\"t\":\"ab\xc3\xa4\"}", "t", text, sizeof text));
    CU_ASSERT_STRING_EQUAL(text, "ab\xc3\xa4");
}

/* Every prefix of a line, and every byte of it replaced: nothing but an answer. */
static void damage_does_no_harm(void)
{
    char damaged[sizeof line], text[32];
    double number;
    bool truth;
    for (size_t i = 0; i < sizeof line; i++) {
        for (size_t k = 0; k < 6; k++) {
            memcpy(damaged, line, sizeof line);
            damaged[i] = "\0\"\\{}:"[k];
            json_number(damaged, "last", &number);
            json_bool(damaged, "no", &truth);
            json_text(damaged, "event", text, sizeof text);
        }
    }
    CU_ASSERT_FALSE(json_number("", "a", &number));
    CU_ASSERT_FALSE(json_number("{}", "a", &number));
    CU_ASSERT_FALSE(json_number("{\"a\":1", "b", &number));
    CU_ASSERT_FALSE(json_number("{\"a\":12x}", "a", &number));
    CU_ASSERT_FALSE(json_text("{\"a\":\"b\\", "a", text, sizeof text));
}

static void a_line_is_whole_or_not(void)
{
    const char *const whole[] = {"{}", " {\"a\":1}\r", "{\"a\":\"}{\",\"b\":[{},{\"c\":\"\\\"\"}]} \t"};
    const char *const others[] = {"", "x", "{", "{\"a\":\"}", "{\"a\":{}", "{}x", "[]", "{\"a\":\"\\"};
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
        CU_ASSERT_TRUE(json_is_whole(whole[i]));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        CU_ASSERT_FALSE(json_is_whole(others[i]));
}

int main(void)
{
    const struct test_case cases[] = {
        {"values are found by their key", values_are_found_by_their_key},
        {"what is not there leaves the value alone", what_is_not_there_leaves_the_value_alone},
        {"a text comes back as it went in", a_text_comes_back_as_it_went_in},
        {"a long text is cut between characters", a_long_text_is_cut_between_characters},
        {"a line is whole or not", a_line_is_whole_or_not},
        {"damage does no harm", damage_does_no_harm},
        {0},
    };
    return test_run("base/json", cases);
}
