#include "nn/layers/pool.h"

#include "base/rows.h"

const struct option_row pool_keys[] = {
    {"size", "side of the window: a square, in a volume a cube", FIELD(struct pool, size), WHOLE(1, LAYER_SIDE_MOST)},
    {"stride", "pixels from one place of the window to the next", FIELD(struct pool, stride), WHOLE(1, LAYER_SIDE_MOST),
     .default_key = "size"},
    {0},
};

struct pool_windows pool_windows(const struct layer *layer)
{
    const struct pool *settings = layer->settings;
    bool is_volume = layer->in.dims == 4;
    const size_t *sides = layer->in.size + layer->in.dims - 2;
    struct pool_windows pool = {.C = layer->in.size[0],
                                .D = is_volume ? layer->in.size[1] : 1,
                                .H = sides[0],
                                .W = sides[1],
                                .size = settings->size,
                                .stride = settings->stride > 0 ? settings->stride : settings->size};
    pool.deep = is_volume ? pool.size : 1;
    pool.deep_stride = is_volume ? pool.stride : 1;
    if (pool.size <= pool.H && pool.size <= pool.W && pool.deep <= pool.D) {
        pool.Z = (pool.D - pool.deep) / pool.deep_stride + 1;
        pool.Y = (pool.H - pool.size) / pool.stride + 1;
        pool.X = (pool.W - pool.size) / pool.stride + 1;
    }
    return pool;
}

bool pool_build(struct layer *layer, struct error *error)
{
    if (!layer_wants_planes(&layer->in, error))
        return false;
    struct pool_windows pool = pool_windows(layer);
    char shape[96];
    shape_text(&layer->in, shape, sizeof shape);
    if (pool.Y == 0)
        return error_set(error, ERROR_USAGE,
                         "a window of %zux%zu%s does not fit into its input of %s: make size smaller", pool.size,
                         pool.size, layer->in.dims == 4 ? ", as deep," : "", shape);
    layer->out = layer->in.dims == 4 ? (struct shape){.dims = 4, .size = {pool.C, pool.Z, pool.Y, pool.X}}
                                     : (struct shape){.dims = 3, .size = {pool.C, pool.Y, pool.X}};
    return true;
}
