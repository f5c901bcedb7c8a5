#include "nn/kernels/fma.h"
#include "nn/kernels/tile_table.h"
#include "nn/kernels/tiles.h"

typedef float vector __attribute__((vector_size(16)));
typedef float loose __attribute__((vector_size(16), aligned(4), may_alias));

static inline vector fma_each(vector a, vector b, vector c)
{
    for (int i = 0; i < 4; i++)
        c[i] = fma_exact(a[i], b[i], c[i]);
    return c;
}

#define VECTOR       vector
#define WIDTH        4
#define ZERO()       ((vector){0})
#define ONE(x)       ((vector){x, x, x, x})
#define LOAD(from)   ((vector) * (const loose *)(from))
#define STORE(to, v) (*(loose *)(to) = (v))
#define ADD(a, b)    ((a) + (b))
#define FMA          fma_each
#define TILES        TILES_OF_12
#define TILES_IN     12
#define TILE_TABLE   tile_table_baseline
#include "nn/kernels/tile.inc"
