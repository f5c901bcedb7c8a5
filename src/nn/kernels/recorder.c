#include "nn/kernels/recorder.h"

#include "base/memory.h"

#include <string.h>

static struct recorder *recorder_of(const struct compute *compute)
{
    return (struct recorder *)(uintptr_t)compute;
}

static bool same_sides(const size_t a[CONVOLUTION_SIDES], const size_t b[CONVOLUTION_SIDES])
{
    return memcmp(a, b, CONVOLUTION_SIDES * sizeof *a) == 0;
}

static bool is_same(const struct recorded *one, const struct recorded *other)
{
    const struct convolution *a = &one->convolution, *b = &other->convolution;
    return one->kind == other->kind && one->m == other->m && one->n == other->n && one->k == other->k &&
           one->a_transposed == other->a_transposed && one->b_transposed == other->b_transposed &&
           one->adds == other->adds && a->M == b->M && a->C == b->C && a->O == b->O && a->groups == b->groups &&
           a->channels_last == b->channels_last && same_sides(a->in, b->in) && same_sides(a->out, b->out) &&
           same_sides(a->kernel, b->kernel) && same_sides(a->stride, b->stride) &&
           same_sides(a->dilation, b->dilation) && same_sides(a->before, b->before);
}

static void note(struct recorder *recorder, const struct recorded *asked)
{
    for (size_t i = 0; i < recorder->count; i++)
        if (is_same(&recorder->items[i], asked)) {
            recorder->items[i].count++;
            return;
        }
    recorder->items = memory_grow(recorder->items, recorder->count, &recorder->capacity, sizeof *recorder->items);
    recorder->items[recorder->count] = *asked;
    recorder->items[recorder->count++].count = 1;
}

static void note_convolution(struct recorder *recorder, enum recorded_kind kind, const struct convolution *convolution,
                             size_t M)
{
    struct recorded asked = {.kind = kind, .convolution = *convolution};
    asked.convolution.M = M;
    note(recorder, &asked);
}

static void product(const struct compute *compute, size_t m, size_t n, size_t k, struct matrix a, struct matrix b,
                    bool adds, float *c, size_t stride)
{
    struct recorder *recorder = recorder_of(compute);
    note(recorder, &(struct recorded){.kind = RECORDED_PRODUCT,
                                      .m = m,
                                      .n = n,
                                      .k = k,
                                      .a_transposed = a.transposed,
                                      .b_transposed = b.transposed,
                                      .adds = adds});
    recorder->base->product(recorder->base, m, n, k, a, b, adds, c, stride);
}

static void forward(const struct compute *compute, const struct convolution *convolution, size_t M, const float *x,
                    struct matrix weight, const float *bias, float *scratch, float *y)
{
    struct recorder *recorder = recorder_of(compute);
    note_convolution(recorder, RECORDED_FORWARD, convolution, M);
    recorder->base->convolution_forward(recorder->base, convolution, M, x, weight, bias, scratch, y);
}

static void dweight(const struct compute *compute, const struct convolution *convolution, size_t M, const float *x,
                    const float *dy, float *scratch, float *dw, float *db)
{
    struct recorder *recorder = recorder_of(compute);
    note_convolution(recorder, RECORDED_DWEIGHT, convolution, M);
    recorder->base->convolution_dweight(recorder->base, convolution, M, x, dy, scratch, dw, db);
}

static void dx(const struct compute *compute, const struct convolution *convolution, size_t M, const float *dy,
               struct matrix weight, float *scratch, float *gradient)
{
    struct recorder *recorder = recorder_of(compute);
    note_convolution(recorder, RECORDED_DX, convolution, M);
    recorder->base->convolution_dx(recorder->base, convolution, M, dy, weight, scratch, gradient);
}

void recorder_init(struct recorder *recorder, const struct compute *base)
{
    base = compute_alone(base);
    *recorder = (struct recorder){.compute = *base, .base = base};
    recorder->compute.product = product;
    recorder->compute.convolution_forward = forward;
    recorder->compute.convolution_dweight = dweight;
    recorder->compute.convolution_dx = dx;
}

void recorder_release(struct recorder *recorder)
{
    memory_free(recorder->items);
    memset(recorder, 0, sizeof *recorder);
}

const char *recorded_word(enum recorded_kind kind)
{
    static const char *const words[] = {"product", "forward", "dweight", "dx"};
    return words[kind];
}
