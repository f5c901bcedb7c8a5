/* Convolutions (cross-correlations, as everywhere) of one, two or three sides, [C, D, H, W] -> [O, Z, Y, X]: images
 * have one plane, and sequences one line.
 *
 * Letters: M samples; C, D, H, W channels, depth, height and width of the input; O filters; Z, Y, X depth, height and
 * width of the output, whose P = Z Y X values of one filter are its places; K = C / groups times the volume of the
 * kernel: weights of a filter.
 *
 * Definition, with the sums of product.h. Group g sees C / groups channels of its own, and makes O / groups of the
 * output.
 *
 * - y of a filter at a place is bias + the product of the filter, in the order of its weights [C / groups, kernel],
 * with what they see there (zero beside the input); without a bias, that product.
 * - dx of a channel at a place is the product of the weights that have seen it, in the order [O / groups, kernel], with
 *   what dy has where they stood: of those that can stand so, and zero where that is beside the output.
 * - dweight is the sum over blocks, in order, each being one part of a product as long as the block has places: as many
 *   samples as 512 places hold, but at most 64; or, where one sample has more, as many of its planes; or of a plane's
 *   lines; or of a line's places. Of nearly equal size are the blocks of what is cut, the larger ones in front.
 * - dbias is the sum over the same blocks, sample by sample of each, of vector_sum of that sample's places (channels
 *   last: place by place).
 *
 * How it is made. The matrix of what each weight sees at each place (im2col; K. Chellapilla, S. Puri, P. Simard, "High
 * performance convolutional neural networks for document processing", IWFHR 2006, section 3) never exists: of the
 * input, a field is copied with its zeros beside it (field.h), in which a weight is a distance, so that the panel of a
 * product's tile (product.h) is some runs of floats for each weight. dx is made in the same way, from a field of dy:
 * for strides, of every so many places by itself. */
#ifndef NN_KERNELS_CONVOLUTION_H
#define NN_KERNELS_CONVOLUTION_H

#include "nn/kernels/compute.h"

#include <stdbool.h>
#include <stddef.h>

#define CONVOLUTION_SIDES 3 /* depth, height, width */

struct convolution {
    size_t M; /* samples of one call, at most */
    size_t C, O, groups;
    size_t in[CONVOLUTION_SIDES], out[CONVOLUTION_SIDES]; /* [D, H, W], [Z, Y, X]; 1 in front, if there are fewer */
    size_t kernel[CONVOLUTION_SIDES];
    size_t stride[CONVOLUTION_SIDES];
    size_t dilation[CONVOLUTION_SIDES]; /* from one weight to the next */
    size_t before[CONVOLUTION_SIDES];   /* zeros in front of the first value */
    size_t K;
    bool channels_last; /* [M, D, H, W, C] and [M, Z, Y, X, O]; weights are [O, C / groups, kernel] all the same */
};

/* Local. Values of one sample. */
static inline size_t convolution_inputs(const struct convolution *v)
{
    return v->C * v->in[0] * v->in[1] * v->in[2];
}

static inline size_t convolution_outputs(const struct convolution *v)
{
    return v->O * v->out[0] * v->out[1] * v->out[2];
}

/* Local. The convolutions of struct compute, for one that has only products, and for that of product.h. */
size_t convolution_scratch(const struct compute *compute, const struct convolution *convolution);
void convolution_forward(const struct compute *compute, const struct convolution *convolution, size_t M, const float *x,
                         struct matrix weight, const float *bias, float *scratch, float *y);
void convolution_dweight(const struct compute *compute, const struct convolution *convolution, size_t M, const float *x,
                         const float *dy, float *scratch, float *dweight, float *dbias);
void convolution_dx(const struct compute *compute, const struct convolution *convolution, size_t M, const float *dy,
                    struct matrix weight, float *scratch, float *dx);

/* Local. A part of a dweight: that of filters [filter, filter_end), and of each group's channels [channel,
 * channel_end), so that several threads make one. dbias of these filters, or NULL. */
struct convolution_part {
    size_t filter, filter_end, channel, channel_end;
};
void convolution_dweight_part(const struct compute *compute, const struct convolution *convolution,
                              const struct convolution_part *part, size_t M, const float *x, const float *dy,
                              float *scratch, float *dweight, float *dbias);

/* The members of a struct compute that has them. */
#define CONVOLUTION_BY_PRODUCTS                                                                                        \
    .convolution_scratch = convolution_scratch, .convolution_forward = convolution_forward,                            \
    .convolution_dweight = convolution_dweight, .convolution_dx = convolution_dx

#endif
