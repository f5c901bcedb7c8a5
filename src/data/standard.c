#include "data/standard.h"

#include "base/check.h"
#include "base/memory.h"

#include <math.h>
#include <string.h>

#define LANES 8 /* sums side by side: part of the order of summing, and so of the result */

bool standardise_check(enum standardise_kind kind, const struct leaf_form *form, struct error *error)
{
    if (standardise_has_inputs(kind) && form->vocabulary > 0)
        return error_set(error, ERROR_USAGE, "the inputs are tokens, which have no scale: none");
    if (standardise_has_targets(kind) && form->classes > 0)
        return error_set(error, ERROR_USAGE,
                         "the targets are labels, which have no scale: %s; if they are a quantity in whole numbers, a "
                         "CSV file wants task: regression, and others want floats",
                         form->vocabulary > 0 ? "none" : "inputs, or none");
    return true;
}

/* A sample as [outer, C, inner]. */
struct lie {
    size_t outer, columns, inner;
};

static struct lie lie_of(const struct shape *shape)
{
    size_t all = shape_count(shape), columns = shape->dims == 2 ? shape->size[1] : shape->size[0];
    if (shape->dims > 2)
        return (struct lie){1, columns, all / columns};
    return (struct lie){all / columns, columns, 1};
}

size_t standard_columns(const struct shape *shape)
{
    return lie_of(shape).columns;
}

void standard_lie(const struct shape *shape, size_t *outer, size_t *inner)
{
    struct lie lie = lie_of(shape);
    *outer = lie.outer;
    *inner = lie.inner;
}

void standard_init(struct standard *standard, size_t columns)
{
    *standard = (struct standard){.columns = columns};
    if (columns == 0)
        return;
    standard->mean = memory_need(columns, sizeof *standard->mean);
    standard->scale = memory_need(columns, sizeof *standard->scale);
    standard->inverse = memory_need(columns, sizeof *standard->inverse);
    for (size_t c = 0; c < columns; c++)
        standard->scale[c] = standard->inverse[c] = 1;
}

void standard_copy(struct standard *standard, const struct standard *from)
{
    standard_init(standard, from->columns);
    for (size_t c = 0; c < from->columns; c++) {
        standard->mean[c] = from->mean[c];
        standard->scale[c] = from->scale[c];
        standard->inverse[c] = from->inverse[c];
    }
}

void standard_release(struct standard *standard)
{
    memory_free(standard->mean);
    memory_free(standard->scale);
    memory_free(standard->inverse);
    *standard = (struct standard){0};
}

bool standard_set(struct standard *standard, size_t column, float mean, float scale)
{
    float inverse = 1 / scale;
    if (!isfinite(mean) || !isfinite(scale) || !(scale > 0) || !isfinite(inverse))
        return false;
    standard->mean[column] = mean;
    standard->scale[column] = scale;
    standard->inverse[column] = inverse;
    return true;
}

void standard_leave(struct standard *standard, size_t column)
{
    standard->mean[column] = 0;
    standard->scale[column] = standard->inverse[column] = 1;
}

bool standard_equals(const struct standard *standard, const struct standard *other)
{
    size_t bytes = standard->columns * sizeof(float);
    return standard->columns == other->columns && (bytes == 0 || (memcmp(standard->mean, other->mean, bytes) == 0 &&
                                                                  memcmp(standard->scale, other->scale, bytes) == 0));
}

/* ---- learned ---- */

void standard_refer(const struct shape *shape, const float *values, float *first)
{
    struct lie lie = lie_of(shape);
    for (size_t c = 0; c < lie.columns; c++)
        first[c] = values[c * lie.inner];
}

static void add_row(size_t columns, const float *restrict x, const float *restrict first, double *restrict sums)
{
    double *restrict squares = sums + columns;
    for (size_t c = 0; c < columns; c++) {
        double d = (double)x[c] - (double)first[c];
        sums[c] += d;
        squares[c] += d * d;
    }
}

static void add_plane(size_t n, const float *x, double first, double *sum, double *square)
{
    double sums[LANES] = {0}, squares[LANES] = {0};
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (size_t lane = 0; lane < LANES; lane++) {
            double d = (double)x[i + lane] - first;
            sums[lane] += d;
            squares[lane] += d * d;
        }
    for (size_t lane = 0; i + lane < n; lane++) {
        double d = (double)x[i + lane] - first;
        sums[lane] += d;
        squares[lane] += d * d;
    }
    for (size_t lane = 0; lane < LANES; lane++) {
        *sum += sums[lane];
        *square += squares[lane];
    }
}

void standard_add(const struct shape *shape, const float *values, size_t samples, const float *first, double *sums)
{
    struct lie lie = lie_of(shape);
    for (size_t row = 0; row < samples * lie.outer; row++, values += lie.columns * lie.inner)
        if (lie.inner == 1)
            add_row(lie.columns, values, first, sums);
        else
            for (size_t c = 0; c < lie.columns; c++)
                add_plane(lie.inner, values + c * lie.inner, (double)first[c], sums + c, sums + lie.columns + c);
}

size_t standard_learn(struct standard *standard, const struct shape *shape, const float *first, const double *sums,
                      size_t samples)
{
    struct lie lie = lie_of(shape);
    double n = (double)samples * (double)lie.outer * (double)lie.inner;
    size_t constant = 0;
    CHECK(standard->columns == lie.columns, "the columns are those of the samples");
    for (size_t c = 0; c < lie.columns; c++) {
        double shift = sums[c] / n, variance = sums[lie.columns + c] / n - shift * shift;
        float mean = (float)((double)first[c] + shift), deviation = (float)sqrt(fmax(variance, 0));
        bool varies = standard_set(standard, c, mean, deviation), is_set = varies || standard_set(standard, c, mean, 1);
        CHECK(is_set, "the mean of finite numbers is finite");
        constant += !varies;
    }
    return constant;
}

/* ---- used ---- */

static void apply_row(size_t columns, const float *restrict mean, const float *restrict inverse, float *restrict x)
{
    for (size_t c = 0; c < columns; c++)
        x[c] = (x[c] - mean[c]) * inverse[c];
}

static void apply_plane(size_t n, float mean, float inverse, float *x)
{
    for (size_t i = 0; i < n; i++)
        x[i] = (x[i] - mean) * inverse;
}

void standard_apply(const struct standard *standard, const struct shape *shape, float *values, size_t samples)
{
    struct lie lie = lie_of(shape);
    for (size_t row = 0; row < samples * lie.outer; row++, values += lie.columns * lie.inner)
        if (lie.inner == 1)
            apply_row(lie.columns, standard->mean, standard->inverse, values);
        else
            for (size_t c = 0; c < lie.columns; c++)
                apply_plane(lie.inner, standard->mean[c], standard->inverse[c], values + c * lie.inner);
}
