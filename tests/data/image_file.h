/* PNG and JPEG files in the making, by the libraries that others write them with. */
#ifndef DATA_IMAGE_FILE_H
#define DATA_IMAGE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct png_wanted {
    size_t width, height;
    int type, depth; /* PNG_COLOR_TYPE_..., bits */
    bool interlaced;
    const uint8_t *rows;    /* packed, as PNG stores them: [height, ceil(width channels depth / 8)] */
    const uint8_t *palette; /* [colours, 4]: red, green, blue, alpha; NULL: none */
    size_t colours;
    int clear; /* the level of grey that is transparent; below 0: none */
};

/* Local. 8 bits, 1 (grey), 2 (grey, alpha), 3 (RGB) or 4 channels. */
void png_plain(const char *path, size_t width, size_t height, size_t channels, const uint8_t *pixels);
void png_write_as(const char *path, const struct png_wanted *wanted);

/* Local. 1 (grey), 3 (RGB) or 4 (CMYK) channels. */
void jpeg_write_as(const char *path, size_t width, size_t height, size_t channels, const uint8_t *pixels,
                   bool progressive, bool arithmetic);

/* Local. The bytes of a file: at most `room`. */
size_t bytes_of(const char *path, uint8_t *bytes, size_t room);
void write_bytes(const char *path, const void *bytes, size_t count);

#endif
