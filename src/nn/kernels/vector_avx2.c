#include "nn/kernels/vector_table.h"

#if VECTOR_X86
#pragma GCC target("arch=x86-64-v3")
#define VECTOR_WIDTH 8
#define VECTOR_TABLE vector_table_avx2
#define VECTOR_NAME  "AVX2"
#include "nn/kernels/vector.inc"
#endif
