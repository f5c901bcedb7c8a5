/* y = x W' + b, with W [O, I] and b [O]. */
#include "base/target.h"
#include "nn/kernels/gemm.h"
#include "nn/layer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void build(struct layer *layer, size_t index, struct tensor_table *table)
{
    layer->outputs = layer->spec.units;
    /* He-uniform for layers that are followed by a rectifier (K. He et al., "Delving deep into rectifiers", ICCV 2015,
     * section 2.2): variance 2 / I, so the bound is sqrt(6 / I). */
    struct tensor weight = {.dims = 2,
                            .shape = {layer->outputs, layer->inputs},
                            .decays = true,
                            .init = TENSOR_UNIFORM,
                            .bound = sqrtf(6.0f / (float)layer->inputs)};
    struct tensor bias = {.dims = 1, .shape = {layer->outputs}, .init = TENSOR_ZERO};
    snprintf(weight.name, sizeof weight.name, "%zu.dense.weight", index);
    snprintf(bias.name, sizeof bias.name, "%zu.dense.bias", index);
    layer->weight = tensor_table_add(table, &weight);
    layer->bias = tensor_table_add(table, &bias);
}

static void forward(const struct layer *layer, const float *params, size_t rows, const float *x, float *y)
{
    size_t I = layer->inputs, O = layer->outputs;
    for (size_t row = 0; row < rows; row++)
        memcpy(y + row * O, params + layer->bias, O * sizeof *y);
    gemm(GEMM_PLAIN, GEMM_TRANSPOSED, rows, O, I, x, params + layer->weight, 1, y);
}

TARGET_CLONES static void sum_rows(size_t rows, size_t O, const float *dy, float *sums)
{
    memcpy(sums, dy, O * sizeof *sums);
    for (size_t row = 1; row < rows; row++)
        for (size_t o = 0; o < O; o++)
            sums[o] += dy[row * O + o];
}

static void backward(const struct layer *layer, const float *params, size_t rows, const float *x, const float *y,
                     const float *dy, float *dx, float *gradient)
{
    size_t I = layer->inputs, O = layer->outputs;
    (void)y;
    gemm(GEMM_TRANSPOSED, GEMM_PLAIN, O, I, rows, dy, x, 0, gradient + layer->weight);
    sum_rows(rows, O, dy, gradient + layer->bias);
    if (dx)
        gemm(GEMM_PLAIN, GEMM_PLAIN, rows, I, O, dy, params + layer->weight, 0, dx);
}

const struct layer_class layer_dense = {.name = "dense", .build = build, .forward = forward, .backward = backward};
