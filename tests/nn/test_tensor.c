#include "base/digest.h"
#include "base/memory.h"
#include "nn/layers/dense.h"
#include "nn/layers/layers.h"
#include "nn/model.h"
#include "nn/tensor.h"
#include "support/test.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Sizes on both sides of a multiple of 16, a scalar, all numbers of dimensions; more tensors than a table begins with.
 */
static const struct tensor specs[] = {
    {.name = "0.dense.weight", .dims = 2, .shape = {3, 5}, .init = TENSOR_UNIFORM, .scale = 0.5f},
    {.name = "0.dense.bias", .dims = 1, .shape = {3}, .role = TENSOR_BIAS},
    {.name = "full", .dims = 1, .shape = {16}, .init = TENSOR_NORMAL, .scale = 1},
    {.name = "one more", .dims = 1, .shape = {17}, .init = TENSOR_UNIFORM, .scale = 2},
    {.name = "scalar", .dims = 0, .init = TENSOR_UNIFORM, .scale = 1},
    {.name = "cube", .dims = 3, .shape = {2, 3, 4}, .role = TENSOR_EMBEDDING, .init = TENSOR_UNIFORM, .scale = 0.25f},
    {.name = "kernel", .dims = 4, .shape = {2, 1, 3, 3}, .init = TENSOR_NORMAL, .scale = 3},
    {.name = "zero", .dims = 2, .shape = {4, 8}, .role = TENSOR_NORM},
    {.name = "ninth", .dims = 1, .shape = {1}, .init = TENSOR_UNIFORM, .scale = 1},
    {.name = "tenth", .dims = 1, .shape = {31}, .init = TENSOR_UNIFORM, .scale = 1},
};
enum { SPECS = COUNT(specs) };

static const size_t counts[SPECS] = {15, 3, 16, 17, 1, 24, 18, 32, 1, 31};

static void place_all(struct tensor_table *table, const struct tensor *tensors, size_t count)
{
    tensor_table_init(table);
    for (size_t t = 0; t < count; t++)
        CU_ASSERT_EQUAL(tensor_table_add(table, &tensors[t]), t);
    tensor_table_place(table);
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
    struct tensor_table table;
    tensor_table_init(&table);
    CU_ASSERT_EQUAL(table.length, 0);
    CU_ASSERT_EQUAL(table.count, 0);
    place_all(&table, specs, SPECS);
    CU_ASSERT_EQUAL(table.length, SPECS);
    size_t next = 0, elements = 0;
    for (size_t t = 0; t < SPECS; t++) { /* after the table has grown */
        const struct tensor *tensor = &table.tensors[t];
        CU_ASSERT_STRING_EQUAL(tensor->name, specs[t].name);
        CU_ASSERT_EQUAL(tensor->offset, next);
        CU_ASSERT_EQUAL(tensor->count, counts[t]);
        CU_ASSERT_EQUAL(tensor->dims, specs[t].dims);
        CU_ASSERT_EQUAL(memcmp(tensor->shape, specs[t].shape, sizeof tensor->shape), 0);
        CU_ASSERT_EQUAL(tensor->role, specs[t].role);
        next += (counts[t] + TENSOR_ALIGN - 1) / TENSOR_ALIGN * TENSOR_ALIGN;
        CU_ASSERT_EQUAL(tensor->offset + tensor->room, next);
        elements += counts[t];
    }
    CU_ASSERT_EQUAL(table.count, next);
    CU_ASSERT_EQUAL(table.learned, next); /* no statistics: no gap for them */
    CU_ASSERT_EQUAL(tensor_table_elements(&table, false), elements);
    CU_ASSERT_EQUAL(tensor_table_elements(&table, true), elements);
    tensor_table_release(&table);
    tensor_table_release(&table); /* accepts a released one */
    CU_ASSERT_EQUAL(table.count, 0);
}

