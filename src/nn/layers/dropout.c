/* In training each element is 0 with probability `rate`, else divided by 1 - rate (N. Srivastava et al., "Dropout",
 * JMLR 2014, section 10). Which ones is a pure function of (seed, step, layer, element of the whole batch): backward
 * asks again instead of remembering, and neither ranks nor a resume change it. */
#include "nn/layers/dropout.h"

#include "base/digest.h"
#include "base/rows.h"
#include "nn/kernels/vector.h"
#include "nn/layers/layers.h"

#include <string.h>

static const struct option_row keys[] = {
    {"rate", "share of the values that is dropped in training", FIELD(struct dropout, rate), REAL(0, 1), .below = true},
    {0},
};

static bool build(struct layer *layer, struct tensor_table *table, struct error *error)
{
    (void)table, (void)error;
    layer->out = layer->in;
    return true;
}

/* [M, O] from [M, O]; `to` may be `from`. */
static void drop(const struct layer *layer, const struct pass *pass, const float *from, float *to)
{
    size_t O = layer->outputs, count = pass->leaf->rows * O;
    uint64_t key = digest_chain(pass->drop_key, digest_bytes(layer->name, strlen(layer->name)));
    double rate = ((const struct dropout *)layer->settings)->rate;
    if (pass->training && rate > 0)
        vector_dropout(count, key, pass->leaf->first * O, rate, from, to);
    else if (to != from)
        memcpy(to, from, count * sizeof *to);
}

static void forward(const struct layer *layer, const struct pass *pass, const float *x, float *y, float *saved)
{
    (void)saved;
    drop(layer, pass, x, y);
}

static void backward(const struct layer *layer, const struct pass *pass, const float *x, const float *y,
                     const float *saved, const float *dy, float *dx)
{
    (void)x, (void)y, (void)saved;
    if (dx)
        drop(layer, pass, dy, dx);
}

const struct layer_class layer_dropout = {
    KIND_OF("dropout", "a share of the values becomes 0 in training; seed, step, sample and layer say which",
            struct dropout, keys),
    .build = build,
    .forward = forward,
    .by_position = true,
    .backward = backward,
    .in_place = true,
};
