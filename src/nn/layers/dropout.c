/* In training each element is 0 with probability `rate`, else divided by 1 - rate (N. Srivastava et al., "Dropout",
 * JMLR 2014, section 10). Which ones is a pure function of (seed, step, layer, element of the whole batch): backward
 * asks again instead of remembering, and neither ranks nor a resume change it. */
#include "base/digest.h"
#include "nn/kernels/vector.h"
#include "nn/layer.h"

#include <string.h>

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
    if (pass->training && layer->spec.rate > 0)
        vector_dropout(count, key, pass->leaf->first * O, layer->spec.rate, from, to);
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
    .name = "dropout", .build = build, .forward = forward, .backward = backward, .in_place = true};
