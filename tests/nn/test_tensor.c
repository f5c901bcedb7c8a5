#include "base/digest.h"
#include "base/memory.h"
#include "nn/model.h"
#include "nn/tensor.h"
#include "support/test.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Sizes on both sides of a multiple of 16, a scalar, all numbers of dimensions; more tensors than a table begins with.
 */
static const struct tensor specs[] = {
    {.name = "0.dense.weight", .dims = 2, .shape = {3, 5}, .decays = true, .init = TENSOR_UNIFORM, .bound = 0.5f},
    {.name = "0.dense.bias", .dims = 1, .shape = {3}},
    {.name = "full", .dims = 1, .shape = {16}, .init = TENSOR_UNIFORM, .bound = 1},
    {.name = "one more", .dims = 1, .shape = {17}, .init = TENSOR_UNIFORM, .bound = 2},
    {.name = "scalar", .dims = 0, .init = TENSOR_UNIFORM, .bound = 1},
    {.name = "cube", .dims = 3, .shape = {2, 3, 4}, .decays = true, .init = TENSOR_UNIFORM, .bound = 0.25f},
    {.name = "kernel", .dims = 4, .shape = {2, 1, 3, 3}, .init = TENSOR_UNIFORM, .bound = 3},
    {.name = "zero", .dims = 2, .shape = {4, 8}},
    {.name = "ninth", .dims = 1, .shape = {1}, .init = TENSOR_UNIFORM, .bound = 1},
    {.name = "tenth", .dims = 1, .shape = {31}, .init = TENSOR_UNIFORM, .bound = 1},
};
enum { SPECS = sizeof specs / sizeof *specs };

static void add_all(struct tensor_table *table)
{
    tensor_table_init(table);
    for (size_t t = 0; t < SPECS; t++)
        tensor_table_add(table, &specs[t]);
}

/* The whole arena; the caller frees it. */
static float *fill_all(const struct tensor_table *table, uint64_t seed)
{
    float *values = memory_need(table->count, sizeof *values);
    tensor_table_fill(table, seed, 0, table->count, values);
    return values;
}

static void tensors_lie_one_behind_the_other_aligned(void)
{
    static const size_t counts[SPECS] = {15, 3, 16, 17, 1, 24, 18, 32, 1, 31};
    struct tensor_table table;
    tensor_table_init(&table);
    CU_ASSERT_EQUAL(table.length, 0);
    CU_ASSERT_EQUAL(table.count, 0);
    size_t next = 0;
    for (size_t t = 0; t < SPECS; t++) {
        CU_ASSERT_EQUAL(tensor_table_add(&table, &specs[t]), next);
        next += (counts[t] + 15) / 16 * 16;
        CU_ASSERT_EQUAL(table.length, t + 1);
        CU_ASSERT_EQUAL(table.count, next);
    }
    next = 0;
    for (size_t t = 0; t < SPECS; t++) { /* after the table has grown */
        const struct tensor *tensor = &table.tensors[t];
        CU_ASSERT_STRING_EQUAL(tensor->name, specs[t].name);
        CU_ASSERT_EQUAL(tensor->offset, next);
        CU_ASSERT_EQUAL(tensor->offset % TENSOR_ALIGN, 0);
        CU_ASSERT_EQUAL(tensor->count, counts[t]);
        CU_ASSERT_EQUAL(tensor->dims, specs[t].dims);
        CU_ASSERT_EQUAL(memcmp(tensor->shape, specs[t].shape, sizeof tensor->shape), 0);
        CU_ASSERT_EQUAL(tensor->decays, specs[t].decays);
        next += (counts[t] + 15) / 16 * 16;
    }
    tensor_table_release(&table);
    tensor_table_release(&table); /* accepts a released one */
    CU_ASSERT_EQUAL(table.count, 0);
}

