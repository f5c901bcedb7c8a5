/* A list of layers, several times, each time with weights of its own. */
#include "nn/model_build.h"

#include <stdio.h>
#include <string.h>

static bool expand(struct model_builder *builder, const struct layer_spec *spec, struct error *error)
{
    size_t length = strlen(builder->name);
    bool ok = true;
    for (uint64_t i = 0; ok && i < spec->times; i++) {
        int added = snprintf(builder->name + length, sizeof builder->name - length, ".%llu", (unsigned long long)i);
        ok = (size_t)added < sizeof builder->name - length ||
             error_set(error, ERROR_USAGE, "layers are nested too deep for their names");
        ok = ok && model_builder_add_list(builder, spec->layers, spec->count, error);
    }
    builder->name[length] = '\0';
    return ok;
}

const struct layer_class layer_repeat = {.name = "repeat", .expand = expand};
