/* y = x + f(x), where f is a list of layers (K. He et al., "Deep residual learning", CVPR 2016, equation 1). */
#include "nn/model_build.h"

static bool expand(struct model_builder *builder, const struct layer_spec *spec, struct error *error)
{
    return model_builder_begin_residual(builder, error) &&
           model_builder_add_list(builder, spec->layers, spec->count, error) &&
           model_builder_end_residual(builder, error);
}

static bool build(struct layer *layer, struct tensor_table *table, struct error *error)
{
    (void)table, (void)error;
    layer->out = layer->in;
    return true;
}

const struct layer_class layer_residual = {.name = "residual", .expand = expand};

/* Its two ends: what they do needs two inputs, so that the model does it. */
const struct layer_class layer_fork = {.name = "fork", .build = build};
const struct layer_class layer_join = {.name = "join", .build = build, .in_place = true};
