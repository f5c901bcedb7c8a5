/* Convolutions, pools and what else looks at neighbours. */
#include "nn/reference_fields.h"

#include "base/memory.h"
#include "nn/layers/conv1d.h"
#include "nn/layers/conv2d.h"
#include "nn/layers/conv3d.h"
#include "nn/layers/pool.h"
#include "nn/layers/upsample.h"

#include <math.h>

static struct shape image(size_t channels, size_t height, size_t width)
{
    return (struct shape){.dims = 3, .size = {channels, height, width}};
}

/* One side of an image under a square that moves over it. */
struct side {
    size_t in, out, front; /* front: zeros before the first element */
};

static struct side side_of(const struct conv2d *conv2d, size_t in)
{
    size_t k = conv2d->kernel, s = conv2d->stride;
    if (conv2d->padding != PADDING_SAME)
        return (struct side){in, (in + 2 * conv2d->padding - k) / s + 1, conv2d->padding};
    size_t out = (in + s - 1) / s, needed = (out - 1) * s + k;
    return (struct side){in, out, needed > in ? (needed - in) / 2 : 0};
}

/* One output: the sum over a C x k x k window of x [C, H, W] whose corner lies at (y, x0) of the padded image. */
static double window(const double *x, const double *weight, size_t C, size_t k, struct side h, struct side v, size_t y,
                     size_t x0)
{
    double sum = 0;
    for (size_t c = 0; c < C; c++)
        for (size_t i = 0; i < k; i++)
            for (size_t j = 0; j < k; j++) {
                size_t row = y + i - v.front, column = x0 + j - h.front; /* huge if in front of the image */
                if (row < v.in && column < h.in)
                    sum += weight[(c * k + i) * k + j] * x[(c * v.in + row) * h.in + column];
            }
    return sum;
}

void reference_conv2d(struct walk *w, const void *settings, const char *name)
{
    const struct conv2d *own = settings;
    size_t C = w->shape.size[0], F = own->filters, k = own->kernel, s = own->stride;
    struct side v = side_of(own, w->shape.size[1]), h = side_of(own, w->shape.size[2]);
    const double *weight = walk_tensor(w, name, "weight", F * C * k * k);
    const double *bias = own->bias ? walk_tensor(w, name, "bias", F) : NULL;
    double *x = walk_begin(w, image(F, v.out, h.out)), *y = w->x;
    for (size_t m = 0; m < w->rows; m++)
        for (size_t f = 0; f < F; f++)
            for (size_t i = 0; i < v.out; i++)
                for (size_t j = 0; j < h.out; j++)
                    *y++ = (bias ? bias[f] : 0) +
                           window(x + m * C * v.in * h.in, weight + f * C * k * k, C, k, h, v, i * s, j * s);
    memory_free(x);
}

void reference_conv1d(struct walk *w, const void *settings, const char *name)
{
    const struct conv1d *own = settings;
    struct conv2d sides = {.kernel = own->kernel, .stride = own->stride, .padding = own->padding};
    size_t C = w->shape.dims == 1 ? 1 : w->shape.size[w->shape.dims - 1], F = own->filters, k = own->kernel;
    struct side side = side_of(&sides, shape_count(&w->shape) / C);
    const double *weight = walk_tensor(w, name, "weight", F * C * k);
    const double *bias = own->bias ? walk_tensor(w, name, "bias", F) : NULL;
    double *x = walk_begin(w, walk_sequence(side.out, F)), *y = w->x;
    for (size_t m = 0; m < w->rows; m++)
        for (size_t u = 0; u < side.out; u++)
            for (size_t f = 0; f < F; f++, y++) {
                *y = bias ? bias[f] : 0;
                for (size_t c = 0; c < C; c++)
                    for (size_t j = 0; j < k; j++) {
                        size_t at = u * own->stride + j;
                        if (at >= side.front && at - side.front < side.in)
                            *y += weight[(f * C + c) * k + j] * x[(m * side.in + at - side.front) * C + c];
                    }
            }
    memory_free(x);
}

/* The same of x [C, D, H, W], at a corner of each side. */
static double cube(const double *x, const double *weight, size_t C, size_t k, const struct side sides[3],
                   const size_t corner[3])
{
    double sum = 0;
    for (size_t c = 0; c < C; c++)
        for (size_t tap = 0; tap < k * k * k; tap++) {
            size_t z = corner[0] + tap / (k * k) - sides[0].front, y = corner[1] + tap / k % k - sides[1].front;
            size_t u = corner[2] + tap % k - sides[2].front;
            if (z < sides[0].in && y < sides[1].in && u < sides[2].in)
                sum += weight[c * k * k * k + tap] * x[((c * sides[0].in + z) * sides[1].in + y) * sides[2].in + u];
        }
    return sum;
}

