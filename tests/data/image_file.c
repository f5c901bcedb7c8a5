#include "data/image_file.h"

#include "support/test.h"

#include <stdio.h>

#include <jpeglib.h>
#include <png.h>

static FILE *must_open(const char *path, const char *mode)
{
    FILE *file = fopen(path, mode);
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    return file;
}

static void set_palette(png_structp png, png_infop info, const struct png_wanted *wanted)
{
    png_color colours[256];
    png_byte alpha[256];
    for (size_t i = 0; i < wanted->colours; i++) {
        const uint8_t *colour = wanted->palette + 4 * i;
        colours[i] = (png_color){colour[0], colour[1], colour[2]};
        alpha[i] = colour[3];
    }
    png_set_PLTE(png, info, colours, (int)wanted->colours);
    png_set_tRNS(png, info, alpha, (int)wanted->colours, NULL);
}

void png_write_as(const char *path, const struct png_wanted *wanted)
{
    png_bytep rows[64];
    FILE *file = must_open(path, "wb");
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    png_init_io(png, file);
    png_set_IHDR(png, info, (png_uint_32)wanted->width, (png_uint_32)wanted->height, wanted->depth, wanted->type,
                 wanted->interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    if (wanted->palette)
        set_palette(png, info, wanted);
    if (wanted->clear >= 0)
        png_set_tRNS(png, info, NULL, 0, &(png_color_16){.gray = (png_uint_16)wanted->clear});
    CU_ASSERT_FATAL(wanted->height <= 64);
    for (size_t y = 0; y < wanted->height; y++)
        rows[y] = (png_bytep)(uintptr_t)wanted->rows + y * png_get_rowbytes(png, info);
    png_set_rows(png, info, rows);
    png_write_png(png, info, PNG_TRANSFORM_IDENTITY, NULL);
    png_destroy_write_struct(&png, &info);
    CU_ASSERT_EQUAL(fclose(file), 0);
}

void png_plain(const char *path, size_t width, size_t height, size_t channels, const uint8_t *pixels)
{
    static const int types[] = {0, PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY_ALPHA, PNG_COLOR_TYPE_RGB,
                                PNG_COLOR_TYPE_RGBA};
    png_write_as(
        path, &(struct png_wanted){
                  .width = width, .height = height, .type = types[channels], .depth = 8, .rows = pixels, .clear = -1});
}

void jpeg_write_as(const char *path, size_t width, size_t height, size_t channels, const uint8_t *pixels,
                   bool progressive, bool arithmetic)
{
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    FILE *file = must_open(path, "wb");
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    jpeg_stdio_dest(&jpeg, file);
    jpeg.image_width = (JDIMENSION)width;
    jpeg.image_height = (JDIMENSION)height;
    jpeg.input_components = (int)channels;
    jpeg.in_color_space = channels == 1 ? JCS_GRAYSCALE : channels == 3 ? JCS_RGB : JCS_CMYK;
    jpeg_set_defaults(&jpeg);
    jpeg_set_quality(&jpeg, 100, TRUE);
    jpeg.arith_code = arithmetic;
    if (progressive)
        jpeg_simple_progression(&jpeg);
    jpeg_start_compress(&jpeg, TRUE);
    for (size_t y = 0; y < height; y++) {
        JSAMPROW row = (JSAMPROW)(uintptr_t)pixels + y * width * channels;
        (void)jpeg_write_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    CU_ASSERT_EQUAL(fclose(file), 0);
}

size_t bytes_of(const char *path, uint8_t *bytes, size_t room)
{
    FILE *file = must_open(path, "rb");
    size_t count = fread(bytes, 1, room, file);
    CU_ASSERT_FATAL(count < room);
    fclose(file);
    return count;
}

void write_bytes(const char *path, const void *bytes, size_t count)
{
    FILE *file = must_open(path, "wb");
    CU_ASSERT_EQUAL(fwrite(bytes, 1, count, file), count);
    CU_ASSERT_EQUAL(fclose(file), 0);
}
