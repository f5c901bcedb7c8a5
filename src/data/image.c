#include "data/image.h"

#include "base/memory.h"

#include <inttypes.h>

void image_release(struct image *image)
{
    memory_free(image->bytes);
    *image = (struct image){0};
}

bool image_begin(const struct image_file *file, uint64_t width, uint64_t height, uint64_t most, struct image *image,
                 struct error *error)
{
    if (width == 0 || height == 0)
        return error_set(error, ERROR_CORRUPT, "%s holds nothing: its header says %" PRIu64 " x %" PRIu64 " pixels",
                         file->name, width, height);
    if (width > IMAGE_PIXELS_MOST / height)
        return error_set(error, ERROR_USAGE,
                         "%s says that it has %" PRIu64 " x %" PRIu64 " pixels: more than %d are not read; scale it "
                         "down, or take it out",
                         file->name, width, height, IMAGE_PIXELS_MOST);
    if (width * height / most > file->count)
        return error_set(error, ERROR_CORRUPT,
                         "%s is truncated, or no image at all: its header says %" PRIu64 " x %" PRIu64
                         " pixels, more than its %zu bytes can hold",
                         file->name, width, height, file->count);
    image->width = (size_t)width;
    image->height = (size_t)height;
    return true;
}

bool image_room(const struct image_file *file, size_t channels, struct image *image, struct error *error)
{
    image->channels = channels;
    image->bytes = memory_alloc(image->width * image->height, channels, file->name, error);
    return image->bytes;
}
