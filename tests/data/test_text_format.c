#include "data/digits.h"
#include "data/formats.h"
#include "data/opening.h"
#include "data/text_format.h"
#include "support/test.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { MOST = 64 }; /* context and windows of the small texts here */

static void write_bytes(const char *path, const void *bytes, size_t count)
{
    FILE *file = fopen(path, "wb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_EQUAL(fwrite(bytes, 1, count, file), count);
    CU_ASSERT_EQUAL(fclose(file), 0);
}

/* A file with its settings. */
struct fixture {
    char path[PATH_MAX];
    struct text_format_settings settings;
};

static void fixture_init(struct fixture *fixture, const char *name, const char *text, uint64_t context)
{
    memset(fixture, 0, sizeof *fixture);
    snprintf(fixture->path, PATH_MAX, "%s", test_path(name));
    fixture->settings = (struct text_format_settings){.path = fixture->path, .context = context, .part = {0, 1}};
    write_bytes(fixture->path, text, strlen(text));
}

static bool open_fixture(const struct fixture *fixture, const struct dataset *train, struct dataset *dataset,
                         struct error *error)
{
    struct text_format_settings settings = fixture->settings;
    return dataset_open(dataset, &(struct dataset_spec){&dataset_text, &settings}, train ? &train->about : NULL, error);
}

static struct dataset open_part(struct fixture *fixture, double from, double to, const struct dataset *train)
{
    struct dataset dataset;
    struct error error;
    fixture->settings.part[0] = from;
    fixture->settings.part[1] = to;
    bool ok = open_fixture(fixture, train, &dataset, &error);
    check_opened(ok, &error);
    return dataset;
}

static void expect(const struct fixture *fixture, const struct dataset *train, enum error_kind kind, const char *words,
                   const char *more)
{
    struct dataset dataset;
    struct error error = {0};
    bool opened = open_fixture(fixture, train, &dataset, &error);
    check_refused(opened, &error, kind, words, more);
    dataset_close(&dataset);
}

/* Whether window `index` reads as `window`, and its labels as `successors`, '-' for LEAF_IGNORED; both of characters
 * of one byte. */
static bool reads_as(const struct dataset *dataset, uint64_t index, const char *window, const char *successors)
{
    int32_t tokens[MOST], labels[MOST];
    struct leaf leaf = {.tokens = tokens, .labels = labels, .first = 77};
    dataset_read(dataset, &index, 1, &leaf);
    bool ok = leaf.rows == 1 && leaf.first == 77 && strlen(window) == dataset->about.form.terms;
    for (size_t t = 0; ok && t < dataset->about.form.terms; t++)
        ok = dataset->about.vocabulary[tokens[t]] == window[t] &&
             (labels[t] == LEAF_IGNORED ? '-' : dataset->about.vocabulary[labels[t]]) == successors[t];
    return ok;
}

static void training_windows_begin_anywhere(void)
{
    struct fixture fixture;
    fixture_init(&fixture, "a", "hello world", 4);
    struct dataset dataset = open_part(&fixture, 0, 1, NULL);
    CU_ASSERT_EQUAL(dataset.count, 7);
    CU_ASSERT_STRING_EQUAL(dataset.about.vocabulary, " dehlorw");
    CU_ASSERT(dataset.mean == 0 && dataset.std == 0);
    struct leaf_form form = {.input = {1, {4}}, .vocabulary = 8, .classes = 8, .terms = 4};
    CU_ASSERT_EQUAL(memcmp(&dataset.about.form, &form, sizeof form), 0);
    CU_ASSERT(reads_as(&dataset, 0, "hell", "ello"));
    CU_ASSERT(reads_as(&dataset, 3, "lo w", "o wo"));
    CU_ASSERT(reads_as(&dataset, 6, "worl", "orld"));
    int32_t tokens[8], labels[8];
    struct leaf leaf = {.tokens = tokens, .labels = labels};
    dataset_read(&dataset, (const uint64_t[]){6, 0}, 2, &leaf);
    CU_ASSERT(leaf.rows == 2 && tokens[0] == 7 && labels[3] == 1 && tokens[4] == 3 && labels[7] == 5);
    dataset_close(&dataset);
    dataset_close(&dataset);
}

static void characters_are_sorted_by_code_point(void)
{
    static const char text[] = "z\u00e9\u20ac\U0001F600a\u00e9\n";
    struct fixture fixture;
    fixture_init(&fixture, "a", text, 6);
    struct dataset dataset = open_part(&fixture, 0, 1, NULL);
    CU_ASSERT_STRING_EQUAL(dataset.about.vocabulary, "\naz\u00e9\u20ac\U0001F600");
    CU_ASSERT_EQUAL(dataset.about.form.vocabulary, 6);
    static const int32_t expected[7] = {2, 3, 4, 5, 1, 3, 0};
    int32_t tokens[6], labels[6];
    struct leaf leaf = {.tokens = tokens, .labels = labels};
    CU_ASSERT_EQUAL(dataset.count, 1);
    dataset_read(&dataset, &(uint64_t){0}, 1, &leaf);
    CU_ASSERT_EQUAL(memcmp(tokens, expected, sizeof tokens), 0);
    CU_ASSERT_EQUAL(memcmp(labels, expected + 1, sizeof labels), 0);
    dataset_close(&dataset);
}

static void parts_are_cut_between_characters(void)
{
    struct fixture fixture;
    fixture_init(&fixture, "a", "0123456789\u00e9", 2); /* 11 characters: 5.5 of them are a half */
    struct dataset train = open_part(&fixture, 0, 0.5, NULL);
    CU_ASSERT_EQUAL(train.count, 3);
    CU_ASSERT_EQUAL(train.about.form.vocabulary, 11); /* of the whole file */
    CU_ASSERT(reads_as(&train, 2, "23", "34"));
    struct dataset validation = open_part(&fixture, 0.5, 1, &train);
    CU_ASSERT_EQUAL(validation.count, 3); /* of 6 characters: 5 successors */
    CU_ASSERT(reads_as(&validation, 0, "56", "67"));
    CU_ASSERT_STRING_EQUAL(validation.about.vocabulary, train.about.vocabulary);
    dataset_close(&validation);
    dataset_close(&train);
}

/* Every successor of the part once, in the right place, for texts of all lengths that a context allows. */
static void validation_covers_its_part_once(void)
{
    enum { L = 60 };
    struct fixture fixture;
    char text[L + 1];
    for (size_t i = 0; i < L; i++)
        text[i] = (char)('0' + i);
    for (uint64_t context = 1; context <= 13; context++) {
        for (size_t length = (size_t)context + 1; length <= L; length++) {
            text[length] = '\0';
            fixture_init(&fixture, "a", text, context);
            text[length] = (char)('0' + length);
            struct dataset train = open_part(&fixture, 0, 1, NULL), validation = open_part(&fixture, 0, 1, &train);
            int seen[L] = {0}, strange = 0, late = 0;
            for (uint64_t w = 0; w < validation.count; w++) {
                int32_t tokens[MOST], labels[MOST];
                struct leaf leaf = {.tokens = tokens, .labels = labels};
                dataset_read(&validation, &w, 1, &leaf);
                for (size_t t = 0; t < context; t++) {
                    strange += tokens[t] != tokens[0] + (int32_t)t;
                    strange += labels[t] != LEAF_IGNORED && labels[t] != tokens[t] + 1;
                    late += labels[t] == LEAF_IGNORED && w + 1 < validation.count;
                    if (labels[t] != LEAF_IGNORED)
                        seen[labels[t]]++;
                }
            }
            size_t once = 0;
            for (size_t i = 1; i < length; i++)
                once += seen[i] == 1;
            CU_ASSERT(once == length - 1 && seen[0] == 0);
            CU_ASSERT(strange == 0 && late == 0);
            CU_ASSERT_EQUAL(validation.count, (length - 2) / context + 1);
            dataset_close(&validation);
            dataset_close(&train);
        }
    }
}

static void the_last_window_reaches_back(void)
{
    struct fixture fixture;
    fixture_init(&fixture, "a", "abcdefgh", 3);
    struct dataset train = open_part(&fixture, 0, 1, NULL), validation = open_part(&fixture, 0, 1, &train);
    CU_ASSERT_EQUAL(validation.count, 3);
    CU_ASSERT(reads_as(&validation, 0, "abc", "bcd"));
    CU_ASSERT(reads_as(&validation, 1, "def", "efg"));
    CU_ASSERT(reads_as(&validation, 2, "efg", "--h"));
    dataset_close(&validation);
    dataset_close(&train);
}

static uint64_t digest_of(const char *text, uint64_t context, double from, double to)
{
    struct fixture fixture;
    fixture_init(&fixture, "digest", text, context);
    struct dataset dataset = open_part(&fixture, from, to, NULL);
    uint64_t digest = dataset.digest;
    dataset_close(&dataset);
    return digest;
}

static void the_digest_tells_part_vocabulary_and_context(void)
{
    uint64_t digest = digest_of("abcdabcd", 2, 0, 0.5);
    CU_ASSERT_EQUAL(digest_of("abcdbadc", 2, 0, 0.5), digest); /* what is not used does not matter... */
    CU_ASSERT_EQUAL(digest_of("badcabcd", 2, 0.5, 1), digest); /* ...nor where it lies */
    CU_ASSERT_NOT_EQUAL(digest_of("abcdabce", 2, 0, 0.5), digest);
    CU_ASSERT_NOT_EQUAL(digest_of("abddabcd", 2, 0, 0.5), digest);
    CU_ASSERT_NOT_EQUAL(digest_of("abcdabcd", 2, 0, 0.75), digest);
    CU_ASSERT_NOT_EQUAL(digest_of("abcdabcd", 3, 0, 0.5), digest);
}

static void files_that_are_no_text_are_named(void)
{
    struct fixture fixture;
    fixture_init(&fixture, "a", "", 2);
    expect(&fixture, NULL, ERROR_CORRUPT, fixture.path, "is empty");
    remove(fixture.path);
    expect(&fixture, NULL, ERROR_NOT_FOUND, fixture.path, "No such file");
    CU_ASSERT_EQUAL(mkdir(fixture.path, 0777), 0);
    expect(&fixture, NULL, ERROR_USAGE, fixture.path, "is a directory: give the path of a text file");
    remove(fixture.path);
    CU_ASSERT_EQUAL(mkfifo(fixture.path, 0600), 0);
    expect(&fixture, NULL, ERROR_USAGE, fixture.path, "not a regular file");
    remove(fixture.path);
    write_bytes(fixture.path, "abc\0def", 7);
    expect(&fixture, NULL, ERROR_CORRUPT, fixture.path, "NUL character at offset 3");
    fixture.settings.path = NULL;
    expect(&fixture, NULL, ERROR_USAGE, "text", "path");

    static const struct {
        const char *bytes, *words;
    } wrong[] = {
        {"\u00e9ab\xff", "byte 0xff at offset 4"},        {"abc\x80", "byte 0x80 at offset 3"},
        {"\xc0\x80 long", "byte 0xc0 at offset 0"},       {"a\xc1\xbf long", "byte 0xc1 at offset 1"},
        {"\xe0\x9f\xbf long", "byte 0xe0 at offset 0"},   {"\xf0\x8f\xbf\xbf long", "byte 0xf0 at offset 0"},
        {"ab\xed\xa0\x80 half", "byte 0xed at offset 2"}, {"ab\xf4\x90\x80\x80 high", "byte 0xf4 at offset 2"},
        {"abc\xf8\x88\x80\x80\x80", "byte 0xf8 at"},      {"cut \xe2\x82", "byte 0xe2 at offset 4"},
        {"cut \xe2\x82 here", "byte 0xe2 at offset 4"},
    };
    fixture.settings.path = fixture.path;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        write_bytes(fixture.path, wrong[i].bytes, strlen(wrong[i].bytes));
        expect(&fixture, NULL, ERROR_CORRUPT, fixture.path, "is not UTF-8");
        expect(&fixture, NULL, ERROR_CORRUPT, fixture.path, wrong[i].words);
    }
}

