/* Files of tokens, and datasets of them, for tests. */
#ifndef TESTS_DATA_TOKENS_FIXTURE_H
#define TESTS_DATA_TOKENS_FIXTURE_H

#include "data/formats.h"
#include "data/tokens.h"

#include <limits.h>

enum { GPT2 = 20240520, LLAMA3 = 20240801 }; /* magic numbers of llm.c */

/* A file, or a pattern, in the directory of the test, with its settings: all of it, type auto. */
struct tokens_fixture {
    char path[PATH_MAX];
    struct tokens_settings settings;
};

void tokens_fixture_init(struct tokens_fixture *fixture, const char *name, uint64_t context);
bool tokens_fixture_open(const struct tokens_fixture *fixture, const struct dataset *train, struct dataset *dataset,
                         struct error *error) WARN_UNUSED;
struct dataset tokens_fixture_opened(const struct tokens_fixture *fixture, const struct dataset *train);

/* That it is refused, with an error of this kind, in one line, in which both words are. */
void tokens_fixture_expect(const struct tokens_fixture *fixture, const struct dataset *train, enum error_kind kind,
                           const char *words, const char *more);

void write_bytes(const char *path, const void *bytes, size_t count);

/* A file of llm.c's, or raw (magic 0), of the n tokens first, first + step, ..., of `width` bytes. */
void write_tokens(const char *path, uint32_t magic, size_t width, uint32_t first, uint32_t step, size_t n);

#endif
