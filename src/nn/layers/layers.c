#include "nn/layers/layers.h"

#include "base/rows.h"

#define LAYER_KIND(name) &layer_##name.kind,
struct registry layer_registry = {.role = "layer", .keys = layer_rows, .kinds = {LAYERS(LAYER_KIND)}};

const struct option_row layer_rows[] = {
    {"layer", "what the layer is", KIND(struct layer_spec, class, settings, &layer_registry)},
    {"name", "by which a later layer can say that it means this one's output", FIELD(struct layer_spec, name),
     .optional = true},
    KIND_KEYS,
    {0},
};
