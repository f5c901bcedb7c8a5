/* A layer: one interface, one file per kind, one row of layer_classes.
 *
 * Letters: M rows of a leaf (microbatch), I inputs and O outputs of a row. All matrices are row-major. */
#ifndef NN_LAYER_H
#define NN_LAYER_H

#include "base/error.h"
#include "nn/tensor.h"

#include <stddef.h>
#include <stdint.h>

enum layer_kind {
    LAYER_NONE = 0,
    LAYER_DENSE,
    LAYER_RELU,
};

/* What a job file says about one layer; keys that a kind does not have are 0. */
struct layer_spec {
    enum layer_kind kind;
    uint64_t units; /* dense */
};

/* A layer in its place. Weights and gradients are given as whole arenas; the layer's tensors lie at their offsets. */
struct layer {
    const struct layer_class *class;
    struct layer_spec spec;
    size_t inputs;  /* I */
    size_t outputs; /* O */
    size_t weight;  /* offset of the layer's tensors in an arena, in floats; only those that the class has */
    size_t bias;
};

struct layer_class {
    /* Local. Sets outputs from inputs and spec, and adds this layer's tensors to the table. `index` is its place in the
     * model. */
    void (*build)(struct layer *layer, size_t index, struct tensor_table *table);
    /* Local. y [M, O] from x [M, I]. */
    void (*forward)(const struct layer *layer, const float *params, size_t rows, const float *x, float *y);
    /* Local. dx [M, I], and this layer's tensors in the arena `gradient`, from dy [M, O]. The gradient is overwritten,
     * not added to. dx is NULL for the first layer. x and y are as forward saw and left them; dx and dy do not overlap.
     */
    void (*backward)(const struct layer *layer, const float *params, size_t rows, const float *x, const float *y,
                     const float *dy, float *dx, float *gradient);
};

/* By kind; NULL where there is none. */
extern const struct layer_class *const layer_classes[];

extern const struct layer_class layer_dense; /* dense.c */
extern const struct layer_class layer_relu;  /* relu.c */

#endif
