/* Files of a model's tensors whose values tell which they are. */
#ifndef MATCH_SUPPORT_H
#define MATCH_SUPPORT_H

#include "model_support.h"
#include "weights/match.h"
#include "weights_support.h"

/* Writes the model's tensors as a layout wants them; tensor t is t, t + 0.25, ... */
static inline void write_model(const struct model *model, const struct layout *layout,
                               const struct weights_format *format, const char *path, size_t leave_out,
                               const char *strip)
{
    struct weights weights;
    struct error error;
    weights_init(&weights);
    for (size_t r = 0; r < layout->count; r++) {
        const struct layout_row *row = &layout->rows[r];
        float here[1024];
        size_t count = model->table.tensors[row->tensor].count;
        const char *name = strncmp(row->name, strip, strlen(strip)) == 0 ? row->name + strlen(strip) : row->name;
        for (size_t i = 0; i < count; i++)
            here[i] = (float)row->tensor + 0.25f * (float)i;
        if (r == leave_out)
            continue;
        add_tensor(&weights, name, row->dims, row->shape, 0);
        floats_gather(row->walk_dims, row->sizes, row->strides, here, weights.tensors[weights.count - 1].values);
    }
    weights.vocabulary = memory_text("abcdefg");
    CU_ASSERT_TRUE_FATAL(weights_write(format, path, &weights, &error));
    weights_release(&weights);
}

static inline void assert_all_loaded(const struct match *match)
{
    struct error error;
    const struct tensor_table *table = &match->model->table;
    CU_ASSERT_EQUAL(match->found, table->length);
    CU_ASSERT_TRUE(match_check(match, false, &error));
    for (size_t t = 0; t < table->length; t++) {
        float values[1024];
        CU_ASSERT_TRUE_FATAL(match_has(match, t));
        CU_ASSERT_TRUE_FATAL(match_load(match, t, values, &error));
        for (size_t i = 0; i < table->tensors[t].count; i++)
            CU_ASSERT_EQUAL(values[i], (float)t + 0.25f * (float)i);
    }
}

#endif
