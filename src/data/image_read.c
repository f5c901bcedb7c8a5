#include "data/image_read.h"

#include "data/content.h"
#include "data/image_codec.h"

#include <string.h>

static const struct {
    const char *magic;
    size_t length;
    bool (*read)(const struct image_file *file, bool looks, struct image *image, struct error *error);
} codecs[] = {
    {"\211PNG\r\n\032\n", 8, image_read_png},
    {"\377\330\377", 3, image_read_jpeg},
};

#define CODECS (sizeof codecs / sizeof *codecs)

/* Which of them reads these bytes; CODECS: none. */
static size_t find_codec(const uint8_t *bytes, size_t count)
{
    size_t i = 0;
    while (i < CODECS && (count < codecs[i].length || memcmp(bytes, codecs[i].magic, codecs[i].length) != 0))
        i++;
    return i;
}

bool image_knows(const uint8_t *bytes, size_t count)
{
    return find_codec(bytes, count) < CODECS;
}

static bool read_image(const struct image_file *file, bool looks, struct image *image, struct error *error)
{
    *image = (struct image){0};
    size_t codec = find_codec(file->bytes, file->count);
    if (codec < CODECS) {
        bool ok = codecs[codec].read(file, looks, image, error);
        if (!ok)
            image_release(image);
        return ok;
    }
    const char *known = content_kind(file->bytes, file->count);
    return error_set(error, ERROR_CORRUPT, "%s is not a PNG or JPEG image%s%s: take it out, or convert it", file->name,
                     file->count == 0 ? ", but empty"
                     : known          ? ", but "
                                      : "",
                     known ? known : "");
}

bool image_look(const struct image_file *file, struct image *image, struct error *error)
{
    return read_image(file, true, image, error);
}

static uint8_t on_white(uint8_t level, uint8_t alpha)
{
    return (uint8_t)((level * alpha + 255 * (255 - alpha) + 127) / 255);
}

static uint8_t grey(const uint8_t *rgb)
{
    return (uint8_t)((19595u * rgb[0] + 38470u * rgb[1] + 7471u * rgb[2] + 32768u) >> 16);
}

/* One pixel of `from` channels as one of `to`. */
static void convert(const uint8_t *pixel, size_t from, uint8_t *wanted, size_t to)
{
    uint8_t rgb[3];
    bool coloured = from >= 3, transparent = from == 2 || from == 4;
    for (size_t c = 0; c < 3; c++) {
        uint8_t level = pixel[coloured ? c : 0];
        rgb[c] = transparent ? on_white(level, pixel[from - 1]) : level;
    }
    if (to == 1)
        wanted[0] = coloured ? grey(rgb) : rgb[0];
    else
        memcpy(wanted, rgb, sizeof rgb);
}

bool image_decode(const struct image_file *file, size_t channels, struct image *image, struct error *error)
{
    struct image stored;
    *image = (struct image){0};
    if (!read_image(file, false, &stored, error))
        return false;
    *image = stored;
    if (stored.channels == channels)
        return true;
    if (!image_room(file, channels, image, error)) {
        image_release(&stored);
        return false;
    }
    for (size_t i = 0; i < stored.width * stored.height; i++)
        convert(stored.bytes + i * stored.channels, stored.channels, image->bytes + i * channels, channels);
    image_release(&stored);
    return true;
}