static void statistics_lie_behind_all_that_is_learned(void)
{
    static const struct tensor mixed[] = {
        {.name = "m0", .dims = 1, .shape = {5}, .role = TENSOR_STATISTIC, .momentum = 0.25f},
        {.name = "w0", .dims = 2, .shape = {3, 7}, .init = TENSOR_UNIFORM, .scale = 1},
        {.name = "v0", .dims = 1, .shape = {17}, .role = TENSOR_STATISTIC, .scale = 1, .momentum = 0.25f},
        {.name = "w1", .dims = 1, .shape = {4090}, .init = TENSOR_NORMAL, .scale = 1},
    };
    struct tensor_table table;
    place_all(&table, mixed, COUNT(mixed));
    CU_ASSERT_EQUAL(table.tensors[1].offset, 0);
    CU_ASSERT_EQUAL(table.tensors[3].offset, 32);
    CU_ASSERT_EQUAL(table.learned, 2 * TENSOR_STATISTICS_ALIGN); /* 32 + 4096 floats, rounded up */
    CU_ASSERT_EQUAL(table.tensors[0].offset, table.learned);
    CU_ASSERT_EQUAL(table.tensors[2].offset, table.learned + 16);
    CU_ASSERT_EQUAL(table.count, table.learned + 16 + 32);
    CU_ASSERT_EQUAL(table.tensors[0].room, 16);
    CU_ASSERT_EQUAL(table.tensors[1].room, 32);
    CU_ASSERT_EQUAL(table.tensors[2].room, 32);
    CU_ASSERT_EQUAL(table.tensors[3].room, table.learned - 32);
    CU_ASSERT_EQUAL(table.tensors[2].momentum, 0.25f);
    CU_ASSERT_EQUAL(tensor_table_elements(&table, false), 21 + 4090);
    CU_ASSERT_EQUAL(tensor_table_elements(&table, true), 21 + 4090 + 5 + 17);
    float *values = fill_all(&table, 1);
    for (size_t e = 0; e < table.count - table.learned; e++)
        CU_ASSERT_EQUAL(values[table.learned + e], e >= 16 && e < 16 + 17 ? 1 : 0);
    for (size_t e = 32 + 4090; e < table.learned; e++)
        CU_ASSERT_EQUAL(values[e], 0);
    memory_free(values);
    tensor_table_release(&table);

    /* Learned floats that end where statistics may begin. */
    static const struct tensor exact[] = {{.name = "w", .dims = 1, .shape = {TENSOR_STATISTICS_ALIGN}},
                                          {.name = "m", .dims = 1, .shape = {3}, .role = TENSOR_STATISTIC}};
    place_all(&table, exact, COUNT(exact));
    CU_ASSERT_EQUAL(table.learned, TENSOR_STATISTICS_ALIGN);
    CU_ASSERT_EQUAL(table.count, TENSOR_STATISTICS_ALIGN + TENSOR_ALIGN);
    tensor_table_release(&table);
}

