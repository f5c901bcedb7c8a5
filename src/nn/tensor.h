/* The tensor table: every learned tensor's name, shape and place in an arena.
 *
 * An arena is one contiguous 64-byte-aligned float buffer that holds all tensors of one kind (parameters, gradient,
 * an optimizer moment), each tensor at the same offset in each arena. Tensors start at multiples of 16 floats; the
 * gaps are zero and stay zero. */
#ifndef NN_TENSOR_H
#define NN_TENSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TENSOR_DIMS  4
#define TENSOR_ALIGN 16 /* floats */

enum tensor_init {
    TENSOR_ZERO,
    TENSOR_UNIFORM, /* uniform in [-bound, bound) */
};

struct tensor {
    char name[64]; /* "0.dense.weight": place in the model, layer, tensor */
    size_t dims;   /* how many of `shape` count */
    size_t shape[TENSOR_DIMS];
    size_t offset; /* floats from the start of an arena */
    size_t count;  /* floats: product of shape */
    bool decays;   /* weight decay applies: weights yes, biases no */
    enum tensor_init init;
    float bound;
};

struct tensor_table {
    struct tensor *tensors;
    size_t length;   /* tensors */
    size_t capacity; /* private */
    size_t count;    /* floats of an arena, gaps included */
};

/* Local. An empty table. Release accepts a released table. */
void tensor_table_init(struct tensor_table *table);
void tensor_table_release(struct tensor_table *table);

/* Local. Adds a tensor behind the others; offset and count are filled in. Returns the offset. */
size_t tensor_table_add(struct tensor_table *table, const struct tensor *tensor);

/* Local. Initial values of elements [first, first + count) of the parameter arena into `values` [count]: each a pure
 * function of (seed, tensor name, index in the tensor), so that every rank can fill its own part alone. */
void tensor_table_fill(const struct tensor_table *table, uint64_t seed, size_t first, size_t count, float *values);

/* Local. "512x784" for messages. */
void tensor_shape_text(size_t dims, const size_t *shape, char *text, size_t bytes);

#endif
