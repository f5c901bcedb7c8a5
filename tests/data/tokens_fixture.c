#include "data/tokens_fixture.h"

#include "data/opening.h"
#include "support/test.h"

#include <stdio.h>
#include <string.h>

void write_bytes(const char *path, const void *bytes, size_t count)
{
    FILE *file = fopen(path, "wb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_EQUAL(fwrite(bytes, 1, count, file), count);
    CU_ASSERT_EQUAL(fclose(file), 0);
}

void write_tokens(const char *path, uint32_t magic, size_t width, uint32_t first, uint32_t step, size_t n)
{
    static uint8_t bytes[1024 + 4 * 20000];
    size_t header = magic ? 1024 : 0;
    memset(bytes, 0, header);
    if (magic) {
        uint32_t words[3] = {magic, magic == GPT2 ? 1 : 7, (uint32_t)n};
        memcpy(bytes, words, sizeof words);
    }
    for (size_t i = 0; i < n; i++, first += step)
        memcpy(bytes + header + width * i, &first, width);
    write_bytes(path, bytes, header + width * n);
}

void tokens_fixture_init(struct tokens_fixture *fixture, const char *name, uint64_t context)
{
    memset(fixture, 0, sizeof *fixture);
    snprintf(fixture->path, PATH_MAX, "%s", test_path(name));
    fixture->settings = (struct tokens_settings){
        .path = fixture->path, .context = context, .part = {0, 1}, .type = TOKEN_AUTO};
}

bool tokens_fixture_open(const struct tokens_fixture *fixture, const struct dataset *train, struct dataset *dataset,
                         struct error *error)
{
    struct tokens_settings settings = fixture->settings;
    return dataset_open(dataset, &(struct dataset_spec){&dataset_tokens, &settings}, train ? &train->about : NULL,
                        error);
}

struct dataset tokens_fixture_opened(const struct tokens_fixture *fixture, const struct dataset *train)
{
    struct dataset dataset;
    struct error error;
    bool ok = tokens_fixture_open(fixture, train, &dataset, &error);
    check_opened(ok, &error);
    return dataset;
}

void tokens_fixture_expect(const struct tokens_fixture *fixture, const struct dataset *train, enum error_kind kind,
                           const char *words, const char *more)
{
    struct dataset dataset;
    struct error error = {0};
    bool opened = tokens_fixture_open(fixture, train, &dataset, &error);
    check_refused(opened, &error, kind, words, more);
    dataset_close(&dataset);
}
