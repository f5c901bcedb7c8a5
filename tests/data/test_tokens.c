#include "data/tokens_fixture.h"
#include "support/test.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST = 64 };

/* Whether window `index` holds first, first + step, ..., and its labels the successors, `repeated` of them ignored. */
static bool reads_as(const struct dataset *dataset, uint64_t index, int32_t first, int32_t step, size_t repeated)
{
    int32_t tokens[MOST], labels[MOST];
    struct leaf leaf = {.tokens = tokens, .labels = labels};
    dataset_read(dataset, &index, 1, &leaf);
    bool ok = dataset->about.form.terms <= MOST;
    for (size_t t = 0; ok && t < dataset->about.form.terms; t++) {
        int32_t token = first + (int32_t)t * step;
        ok = tokens[t] == token && labels[t] == (t < repeated ? LEAF_IGNORED : token + step);
    }
    return ok;
}

static void raw_files_are_read_as_nanogpt_writes_them(void)
{
    struct tokens_fixture fixture;
    tokens_fixture_init(&fixture, "raw.bin", 4);
    write_tokens(fixture.path, 0, 2, 100, 10, 12);
    struct dataset dataset = tokens_fixture_opened(&fixture, NULL),
                   validation = tokens_fixture_opened(&fixture, &dataset);
    struct leaf_form form = {.input = {1, {4}}, .vocabulary = 211, .classes = 211, .terms = 4};
    CU_ASSERT_EQUAL(memcmp(&dataset.about.form, &form, sizeof form), 0);
    CU_ASSERT_PTR_NULL(dataset.about.vocabulary);
    CU_ASSERT_EQUAL(dataset.count, 8);
    CU_ASSERT(reads_as(&dataset, 0, 100, 10, 0) && reads_as(&dataset, 7, 170, 10, 0));
    CU_ASSERT_EQUAL(dataset_bytes(&dataset), 16);
    CU_ASSERT_EQUAL(validation.count, 3);
    CU_ASSERT(reads_as(&validation, 0, 100, 10, 0) && reads_as(&validation, 1, 140, 10, 0));
    CU_ASSERT(reads_as(&validation, 2, 170, 10, 1));
    struct text words;
    text_init(&words);
    dataset_describe(&dataset, &words);
    CU_ASSERT_PTR_NOT_NULL(strstr(text_bytes(&words), "8 samples, 211 tokens in the vocabulary, digest "));
    text_release(&words);
    dataset_close(&validation);
    dataset_close(&dataset);
}

static void headers_tell_how_tokens_are_stored(void)
{
    struct tokens_fixture fixture;
    uint64_t digests[4];
    tokens_fixture_init(&fixture, "t.bin", 3);
    for (int i = 0; i < 4; i++) {
        static const struct {
            uint32_t magic;
            size_t width;
            enum token_type type;
        } ways[] = {{0, 2, TOKEN_AUTO}, {GPT2, 2, TOKEN_AUTO}, {LLAMA3, 4, TOKEN_UINT32}, {0, 4, TOKEN_UINT32}};
        write_tokens(fixture.path, ways[i].magic, ways[i].width, 7, 3, 9000);
        fixture.settings.type = ways[i].type;
        struct dataset dataset = tokens_fixture_opened(&fixture, NULL);
        CU_ASSERT(dataset.count == 8997 && dataset.about.form.vocabulary == 27005);
        CU_ASSERT(reads_as(&dataset, 0, 7, 3, 0) && reads_as(&dataset, 8996, 26995, 3, 0));
        digests[i] = dataset.digest;
        dataset_close(&dataset);
    }
    CU_ASSERT(digests[0] == digests[1] && digests[0] == digests[2] && digests[0] == digests[3]);
}

static void large_vocabularies_are_read(void)
{
    struct tokens_fixture fixture;
    tokens_fixture_init(&fixture, "large.bin", 2);
    write_tokens(fixture.path, LLAMA3, 4, 65000, 1000, 64);
    struct dataset dataset = tokens_fixture_opened(&fixture, NULL);
    CU_ASSERT_EQUAL(dataset.about.form.vocabulary, 128001);
    CU_ASSERT(reads_as(&dataset, 61, 126000, 1000, 0));
    dataset_close(&dataset);
    fixture.settings.vocabulary = 128256;
    dataset = tokens_fixture_opened(&fixture, NULL);
    CU_ASSERT_EQUAL(dataset.about.form.classes, 128256);
    dataset_close(&dataset);
}

/* Files a, b, c with 1, 5000 and 14 tokens that count up, written so that no order but that of names is right. */
static void write_shards(const char *directory)
{
    char path[PATH_MAX];
    CU_ASSERT_EQUAL(mkdir(directory, 0777), 0);
    snprintf(path, PATH_MAX, "%s/c.bin", directory);
    write_tokens(path, 0, 2, 5001, 1, 14);
    snprintf(path, PATH_MAX, "%s/a.bin", directory);
    write_tokens(path, GPT2, 2, 0, 1, 1);
    snprintf(path, PATH_MAX, "%s/b.bin", directory);
    write_tokens(path, GPT2, 2, 1, 1, 5000);
    snprintf(path, PATH_MAX, "%s/d.txt", directory);
    write_bytes(path, "no tokens", 9);
}

