/* A list of layers, several times, each time with weights of its own. */
#include "nn/layers/repeat.h"

#include "base/rows.h"
#include "nn/layers/layers.h"
#include "nn/model_build.h"

#include <stdio.h>
#include <string.h>

static const struct option_row keys[] = {
    {"times", "how often", FIELD(struct repeat, times), WHOLE(1, LAYER_REPEAT_MOST)},
    {"layers", "what is repeated", LIST(struct repeat, layers, count), .keys = layer_rows},
    {0},
};

static bool expand(struct model_builder *builder, const void *settings, struct error *error)
{
    const struct repeat *own = settings;
    size_t length = strlen(builder->name);
    bool ok = true;
    for (uint64_t i = 0; ok && i < own->times; i++) {
        int added = snprintf(builder->name + length, sizeof builder->name - length, ".%llu", (unsigned long long)i);
        ok = (size_t)added < sizeof builder->name - length ||
             error_set(error, ERROR_USAGE, "layers are nested too deep for their names");
        ok = ok && model_builder_add_list(builder, own->layers, own->count, error);
    }
    builder->name[length] = '\0';
    return ok;
}

const struct layer_class layer_repeat = {
    KIND_OF("repeat", "a list of layers several times, each time with weights of its own", struct repeat, keys),
    .expand = expand,
};