static void every_character_survives(void)
{
    enum { COUNT = 65536 };
    static char text[4 * (COUNT + 1) + 1];
    size_t used = 0;
    /* The first 65,536 characters of three and four bytes that there are, and then one more. */
    for (uint32_t c = 0xF700; c <= 0xF700 + COUNT; c++) {
        if (c >= 0x10000)
            text[used++] = (char)(0xF0 | c >> 18);
        text[used++] = (char)(c >= 0x10000 ? 0x80 | (c >> 12 & 0x3F) : 0xE0 | c >> 12);
        text[used++] = (char)(0x80 | (c >> 6 & 0x3F));
        text[used++] = (char)(0x80 | (c & 0x3F));
    }
    struct fixture fixture;
    fixture_init(&fixture, "a", text, 2);
    expect(&fixture, NULL, ERROR_USAGE, fixture.path, "65537 different characters: at most 65536");
    text[used - 4] = '\0';
    fixture_init(&fixture, "a", text, 2);
    struct dataset train = open_part(&fixture, 0, 1, NULL), dataset = open_part(&fixture, 0, 1, &train);
    CU_ASSERT_EQUAL(train.about.form.vocabulary, COUNT);
    CU_ASSERT_STRING_EQUAL(train.about.vocabulary, text);
    int32_t tokens[2], labels[2];
    struct leaf leaf = {.tokens = tokens, .labels = labels};
    dataset_read(&dataset, &(uint64_t){dataset.count - 1}, 1, &leaf);
    CU_ASSERT(tokens[0] == COUNT - 3 && labels[0] == LEAF_IGNORED && labels[1] == COUNT - 1);
    dataset_close(&dataset);
    dataset_close(&train);
}

