/* Files whose bytes are damaged at random. */
#ifndef DAMAGE_SUPPORT_H
#define DAMAGE_SUPPORT_H

#include "base/rng.h"
#include "weights_support.h"

#define DAMAGE_TENSORS 100

static inline void make_files(void)
{
    for (size_t f = 0; weights_formats[f]; f++) {
        struct error error;
        struct weights weights;
        char name[40];
        weights_init(&weights);
        for (size_t i = 0; i < DAMAGE_TENSORS; i++) {
            bool is_keras = weights_formats[f] == &weights_keras;
            snprintf(name, sizeof name, is_keras ? "layers/dense_%zu/vars/0" : "%zu.dense.weight", i);
            add_tensor(&weights, name, 2, (size_t[]){3, i % 5 + 1}, (float)i);
        }
        weights.job = memory_text("run: a\n");
        CU_ASSERT_TRUE_FATAL(weights_write(weights_formats[f], test_path(weights_formats[f]->name), &weights, &error));
        weights_release(&weights);
    }
}

/* Flips bits, replaces bytes, cuts; half of the damage where the descriptions are. */
static inline void damage(char *bytes, size_t *count, uint64_t key, uint64_t trial, size_t begin, size_t end)
{
    uint32_t dice[4];
    rng_words(key, trial, 0, dice);
    size_t flips = 1 + dice[0] % 3;
    for (size_t i = 0; i < flips; i++) {
        uint32_t more[4];
        rng_words(key, trial, (uint32_t)i + 1, more);
        size_t at = more[0] % 2 ? more[1] % *count : begin + more[1] % (end - begin);
        bytes[at] = (char)(more[2] % 3 ? bytes[at] ^ 1 << more[3] % 8 : (int)more[3]);
    }
    if (dice[1] % 8 == 0)
        *count = dice[2] % *count;
}

/* Reads `trials` damaged copies of a file that make_files has made: all of them give an error or something else. Where
 * the descriptions are: `from_end` bytes at the end, or, if that is 0, 4,000 at the beginning. */
static inline void read_damaged(const struct weights_format *format, size_t trials, size_t from_end)
{
    char *bytes;
    struct error error;
    size_t count;
    CU_ASSERT_TRUE_FATAL(file_read(test_path(format->name), &bytes, &count, &error));
    char *copy = memory_need(count, 1);
    size_t begin = from_end ? count - from_end : 0, end = from_end || count < 4000 ? count : 4000;
    for (size_t trial = 0; trial < trials; trial++) {
        size_t length = count;
        memcpy(copy, bytes, count);
        damage(copy, &length, rng_key(1, format->name), trial, begin, end);
        FILE *stream = fopen(test_path("damaged"), "wb");
        CU_ASSERT_PTR_NOT_NULL_FATAL(stream);
        CU_ASSERT_EQUAL(fwrite(copy, 1, length, stream), length);
        fclose(stream);
        error_clear(&error);
        bool ok = read_all(test_path("damaged"), &error);
        CU_ASSERT_TRUE(ok || error.kind != ERROR_NONE);
    }
    memory_free(copy);
    memory_free(bytes);
}

#endif
