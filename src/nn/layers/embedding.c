/* Each token becomes a row of the weight [V, C]. The first layer of a model of tokens, [T] -> [T, C]. */
#include "nn/layers/embedding.h"

#include "base/check.h"
#include "base/rows.h"
#include "nn/kernels/vector.h"
#include "nn/layers/layers.h"

#include <string.h>

enum { WEIGHT };

static const struct option_row keys[] = {
    {"width", "channels that each token becomes", FIELD(struct embedding, width), WHOLE(1, LAYER_WIDTH_MOST)},
    {"init", "how the weights begin", FIELD(struct embedding, init), .choices = init_names, DEFAULT("gpt2")},
    {0},
};

static bool build(struct layer *layer, struct tensor_table *table, struct error *error)
{
    const struct embedding *embedding = layer->settings;
    size_t V = layer->vocabulary, C = embedding->width;
    struct tensor weight = {.dims = 2, .shape = {V, C}, .role = TENSOR_EMBEDDING};
    if (V == 0)
        return error_set(error, ERROR_USAGE,
                         "the data has floats instead of tokens: use {layer: dense, units: %zu}, or data of text", C);
    initialise(&weight, embedding->init, C, V, 1);
    layer_add_tensor(layer, table, "weight", weight);
    layer->out = (struct shape){.dims = 2, .size = {layer->in.size[0], C}};
    return true;
}

static void forward(const struct layer *layer, const struct pass *pass, const float *x, float *y, float *saved)
{
    (void)x, (void)saved;
    size_t C = layer->out.size[1], n = pass->leaf->rows * layer->in.size[0];
    const float *weight = layer_params(layer, pass, WEIGHT);
    const int32_t *tokens = pass->leaf->tokens;
    for (size_t i = 0; i < n; i++) {
        CHECK(tokens[i] >= 0 && (size_t)tokens[i] < layer->vocabulary, "the dataset lets no other tokens through");
        memcpy(y + i * C, weight + (size_t)tokens[i] * C, C * sizeof *y);
    }
}

/* A token may stand at many positions: their gradients are added in the order of the positions, so that the sum is
 * always the same. */
static void backward(const struct layer *layer, const struct pass *pass, const float *x, const float *y,
                     const float *saved, const float *dy, float *dx)
{
    (void)x, (void)y, (void)saved, (void)dx;
    size_t C = layer->out.size[1], n = pass->leaf->rows * layer->in.size[0];
    float *gradient = layer_gradient(layer, pass, WEIGHT);
    if (!layer->adds[WEIGHT])
        memset(gradient, 0, layer->vocabulary * C * sizeof *gradient);
    for (size_t i = 0; i < n; i++) {
        float *row = gradient + (size_t)pass->leaf->tokens[i] * C;
        vector_add(C, row, dy + i * C, row);
    }
}

const struct layer_class layer_embedding = {
    KIND_OF("embedding", "tokens to rows of a weight: the first layer of a model of text", struct embedding, keys),
    .build = build,
    .forward = forward,
    .by_position = true,
    .backward = backward,
    .takes_tokens = true,
};