static void a_context_must_fit_the_part(void)
{
    struct fixture fixture;
    fixture_init(&fixture, "a", "0123456789", 5);
    fixture.settings.part[1] = 0.5;
    expect(&fixture, NULL, ERROR_USAGE, "context 5 is longer than", "holds 5 characters");
    expect(&fixture, NULL, ERROR_USAGE, "part [0, 0.5]", fixture.path);
    fixture.settings.part[1] = 0.01; /* no character at all */
    expect(&fixture, NULL, ERROR_USAGE, "context 5 is longer than", "holds 0 characters");
    fixture.settings.context = UINT64_MAX;
    expect(&fixture, NULL, ERROR_USAGE, "context 18446744073709551615 is longer than", fixture.path);
    fixture.settings.context = 0;
    expect(&fixture, NULL, ERROR_USAGE, "context 0", "at least 1");
    fixture.settings.context = 5;
    struct dataset dataset = open_part(&fixture, 0, 0.6, NULL); /* just fits */
    CU_ASSERT_EQUAL(dataset.count, 1);
    dataset_close(&dataset);
    static const double wrong[][2] = {{0.5, 0.5}, {0.6, 0.5}, {-0.1, 1}, {0, 1.1}, {NAN, 1}, {0, NAN}, {0, 0}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        memcpy(fixture.settings.part, wrong[i], sizeof wrong[i]);
        expect(&fixture, NULL, ERROR_USAGE, "the dataset has part", "0 <= first < second <= 1");
    }
}

