/* A PNG or JPEG file: what is looked at is decoded as grey and as colours, and scaled. */
#include "data/image_read.h"
#include "data/image_square.h"
#include "fuzz.h"

#define PIXELS_MOST 1000000 /* more take long, and find nothing else */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct image_file file = {data, size, "image"};
    struct image image;
    struct error error;
    if (!image_look(&file, &image, &error) || image.width * image.height > PIXELS_MOST)
        return 0;
    for (size_t channels = 1; channels <= 3; channels += 2) {
        uint8_t square[28 * 28 * 3];
        if (!image_decode(&file, channels, &image, &error))
            continue;
        if (!image_square(&image, 28, square, &error))
            __builtin_trap();
        image_release(&image);
    }
    return 0;
}