static void gaps_and_zero_tensors_are_filled_with_zero(void)
{
    struct tensor_table table;
    add_all(&table);
    float *values = memory_need(table.count, sizeof *values);
    bool *drawn = memory_need(table.count, sizeof *drawn);
    memset(values, 0xff, table.count * sizeof *values); /* NaN */
    tensor_table_fill(&table, 1, 0, table.count, values);
    for (size_t t = 0; t < SPECS; t++)
        for (size_t e = 0; e < table.tensors[t].count; e++)
            drawn[table.tensors[t].offset + e] = table.tensors[t].init == TENSOR_UNIFORM;
    size_t zeros = 0;
    const float zero = 0;
    for (size_t e = 0; e < table.count; e++)
        if (!drawn[e]) {
            CU_ASSERT_EQUAL(memcmp(&values[e], &zero, sizeof zero), 0); /* not -0 */
            zeros++;
        } else
            CU_ASSERT_NOT_EQUAL(values[e], 0);
    CU_ASSERT_EQUAL(zeros, table.count - (15 + 16 + 17 + 1 + 24 + 18 + 1 + 31));
    memory_free(drawn);
    memory_free(values);
    tensor_table_release(&table);
}

static void any_part_filled_alone_has_the_bits_of_the_whole(void)
{
    struct tensor_table table;
    add_all(&table);
    float *all = fill_all(&table, 7);
    float *part = memory_need(table.count + 1, sizeof *part);
    size_t differing = 0, overrun = 0;
    for (size_t first = 0; first <= table.count; first++)
        for (size_t count = 0; count <= table.count - first; count++) {
            memset(part, 0xff, (count + 1) * sizeof *part);
            uint32_t guard;
            tensor_table_fill(&table, 7, first, count, part);
            differing += memcmp(part, all + first, count * sizeof *part) != 0;
            memcpy(&guard, part + count, sizeof guard);
            overrun += guard != 0xffffffff;
        }
    CU_ASSERT_EQUAL(differing, 0);
    CU_ASSERT_EQUAL(overrun, 0);
    memory_free(part);
    memory_free(all);
    tensor_table_release(&table);
}

static void values_depend_on_seed_name_and_index_only(void)
{
    /* The same tensor at another place, with another shape, behind other tensors: the same numbers. */
    struct tensor_table alone, behind;
    struct tensor tensor = {.name = "w", .dims = 2, .shape = {6, 8}, .init = TENSOR_UNIFORM, .bound = 1};
    struct tensor flat = {.name = "w", .dims = 1, .shape = {40}, .init = TENSOR_UNIFORM, .bound = 1};
    struct tensor twin = {.name = "v", .dims = 2, .shape = {6, 8}, .init = TENSOR_UNIFORM, .bound = 1};
    tensor_table_init(&alone);
    tensor_table_init(&behind);
    tensor_table_add(&alone, &tensor);
    tensor_table_add(&behind, &twin);
    size_t place = tensor_table_add(&behind, &flat);
    float *a = fill_all(&alone, 1), *b = fill_all(&behind, 1), *other_seed = fill_all(&alone, 2);
    CU_ASSERT_EQUAL(memcmp(a, b + place, 40 * sizeof *a), 0);
    size_t same_by_name = 0, same_by_seed = 0, same_neighbour = 0;
    for (size_t e = 0; e < 48; e++) {
        same_by_name += a[e] == b[e];
        same_by_seed += a[e] == other_seed[e];
        same_neighbour += e > 0 && a[e] == a[e - 1];
    }
    CU_ASSERT_TRUE(same_by_name <= 1);
    CU_ASSERT_TRUE(same_by_seed <= 1);
    CU_ASSERT_TRUE(same_neighbour <= 1);
    memory_free(a);
    memory_free(b);
    memory_free(other_seed);
    tensor_table_release(&alone);
    tensor_table_release(&behind);
}

