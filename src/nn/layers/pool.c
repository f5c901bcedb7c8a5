#include "nn/layers/pool.h"

#include "base/rows.h"

const struct option_row pool_keys[] = {
    {"size", "side of the square window", FIELD(struct pool, size), WHOLE(1, LAYER_SIDE_MOST)},
    {"stride", "pixels from one place of the window to the next", FIELD(struct pool, stride), WHOLE(1, LAYER_SIDE_MOST),
     .default_key = "size"},
    {0},
};

struct pool_windows pool_windows(const struct layer *layer)
{
    const struct pool *settings = layer->settings;
    struct pool_windows pool = {.C = layer->in.size[0],
                                .H = layer->in.size[1],
                                .W = layer->in.size[2],
                                .size = settings->size,
                                .stride = settings->stride > 0 ? settings->stride : settings->size};
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
    struct pool_windows pool = pool_windows(layer);
    if (pool.Y == 0)
        return error_set(error, ERROR_USAGE,
                         "a window of %zux%zu does not fit into its input of %zux%zux%zu: make size smaller", pool.size,
                         pool.size, pool.C, pool.H, pool.W);
    layer->out = (struct shape){.dims = 3, .size = {pool.C, pool.Y, pool.X}};
    return true;
}
