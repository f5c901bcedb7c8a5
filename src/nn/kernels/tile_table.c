#include "nn/kernels/tile_table.h"

const struct tile_table *tile_table(void)
{
    switch (cpu_isa()) {
#if CPU_X86
    case CPU_AVX512:
        return &tile_table_avx512;
    case CPU_AVX2:
        return &tile_table_avx2;
#elif CPU_ARM
    case CPU_NEON:
        return &tile_table_neon;
#endif
    default:
        return &tile_table_baseline;
    }
}
