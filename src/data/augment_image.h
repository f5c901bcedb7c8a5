/* Images [C, H, W] in place: what augmentation does to pixels, without its choices. All channels change alike. */
#ifndef DATA_AUGMENT_IMAGE_H
#define DATA_AUGMENT_IMAGE_H

#include "base/leaf.h"

#include <stdbool.h>

struct pixel {
    long y, x;
};

/* Local. Left and right, or top and bottom, change places. */
void augment_image_mirror(const struct shape *image, float *values);
void augment_image_turn_over(const struct shape *image, float *values);

/* Local. Pixel (y, x) becomes what was at (y - by.y, x - by.x); where that is outside, 0, or, if the edges are
 * repeated, the nearest pixel that is not. Scratch: plane [H, W]. */
void augment_image_move(const struct shape *image, float *values, struct pixel by, bool repeats_edges, float *plane);

/* Local. Turns it about its middle by an angle of 2 pi u, 0 <= u < 1, counter-clockwise as it is looked at (y grows
 * downward); bilinear, and 0 around the image. Scratch: copy [C, H, W]. */
void augment_image_rotate(const struct shape *image, float *values, double u, float *copy);

/* Local. 0 in a square, of which `first` is the upper left corner: as much of it as lies in the image. */
void augment_image_cut(const struct shape *image, float *values, struct pixel first, long side);

#endif