static void uniform_values_fill_their_range_and_stay_in_it(void)
{
    enum { N = 1 << 18 };
    static const float bounds[] = {1, 0.0875f, 3};
    for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++) {
        double bound = (double)bounds[i], sum = 0, squares = 0, lowest = 1e9, highest = -1e9;
        struct tensor_table table;
        struct tensor tensor = {.name = "w", .dims = 1, .shape = {N}, .init = TENSOR_UNIFORM, .bound = bounds[i]};
        tensor_table_init(&table);
        tensor_table_add(&table, &tensor);
        float *values = fill_all(&table, 5);
        for (size_t e = 0; e < N; e++) {
            double value = (double)values[e];
            sum += value;
            squares += value * value;
            lowest = fmin(lowest, value);
            highest = fmax(highest, value);
        }
        CU_ASSERT_TRUE(lowest >= -bound && lowest < -0.999 * bound);
        CU_ASSERT_TRUE(highest < bound && highest > 0.999 * bound);
        /* Mean 0 and variance bound^2 / 3, each to five standard deviations of its estimate. */
        CU_ASSERT_DOUBLE_EQUAL(sum / N, 0, 5 * bound / sqrt(3.0 * N));
        CU_ASSERT_DOUBLE_EQUAL(squares / N, bound * bound / 3, 5 * bound * bound * sqrt(4.0 / 45 / N));
        memory_free(values);
        tensor_table_release(&table);
    }
}

/* A job that starts from seed 1 must start from the same weights with every version of the program. The numbers were
 * computed by a second implementation (Python, from the Philox paper and xxHash), not by this one. */
static void initial_weights_never_change(void)
{
    static const struct layer_spec layers[] = {{LAYER_DENSE, 32}, {LAYER_RELU, 0}, {LAYER_DENSE, 10}};
    static const float first[] = {-0x1.b64faap-6f, -0x1.a35d26p-8f, -0x1.ad9238p-6f, -0x1.18e636p-5f};
    static const float last[] = {-0x1.395792p-3f, -0x1.2c459ep-4f, -0x1.c5a524p-4f, -0x1.258c4ep-5f};
    struct model model;
    struct error error = {0};
    CU_ASSERT_TRUE_FATAL(model_init(&model, layers, 3, LOSS_SOFTMAX_CROSS_ENTROPY, 1, 784, 10, &error));
    CU_ASSERT_EQUAL(model.table.count, 25456);
    float *values = fill_all(&model.table, 1);
    CU_ASSERT_EQUAL(memcmp(values, first, sizeof first), 0);
    CU_ASSERT_EQUAL(memcmp(values + 25088 + 32 + 320 - 4, last, sizeof last), 0);
    CU_ASSERT_EQUAL(digest_bytes(values, model.table.count * sizeof *values), 0x508483190625a1dfu);
    memory_free(values);
    model_release(&model);
}

static void shapes_are_told_in_words(void)
{
    char text[64], small[4];
    tensor_shape_text(2, (const size_t[]){512, 784}, text, sizeof text);
    CU_ASSERT_STRING_EQUAL(text, "512x784");
    tensor_shape_text(1, (const size_t[]){10, 99}, text, sizeof text);
    CU_ASSERT_STRING_EQUAL(text, "10");
    tensor_shape_text(4, (const size_t[]){64, 3, 5, 7}, text, sizeof text);
    CU_ASSERT_STRING_EQUAL(text, "64x3x5x7");
    tensor_shape_text(0, NULL, text, sizeof text);
    CU_ASSERT_STRING_EQUAL(text, "");
    tensor_shape_text(4, (const size_t[]){12, 34, 5, 7}, small, sizeof small);
    CU_ASSERT_STRING_EQUAL(small, "12x");
}

int main(void)
{
    static const struct test_case cases[] = {
        {"tensors lie one behind the other, aligned", tensors_lie_one_behind_the_other_aligned},
        {"gaps and zero tensors are filled with zero", gaps_and_zero_tensors_are_filled_with_zero},
        {"any part filled alone has the bits of the whole", any_part_filled_alone_has_the_bits_of_the_whole},
        {"values depend on seed, name and index only", values_depend_on_seed_name_and_index_only},
        {"uniform values fill their range and stay in it", uniform_values_fill_their_range_and_stay_in_it},
        {"initial weights never change", initial_weights_never_change},
        {"shapes are told in words", shapes_are_told_in_words},
        {NULL, NULL},
    };
    return test_run("nn/tensor", cases);
}
