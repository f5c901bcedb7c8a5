/* The tiles that fit into registers, as lists of ROW(rows, vectors). Private to tile_*.c. */
#ifndef NN_KERNELS_TILES_H
#define NN_KERNELS_TILES_H

/* clang-format off */
#define TILES_TO_3(ROW, V) ROW(1, V) ROW(2, V) ROW(3, V)
#define TILES_TO_6(ROW, V) TILES_TO_3(ROW, V) ROW(4, V) ROW(5, V) ROW(6, V)
#define TILES_TO_12(ROW, V) TILES_TO_6(ROW, V) \
    ROW(7, V) ROW(8, V) ROW(9, V) ROW(10, V) ROW(11, V) ROW(12, V)
#define TILES_TO_24(ROW, V) TILES_TO_12(ROW, V) \
    ROW(13, V) ROW(14, V) ROW(15, V) ROW(16, V) ROW(17, V) ROW(18, V) \
    ROW(19, V) ROW(20, V) ROW(21, V) ROW(22, V) ROW(23, V) ROW(24, V)

/* 24 sums: of 32 registers; 12 of 16. */
#define TILES_OF_24(ROW) \
    TILES_TO_24(ROW, 1) TILES_TO_12(ROW, 2) TILES_TO_6(ROW, 3) ROW(7, 3) ROW(8, 3) TILES_TO_6(ROW, 4)
#define TILES_OF_12(ROW) \
    TILES_TO_12(ROW, 1) TILES_TO_6(ROW, 2) TILES_TO_3(ROW, 3) ROW(4, 3) TILES_TO_3(ROW, 4)
/* clang-format on */

#endif
