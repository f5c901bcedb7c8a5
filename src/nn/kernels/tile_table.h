/* What products are made of, as a table, one for each instruction set: what product.c picks from, and what the tests
 * compare. Private to these. */
#ifndef NN_KERNELS_TILE_TABLE_H
#define NN_KERNELS_TILE_TABLE_H

#include "nn/kernels/cpu.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    TILE_VECTORS = 4, /* vectors of columns that a tile has, at most */
    TILE_ROWS = 24,   /* and rows */
    TILE_WIDTH = 16,  /* floats of a vector, at most */
    TILE_SQUARE = 8,  /* side of what is transposed in registers */
};

/* c(i, j) = sum over p of a(i, p) b(p, j), or that added to c, for the rows and columns that the function's name says.
 */
struct tile {
    size_t k;
    const float *a; /* a(i, p) is a[i * row + p * step] */
    size_t row, step;
    const float *b; /* b(p, j) is b[p * pitch + j] */
    size_t pitch;
    float *c; /* c(i, j) is c[i * stride + j] */
    size_t stride;
    bool adds;
};

struct tile_table {
    size_t width;                  /* floats of a vector */
    size_t rows[TILE_VECTORS + 1]; /* of the tallest tile of so many vectors */
    void (*tiles[TILE_VECTORS + 1][TILE_ROWS + 1])(const struct tile *tile); /* [vectors][rows] */

    /* to [columns, lines], rows `pitch` apart, is the transpose of from [lines, columns], rows `stride` apart, or that
     * added to it. */
    void (*transpose)(size_t lines, size_t columns, const float *from, size_t stride, bool adds, float *to,
                      size_t pitch);
};

extern const struct tile_table tile_table_baseline;
#if CPU_X86
extern const struct tile_table tile_table_avx2, tile_table_avx512;
#elif CPU_ARM
extern const struct tile_table tile_table_neon;
#endif

/* Local. That of the machine. */
const struct tile_table *tile_table(void);

#endif
