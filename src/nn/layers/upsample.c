/* Each side `factor` times as long: [C, H, W] -> [C, f H, f W], the same of [C, D, H, W], or [T, C] -> [f T, C]. Values
 * stand in the middle of their pixels, as in PyTorch's Upsample with align_corners=False: output o lies at (o + 1/2) /
 * f - 1/2 of the inputs, and what lies outside has the value at the edge.
 *
 * One side after the other, the last first: [before, n, after] -> [before, f n, after]. Of each input the outputs
 * differ by their phase p, o = i f + p, which says how far between which neighbours they lie. */
#include "nn/layers/upsample.h"

#include "base/rows.h"
#include "base/target.h"
#include "nn/layers/layers.h"

#include <string.h>

#define SIDES 3 /* at most */

const char *const upsample_modes[] = {[UPSAMPLE_NEAREST] = "nearest", [UPSAMPLE_LINEAR] = "linear", NULL};

static const struct option_row keys[] = {
    {"factor", "how many times as long each side becomes", FIELD(struct upsample, factor), WHOLE(1, LAYER_SIDE_MOST),
     DEFAULT("2")},
    {"mode", "nearest: each value is repeated; linear: between neighbours a line, along each side",
     FIELD(struct upsample, mode), .choices = upsample_modes, DEFAULT("nearest")},
    {0},
};

/* A sample is `blocks` fields (the channels of an image) of `sides`, with `after` values at each place (the channels of
 * a sequence). Between the passes a field lies in `between`: [k] before side k, k > 0, has been made longer. */
struct field {
    size_t blocks, count, after, factor;
    size_t side[SIDES]; /* [count] */
    size_t inputs, outputs;
    bool linear;
};

static struct field field_of(const struct layer *layer)
{
    const struct upsample *own = layer->settings;
    const struct shape *in = &layer->in;
    bool is_sequence = in->dims == 2;
    struct field field = {.blocks = is_sequence ? 1 : in->size[0],
                          .count = in->dims - 1,
                          .after = is_sequence ? in->size[1] : 1,
                          .factor = own->factor,
                          .linear = own->mode == UPSAMPLE_LINEAR};
    memcpy(field.side, in->size + !is_sequence, field.count * sizeof *field.side);
    field.inputs = layer->inputs / field.blocks;
    field.outputs = field.inputs;
    for (size_t k = 0; k < field.count; k++)
        field.outputs *= field.factor;
    return field;
}

/* One side: [before, n, after] -> [before, f n, after]. */
struct stretch {
    size_t before, n, after, factor;
    bool linear;
};

/* That of side k; those behind it are long already. */
static struct stretch stretch_of(const struct field *field, size_t k)
{
    struct stretch stretch = {1, field->side[k], field->after, field->factor, field->linear};
    for (size_t d = 0; d < k; d++)
        stretch.before *= field->side[d];
    for (size_t d = k + 1; d < field->count; d++)
        stretch.after *= field->side[d] * field->factor;
    return stretch;
}

static size_t stretch_inputs(const struct stretch *s)
{
    return s->before * s->n * s->after;
}

/* Where an output lies: at `weight` on the way from input `low` to input `high`. */
struct place {
    size_t low, high;
    float weight;
};

static struct place place_of(const struct stretch *s, size_t i, size_t phase)
{
    size_t twice = 2 * phase + 1; /* (phase + 1/2) / f - 1/2 = (twice - f) / 2 f */
    struct place place = {i, i, 0};
    if (!s->linear || twice == s->factor)
        return place;
    bool back = twice < s->factor;
    if (back ? i == 0 : i + 1 == s->n)
        return place;
    place.low = back ? i - 1 : i;
    place.high = place.low + 1;
    place.weight = (float)(back ? s->factor + twice : twice - s->factor) / (float)(2 * s->factor);
    return place;
}

/* n outputs that are `stride` apart lie equally between the inputs from `low` and from `high` on. */
TARGET_CLONES static void blend(size_t n, float weight, const float *low, const float *high, size_t stride,
                                float *restrict y)
{
    if (low == high)
        for (size_t a = 0; a < n; a++)
            y[a * stride] = low[a];
    else
        for (size_t a = 0; a < n; a++)
            y[a * stride] = (1 - weight) * low[a] + weight * high[a];
}

