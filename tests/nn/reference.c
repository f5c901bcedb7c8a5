#include "nn/reference.h"

#include "base/memory.h"
#include "nn/layers/attention.h"
#include "nn/layers/concat.h"
#include "nn/layers/gelu.h"
#include "nn/layers/layers.h"
#include "nn/layers/repeat.h"
#include "nn/layers/residual.h"
#include "nn/layers/transformer.h"
#include "nn/reference_layers.h"

#include "support/test.h"

#include <math.h>
#include <string.h>

/* ---- compositions ---- */

static void list(struct walk *w, const char *prefix, const struct layer_spec *specs, size_t count);

static void add(struct walk *w, double *before)
{
    for (size_t e = 0; e < w->rows * shape_count(&w->shape); e++)
        w->x[e] += before[e];
    memory_free(before);
}

static double *copy(const struct walk *w)
{
    size_t count = w->rows * shape_count(&w->shape);
    double *values = memory_need(count, sizeof *values);
    memcpy(values, w->x, count * sizeof *values);
    return values;
}

static void residual(struct walk *w, const void *settings, const char *name)
{
    const struct residual *own = settings;
    double *before = copy(w);
    list(w, name, own->layers, own->count);
    add(w, before);
}

static void repeat(struct walk *w, const void *settings, const char *name)
{
    const struct repeat *own = settings;
    for (uint64_t i = 0; i < own->times; i++) {
        char prefix[NAME_BYTES];
        list(w, walk_named(prefix, "%s.%u", name, (unsigned)i), own->layers, own->count);
    }
}

/* Element by element, of either: a sequence's channels are its last dimension, an image's its first. */
static void concat(struct walk *w, const void *settings, const char *name)
{
    const struct walk_kept *kept = w->kept;
    (void)name;
    while (strcmp(kept->name, ((const struct concat *)settings)->with) != 0)
        kept++;
    struct shape in = w->shape, out = in;
    size_t c = in.dims == 2 ? 1 : 0;
    out.size[c] += kept->shape.size[c];
    size_t inner = in.dims == 2 ? 1 : shape_count(&in) / in.size[0], I = shape_count(&in), O = shape_count(&out);
    size_t own = in.size[c] * inner, both = out.size[c] * inner;
    double *x = walk_begin(w, out);
    for (size_t e = 0; e < w->rows * O; e++) {
        size_t row = e / both, place = e % both;
        w->x[e] = place < own ? x[row * own + place] : kept->x[row * (both - own) + place - own];
    }
    CU_ASSERT_EQUAL(I / own, O / both);
    memory_free(x);
}

/* y [C of a head] of query position t: the values, weighted by softmax(q k / sqrt D) over the positions it sees.
 * qkv [T, 3C] of one sample; `at` is where the head's channels begin. */
static void attend(const double *qkv, size_t T, size_t C, size_t D, size_t at, size_t t, size_t sees, double *y)
{
    const double *q = qkv + t * 3 * C + at, *k = qkv + C + at, *v = qkv + 2 * C + at;
    double *p = memory_need(T, sizeof *p), sum = 0;
    for (size_t s = 0; s < sees; s++) {
        for (size_t d = 0; d < D; d++)
            p[s] += q[d] * k[s * 3 * C + d];
        p[s] = exp(p[s] / sqrt((double)D));
        sum += p[s];
    }
    for (size_t s = 0; s < sees; s++)
        for (size_t d = 0; d < D; d++)
            y[d] += p[s] / sum * v[s * 3 * C + d];
    memory_free(p);
}

static void attention(struct walk *w, const void *settings, const char *name)
{
    const struct attention *own = settings;
    size_t T = w->shape.size[0], C = w->shape.size[1], D = C / own->heads;
    char part[NAME_BYTES];
    reference_dense(w, walk_named(part, "%s.qkv", name), 3 * C, own->bias);
    double *qkv = walk_begin(w, (struct shape){.dims = 2, .size = {T, C}});
    for (size_t n = 0; n < w->rows * T; n++)
        for (size_t at = 0; at < C; at += D)
            attend(qkv + n / T * T * 3 * C, T, C, D, at, n % T, own->causal ? n % T + 1 : T, w->x + n * C + at);
    memory_free(qkv);
    reference_dense(w, walk_named(part, "%s.proj", name), C, own->bias);
    reference_dropout(w, walk_named(part, "%s.dropout", name), own->dropout);
}

