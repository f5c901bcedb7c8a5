/* Names and layouts of a Sequential model in Keras 3 (keras-team/keras, saving/saving_lib.py): layers/<class>/vars/<i>.
 *
 * Keras has channels last: an image that becomes features, by flatten or in front of dense, becomes [H, W, C] there and
 * [C, H, W] here, so that whatever counts features up to the next dense is permuted.
 *
 * Letters: C, H, W of such an image, H being depth times height of a volume; I inputs and O outputs of a product; k
 * side of a kernel. */
#include "nn/layers/layers.h"
#include "nn/layers/lm_head.h"
#include "weights/keras_config.h"
#include "weights/layout.h"

#include <stdio.h>
#include <string.h>

/* A layer's counterpart. What is not in the table is refused, whether it has tensors or not: it may change the order of
 * the features, or what they are. */
struct counterpart {
    const struct layer_class *class;
    const char *name;  /* of its class there; NULL: it has no tensors, and files do not tell of it */
    const char *alien; /* NULL, or why it has none */
};

static const struct counterpart counterparts[] = {
    {&layer_dense, "dense", NULL},
    {&layer_conv1d, "conv1d", NULL},
    {&layer_conv2d, "conv2d", NULL},
    {&layer_conv3d, "conv3d", NULL},
    {&layer_layer_norm, "layer_normalization", NULL},
    {&layer_rms_norm, "rms_normalization", NULL},
    {&layer_group_norm, "group_normalization", NULL},
    {&layer_batch_norm, "batch_normalization", NULL},
    {&layer_embedding, "embedding", NULL},
    {&layer_lm_head, "dense", NULL},
    {&layer_position_embedding, NULL, "a position embedding"},
    {&layer_fork, NULL, "a residual connection"},
    {&layer_append, NULL, "a layer with two inputs (concat)"},
    {&layer_attend, NULL, "attention"},
    {&layer_max_pool, NULL, NULL},
    {&layer_avg_pool, NULL, NULL},
    {&layer_global_avg_pool, NULL, NULL},
    {&layer_upsample, NULL, NULL},
    {&layer_tap, NULL, NULL},
    {&layer_flatten, NULL, NULL},
    {&layer_relu, NULL, NULL},
    {&layer_gelu, NULL, NULL},
    {&layer_tanh, NULL, NULL},
    {&layer_sigmoid, NULL, NULL},
    {&layer_silu, NULL, NULL},
    {&layer_dropout, NULL, NULL},
};
#define COUNTERPARTS (sizeof counterparts / sizeof *counterparts)

struct walk {
    struct layout *layout;
    const struct model *model;
    size_t seen[COUNTERPARTS]; /* layers of each class there so far, counted at the first row that names it */
    size_t C, H, W;            /* the image that the features were; C 0: none */
};

/* NULL: it is not in the table. */
static const struct counterpart *counterpart_of(const struct layer *layer)
{
    for (size_t i = 0; i < COUNTERPARTS; i++)
        if (counterparts[i].class == layer->class)
            return &counterparts[i];
    return NULL;
}

static bool refuse(const struct layer *layer, const char *what, struct error *error)
{
    return error_set(
        error, ERROR_USAGE,
        "%s: %s has no counterpart in a Sequential model of Keras: use another format, such as safetensors",
        layer->name, what);
}

static void set_walk(struct layout_row *row, size_t dims, const size_t *sizes, const size_t *strides)
{
    row->walk_dims = dims;
    memcpy(row->sizes, sizes, dims * sizeof *sizes);
    memcpy(row->strides, strides, dims * sizeof *strides);
}

/* [C, H, W], or that many features, in the order [H, W, C]. */
static void walk_image(const struct walk *walk, struct layout_row *row)
{
    size_t C = walk->C, H = walk->H, W = walk->W;
    set_walk(row, 3, (size_t[]){H, W, C}, (size_t[]){W, 1, H * W});
    if (row->dims == 3)
        memcpy(row->shape, (size_t[]){H, W, C}, 3 * sizeof *row->shape);
    else if (row->dims == 4)
        memcpy(row->shape, (size_t[]){row->shape[1], row->shape[2], W, C}, 4 * sizeof *row->shape);
}

/* The kernel [I, O] of a dense layer from [O, I]. */
static void walk_kernel(const struct walk *walk, struct layout_row *row)
{
    size_t O = row->shape[0], I = row->shape[1], C = walk->C, H = walk->H, W = walk->W;
    layout_transpose(row);
    if (C > 0)
        set_walk(row, 4, (size_t[]){H, W, C, O}, (size_t[]){W, 1, H * W, I});
}

/* The kernel [k, k, C, O] of a convolution from [O, C, k, k]. */
static void walk_filters(struct layout_row *row)
{
    size_t O = row->shape[0], C = row->shape[1], k = row->shape[2];
    memcpy(row->shape, (size_t[]){k, k, C, O}, 4 * sizeof *row->shape);
    set_walk(row, 4, row->shape, (size_t[]){k, 1, k * k, C * k * k});
}

