#include "nn/layers/pool.h"

struct pool pool_of(const struct layer *layer)
{
    struct pool pool = {.C = layer->in.size[0],
                        .H = layer->in.size[1],
                        .W = layer->in.size[2],
                        .size = layer->spec.size,
                        .stride = layer->spec.stride > 0 ? layer->spec.stride : layer->spec.size};
    if (pool.size <= pool.H && pool.size <= pool.W) {
        pool.Y = (pool.H - pool.size) / pool.stride + 1;
        pool.X = (pool.W - pool.size) / pool.stride + 1;
    }
    return pool;
}

bool pool_build(struct layer *layer, struct error *error)
{
    if (!layer_wants_image(&layer->in, error))
        return false;
    struct pool pool = pool_of(layer);
    if (pool.Y == 0)
        return error_set(error, ERROR_USAGE,
                         "a window of %zux%zu does not fit into its input of %zux%zux%zu: make size smaller", pool.size,
                         pool.size, pool.C, pool.H, pool.W);
    layer->out = (struct shape){.dims = 3, .size = {pool.C, pool.Y, pool.X}};
    return true;
}
