#include "export/onnx_layers.h"

#include "base/memory.h"
#include "nn/layers/attend.h"
#include "nn/layers/batch_norm.h"
#include "nn/layers/conv1d.h"
#include "nn/layers/conv2d.h"
#include "nn/layers/conv3d.h"
#include "nn/layers/gelu.h"
#include "nn/layers/group_norm.h"
#include "nn/layers/layers.h"
#include "nn/layers/pool.h"
#include "nn/layers/row_norm.h"
#include "nn/layers/upsample.h"

#include <math.h>
#include <stdio.h>

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
            onnx_node(step, "Flatten", step->x, onnx_inner(step, "flat", a));
        onnx_whole(step, "transB", 1);
        onnx_whole_layer(step, "Gemm", step->layer->in.dims > 1 ? a : step->x, step->y);
        return;
    }
    onnx_ints(step, "perm", 2, (int64_t[]){1, 0});
    onnx_node(step, "Transpose", onnx_tensor(step, 0), onnx_inner(step, "weight", a));
    onnx_binary(step, "MatMul", step->x, a, has_bias ? onnx_inner(step, "product", b) : step->y);
    if (has_bias)
        onnx_binary(step, "Add", b, onnx_tensor(step, 1), step->y);
}

/* Where a window stands along `sides` sides, the last ones of the layer's input. */
static void window(struct onnx_step *step, size_t sides, size_t size, size_t stride)
{
    int64_t sizes[3] = {(int64_t)size, (int64_t)size, (int64_t)size};
    int64_t strides[3] = {(int64_t)stride, (int64_t)stride, (int64_t)stride};
    onnx_ints(step, "kernel_shape", sides, sizes);
    onnx_ints(step, "strides", sides, strides);
}

/* Along each of the sides of lengths in[] that become out[]. */
static void zeros(struct onnx_step *step, size_t sides, uint64_t kernel, uint64_t stride, uint64_t padding,
                  const size_t *in, const size_t *out)
{
    int64_t pads[6];
    for (size_t d = 0; d < sides; d++) {
        struct conv2d_zeros side = conv2d_zeros(kernel, stride, padding, in[d], out[d]);
        pads[d] = (int64_t)side.before;
        pads[sides + d] = (int64_t)side.behind;
    }
    onnx_ints(step, "pads", 2 * sides, pads);
}

static void conv2d(struct onnx_step *step)
{
    const struct conv2d *own = step->layer->settings;
    window(step, 2, own->kernel, own->stride);
    zeros(step, 2, own->kernel, own->stride, own->padding, step->layer->in.size + 1, step->layer->out.size + 1);
    onnx_whole_layer(step, "Conv", step->x, step->y);
}

/* Of an image [D, H, W] it has one channel. */
static void conv3d(struct onnx_step *step)
{
    const struct conv3d *own = step->layer->settings;
    const struct shape *in = &step->layer->in;
    const size_t *sides = in->size + in->dims - 3;
    char volume[ONNX_NAME];
    if (in->dims == 3)
        onnx_reshape(step, step->x, 5, (int64_t[]){0, 1, (int64_t)sides[0], (int64_t)sides[1], (int64_t)sides[2]},
                     onnx_inner(step, "volume", volume));
    window(step, 3, own->kernel, own->stride);
    zeros(step, 3, own->kernel, own->stride, own->padding, sides, step->layer->out.size + 1);
    onnx_whole_layer(step, "Conv", in->dims == 3 ? volume : step->x, step->y);
}

static void turn(struct onnx_step *step, const char *x, const char *y)
{
    onnx_ints(step, "perm", 3, (int64_t[]){0, 2, 1});
    onnx_node(step, "Transpose", x, y);
}

