#include "weights/layout.h"

#include "base/memory.h"

#include <stdio.h>
#include <string.h>

struct layout_row *layout_add(struct layout *layout, const struct model *model, size_t tensor, const char *name)
{
    const struct tensor *here = &model->table.tensors[tensor];
    layout->rows = memory_grow(layout->rows, layout->count, &layout->capacity, sizeof *layout->rows);
    struct layout_row *row = &layout->rows[layout->count++];
    *row = (struct layout_row){.tensor = tensor, .dims = here->dims, .walk_dims = here->dims};
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
