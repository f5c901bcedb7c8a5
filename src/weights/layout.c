#include "weights/layout.h"

#include "base/memory.h"
#include "nn/layers/layers.h"

#include <stdio.h>
#include <string.h>

const char *layout_bare(const char *name)
{
    static const char *const prefixes[] = {"module.", "_orig_mod.", "model."};
    for (size_t p = 0; p < sizeof prefixes / sizeof *prefixes; p++) {
        size_t length = strlen(prefixes[p]);
        if (strncmp(name, prefixes[p], length) == 0)
            return layout_bare(name + length);
    }
    return name;
}

/* Whether its first dimension counts tokens or positions. */
static bool counts_first(const struct model *model, size_t tensor)
{
    for (size_t l = 0; l < model->count; l++) {
        const struct layer *layer = &model->layers[l];
        bool counts = layer->class == &layer_embedding || layer->class == &layer_position_embedding ||
                      layer->class == &layer_lm_head;
        for (size_t k = 0; counts && k < layer->tensor_count; k++)
            if (layer->tensors[k] == tensor)
                return true;
    }
    return false;
}

struct layout_row *layout_add(struct layout *layout, const struct model *model, size_t tensor, const char *name)
{
    const struct tensor *here = &model->table.tensors[tensor];
    layout->rows = memory_grow(layout->rows, layout->count, &layout->capacity, sizeof *layout->rows);
    struct layout_row *row = &layout->rows[layout->count++];
    *row = (struct layout_row){.tensor = tensor,
                               .counts = counts_first(model, tensor) ? 0 : LAYOUT_FIXED,
                               .dims = here->dims,
                               .walk_dims = here->dims};
    snprintf(row->name, sizeof row->name, "%s", name);
    size_t stride = 1;
    for (size_t d = here->dims; d-- > 0; stride *= here->shape[d]) {
        row->shape[d] = row->sizes[d] = here->shape[d];
        row->strides[d] = stride;
    }
    return row;
}

void layout_transpose(struct layout_row *row)
{
    size_t size = row->sizes[0], stride = row->strides[0];
    row->shape[0] = row->sizes[0] = row->sizes[1];
    row->strides[0] = row->strides[1];
    row->shape[1] = row->sizes[1] = size;
    row->strides[1] = stride;
    if (row->counts != LAYOUT_FIXED)
        row->counts = 1 - row->counts;
}

void layout_lockstep(struct layout *layout, const struct model *model)
{
    *layout = (struct layout){.name = "lockstep", .prefix = ""};
    for (size_t t = 0; t < model->table.length; t++)
        layout_add(layout, model, t, model->table.tensors[t].name);
}

void layout_release(struct layout *layout)
{
    memory_free(layout->rows);
    *layout = (struct layout){0};
}
