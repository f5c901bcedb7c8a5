/* y = x W' + b: for each position of a sequence the logits of the next token, [T, C] -> [T, V]. W [V, C] is the
 * embedding's own if tied (O. Press, L. Wolf, "Using the output embedding to improve language models", EACL 2017). */
#include "nn/layers/lm_head.h"

#include "base/rows.h"
#include "nn/layers/layers.h"
#include "nn/layers/linear.h"

enum { WEIGHT, BIAS };

static const struct option_row keys[] = {
    {"tied", "whether it uses the embedding's weights", FIELD(struct lm_head, tied), DEFAULT("true")},
    {"bias", "whether a bias is added", FIELD(struct lm_head, bias), DEFAULT("false")},
    {"init", "how weights of its own begin", FIELD(struct lm_head, init), .choices = init_names, DEFAULT("gpt2")},
    {0},
};

static bool tie(struct layer *layer, const struct tensor_table *table, struct error *error)
{
    if (layer->embedding == TENSOR_NONE)
        return error_set(error, ERROR_USAGE,
                         "tied, but the model has no embedding: say tied: false, or let the model "
                         "begin with {layer: embedding, width: ...}");
    const struct tensor *weight = &table->tensors[layer->embedding];
    if (weight->shape[0] != layer->vocabulary || weight->shape[1] != layer->in.size[1])
        return error_set(error, ERROR_USAGE,
                         "tied, but its own weight would be %zux%zu, and %s is %zux%zu: say tied: false, or make "
                         "the widths equal",
                         layer->vocabulary, layer->in.size[1], weight->name, weight->shape[0], weight->shape[1]);
    layer->tensors[layer->tensor_count++] = layer->embedding;
    return true;
}

static bool build(struct layer *layer, struct tensor_table *table, struct error *error)
{
    const struct lm_head *head = layer->settings;
    size_t T = layer->in.size[0], C = layer->in.size[1], V = layer->vocabulary;
    if (V == 0)
        return error_set(error, ERROR_USAGE,
                         "the data has no vocabulary to predict from: use {layer: dense, units: "
                         "...}, or data of text");
    if (!layer_wants_sequence(&layer->in, error))
        return false;
    if (!head->tied)
        layer_add_weight(layer, table, "weight", 2, (size_t[]){V, C}, head->init, C, V, 1);
    else if (!tie(layer, table, error))
        return false;
    if (head->bias)
        layer_add_tensor(layer, table, "bias", (struct tensor){.dims = 1, .shape = {V}, .role = TENSOR_BIAS});
    layer->out = (struct shape){.dims = 2, .size = {T, V}};
    layer->flops = 2.0 * (double)T * (double)C * (double)V;
    return true;
}

static void forward_rows(const struct layer *layer, const struct pass *pass, size_t n, const float *x, float *y)
{
    const struct lm_head *head = layer->settings;
    linear_forward(pass->compute, n, layer->in.size[1], layer->vocabulary, x,
                   layer_weight(layer, pass, WEIGHT, layer->in.size[1]),
                   head->bias ? layer_params(layer, pass, BIAS) : NULL, y);
}

static void backward_rows(const struct layer *layer, const struct pass *pass, bool first, size_t n, const float *x,
                          const float *dy, float *dx)
{
    const struct lm_head *head = layer->settings;
    linear_backward(pass->compute, n, layer->in.size[1], layer->vocabulary, x,
                    layer_weight(layer, pass, WEIGHT, layer->in.size[1]), dy, dx, layer_gradient(layer, pass, WEIGHT),
                    !first || layer->adds[WEIGHT], head->bias ? layer_gradient(layer, pass, BIAS) : NULL, !first);
}

static void forward(const struct layer *layer, const struct pass *pass, const float *x, float *y, float *saved)
{
    (void)saved;
    forward_rows(layer, pass, pass->leaf->rows * layer->in.size[0], x, y);
}

static void backward(const struct layer *layer, const struct pass *pass, const float *x, const float *y,
                     const float *saved, const float *dy, float *dx)
{
    (void)y, (void)saved;
    backward_rows(layer, pass, true, pass->leaf->rows * layer->in.size[0], x, dy, dx);
}

const struct layer_class layer_lm_head = {
    KIND_OF("lm_head", "of a sequence: at each position the logits of the next token", struct lm_head, keys),
    .build = build,
    .forward = forward,
    .by_position = true,
    .backward = backward,
    .forward_rows = forward_rows,
    .backward_rows = backward_rows,
    .needs_x = true,
};
