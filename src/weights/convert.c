#include "weights/convert.h"

#include "base/memory.h"

static bool copy_tensor(const struct weights_file *file, size_t index, struct weights *out, struct error *error)
{
    const struct weights_tensor *tensor = &file->weights.tensors[index];
    struct weights_tensor *added;
    if (!weights_add(out, tensor->name, tensor->dims, tensor->shape, &added, error))
        return false;
    added->values = memory_alloc(tensor->count, sizeof *added->values, "a tensor", error);
    return added->values && weights_load(file, index, added->values, error);
}

bool convert_copy(const struct weights_file *file, struct weights *out, struct error *error)
{
    for (size_t i = 0; i < file->weights.count; i++)
        if (!copy_tensor(file, i, out, error))
            return false;
    return true;
}

static bool convert_row(const struct match *match, const struct layout_row *row, struct weights *out,
                        struct error *error)
{
    size_t count = match->model->table.tensors[row->tensor].count;
    struct weights_tensor *added;
    if (!weights_add(out, row->name, row->dims, row->shape, &added, error))
        return false;
    added->values = memory_alloc(count, sizeof *added->values, "a tensor", error);
    float *here = memory_alloc(count, sizeof *here, "a tensor", error);
    bool ok = added->values && here && match_load(match, row->tensor, here, error);
    if (ok)
        floats_gather(row->walk_dims, row->sizes, row->strides, here, added->values);
    memory_free(here);
    return ok;
}

bool convert_layout(const struct match *match, const struct layout *layout, struct weights *out, struct error *error)
{
    for (size_t r = 0; r < layout->count; r++)
        if ((!layout->rows[r].repeats || layout->writes_repeats) && match_has(match, layout->rows[r].tensor) &&
            !convert_row(match, &layout->rows[r], out, error))
            return false;
    return true;
}
