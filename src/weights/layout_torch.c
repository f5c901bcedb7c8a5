/* The names of a torch.nn.Sequential (pytorch/pytorch, torch/nn/modules/container.py): a module's tensors are named
 * after its place, counted from 0, those without tensors included: "0.weight", "3.1.running_mean". Layouts are ours.
 *
 * What PyTorch has no module for is a class of a few lines, which is told with the model. A residual connection is a
 * Sequential of its own, so that its modules have two numbers. */
#include "base/check.h"
#include "base/text.h"
#include "nn/layers/attend.h"
#include "nn/layers/batch_norm.h"
#include "nn/layers/conv1d.h"
#include "nn/layers/conv2d.h"
#include "nn/layers/conv3d.h"
#include "nn/layers/dense.h"
#include "nn/layers/dropout.h"
#include "nn/layers/gelu.h"
#include "nn/layers/group_norm.h"
#include "nn/layers/layers.h"
#include "nn/layers/lm_head.h"
#include "nn/layers/pool.h"
#include "nn/layers/row_norm.h"
#include "nn/layers/upsample.h"
#include "nn/model_build.h"
#include "weights/layout.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define DEPTH_MOST (MODEL_OPEN + 1)

struct writer {
    struct layout *layout;
    const struct model *model;
    struct text *modules;      /* a line each; NULL: nobody wants them */
    size_t places[DEPTH_MOST]; /* of the next module, in each Sequential that is open */
    size_t depth;              /* how many are open, without the outermost */
    const struct layer *layer; /* whose modules are being written */
};

/* A line of Python. */
static void line(struct writer *writer, const char *words)
{
    if (writer->modules)
        text_append(writer->modules, "%*s%s\n", 4 + 4 * (int)writer->depth, "", words);
}

static void FORMAT(2, 3) add(struct writer *writer, const char *format, ...)
{
    char words[160];
    va_list args;
    va_start(args, format);
    int length = vsnprintf(words, sizeof words - 1, format, args);
    va_end(args);
    CHECK(length > 0 && length < (int)sizeof words - 1, "modules are short");
    words[length] = ',';
    words[length + 1] = '\0';
    line(writer, words);
    writer->places[writer->depth]++;
}

static const char *truth(bool value)
{
    return value ? "True" : "False";
}

/* ---- modules of each class ---- */

static void add_linear(struct writer *writer, size_t inputs, size_t outputs, bool bias)
{
    add(writer, bias ? "nn.Linear(%zu, %zu)" : "nn.Linear(%zu, %zu, bias=False)", inputs, outputs);
}

static void add_dense(struct writer *writer)
{
    const struct layer *layer = writer->layer;
    const struct dense *dense = layer->settings;
    if (layer->in.dims > 2)
        add(writer, "nn.Flatten()");
    add_linear(writer, layer->in.dims == 2 ? layer->in.size[1] : layer->inputs, dense->units, dense->bias);
}

static void add_head(struct writer *writer)
{
    const struct layer *layer = writer->layer;
    add_linear(writer, layer->in.size[1], layer->out.size[1], ((const struct lm_head *)layer->settings)->bias);
}

/* What convolutions have in common. */
struct filters {
    uint64_t kernel, stride, padding;
    bool bias;
};

/* Of a convolution of 1, 2 or 3 sides of lengths in[] that become out[]. PyTorch's own padding is the same at all ends:
 * returns it, or 0 behind a module that adds the zeros. */
