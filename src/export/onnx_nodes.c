#include "export/onnx_nodes.h"

#include "base/memory.h"
#include "export/protobuf.h"
#include "nn/layers/attend.h"
#include "nn/layers/batch_norm.h"
#include "nn/layers/conv2d.h"
#include "nn/layers/dense.h"
#include "nn/layers/gelu.h"
#include "nn/layers/group_norm.h"
#include "nn/layers/layers.h"
#include "nn/layers/pool.h"
#include "nn/layers/row_norm.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { NODE_INPUT = 1, NODE_OUTPUT = 2, NODE_OPERATOR = 4, NODE_ATTRIBUTE = 5 };
enum {
    ATTRIBUTE_NAME = 1,
    ATTRIBUTE_FLOAT = 2,
    ATTRIBUTE_INT = 3,

    ATTRIBUTE_INTS = 8,
    ATTRIBUTE_TYPE = 20
};
enum { TYPE_FLOAT = 1, TYPE_INT = 2, TYPE_INTS = 7 };

/* ---- nodes ---- */

void onnx_node(struct onnx_step *step, const char *operator, const char * inputs, const char *output)
{
    struct text node;
    text_init(&node);
    for (const char *name = inputs; *name; name += strspn(name, " ")) {
        size_t length = strcspn(name, " ");
        protobuf_bytes(&node, NODE_INPUT, name, length);
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

static void add_float(struct onnx_step *step, const char *name, double value)
{
    struct text attribute;
    begin_attribute(&attribute, name, TYPE_FLOAT);
    protobuf_float(&attribute, ATTRIBUTE_FLOAT, (float)value);
    protobuf_message(&step->attributes, NODE_ATTRIBUTE, &attribute);
}

static void add_ints(struct onnx_step *step, const char *name, size_t count, const int64_t *values)
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

/* `count` equal floats; count 0: a scalar. */
static void add_floats(struct onnx_step *step, size_t count, double value, char name[ONNX_NAME])
{
    size_t n = count > 0 ? count : 1;
    float *values = memory_need(n, sizeof *values);
    for (size_t i = 0; i < n; i++)
        values[i] = (float)value;
    snprintf(name, ONNX_NAME, "constant.%zu", (*step->constants)++);
    onnx_initializer(step->graph, name, count > 0, &count, ONNX_FLOAT, values, n * sizeof *values);
    memory_free(values);
}

/* The name of a value inside the operation. */
static const char *inner(const struct onnx_step *step, const char *what, char name[ONNX_NAME])
{
    snprintf(name, ONNX_NAME, "%.40s.%.80s", step->y, what);
    return name;
}

/* operator(a, b) -> output */
static void binary(struct onnx_step *step, const char *operator, const char * a, const char *b, const char *output)
{
    char inputs[2 * ONNX_NAME];
    snprintf(inputs, sizeof inputs, "%s %s", a, b);
    onnx_node(step, operator, inputs, output);
}

static const char *tensor(const struct onnx_step *step, size_t k)
{
    return step->table->tensors[step->layer->tensors[k]].name;
}

/* output = x in another shape: 0 is the size that it has there, -1 what is left. */
static void reshape(struct onnx_step *step, const char *x, size_t count, const int64_t *shape, const char *output)
{
    char name[ONNX_NAME];
    onnx_wholes(step, count, shape, name);
    binary(step, "Reshape", x, name, output);
}

/* x, the tensors of the layer -> y, with the attributes so far. */
static void whole_layer(struct onnx_step *step, const char *operator, const char * x, const char *y)
{
    struct text inputs;
    text_init(&inputs);
    text_append(&inputs, "%s", x);
    for (size_t k = 0; k < step->layer->tensor_count; k++)
        text_append(&inputs, " %s", tensor(step, k));
    onnx_node(step, operator, text_bytes(&inputs), y);
    text_release(&inputs);
}

/* ---- layers ---- */

static void flatten(struct onnx_step *step)
{
    onnx_node(step, "Flatten", step->x, step->y);
}

/* Of features Gemm; of a sequence a product with the weight's transpose. */
static void dense(struct onnx_step *step)
{
    char a[ONNX_NAME], b[ONNX_NAME];
    bool is_sequence = step->layer->in.dims == 2, has_bias = step->layer->tensor_count > 1;
    if (!is_sequence) {
        if (step->layer->in.dims > 1)
            onnx_node(step, "Flatten", step->x, inner(step, "flat", a));
        onnx_whole(step, "transB", 1);
        whole_layer(step, "Gemm", step->layer->in.dims > 1 ? a : step->x, step->y);
        return;
    }
    add_ints(step, "perm", 2, (int64_t[]){1, 0});
    onnx_node(step, "Transpose", tensor(step, 0), inner(step, "weight", a));
    binary(step, "MatMul", step->x, a, has_bias ? inner(step, "product", b) : step->y);
    if (has_bias)
        binary(step, "Add", b, tensor(step, 1), step->y);
}

static void conv2d(struct onnx_step *step)
{
    const struct conv2d *own = step->layer->settings;
    struct conv2d_zeros zeros = conv2d_zeros(step->layer);
    int64_t k = (int64_t)own->kernel, stride = (int64_t)own->stride;
    add_ints(step, "kernel_shape", 2, (int64_t[]){k, k});
    add_ints(step, "strides", 2, (int64_t[]){stride, stride});
    add_ints(step, "pads", 4,
             (int64_t[]){(int64_t)zeros.top, (int64_t)zeros.left, (int64_t)zeros.bottom, (int64_t)zeros.right});
    whole_layer(step, "Conv", step->x, step->y);
}

static void pool(struct onnx_step *step)
{
    struct pool_windows own = pool_windows(step->layer);
    int64_t size = (int64_t)own.size, stride = (int64_t)own.stride;
    add_ints(step, "kernel_shape", 2, (int64_t[]){size, size});
    add_ints(step, "strides", 2, (int64_t[]){stride, stride});
    onnx_node(step, step->layer->class == &layer_max_pool ? "MaxPool" : "AveragePool", step->x, step->y);
}

static void global_pool(struct onnx_step *step)
{
    bool is_sequence = step->layer->in.dims == 2;
    add_ints(step, "axes", is_sequence ? 1 : 2, is_sequence ? (int64_t[]){1, 0} : (int64_t[]){2, 3});
    onnx_whole(step, "keepdims", 0);
    onnx_node(step, "ReduceMean", step->x, step->y);
}

static void silu(struct onnx_step *step)
{
    char a[ONNX_NAME];
    onnx_node(step, "Sigmoid", step->x, inner(step, "sigmoid", a));
    binary(step, "Mul", step->x, a, step->y);
}

/* x / 2 (1 + f(...)) */
static void gelu(struct onnx_step *step)
{
    char one[ONNX_NAME], half[ONNX_NAME], scale[ONNX_NAME], cubic[ONNX_NAME];
    char a[ONNX_NAME], b[ONNX_NAME], c[ONNX_NAME], d[ONNX_NAME];
    bool is_tanh = ((const struct gelu *)step->layer->settings)->form == GELU_TANH;
    add_floats(step, 0, 1, one);
    add_floats(step, 0, 0.5, half);
    add_floats(step, 0, is_tanh ? sqrt(2 / acos(-1)) : sqrt(0.5), scale);
    if (is_tanh) { /* x + 0.044715 x^3 = x (1 + 0.044715 x^2) */
        add_floats(step, 0, 0.044715, cubic);
        binary(step, "Mul", step->x, step->x, inner(step, "square", a));
        binary(step, "Mul", a, cubic, inner(step, "cubic", b));
        binary(step, "Add", b, one, inner(step, "factor", c));
        binary(step, "Mul", step->x, c, inner(step, "inside", d));
    }
    binary(step, "Mul", is_tanh ? d : step->x, scale, inner(step, "scaled", a));
    onnx_node(step, is_tanh ? "Tanh" : "Erf", a, inner(step, "curve", b));
    binary(step, "Add", b, one, inner(step, "raised", c));
    binary(step, "Mul", step->x, c, inner(step, "twice", d));
    binary(step, "Mul", d, half, step->y);
}

static double row_epsilon(const struct onnx_step *step)
{
    return ((const struct row_norm *)step->layer->settings)->epsilon;
}

static void layer_norm(struct onnx_step *step)
{
    onnx_whole(step, "axis", step->layer->in.dims == 3 ? 1 : -1);
    add_float(step, "epsilon", row_epsilon(step));
    whole_layer(step, "LayerNormalization", step->x, step->y);
}

static void rms_norm(struct onnx_step *step)
{
    char epsilon[ONNX_NAME], a[ONNX_NAME], b[ONNX_NAME], c[ONNX_NAME], d[ONNX_NAME], e[ONNX_NAME];
    add_floats(step, 0, row_epsilon(step), epsilon);
    binary(step, "Mul", step->x, step->x, inner(step, "squares", a));
    add_ints(step, "axes", step->layer->in.dims == 3 ? 3 : 1, (int64_t[]){-1, -2, -3});
    onnx_node(step, "ReduceMean", a, inner(step, "mean", b));
    binary(step, "Add", b, epsilon, inner(step, "sum", c));
    onnx_node(step, "Sqrt", c, inner(step, "root", d));
    binary(step, "Div", step->x, d, inner(step, "normal", e));
    binary(step, "Mul", e, tensor(step, 0), step->y);
}

/* Groups as channels of an instance norm, then weight and bias of each channel. */
static void group_norm(struct onnx_step *step)
{
    const struct group_norm *own = step->layer->settings;
    const struct shape *in = &step->layer->in;
    char ones[ONNX_NAME], zeros[ONNX_NAME], a[ONNX_NAME], b[ONNX_NAME], c[ONNX_NAME], d[ONNX_NAME], w[ONNX_NAME],
        bias[ONNX_NAME], inputs[3 * ONNX_NAME];
    int64_t groups = (int64_t)own->groups,
            shape[4] = {0, (int64_t)in->size[0], (int64_t)in->size[1], (int64_t)in->size[2]};
    add_floats(step, own->groups, 1, ones);
    add_floats(step, own->groups, 0, zeros);
    reshape(step, step->x, 3, (int64_t[]){0, groups, -1}, inner(step, "groups", a));
    snprintf(inputs, sizeof inputs, "%s %s %s", a, ones, zeros);
    add_float(step, "epsilon", own->epsilon);
    onnx_node(step, "InstanceNormalization", inputs, inner(step, "normal", b));
    reshape(step, b, in->dims + 1, shape, inner(step, "channels", c));
    reshape(step, tensor(step, 0), in->dims, (int64_t[]){-1, 1, 1}, inner(step, "weight", w));
    reshape(step, tensor(step, 1), in->dims, (int64_t[]){-1, 1, 1}, inner(step, "bias", bias));
    binary(step, "Mul", c, w, inner(step, "scaled", d));
    binary(step, "Add", d, bias, step->y);
}

/* ONNX has channels in front, which a sequence has behind. */
static void batch_norm(struct onnx_step *step)
{
    char a[ONNX_NAME], b[ONNX_NAME];
    bool is_sequence = step->layer->in.dims == 2;
    if (is_sequence) {
        add_ints(step, "perm", 3, (int64_t[]){0, 2, 1});
        onnx_node(step, "Transpose", step->x, inner(step, "turned", a));
    }
    add_float(step, "epsilon", ((const struct batch_norm *)step->layer->settings)->epsilon);
    whole_layer(step, "BatchNormalization", is_sequence ? a : step->x,
                is_sequence ? inner(step, "normal", b) : step->y);
    if (is_sequence) {
        add_ints(step, "perm", 3, (int64_t[]){0, 2, 1});
        onnx_node(step, "Transpose", b, step->y);
    }
}

static void embedding(struct onnx_step *step)
{
    binary(step, "Gather", tensor(step, 0), step->x, step->y);
}

static void positions(struct onnx_step *step)
{
    binary(step, "Add", step->x, tensor(step, 0), step->y);
}

/* [N, T, C] to heads [N, H, T, D], or keys to [N, H, D, T]. */
static void split_heads(struct onnx_step *step, const char *x, int64_t heads, bool turned, const char *what,
                        char output[ONNX_NAME])
{
    char a[ONNX_NAME], name[80];
    const struct shape *out = &step->layer->out;
    snprintf(name, sizeof name, "%s.apart", what);
    reshape(step, x, 4, (int64_t[]){0, (int64_t)out->size[0], heads, (int64_t)out->size[1] / heads},
            inner(step, name, a));
    add_ints(step, "perm", 4, turned ? (int64_t[]){0, 2, 3, 1} : (int64_t[]){0, 2, 1, 3});
    snprintf(name, sizeof name, "%s.heads", what);
    onnx_node(step, "Transpose", a, inner(step, name, output));
}

/* [T, T]: what a position must not see becomes impossible. */
static void add_mask(struct onnx_step *step, char name[ONNX_NAME])
{
    size_t T = step->layer->out.size[0];
    float *mask = memory_need(T * T, sizeof *mask);
    for (size_t i = 0; i < T * T; i++)
        mask[i] = i % T > i / T ? -INFINITY : 0;
    snprintf(name, ONNX_NAME, "constant.%zu", (*step->constants)++);
    onnx_initializer(step->graph, name, 2, (size_t[]){T, T}, ONNX_FLOAT, mask, T * T * sizeof *mask);
    memory_free(mask);
}

static void attend(struct onnx_step *step)
{
    const struct attend *own = step->layer->settings;
    const struct shape *out = &step->layer->out;
    int64_t heads = (int64_t)own->heads, C = (int64_t)out->size[1];
    char parts[3][ONNX_NAME], each[3][ONNX_NAME], scale[ONNX_NAME], mask[ONNX_NAME], a[ONNX_NAME], b[ONNX_NAME],
        c[ONNX_NAME], d[ONNX_NAME];
    static const char *const names[] = {"queries", "keys", "values"};
    for (int64_t i = 0; i < 3; i++) {
        char inputs[5 * ONNX_NAME], from[ONNX_NAME], to[ONNX_NAME], axis[ONNX_NAME];
        onnx_wholes(step, 1, (int64_t[]){i * C}, from);
        onnx_wholes(step, 1, (int64_t[]){(i + 1) * C}, to);
        onnx_wholes(step, 1, (int64_t[]){2}, axis);
        snprintf(inputs, sizeof inputs, "%s %s %s %s", step->x, from, to, axis);
        onnx_node(step, "Slice", inputs, inner(step, names[i], parts[i]));
        split_heads(step, parts[i], heads, i == 1, names[i], each[i]);
    }
    add_floats(step, 0, 1 / sqrt((double)C / (double)heads), scale);
    binary(step, "MatMul", each[0], each[1], inner(step, "products", a));
    binary(step, "Mul", a, scale, inner(step, "scores", b));
    if (own->causal) {
        add_mask(step, mask);
        binary(step, "Add", b, mask, inner(step, "seen", c));
    }
    onnx_whole(step, "axis", -1);
    onnx_node(step, "Softmax", own->causal ? c : b, inner(step, "shares", d));
    binary(step, "MatMul", d, each[2], inner(step, "attended", a));
    add_ints(step, "perm", 4, (int64_t[]){0, 2, 1, 3});
    onnx_node(step, "Transpose", a, inner(step, "together", b));
    reshape(step, b, 3, (int64_t[]){0, (int64_t)out->size[0], C}, step->y);
}

static void join(struct onnx_step *step)
{
    binary(step, "Add", step->x, step->skip, step->y);
}

static void append(struct onnx_step *step)
{
    onnx_whole(step, "axis", step->layer->in.dims == 2 ? 2 : 1);
    binary(step, "Concat", step->x, step->skip, step->y);
}

/* ---- which class is what ---- */

static const struct counterpart {
    const struct layer_class *class;
    const char *operator; /* of one input, without attributes; NULL: */
    void (*write)(struct onnx_step *step);
} counterparts[] = {
    {&layer_dense, NULL, dense},
    {&layer_lm_head, NULL, dense},
    {&layer_conv2d, NULL, conv2d},
    {&layer_max_pool, NULL, pool},
    {&layer_avg_pool, NULL, pool},
    {&layer_global_avg_pool, NULL, global_pool},
    {&layer_flatten, NULL, flatten},
    {&layer_relu, "Relu", NULL},
    {&layer_tanh, "Tanh", NULL},
    {&layer_sigmoid, "Sigmoid", NULL},
    {&layer_gelu, NULL, gelu},
    {&layer_silu, NULL, silu},
    {&layer_layer_norm, NULL, layer_norm},
    {&layer_rms_norm, NULL, rms_norm},
    {&layer_group_norm, NULL, group_norm},
    {&layer_batch_norm, NULL, batch_norm},
    {&layer_embedding, NULL, embedding},
    {&layer_position_embedding, NULL, positions},
    {&layer_attend, NULL, attend},
    {&layer_join, NULL, join},
    {&layer_append, NULL, append},
};

bool onnx_layer(struct onnx_step *step)
{
    for (size_t i = 0; i < sizeof counterparts / sizeof *counterparts; i++) {
        if (counterparts[i].class != step->layer->class)
            continue;
        if (counterparts[i].operator)
            onnx_node(step, counterparts[i].operator, step->x, step->y);
        else
            counterparts[i].write(step);
        return true;
    }
    return false;
}
