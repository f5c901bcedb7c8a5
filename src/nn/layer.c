#include "nn/layer.h"

#include "base/check.h"
#include "base/registry.h"

#include <stdio.h>
#include <string.h>

static bool has_lists(const struct kind *kind)
{
    for (const struct option_row *key = kind->keys; key && key->name; key++)
        if (key->type == OPTION_LIST)
            return true;
    return false;
}

const char *layer_fault(const struct layer_class *class)
{
    bool composes = class->expand, skips = class->skip != SKIP_NONE;
    bool by_rows = class->forward_rows || class->backward_rows;
    bool computes = class->forward || class->backward || by_rows;
    const struct {
        bool there;
        const char *words;
    } faults[] = {
        {!composes && !class->build, "it has neither build nor expand"},
        {composes && (class->build || computes || skips), "it has expand, and what only an operation has"},
        {!composes && has_lists(&class->kind), "a key is a list of sections, which only a layer with expand can have"},
        {skips && computes, "it begins or ends a residual connection, and has functions that nobody would call"},
        {!composes && class->takes_tokens && !class->forward, "it takes tokens, but has no forward"},
        {(class->needs_x || class->needs_y) && !class->backward, "it needs x or y, but has no backward"},
        {class->forward_next && !class->forward, "it has forward_next, but no forward"},
        {by_rows && !(class->forward_rows && class->backward_rows && class->forward && class->backward),
         "forward_rows and backward_rows go together, and with forward and backward"},
    };
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        if (faults[i].there)
            return faults[i].words;
    return NULL;
}

bool layer_register(const struct layer_class *class, struct error *error)
{
    const char *fault = layer_fault(class);
    if (fault)
        return error_set(error, ERROR_USAGE, "layer %s: %s", class->kind.name ? class->kind.name : "''", fault);
    CHECK(class->skip <= SKIP_ENDS, "only concat of the house appends what is named");
    return registry_add(&layer_registry, &class->kind, error);
}

void layer_add_tensor(struct layer *layer, struct tensor_table *table, const char *what, struct tensor tensor)
{
    CHECK(layer->tensor_count < LAYER_TENSORS, "a layer has at most LAYER_TENSORS tensors");
    snprintf(tensor.name, sizeof tensor.name, "%s.%s", layer->name, what);
    layer->tensors[layer->tensor_count++] = tensor_table_add(table, &tensor);
}

void layer_add_weight(struct layer *layer, struct tensor_table *table, const char *what, size_t dims,
                      const size_t *shape, enum init_kind init, size_t fan_in, size_t fan_out, double scale)
{
    struct tensor tensor = {.dims = dims, .role = TENSOR_WEIGHT};
    memcpy(tensor.shape, shape, dims * sizeof *shape);
    initialise(&tensor, init, fan_in, fan_out, scale > 0 ? scale : 1);
    layer_add_tensor(layer, table, what, tensor);
}

/* `dims`, up to `most`, are the dimensions that it takes. */
static bool wants(const struct shape *in, size_t dims, size_t most, const char *what, const char *remedy,
                  struct error *error)
{
    static const char *const names[] = {"", "features", "positions x channels", "channels x height x width",
                                        "channels x depth x height x width"};
    char text[96];
    shape_text(in, text, sizeof text);
    return (in->dims >= dims && in->dims <= most) ||
           error_set(error, ERROR_USAGE, "it needs %s, but its input is %s (%s): %s", what, text, names[in->dims],
                     remedy);
}

bool layer_wants_sequence(const struct shape *in, struct error *error)
{
    return wants(in, 2, 2, "a sequence (positions x channels)",
                 "put it behind an embedding, before what turns the sequence into features", error);
}

static const char before_flat[] = "put it before layers that flatten, or give the data that shape";

bool layer_wants_image(const struct shape *in, struct error *error)
{
    const char *remedy = in->dims == 4   ? "a volume wants conv3d"
                         : in->dims == 2 ? "a sequence wants conv1d"
                                         : before_flat;
    return wants(in, 3, 3, "an image (channels x height x width)", remedy, error);
}

bool layer_wants_volume(const struct shape *in, struct error *error)
{
    return wants(in, 4, 4, "a volume (channels x depth x height x width)", before_flat, error);
}

bool layer_wants_planes(const struct shape *in, struct error *error)
{
    return wants(in, 3, 4, "an image (channels x height x width) or a volume",
                 in->dims == 2 ? "a sequence is made shorter by conv1d with a stride" : before_flat, error);
}
