/* The layers of the house: one row each. What a program adds stands in the registry behind them. */
#ifndef NN_LAYERS_LAYERS_H
#define NN_LAYERS_LAYERS_H

#include "nn/layer.h"

/* clang-format off */
#define LAYERS(ROW)         /* the class layer_NAME in NAME.c */ \
    ROW(dense)              \
    ROW(conv1d)             \
    ROW(conv2d)             \
    ROW(conv3d)             \
    ROW(max_pool)           \
    ROW(avg_pool)           \
    ROW(global_avg_pool)    \
    ROW(upsample)           \
    ROW(flatten)            \
    ROW(relu)               \
    ROW(gelu)               \
    ROW(tanh)               \
    ROW(sigmoid)            \
    ROW(silu)               \
    ROW(dropout)            \
    ROW(layer_norm)         \
    ROW(rms_norm)           \
    ROW(group_norm)         \
    ROW(batch_norm)         \
    ROW(residual)           \
    ROW(concat)             \
    ROW(repeat)             \
    ROW(embedding)          \
    ROW(position_embedding) \
    ROW(attention)          \
    ROW(transformer)        \
    ROW(lm_head)
/* clang-format on */

#define LAYER_EXTERN(name) extern const struct layer_class layer_##name;
LAYERS(LAYER_EXTERN)

/* Parts of compositions, which a job file cannot name. */
extern const struct layer_class layer_fork, layer_join;  /* residual.c */
extern const struct layer_class layer_tap, layer_append; /* concat.c */
extern const struct layer_class layer_attend;            /* attend.c */

#endif
