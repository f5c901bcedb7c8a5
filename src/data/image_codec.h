/* What reads one kind of image file: libraries that leave by longjmp are met in one short file each. */
#ifndef DATA_IMAGE_CODEC_H
#define DATA_IMAGE_CODEC_H

#include "data/image.h"

/* Local. Width and height; unless it only looks, also channels (1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha) and
 * bytes, which are the caller's to release after failure, too. */
bool image_read_png(const struct image_file *file, bool looks, struct image *image, struct error *error) WARN_UNUSED;
bool image_read_jpeg(const struct image_file *file, bool looks, struct image *image, struct error *error) WARN_UNUSED;

#endif
