#include "base/memory.h"
#include "data/formats.h"
#include "data/opening.h"
#include "data/small_tokenizer.h"
#include "data/text_format.h"

#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>

/* A text and a tokenizer, with settings that name both. */
struct fixture {
    char path[PATH_MAX], tokenizer[PATH_MAX];
    struct text_format_settings settings;
};

static void write_text(const char *path, const char *bytes)
{
    FILE *file = fopen(path, "wb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_EQUAL(fwrite(bytes, 1, strlen(bytes), file), strlen(bytes));
    CU_ASSERT_EQUAL(fclose(file), 0);
}

static void write_tokenizer(const char *path, const struct small_tokenizer *small)
{
    struct text json;
    text_init(&json);
    small_tokenizer_write(small, &json);
    write_text(path, json.bytes);
    text_release(&json);
}

static void fixture_init(struct fixture *fixture, const char *text, uint64_t context)
{
    snprintf(fixture->path, PATH_MAX, "%s", test_path("text"));
    snprintf(fixture->tokenizer, PATH_MAX, "%s", test_path("tokenizer.json"));
    fixture->settings = (struct text_format_settings){
        .path = fixture->path, .tokenizer = fixture->tokenizer, .context = context, .part = {0, 1}};
    write_text(fixture->path, text);
    write_tokenizer(fixture->tokenizer, &(struct small_tokenizer){0});
}

static bool open_fixture(struct fixture *fixture, const struct dataset *train, struct dataset *dataset,
                         struct error *error)
{
    return dataset_open(dataset, &(struct dataset_spec){&dataset_text, &fixture->settings},
                        train ? &train->about : NULL, error);
}

static struct dataset opened(struct fixture *fixture, const struct dataset *train)
{
    struct dataset dataset;
    struct error error;
    bool ok = open_fixture(fixture, train, &dataset, &error);
    check_opened(ok, &error);
    return dataset;
}

static void expect(struct fixture *fixture, const struct dataset *train, enum error_kind kind, const char *words,
                   const char *more)
{
    struct dataset dataset;
    struct error error = {0};
    bool ok = open_fixture(fixture, train, &dataset, &error);
    check_refused(ok, &error, kind, words, more);
    dataset_close(&dataset);
}

/* Whether window `index` has these tokens, and these behind it, -1 for LEAF_IGNORED. */
static bool reads_as(const struct dataset *dataset, uint64_t index, const int32_t *window, const int32_t *successors)
{
    int32_t tokens[8], labels[8];
    size_t context = dataset->about.form.terms;
    struct leaf leaf = {.tokens = tokens, .labels = labels};
    dataset_read(dataset, &index, 1, &leaf);
    bool ok = memcmp(tokens, window, context * sizeof *tokens) == 0;
    for (size_t t = 0; t < context; t++)
        ok = ok && labels[t] == (successors[t] < 0 ? LEAF_IGNORED : successors[t]);
    return ok;
}

static void windows_are_of_tokens(void)
{
    struct fixture fixture;
    fixture_init(&fixture, "the then the<|end|>", 3); /* 83 257 | 258 77 | 258 | 285: "t" "he" " the" "n" " the" */
    struct dataset train = opened(&fixture, NULL);
    struct leaf_form form = {.input = {1, {3}}, .vocabulary = 286, .classes = 286, .terms = 3};
    CU_ASSERT_EQUAL(memcmp(&train.about.form, &form, sizeof form), 0);
    CU_ASSERT_EQUAL(train.count, 3);
    CU_ASSERT(!train.about.vocabulary && train.about.tokenizer);
    CU_ASSERT(reads_as(&train, 0, (const int32_t[]){83, 257, 258}, (const int32_t[]){257, 258, 77}));
    CU_ASSERT(reads_as(&train, 2, (const int32_t[]){258, 77, 258}, (const int32_t[]){77, 258, 285}));

    /* Half of 6 tokens, with the tokenizer of the training data, named or not. */
    fixture.settings.context = 3;
    for (int named = 0; named < 2; named++) {
        fixture.settings.tokenizer = named ? fixture.tokenizer : NULL;
        struct dataset validation = opened(&fixture, &train);
        CU_ASSERT_EQUAL(validation.count, 2);
        CU_ASSERT(reads_as(&validation, 1, (const int32_t[]){258, 77, 258}, (const int32_t[]){-1, 258, 285}));
        CU_ASSERT_STRING_EQUAL(validation.about.tokenizer, train.about.tokenizer);
        dataset_close(&validation);
    }
    dataset_close(&train);
    fixture.settings.tokenizer = fixture.tokenizer;
    fixture.settings.part[0] = 0.5;
    expect(&fixture, NULL, ERROR_USAGE, "context 3 is longer than", "holds 3 tokens");
}

static uint64_t digest_of(struct fixture *fixture, double from)
{
    fixture->settings.part[0] = from;
    struct dataset dataset = opened(fixture, NULL);
    uint64_t digest = dataset.digest;
    dataset_close(&dataset);
    return digest;
}

static void the_digest_tells_tokens_and_tokenizer(void)
{
    struct fixture fixture;
    fixture_init(&fixture, "the then the<|end|>the then the<|end|>", 2);
    uint64_t digest = digest_of(&fixture, 0);
    CU_ASSERT_NOT_EQUAL(digest, digest_of(&fixture, 0.5));
    write_tokenizer(fixture.tokenizer, &(struct small_tokenizer){.pairs = true}); /* in other words */
    CU_ASSERT_EQUAL(digest, digest_of(&fixture, 0));
    write_tokenizer(fixture.tokenizer, &(struct small_tokenizer){.takes_whole_words = true});
    CU_ASSERT_NOT_EQUAL(digest, digest_of(&fixture, 0));
}

static void vocabularies_may_be_large(void)
{
    enum { ADDED = 65300 };
    struct fixture fixture;
    struct text added;
    fixture_init(&fixture, "<0>a<65299>b", 3);
    text_init(&added);
    for (unsigned i = 0; i < ADDED; i++)
        text_append(&added, "%s{\"id\":%u,\"content\":\"<%u>\"}", i ? "," : "[", small_tokenizer_added() + i, i);
    text_append(&added, "]");
    write_tokenizer(fixture.tokenizer, &(struct small_tokenizer){.added = text_bytes(&added)});
    text_release(&added);
    struct dataset dataset = opened(&fixture, NULL);
    CU_ASSERT_EQUAL(dataset.about.form.vocabulary, 285 + ADDED);
    CU_ASSERT(
        reads_as(&dataset, 0, (const int32_t[]){285, 64, 285 + ADDED - 1}, (const int32_t[]){64, 285 + ADDED - 1, 65}));
    dataset_close(&dataset);
}

static void what_does_not_fit_is_named(void)
{
    struct fixture fixture, characters;
    char other[PATH_MAX];
    fixture_init(&fixture, "the then the", 2);
    characters = fixture;
    characters.settings.path = characters.path;
    characters.settings.tokenizer = NULL;
    snprintf(other, sizeof other, "%s", test_path("other.json"));
    write_tokenizer(other, &(struct small_tokenizer){.takes_whole_words = true});
    struct dataset train = opened(&fixture, NULL), plain = opened(&characters, NULL);
    expect(&fixture, &plain, ERROR_USAGE, fixture.tokenizer, "the training data has none, its tokens are characters");
    fixture.settings.tokenizer = other;
    expect(&fixture, &train, ERROR_USAGE, other, "is another tokenizer than that of the training data: leave it out");
    dataset_close(&train);
    dataset_close(&plain);

    fixture.settings.tokenizer = fixture.path;
    expect(&fixture, NULL, ERROR_CORRUPT, fixture.path, "it is not whole JSON");
    fixture.settings.tokenizer = (char[]){"no such tokenizer"};
    expect(&fixture, NULL, ERROR_NOT_FOUND, "cannot open no such tokenizer", "");
    fixture.settings.tokenizer = (char[]){"/dev/null"};
    expect(&fixture, NULL, ERROR_USAGE, "/dev/null is not a regular file", "give the path of a tokenizer.json");
    fixture.settings.tokenizer = (char[]){"/"};
    expect(&fixture, NULL, ERROR_USAGE, "/", "");
    fixture.settings.tokenizer = fixture.tokenizer;
    write_text(fixture.path, "the\xff");
    expect(&fixture, NULL, ERROR_CORRUPT, fixture.path, "is not UTF-8: no whole character begins with byte 0xff at");
    write_text(fixture.path, "");
    expect(&fixture, NULL, ERROR_CORRUPT, fixture.path, "is empty");
    write_text(fixture.tokenizer,
               "{\"model\":{\"vocab\":{\"a\":0,\"b\":1},\"merges\":[]},\"pre_tokenizer\":" SMALL_BYTES "}");
    write_text(fixture.path, "abacab");
    expect(&fixture, NULL, ERROR_USAGE, fixture.path, "the tokenizer has no token for the byte 0x63");
}

int main(void)
{
    static const struct test_case cases[] = {
        {"windows are of tokens, validation's of those of the training data's tokenizer", windows_are_of_tokens},
        {"the digest tells tokens and tokenizer, not how it is written", the_digest_tells_tokens_and_tokenizer},
        {"a vocabulary may be larger than 65,536", vocabularies_may_be_large},
        {"what does not fit, or cannot be read, is named", what_does_not_fit_is_named},
        {NULL, NULL},
    };
    return test_run("data/text_tokens", cases);
}
