/* A layer: y = gain * w * x, or gain * w * (x + b), element by element, with w [I] and b [I]. */
#include "base/rows.h"
#include "nn/layer.h"

struct stretch {
    double gain;
    bool shifts; /* there is a b */
};

enum { WEIGHT, SHIFT };

static const struct option_row rows[] = {
    {"gain", "what the weights are multiplied by", FIELD(struct stretch, gain), REAL(-100, 100), DEFAULT("1")},
    {"shifts", "the input is shifted before", FIELD(struct stretch, shifts), DEFAULT("true")},
    {0},
};

static bool build(struct layer *layer, struct tensor_table *table, struct error *error)
{
    const struct stretch *stretch = layer->settings;
    size_t I = layer->inputs;
    (void)error;
    layer->out = layer->in;
    layer_add_weight(layer, table, "weight", 1, (size_t[]){I}, INIT_GPT2, I, I, 50);
    if (stretch->shifts)
        layer_add_tensor(layer, table, "shift", (struct tensor){.dims = 1, .shape = {I}, .role = TENSOR_BIAS});
    return true;
}

static void forward(const struct layer *layer, const struct pass *pass, const float *x, float *y, float *saved)
{
    const struct stretch *stretch = layer->settings;
    const float *w = layer_params(layer, pass, WEIGHT), *b = stretch->shifts ? layer_params(layer, pass, SHIFT) : NULL;
    (void)saved;
    for (size_t i = 0; i < pass->leaf->rows * layer->inputs; i++) {
        size_t c = i % layer->inputs;
        y[i] = (float)stretch->gain * w[c] * (x[i] + (b ? b[c] : 0));
    }
}

static void backward(const struct layer *layer, const struct pass *pass, const float *x, const float *y,
                     const float *saved, const float *dy, float *dx)
{
    const struct stretch *stretch = layer->settings;
    const float *w = layer_params(layer, pass, WEIGHT), *b = stretch->shifts ? layer_params(layer, pass, SHIFT) : NULL;
    float *dw = layer_gradient(layer, pass, WEIGHT), *db = b ? layer_gradient(layer, pass, SHIFT) : NULL;
    float gain = (float)stretch->gain;
    (void)y, (void)saved;
    for (size_t c = 0; c < layer->inputs; c++)
        dw[c] = 0;
    for (size_t c = 0; db && c < layer->inputs; c++)
        db[c] = 0;
    for (size_t i = 0; i < pass->leaf->rows * layer->inputs; i++) {
        size_t c = i % layer->inputs;
        dw[c] += gain * (x[i] + (b ? b[c] : 0)) * dy[i];
        if (db)
            db[c] += gain * w[c] * dy[i];
        if (dx)
            dx[i] = gain * w[c] * dy[i];
    }
}

const struct layer_class layer_stretch = {
    KIND_OF("stretch", "scales each value by a weight of its own", struct stretch, rows),
    .build = build,
    .forward = forward,
    .backward = backward,
    .needs_x = true,
};
