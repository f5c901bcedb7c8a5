#include "export/c_layers.h"

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
#include <string.h>

void c_number(struct text *out, double number)
{
    char digits[40];
    if (!isfinite(number)) { /* macros of <math.h> */
        text_append(out, isnan(number) ? "NAN" : number > 0 ? "INFINITY" : "-INFINITY");
        return;
    }
    snprintf(digits, sizeof digits, "%.9g", number);
    text_append(out, "%s%sf", digits, strpbrk(digits, ".e") ? "" : ".0");
}

/* Tensor k of the layer, as the file calls it: "NULL" if the layer has fewer. */
static const char *tensor(const struct c_call *call, size_t k, char name[24])
{
    if (k < call->layer->tensor_count)
        snprintf(name, 24, "w%zu", call->layer->tensors[k]);
    else
        snprintf(name, 24, "NULL");
    return name;
}

/* What [before, C, after] a layer's input is, C its channels. */
static void append_channels(const struct c_call *call)
{
    const struct shape *in = &call->layer->in;
    size_t before = in->dims == 2 ? in->size[0] : 1, C = in->dims == 2 ? in->size[1] : in->size[0];
    text_append(call->out, "%zu, %zu, %zu", before, C, call->layer->inputs / before / C);
}

/* Weight and bias, and where from and to. */
static void append_places(const struct c_call *call)
{
    char weight[24], bias[24];
    text_append(call->out, "%s, %s, %s, %s);\n", call->x, tensor(call, 0, weight), tensor(call, 1, bias), call->y);
}

static const struct c_function *call_dense(const struct c_call *call)
{
    const struct layer *layer = call->layer;
    size_t n = layer->out.dims == 2 ? layer->out.size[0] : 1;
    text_append(call->out, "dense(%zu, %zu, %zu, ", n, layer->inputs / n, layer->outputs / n);
    append_places(call);
    return &c_dense;
}

/* The zeros in front of each of the sides of lengths in[] that become out[]. */
static void append_zeros(const struct c_call *call, size_t sides, uint64_t kernel, uint64_t stride, uint64_t padding,
                         const size_t *in, const size_t *out)
{
    for (size_t d = 0; d < sides; d++)
        text_append(call->out, "%zu, ", conv2d_zeros(kernel, stride, padding, in[d], out[d]).before);
}

static const struct c_function *call_conv2d(const struct c_call *call)
{
    const struct conv2d *own = call->layer->settings;
    const struct shape *in = &call->layer->in, *out = &call->layer->out;
    text_append(call->out, "conv2d(%zu, %zu, %zu, %zu, %zu, %zu, %llu, %llu, ", in->size[0], in->size[1], in->size[2],
                out->size[0], out->size[1], out->size[2], (unsigned long long)own->kernel,
                (unsigned long long)own->stride);
    append_zeros(call, 2, own->kernel, own->stride, own->padding, in->size + 1, out->size + 1);
    append_places(call);
    return &c_conv2d;
}

static const struct c_function *call_conv3d(const struct c_call *call)
{
    const struct conv3d *own = call->layer->settings;
    const struct shape *in = &call->layer->in, *out = &call->layer->out;
    const size_t *sides = in->size + in->dims - 3;
    text_append(call->out, "conv3d(%zu, %zu, %zu, %zu, %zu, %zu, %zu, %zu, %llu, %llu, ",
                in->dims == 4 ? in->size[0] : 1, sides[0], sides[1], sides[2], out->size[0], out->size[1], out->size[2],
                out->size[3], (unsigned long long)own->kernel, (unsigned long long)own->stride);
    append_zeros(call, 3, own->kernel, own->stride, own->padding, sides, out->size + 1);
    append_places(call);
    return &c_conv3d;
}

static const struct c_function *call_conv1d(const struct c_call *call)
{
    const struct conv1d *own = call->layer->settings;
    const struct shape *in = &call->layer->in, *out = &call->layer->out;
    size_t C = in->dims == 1 ? 1 : in->size[in->dims - 1], T = call->layer->inputs / C;
    text_append(call->out, "conv1d(%zu, %zu, %zu, %zu, %llu, %llu, ", T, C, out->size[0], out->size[1],
                (unsigned long long)own->kernel, (unsigned long long)own->stride);
    append_zeros(call, 1, own->kernel, own->stride, own->padding, &T, out->size);
    append_places(call);
    return &c_conv1d;
}

static const struct c_function *call_pool(const struct c_call *call)
{
    struct pool_windows pool = pool_windows(call->layer);
    text_append(call->out, "%s(%zu, %zu, %zu, %zu, %zu, %zu, %zu, %zu, %zu, %zu, %s, %s);\n",
                call->layer->class->kind.name, pool.C, pool.D, pool.H, pool.W, pool.Z, pool.Y, pool.X, pool.deep,
                pool.size, pool.stride, call->x, call->y);
    return call->layer->class == &layer_max_pool ? &c_max_pool : &c_avg_pool;
}

static const struct c_function *call_global_pool(const struct c_call *call)
{
    text_append(call->out, "mean_of_channels(");
    append_channels(call);
    text_append(call->out, ", %s, %s);\n", call->x, call->y);
    return &c_mean_of_channels;
}

static const struct c_function *append_elementwise(const struct c_call *call, const struct c_function *function)
{
    text_append(call->out, "%s(%zu, %s, %s);\n", function->name, call->layer->inputs, call->x, call->y);
    return function;
}

static const struct c_function *call_gelu(const struct c_call *call)
{
    bool is_tanh = ((const struct gelu *)call->layer->settings)->form == GELU_TANH;
    return append_elementwise(call, is_tanh ? &c_gelu_tanh : &c_gelu);
}

