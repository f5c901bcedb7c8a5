#include "nn/kernels/vector_table.h"

#define VECTOR_WIDTH 4
#define VECTOR_TABLE vector_table_baseline
#define VECTOR_NAME  "baseline"
#include "nn/kernels/vector.inc"
