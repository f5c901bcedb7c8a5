/* The names and layouts of GPT2LMHeadModel (huggingface/transformers, models/gpt2/modeling_gpt2.py), whose products are
 * "Conv1D": y = x W + b with W [in, out]; and of nanoGPT (karpathy/nanoGPT, model.py), which has the same names, but
 * torch's products, W [out, in]. */
#include "base/check.h"
#include "nn/layers/layers.h"
#include "nn/layers/lm_head.h"
#include "weights/layout.h"

#include <stdio.h>
#include <string.h>

#define PREFIX "transformer."

struct part {
    const struct layer_class *class;
    const char *name; /* there, in its block; NULL: no tensors */
};

/* The operations that a transformer's block consists of, without dropout. */
static const struct part block_parts[] = {
    {&layer_fork, NULL},   {&layer_layer_norm, "ln_1"},   {&layer_dense, "attn.c_attn"},
    {&layer_attend, NULL}, {&layer_dense, "attn.c_proj"}, {&layer_join, NULL},
    {&layer_fork, NULL},   {&layer_layer_norm, "ln_2"},   {&layer_dense, "mlp.c_fc"},
    {&layer_gelu, NULL},   {&layer_dense, "mlp.c_proj"},  {&layer_join, NULL},
};
#define BLOCK_PARTS (sizeof block_parts / sizeof *block_parts)

/* A walk over the model's operations. */
struct walk {
    struct layout *layout;
    const struct model *model;
    bool transposes; /* products */
    size_t at;
};

/* The next operation, if it is of that class; else NULL, and the walk stays. */
static const struct layer *next(struct walk *walk, const struct layer_class *class)
{
    const struct model *model = walk->model;
    while (walk->at < model->count && model->layers[walk->at].class == &layer_dropout)
        walk->at++;
    if (walk->at == model->count || model->layers[walk->at].class != class)
        return NULL;
    return &model->layers[walk->at++];
}

/* Rows for weight and bias of an operation. */
static void add(struct walk *walk, const struct layer *layer, const char *name)
{
    static const char *const parts[] = {"weight", "bias"};
    CHECK(layer->tensor_count <= 2, "these classes have a weight and perhaps a bias");
    bool is_head = layer->class == &layer_lm_head;
    for (size_t k = 0; k < layer->tensor_count; k++) {
        char full[LAYOUT_NAME];
        snprintf(full, sizeof full, "%s%s.%s", is_head ? "" : PREFIX, name, parts[k]);
        struct layout_row *row = layout_add(walk->layout, walk->model, layer->tensors[k], full);
        if (walk->transposes && layer->class == &layer_dense && k == 0)
            layout_transpose(row);
        row->repeats = is_head && ((const struct lm_head *)layer->settings)->tied;
    }
}

static bool add_block(struct walk *walk, size_t number)
{
    for (size_t i = 0; i < BLOCK_PARTS; i++) {
        char name[64];
        const struct layer *layer = next(walk, block_parts[i].class);
        if (!layer || layer->sees_ahead)
            return false;
        snprintf(name, sizeof name, "h.%zu.%s", number, block_parts[i].name ? block_parts[i].name : "");
        if (block_parts[i].name)
            add(walk, layer, name);
    }
    return true;
}

static bool add_model(struct walk *walk)
{
    const struct layer *tokens = next(walk, &layer_embedding), *positions = next(walk, &layer_position_embedding);
    if (!tokens || !positions)
        return false;
    add(walk, tokens, "wte");
    add(walk, positions, "wpe");
    for (size_t block = 0;; block++) {
        size_t before = walk->at;
        if (!next(walk, &layer_fork))
            break;
        walk->at = before;
        if (!add_block(walk, block))
            return false;
    }
    const struct layer *norm = next(walk, &layer_layer_norm), *head = next(walk, &layer_lm_head);
    if (!norm || !head || ((const struct lm_head *)head->settings)->bias || walk->at != walk->model->count)
        return false;
    add(walk, norm, "ln_f");
    add(walk, head, "lm_head");
    return true;
}

/* The masks of causal attention, which older files have. */
static bool is_mask(const char *name)
{
    static const char *const ends[] = {".attn.bias", ".attn.masked_bias"};
    for (size_t i = 0; i < 2; i++) {
        size_t length = strlen(name), end = strlen(ends[i]);
        if (length > end && strcmp(name + length - end, ends[i]) == 0)
            return true;
    }
    return false;
}

static bool make(struct layout *layout, const struct model *model, const char *name, bool transposes)
{
    *layout = (struct layout){.name = name, .ignores = is_mask, .prefix = PREFIX};
    if (add_model(&(struct walk){.layout = layout, .model = model, .transposes = transposes}))
        return true;
    layout_release(layout);
    return false;
}

bool layout_gpt2(struct layout *layout, const struct model *model)
{
    return make(layout, model, "gpt2", true);
}

bool layout_nanogpt(struct layout *layout, const struct model *model)
{
    return make(layout, model, "nanoGPT", false);
}