/* The reverse of one of its terms. */
TARGET_CLONES static void add_scaled(size_t n, float factor, size_t stride, const float *restrict dy,
                                     float *restrict dx)
{
    for (size_t a = 0; a < n; a++)
        dx[a] += factor * dy[a * stride];
}

/* Inputs from i on that are looked at together: with one value at each place those that are not at an end, whose
 * outputs of one phase lie equally between them. */
static size_t together(const struct stretch *s, size_t i)
{
    return s->after == 1 && i == 1 && s->n > 3 ? s->n - 2 : 1;
}

static void lengthen(const struct stretch *s, const float *x, float *y)
{
    size_t after = s->after;
    for (size_t b = 0; b < s->before; b++, x += s->n * after, y += s->n * s->factor * after)
        for (size_t i = 0, n; i < s->n; i += n) {
            n = together(s, i);
            for (size_t phase = 0; phase < s->factor; phase++) {
                struct place place = place_of(s, i, phase);
                blend(n * after, place.weight, x + place.low * after, x + place.high * after, n > 1 ? s->factor : 1,
                      y + (i * s->factor + phase) * after);
            }
        }
}

/* The reverse: to dx, overwritten. */
static void gather(const struct stretch *s, const float *dy, float *dx)
{
    size_t after = s->after;
    memset(dx, 0, stretch_inputs(s) * sizeof *dx);
    for (size_t b = 0; b < s->before; b++, dx += s->n * after, dy += s->n * s->factor * after)
        for (size_t i = 0, n; i < s->n; i += n) {
            n = together(s, i);
            for (size_t phase = 0; phase < s->factor; phase++) {
                struct place place = place_of(s, i, phase);
                const float *from = dy + (i * s->factor + phase) * after;
                size_t stride = n > 1 ? s->factor : 1;
                add_scaled(n * after, 1 - place.weight, stride, from, dx + place.low * after);
                if (place.low != place.high)
                    add_scaled(n * after, place.weight, stride, from, dx + place.high * after);
            }
        }
}

static bool build(struct layer *layer, struct tensor_table *table, struct error *error)
{
    (void)table;
    if (layer->in.dims < 2)
        return error_set(
            error, ERROR_USAGE,
            "it needs an image (channels x height x width), a volume or a sequence (positions x channels), but its "
            "input is %zu features: put it before layers that flatten, or give the data that shape",
            layer->in.size[0]);
    struct field field = field_of(layer);
    layer->out = layer->in;
    for (size_t k = 0; k < field.count; k++)
        layer->out.size[k + (layer->in.dims != 2)] *= field.factor;
    for (size_t k = 0; k + 1 < field.count; k++) {
        struct stretch stretch = stretch_of(&field, k);
        layer->scratch += stretch_inputs(&stretch);
    }
    return true;
}

static void forward(const struct layer *layer, const struct pass *pass, const float *x, float *y, float *saved)
{
    (void)saved;
    struct field field = field_of(layer);
    for (size_t block = 0; block < pass->leaf->rows * field.blocks; block++, x += field.inputs, y += field.outputs) {
        const float *from = x;
        float *between = pass->scratch;
        for (size_t k = field.count; k-- > 0;) {
            struct stretch stretch = stretch_of(&field, k);
            float *to = k == 0 ? y : between;
            lengthen(&stretch, from, to);
            between += stretch_inputs(&stretch) * field.factor;
            from = to;
        }
    }
}

static void backward(const struct layer *layer, const struct pass *pass, const float *x, const float *y,
                     const float *saved, const float *dy, float *dx)
{
    (void)x, (void)y, (void)saved;
    struct field field = field_of(layer);
    for (size_t block = 0; dx && block < pass->leaf->rows * field.blocks;
         block++, dx += field.inputs, dy += field.outputs) {
        const float *from = dy;
        float *between = pass->scratch;
        for (size_t k = 0; k < field.count; k++) {
            struct stretch stretch = stretch_of(&field, k);
            float *to = k + 1 == field.count ? dx : between;
            gather(&stretch, from, to);
            between += stretch_inputs(&stretch);
            from = to;
        }
    }
}

const struct layer_class layer_upsample = {
    KIND_OF("upsample", "an image, a volume or a sequence with each side several times as long", struct upsample, keys),
    .build = build,
    .forward = forward,
    .backward = backward,
};
