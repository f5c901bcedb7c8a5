#include "base/text.h"
#include "support/test.h"

#include <string.h>

static void a_new_text_is_empty(void)
{
    struct text text;
    text_init(&text);
    CU_ASSERT_STRING_EQUAL(text_bytes(&text), "");
    CU_ASSERT_EQUAL(text.length, 0);
    text_append(&text, "%s", "");
    CU_ASSERT_STRING_EQUAL(text_bytes(&text), "");
    text_release(&text);
}

static void appending_adds_at_the_end(void)
{
    struct text text;
    text_init(&text);
    text_append(&text, "step=%d", 12);
    text_append(&text, " loss=%.2f", 0.5);
    CU_ASSERT_STRING_EQUAL(text_bytes(&text), "step=12 loss=0.50");
    CU_ASSERT_EQUAL(text.length, strlen("step=12 loss=0.50"));
    text_release(&text);
}

static void a_text_grows_as_far_as_needed(void)
{
    enum { TIMES = 20000 };
    struct text text;
    text_init(&text);
    for (int i = 0; i < TIMES; i++)
        text_append(&text, "%05d,", i);
    CU_ASSERT_EQUAL(text.length, 6 * TIMES);
    CU_ASSERT_EQUAL(strlen(text_bytes(&text)), 6 * TIMES);
    CU_ASSERT_EQUAL(strncmp(text_bytes(&text), "00000,00001,", 12), 0);
    CU_ASSERT_STRING_EQUAL(text_bytes(&text) + 6 * (TIMES - 1), "19999,");
    text_release(&text);
}

static void a_released_text_can_be_released_and_used(void)
{
    struct text text;
    text_init(&text);
    text_append(&text, "before");
    text_release(&text);
    text_release(&text);
    CU_ASSERT_STRING_EQUAL(text_bytes(&text), "");
    text_append(&text, "after");
    CU_ASSERT_STRING_EQUAL(text_bytes(&text), "after");
    text_release(&text);
}