static void validation_speaks_the_training_language(void)
{
    struct fixture fixture, other;
    fixture_init(&fixture, "a", "the cat sat\xc3\xa9", 3);
    fixture_init(&other, "b", "the\xc3\xa9 hat", 3);
    struct dataset train = open_part(&fixture, 0, 1, NULL), dataset = open_part(&other, 0, 0.75, &train);
    CU_ASSERT_STRING_EQUAL(dataset.about.vocabulary, train.about.vocabulary);
    CU_ASSERT(reads_as(&dataset, 0, "the", "he\xc3"));
    dataset_close(&dataset);

    fixture_init(&other, "b", "the\xc3\xa9 h\xc3\xa4t", 3);
    expect(&other, &train, ERROR_CORRUPT, other.path, "the character '\xc3\xa4' (U+00E4) at byte offset 7");
    dataset = open_part(&other, 0, 0.75, &train); /* of 8: does not reach it */
    dataset_close(&dataset);
    fixture_init(&other, "b", "a\tcat", 3);
    expect(&other, &train, ERROR_CORRUPT, other.path, "the character U+0009 at byte offset 1");
    fixture_init(&other, "b",
                 "a\xc2\x85"
                 "cat",
                 3);
    expect(&other, &train, ERROR_CORRUPT, other.path, "the character U+0085 at byte offset 1");

    fixture_init(&other, "b", "the hat", 4);
    expect(&other, &train, ERROR_USAGE, other.path, "context 4, but the training data with 3");
    dataset_close(&train);
}

