/* An image as bytes, and the file that it comes from. */
#ifndef DATA_IMAGE_H
#define DATA_IMAGE_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

#define IMAGE_PIXELS_MOST 100000000 /* more are refused: a few bytes could promise them, and take all memory */

struct image_file {
    const uint8_t *bytes; /* [count] */
    size_t count;
    const char *name; /* for messages */
};

struct image {
    size_t width, height, channels;
    uint8_t *bytes; /* [height, width, channels]; NULL: released, or only looked at */
};

/* Local. Sets width and height, if so many pixels may be asked of memory: at most IMAGE_PIXELS_MOST, and at most what
 * the file can hold, each byte of which stands for `most` pixels or fewer. */
bool image_begin(const struct image_file *file, uint64_t width, uint64_t height, uint64_t most, struct image *image,
                 struct error *error) WARN_UNUSED;

/* Local. Then takes room for the pixels. Release accepts a released one. */
bool image_room(const struct image_file *file, size_t channels, struct image *image, struct error *error) WARN_UNUSED;
void image_release(struct image *image);

#endif
