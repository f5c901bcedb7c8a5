/* The values of a match. */
#include "base/memory.h"
#include "weights/match.h"

#include <math.h>
#include <string.h>

/* What is not finite teaches nothing, and a 64-bit float can be too large to be one of 32 bits. */
static bool check_finite(const struct weights_file *file, const struct weights_tensor *tensor, const float *values,
                         struct error *error)
{
    size_t i = 0;
    while (i < tensor->count && isfinite(values[i]))
        i++;
    if (i == tensor->count)
        return true;
    struct text place;
    text_init(&place);
    weights_place(tensor, i, &place);
    error_set(error, ERROR_USAGE, "%s: %.200s%s is %s: nothing can be learned from there", file->path, tensor->name,
              text_bytes(&place),
              isnan(values[i]) ? "not a number" : "infinite, or beyond what a float of 32 bits holds");
    text_release(&place);
    return false;
}

/* The rows that both have, from the file's tensor into one of the row's shape. */
static void copy_rows(const struct layout_row *row, const struct weights_tensor *tensor, const float *from, float *to)
{
    size_t outer = 1, inner = 1, d = row->counts, theirs = tensor->shape[d], ours = row->shape[d];
    for (size_t i = 0; i < row->dims; i++)
        *(i < d ? &outer : &inner) *= i == d ? 1 : row->shape[i];
    for (size_t o = 0; o < outer; o++)
        memcpy(to + o * ours * inner, from + o * theirs * inner, (theirs < ours ? theirs : ours) * inner * sizeof *to);
}

/* A tensor with other rows, into the row's shape [count]: `values` are how the model's tensor begins. */
static float *fit_rows(const struct match *match, size_t r, float *there, const float *values, struct error *error)
{
    const struct layout_row *row = &match->layout.rows[r];
    float *fit = memory_alloc(match->model->table.tensors[row->tensor].count, sizeof *fit, "a tensor", error);
    if (fit) {
        floats_gather(row->walk_dims, row->sizes, row->strides, values, fit);
        copy_rows(row, &match->file->weights.tensors[match->sources[r]], there, fit);
    }
    memory_free(there);
    return fit;
}

/* One row's tensor into the model's layout. */
static bool load_row(const struct match *match, size_t r, float *values, struct error *error)
{
    const struct layout_row *row = &match->layout.rows[r];
    const struct weights_tensor *tensor = &match->file->weights.tensors[match->sources[r]];
    const struct tensor *here = &match->model->table.tensors[row->tensor];
    float *there = memory_alloc(tensor->count, sizeof *there, "a tensor", error);
    bool ok = there && weights_load(match->file, match->sources[r], there, error) &&
              check_finite(match->file, tensor, there, error);
    if (ok && row->counts != LAYOUT_FIXED && tensor->shape[row->counts] != row->shape[row->counts]) {
        tensor_table_fill(&match->model->table, match->seed, here->offset, here->count, values);
        ok = (there = fit_rows(match, r, there, values, error));
    }
    if (ok)
        floats_scatter(row->walk_dims, row->sizes, row->strides, there, values);
    memory_free(there);
    return ok;
}

/* Whether a second copy, which has become `values` too, is one. */
static bool check_copy(const struct match *match, size_t r, const float *values, struct error *error)
{
    const struct layout_row *row = &match->layout.rows[r];
    size_t count = match->model->table.tensors[row->tensor].count;
    float *copy = memory_alloc(count, sizeof *copy, "a tensor", error);
    bool ok = copy && load_row(match, r, copy, error);
    if (ok && memcmp(copy, values, count * sizeof *copy) != 0)
        ok = error_set(error, ERROR_USAGE,
                       "%s: %s is not equal to %s, but here they are one tensor: set tied: false in lm_head",
                       match->file->path, row->name, match->model->table.tensors[row->tensor].name);
    memory_free(copy);
    return ok;
}

bool match_load(const struct match *match, size_t tensor, float *values, struct error *error)
{
    bool ok = true;
    for (size_t r = 0; ok && r < match->layout.count; r++) {
        const struct layout_row *row = &match->layout.rows[r];
        if (row->tensor == tensor && match->sources[r] != MATCH_NONE)
            ok = row->repeats ? check_copy(match, r, values, error) : load_row(match, r, values, error);
    }
    return ok;
}
