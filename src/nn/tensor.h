/* The tensor table: every learned tensor's name, shape and place in an arena.
 *
 * An arena is one contiguous 64-byte-aligned float buffer that holds all tensors of one kind (parameters, gradient,
 * an optimizer moment), each tensor at the same offset in each arena. Tensors start at multiples of 16 floats; the
 * gaps are zero and stay zero.
 *
 * Statistics (the running mean and variance of batch_norm) are tensors too, so that they are summed along the tree,
 * saved and resumed like all others; but they are not learned by gradient. They lie behind all others, from a multiple
 * of TENSOR_STATISTICS_ALIGN floats on, so that they are no part of the gradient's norm. */
#ifndef NN_TENSOR_H
#define NN_TENSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TENSOR_DIMS             5
#define TENSOR_ALIGN            16   /* floats */
#define TENSOR_STATISTICS_ALIGN 4096 /* floats */

#define TENSOR_NONE ((size_t)-1) /* the index of no tensor */

enum tensor_init {
    TENSOR_CONSTANT, /* `scale` everywhere */
    TENSOR_UNIFORM,  /* uniform in [-scale, scale) */
    TENSOR_NORMAL,   /* normal, mean 0, standard deviation `scale` */
};

/* What a tensor is for: weight decay applies to weights only, unless a job says otherwise. */
enum tensor_role {
    TENSOR_WEIGHT,
    TENSOR_BIAS,
    TENSOR_NORM,      /* scale or shift of a normalisation */
    TENSOR_EMBEDDING, /* a row for each token or position */
    TENSOR_STATISTIC, /* running average: its "gradient" is the new value's, see tensor.momentum */
};

struct tensor {
    char name[96]; /* "0.dense.weight": place in the model, layer, tensor */
    size_t dims;   /* how many of `shape` count */
    size_t shape[TENSOR_DIMS];
    size_t offset; /* floats from the start of an arena */
    size_t count;  /* floats: product of shape */
    size_t room;   /* floats up to the next tensor or the end of the arena: count, and the gap behind it */
    enum tensor_role role;
    enum tensor_init init;
    float scale;
    float momentum; /* statistic: new value = (1 - momentum) * old + momentum * (mean of the leaves' values) */
};

struct tensor_table {
    struct tensor *tensors;
    size_t length;   /* tensors */
    size_t capacity; /* private */
    size_t count;    /* P: floats of an arena, gaps included; right after tensor_table_place */
    size_t learned;  /* of these, up to where the statistics begin: count if there are none */
};

/* Local. An empty table. Release accepts a released table. */
void tensor_table_init(struct tensor_table *table);
void tensor_table_release(struct tensor_table *table);

/* Local. Adds a tensor behind the others; count is filled in. Returns its index. */
size_t tensor_table_add(struct tensor_table *table, const struct tensor *tensor);

/* Local. All tensors are added: gives each its offset and its room. */
void tensor_table_place(struct tensor_table *table);

/* Local. Initial values of elements [first, first + count) of the parameter arena into `values` [count]: each a pure
 * function of (seed, tensor name, index in the tensor), so that every rank can fill its own part alone. */
void tensor_table_fill(const struct tensor_table *table, uint64_t seed, size_t first, size_t count, float *values);

/* Local. Elements of all tensors, without gaps; statistics included only if asked for. */
size_t tensor_table_elements(const struct tensor_table *table, bool statistics);

#endif
