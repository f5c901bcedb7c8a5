#include "nn/layer.h"

#include "base/check.h"

#include <stdio.h>
#include <string.h>

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

static bool wants(const struct shape *in, size_t dims, const char *what, const char *remedy, struct error *error)
{
    static const char *const names[] = {"", "features", "positions x channels", "channels x height x width"};
    char text[64];
    shape_text(in, text, sizeof text);
    return in->dims == dims || error_set(error, ERROR_USAGE, "it needs %s (%s), but its input is %s (%s): %s", what,
                                         names[dims], text, names[in->dims], remedy);
}

bool layer_wants_sequence(const struct shape *in, struct error *error)
{
    return wants(in, 2, "a sequence", "put it behind an embedding, before what turns the sequence into features",
                 error);
}

bool layer_wants_image(const struct shape *in, struct error *error)
{
    return wants(in, 3, "an image", "put it before layers that flatten, or give the data that shape", error);
}
