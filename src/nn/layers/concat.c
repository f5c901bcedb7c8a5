/* The channels of the input, and behind them those of an earlier layer's output (O. Ronneberger, P. Fischer, T. Brox,
 * "U-Net", MICCAI 2015): [C, H, W] and [D, H, W] -> [C + D, H, W], the same of volumes; [T, C] and [T, D] -> [T, C +
 * D]. */
#include "nn/layers/concat.h"

#include "base/rows.h"
#include "nn/kernels/vector.h"
#include "nn/layers/layers.h"
#include "nn/model_build.h"

#include <string.h>

static const struct option_row keys[] = {
    {"with", "`name` of an earlier layer, whose output is appended along the channels", FIELD(struct concat, with)},
    {0},
};

static bool expand(struct model_builder *builder, const void *settings, struct error *error)
{
    return model_builder_append(builder, ((const struct concat *)settings)->with, error);
}

/* A sequence has its channels in the last dimension, everything else in the first. */
static size_t channel_dimension(const struct shape *shape)
{
    return shape->dims == 2 ? 1 : 0;
}

static bool build_append(struct layer *layer, struct tensor_table *table, struct error *error)
{
    (void)table;
    size_t channels = channel_dimension(&layer->in);
    struct shape fits = layer->earlier;
    fits.size[channels] = layer->in.size[channels];
    if (fits.dims != layer->in.dims || memcmp(fits.size, layer->in.size, sizeof fits.size) != 0) {
        char here[64], there[64];
        shape_text(&layer->in, here, sizeof here);
        shape_text(&layer->earlier, there, sizeof there);
        return error_set(error, ERROR_USAGE,
                         "its input is %s, and the earlier output is %s: only the channels may differ%s", here, there,
                         layer->in.dims > 2 ? " (sides that were halved are as long again behind an upsample if they "
                                              "could be halved, or with a convolution's padding: same)"
                                            : "");
    }
    layer->out = layer->in;
    layer->out.size[channels] += layer->earlier.size[channels];
    return true;
}

static bool build_tap(struct layer *layer, struct tensor_table *table, struct error *error)
{
    (void)table, (void)error;
    layer->out = layer->in;
    return true;
}

/* How many rows side by side [c + d] the outputs are. */
static size_t pieces(const struct layer *layer, size_t rows)
{
    return layer->in.dims == 2 ? rows * layer->in.size[0] : rows;
}

void concat_forward(const struct layer *layer, size_t rows, const float *x, const float *earlier, float *y)
{
    size_t n = pieces(layer, rows), c = rows * layer->inputs / n, d = rows * shape_count(&layer->earlier) / n;
    for (size_t i = 0; i < n; i++, x += c, earlier += d, y += c + d) {
        memcpy(y, x, c * sizeof *y);
        memcpy(y + c, earlier, d * sizeof *y);
    }
}

void concat_backward(const struct layer *layer, size_t rows, const float *dy, float *dx, float *dearlier, bool adds)
{
    size_t n = pieces(layer, rows), c = rows * layer->inputs / n, d = rows * shape_count(&layer->earlier) / n;
    for (size_t i = 0; i < n; i++, dy += c + d) {
        memcpy(dx + i * c, dy, c * sizeof *dx);
        if (dearlier && adds)
            vector_add(d, dearlier + i * d, dy + c, dearlier + i * d);
        else if (dearlier)
            memcpy(dearlier + i * d, dy + c, d * sizeof *dearlier);
    }
}

const struct layer_class layer_concat = {
    KIND_OF("concat", "the channels of its input, and behind them those of an earlier layer's output", struct concat,
            keys),
    .expand = expand,
};

/* Its two ends, of which the model does what they do. */
const struct layer_class layer_tap = {
    PLAIN_KIND("tap", "behind a layer that has a name: its output is needed again"),
    .build = build_tap,
    .skip = SKIP_IS_NAMED,
};
const struct layer_class layer_append = {
    PLAIN_KIND("append", "where it is needed again"),
    .build = build_append,
    .skip = SKIP_APPENDS,
};
