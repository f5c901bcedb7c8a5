#include "data/digits.h"
#include "data/text_format.h"
#include "data/tokens_fixture.h"
#include "support/test.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static void validation_must_fit(void)
{
    struct tokens_fixture fixture, other, text;
    struct digits_settings digits = {.count = 5, .std = 1};
    struct dataset dataset;
    struct error error;
    tokens_fixture_init(&fixture, "t.bin", 3);
    tokens_fixture_init(&other, "v.bin", 3);
    tokens_fixture_init(&text, "v.txt", 3);
    write_tokens(fixture.path, 0, 2, 0, 1, 20);
    write_tokens(other.path, 0, 2, 10, 1, 11);
    write_bytes(text.path, "abcdefgh", 8);
    struct dataset train = tokens_fixture_opened(&fixture, NULL);
    tokens_fixture_expect(&other, &train, ERROR_USAGE, other.path,
                          "token 10 (counted from 0) is 20, but the training data has a vocabulary of 20, 0 to 19");
    other.settings.part[1] = 0.95;
    dataset = tokens_fixture_opened(&other, &train);
    CU_ASSERT_EQUAL(dataset.about.form.vocabulary, 20);
    dataset_close(&dataset);
    other.settings.vocabulary = 21;
    tokens_fixture_expect(&other, &train, ERROR_USAGE, "vocabulary is 21 for", "but 20 for the training data");
    other.settings.vocabulary = 0;
    other.settings.context = 4;
    tokens_fixture_expect(&other, &train, ERROR_USAGE, other.path, "context 4, but the training data with 3");
    other.settings.context = 3;

    struct text_format_settings settings = {.path = text.path, .context = 3, .part = {0, 1}};
    struct dataset_spec spec = {&dataset_text, &settings};
    CU_ASSERT_FALSE(dataset_open(&dataset, &spec, &train.about, &error));
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "holds text, but the training data tokens: both must be of one kind"));
    dataset_close(&train);
    CU_ASSERT_FATAL(dataset_open(&train, &spec, NULL, &error));
    tokens_fixture_expect(&other, &train, ERROR_USAGE, other.path, "holds tokens, but the training data text");
    dataset_close(&train);
    spec = (struct dataset_spec){&dataset_digits, &digits};
    CU_ASSERT_FATAL(dataset_open(&train, &spec, NULL, &error));
    tokens_fixture_expect(&other, &train, ERROR_USAGE, other.path, "holds tokens, but the training data numbers");
    dataset_close(&train);
    train = tokens_fixture_opened(&fixture, NULL);
    CU_ASSERT_FALSE(dataset_open(&dataset, &spec, &train.about, &error));
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "holds numbers, but the training data tokens"));
    dataset_close(&train);
}

static void settings_that_cannot_be_are_refused(void)
{
    struct tokens_fixture fixture;
    tokens_fixture_init(&fixture, "s.bin", 5);
    write_tokens(fixture.path, 0, 2, 0, 1, 10);
    fixture.settings.part[1] = 0.5;
    tokens_fixture_expect(&fixture, NULL, ERROR_USAGE, "context 5 is longer than", "holds 5 tokens");
    fixture.settings.part[1] = 0.6;
    struct dataset dataset = tokens_fixture_opened(&fixture, NULL);
    CU_ASSERT_EQUAL(dataset.count, 1);
    dataset_close(&dataset);
    fixture.settings.part[0] = 0.7;
    tokens_fixture_expect(&fixture, NULL, ERROR_USAGE, "the dataset has part [0.7, 0.6]", "0 <= first < second <= 1");
    fixture.settings.context = 0;
    tokens_fixture_expect(&fixture, NULL, ERROR_USAGE, "context 0", "at least 1 token");
    fixture.settings.path = NULL;
    tokens_fixture_expect(&fixture, NULL, ERROR_USAGE, "format tokens", "path");
}

static void files_that_are_no_tokens_are_named(void)
{
    static const char letters[] = "Of these, half of the bytes are never letters, and this is one more.";
    static const struct {
        const char *bytes;
        size_t count;
        enum token_type type;
        const char *words;
    } table[] = {
        {"", 0, TOKEN_AUTO, "is empty"},
        {"abc", 3, TOKEN_AUTO, "has 3 bytes, which is no whole number of uint16 tokens"},
        {"abcdef", 6, TOKEN_UINT32, "has 6 bytes, which is no whole number of uint32 tokens"},
        {"abc\x7fxyz\x7f", 8, TOKEN_UINT32, "token 0 (counted from 0) is 2137219681, but no vocabulary has more than"},
        {letters, sizeof letters - 1, TOKEN_AUTO, "looks like a text: use format: text"},
        {"\x93NUMPY\x01\x00v\x00", 10, TOKEN_AUTO, "it is a NumPy file"},
        {"\x89HDF\r\n\x1a\n........", 16, TOKEN_UINT16, "it is an HDF5 file"},
        {"PK\x03\x04......", 10, TOKEN_AUTO, "it is a zip archive"},
    };
    struct tokens_fixture fixture;
    tokens_fixture_init(&fixture, "wrong", 1);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        write_bytes(fixture.path, table[i].bytes, table[i].count);
        fixture.settings.type = table[i].type;
        tokens_fixture_expect(&fixture, NULL, ERROR_CORRUPT, fixture.path, table[i].words);
    }
    tokens_fixture_init(&fixture, "t.bin.gz", 1);
    write_bytes(fixture.path, "\x1f\x8b\x08\0\0\0", 6);
    tokens_fixture_expect(&fixture, NULL, ERROR_CORRUPT, fixture.path, "its gzip data breaks off");
    tokens_fixture_init(&fixture, "t.bin", 1);
    write_bytes(fixture.path, letters, sizeof letters - 1);
    fixture.settings.type = TOKEN_UINT16; /* who says that these are tokens must know */
    struct dataset dataset = tokens_fixture_opened(&fixture, NULL);
    dataset_close(&dataset);
}