/* ONNX has channels in front, which a sequence has behind. */
static void conv1d(struct onnx_step *step)
{
    const struct conv1d *own = step->layer->settings;
    const struct shape *in = &step->layer->in;
    size_t C = in->dims == 1 ? 1 : in->size[in->dims - 1], T = step->layer->inputs / C;
    char a[ONNX_NAME], b[ONNX_NAME], c[ONNX_NAME];
    if (in->dims != 2)
        onnx_reshape(step, step->x, 3, (int64_t[]){0, (int64_t)T, (int64_t)C}, onnx_inner(step, "sequence", a));
    turn(step, in->dims == 2 ? step->x : a, onnx_inner(step, "turned", b));
    window(step, 1, own->kernel, own->stride);
    zeros(step, 1, own->kernel, own->stride, own->padding, &T, step->layer->out.size);
    onnx_whole_layer(step, "Conv", b, onnx_inner(step, "filtered", c));
    turn(step, c, step->y);
}

static void pool(struct onnx_step *step)
{
    struct pool_windows own = pool_windows(step->layer);
    window(step, step->layer->in.dims - 1, own.size, own.stride);
    onnx_node(step, step->layer->class == &layer_max_pool ? "MaxPool" : "AveragePool", step->x, step->y);
}

static void global_pool(struct onnx_step *step)
{
    size_t dims = step->layer->in.dims;
    onnx_ints(step, "axes", dims - 1, dims == 2 ? (int64_t[]){1} : (int64_t[]){2, 3, 4});
    onnx_whole(step, "keepdims", 0);
    onnx_node(step, "ReduceMean", step->x, step->y);
}

/* A sequence [T, C] is resized as an image [1, T, C], of whose sides only one becomes longer. */
static void upsample(struct onnx_step *step)
{
    const struct upsample *own = step->layer->settings;
    const struct shape *in = &step->layer->in, *out = &step->layer->out;
    bool is_sequence = in->dims == 2, is_linear = own->mode == UPSAMPLE_LINEAR;
    float f = (float)own->factor, scales[5] = {1, 1, f, is_sequence ? 1 : f, f};
    char scale[ONNX_NAME], a[ONNX_NAME], b[ONNX_NAME], inputs[3 * ONNX_NAME];
    size_t count = is_sequence ? 4 : in->dims + 1;
    if (is_sequence)
        onnx_reshape(step, step->x, 4, (int64_t[]){0, 1, (int64_t)in->size[0], (int64_t)in->size[1]},
                     onnx_inner(step, "image", a));
    snprintf(scale, ONNX_NAME, "constant.%zu", (*step->constants)++);
    onnx_initializer(step->graph, scale, 1, &count, ONNX_FLOAT, scales, count * sizeof *scales);
    onnx_word(step, "mode", is_linear ? "linear" : "nearest");
    onnx_word(step, "coordinate_transformation_mode", is_linear ? "half_pixel" : "asymmetric");
    onnx_word(step, "nearest_mode", "floor");
    snprintf(inputs, sizeof inputs, "%s - %s", is_sequence ? a : step->x, scale);
    onnx_node(step, "Resize", inputs, is_sequence ? onnx_inner(step, "longer", b) : step->y);
    if (is_sequence)
        onnx_reshape(step, b, 3, (int64_t[]){0, (int64_t)out->size[0], (int64_t)out->size[1]}, step->y);
}

static void silu(struct onnx_step *step)
{
    char a[ONNX_NAME];
    onnx_node(step, "Sigmoid", step->x, onnx_inner(step, "sigmoid", a));
    onnx_binary(step, "Mul", step->x, a, step->y);
}

