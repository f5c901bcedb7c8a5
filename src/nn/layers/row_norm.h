/* What layer_norm and rms_norm share: one mean for each row of a leaf, a row being a position of a sequence, or all of
 * a sample of another shape. */
#ifndef NN_LAYERS_ROW_NORM_H
#define NN_LAYERS_ROW_NORM_H

#include "nn/layer.h"

/* The settings of both. */
struct row_norm {
    double epsilon; /* added to the variance */
};

extern const struct option_row row_norm_keys[];

/* Local. That of a layer. */
float row_norm_epsilon(const struct layer *layer);

/* Local. Floats of a row; rows of a leaf of M samples. */
size_t row_norm_width(const struct layer *layer);
size_t row_norm_rows(const struct layer *layer, size_t samples);

/* Local, for build. Adds the tensor `what` of one element for each of a row's, which begin as `value`. */
void row_norm_add_tensor(struct layer *layer, struct tensor_table *table, const char *what, float value);

#endif