static void shards_are_one_row_of_tokens(void)
{
    struct tokens_fixture fixture, whole;
    const char *directory = test_path("shards");
    write_shards(directory);
    tokens_fixture_init(&fixture, "shards/*.b[i]?", 5);
    tokens_fixture_init(&whole, "whole.bin", 5);
    write_tokens(whole.path, 0, 2, 0, 1, 5015);
    struct dataset dataset = tokens_fixture_opened(&fixture, NULL), one = tokens_fixture_opened(&whole, NULL);
    CU_ASSERT(dataset.digest == one.digest && dataset.count == one.count);
    size_t wrong = 0;
    for (uint64_t i = 0; i < dataset.count; i++)
        wrong += !reads_as(&dataset, i, (int32_t)i, 1, 0);
    CU_ASSERT_EQUAL(wrong, 0);
    struct dataset validation = tokens_fixture_opened(&fixture, &dataset);
    CU_ASSERT_EQUAL(validation.count, 1003);
    for (uint64_t i = 0; i + 1 < validation.count; i++)
        wrong += !reads_as(&validation, i, 5 * (int32_t)i, 1, 0);
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT(reads_as(&validation, 1002, 5009, 1, 1));
    int files = 0;
    for (const struct watched *file = dataset.files; file; file = file->next)
        files++;
    CU_ASSERT_EQUAL(files, 3);
    dataset_close(&validation);
    dataset_close(&one);
    dataset_close(&dataset);
}

static void a_name_with_a_star_is_a_name_if_there_is_such_a_file(void)
{
    struct tokens_fixture fixture, other;
    tokens_fixture_init(&fixture, "a*.bin", 2);
    tokens_fixture_init(&other, "ab.bin", 2);
    write_tokens(other.path, 0, 2, 0, 1, 10);
    struct dataset dataset = tokens_fixture_opened(&fixture, NULL);
    CU_ASSERT_EQUAL(dataset.count, 8);
    dataset_close(&dataset);
    write_tokens(fixture.path, 0, 2, 0, 1, 5);
    dataset = tokens_fixture_opened(&fixture, NULL);
    CU_ASSERT_EQUAL(dataset.count, 3);
    dataset_close(&dataset);
}

static void the_vocabulary_is_that_of_all_files_and_the_digest_that_of_the_part(void)
{
    struct tokens_fixture fixture;
    tokens_fixture_init(&fixture, "p.bin", 2);
    fixture.settings.part[1] = 0.5;
    write_tokens(fixture.path, 0, 2, 0, 1, 20);
    struct dataset dataset = tokens_fixture_opened(&fixture, NULL);
    uint64_t digest = dataset.digest;
    CU_ASSERT(dataset.about.form.vocabulary == 20 && dataset.count == 8);
    dataset_close(&dataset);
    fixture.settings.part[0] = 0.25;
    write_tokens(fixture.path, 0, 2, 19, UINT32_MAX, 20); /* down to 0 */
    dataset = tokens_fixture_opened(&fixture, NULL);
    CU_ASSERT(dataset.about.form.vocabulary == 20 && dataset.count == 3 && reads_as(&dataset, 0, 14, -1, 0));
    dataset_close(&dataset);
    fixture.settings.part[0] = 0;
    fixture.settings.vocabulary = 20;
    write_tokens(fixture.path, 0, 2, 0, 1, 21); /* the last one is not used */
    dataset = tokens_fixture_opened(&fixture, NULL);
    CU_ASSERT_EQUAL(dataset.digest, digest);
    dataset_close(&dataset);
    fixture.settings.vocabulary = 21;
    dataset = tokens_fixture_opened(&fixture, NULL);
    CU_ASSERT_NOT_EQUAL(dataset.digest, digest);
    dataset_close(&dataset);
    fixture.settings.vocabulary = 20;
    fixture.settings.part[1] = 1;
    tokens_fixture_expect(&fixture, NULL, ERROR_USAGE, fixture.path,
                          "token 20 (counted from 0) is 20, but vocabulary is 20, 0 to 19");
}

static void overwrite(const char *path, long offset, const void *bytes, size_t count)
{
    FILE *file = fopen(path, "r+b");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_EQUAL(fseek(file, offset, SEEK_SET), 0);
    CU_ASSERT_EQUAL(fwrite(bytes, 1, count, file), count);
    CU_ASSERT_EQUAL(fclose(file), 0);
}

