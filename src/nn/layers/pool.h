/* What max_pool and avg_pool share: where square windows stand on an image, or cubic ones in a volume. No padding; what
 * is left over at the far ends is not used. An image is a volume of depth 1 whose windows are 1 deep. */
#ifndef NN_LAYERS_POOL_H
#define NN_LAYERS_POOL_H

#include "nn/layer.h"

/* The settings of both. */
struct pool {
    uint64_t size;   /* side of the square or cube */
    uint64_t stride; /* 0: the size */
};

extern const struct option_row pool_keys[];

struct pool_windows {
    size_t C, D, H, W; /* channels, depth, height and width of the input */
    size_t Z, Y, X;    /* depth, height and width of the output */
    size_t size, stride;
    size_t deep, deep_stride; /* those along the depth */
};

/* Local. Z, Y and X are 0 if the window does not fit. */
struct pool_windows pool_windows(const struct layer *layer);

/* Local, for build. Checks the input and sets the output. */
bool pool_build(struct layer *layer, struct error *error) WARN_UNUSED;

#endif
