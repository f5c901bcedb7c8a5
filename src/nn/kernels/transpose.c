#include "nn/kernels/transpose.h"

#include "nn/kernels/tile_table.h"

void transpose(size_t rows, size_t columns, const float *from, size_t stride, float *to, size_t pitch)
{
    tile_table()->transpose(rows, columns, from, stride, false, to, pitch);
}
