#include "parallel/reduction.h"

#include "base/memory.h"
#include "base/target.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#define CHUNK 4096 /* floats: a few of these stay in the first-level cache */
#define LANES 16   /* partial sums of squares; part of the definition of the norm's bits */

void reduction_init(struct reduction *reduction, size_t leaves)
{
    memset(reduction, 0, sizeof *reduction);
    tree_start(&reduction->walker, leaves);
}

void reduction_release(struct reduction *reduction)
{
    memory_free(reduction->sources);
    memory_free(reduction->scratch);
    memset(reduction, 0, sizeof *reduction);
}

void reduction_add(struct reduction *reduction, struct subtree subtree, const float *values, size_t first)
{
    reduction->sources = memory_grow(reduction->sources, reduction->length, &reduction->capacity,
                                     sizeof *reduction->sources);
    struct reduction_source *source = &reduction->sources[reduction->length++];
    *source = (struct reduction_source){.values = values, .first = first};
    tree_push(&reduction->walker, subtree);
    if (reduction->walker.length > reduction->deepest) {
        reduction->deepest = reduction->walker.length;
        memory_free(reduction->scratch);
        reduction->scratch = memory_need(reduction->deepest * CHUNK, sizeof(float));
    }
    while (tree_merge(&reduction->walker))
        source->merges++;
    reduction->results = reduction->walker.length;
}

TARGET_CLONES void reduction_pair(float *out, const float *left, const float *right, size_t count)
{
    for (size_t i = 0; i < count; i++)
        out[i] = left[i] + right[i];
}

/* The last sum of a tree that is whole goes straight to where it is wanted. */
static void run_chunk(const struct reduction *reduction, size_t first, size_t n, float *out, size_t stride)
{
    const float *waiting[TREE_DEPTH];
    size_t length = 0;
    for (size_t s = 0; s < reduction->length; s++) {
        const struct reduction_source *source = &reduction->sources[s];
        waiting[length++] = source->values + (first - source->first);
        for (unsigned m = 0; m < source->merges; m++) {
            length--;
            bool is_last = s + 1 == reduction->length && length == 1;
            float *sum = is_last ? out : reduction->scratch + (length - 1) * CHUNK;
            reduction_pair(sum, waiting[length - 1], waiting[length], n);
            waiting[length - 1] = sum;
        }
    }
    for (size_t result = 0; result < length; result++)
        if (waiting[result] != out + result * stride)
            memcpy(out + result * stride, waiting[result], n * sizeof *out);
}

void reduction_run(struct reduction *reduction, size_t first, size_t count, float *out, size_t stride)
{
    for (size_t done = 0; done < count; done += CHUNK)
        run_chunk(reduction, first + done, count - done < CHUNK ? count - done : CHUNK, out + done, stride);
}

static double sum_lanes(const double lanes[LANES])
{
    double sum = 0;
    for (size_t lane = 0; lane < LANES; lane++)
        sum += lanes[lane];
    return sum;
}

TARGET_CLONES double reduction_squares(const float *values, size_t count)
{
    double lanes[LANES] = {0};
    size_t i = 0;
    for (; i + LANES <= count; i += LANES)
        for (size_t lane = 0; lane < LANES; lane++)
            lanes[lane] += (double)values[i + lane] * (double)values[i + lane];
    for (; i < count; i++)
        lanes[i % LANES] += (double)values[i] * (double)values[i];
    return sum_lanes(lanes);
}

/* values *= factor; else as below. */
TARGET_CLONES static double scale(float *values, size_t count, float factor)
{
    double lanes[LANES] = {0};
    size_t i = 0;
    for (; i + LANES <= count; i += LANES)
        for (size_t lane = 0; lane < LANES; lane++) {
            float product = values[i + lane] * factor;
            values[i + lane] = product;
            lanes[lane] += (double)product * (double)product;
        }
    for (; i < count; i++) {
        values[i] *= factor;
        lanes[i % LANES] += (double)values[i] * (double)values[i];
    }
    return sum_lanes(lanes);
}

TARGET_CLONES static double divide(float *values, size_t count, float divisor)
{
    double lanes[LANES] = {0};
    size_t i = 0;
    for (; i + LANES <= count; i += LANES)
        for (size_t lane = 0; lane < LANES; lane++) {
            float quotient = values[i + lane] / divisor;
            values[i + lane] = quotient;
            lanes[lane] += (double)quotient * (double)quotient;
        }
    for (; i < count; i++) {
        values[i] /= divisor;
        lanes[i % LANES] += (double)values[i] * (double)values[i];
    }
    return sum_lanes(lanes);
}

/* By a power of two a product is the quotient, bit for bit: both round the same number. It takes a tenth of the time.
 */
double reduction_finish(float *values, size_t count, float divisor)
{
    int exponent;
    bool is_power = frexpf(divisor, &exponent) == 0.5f && exponent > -100 && exponent < 100;
    return is_power ? scale(values, count, 1 / divisor) : divide(values, count, divisor);
}
