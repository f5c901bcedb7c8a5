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
    /* Uniform within 1 / sqrt(I), as PyTorch's Linear has it: variance 1 / (3 I), after Y. LeCun et al., "Efficient
     * BackProp", 1998, section 4.6. Tried on MNIST it validates better than the larger He-uniform weights. */
    struct tensor weight = {.dims = 2,
                            .shape = {layer->outputs, layer->inputs},
                            .decays = true,
                            .init = TENSOR_UNIFORM,
                            .bound = 1 / sqrtf((float)layer->inputs)};
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

const struct layer_class layer_dense = {.build = build, .forward = forward, .backward = backward};