/* The same of volumes, [k, k, k, C, O] from [O, C, k, k, k]. */
static void walk_cubes(struct layout_row *row)
{
    size_t O = row->shape[0], C = row->shape[1], k = row->shape[2];
    memcpy(row->shape, (size_t[]){k, k, k, C, O}, 5 * sizeof *row->shape);
    set_walk(row, 5, row->shape, (size_t[]){k * k, k, 1, k * k * k, C * k * k * k});
}

/* The kernel [k, C, O] of a convolution of sequences from [O, C, k]. */
static void walk_row_filters(struct layout_row *row)
{
    size_t O = row->shape[0], C = row->shape[1], k = row->shape[2];
    memcpy(row->shape, (size_t[]){k, C, O}, 3 * sizeof *row->shape);
    set_walk(row, 3, row->shape, (size_t[]){1, k, C * k});
}

/* How tensor k of the layer lies there. */
static void lay_out(const struct walk *walk, const struct layer *layer, size_t k, struct layout_row *row)
{
    if (layer->class == &layer_dense || layer->class == &layer_lm_head) {
        if (k == 0)
            walk_kernel(walk, row);
    } else if (layer->class == &layer_conv2d) {
        if (k == 0)
            walk_filters(row);
    } else if (layer->class == &layer_conv3d) {
        if (k == 0)
            walk_cubes(row);
    } else if (layer->class == &layer_conv1d) {
        if (k == 0)
            walk_row_filters(row);
    } else if (layer->class != &layer_embedding) {
        /* norms: a number for each channel, or for each value of a sample */
        if (walk->C > 0 && (row->dims > 2 || layer->in.dims == 1))
            walk_image(walk, row);
    }
}

/* Layers that have one class there count together. */
static size_t number_of(struct walk *walk, const struct counterpart *counterpart)
{
    size_t first = 0;
    while (!counterparts[first].name || strcmp(counterparts[first].name, counterpart->name) != 0)
        first++;
    return walk->seen[first]++;
}

static void add_tensors(struct walk *walk, const struct layer *layer, const struct counterpart *counterpart)
{
    char number[24] = "", name[LAYOUT_NAME];
    size_t before = number_of(walk, counterpart);
    if (before > 0)
        snprintf(number, sizeof number, "_%zu", before);
    for (size_t k = 0; k < layer->tensor_count; k++) {
        snprintf(name, sizeof name, "layers/%s%s/vars/%zu", counterpart->name, number, k);
        lay_out(walk, layer, k, layout_add(walk->layout, walk->model, layer->tensors[k], name));
    }
}

static bool add_layer(struct walk *walk, const struct layer *layer, struct error *error)
{
    const struct layer_class *class = layer->class;
    const struct counterpart *counterpart = counterpart_of(layer);
    bool is_image = layer->in.dims > 2, was_image = walk->C > 0;
    if (!counterpart || counterpart->alien)
        return refuse(layer, counterpart ? counterpart->alien : class->kind.name, error);
    if (class == &layer_lm_head && ((const struct lm_head *)layer->settings)->tied)
        return refuse(layer, "a head that shares the embedding's weights (tied: true)", error);
    if (class == &layer_conv3d && layer->in.dims == 3 && layer != walk->model->layers)
        return refuse(layer, "an image that becomes a volume", error);
    if (class == &layer_rms_norm && is_image)
        return refuse(layer, "rms_norm of an image", error);
    if (class == &layer_group_norm && !is_image && was_image)
        return refuse(layer, "group_norm of features that were an image (its groups would be others)", error);
    if (is_image)
        walk->C = layer->in.size[0], walk->W = layer->in.size[layer->in.dims - 1],
        walk->H = layer->inputs / walk->C / walk->W;
    if (counterpart->name)
        add_tensors(walk, layer, counterpart);
    /* Behind these the order of the features is that of the channels again. */
    if (class == &layer_dense || layer->out.dims == 2 || class == &layer_global_avg_pool)
        walk->C = 0;
    return true;
}

/* What is no weight of a layer: the optimizer in a whole model's file, and the states of random numbers. */
static bool is_no_weight(const char *name)
{
    return (strncmp(name, KERAS_LAYERS "/", strlen(KERAS_LAYERS "/")) != 0 &&
            strncmp(name, KERAS2_LAYERS, strlen(KERAS2_LAYERS)) != 0) ||
           strstr(name, "/seed_generator/");
}

bool layout_keras(struct layout *layout, const struct model *model, struct error *error)
{
    *layout = (struct layout){.name = "keras", .prefix = "", .ignores = is_no_weight};
    struct walk walk = {.layout = layout, .model = model};
    for (size_t l = 0; l < model->count; l++)
        if (!add_layer(&walk, &model->layers[l], error)) {
            layout_release(layout);
            return false;
        }
    return true;
}