static void text_and_numbers_do_not_mix(void)
{
    struct digits_settings settings = {.count = 5, .std = 1};
    struct dataset_spec digits = {&dataset_digits, &settings};
    struct fixture fixture;
    fixture_init(&fixture, "a", "0123456789", 3);
    struct dataset train, dataset;
    struct error error;
    CU_ASSERT_TRUE_FATAL(dataset_open(&train, &digits, NULL, &error));
    expect(&fixture, &train, ERROR_USAGE, fixture.path, "holds text, but the training data numbers");
    dataset_close(&train);
    train = open_part(&fixture, 0, 1, NULL);
    CU_ASSERT_FALSE(dataset_open(&dataset, &digits, &train.about, &error));
    CU_ASSERT(error.kind == ERROR_USAGE && strstr(error.text, "numbers, but the training data text"));
    dataset_close(&train);
}

/* As a job file with such a part is refused: the key, and what is wrong with it. */
static void a_part_begins_before_its_end(void)
{
    static const double wrong[][2] = {{0.5, 0.5}, {0.6, 0.5}, {1, 0}};
    struct text_format_settings settings = {.context = 1, .part = {0.25, 0.5}};
    struct error error = {0};
    const char *key = NULL;
    CU_ASSERT_TRUE(dataset_text.kind.check(&settings, &key, &error));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        memcpy(settings.part, wrong[i], sizeof wrong[i]);
        CU_ASSERT_FALSE(dataset_text.kind.check(&settings, &key, &error));
        CU_ASSERT(error.kind == ERROR_USAGE && key && !strcmp(key, "part"));
    }
    CU_ASSERT_STRING_EQUAL(error.text, "begins at 1, which is not before its end, 0");
}

/* A checkpoint has it, so that its model is known without the text. */
static void a_vocabulary_tells_the_form(void)
{
    struct fixture fixture;
    fixture_init(&fixture, "a", "z\u00e9\u20ac\U0001F600a\u00e9\n", 5);
    struct dataset dataset = open_part(&fixture, 0, 1, NULL);
    struct leaf_form form = dataset_text.form(&fixture.settings, dataset.about.vocabulary);
    CU_ASSERT_EQUAL(memcmp(&form, &dataset.about.form, sizeof form), 0);
    dataset_close(&dataset);
    form = dataset_text.form(&fixture.settings, "a\xff\xe2"); /* whoever's checkpoint it is */
    CU_ASSERT_EQUAL(form.vocabulary, 3);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"training windows begin anywhere, and their labels are the next characters", training_windows_begin_anywhere},
        {"characters are numbered by code point, whatever their length", characters_are_sorted_by_code_point},
        {"parts are cut between characters, with the vocabulary of the whole file", parts_are_cut_between_characters},
        {"validation covers each successor of its part exactly once", validation_covers_its_part_once},
        {"the last validation window reaches back and ignores what it repeats", the_last_window_reaches_back},
        {"the digest tells the part's characters, vocabulary and context",
         the_digest_tells_part_vocabulary_and_context},
        {"files that are absent, empty or no UTF-8 are named, with the offset", files_that_are_no_text_are_named},
        {"65,536 different characters survive, and one more is refused", every_character_survives},
        {"a context longer than its part, and a part that is none, are refused", a_context_must_fit_the_part},
        {"a validation character outside the training vocabulary is shown", validation_speaks_the_training_language},
        {"text and numbers do not validate each other", text_and_numbers_do_not_mix},
        {"a job's part begins before its end", a_part_begins_before_its_end},
        {"a vocabulary tells the form of the samples, without a look at the text", a_vocabulary_tells_the_form},
        {NULL, NULL},
    };
    return test_run("data/text_format", cases);
}