static size_t add_zeros(struct writer *writer, size_t sides, const struct filters *own, const size_t *in,
                        const size_t *out)
{
    struct conv2d_zeros last = conv2d_zeros(own->kernel, own->stride, own->padding, in[sides - 1], out[sides - 1]);
    struct text zeros;
    bool equal = true;
    text_init(&zeros); /* the last side first; of a sequence, those are the channels */
    if (sides == 1)
        text_append(&zeros, "0, 0, ");
    for (size_t d = sides; d-- > 0;) {
        struct conv2d_zeros side = conv2d_zeros(own->kernel, own->stride, own->padding, in[d], out[d]);
        equal = equal && side.before == last.before && side.behind == last.before;
        text_append(&zeros, "%zu, %zu%s", side.before, side.behind, d > 0 ? ", " : "");
    }
    if (!equal && sides == 2)
        add(writer, "nn.ZeroPad2d((%s))", text_bytes(&zeros));
    else if (!equal) /* there is no ZeroPad3d in each version that is in use */
        add(writer, "nn.ConstantPad%dd((%s), 0.0)", sides == 1 ? 2 : 3, text_bytes(&zeros));
    text_release(&zeros);
    return equal ? last.before : 0;
}

static void add_filters(struct writer *writer, const char *module, size_t channels, size_t filters,
                        const struct filters *own, size_t padding)
{
    add(writer, "%s(%zu, %zu, %llu, stride=%llu, padding=%zu, bias=%s)", module, channels, filters,
        (unsigned long long)own->kernel, (unsigned long long)own->stride, padding, truth(own->bias));
}

static void add_conv2d(struct writer *writer)
{
    const struct layer *layer = writer->layer;
    const struct conv2d *conv2d = layer->settings;
    struct filters own = {conv2d->kernel, conv2d->stride, conv2d->padding, conv2d->bias};
    size_t padding = add_zeros(writer, 2, &own, layer->in.size + 1, layer->out.size + 1);
    add_filters(writer, "nn.Conv2d", layer->in.size[0], layer->out.size[0], &own, padding);
}

/* Of an image [D, H, W] it has one channel. */
static void add_conv3d(struct writer *writer)
{
    const struct layer *layer = writer->layer;
    const struct conv3d *conv3d = layer->settings;
    struct filters own = {conv3d->kernel, conv3d->stride, conv3d->padding, conv3d->bias};
    bool is_volume = layer->in.dims == 4;
    if (!is_volume)
        add(writer, "nn.Unflatten(1, (1, %zu))", layer->in.size[0]);
    size_t padding = add_zeros(writer, 3, &own, layer->in.size + is_volume, layer->out.size + 1);
    add_filters(writer, "nn.Conv3d", is_volume ? layer->in.size[0] : 1, layer->out.size[0], &own, padding);
}

/* PyTorch has the channels in front. */
static void add_conv1d(struct writer *writer)
{
    const struct layer *layer = writer->layer;
    const struct conv1d *conv1d = layer->settings;
    struct filters own = {conv1d->kernel, conv1d->stride, conv1d->padding, conv1d->bias};
    const struct shape *in = &layer->in;
    size_t C = in->dims == 1 ? 1 : in->size[in->dims - 1], T = layer->inputs / C;
    if (in->dims == 1)
        add(writer, "nn.Unflatten(1, (%zu, 1))", T);
    else if (in->dims == 3)
        add(writer, "nn.Flatten(1, 2)");
    size_t padding = add_zeros(writer, 1, &own, &T, layer->out.size);
    add_filters(writer, "SequenceConv", C, layer->out.size[1], &own, padding);
}

static void add_pool(struct writer *writer)
{
    struct pool_windows pool = pool_windows(writer->layer);
    add(writer, "nn.%sPool%dd(%zu, %zu)", writer->layer->class == &layer_max_pool ? "Max" : "Avg",
        writer->layer->in.dims == 4 ? 3 : 2, pool.size, pool.stride);
}

static void add_global_pool(struct writer *writer)
{
    if (writer->layer->in.dims == 2) {
        add(writer, "Mean()");
    } else {
        add(writer, "nn.AdaptiveAvgPool%dd(1)", writer->layer->in.dims == 4 ? 3 : 2);
        add(writer, "nn.Flatten()");
    }
}

