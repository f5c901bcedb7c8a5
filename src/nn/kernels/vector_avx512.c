#include "nn/kernels/vector_table.h"

#if VECTOR_X86
#pragma GCC target("arch=x86-64-v4,prefer-vector-width=512")
#define VECTOR_WIDTH 16
#define VECTOR_TABLE vector_table_avx512
#define VECTOR_NAME  "AVX-512"
#include "nn/kernels/vector.inc"
#endif
