#include "nn/kernels/vector_table.h"

#if CPU_X86
#define VECTOR_WIDTH 16
#define VECTOR_TABLE vector_table_avx512
#define VECTOR_NAME  "AVX-512"
#include "nn/kernels/vector.inc"
#endif