void reference_conv3d(struct walk *w, const void *settings, const char *name)
{
    const struct conv3d *own = settings;
    struct conv2d like = {.kernel = own->kernel, .stride = own->stride, .padding = own->padding};
    size_t C = w->shape.dims == 4 ? w->shape.size[0] : 1, F = own->filters, k = own->kernel;
    struct side sides[3];
    struct shape out = {.dims = 4, .size = {F}};
    for (size_t d = 0; d < 3; d++) {
        sides[d] = side_of(&like, w->shape.size[w->shape.dims - 3 + d]);
        out.size[d + 1] = sides[d].out;
    }
    const double *weight = walk_tensor(w, name, "weight", F * C * k * k * k);
    const double *bias = own->bias ? walk_tensor(w, name, "bias", F) : NULL;
    size_t I = shape_count(&w->shape), O = shape_count(&out), places = O / F, area = sides[1].out * sides[2].out;
    double *x = walk_begin(w, out);
    for (size_t e = 0; e < w->rows * O; e++) {
        size_t f = e % O / places, at = e % places;
        size_t corner[3] = {at / area * own->stride, at / sides[2].out % sides[1].out * own->stride,
                            at % sides[2].out * own->stride};
        w->x[e] = (bias ? bias[f] : 0) + cube(x + e / O * I, weight + f * C * k * k * k, C, k, sides, corner);
    }
    memory_free(x);
}

/* ---- pools ---- */

/* The values under a window, [deep, k, k], that begins at x in planes of H x W. */
struct under {
    const double *x;
    size_t H, W, k, count;
};

static double value_of(const struct under *under, size_t tap)
{
    size_t k = under->k;
    return under->x[(tap / (k * k) * under->H + tap / k % k) * under->W + tap % k];
}

static double largest_of(const struct under *under)
{
    double largest = under->x[0];
    for (size_t i = 0; i < under->count; i++)
        largest = fmax(largest, value_of(under, i));
    return largest;
}

static double mean_of(const struct under *under)
{
    double sum = 0;
    for (size_t i = 0; i < under->count; i++)
        sum += value_of(under, i);
    return sum / (double)under->count;
}

static void pool(struct walk *w, const struct pool *own, double (*f)(const struct under *under))
{
    struct shape out = w->shape;
    size_t k = own->size, s = own->stride > 0 ? own->stride : k, *size = w->shape.size;
    bool is_volume = out.dims == 4;
    size_t D = is_volume ? size[1] : 1, H = size[out.dims - 2], W = size[out.dims - 1];
    for (size_t d = 1; d < out.dims; d++)
        out.size[d] = (out.size[d] - k) / s + 1;
    size_t deep = is_volume ? out.size[1] : 1, C = size[0];
    struct under under = {.H = H, .W = W, .k = k, .count = is_volume ? k * k * k : k * k};
    double *x = walk_begin(w, out), *y = w->x;
    for (size_t channel = 0; channel < w->rows * C; channel++)
        for (size_t z = 0; z < deep; z++)
            for (size_t i = 0; i < out.size[out.dims - 2]; i++)
                for (size_t j = 0; j < out.size[out.dims - 1]; j++) {
                    under.x = x + ((channel * D + z * s) * H + i * s) * W + j * s;
                    *y++ = f(&under);
                }
    memory_free(x);
}

void reference_max_pool(struct walk *w, const void *settings, const char *name)
{
    (void)name;
    pool(w, settings, largest_of);
}

void reference_avg_pool(struct walk *w, const void *settings, const char *name)
{
    (void)name;
    pool(w, settings, mean_of);
}

void reference_global_avg_pool(struct walk *w, const void *settings, const char *name)
{
    struct shape in = w->shape;
    size_t I = shape_count(&in), C = walk_channels(&in);
    double *x = walk_begin(w, walk_features(C));
    (void)settings, (void)name;
    for (size_t m = 0; m < w->rows; m++)
        for (size_t e = 0; e < I; e++)
            w->x[m * C + walk_channel_of(&in, e)] += x[m * I + e] / (double)(I / C);
    memory_free(x);
}

/* The share of input i of n in output o, along one side. */
static double share_of(const struct upsample *own, size_t i, size_t n, size_t o)
{
    double f = (double)own->factor;
    if (own->mode == UPSAMPLE_NEAREST)
        return i == (size_t)floor((double)o / f);
    double at = fmin(fmax(((double)o + 0.5) / f - 0.5, 0), (double)(n - 1)); /* what is outside: the edge */
    return fmax(0, 1 - fabs(at - (double)i));
}

/* Every output from all inputs. */
void reference_upsample(struct walk *w, const void *settings, const char *name)
{
    const struct upsample *own = settings;
    struct shape in = w->shape, out = in;
    size_t I = shape_count(&in), channel = in.dims == 2 ? 1 : 0; /* its place in the shape */
    (void)name;
    for (size_t d = 0; d < in.dims; d++)
        out.size[d] *= d == channel ? 1 : own->factor;
    size_t O = shape_count(&out);
    double *x = walk_begin(w, out);
    for (size_t o = 0; o < O; o++)
        for (size_t i = 0; i < I; i++) {
            double share = 1;
            for (size_t d = in.dims, from = i, to = o; d-- > 0; from /= in.size[d], to /= out.size[d])
                share *= d == channel ? from % in.size[d] == to % out.size[d]
                                      : share_of(own, from % in.size[d], in.size[d], to % out.size[d]);
            for (size_t m = 0; m < w->rows; m++)
                w->x[m * O + o] += share * x[m * I + i];
        }
    memory_free(x);
}