/* Two files of several pages. */
static struct dataset open_pair(struct tokens_fixture *first, struct tokens_fixture *second)
{
    struct tokens_fixture pattern;
    tokens_fixture_init(first, "y1.bin", 4);
    tokens_fixture_init(second, "y2.bin", 4);
    tokens_fixture_init(&pattern, "y*.bin", 4);
    write_tokens(first->path, 0, 2, 0, 1, 9000);
    write_tokens(second->path, GPT2, 2, 9000, 1, 9000);
    return tokens_fixture_opened(&pattern, NULL);
}

static bool fails(struct dataset *dataset, uint64_t index, const char *path, const char *words)
{
    int32_t tokens[4], labels[4];
    struct leaf leaf = {.tokens = tokens, .labels = labels};
    struct error error = {0};
    dataset_read(dataset, &index, 1, &leaf);
    bool ok = dataset_failed(dataset, &error) && error.kind == ERROR_CORRUPT && strstr(error.text, path) &&
              strstr(error.text, words) && tokens[0] == 0 && labels[3] == 0;
    if (!ok)
        printf("expected \"%s\", got %s\n", words, error.text);
    return ok;
}

static void a_token_that_was_not_there_is_an_error_when_it_is_read(void)
{
    static const long places[] = {10, 14}; /* among the tokens of the window, and behind it */
    for (size_t i = 0; i < 2; i++) {
        struct tokens_fixture first, second;
        struct dataset dataset = open_pair(&first, &second);
        CU_ASSERT(reads_as(&dataset, 9010, 9010, 1, 0));
        overwrite(second.path, 1024 + 2 * places[i], &(uint16_t){60000}, 2);
        CU_ASSERT(reads_as(&dataset, 9004, 9004, 1, 0));
        char words[64];
        snprintf(words, sizeof words, "token %ld (counted from 0) is 60000, which it cannot have been", places[i]);
        CU_ASSERT(fails(&dataset, 9010, second.path, words));
        dataset_close(&dataset);
    }
}

static void a_file_that_has_become_shorter_is_an_error_with_its_name(void)
{
    struct tokens_fixture first, second;
    struct error error;
    struct dataset dataset = open_pair(&first, &second);
    CU_ASSERT_EQUAL(truncate(second.path, 100), 0);
    CU_ASSERT(reads_as(&dataset, 100, 100, 1, 0));
    CU_ASSERT(fails(&dataset, 17000, second.path, "has become shorter while it was in use: 100 bytes"));
    CU_ASSERT_FALSE(dataset_look(&dataset, &error));
    dataset_close(&dataset);
}

static void a_changed_file_is_told_by_its_content(void)
{
    struct tokens_fixture first, second;
    struct error error;
    struct dataset dataset = open_pair(&first, &second);
    overwrite(first.path, 10, &(uint16_t){5}, 2); /* the same */
    CU_ASSERT(dataset_look(&dataset, &error) && dataset_is_touched(&dataset) && dataset_prove(&dataset, &error));
    overwrite(second.path, 2000, &(uint16_t){5}, 2);
    CU_ASSERT(dataset_look(&dataset, &error) && dataset_is_touched(&dataset));
    CU_ASSERT_FALSE(dataset_prove(&dataset, &error));
    CU_ASSERT_EQUAL(error.kind, ERROR_CORRUPT);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, second.path));
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "was changed while it was in use"));
    dataset_close(&dataset);
}

static void the_form_is_known_without_data_if_the_vocabulary_is_given(void)
{
    struct tokens_settings settings = {.context = 8};
    CU_ASSERT_EQUAL(dataset_tokens.form(&settings, "").terms, 0);
    settings.vocabulary = 50257;
    struct leaf_form form = dataset_tokens.form(&settings, "");
    CU_ASSERT(form.vocabulary == 50257 && form.classes == 50257 && form.terms == 8 && form.input.size[0] == 8);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"raw files are read as nanoGPT writes them", raw_files_are_read_as_nanogpt_writes_them},
        {"headers tell how tokens are stored, digests do not", headers_tell_how_tokens_are_stored},
        {"vocabularies above 65,536 are read", large_vocabularies_are_read},
        {"shards are one row of tokens", shards_are_one_row_of_tokens},
        {"a name with a star is a name if there is such a file", a_name_with_a_star_is_a_name_if_there_is_such_a_file},
        {"the vocabulary is that of all files, the digest that of the part",
         the_vocabulary_is_that_of_all_files_and_the_digest_that_of_the_part},
        {"a token that was not there is an error when it is read",
         a_token_that_was_not_there_is_an_error_when_it_is_read},
        {"a file that has become shorter is an error with its name",
         a_file_that_has_become_shorter_is_an_error_with_its_name},
        {"a changed file is told by its content", a_changed_file_is_told_by_its_content},
        {"the form is known without data if the vocabulary is given",
         the_form_is_known_without_data_if_the_vocabulary_is_given},
        {NULL, NULL},
    };
    return test_run("data/tokens", cases);
}