static const struct c_function *call_row_norm(const struct c_call *call)
{
    const struct layer *layer = call->layer;
    size_t C = row_norm_width(layer);
    char weight[24], bias[24];
    text_append(call->out, "%s(%zu, %zu, ", layer->class->kind.name, row_norm_rows(layer, 1), C);
    c_number(call->out, ((const struct row_norm *)layer->settings)->epsilon);
    text_append(call->out, ", %s, %s%s%s, %s);\n", call->x, tensor(call, 0, weight),
                layer->tensor_count > 1 ? ", " : "", layer->tensor_count > 1 ? tensor(call, 1, bias) : "", call->y);
    return layer->class == &layer_layer_norm ? &c_layer_norm : &c_rms_norm;
}

static const struct c_function *call_group_norm(const struct c_call *call)
{
    const struct group_norm *own = call->layer->settings;
    size_t C = call->layer->in.size[0], G = own->groups;
    text_append(call->out, "group_norm(%zu, %zu, %zu, ", G, C / G, call->layer->inputs / C);
    c_number(call->out, own->epsilon);
    text_append(call->out, ", ");
    append_places(call);
    return &c_group_norm;
}

static const struct c_function *call_batch_norm(const struct c_call *call)
{
    char names[4][24];
    text_append(call->out, "batch_norm(");
    append_channels(call);
    text_append(call->out, ", ");
    c_number(call->out, ((const struct batch_norm *)call->layer->settings)->epsilon);
    text_append(call->out, ", %s", call->x);
    for (size_t k = 0; k < 4; k++)
        text_append(call->out, ", %s", tensor(call, k, names[k]));
    text_append(call->out, ", %s);\n", call->y);
    return &c_batch_norm;
}

static const struct c_function *call_embedding(const struct c_call *call)
{
    const struct shape *out = &call->layer->out;
    char weight[24];
    text_append(call->out, "embedding(%zu, %zu, %s, %s, %s);\n", out->size[0], out->size[1], call->x,
                tensor(call, 0, weight), call->y);
    return &c_embedding;
}

static const struct c_function *call_positions(const struct c_call *call)
{
    char weight[24];
    text_append(call->out, "add(%zu, %s, %s, %s);\n", call->layer->inputs, call->x, tensor(call, 0, weight), call->y);
    return &c_add;
}

static const struct c_function *call_attend(const struct c_call *call)
{
    const struct attend *own = call->layer->settings;
    const struct shape *out = &call->layer->out;
    text_append(call->out, "attend(%zu, %zu, %llu, %d, %s, %s);\n", out->size[0], out->size[1],
                (unsigned long long)own->heads, own->causal, call->x, call->y);
    return &c_attend;
}

static const struct c_function *call_add(const struct c_call *call)
{
    text_append(call->out, "add(%zu, %s, %s, %s);\n", call->layer->outputs, call->x, call->skip, call->y);
    return &c_add;
}

static const struct c_function *call_append(const struct c_call *call)
{
    const struct layer *layer = call->layer;
    size_t n = layer->in.dims == 2 ? layer->in.size[0] : 1;
    text_append(call->out, "append(%zu, %zu, %zu, %s, %s, %s);\n", n, layer->inputs / n,
                (layer->outputs - layer->inputs) / n, call->x, call->skip, call->y);
    return &c_append;
}

/* Of a sequence, positions are the rows of one plane; that is, as an image, in a volume one deep. */
static const struct c_function *call_upsample(const struct c_call *call)
{
    const struct upsample *own = call->layer->settings;
    const struct shape *in = &call->layer->in;
    const size_t *last = in->size + in->dims - 2;
    unsigned long long f = own->factor;
    text_append(call->out, "upsample(%zu, %zu, %zu, %zu, %llu, %llu, %llu, %d, %s, %s);\n",
                in->dims > 2 ? in->size[0] : 1, in->dims > 3 ? in->size[1] : 1, last[0], last[1], in->dims > 3 ? f : 1,
                f, in->dims > 2 ? f : 1, own->mode == UPSAMPLE_LINEAR, call->x, call->y);
    return &c_upsample;
}

/* ---- which class is what ---- */

static const struct c_layer layers[] = {
    {&layer_dense, NULL, call_dense},
    {&layer_lm_head, NULL, call_dense},
    {&layer_conv1d, NULL, call_conv1d},
    {&layer_conv2d, NULL, call_conv2d},
    {&layer_conv3d, NULL, call_conv3d},
    {&layer_max_pool, NULL, call_pool},
    {&layer_avg_pool, NULL, call_pool},
    {&layer_global_avg_pool, NULL, call_global_pool},
    {&layer_upsample, NULL, call_upsample},
    {&layer_join, NULL, call_add},
    {&layer_append, NULL, call_append},
    {&layer_flatten, NULL, NULL},
    {&layer_relu, &c_relu, NULL},
    {&layer_gelu, NULL, call_gelu},
    {&layer_tanh, &c_tanh_of, NULL},
    {&layer_sigmoid, &c_sigmoid, NULL},
    {&layer_silu, &c_silu, NULL},
    {&layer_layer_norm, NULL, call_row_norm},
    {&layer_rms_norm, NULL, call_row_norm},
    {&layer_group_norm, NULL, call_group_norm},
    {&layer_batch_norm, NULL, call_batch_norm},
    {&layer_embedding, NULL, call_embedding},
    {&layer_position_embedding, NULL, call_positions},
    {&layer_attend, NULL, call_attend},
};

const struct c_layer *c_layer_of(const struct layer_class *class)
{
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++)
        if (layers[i].class == class)
            return &layers[i];
    return NULL;
}

const struct c_function *c_layer_call(const struct c_layer *what, const struct c_call *call)
{
    return what->call ? what->call(call) : append_elementwise(call, what->function);
}
