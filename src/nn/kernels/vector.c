#include "nn/kernels/vector.h"

#include "nn/kernels/vector_table.h"

static inline const struct vector_table *table(void)
{
    switch (cpu_isa()) {
#if CPU_X86
    case CPU_AVX512:
        return &vector_table_avx512;
    case CPU_AVX2:
        return &vector_table_avx2;
#endif
    default:
        return &vector_table_baseline;
    }
}

#define FUNCTION(type, name, parameters, arguments)                                                                    \
    type vector_##name parameters                                                                                      \
    {                                                                                                                  \
        return table()->name arguments;                                                                                \
    }
VECTOR_FUNCTIONS(FUNCTION)

const char *vector_describe(void)
{
    return table()->name;
}
