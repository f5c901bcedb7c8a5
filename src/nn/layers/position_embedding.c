/* y = x + w, with a row of w [T, C] for each position of a sequence. */
#include "nn/layers/position_embedding.h"

#include "base/rows.h"
#include "nn/kernels/vector.h"
#include "nn/layers/layers.h"

#include <string.h>

enum { WEIGHT };

static const struct option_row keys[] = {
    {"init", "how the weights begin", FIELD(struct position_embedding, init), .choices = init_names, DEFAULT("gpt2")},
    {0},
};

static bool build(struct layer *layer, struct tensor_table *table, struct error *error)
{
    const struct position_embedding *embedding = layer->settings;
    size_t T = layer->in.size[0], C = layer->in.size[1];
    struct tensor weight = {.dims = 2, .shape = {T, C}, .role = TENSOR_EMBEDDING};
    if (!layer_wants_sequence(&layer->in, error))
        return false;
    initialise(&weight, embedding->init, C, T, 1);
    layer_add_tensor(layer, table, "weight", weight);
    layer->out = layer->in;
    return true;
}

static void forward(const struct layer *layer, const struct pass *pass, const float *x, float *y, float *saved)
{
    (void)saved;
    size_t I = layer->inputs;
    for (size_t row = 0; row < pass->leaf->rows; row++)
        vector_add(I, x + row * I, layer_params(layer, pass, WEIGHT), y + row * I);
}

static void backward(const struct layer *layer, const struct pass *pass, const float *x, const float *y,
                     const float *saved, const float *dy, float *dx)
{
    (void)x, (void)y, (void)saved;
    size_t I = layer->inputs, M = pass->leaf->rows;
    vector_sum_rows(M, I, dy, layer_gradient(layer, pass, WEIGHT), layer->adds[WEIGHT]);
    if (dx && dx != dy)
        memcpy(dx, dy, M * I * sizeof *dx);
}

const struct layer_class layer_position_embedding = {
    KIND_OF("position_embedding", "adds a learned row to each position of a sequence", struct position_embedding, keys),
    .build = build,
    .forward = forward,
    .by_position = true,
    .backward = backward,
    .in_place = true,
};