static void gaps_and_zero_tensors_are_filled_with_zero(void)
{
    struct tensor_table table;
    place_all(&table, specs, SPECS);
    float *values = memory_need(table.count, sizeof *values);
    bool *drawn = memory_need(table.count, sizeof *drawn);
    memset(values, 0xff, table.count * sizeof *values); /* NaN */
    tensor_table_fill(&table, 1, 0, table.count, values);
    for (size_t t = 0; t < SPECS; t++)
        for (size_t e = 0; e < table.tensors[t].count; e++)
            drawn[table.tensors[t].offset + e] = table.tensors[t].init != TENSOR_CONSTANT;
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
    place_all(&table, specs, SPECS);
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

static void check_values_depend_on_seed_name_and_index_only(enum tensor_init init)
{
    /* The same tensor at another place, with another shape, behind other tensors: the same numbers. */
    struct tensor_table alone, behind;
    struct tensor tensor = {.name = "w", .dims = 2, .shape = {6, 8}, .scale = 1};
    struct tensor flat = {.name = "w", .dims = 1, .shape = {40}, .scale = 1};
    struct tensor twin = {.name = "v", .dims = 2, .shape = {6, 8}, .scale = 1};
    tensor.init = twin.init = flat.init = init;
    place_all(&alone, &tensor, 1);
    place_all(&behind, (const struct tensor[]){twin, flat}, 2);
    float *a = fill_all(&alone, 1), *b = fill_all(&behind, 1), *other_seed = fill_all(&alone, 2);
    CU_ASSERT_EQUAL(memcmp(a, b + behind.tensors[1].offset, 40 * sizeof *a), 0);
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

static void values_depend_on_seed_name_and_index_only(void)
{
    check_values_depend_on_seed_name_and_index_only(TENSOR_UNIFORM);
    check_values_depend_on_seed_name_and_index_only(TENSOR_NORMAL);
}

static void uniform_values_fill_their_range_and_stay_in_it(void)
{
    enum { N = 1 << 18 };
    static const float bounds[] = {1, 0.0875f, 3};
    for (size_t i = 0; i < COUNT(bounds); i++) {
        double bound = (double)bounds[i], sum = 0, squares = 0, lowest = 1e9, highest = -1e9;
        struct tensor_table table;
        struct tensor tensor = {.name = "w", .dims = 1, .shape = {N}, .init = TENSOR_UNIFORM, .scale = bounds[i]};
        place_all(&table, &tensor, 1);
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

/* The first four moments about 0, each to five standard deviations of its estimate; no two neighbours go together. */
static void normal_values_have_the_moments_of_their_distribution(void)
{
    enum { N = 1 << 18 };
    static const float scales[] = {1, 0.02f, 3};
    for (size_t i = 0; i < COUNT(scales); i++) {
        struct tensor_table table;
        struct tensor tensor = {.name = "w", .dims = 1, .shape = {N}, .init = TENSOR_NORMAL, .scale = scales[i]};
        double moments[5] = {0}, neighbours = 0, last = 0, largest = 0;
        size_t beyond_2 = 0;
        place_all(&table, &tensor, 1);
        float *values = fill_all(&table, 5);
        for (size_t e = 0; e < N; e++) {
            double z = (double)values[e] / (double)scales[i], power = 1;
            for (size_t k = 1; k <= 4; k++)
                moments[k] += (power *= z) / N;
            neighbours += z * last / N;
            largest = fmax(largest, fabs(z));
            beyond_2 += fabs(z) > 2;
            last = z;
        }
        CU_ASSERT_DOUBLE_EQUAL(moments[1], 0, 5 / sqrt(N));
        CU_ASSERT_DOUBLE_EQUAL(moments[2], 1, 5 * sqrt(2.0 / N));
        CU_ASSERT_DOUBLE_EQUAL(moments[3], 0, 5 * sqrt(15.0 / N));
        CU_ASSERT_DOUBLE_EQUAL(moments[4], 3, 5 * sqrt(96.0 / N));
        CU_ASSERT_DOUBLE_EQUAL(neighbours, 0, 5 / sqrt(N));
        CU_ASSERT_DOUBLE_EQUAL((double)beyond_2 / N, erfc(M_SQRT2), 5 * sqrt(0.0455 / N));
        CU_ASSERT_TRUE(largest > 3.9 && largest < 6.7); /* the generator's own end: sqrt(2 log 2^33) */
        memory_free(values);
        tensor_table_release(&table);
    }
}

static void constant_tensors_have_their_value(void)
{
    static const float scales[] = {0, 1, -0.5f};
    for (size_t i = 0; i < COUNT(scales); i++) {
        struct tensor_table table;
        struct tensor tensor = {.name = "w", .dims = 1, .shape = {19}, .role = TENSOR_NORM, .scale = scales[i]};
        place_all(&table, &tensor, 1);
        float *values = fill_all(&table, 1);
        for (size_t e = 0; e < table.count; e++)
            CU_ASSERT_EQUAL(values[e], e < 19 ? scales[i] : 0);
        memory_free(values);
        tensor_table_release(&table);
    }
}

/* A job that starts from seed 1 must start from the same weights with every version of the program. The numbers were
 * computed by a second implementation (Python, from the Philox paper and xxHash), not by this one. */
static void initial_weights_never_change(void)
{
    struct dense first_dense = {.units = 32, .bias = true, .init = INIT_DEFAULT}, last_dense = first_dense;
    struct layer_spec layers[] = {{.class = &layer_dense, .settings = &first_dense},
                                  {.class = &layer_relu},
                                  {.class = &layer_dense, .settings = &last_dense}};
    static const struct loss_spec loss = {.class = &loss_softmax_cross_entropy};
    static const struct leaf_form form = {.input = {1, {784}}, .classes = 10, .terms = 1};
    static const float first[] = {-0x1.b64faap-6f, -0x1.a35d26p-8f, -0x1.ad9238p-6f, -0x1.18e636p-5f};
    static const float last[] = {-0x1.395792p-3f, -0x1.2c459ep-4f, -0x1.c5a524p-4f, -0x1.258c4ep-5f};
    struct model model;
    struct error error = {0};
    last_dense.units = 10;
    CU_ASSERT_TRUE_FATAL(
        model_describe(&model, &(struct model_spec){.layers = layers, .count = 3}, &loss, &form, 1, 1, &error));
    CU_ASSERT_EQUAL(model.table.count, 25456);
    float *values = fill_all(&model.table, 1);
    CU_ASSERT_EQUAL(memcmp(values, first, sizeof first), 0);
    CU_ASSERT_EQUAL(memcmp(values + 25088 + 32 + 320 - 4, last, sizeof last), 0);
    CU_ASSERT_EQUAL(digest_bytes(values, model.table.count * sizeof *values), 0x508483190625a1dfu);
    memory_free(values);
    model_release(&model);
}

/* The same for normal numbers: Python, its logarithm, sine and cosine those of the C library. */
static void initial_normal_weights_never_change(void)
{
    static const float first[] = {-0x1.9e2554p-8f, -0x1.26fa2cp-6f, -0x1.0718a8p-7f, -0x1.9a9bc2p-11f};
    struct tensor_table table;
    struct tensor tensor = {
        .name = "0.embedding.weight", .dims = 2, .shape = {65, 128}, .init = TENSOR_NORMAL, .scale = 0.02f};
    place_all(&table, &tensor, 1);
    float *values = fill_all(&table, 1);
    CU_ASSERT_EQUAL(memcmp(values, first, sizeof first), 0);
    CU_ASSERT_EQUAL(digest_bytes(values, table.count * sizeof *values), 0x3cd899b3a59dbd56u);
    memory_free(values);
    tensor_table_release(&table);
}

/* What names of initialisations stand for: the distribution, and its deviation (initialisation.h). */
static void initialisations_have_their_distribution_and_variance(void)
{
    static const struct {
        enum init_kind kind;
        enum tensor_init init;
        double variance; /* with 24 inputs and 8 outputs */
    } cases[] = {
        {INIT_DEFAULT, TENSOR_UNIFORM, 1.0 / 72},
        {INIT_KAIMING_UNIFORM, TENSOR_UNIFORM, 2.0 / 24},
        {INIT_KAIMING_NORMAL, TENSOR_NORMAL, 2.0 / 24},
        {INIT_XAVIER_UNIFORM, TENSOR_UNIFORM, 2.0 / 32},
        {INIT_XAVIER_NORMAL, TENSOR_NORMAL, 2.0 / 32},
        {INIT_LECUN_UNIFORM, TENSOR_UNIFORM, 1.0 / 24},
        {INIT_LECUN_NORMAL, TENSOR_NORMAL, 1.0 / 24},
        {INIT_GPT2, TENSOR_NORMAL, 0.0004},
        {INIT_ZEROS, TENSOR_CONSTANT, 0},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        for (int half = 0; half < 2; half++) {
            struct tensor tensor = {0};
            initialise(&tensor, cases[i].kind, 24, 8, half ? 0.5 : 1);
            double deviation = (double)tensor.scale / (cases[i].init == TENSOR_UNIFORM ? sqrt(3) : 1);
            CU_ASSERT_EQUAL(tensor.init, cases[i].init);
            CU_ASSERT_DOUBLE_EQUAL(deviation, sqrt(cases[i].variance) * (half ? 0.5 : 1), 1e-7);
            CU_ASSERT_PTR_NOT_NULL(init_names[cases[i].kind]);
        }
}

int main(void)
{
    static const struct test_case cases[] = {
        {"tensors lie one behind the other, aligned", tensors_lie_one_behind_the_other_aligned},
        {"statistics lie behind all that is learned", statistics_lie_behind_all_that_is_learned},
        {"gaps and zero tensors are filled with zero", gaps_and_zero_tensors_are_filled_with_zero},
        {"any part filled alone has the bits of the whole", any_part_filled_alone_has_the_bits_of_the_whole},
        {"values depend on seed, name and index only", values_depend_on_seed_name_and_index_only},
        {"uniform values fill their range and stay in it", uniform_values_fill_their_range_and_stay_in_it},
        {"normal values have the moments of their distribution", normal_values_have_the_moments_of_their_distribution},
        {"constant tensors have their value", constant_tensors_have_their_value},
        {"initial weights never change", initial_weights_never_change},
        {"initial normal weights never change", initial_normal_weights_never_change},
        {"initialisations have their distribution and variance", initialisations_have_their_distribution_and_variance},
        {NULL, NULL},
    };
    return test_run("nn/tensor", cases);
}
