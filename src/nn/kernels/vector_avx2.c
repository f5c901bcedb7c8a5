#include "nn/kernels/vector_table.h"

#if CPU_X86
#define VECTOR_WIDTH 8
#define VECTOR_TABLE vector_table_avx2
#define VECTOR_NAME  "AVX2"
#include "nn/kernels/vector.inc"
#endif
