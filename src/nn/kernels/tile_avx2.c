#include "nn/kernels/tile_table.h"

#if CPU_X86
#include "nn/kernels/tiles.h"

#include <immintrin.h>

#define VECTOR     __m256
#define WIDTH      8
#define ZERO       _mm256_setzero_ps
#define ONE        _mm256_set1_ps
#define LOAD       _mm256_loadu_ps
#define STORE      _mm256_storeu_ps
#define ADD        _mm256_add_ps
#define FMA        _mm256_fmadd_ps
#define TILES      TILES_OF_12
#define TILES_IN   12
#define TILE_TABLE tile_table_avx2
#include "nn/kernels/tile.inc"
#endif
