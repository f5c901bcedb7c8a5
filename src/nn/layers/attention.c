/* Multi-head self-attention (A. Vaswani et al., "Attention is all you need", NeurIPS 2017, section 3.2.2): a dense
 * layer that makes queries, keys and values, what attend.c does with them, and a dense layer behind it. Dropout applies
 * to what comes out, not to the probabilities inside. */
#include "nn/layers/attention.h"

#include "base/rows.h"
#include "nn/layers/attend.h"
#include "nn/layers/dense.h"
#include "nn/layers/dropout.h"
#include "nn/layers/layers.h"
#include "nn/model_build.h"

static const struct option_row keys[] = {
    {"heads", "attentions side by side, among which the channels are shared", FIELD(struct attention, heads),
     WHOLE(1, LAYER_WIDTH_MOST)},
    {"causal", "whether a position sees only itself and those before it", FIELD(struct attention, causal),
     DEFAULT("true")},
    {"dropout", "share of the output that is dropped in training", FIELD(struct attention, dropout), REAL(0, 1),
     .below = true, DEFAULT("0")},
    {"bias", "whether the projections add a bias", FIELD(struct attention, bias), DEFAULT("true")},
    {"init", "how the weights begin", FIELD(struct attention, init), .choices = init_names, DEFAULT("xavier_uniform")},
    {0},
};

static bool expand(struct model_builder *builder, const void *settings, struct error *error)
{
    const struct attention *own = settings;
    size_t C = builder->shape.size[1];
    if (!layer_wants_sequence(&builder->shape, error))
        return false;
    if (C % own->heads != 0)
        return error_set(error, ERROR_USAGE,
                         "%zu channels cannot be shared by %llu heads: choose a number of heads that divides them", C,
                         (unsigned long long)own->heads);
    struct dense qkv = {.units = 3 * C, .bias = own->bias, .init = own->init};
    struct attend attend = {.heads = own->heads, .causal = own->causal};
    struct dense proj = {.units = C, .bias = own->bias, .init = own->init, .init_scale = own->init_scale};
    struct dropout dropout = {.rate = own->dropout};
    return model_builder_add(builder, &layer_dense, &qkv, "qkv", error) &&
           model_builder_add(builder, &layer_attend, &attend, "attend", error) &&
           model_builder_add(builder, &layer_dense, &proj, "proj", error) &&
           (own->dropout == 0 || model_builder_add(builder, &layer_dropout, &dropout, "dropout", error));
}

const struct layer_class layer_attention = {
    KIND_OF("attention", "multi-head self-attention with its projections", struct attention, keys),
    .expand = expand,
};
