/* Images of any size become squares of one. */
#ifndef DATA_IMAGE_SQUARE_H
#define DATA_IMAGE_SQUARE_H

#include "data/image.h"

/* Local. Scales the centred square, which is as large as the shorter side (an odd rest is cut off right or below), to
 * `to` [size, size, channels], in whole numbers, rounded once: the same bits everywhere. Downwards each new pixel is
 * the mean of the area that it covers; upwards it is interpolated (bilinear) between the centres of its neighbours, and
 * at the edge repeats them; a square that has the size stays. */
bool image_square(const struct image *image, size_t size, uint8_t *to, struct error *error) WARN_UNUSED;

#endif