static void transformer(struct walk *w, const void *settings, const char *name)
{
    const struct transformer *own = settings;
    struct attention inner = {
        .heads = own->heads, .causal = own->causal, .dropout = own->dropout, .bias = own->bias, .init = own->init};
    char place[NAME_BYTES], part[NAME_BYTES];
    size_t C = w->shape.size[1];
    for (uint64_t block = 0; block < own->blocks; block++) {
        double *before = copy(w);
        walk_named(place, "%s.%u", name, (unsigned)block);
        reference_norm(w, walk_named(part, "%s.norm1", place), 1e-5, true);
        attention(w, &inner, walk_named(part, "%s.attention", place));
        add(w, before);
        before = copy(w);
        reference_norm(w, walk_named(part, "%s.norm2", place), 1e-5, true);
        reference_dense(w, walk_named(part, "%s.up", place), (size_t)round(own->ratio * (double)C), own->bias);
        reference_operation(w, &layer_gelu, &(struct gelu){.form = own->gelu}, name);
        reference_dense(w, walk_named(part, "%s.down", place), C, own->bias);
        reference_dropout(w, walk_named(part, "%s.dropout", place), own->dropout);
        add(w, before);
    }
}

/* ---- the model ---- */

static const struct {
    const struct layer_class *class;
    void (*run)(struct walk *w, const void *settings, const char *name);
} compositions[] = {
    {&layer_residual, residual},   {&layer_repeat, repeat},           {&layer_concat, concat},
    {&layer_attention, attention}, {&layer_transformer, transformer},
};

static void layer(struct walk *w, const struct layer_spec *spec, const char *name)
{
    for (size_t i = 0; i < sizeof compositions / sizeof *compositions; i++)
        if (compositions[i].class == spec->class) {
            compositions[i].run(w, spec->settings, name);
            return;
        }
    reference_operation(w, spec->class, spec->settings, name);
}

static void list(struct walk *w, const char *prefix, const struct layer_spec *specs, size_t count)
{
    size_t known = w->kept_count;
    for (size_t i = 0; i < count; i++) {
        char name[NAME_BYTES];
        walk_named(name, "%s%s%zu.%s", prefix, prefix[0] ? "." : "", i, specs[i].class->kind.name);
        layer(w, &specs[i], name);
        if (specs[i].name)
            w->kept[w->kept_count++] = (struct walk_kept){specs[i].name, w->shape, copy(w)};
    }
    while (w->kept_count > known)
        memory_free(w->kept[--w->kept_count].x);
}

static double *doubles(const float *values, size_t count)
{
    double *copied = memory_need(count, sizeof *copied);
    for (size_t i = 0; i < count; i++)
        copied[i] = (double)values[i];
    return copied;
}

void reference_init(struct reference *reference, const struct model *model, const struct model_spec *spec,
                    const float *params, uint64_t step)
{
    *reference = (struct reference){.model = model, .spec = *spec, .step = step};
    reference->params = doubles(params, model->table.count);
    if (model->leaf.inputs)
        reference->inputs = doubles(model->leaf.inputs, model->leaf.rows * shape_count(&model->form.input));
    reference->statistics = memory_need(model->table.count, sizeof *reference->statistics);
}

void reference_release(struct reference *reference)
{
    memory_free(reference->params);
    memory_free(reference->inputs);
    memory_free(reference->statistics);
    memset(reference, 0, sizeof *reference);
}

double *reference_outputs(const struct reference *reference, struct shape *shape)
{
    const struct model *model = reference->model;
    size_t count = model->leaf.rows * shape_count(&model->form.input);
    struct walk walk = {.reference = reference, .rows = model->leaf.rows, .shape = model->form.input};
    walk.x = memory_need(count, sizeof *walk.x);
    if (reference->inputs)
        memcpy(walk.x, reference->inputs, count * sizeof *walk.x);
    list(&walk, "", reference->spec.layers, reference->spec.count);
    *shape = walk.shape;
    return walk.x;
}
