#include "data/tokenizer/tokenizer.h"
#include "support/test.h"

#include <stdio.h>
#include <string.h>

#define BYTES "{\"type\":\"ByteLevel\",\"add_prefix_space\":false}"

/* A sound one; cases put other words in the place of some. */
static const char sound[] =
    "{\"added_tokens\":[{\"id\":4,\"content\":\"<e>\",\"special\":true}],\"normalizer\":null,\"pre_tokenizer\":" BYTES
    ",\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0,\"b\":1,\"ab\":2,\"aba\":3},\"merges\":[\"a b\",[\"ab\",\"a\"]]}}";

/* The file with `there` replaced, NULL: as it is. */
static void edit(const char *there, const char *instead, char *json, size_t bytes)
{
    const char *place = there ? strstr(sound, there) : sound;
    CU_ASSERT_PTR_NOT_NULL_FATAL(place);
    snprintf(json, bytes, "%.*s%s%s", (int)(place - sound), sound, there ? instead : "",
             place + (there ? strlen(there) : 0));
}

static void expect(const char *there, const char *instead, enum error_kind kind, const char *words)
{
    char json[4096];
    struct tokenizer tokenizer;
    struct error error = {0};
    edit(there, instead, json, sizeof json);
    bool opened = tokenizer_open(&tokenizer, json, strlen(json), &error);
    bool good = opened ? kind == ERROR_NONE : error.kind == kind && strstr(error.text, words);
    if (!good)
        printf("%s -> %s: kind %d: %s\n", there, instead, (int)error.kind, opened ? "opened" : error.text);
    CU_ASSERT(good);
    if (opened)
        tokenizer_close(&tokenizer);
}

static void what_is_damaged_is_told(void)
{
    static const struct {
        const char *there, *instead, *words;
    } cases[] = {
        {"\"a b\"", "\"a c\"", "merge 1 (counted from 1) is of 'c', which is not in the vocabulary"},
        {"\"a b\"", "\"b a\"", "merge 1 (counted from 1) is of 'ba', which is not in the vocabulary"},
        {"[\"ab\",\"a\"]", "[\"x\",\"a\"]", "merge 2 (counted from 1) is of 'x'"},
        {"\"a b\"", "\"ab\"", "merge 1 (counted from 1) is neither \"a b\" nor"},
        {"\"a b\"", "\"a b \"", "neither"},
        {"\"a b\"", "7", "neither"},
        {"[\"ab\",\"a\"]", "[\"a\",\"b\",\"a\"]", "merge 2 (counted from 1) is neither"},
        {"\"aba\":3", "\"aba\":2", "the tokens 'ab' and 'aba' have the same number, 2"},
        {"\"aba\":3", "\"aba\":5", "'aba' has the number 5, but there are only 5 tokens"},
        {"\"aba\":3", "\"aba\":1000000000000", "has the number 1000000000000, but there are only 5 tokens"},
        {"\"aba\":3", "\"aba\":-1", "'aba' has no number of 0 or more"},
        {"\"aba\":3", "\"aba\":3.5", "'aba' has no number of 0 or more"},
        {"\"aba\":3", "\"aba\":\"3\"", "'aba' has no number of 0 or more"},
        {"\"aba\":3", "\"aba\":3,\"aba\":3", "it is not whole JSON: line 1, column"},
        {"\"id\":4", "\"id\":3", "the tokens 'aba' and '<e>' have the same number, 3"},
        {"\"id\":4,", "", "'<e>' has no number of 0 or more"},
        {"<e>", "ab", "the token 'ab' has two numbers"},
        {"<e>", "", "an added token has no content"},
        {"\"special\":true}", "\"special\":true},{\"id\":5,\"content\":\"<e>\"}", "the token '<e>' has two numbers"},
        {"\"special\":true}", "\"special\":true},{\"id\":4,\"content\":\"<f>\"}",
         "the tokens '<e>' and '<f>' have the same number, 4"},
        {"\"special\":true}", "\"special\":true},{\"id\":6,\"content\":\"<f>\"}", "'<f>' has the number 6, but"},
        {"\"aba\":3}", "\"aba\":3},\"vocab_\":0,\"vocab\":{}", "it is not whole JSON"},
        {"]}}", "", "it is not whole JSON: line 1, column"},
        {"\"model\"", "\"mode\"", "it has no model: give the tokenizer.json of Hugging Face's tokenizers"},
        {"\"merges\"", "\"merge\"", "its model has no vocab and merges"},
        {"[{\"id\":4,\"content\":\"<e>\",\"special\":true}]", "{}", "its added_tokens are no list"},
        {"\"add_prefix_space\":false", "\"use_regex\":true", "ByteLevel does not say whether it has add_prefix_space"},
    };
    expect(NULL, NULL, ERROR_NONE, "");
    expect("\"type\":\"BPE\",", "", ERROR_NONE, ""); /* older files */
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect(cases[i].there, cases[i].instead, ERROR_CORRUPT, cases[i].words);
    struct tokenizer tokenizer;
    struct error error;
    CU_ASSERT_FALSE(tokenizer_open(&tokenizer, "", 0, &error));
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "it is not whole JSON"));
    CU_ASSERT_FALSE(tokenizer_open(&tokenizer, "{\"a\": 1, \"b\": 2}", 16, &error)); /* GPT-2's vocab.json */
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "it has no model"));
}

