#include "nn/model_build.h"

#include "base/check.h"
#include "base/memory.h"
#include "base/text.h"
#include "nn/layers/layers.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

/* Local. Puts "model: <name> (<kind>): " in front. */
static bool blame(const char *name, const char *kind, struct error *error)
{
    return error_prefix(error, "model: %s (%s): ", name, kind);
}

/* Products have a sample's width or, in a sequence, all positions of a leaf as one side. */
static bool fits_products(const struct layer *layer, struct error *error)
{
    const struct shape *in = &layer->in, *out = &layer->out;
    size_t longest = in->dims == 2 && in->size[0] > 1 ? in->size[0] : 1, rows = layer->rows;
    longest = out->dims == 2 && out->size[0] > longest ? out->size[0] : longest;
    if (layer->inputs > INT_MAX || layer->outputs > INT_MAX)
        return error_set(error, ERROR_USAGE, "%zu inputs and %zu outputs are more than products can count (%d)",
                         layer->inputs, layer->outputs, INT_MAX);
    return rows <= INT_MAX / longest ||
           error_set(
               error, ERROR_USAGE,
               "%zu positions of %zu samples a leaf are more than products can count (%d): make train.microbatch smaller",
               longest, rows, INT_MAX);
}

/* Tokens become floats in the first layer, and nowhere else. */
static bool check_tokens(const struct model_builder *builder, const struct layer_class *class, struct error *error)
{
    if (builder->is_tokens && !class->takes_tokens)
        return error_set(error, ERROR_USAGE,
                         "its inputs are tokens: let the model begin with {layer: embedding, width: ...}");
    if (!builder->is_tokens && class->takes_tokens)
        return error_set(error, ERROR_USAGE,
                         "its inputs are no tokens: an embedding can only be the first layer of a "
                         "model whose data is text");
    return true;
}

/* What has begun can end, if its input can be added to what `layers` have made of it. */
static bool can_end(const struct model_builder *builder, const char *layers, struct error *error)
{
    if (builder->open == 0)
        return error_set(error, ERROR_USAGE,
                         "it ends a residual connection, but none is open: let one begin before it");
    const struct shape *before = &builder->layers[builder->begins[builder->open - 1]].in;
    if (memcmp(before, &builder->shape, sizeof *before) == 0)
        return true;
    char from[64], to[64];
    shape_text(before, from, sizeof from);
    shape_text(&builder->shape, to, sizeof to);
    return error_set(error, ERROR_USAGE, "%s turn %s into %s, which cannot be added to the %s that went in", layers,
                     from, to, from);
}

static bool check_skip(const struct model_builder *builder, const struct layer_class *class, struct error *error)
{
    if (class->skip == SKIP_ENDS)
        return can_end(builder, "the layers in front of it", error);
    return class->skip == SKIP_NONE || builder->open < MODEL_OPEN ||
           error_set(error, ERROR_USAGE, "%d residual connections are open already: end one before the next begins",
                     MODEL_OPEN);
}

/* The tensor, of a layer that takes tokens, of which each becomes a row: a later layer may share it. */
static size_t embedding_of(const struct layer *layer, const struct tensor_table *table)
{
    for (size_t k = 0; k < layer->tensor_count; k++) {
        const struct tensor *tensor = &table->tensors[layer->tensors[k]];
        if (tensor->role == TENSOR_EMBEDDING && tensor->dims == 2)
            return layer->tensors[k];
    }
    return TENSOR_NONE;
}

static bool build(struct model_builder *builder, struct layer *layer, struct error *error)
{
    const struct layer_class *class = layer->class;
    if (!class->build(layer, builder->table, error))
        return false;
    layer->outputs = shape_count(&layer->out);
    CHECK(layer->outputs == layer->inputs || class->skip == SKIP_APPENDS ||
              (class->forward && (class->backward || class->takes_tokens)),
          "without forward y is x, and without backward dx is dy");
    CHECK(layer->tensor_count == 0 || class->backward, "tensors are learned in backward");
    return fits_products(layer, error);
}

static bool add_operation(struct model_builder *builder, const struct layer_class *class, const void *settings,
                          const char *name, struct error *error)
{
    if (builder->count == MODEL_OPERATIONS)
        return error_set(error, ERROR_USAGE, "the model has more than %d layers: repeat fewer times", MODEL_OPERATIONS);
    if (!check_tokens(builder, class, error) || !check_skip(builder, class, error))
        return false;
    builder->layers = memory_grow(builder->layers, builder->count, &builder->capacity, sizeof *builder->layers);
    struct layer *layer = &builder->layers[builder->count];
    *layer = (struct layer){.class = class,
                            .settings = option_copy_settings(&class->kind, settings),
                            .in = builder->shape,
                            .inputs = shape_count(&builder->shape),
                            .rows = builder->rows,
                            .compute = builder->compute,
                            .vocabulary = builder->vocabulary,
                            .embedding = builder->embedding};
    if (class->skip == SKIP_APPENDS) {
        layer->tap = builder->found;
        layer->earlier = builder->layers[builder->found].out;
    }
    snprintf(layer->name, sizeof layer->name, "%s", name);
    if (!build(builder, layer, error)) {
        model_builder_release_layer(layer);
        return false;
    }
    builder->shape = layer->out;
    builder->is_tokens = false;
    if (class->takes_tokens)
        builder->embedding = embedding_of(layer, builder->table);
    if (class->skip == SKIP_BEGINS)
        builder->begins[builder->open++] = builder->count;
    else if (class->skip == SKIP_ENDS)
        builder->open--;
    builder->count++;
    return true;
}

