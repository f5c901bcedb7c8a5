/* Nodes of ONNX, and how they are written. */
#ifndef EXPORT_ONNX_NODES_H
#define EXPORT_ONNX_NODES_H

#include "base/text.h"
#include "nn/layer.h"

#define ONNX_NAME 128

/* Fields of onnx.proto. */
enum { TENSOR_DIMENSIONS = 1, TENSOR_TYPE = 2, TENSOR_NAME = 8, TENSOR_RAW = 9 };
enum { ONNX_FLOAT = 1, ONNX_INT64 = 7 };
enum { GRAPH_NODE = 1, GRAPH_NAME = 2, GRAPH_INITIALIZER = 5, GRAPH_INPUT = 11, GRAPH_OUTPUT = 12 };

/* An operation of the model that is being written. */
struct onnx_step {
    const struct layer *layer;
    const struct tensor_table *table;
    const char *x, *y, *skip; /* names of its values; skip: of the other input, "" if it has none */
    struct text *graph;       /* fields of a GraphProto */
    struct text attributes;   /* of the next node */
    size_t *constants;        /* how many there are: each has a name of its own */
};

/* Local. Adds a node with the step's attributes, which are none then. `inputs`: names with spaces between them, "-" for
 * one that is left out. */
void onnx_node(struct onnx_step *step, const char *operator, const char * inputs, const char *output);

/* Local. Nodes that are often wanted: of two inputs; of x in another shape, in which 0 is the size that x has there and
 * -1 what is left; of x and the tensors of the layer. */
void onnx_binary(struct onnx_step *step, const char *operator, const char * a, const char *b, const char *output);
void onnx_reshape(struct onnx_step *step, const char *x, size_t count, const int64_t *shape, const char *output);
void onnx_whole_layer(struct onnx_step *step, const char *operator, const char * x, const char *y);

/* Local. An attribute of the next node. */
void onnx_whole(struct onnx_step *step, const char *name, int64_t value);
void onnx_float(struct onnx_step *step, const char *name, double value);
void onnx_word(struct onnx_step *step, const char *name, const char *word);
void onnx_ints(struct onnx_step *step, const char *name, size_t count, const int64_t *values);

/* Local. A constant of whole numbers, or of `count` equal floats (0: a scalar), and its name. */
void onnx_wholes(struct onnx_step *step, size_t count, const int64_t *values, char name[ONNX_NAME]);
void onnx_floats(struct onnx_step *step, size_t count, double value, char name[ONNX_NAME]);

/* Local. Adds values of a shape to the graph. */
void onnx_initializer(struct text *graph, const char *name, size_t dims, const size_t *shape, int type,
                      const void *values, size_t bytes);

/* Local. The name of a value inside the operation; that of the layer's tensor k. */
const char *onnx_inner(const struct onnx_step *step, const char *what, char name[ONNX_NAME]);
const char *onnx_tensor(const struct onnx_step *step, size_t k);

#endif
