#include "nn/kernels/tile_table.h"

#if CPU_X86
#include "nn/kernels/tiles.h"

#include <immintrin.h>

#define VECTOR     __m512
#define WIDTH      16
#define ZERO       _mm512_setzero_ps
#define ONE        _mm512_set1_ps
#define LOAD       _mm512_loadu_ps
#define STORE      _mm512_storeu_ps
#define ADD        _mm512_add_ps
#define FMA        _mm512_fmadd_ps
#define TILES      TILES_OF_24
#define TILES_IN   24
#define TILE_TABLE tile_table_avx512
#include "nn/kernels/tile.inc"
#endif