/* torch's has the channels in front, which a sequence has behind. */
static void add_upsample(struct writer *writer)
{
    static const char *const modes[] = {"", "", "linear", "bilinear", "trilinear"};
    const struct upsample *upsample = writer->layer->settings;
    size_t dims = writer->layer->in.dims;
    add(writer, "%sUpsample(scale_factor=%llu, mode=\"%s\")", dims == 2 ? "Sequence" : "nn.",
        (unsigned long long)upsample->factor, upsample->mode == UPSAMPLE_LINEAR ? modes[dims] : "nearest");
}

/* What keeps an output for another is a module if there is another. */
static void add_tap(struct writer *writer)
{
    size_t own = (size_t)(writer->layer - writer->model->layers);
    bool appended = false;
    for (size_t l = own; l < writer->model->count; l++) {
        const struct layer *later = &writer->model->layers[l];
        appended = appended || (later->class == &layer_append && later->tap == own);
    }
    if (appended)
        add(writer, "Keep(kept, %zu)", own);
}

static void add_append(struct writer *writer)
{
    add(writer, "Concat(kept, %zu, %d)", writer->layer->tap, writer->layer->in.dims == 2 ? 2 : 1);
}

static void add_gelu(struct writer *writer)
{
    bool tanh = ((const struct gelu *)writer->layer->settings)->form == GELU_TANH;
    add(writer, "nn.GELU(%s)", tanh ? "approximate=\"tanh\"" : "");
}

static void add_dropout(struct writer *writer)
{
    add(writer, "nn.Dropout(%.9g)", ((const struct dropout *)writer->layer->settings)->rate);
}

/* layer_norm and rms_norm: of the channels, or of all that a sample has. */
static void add_row_norm(struct writer *writer)
{
    const struct shape *in = &writer->layer->in;
    char sizes[96];
    if (in->dims == 3)
        snprintf(sizes, sizeof sizes, "(%zu, %zu, %zu)", in->size[0], in->size[1], in->size[2]);
    else if (in->dims == 4)
        snprintf(sizes, sizeof sizes, "(%zu, %zu, %zu, %zu)", in->size[0], in->size[1], in->size[2], in->size[3]);
    else
        snprintf(sizes, sizeof sizes, "%zu", in->size[in->dims - 1]);
    add(writer, "%s(%s, eps=%.9g)", writer->layer->class == &layer_layer_norm ? "nn.LayerNorm" : "RMSNorm", sizes,
        ((const struct row_norm *)writer->layer->settings)->epsilon);
}

static void add_group_norm(struct writer *writer)
{
    const struct group_norm *norm = writer->layer->settings;
    add(writer, "nn.GroupNorm(%llu, %zu, eps=%.9g)", (unsigned long long)norm->groups, writer->layer->in.size[0],
        norm->epsilon);
}

static void add_batch_norm(struct writer *writer)
{
    static const char *const names[] = {"", "nn.BatchNorm1d", "SequenceNorm", "nn.BatchNorm2d", "nn.BatchNorm3d"};
    const struct shape *in = &writer->layer->in;
    const struct batch_norm *norm = writer->layer->settings;
    add(writer, "%s(%zu, eps=%.9g, momentum=%.9g)", names[in->dims], in->size[in->dims == 2 ? 1 : 0], norm->epsilon,
        norm->momentum);
}

static void add_embedding(struct writer *writer)
{
    add(writer, "nn.Embedding(%zu, %zu)", writer->layer->vocabulary, writer->layer->out.size[1]);
}

static void add_positions(struct writer *writer)
{
    add(writer, "Positions(%zu, %zu)", writer->layer->in.size[0], writer->layer->in.size[1]);
}

static void add_attend(struct writer *writer)
{
    const struct attend *attend = writer->layer->settings;
    add(writer, "Attend(%llu, causal=%s)", (unsigned long long)attend->heads, truth(attend->causal));
}

static void open_residual(struct writer *writer)
{
    line(writer, "Residual(");
    writer->places[++writer->depth] = 0;
}

static void close_residual(struct writer *writer)
{
    writer->depth--;
    line(writer, "),");
    writer->places[writer->depth]++;
}

/* ---- which class is what ---- */

struct counterpart {
    const struct layer_class *class;
    const char *module;                 /* without settings; NULL: */
    void (*add)(struct writer *writer); /* the last module that it adds has the layer's tensors */
};