/* x / 2 (1 + f(...)) */
static void gelu(struct onnx_step *step)
{
    char one[ONNX_NAME], half[ONNX_NAME], scale[ONNX_NAME], cubic[ONNX_NAME];
    char a[ONNX_NAME], b[ONNX_NAME], c[ONNX_NAME], d[ONNX_NAME];
    bool is_tanh = ((const struct gelu *)step->layer->settings)->form == GELU_TANH;
    onnx_floats(step, 0, 1, one);
    onnx_floats(step, 0, 0.5, half);
    onnx_floats(step, 0, is_tanh ? sqrt(2 / acos(-1)) : sqrt(0.5), scale);
    if (is_tanh) { /* x + 0.044715 x^3 = x (1 + 0.044715 x^2) */
        onnx_floats(step, 0, 0.044715, cubic);
        onnx_binary(step, "Mul", step->x, step->x, onnx_inner(step, "square", a));
        onnx_binary(step, "Mul", a, cubic, onnx_inner(step, "cubic", b));
        onnx_binary(step, "Add", b, one, onnx_inner(step, "factor", c));
        onnx_binary(step, "Mul", step->x, c, onnx_inner(step, "inside", d));
    }
    onnx_binary(step, "Mul", is_tanh ? d : step->x, scale, onnx_inner(step, "scaled", a));
    onnx_node(step, is_tanh ? "Tanh" : "Erf", a, onnx_inner(step, "curve", b));
    onnx_binary(step, "Add", b, one, onnx_inner(step, "raised", c));
    onnx_binary(step, "Mul", step->x, c, onnx_inner(step, "twice", d));
    onnx_binary(step, "Mul", d, half, step->y);
}

static double row_epsilon(const struct onnx_step *step)
{
    return ((const struct row_norm *)step->layer->settings)->epsilon;
}

static void layer_norm(struct onnx_step *step)
{
    onnx_whole(step, "axis", step->layer->in.dims > 2 ? 1 : -1);
    onnx_float(step, "epsilon", row_epsilon(step));
    onnx_whole_layer(step, "LayerNormalization", step->x, step->y);
}

static void rms_norm(struct onnx_step *step)
{
    char epsilon[ONNX_NAME], a[ONNX_NAME], b[ONNX_NAME], c[ONNX_NAME], d[ONNX_NAME], e[ONNX_NAME];
    onnx_floats(step, 0, row_epsilon(step), epsilon);
    onnx_binary(step, "Mul", step->x, step->x, onnx_inner(step, "squares", a));
    onnx_ints(step, "axes", step->layer->in.dims > 2 ? step->layer->in.dims : 1, (int64_t[]){-1, -2, -3, -4});
    onnx_node(step, "ReduceMean", a, onnx_inner(step, "mean", b));
    onnx_binary(step, "Add", b, epsilon, onnx_inner(step, "sum", c));
    onnx_node(step, "Sqrt", c, onnx_inner(step, "root", d));
    onnx_binary(step, "Div", step->x, d, onnx_inner(step, "normal", e));
    onnx_binary(step, "Mul", e, onnx_tensor(step, 0), step->y);
}

/* Groups as channels of an instance norm, then weight and bias of each channel. */
static void group_norm(struct onnx_step *step)
{
    const struct group_norm *own = step->layer->settings;
    const struct shape *in = &step->layer->in;
    char ones[ONNX_NAME], zeros[ONNX_NAME], a[ONNX_NAME], b[ONNX_NAME], c[ONNX_NAME], d[ONNX_NAME], w[ONNX_NAME],
        bias[ONNX_NAME], inputs[3 * ONNX_NAME];
    int64_t groups = (int64_t)own->groups,
            shape[5] = {0, (int64_t)in->size[0], (int64_t)in->size[1], (int64_t)in->size[2], (int64_t)in->size[3]};
    onnx_floats(step, own->groups, 1, ones);
    onnx_floats(step, own->groups, 0, zeros);
    onnx_reshape(step, step->x, 3, (int64_t[]){0, groups, -1}, onnx_inner(step, "groups", a));
    snprintf(inputs, sizeof inputs, "%s %s %s", a, ones, zeros);
    onnx_float(step, "epsilon", own->epsilon);
    onnx_node(step, "InstanceNormalization", inputs, onnx_inner(step, "normal", b));
    onnx_reshape(step, b, in->dims + 1, shape, onnx_inner(step, "channels", c));
    onnx_reshape(step, onnx_tensor(step, 0), in->dims, (int64_t[]){-1, 1, 1, 1}, onnx_inner(step, "weight", w));
    onnx_reshape(step, onnx_tensor(step, 1), in->dims, (int64_t[]){-1, 1, 1, 1}, onnx_inner(step, "bias", bias));
    onnx_binary(step, "Mul", c, w, onnx_inner(step, "scaled", d));
    onnx_binary(step, "Add", d, bias, step->y);
}

