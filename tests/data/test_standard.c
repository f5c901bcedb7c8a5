/* Means and deviations against the plain definition, and what is made of samples with them. */
#include "data/standard.h"

#include "data/csv_support.h"

#include <math.h>
#include <stdlib.h>

#define SAMPLES 37

/* Value `i` of a sample, [C, inner] or [outer, C], of a column with an offset of its own. */
static float value(size_t sample, size_t i, size_t column)
{
    unsigned mixed = (unsigned)(sample * 7919 + i * 104729 + 12345) * 2654435761u;
    return (float)(1000.0 * (double)column + (double)(mixed >> 8) / (1 << 24));
}

static size_t column_of(const struct shape *shape, size_t i)
{
    size_t count = shape_count(shape);
    return shape->dims == 3 ? i / (count / shape->size[0]) : i % shape->size[shape->dims - 1];
}

static float *make(const struct shape *shape)
{
    size_t count = shape_count(shape);
    float *values = malloc(SAMPLES * count * sizeof *values);
    for (size_t s = 0; s < SAMPLES; s++)
        for (size_t i = 0; i < count; i++)
            values[s * count + i] = value(s, i, column_of(shape, i));
    return values;
}

/* Mean and deviation of a column, in two passes. */
static void define(const struct shape *shape, const float *values, size_t column, double *mean, double *deviation)
{
    size_t count = shape_count(shape), n = 0;
    double sum = 0, square = 0;
    for (size_t i = 0; i < SAMPLES * count; i++)
        if (column_of(shape, i % count) == column) {
            sum += (double)values[i];
            n++;
        }
    *mean = sum / (double)n;
    for (size_t i = 0; i < SAMPLES * count; i++)
        if (column_of(shape, i % count) == column)
            square += ((double)values[i] - *mean) * ((double)values[i] - *mean);
    *deviation = sqrt(square / (double)n);
}

static size_t learn(const struct shape *shape, const float *values, struct standard *standard)
{
    size_t columns = standard_columns(shape), count = shape_count(shape);
    float *first = malloc(columns * sizeof *first);
    double *sums = calloc(2 * columns, sizeof *sums);
    standard_refer(shape, values, first);
    standard_add(shape, values, 20, first, sums);
    standard_add(shape, values + 20 * count, SAMPLES - 20, first, sums);
    standard_init(standard, columns);
    size_t constant = standard_learn(standard, shape, first, sums, SAMPLES);
    free(first);
    free(sums);
    return constant;
}

static const struct shape shapes[] = {{1, {5}}, {2, {4, 3}},    {3, {2, 3, 7}},
                                      {1, {1}}, {3, {3, 1, 1}}, {3, {1, 40, 41}}};

static void means_and_deviations_are_those_of_the_definition(void)
{
    for (size_t s = 0; s < COUNT(shapes); s++) {
        struct standard standard;
        float *values = make(&shapes[s]);
        CU_ASSERT_EQUAL(learn(&shapes[s], values, &standard), 0);
        for (size_t c = 0; c < standard.columns; c++) {
            double mean, deviation;
            define(&shapes[s], values, c, &mean, &deviation);
            CU_ASSERT_DOUBLE_EQUAL(standard.mean[c], mean, 1e-6 * (1 + mean));
            CU_ASSERT_DOUBLE_EQUAL(standard.scale[c], deviation, 1e-6 * deviation);
        }
        standard_release(&standard);
        free(values);
    }
}

static void samples_get_mean_0_and_deviation_1(void)
{
    for (size_t s = 0; s < COUNT(shapes); s++) {
        struct standard standard;
        float *values = make(&shapes[s]);
        learn(&shapes[s], values, &standard);
        standard_apply(&standard, &shapes[s], values, SAMPLES);
        for (size_t c = 0; c < standard.columns; c++) {
            double mean, deviation;
            define(&shapes[s], values, c, &mean, &deviation);
            CU_ASSERT_DOUBLE_EQUAL(mean, 0, 1e-3); /* a mean of 4000 is a float */
            CU_ASSERT_DOUBLE_EQUAL(deviation, 1, 1e-5);
        }
        standard_release(&standard);
        standard_release(&standard);
        free(values);
    }
}

static void constant_columns_are_only_shifted(void)
{
    const struct shape shape = {1, {3}};
    struct standard standard;
    float values[SAMPLES * 3];
    for (size_t s = 0; s < SAMPLES; s++) {
        values[3 * s] = 0.1f;
        values[3 * s + 1] = (float)s;
        values[3 * s + 2] = s == 5 ? 3e-45f : 0; /* nothing can be divided by this deviation */
    }
    CU_ASSERT_EQUAL(learn(&shape, values, &standard), 2);
    CU_ASSERT(standard.mean[0] == 0.1f && standard.scale[0] == 1);
    CU_ASSERT(standard.mean[1] == (SAMPLES - 1) / 2);
    CU_ASSERT(standard.scale[2] == 1);
    standard_apply(&standard, &shape, values, SAMPLES);
    CU_ASSERT(values[0] == 0 && values[3 * (SAMPLES - 1)] == 0);
    standard_release(&standard);
}

