/* Multi-head self-attention (A. Vaswani et al., "Attention is all you need", NeurIPS 2017, section 3.2.2): a dense
 * layer that makes queries, keys and values, what attend.c does with them, and a dense layer behind it. Dropout applies
 * to what comes out, not to the probabilities inside. */
#include "nn/model_build.h"

static bool expand(struct model_builder *builder, const struct layer_spec *spec, struct error *error)
{
    size_t C = builder->shape.size[1];
    if (!layer_wants_sequence(&builder->shape, error))
        return false;
    if (C % spec->heads != 0)
        return error_set(error, ERROR_USAGE,
                         "%zu channels cannot be shared by %llu heads: choose a number of heads that divides them", C,
                         (unsigned long long)spec->heads);
    struct layer_spec qkv = {.kind = LAYER_DENSE, .units = 3 * C, .bias = spec->bias, .init = spec->init};
    struct layer_spec attend = {.kind = LAYER_ATTEND, .heads = spec->heads, .causal = spec->causal};
    struct layer_spec proj = {
        .kind = LAYER_DENSE, .units = C, .bias = spec->bias, .init = spec->init, .init_scale = spec->init_scale};
    struct layer_spec dropout = {.kind = LAYER_DROPOUT, .rate = spec->rate};
    return model_builder_add(builder, &qkv, "qkv", error) && model_builder_add(builder, &attend, "attend", error) &&
           model_builder_add(builder, &proj, "proj", error) &&
           (spec->rate == 0 || model_builder_add(builder, &dropout, "dropout", error));
}

const struct layer_class layer_attention = {.name = "attention", .expand = expand};