static void batch_norm(struct onnx_step *step)
{
    char a[ONNX_NAME], b[ONNX_NAME];
    bool is_sequence = step->layer->in.dims == 2;
    if (is_sequence)
        turn(step, step->x, onnx_inner(step, "turned", a));
    onnx_float(step, "epsilon", ((const struct batch_norm *)step->layer->settings)->epsilon);
    onnx_whole_layer(step, "BatchNormalization", is_sequence ? a : step->x,
                     is_sequence ? onnx_inner(step, "normal", b) : step->y);
    if (is_sequence)
        turn(step, b, step->y);
}

static void embedding(struct onnx_step *step)
{
    onnx_binary(step, "Gather", onnx_tensor(step, 0), step->x, step->y);
}

static void positions(struct onnx_step *step)
{
    onnx_binary(step, "Add", step->x, onnx_tensor(step, 0), step->y);
}

/* [N, T, C] to heads [N, H, T, D], or keys to [N, H, D, T]. */
static void split_heads(struct onnx_step *step, const char *x, int64_t heads, bool turned, const char *what,
                        char output[ONNX_NAME])
{
    char a[ONNX_NAME], name[80];
    const struct shape *out = &step->layer->out;
    snprintf(name, sizeof name, "%s.apart", what);
    onnx_reshape(step, x, 4, (int64_t[]){0, (int64_t)out->size[0], heads, (int64_t)out->size[1] / heads},
                 onnx_inner(step, name, a));
    onnx_ints(step, "perm", 4, turned ? (int64_t[]){0, 2, 3, 1} : (int64_t[]){0, 2, 1, 3});
    snprintf(name, sizeof name, "%s.heads", what);
    onnx_node(step, "Transpose", a, onnx_inner(step, name, output));
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
        onnx_node(step, "Slice", inputs, onnx_inner(step, names[i], parts[i]));
        split_heads(step, parts[i], heads, i == 1, names[i], each[i]);
    }
    onnx_floats(step, 0, 1 / sqrt((double)C / (double)heads), scale);
    onnx_binary(step, "MatMul", each[0], each[1], onnx_inner(step, "products", a));
    onnx_binary(step, "Mul", a, scale, onnx_inner(step, "scores", b));
    if (own->causal) {
        add_mask(step, mask);
        onnx_binary(step, "Add", b, mask, onnx_inner(step, "seen", c));
    }
    onnx_whole(step, "axis", -1);
    onnx_node(step, "Softmax", own->causal ? c : b, onnx_inner(step, "shares", d));
    onnx_binary(step, "MatMul", d, each[2], onnx_inner(step, "attended", a));
    onnx_ints(step, "perm", 4, (int64_t[]){0, 2, 1, 3});
    onnx_node(step, "Transpose", a, onnx_inner(step, "together", b));
    onnx_reshape(step, b, 3, (int64_t[]){0, (int64_t)out->size[0], C}, step->y);
}

static void join(struct onnx_step *step)
{
    onnx_binary(step, "Add", step->x, step->skip, step->y);
}

static void append(struct onnx_step *step)
{
    onnx_whole(step, "axis", step->layer->in.dims == 2 ? 2 : 1);
    onnx_binary(step, "Concat", step->x, step->skip, step->y);
}

/* ---- which class is what ---- */

static const struct counterpart {
    const struct layer_class *class;
    const char *operator; /* of one input, without attributes; NULL: */
    void (*write)(struct onnx_step *step);
} counterparts[] = {
    {&layer_dense, NULL, dense},
    {&layer_lm_head, NULL, dense},
    {&layer_conv1d, NULL, conv1d},
    {&layer_conv2d, NULL, conv2d},
    {&layer_conv3d, NULL, conv3d},
    {&layer_max_pool, NULL, pool},
    {&layer_avg_pool, NULL, pool},
    {&layer_global_avg_pool, NULL, global_pool},
    {&layer_upsample, NULL, upsample},
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
