/* Blocks of attention and a perceptron, each in a residual connection with its norm in front (A. Radford et al.,
 * "Language models are unsupervised multitask learners", 2019, section 2.3: GPT-2). */
#include "nn/model_build.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define NORM_EPSILON 1e-5

/* The two layers whose output is added to the residual stream begin smaller, the more blocks add to it (section 2.3).
 */
static double residual_scale(const struct layer_spec *spec)
{
    return spec->init == INIT_GPT2 ? 1 / sqrt(2 * (double)spec->blocks) : 1;
}

/* x + attention(norm1(x)) */
static bool add_attention(struct model_builder *builder, const struct layer_spec *spec, struct error *error)
{
    struct layer_spec norm = {.kind = LAYER_LAYER_NORM, .epsilon = NORM_EPSILON};
    struct layer_spec attention = {.kind = LAYER_ATTENTION,
                                   .heads = spec->heads,
                                   .causal = spec->causal,
                                   .bias = spec->bias,
                                   .rate = spec->rate,
                                   .init = spec->init,
                                   .init_scale = residual_scale(spec)};
    return model_builder_begin_residual(builder, error) && model_builder_add(builder, &norm, "norm1", error) &&
           model_builder_add(builder, &attention, "attention", error) && model_builder_end_residual(builder, error);
}

/* x + down(gelu(up(norm2(x)))), with ratio * C channels between up and down */
static bool add_perceptron(struct model_builder *builder, const struct layer_spec *spec, struct error *error)
{
    size_t C = builder->shape.size[1];
    double hidden = round(spec->ratio * (double)C);
    if (!(hidden >= 1))
        return error_set(error, ERROR_USAGE, "ratio %g of %zu channels leaves no hidden layer: choose a larger one",
                         spec->ratio, C);
    struct layer_spec norm = {.kind = LAYER_LAYER_NORM, .epsilon = NORM_EPSILON};
    struct layer_spec up = {.kind = LAYER_DENSE, .units = (uint64_t)hidden, .bias = spec->bias, .init = spec->init};
    struct layer_spec gelu = {.kind = LAYER_GELU, .form = spec->form};
    struct layer_spec down = {
        .kind = LAYER_DENSE, .units = C, .bias = spec->bias, .init = spec->init, .init_scale = residual_scale(spec)};
    struct layer_spec dropout = {.kind = LAYER_DROPOUT, .rate = spec->rate};
    return model_builder_begin_residual(builder, error) && model_builder_add(builder, &norm, "norm2", error) &&
           model_builder_add(builder, &up, "up", error) && model_builder_add(builder, &gelu, "gelu", error) &&
           model_builder_add(builder, &down, "down", error) &&
           (spec->rate == 0 || model_builder_add(builder, &dropout, "dropout", error)) &&
           model_builder_end_residual(builder, error);
}

static bool expand(struct model_builder *builder, const struct layer_spec *spec, struct error *error)
{
    size_t length = strlen(builder->name), room = sizeof builder->name - length;
    bool ok = true;
    for (uint64_t block = 0; ok && block < spec->blocks; block++) {
        int added = snprintf(builder->name + length, room, ".%llu", (unsigned long long)block);
        ok = (size_t)added < room || error_set(error, ERROR_USAGE, "layers are nested too deep for their names");
        ok = ok && add_attention(builder, spec, error) && add_perceptron(builder, spec, error);
    }
    builder->name[length] = '\0';
    return ok;
}

const struct layer_class layer_transformer = {.name = "transformer", .expand = expand};