void model_builder_release_layer(struct layer *layer)
{
    option_release_settings(&layer->class->kind, (void *)layer->settings);
}

static bool expand(struct model_builder *builder, const struct layer_class *class, const void *settings,
                   const char *name, struct error *error)
{
    char kept[sizeof builder->name];
    if (builder->depth == MODEL_DEPTH)
        return error_set(error, ERROR_USAGE, "compositions are nested more than %d deep", MODEL_DEPTH);
    if (!check_tokens(builder, class, error))
        return false;
    memcpy(kept, builder->name, sizeof kept);
    snprintf(builder->name, sizeof builder->name, "%s", name);
    builder->depth++;
    bool ok = class->expand(builder, settings, error);
    builder->depth--;
    memcpy(builder->name, kept, sizeof kept);
    return ok;
}

bool model_builder_add(struct model_builder *builder, const struct layer_class *class, const void *settings,
                       const char *name, struct error *error)
{
    char full[sizeof builder->name];
    const char *fault = layer_fault(class);
    CHECK(!fault, fault);
    CHECK((settings != NULL) == (class->kind.settings_bytes > 0), "settings are those of the class");
    int length = snprintf(full, sizeof full, "%s%s%s", builder->name, builder->name[0] ? "." : "", name);
    if (length >= (int)sizeof full)
        return error_set(error, ERROR_USAGE, "model: %s...: layers are nested too deep for their names", full);
    if (class->expand)
        return expand(builder, class, settings, full, error) ||
               (strncmp(error->text, "model: ", 7) == 0 ? false : blame(full, class->kind.name, error));
    return add_operation(builder, class, settings, full, error) || blame(full, class->kind.name, error);
}

/* NULL: no layer that can be meant has this name. */
static const struct model_name *find_name(const struct model_builder *builder, const char *name)
{
    for (size_t i = 0; i < builder->name_count; i++)
        if (strcmp(builder->names[i].name, name) == 0)
            return &builder->names[i];
    return NULL;
}

/* The layer that was added last, item `i` of its list, is called this. */
static bool keep(struct model_builder *builder, size_t i, const char *name, struct error *error)
{
    char tap[48];
    if (find_name(builder, name))
        return error_set(error, ERROR_USAGE, "model: two layers are called %s: give one of them another name", name);
    if (builder->name_count == MODEL_NAMES)
        return error_set(error, ERROR_USAGE, "model: more than %d layers have a name, up to %s: name fewer",
                         MODEL_NAMES, name);
    builder->names[builder->name_count++] = (struct model_name){.name = name, .tap = builder->count};
    snprintf(tap, sizeof tap, "%zu.tap", i);
    return model_builder_add(builder, &layer_tap, NULL, tap, error);
}

bool model_builder_add_list(struct model_builder *builder, const struct layer_spec *specs, size_t count,
                            struct error *error)
{
    size_t known = builder->name_count;
    bool ok = true;
    for (size_t i = 0; ok && i < count; i++) {
        char name[48];
        snprintf(name, sizeof name, "%zu.%s", i, specs[i].class->kind.name);
        ok = model_builder_add(builder, specs[i].class, specs[i].settings, name, error);
        if (ok && specs[i].name && i + 1 < count) /* behind the last of a list there is none that could mean it */
            ok = keep(builder, i, specs[i].name, error);
    }
    builder->name_count = known;
    return ok;
}

bool model_builder_begin_residual(struct model_builder *builder, struct error *error)
{
    return model_builder_add(builder, &layer_fork, NULL, "fork", error);
}

bool model_builder_end_residual(struct model_builder *builder, struct error *error)
{
    return can_end(builder, "its layers", error) && model_builder_add(builder, &layer_join, NULL, "join", error);
}

static bool refuse_name(const struct model_builder *builder, const char *name, struct error *error)
{
    struct text words;
    text_init(&words);
    for (size_t i = 0; i < builder->name_count; i++)
        text_append(&words, "%s%s", i > 0 ? ", " : "", builder->names[i].name);
    error_set(error, ERROR_USAGE,
              "no layer in front of it is called %s; those that are called something: %s. (Names in the list of a "
              "residual or repeat are known only there.)",
              name, builder->name_count > 0 ? text_bytes(&words) : "none");
    text_release(&words);
    return false;
}

bool model_builder_append(struct model_builder *builder, const char *name, struct error *error)
{
    const struct model_name *found = find_name(builder, name);
    if (!found)
        return refuse_name(builder, name, error);
    builder->found = found->tap;
    return model_builder_add(builder, &layer_append, NULL, "append", error);
}

bool model_builder_finish(const struct model_builder *builder, struct error *error)
{
    if (builder->open == 0)
        return true;
    const struct layer *layer = &builder->layers[builder->begins[builder->open - 1]];
    error_set(error, ERROR_USAGE,
              "the residual connection that begins here is still open at the end of the model: let a layer end it");
    return blame(layer->name, layer->class->kind.name, error);
}
