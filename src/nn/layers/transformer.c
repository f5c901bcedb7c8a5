/* Blocks of attention and a perceptron, each in a residual connection with its norm in front (A. Radford et al.,
 * "Language models are unsupervised multitask learners", 2019, section 2.3: GPT-2). */
#include "nn/layers/transformer.h"

#include "base/rows.h"
#include "nn/layers/attention.h"
#include "nn/layers/dense.h"
#include "nn/layers/dropout.h"
#include "nn/layers/layers.h"
#include "nn/layers/row_norm.h"
#include "nn/model_build.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define NORM_EPSILON 1e-5

static const struct option_row keys[] = {
    {"blocks", "blocks of attention and perceptron, one behind the other", FIELD(struct transformer, blocks),
     WHOLE(1, LAYER_REPEAT_MOST)},
    {"heads", "attentions side by side, among which the channels are shared", FIELD(struct transformer, heads),
     WHOLE(1, LAYER_WIDTH_MOST)},
    {"ratio", "width of the hidden layer / channels", FIELD(struct transformer, ratio), REAL(0, LAYER_SIDE_MOST),
     .above = true, DEFAULT("4")},
    {"causal", "whether a position sees only itself and those before it", FIELD(struct transformer, causal),
     DEFAULT("true")},
    {"dropout", "share of what a block adds that is dropped in training", FIELD(struct transformer, dropout),
     REAL(0, 1), .below = true, DEFAULT("0")},
    {"gelu", "form of the gelu between the layers of the perceptron", FIELD(struct transformer, gelu),
     .choices = gelu_forms, DEFAULT("exact")},
    {"bias", "whether the dense layers add a bias", FIELD(struct transformer, bias), DEFAULT("true")},
    {"init", "how the weights begin; gpt2: those that add to the residual stream smaller, the more blocks there are",
     FIELD(struct transformer, init), .choices = init_names, DEFAULT("xavier_uniform")},
    {0},
};

/* The two layers whose output is added to the residual stream begin smaller, the more blocks add to it (section 2.3).
 */
static double residual_scale(const struct transformer *own)
{
    return own->init == INIT_GPT2 ? 1 / sqrt(2 * (double)own->blocks) : 1;
}

/* x + attention(norm1(x)) */
static bool add_attention(struct model_builder *builder, const struct transformer *own, struct error *error)
{
    struct row_norm norm = {.epsilon = NORM_EPSILON};
    struct attention attention = {.heads = own->heads,
                                  .causal = own->causal,
                                  .dropout = own->dropout,
                                  .bias = own->bias,
                                  .init = own->init,
                                  .init_scale = residual_scale(own)};
    return model_builder_begin_residual(builder, error) &&
           model_builder_add(builder, &layer_layer_norm, &norm, "norm1", error) &&
           model_builder_add(builder, &layer_attention, &attention, "attention", error) &&
           model_builder_end_residual(builder, error);
}

/* x + down(gelu(up(norm2(x)))), with ratio * C channels between up and down */
static bool add_perceptron(struct model_builder *builder, const struct transformer *own, struct error *error)
{
    size_t C = builder->shape.size[1];
    double hidden = round(own->ratio * (double)C);
    if (!(hidden >= 1))
        return error_set(error, ERROR_USAGE, "ratio %g of %zu channels leaves no hidden layer: choose a larger one",
                         own->ratio, C);
    struct row_norm norm = {.epsilon = NORM_EPSILON};
    struct dense up = {.units = (uint64_t)hidden, .bias = own->bias, .init = own->init};
    struct gelu gelu = {.form = own->gelu};
    struct dense down = {.units = C, .bias = own->bias, .init = own->init, .init_scale = residual_scale(own)};
    struct dropout dropout = {.rate = own->dropout};
    return model_builder_begin_residual(builder, error) &&
           model_builder_add(builder, &layer_layer_norm, &norm, "norm2", error) &&
           model_builder_add(builder, &layer_dense, &up, "up", error) &&
           model_builder_add(builder, &layer_gelu, &gelu, "gelu", error) &&
           model_builder_add(builder, &layer_dense, &down, "down", error) &&
           (own->dropout == 0 || model_builder_add(builder, &layer_dropout, &dropout, "dropout", error)) &&
           model_builder_end_residual(builder, error);
}

static bool expand(struct model_builder *builder, const void *settings, struct error *error)
{
    const struct transformer *own = settings;
    size_t length = strlen(builder->name), room = sizeof builder->name - length;
    bool ok = true;
    for (uint64_t block = 0; ok && block < own->blocks; block++) {
        int added = snprintf(builder->name + length, room, ".%llu", (unsigned long long)block);
        ok = (size_t)added < room || error_set(error, ERROR_USAGE, "layers are nested too deep for their names");
        ok = ok && add_attention(builder, own, error) && add_perceptron(builder, own, error);
    }
    builder->name[length] = '\0';
    return ok;
}

const struct layer_class layer_transformer = {
    KIND_OF("transformer", "blocks of attention and a perceptron, each in a residual connection with its norm in front",
            struct transformer, keys),
    .expand = expand,
};
