#include "nn/kernels/vector.h"

#include "nn/kernels/vector_table.h"

/* Asked at each call, which costs a load and a branch and needs no state: libgcc has found out before main. */
static inline const struct vector_table *table(void)
{
#if VECTOR_X86
    if (__builtin_cpu_supports("x86-64-v4"))
        return &vector_table_avx512;
    if (__builtin_cpu_supports("x86-64-v3"))
        return &vector_table_avx2;
#endif
    return &vector_table_baseline;
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
