#include "nn/reading.h"

#include <string.h>

/* What the data still may be behind these layers; lists in lists are gone through in their order. More than one bit:
 * they do not tell. */
static unsigned narrow(const struct layer_spec *layers, size_t count, unsigned may_be)
{
    for (size_t i = 0; i < count && (may_be & (may_be - 1)) != 0; i++) {
        const struct layer_class *class = layers[i].class;
        if (class->reads != READS_ANYTHING)
            may_be &= class->reads;
        for (const struct option_row *key = class->kind.keys; key && key->name; key++)
            if (key->type == OPTION_LIST && key->keys == layer_rows && option_item_count(key, layers[i].settings) > 0)
                may_be = narrow(option_item(key, layers[i].settings, 0), option_item_count(key, layers[i].settings),
                                may_be);
    }
    return may_be;
}

struct shape model_reads(const struct model_spec *spec, const struct shape *input)
{
    if (input->dims != 3)
        return *input;
    switch (narrow(spec->layers, spec->count, READS_SEQUENCE | READS_IMAGE | READS_VOLUME)) {
    case READS_SEQUENCE:
        return input->size[0] == 1 ? (struct shape){2, {input->size[1], input->size[2]}} : *input;
    case READS_VOLUME:
        return (struct shape){4, {1, input->size[0], input->size[1], input->size[2]}};
    default:
        return *input;
    }
}
