#include "nn/kernels/tile_table.h"

#if CPU_ARM
#include "nn/kernels/tiles.h"

#include <arm_neon.h>

#define VECTOR       float32x4_t
#define WIDTH        4
#define ZERO()       vdupq_n_f32(0)
#define ONE          vdupq_n_f32
#define LOAD         vld1q_f32
#define STORE        vst1q_f32
#define ADD          vaddq_f32
#define FMA(a, b, c) vfmaq_f32(c, a, b)
#define TILES        TILES_OF_24
#define TILES_IN     24
#define TILE_TABLE   tile_table_neon
#include "nn/kernels/tile.inc"
#endif
