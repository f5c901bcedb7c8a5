/* The values under each place of a convolution's kernel, as columns of a matrix (im2col; K. Chellapilla, S. Puri, P.
 * Simard, "High performance convolutional neural networks for document processing", IWFHR 2006, section 3).
 *
 * They are made by tiles: some rows of one sample's output if images are large, several samples if they are small, so
 * that the columns stay in the cache and the product is wide enough for BLAS.
 *
 * Letters: C, H, W channels, height and width of the input; O filters; Y, X height and width of the output; k side of
 * the kernel; K = C k k values under the kernel; S samples of a tile, R output rows of each, N = S R X columns. */
#ifndef NN_LAYERS_CONV_H
#define NN_LAYERS_CONV_H

#include "nn/layer.h"

struct conv {
    size_t C, H, W, O, Y, X, k, K, stride;
    size_t top, left; /* zeros before the first row and column */
    size_t S, R;      /* of a full tile */
    bool plain;       /* the columns are the sample as it is */
};

struct tile {
    size_t first, S; /* samples; several only if R is Y */
    size_t row, R;   /* output rows */
    size_t N;
};

/* Local. Sets S, R and plain, for leaves of up to `rows` samples; all else is there. */
void conv_choose_tile(struct conv *conv, size_t rows);

/* Local. The tile that begins at sample `first` of `rows` and at output row `row`. */
struct tile conv_tile(const struct conv *conv, size_t rows, size_t first, size_t row);

/* Local. The columns [K, N] of a tile of x [M, C, H, W]: in scratch [K, N], or in x itself if conv->plain. */
const float *conv_columns(const struct conv *conv, const struct tile *tile, const float *x, float *scratch);

/* Local. The reverse: adds columns [K, N], which are spoilt, to dx [M, C, H, W] at the places that they came from. */
void conv_add_columns(const struct conv *conv, const struct tile *tile, float *columns, float *dx);

#endif
