/* Names and layouts of a Sequential model in Keras 3 (keras-team/keras, saving/saving_lib.py): layers/<class>/vars/<i>.
 *
 * Keras has channels last: an image that becomes features, by flatten or in front of dense, becomes [H, W, C] there and
 * [C, H, W] here, so that whatever counts features up to the next dense is permuted.
 *
 * Letters: C, H, W of such an image; I inputs and O outputs of a product; k side of a kernel. */
#include "weights/layout.h"

#include <stdio.h>
#include <string.h>

static const struct kind {
    const char *class; /* its name there; NULL: it has no tensors */
    const char *alien; /* why it has no counterpart */
} kinds[LAYER_KINDS_ALL] = {
    [LAYER_DENSE] = {"dense", NULL},
    [LAYER_CONV2D] = {"conv2d", NULL},
    [LAYER_LAYER_NORM] = {"layer_normalization", NULL},
    [LAYER_RMS_NORM] = {"rms_normalization", NULL},
    [LAYER_GROUP_NORM] = {"group_normalization", NULL},
    [LAYER_BATCH_NORM] = {"batch_normalization", NULL},
    [LAYER_EMBEDDING] = {"embedding", NULL},
    [LAYER_LM_HEAD] = {"dense", NULL},
    [LAYER_POSITION_EMBEDDING] = {NULL, "a position embedding"},
    [LAYER_FORK] = {NULL, "a residual connection"},
    [LAYER_ATTEND] = {NULL, "attention"},
};

struct walk {
    struct layout *layout;
    const struct model *model;
    size_t seen[LAYER_KINDS_ALL]; /* layers of each class so far, counted at the first kind that has it */
    size_t C, H, W;               /* the image that the features were; C 0: none */
};

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

/* How tensor k of the layer lies there. */
static void lay_out(const struct walk *walk, const struct layer *layer, size_t k, struct layout_row *row)
{
    switch (layer->spec.kind) {
    case LAYER_DENSE:
    case LAYER_LM_HEAD:
        if (k == 0)
            walk_kernel(walk, row);
        break;
    case LAYER_CONV2D:
        if (k == 0)
            walk_filters(row);
        break;
    case LAYER_EMBEDDING:
        break;
    default: /* norms: a number for each channel, or for each value of a sample */
        if (walk->C > 0 && (row->dims == 3 || layer->in.dims == 1))
            walk_image(walk, row);
    }
}

/* Kinds of one class count together. */
static size_t number_of(struct walk *walk, enum layer_kind kind)
{
    for (size_t k = 0; k < LAYER_KINDS_ALL; k++)
        if (kinds[k].class && strcmp(kinds[k].class, kinds[kind].class) == 0)
            return walk->seen[k]++;
    return 0;
}

static void add_tensors(struct walk *walk, const struct layer *layer)
{
    char number[24] = "", name[LAYOUT_NAME];
    size_t before = number_of(walk, layer->spec.kind);
    if (before > 0)
        snprintf(number, sizeof number, "_%zu", before);
    for (size_t k = 0; k < layer->tensor_count; k++) {
        snprintf(name, sizeof name, "layers/%s%s/vars/%zu", kinds[layer->spec.kind].class, number, k);
        lay_out(walk, layer, k, layout_add(walk->layout, walk->model, layer->tensors[k], name));
    }
}

static bool add_layer(struct walk *walk, const struct layer *layer, struct error *error)
{
    enum layer_kind kind = layer->spec.kind;
    bool is_image = layer->in.dims == 3, was_image = walk->C > 0;
    if (kinds[kind].alien)
        return refuse(layer, kinds[kind].alien, error);
    if (kind == LAYER_LM_HEAD && layer->spec.tied)
        return refuse(layer, "a head that shares the embedding's weights (tied: true)", error);
    if (kind == LAYER_RMS_NORM && is_image)
        return refuse(layer, "rms_norm of an image", error);
    if (kind == LAYER_GROUP_NORM && !is_image && was_image)
        return refuse(layer, "group_norm of features that were an image (its groups would be others)", error);
    if (is_image)
        walk->C = layer->in.size[0], walk->H = layer->in.size[1], walk->W = layer->in.size[2];
    if (kinds[kind].class)
        add_tensors(walk, layer);
    /* Behind these the order of the features is that of the channels again. */
    if (kind == LAYER_DENSE || layer->out.dims == 2 || kind == LAYER_GLOBAL_AVG_POOL)
        walk->C = 0;
    return true;
}

/* What is no weight of a layer: the optimizer in a whole model's file, and the states of random numbers. */
static bool is_no_weight(const char *name)
{
    return strncmp(name, "layers/", 7) != 0 || strstr(name, "/seed_generator/");
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