static void json_strings_are_escaped(void)
{
    static const struct {
        const char *value;
        const char *json;
    } cases[] = {
        {"", "\"\""},
        {"plain words", "\"plain words\""},
        {"say \"no\"", "\"say \\\"no\\\"\""},
        {"back\\slash", "\"back\\\\slash\""},
        {"two\nlines\tand\rmore", "\"two\\u000alines\\u0009and\\u000dmore\""},
        {"\x01 \x1f \x7f", "\"\\u0001 \\u001f \\u007f\""},
        {"a percent %s %n %d", "\"a percent %s %n %d\""},
        {"\xc2\x9b!31m \xe2\x80\xaegnp", "\"\\u009b!31m \\u202egnp\""},
        {"a slash / stays", "\"a slash / stays\""},
        {"na\xc3\xafve \xe6\x97\xa5\xe6\x9c\xac \xf0\x9f\x99\x82",
         "\"na\xc3\xafve \xe6\x97\xa5\xe6\x9c\xac \xf0\x9f\x99\x82\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct text text;
        text_init(&text);
        text_append_json(&text, cases[i].value);
        CU_ASSERT_STRING_EQUAL(text_bytes(&text), cases[i].json);
        text_release(&text);
    }
}

/* What of a text is shown to people. */
static void check_shown(const char *bytes, size_t count, enum text_breaks breaks, const char *expected)
{
    struct text text;
    text_init(&text);
    text_append_shown(&text, bytes, count, breaks);
    CU_ASSERT_STRING_EQUAL(text_bytes(&text), expected);
    struct text again;
    text_init(&again);
    text_append_shown(&again, text_bytes(&text), text.length, breaks);
    CU_ASSERT_STRING_EQUAL(text_bytes(&again), expected);
    text_release(&again);
    text_release(&text);
}

static void what_a_terminal_would_obey_is_escaped(void)
{
    static const struct {
        const char *bytes, *shown;
    } cases[] = {
        {"", ""},
        {"plain words, 100 %s \\ \"", "plain words, 100 %s \\ \""},
        {"\x1b]0;owned\x07\x1b[31m", "\\x1b]0;owned\\x07\\x1b[31m"},
        {"a\rb\tc\x7f", "a\\x0db\\x09c\\x7f"},
        {"na\xc3\xafve \xe6\x97\xa5\xe6\x9c\xac \xf0\x9f\x99\x82",
         "na\xc3\xafve \xe6\x97\xa5\xe6\x9c\xac \xf0\x9f\x99\x82"},
        {"C1 \xc2\x9b"
         "31m, \xc2\xa0",
         "C1 \\u009b31m, \xc2\xa0"},
        {"bytes \x9b \xff \xc3", "bytes \\x9b \\xff \\xc3"},
        {"\xe2\x80\xaetxt.exe \xe2\x81\xa6 \xe2\x80\xa8 \xe2\x80\x8b \xef\xbb\xbf",
         "\\u202etxt.exe \\u2066 \\u2028 \\u200b \\ufeff"},
        {"\xf3\xa0\x81\x81", "\\U000e0041"},
        {"\xed\xa0\x80 \xc0\x9b", "\\xed\\xa0\\x80 \\xc0\\x9b"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (enum text_breaks breaks = BREAKS_NONE; breaks <= BREAKS_INDENTED; breaks++)
            check_shown(cases[i].bytes, strlen(cases[i].bytes), breaks, cases[i].shown);
    check_shown("a\0b", 3, BREAKS_NONE, "a\\x00b");
}

static void every_byte_that_is_shown_is_harmless(void)
{
    for (int first = 0; first < 256; first++)
        for (int second = 0; second < 256; second++) {
            const char bytes[] = {(char)first, (char)second, 'x'};
            struct text text;
            text_init(&text);
            text_append_shown(&text, bytes, sizeof bytes, BREAKS_NONE);
            for (size_t i = 0; i < text.length; i++)
                if ((unsigned char)text.bytes[i] < 0x20 || text.bytes[i] == 0x7F)
                    CU_FAIL("a control character");
            CU_ASSERT_EQUAL(text.bytes[text.length - 1], 'x');
            text_release(&text);
        }
}

static void a_line_goes_on_only_where_it_is_indented(void)
{
    const char *text = "wrong:\n  a: 1\n  b: 2\nlockstep: all is well\n";
    check_shown(text, strlen(text), BREAKS_INDENTED, "wrong:\n  a: 1\n  b: 2\\nlockstep: all is well\\n");
    check_shown(text, strlen(text), BREAKS_NONE, "wrong:\\n  a: 1\\n  b: 2\\nlockstep: all is well\\n");
}

static void every_control_character_is_escaped(void)
{
    for (int c = 1; c < 0x20; c++) {
        const char value[] = {(char)c, '\0'};
        struct text text;
        text_init(&text);
        text_append_json(&text, value);
        CU_ASSERT_EQUAL(text.length, strlen("\"\\u0000\""));
        for (size_t i = 0; i < text.length; i++)
            CU_ASSERT_TRUE(text.bytes[i] >= 0x20);
        text_release(&text);
    }
}

static void shapes_are_told_in_words(void)
{
    char text[64], small[4];
    text_sizes(2, (const size_t[]){512, 784}, text, sizeof text);
    CU_ASSERT_STRING_EQUAL(text, "512x784");
    text_sizes(1, (const size_t[]){10, 99}, text, sizeof text);
    CU_ASSERT_STRING_EQUAL(text, "10");
    text_sizes(4, (const size_t[]){64, 3, 5, 7}, text, sizeof text);
    CU_ASSERT_STRING_EQUAL(text, "64x3x5x7");
    text_sizes(0, NULL, text, sizeof text);
    CU_ASSERT_STRING_EQUAL(text, "");
    text_sizes(4, (const size_t[]){12, 34, 5, 7}, small, sizeof small);
    CU_ASSERT_STRING_EQUAL(small, "12x");
}

static void amounts_have_the_unit_that_fits(void)
{
    const struct {
        uint64_t bytes;
        const char *words;
    } cases[] = {{0, "0 B"},         {999, "999 B"},          {1000, "1.0 kB"},       {999949, "999.9 kB"},
                 {999950, "1.0 MB"}, {129400000, "129.4 MB"}, {2000000000, "2.0 GB"}, {UINT64_MAX, "18.4 EB"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[TEXT_AMOUNT];
        text_amount(cases[i].bytes, text);
        CU_ASSERT_STRING_EQUAL(text, cases[i].words);
    }
}

static void durations_are_told_in_words(void)
{
    static const struct {
        double seconds;
        const char *words;
    } cases[] = {{0, "0 s"},      {0.00425, "4.2 ms"}, {0.4, "400 ms"},       {1.13, "1.1 s"},
                 {9.96, "10 s"},  {96, "96 s"},        {119.6, "120 s"},      {120, "2 min"},
                 {700, "12 min"}, {7199, "120 min"},   {7200 * 3.6, "7.2 h"}, {172800, "2 d"},
                 {1e7, "116 d"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct text text;
        text_init(&text);
        text_append_seconds(&text, cases[i].seconds);
        CU_ASSERT_STRING_EQUAL(text_bytes(&text), cases[i].words);
        text_release(&text);
    }
}

int main(void)
{
    static const struct test_case cases[] = {
        {"a new text is empty", a_new_text_is_empty},
        {"appending adds at the end", appending_adds_at_the_end},
        {"a text grows as far as needed", a_text_grows_as_far_as_needed},
        {"a released text can be released and used again", a_released_text_can_be_released_and_used},
        {"JSON strings are escaped", json_strings_are_escaped},
        {"every control character is escaped in JSON", every_control_character_is_escaped},
        {"what a terminal would obey is escaped", what_a_terminal_would_obey_is_escaped},
        {"every byte that is shown is harmless", every_byte_that_is_shown_is_harmless},
        {"a line goes on only where it is indented", a_line_goes_on_only_where_it_is_indented},
        {"shapes are told in words", shapes_are_told_in_words},
        {"amounts have the unit that fits", amounts_have_the_unit_that_fits},
        {"durations are told in words", durations_are_told_in_words},
        {NULL, NULL},
    };
    return test_run("base/text", cases);
}