static const struct counterpart counterparts[] = {
    {&layer_dense, NULL, add_dense},
    {&layer_conv1d, NULL, add_conv1d},
    {&layer_conv2d, NULL, add_conv2d},
    {&layer_conv3d, NULL, add_conv3d},
    {&layer_max_pool, NULL, add_pool},
    {&layer_avg_pool, NULL, add_pool},
    {&layer_global_avg_pool, NULL, add_global_pool},
    {&layer_upsample, NULL, add_upsample},
    {&layer_flatten, "nn.Flatten()", NULL},
    {&layer_relu, "nn.ReLU()", NULL},
    {&layer_gelu, NULL, add_gelu},
    {&layer_tanh, "nn.Tanh()", NULL},
    {&layer_sigmoid, "nn.Sigmoid()", NULL},
    {&layer_silu, "nn.SiLU()", NULL},
    {&layer_dropout, NULL, add_dropout},
    {&layer_layer_norm, NULL, add_row_norm},
    {&layer_rms_norm, NULL, add_row_norm},
    {&layer_group_norm, NULL, add_group_norm},
    {&layer_batch_norm, NULL, add_batch_norm},
    {&layer_tap, NULL, add_tap},
    {&layer_append, NULL, add_append},
    {&layer_fork, NULL, open_residual},
    {&layer_join, NULL, close_residual},
    {&layer_embedding, NULL, add_embedding},
    {&layer_position_embedding, NULL, add_positions},
    {&layer_attend, NULL, add_attend},
    {&layer_lm_head, NULL, add_head},
};
#define COUNTERPARTS (sizeof counterparts / sizeof *counterparts)

/* NULL: it is not in the table. */
static const struct counterpart *counterpart_of(const struct layer *layer)
{
    for (size_t i = 0; i < COUNTERPARTS; i++)
        if (counterparts[i].class == layer->class)
            return &counterparts[i];
    return NULL;
}

/* Rows of the tensors of the module that was added last: "3.1.weight". */
static void add_tensors(struct writer *writer)
{
    const struct layer *layer = writer->layer;
    struct text place;
    text_init(&place);
    for (size_t d = 0; d <= writer->depth; d++)
        text_append(&place, "%zu.", writer->places[d] - (d == writer->depth));
    for (size_t k = 0; k < layer->tensor_count; k++) {
        char name[LAYOUT_NAME];
        const char *own = writer->model->table.tensors[layer->tensors[k]].name;
        snprintf(name, sizeof name, "%s%s", text_bytes(&place), strrchr(own, '.') + 1);
        struct layout_row *row = layout_add(writer->layout, writer->model, layer->tensors[k], name);
        row->repeats = layer->class == &layer_lm_head && ((const struct lm_head *)layer->settings)->tied && k == 0;
    }
    text_release(&place);
}

/* What PyTorch counts besides what is learned. */
static bool is_counter(const char *name)
{
    const char *last = strrchr(name, '.');
    return last && strcmp(last, ".num_batches_tracked") == 0;
}

bool layout_torch(struct layout *layout, const struct model *model, struct text *modules, struct error *error)
{
    *layout = (struct layout){.name = "torch", .prefix = "", .ignores = is_counter, .writes_repeats = true};
    struct writer writer = {.layout = layout, .model = model, .modules = modules};
    for (size_t l = 0; l < model->count; l++) {
        const struct counterpart *counterpart = counterpart_of(&model->layers[l]);
        writer.layer = &model->layers[l];
        if (!counterpart) {
            layout_release(layout);
            return error_set(error, ERROR_USAGE,
                             "%s: nobody has said yet what %s is in PyTorch: use another format, "
                             "such as safetensors",
                             writer.layer->name, writer.layer->class->kind.name);
        }
        if (counterpart->module)
            add(&writer, "%s", counterpart->module);
        else
            counterpart->add(&writer);
        add_tensors(&writer);
    }
    return true;
}
