/* What max_pool and avg_pool share: where square windows stand on an image. No padding; what is left over at the right
 * and below is not used. */
#ifndef NN_LAYERS_POOL_H
#define NN_LAYERS_POOL_H

#include "nn/layer.h"

/* The settings of both. */
struct pool {
    uint64_t size;   /* side of the square */
    uint64_t stride; /* 0: the size */
};

extern const struct option_row pool_keys[];

struct pool_windows {
    size_t C, H, W; /* channels, height and width of the input */
    size_t Y, X;    /* height and width of the output */
    size_t size, stride;
};

/* Local. Y and X are 0 if the window does not fit. */
struct pool_windows pool_windows(const struct layer *layer);

/* Local, for build. Checks the input and sets the output. */
bool pool_build(struct layer *layer, struct error *error) WARN_UNUSED;

#endif