static void what_is_no_scale_is_not_set(void)
{
    struct standard standard, same;
    standard_init(&standard, 1);
    CU_ASSERT_TRUE(standard_set(&standard, 0, -3, 0.5f));
    CU_ASSERT_FALSE(standard_set(&standard, 0, 0, 0));
    CU_ASSERT_FALSE(standard_set(&standard, 0, 0, -1));
    CU_ASSERT_FALSE(standard_set(&standard, 0, 0, NAN));
    CU_ASSERT_FALSE(standard_set(&standard, 0, 0, INFINITY));
    CU_ASSERT_FALSE(standard_set(&standard, 0, 0, 1e-40f));
    CU_ASSERT_FALSE(standard_set(&standard, 0, NAN, 1));
    CU_ASSERT(standard.mean[0] == -3 && standard.scale[0] == 0.5f && standard.inverse[0] == 2);
    standard_copy(&same, &standard);
    CU_ASSERT_TRUE(standard_equals(&same, &standard));
    standard_leave(&same, 0);
    CU_ASSERT_FALSE(standard_equals(&same, &standard));
    standard_release(&same);
    CU_ASSERT_FALSE(standard_equals(&same, &standard));
    standard_release(&standard);
}

static void tokens_and_labels_are_refused_with_words(void)
{
    struct leaf_form numbers = {.input = {1, {2}}, .terms = 1}, labels = {.input = {1, {2}}, .classes = 3, .terms = 1},
                     tokens = {.input = {1, {2}}, .vocabulary = 5, .classes = 5, .terms = 2};
    struct error error = {0};
    CU_ASSERT_TRUE(standardise_check(STANDARDISE_BOTH, &numbers, &error));
    CU_ASSERT_TRUE(standardise_check(STANDARDISE_INPUTS, &labels, &error));
    CU_ASSERT_TRUE(standardise_check(STANDARDISE_NONE, &tokens, &error));
    CU_ASSERT_FALSE(standardise_check(STANDARDISE_BOTH, &labels, &error));
    CU_ASSERT_STRING_EQUAL(error.text,
                           "the targets are labels, which have no scale: inputs, or none; if they are a quantity "
                           "in whole numbers, a CSV file wants task: regression, and others want floats");
    CU_ASSERT_FALSE(standardise_check(STANDARDISE_INPUTS, &tokens, &error));
    CU_ASSERT_STRING_EQUAL(error.text, "the inputs are tokens, which have no scale: none");
}

static void further_data_are_read_with_the_standards_of_the_training_data(void)
{
    struct fixture fixture, other;
    fixture_init(&fixture, "train", "a,b,y\n1,2,10.5\n3,2,30.5\n");
    fixture_init(&other, "other", "a,b,y\n5,4,100.5\n");
    struct dataset train = open_good(&fixture, NULL);
    CU_ASSERT_EQUAL(train.about.input_standard.columns, 0);
    uint64_t digest = train.digest;
    standard_init(&train.about.input_standard, 2);
    standard_init(&train.about.target_standard, 1);
    CU_ASSERT_TRUE(standard_set(&train.about.input_standard, 0, 2, 0.5f));
    CU_ASSERT_TRUE(standard_set(&train.about.target_standard, 0, 20.5f, 10));
    struct dataset dataset = open_good(&other, &train);
    struct leaf leaf;
    struct error error;
    CU_ASSERT_TRUE_FATAL(leaf_init(&leaf, &dataset.about.form, 2, &error));
    dataset_read(&dataset, &(uint64_t){0}, 1, &leaf);
    CU_ASSERT(leaf.inputs[0] == 6 && leaf.inputs[1] == 4 && leaf.targets[0] == 8);
    dataset_read(&train, (uint64_t[]){1, 0}, 2, &leaf);
    CU_ASSERT(leaf.inputs[0] == 2 && leaf.inputs[2] == -2 && leaf.targets[0] == 1 && leaf.targets[1] == -1);
    CU_ASSERT(dataset.about.form.most == 100.5f && train.digest == digest); /* the range is that of the file */
    leaf_release(&leaf);
    dataset_close(&dataset);
    dataset_close(&train);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"means and deviations are those of the definition, by column or channel",
         means_and_deviations_are_those_of_the_definition},
        {"samples get mean 0 and deviation 1", samples_get_mean_0_and_deviation_1},
        {"constant columns are only shifted", constant_columns_are_only_shifted},
        {"what is no scale is not set", what_is_no_scale_is_not_set},
        {"tokens and labels are refused with words", tokens_and_labels_are_refused_with_words},
        {"further data are read with the standards of the training data",
         further_data_are_read_with_the_standards_of_the_training_data},
        {NULL, NULL},
    };
    return test_run("data/standard", cases);
}
