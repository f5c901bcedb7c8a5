#include "export/onnx_nodes.h"

#include "base/memory.h"
#include "export/protobuf.h"

#include <stdio.h>
#include <string.h>

enum { NODE_INPUT = 1, NODE_OUTPUT = 2, NODE_OPERATOR = 4, NODE_ATTRIBUTE = 5 };
enum {
    ATTRIBUTE_NAME = 1,
    ATTRIBUTE_FLOAT = 2,
    ATTRIBUTE_INT = 3,
    ATTRIBUTE_STRING = 4,
    ATTRIBUTE_INTS = 8,
    ATTRIBUTE_TYPE = 20
};
enum { TYPE_FLOAT = 1, TYPE_INT = 2, TYPE_STRING = 3, TYPE_INTS = 7 };

void onnx_node(struct onnx_step *step, const char *operator, const char * inputs, const char *output)
{
    struct text node;
    text_init(&node);
    for (const char *name = inputs; *name; name += strspn(name, " ")) {
        size_t length = strcspn(name, " ");
        bool absent = length == 1 && *name == '-';
        protobuf_bytes(&node, NODE_INPUT, name, absent ? 0 : length);
        name += length;
    }
    protobuf_text(&node, NODE_OUTPUT, output);
    protobuf_text(&node, NODE_OPERATOR, operator);
    text_append_bytes(&node, step->attributes.length > 0 ? step->attributes.bytes : "", step->attributes.length);
    text_release(&step->attributes);
    protobuf_message(step->graph, GRAPH_NODE, &node);
}

static void begin_attribute(struct text *attribute, const char *name, int type)
{
    text_init(attribute);
    protobuf_text(attribute, ATTRIBUTE_NAME, name);
    protobuf_whole(attribute, ATTRIBUTE_TYPE, type);
}

void onnx_whole(struct onnx_step *step, const char *name, int64_t value)
{
    struct text attribute;
    begin_attribute(&attribute, name, TYPE_INT);
    protobuf_whole(&attribute, ATTRIBUTE_INT, value);
    protobuf_message(&step->attributes, NODE_ATTRIBUTE, &attribute);
}

void onnx_float(struct onnx_step *step, const char *name, double value)
{
    struct text attribute;
    begin_attribute(&attribute, name, TYPE_FLOAT);
    protobuf_float(&attribute, ATTRIBUTE_FLOAT, (float)value);
    protobuf_message(&step->attributes, NODE_ATTRIBUTE, &attribute);
}
void onnx_word(struct onnx_step *step, const char *name, const char *word)
{
    struct text attribute;
    begin_attribute(&attribute, name, TYPE_STRING);
    protobuf_text(&attribute, ATTRIBUTE_STRING, word);
    protobuf_message(&step->attributes, NODE_ATTRIBUTE, &attribute);
}

void onnx_ints(struct onnx_step *step, const char *name, size_t count, const int64_t *values)
{
    struct text attribute;
    begin_attribute(&attribute, name, TYPE_INTS);
    for (size_t i = 0; i < count; i++)
        protobuf_whole(&attribute, ATTRIBUTE_INTS, values[i]);
    protobuf_message(&step->attributes, NODE_ATTRIBUTE, &attribute);
}

void onnx_initializer(struct text *graph, const char *name, size_t dims, const size_t *shape, int type,
                      const void *values, size_t bytes)
{
    struct text tensor;
    text_init(&tensor);
    for (size_t d = 0; d < dims; d++)
        protobuf_whole(&tensor, TENSOR_DIMENSIONS, (int64_t)shape[d]);
    protobuf_whole(&tensor, TENSOR_TYPE, type);
    protobuf_text(&tensor, TENSOR_NAME, name);
    protobuf_bytes(&tensor, TENSOR_RAW, values, bytes);
    protobuf_message(graph, GRAPH_INITIALIZER, &tensor);
}

void onnx_wholes(struct onnx_step *step, size_t count, const int64_t *values, char name[ONNX_NAME])
{
    snprintf(name, ONNX_NAME, "constant.%zu", (*step->constants)++);
    onnx_initializer(step->graph, name, 1, &count, ONNX_INT64, values, count * sizeof *values);
}

void onnx_floats(struct onnx_step *step, size_t count, double value, char name[ONNX_NAME])
{
    size_t n = count > 0 ? count : 1;
    float *values = memory_need(n, sizeof *values);
    for (size_t i = 0; i < n; i++)
        values[i] = (float)value;
    snprintf(name, ONNX_NAME, "constant.%zu", (*step->constants)++);
    onnx_initializer(step->graph, name, count > 0, &count, ONNX_FLOAT, values, n * sizeof *values);
    memory_free(values);
}

const char *onnx_inner(const struct onnx_step *step, const char *what, char name[ONNX_NAME])
{
    snprintf(name, ONNX_NAME, "%.40s.%.80s", step->y, what);
    return name;
}

void onnx_binary(struct onnx_step *step, const char *operator, const char * a, const char *b, const char *output)
{
    char inputs[2 * ONNX_NAME];
    snprintf(inputs, sizeof inputs, "%s %s", a, b);
    onnx_node(step, operator, inputs, output);
}

const char *onnx_tensor(const struct onnx_step *step, size_t k)
{
    return step->table->tensors[step->layer->tensors[k]].name;
}

void onnx_reshape(struct onnx_step *step, const char *x, size_t count, const int64_t *shape, const char *output)
{
    char name[ONNX_NAME];
    onnx_wholes(step, count, shape, name);
    onnx_binary(step, "Reshape", x, name, output);
}

void onnx_whole_layer(struct onnx_step *step, const char *operator, const char * x, const char *y)
{
    struct text inputs;
    text_init(&inputs);
    text_append(&inputs, "%s", x);
    for (size_t k = 0; k < step->layer->tensor_count; k++)
        text_append(&inputs, " %s", onnx_tensor(step, k));
    onnx_node(step, operator, text_bytes(&inputs), y);
    text_release(&inputs);
}