static void headers_that_are_wrong_are_refused(void)
{
    static const struct {
        size_t count; /* bytes in all */
        uint32_t header[3];
        const char *words;
    } table[] = {
        {1044, {20240326, 3, 10}, "it is a model of llm.c (magic 20240326)"},
        {1044, {20240327, 3, 10}, "it is a state of llm.c"},
        {1044, {20240328, 3, 10}, "it is a tokenizer of llm.c"},
        {1044, {20240522, 1, 10}, "it is an evaluation of llm.c"},
        {1042, {GPT2, 1, 10}, "is truncated: its header says 10 uint16 tokens, which are 20 bytes, but 18 are there"},
        {1046, {GPT2, 1, 10}, "is too long: its header says 10 uint16"},
        {1044, {LLAMA3, 7, 10}, "is truncated: its header says 10 uint32"},
        {1044, {GPT2, 1, 0xFFFFFFFF}, "4294967295 uint16 tokens, which are 8589934590"},
        {1044, {GPT2, 2, 10}, "is of version 2 of llm.c's tokens with magic 20240520: only version 1"},
        {1044, {LLAMA3, 1, 5}, "is of version 1 of llm.c's tokens with magic 20240801"},
        {1023, {GPT2, 1, 0}, "is truncated in its header: 1024 bytes expected, 1023 there"},
        {4, {GPT2, 1, 0}, "is truncated in its header: 1024 bytes expected, 4 there"},
        {1024, {GPT2, 1, 0}, "holds no tokens"},
    };
    struct tokens_fixture fixture;
    tokens_fixture_init(&fixture, "wrong", 1);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        static uint8_t bytes[2048];
        memcpy(bytes, table[i].header, sizeof table[i].header);
        write_bytes(fixture.path, bytes, table[i].count);
        tokens_fixture_expect(&fixture, NULL, ERROR_CORRUPT, fixture.path, table[i].words);
    }
    write_tokens(fixture.path, GPT2, 2, 0, 1, 10);
    fixture.settings.type = TOKEN_UINT32;
    tokens_fixture_expect(&fixture, NULL, ERROR_USAGE, "type is uint32, but", "holds uint16, as its header says");
    write_tokens(fixture.path, LLAMA3, 4, 0, 1, 10);
    fixture.settings.type = TOKEN_UINT16;
    tokens_fixture_expect(&fixture, NULL, ERROR_USAGE, "type is uint16, but", "holds uint32, as its header says");
}

static void what_is_not_there_or_no_file_is_named(void)
{
    struct tokens_fixture fixture, pattern;
    tokens_fixture_init(&fixture, "none.bin", 1);
    tokens_fixture_init(&pattern, "none*.bi[n]", 1);
    tokens_fixture_expect(&fixture, NULL, ERROR_NOT_FOUND, fixture.path, "No such file");
    tokens_fixture_expect(&pattern, NULL, ERROR_NOT_FOUND, "no file matches", pattern.path);
    CU_ASSERT_EQUAL(mkfifo(fixture.path, 0600), 0);
    tokens_fixture_expect(&fixture, NULL, ERROR_USAGE, fixture.path, "not a regular file");
    tokens_fixture_expect(&pattern, NULL, ERROR_USAGE, fixture.path, "not a regular file");
    remove(fixture.path);
    CU_ASSERT_EQUAL(mkdir(fixture.path, 0777), 0);
    tokens_fixture_expect(&pattern, NULL, ERROR_USAGE, fixture.path, "is a directory");
}

static void shards_are_of_one_type_and_all_are_looked_at(void)
{
    struct tokens_fixture first, second, pattern;
    tokens_fixture_init(&first, "x1.bin", 1);
    tokens_fixture_init(&second, "x2.bin", 1);
    tokens_fixture_init(&pattern, "x*.bin", 1);
    write_tokens(first.path, 0, 2, 0, 1, 10);
    write_tokens(second.path, LLAMA3, 4, 0, 1, 10);
    tokens_fixture_expect(&pattern, NULL, ERROR_CORRUPT, second.path, "holds uint32 tokens, but");
    write_bytes(second.path, "", 0);
    tokens_fixture_expect(&pattern, NULL, ERROR_CORRUPT, second.path, "is empty");
    write_tokens(second.path, 0, 2, 95, 1, 10);
    pattern.settings.vocabulary = 100;
    tokens_fixture_expect(&pattern, NULL, ERROR_USAGE, second.path,
                          "token 5 (counted from 0) is 100, but vocabulary is 100");
    write_tokens(second.path, 0, 2, 100, 1, 1);
    tokens_fixture_expect(&pattern, NULL, ERROR_USAGE, second.path, "token 0 (counted from 0) is 100");
}

int main(void)
{
    static const struct test_case cases[] = {
        {"validation must fit", validation_must_fit},
        {"settings that cannot be are refused", settings_that_cannot_be_are_refused},
        {"files that are no tokens are named", files_that_are_no_tokens_are_named},
        {"headers that are wrong are refused", headers_that_are_wrong_are_refused},
        {"what is not there, or no file, is named", what_is_not_there_or_no_file_is_named},
        {"shards are of one type, and all are looked at", shards_are_of_one_type_and_all_are_looked_at},
        {NULL, NULL},
    };
    return test_run("data/tokens_refused", cases);
}
