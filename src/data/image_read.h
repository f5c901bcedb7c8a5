/* The pixels of a PNG or JPEG file, whatever its name ends with, as bytes of grey or RGB.
 *
 * - Of 16 bits a sample becomes v / 257, rounded; palettes and fewer bits than 8 become bytes as PNG says.
 * - What is transparent stands on white: (c a + 255 (255 - a)) / 255, rounded.
 * - Grey of RGB: (19595 R + 38470 G + 7471 B + 32768) / 65536, rounded down: the weights 0.299, 0.587, 0.114 of ITU-R
 *   BT.601. RGB of grey: three times the same.
 * - JPEG: by libjpeg-turbo's accurate transform and smooth upsampling, YCbCr to RGB first, also for grey.
 * - Gamma, colour profiles and the orientation that EXIF tells are not looked at: the pixels as they are stored. */
#ifndef DATA_IMAGE_READ_H
#define DATA_IMAGE_READ_H

#include "data/image.h"

/* Local. Whether it is a PNG or JPEG file, by its first bytes. */
bool image_knows(const uint8_t *bytes, size_t count);

/* Local. Width, height and channels as they are stored, by the header: 1 or 2 of grey, 3 or 4 of colours, palettes
 * among them; also proves that the file is one that image_decode reads, and reaches to its
 * end: ERROR_CORRUPT (no image, truncated), ERROR_USAGE (CMYK and other kinds that are not read, too many pixels). */
bool image_look(const struct image_file *file, struct image *image, struct error *error) WARN_UNUSED;

/* Local. All pixels, as 1 (grey) or 3 (RGB) channels. */
bool image_decode(const struct image_file *file, size_t channels, struct image *image, struct error *error) WARN_UNUSED;

#endif
