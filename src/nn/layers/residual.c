/* y = x + f(x), where f is a list of layers (K. He et al., "Deep residual learning", CVPR 2016, equation 1). */
#include "nn/layers/residual.h"

#include "base/rows.h"
#include "nn/layers/layers.h"
#include "nn/model_build.h"

static const struct option_row keys[] = {
    {"layers", "those whose output is added to their input", LIST(struct residual, layers, count), .keys = layer_rows},
    {0},
};

static bool expand(struct model_builder *builder, const void *settings, struct error *error)
{
    const struct residual *own = settings;
    return model_builder_begin_residual(builder, error) &&
           model_builder_add_list(builder, own->layers, own->count, error) &&
           model_builder_end_residual(builder, error);
}

static bool build(struct layer *layer, struct tensor_table *table, struct error *error)
{
    (void)table, (void)error;
    layer->out = layer->in;
    return true;
}

const struct layer_class layer_residual = {
    KIND_OF("residual", "x + f(x), f being a list of layers", struct residual, keys),
    .expand = expand,
};

/* Its two ends: what they do needs two inputs, so that the model does it. */
const struct layer_class layer_fork = {
    PLAIN_KIND("fork", "where a residual connection begins"),
    .build = build,
    .skip = SKIP_BEGINS,
};
const struct layer_class layer_join = {
    PLAIN_KIND("join", "where a residual connection ends"),
    .build = build,
    .in_place = true,
    .skip = SKIP_ENDS,
};
