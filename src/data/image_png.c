#include "data/image_codec.h"

#include <png.h>
#include <string.h>

#define SIGNATURE_BYTES 8
#define HEADER_BYTES    33   /* of the signature and the first chunk */
#define DEFLATE_MOST    1032 /* bytes that one byte of deflate stands for */
#define CHUNK_MOST      1000000

struct reading {
    const struct image_file *file;
    size_t at;
    png_structp png;
    png_infop info;
    struct image *image;
    struct error *error;
};

static void on_error(png_structp png, png_const_charp words)
{
    struct reading *reading = png_get_error_ptr(png);
    error_set(reading->error, ERROR_CORRUPT, "%s is not a sound PNG image: %s", reading->file->name, words);
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp words)
{
    (void)png;
    (void)words;
}

static void on_read(png_structp png, png_bytep to, size_t count)
{
    struct reading *reading = png_get_io_ptr(png);
    if (count > reading->file->count - reading->at)
        png_error(png, "it is truncated");
    memcpy(to, reading->file->bytes + reading->at, count);
    reading->at += count;
}

static uint32_t big_endian(const uint8_t *b)
{
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

/* Whether the chunks follow each other to the last one. */
static bool is_whole(const struct image_file *file)
{
    for (size_t at = SIGNATURE_BYTES; file->count - at >= 12;) {
        size_t length = big_endian(file->bytes + at), rest = file->count - at - 12;
        if (length > rest)
            return false;
        if (memcmp(file->bytes + at + 4, "IEND", 4) == 0)
            return true;
        at += 12 + length;
    }
    return false;
}

/* What is to be known before libpng asks for memory. */
static bool begin(struct reading *reading, struct error *error)
{
    const struct image_file *file = reading->file;
    if (file->count < HEADER_BYTES || !is_whole(file))
        return error_set(error, ERROR_CORRUPT, "%s is truncated: it is a PNG image without its end", file->name);
    if (memcmp(file->bytes + SIGNATURE_BYTES + 4, "IHDR", 4) != 0)
        return error_set(error, ERROR_CORRUPT, "%s is not a sound PNG image: it does not begin with its sizes",
                         file->name);
    /* Of one bit each. */
    return image_begin(file, big_endian(file->bytes + 16), big_endian(file->bytes + 20), 8 * DEFLATE_MOST,
                       reading->image, error);
}

static bool read_header(struct reading *reading)
{
    if (setjmp(png_jmpbuf(reading->png)))
        return false;
    png_set_read_fn(reading->png, reading, on_read);
    png_set_chunk_malloc_max(reading->png, CHUNK_MOST);
    png_read_info(reading->png, reading->info);
    bool is_palette = png_get_color_type(reading->png, reading->info) == PNG_COLOR_TYPE_PALETTE;
    reading->image->channels = is_palette ? 3 : png_get_channels(reading->png, reading->info);
    return true;
}

/* Returns 0 after an error. */
static size_t set_transformations(struct reading *reading)
{
    if (setjmp(png_jmpbuf(reading->png)))
        return 0;
    png_set_expand(reading->png);
    png_set_scale_16(reading->png);
    (void)png_set_interlace_handling(reading->png);
    png_read_update_info(reading->png, reading->info);
    return png_get_channels(reading->png, reading->info);
}

static bool read_rows(struct reading *reading)
{
    const struct image *image = reading->image;
    if (setjmp(png_jmpbuf(reading->png)))
        return false;
    if (png_get_rowbytes(reading->png, reading->info) != image->width * image->channels)
        png_error(reading->png, "its rows have another length than its header says");
    int passes = png_get_interlace_type(reading->png, reading->info) == PNG_INTERLACE_NONE ? 1 : 7;
    for (int pass = 0; pass < passes; pass++)
        for (size_t y = 0; y < image->height; y++)
            png_read_row(reading->png, image->bytes + y * image->width * image->channels, NULL);
    png_read_end(reading->png, NULL);
    return true;
}

static bool read_pixels(struct reading *reading)
{
    size_t channels = set_transformations(reading);
    return channels > 0 && image_room(reading->file, channels, reading->image, reading->error) && read_rows(reading);
}

bool image_read_png(const struct image_file *file, bool looks, struct image *image, struct error *error)
{
    struct reading reading = {.file = file, .image = image, .error = error};
    if (!begin(&reading, error))
        return false;
    reading.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &reading, on_error, on_warning);
    reading.info = reading.png ? png_create_info_struct(reading.png) : NULL;
    bool ok = reading.info ? read_header(&reading) && (looks || read_pixels(&reading))
                           : error_set(error, ERROR_IO, "not enough memory to read %s", file->name);
    png_destroy_read_struct(&reading.png, &reading.info, NULL);
    return ok;
}