/* Numbers may have a hole where an added token is in the vocabulary, too: it is counted twice. */
static void a_hole_in_the_numbers_is_told(void)
{
    expect("\"content\":\"<e>\"", "\"content\":\"a\"", ERROR_CORRUPT, "the token 'a' has two numbers");
    expect("{\"id\":4,\"content\":\"<e>\",\"special\":true}],",
           "{\"id\":0,\"content\":\"a\"},{\"id\":5,\"content\":\"<e>\"}],", ERROR_CORRUPT,
           "no token has the number 4, but there are larger numbers");
    expect("{\"id\":4,\"content\":\"<e>\",\"special\":true}],", "{\"id\":0,\"content\":\"a\"}],", ERROR_NONE, "");
    expect("{\"a\":0,\"b\":1,\"ab\":2,\"aba\":3},\"merges\":[\"a b\",[\"ab\",\"a\"]]", "{},\"merges\":[]",
           ERROR_CORRUPT, "'<e>' has the number 4, but there are only 1 tokens");
}

static void what_is_not_supported_is_named(void)
{
    static const struct {
        const char *there, *instead, *words;
    } cases[] = {
        {"\"BPE\"", "\"WordPiece\"", "its model is WordPiece: only byte-level BPE is supported"},
        {"\"BPE\"", "\"Unigram\"", "its model is Unigram"},
        {"\"BPE\"", "7", "its model is of no type"},
        {"\"type\":\"BPE\"", "\"byte_fallback\":true", "its model has byte_fallback, which is not supported"},
        {"\"type\":\"BPE\"", "\"dropout\":0.1", "its model has dropout"},
        {"\"type\":\"BPE\"", "\"end_of_word_suffix\":\"</w>\"", "its model has end_of_word_suffix"},
        {"\"type\":\"BPE\"", "\"continuing_subword_prefix\":\"##\"", "its model has continuing_subword_prefix"},
        {"\"normalizer\":null",
         "\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"NFC\"},{\"type\":\"Strip\"}]}",
         "normalizer Strip is not supported"},
        {"\"normalizer\":null", "\"normalizer\":{\"type\":\"Lowercase\"}", "normalizer Lowercase is not supported"},
        {"\"normalizer\":null", "\"normalizer\":7", "normalizer of no type is not supported"},
        {"\"pre_tokenizer\":" BYTES, "\"pre_tokenizer\":null", "its pre_tokenizer is not ByteLevel"},
        {"ByteLevel", "Metaspace", "pre_tokenizer Metaspace is not supported: only ByteLevel"},
        {BYTES, "[]", "pre_tokenizer of no type is not supported"},
        {BYTES, "{\"type\":\"Sequence\",\"pretokenizers\":[]}", "its pre_tokenizer is not ByteLevel"},
        {BYTES, "{\"type\":\"Sequence\",\"pretokenizers\":[" BYTES "," BYTES "]}", "a step behind ByteLevel"},
        {BYTES, "{\"type\":\"Split\",\"pattern\":{\"String\":\" \"},\"behavior\":\"Isolated\"}",
         "pre_tokenizer: a Split of this kind is not supported"},
        {BYTES, "{\"type\":\"Split\",\"pattern\":{\"Regex\":\" \"},\"behavior\":\"Removed\"}", "a Split of this kind"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect(cases[i].there, cases[i].instead, ERROR_USAGE, cases[i].words);
    char steps[2048] = "{\"type\":\"Sequence\",\"pretokenizers\":[";
    for (int i = 0; i <= CUTTER_STEPS; i++)
        strcat(steps, "{\"type\":\"Digits\"},");
    strcat(steps, BYTES "]}");
    expect(BYTES, steps, ERROR_USAGE, "there are more than 16 steps of pre-tokenization");
}

/* What the two kinds of regular expressions do not read alike, or not known to. */
static void regular_expressions_that_may_differ_are_refused(void)
{
    static const char *const wrong[] = {
        "\\w",     "\\b",     "\\h",   "\\x41",  "\\u0041", "\\p{Han}",    "\\p{^L}", "\\pL",   "\\p{L",
        "\\",      "^a",      "a$",    "[[a]b]", "[a&&b]",  "[]a]",        "[^]a]",   "(?m:a)", "(?i)a",
        "(?<n>a)", "(*UTF)a", "a{,3}", "a{2}+",  "a{2}?",   "[[:alpha:]]", "a{",
    };
    static const char *const none[] = {"(a", "a)", "[a", "*a", "[b-a]", "(?i:a", "\\p{Qq}", "a**"};
    static const char *const good[] = {
        "\\s+(?!\\S)|[^\\s\\S]",      "(?i:'s)|a?+b++", "[^\\r\\n\\p{L}]{1,3}", "\\p{Lu}\\P{N}\\.\\]",
        "(?<=a)b(?<!c)(?>d)(?=e)(f)", "\\d{2,}",        "[\u4e00-\u9fa5]"};
    struct regex regex;
    struct error error;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        error.text[0] = '\0';
        bool good_words = !regex_init(&regex, wrong[i], &error) && strstr(error.text, "does not know to mean the same");
        if (!good_words)
            printf("%s: %s\n", wrong[i], error.text);
        CU_ASSERT(good_words);
        regex_release(&regex);
    }
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        CU_ASSERT_FALSE(regex_init(&regex, none[i], &error));
        CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "the regular expression is none: "));
        regex_release(&regex);
    }
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        CU_ASSERT_TRUE(regex_init(&regex, good[i], &error));
        regex_release(&regex);
    }
}

/* One that goes through all ways of reading a text ends with words. */
static void a_regular_expression_that_takes_too_long_is_told(void)
{
    struct regex regex;
    struct error error;
    size_t begin, end;
    char text[41];
    memset(text, 'a', sizeof text);
    text[40] = 'b';
    CU_ASSERT_TRUE_FATAL(regex_init(&regex, "(a|aa)+[cd]", &error));
    CU_ASSERT_EQUAL(regex_find(&regex, text, sizeof text, 0, &begin, &end, &error), REGEX_FAILED);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "the regular expression fails at byte 0 of 41: match limit exceeded"));
    regex_release(&regex);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"what is damaged, or contradicts itself, is told", what_is_damaged_is_told},
        {"a hole in the numbers is told", a_hole_in_the_numbers_is_told},
        {"what is not supported is named", what_is_not_supported_is_named},
        {"regular expressions that may mean something else are refused",
         regular_expressions_that_may_differ_are_refused},
        {"a regular expression that takes too long is told", a_regular_expression_that_takes_too_long_is_told},
        {NULL, NULL},
    };
    return test_run("data/tokenizer_refused", cases);
}
