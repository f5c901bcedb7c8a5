#include "data/image_file.h"
#include "data/image_read.h"
#include "data/image_square.h"
#include "data/opening.h"
#include "support/test.h"

#include <math.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM = 1 << 16 };

/* The file at path, to be read. */
static struct image_file load(const char *path)
{
    static uint8_t bytes[ROOM];
    static char name[256];
    snprintf(name, sizeof name, "%s", path);
    return (struct image_file){bytes, bytes_of(path, bytes, ROOM), name};
}

/* Whether the file at path is these pixels. */
static bool holds(const char *path, size_t width, size_t height, size_t channels, const uint8_t *pixels)
{
    struct image_file file = load(path);
    struct image looked, image;
    struct error error;
    bool ok = image_look(&file, &looked, &error) && image_decode(&file, channels, &image, &error);
    check_opened(ok, &error);
    bool same = looked.width == width && looked.height == height && !looked.bytes && image.width == width &&
                image.height == height && image.channels == channels &&
                memcmp(image.bytes, pixels, width * height * channels) == 0;
    image_release(&image);
    image_release(&image);
    return same;
}

/* It is refused at the look, or only when it is decoded. */
static void expect(const struct image_file *file, bool at_look, enum error_kind kind, const char *words)
{
    struct image image;
    struct error error = {0};
    bool looked = image_look(file, &image, &error);
    CU_ASSERT_EQUAL(looked, !at_look);
    if (looked) {
        bool decoded = image_decode(file, 3, &image, &error);
        check_refused(decoded, &error, kind, words, file->name);
        image_release(&image);
    } else
        check_refused(looked, &error, kind, words, file->name);
}

static const uint8_t ramp[12] = {0, 85, 170, 255, 255, 170, 85, 0, 7, 99, 200, 31};

static void png_files_of_every_kind_are_read(void)
{
    const char *path = test_path("a.png");
    png_plain(path, 4, 3, 1, ramp);
    CU_ASSERT(holds(path, 4, 3, 1, ramp));
    png_plain(path, 2, 2, 3, ramp);
    CU_ASSERT(holds(path, 2, 2, 3, ramp));
    /* Levels of 2 bits are 0, 85, 170, 255; of 1 bit 0 and 255; of 4 bits 17 apart. */
    struct png_wanted png = {.width = 4, .height = 2, .depth = 2, .clear = -1, .rows = (const uint8_t[]){0x1B, 0xE4}};
    png_write_as(path, &png);
    CU_ASSERT(holds(path, 4, 2, 1, ramp));
    png = (struct png_wanted){.width = 3, .height = 1, .depth = 1, .clear = -1, .rows = (const uint8_t[]){0xA0}};
    png_write_as(path, &png);
    CU_ASSERT(holds(path, 3, 1, 1, (const uint8_t[]){255, 0, 255}));
    png = (struct png_wanted){.width = 2, .height = 1, .depth = 4, .clear = -1, .rows = (const uint8_t[]){0x3C}};
    png_write_as(path, &png);
    CU_ASSERT(holds(path, 2, 1, 1, (const uint8_t[]){51, 204}));
    /* 16 bits: v / 257, rounded. */
    static const uint8_t deep[] = {0xFF, 0xFF, 0x00, 0x80, 0x00, 0x81, 0x80, 0x80};
    png = (struct png_wanted){.width = 4, .height = 1, .depth = 16, .clear = -1, .rows = deep};
    png_write_as(path, &png);
    CU_ASSERT(holds(path, 4, 1, 1, (const uint8_t[]){255, 0, 1, 128}));
}

static void palettes_and_interlaced_files_are_read(void)
{
    const char *path = test_path("a.png");
    static const uint8_t colours[] = {10, 20, 30, 255, 200, 100, 50, 255, 0, 0, 0, 0};
    struct png_wanted png = {.width = 2,
                             .height = 2,
                             .type = PNG_COLOR_TYPE_PALETTE,
                             .depth = 8,
                             .rows = (const uint8_t[]){1, 0, 2, 1},
                             .palette = colours,
                             .colours = 3,
                             .clear = -1};
    png_write_as(path, &png);
    CU_ASSERT(holds(path, 2, 2, 3, (const uint8_t[]){200, 100, 50, 10, 20, 30, 255, 255, 255, 200, 100, 50}));
    static uint8_t many[23 * 17 * 3];
    for (size_t i = 0; i < sizeof many; i++)
        many[i] = (uint8_t)(i * 7 + i / 64);
    png = (struct png_wanted){.width = 23,
                              .height = 17,
                              .type = PNG_COLOR_TYPE_RGB,
                              .depth = 8,
                              .interlaced = true,
                              .rows = many,
                              .clear = -1};
    png_write_as(path, &png);
    CU_ASSERT(holds(path, 23, 17, 3, many));
}

static void what_is_transparent_stands_on_white(void)
{
    const char *path = test_path("a.png");
    static const uint8_t colours[] = {200, 100, 0, 255, 200, 100, 0, 0, 200, 100, 0, 51};
    png_plain(path, 3, 1, 4, colours); /* 51 / 255 is a fifth */
    CU_ASSERT(holds(path, 3, 1, 3, (const uint8_t[]){200, 100, 0, 255, 255, 255, 244, 224, 204}));
    static const uint8_t greys[] = {0, 255, 0, 0, 100, 51, 9, 128};
    png_plain(path, 2, 2, 2, greys);
    CU_ASSERT(holds(path, 2, 2, 1, (const uint8_t[]){0, 255, 224, 132}));
    CU_ASSERT(holds(path, 2, 2, 3, (const uint8_t[]){0, 0, 0, 255, 255, 255, 224, 224, 224, 132, 132, 132}));
    struct png_wanted png = {.width = 4, .height = 3, .depth = 8, .rows = ramp, .clear = 0};
    png_write_as(path, &png);
    CU_ASSERT(holds(path, 4, 3, 1, (const uint8_t[]){255, 85, 170, 255, 255, 170, 85, 255, 7, 99, 200, 31}));
}

static void grey_and_colours_become_each_other(void)
{
    const char *path = test_path("a.png");
    png_plain(path, 4, 1, 3, (const uint8_t[]){255, 0, 0, 0, 255, 0, 0, 0, 255, 11, 22, 33});
    CU_ASSERT(holds(path, 4, 1, 1, (const uint8_t[]){76, 150, 29, 20}));
    png_plain(path, 2, 1, 1, ramp);
    CU_ASSERT(holds(path, 2, 1, 3, (const uint8_t[]){0, 0, 0, 85, 85, 85}));
}

static void jpeg_files_are_read(void)
{
    const char *path = test_path("a.jpeg");
    enum { WIDTH = 20, HEIGHT = 12 };
    uint8_t pixels[HEIGHT][WIDTH][3], grey[HEIGHT * WIDTH];
    memset(grey, 77, sizeof grey); /* one level survives as it is */
    for (int progressive = 0; progressive < 2; progressive++) {
        jpeg_write_as(path, WIDTH, HEIGHT, 1, grey, progressive, false);
        CU_ASSERT(holds(path, WIDTH, HEIGHT, 1, grey));
        for (int y = 0; y < HEIGHT; y++)
            for (int x = 0; x < WIDTH; x++)
                memcpy(pixels[y][x], (const uint8_t[]){(uint8_t)(5 * x), (uint8_t)(9 * y), 90}, 3);
        jpeg_write_as(path, WIDTH, HEIGHT, 3, pixels[0][0], progressive, false);
        struct image_file file = load(path);
        struct image image;
        struct error error;
        bool ok = image_decode(&file, 3, &image, &error);
        check_opened(ok, &error);
        int worst = 0;
        for (size_t i = 0; i < sizeof pixels; i++) {
            int off = abs(image.bytes[i] - ((const uint8_t *)pixels)[i]);
            worst = off > worst ? off : worst;
        }
        CU_ASSERT(worst <= 8); /* colours are stored at half the resolution */
        image_release(&image);
    }
}

static void truncated_files_are_refused_wherever_they_end(void)
{
    static uint8_t noise[40 * 40 * 3];
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (uint8_t)(i * i * 31 >> 5);
    const char *names[] = {test_path("a.png"), test_path("a.jpg"), test_path("b.jpg")};
    png_plain(names[0], 40, 40, 3, noise);
    jpeg_write_as(names[1], 40, 40, 3, noise, false, false);
    jpeg_write_as(names[2], 40, 40, 3, noise, true, false);
    for (size_t i = 0; i < 3; i++) {
        struct image_file whole = load(names[i]);
        for (size_t count = 0; count < whole.count - 2; count += count < 700 ? 1 : 37) {
            struct image_file file = {whole.bytes, count, whole.name};
            expect(&file, true, ERROR_CORRUPT, count < 3 ? "is not a PNG or JPEG image" : "");
        }
    }
}

static void damaged_files_are_refused(void)
{
    static uint8_t noise[30 * 20];
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (uint8_t)(i * i * 31 >> 5);
    const char *path = test_path("a.png");
    png_plain(path, 30, 20, 1, noise);
    struct image_file file = load(path);
    uint8_t *bytes = (uint8_t *)(uintptr_t)file.bytes;
    for (size_t i = 0; i < file.count; i++) {
        struct image image;
        struct error error;
        bytes[i] ^= 0x10;
        bool decoded = image_decode(&file, 1, &image, &error);
        CU_ASSERT(!decoded && (error.kind == ERROR_CORRUPT || strstr(error.text, "more than 100000000")));
        bytes[i] ^= 0x10;
    }
    /* A JPEG has no checksums: what is left of it is read, or refused. */
    path = test_path("a.jpg");
    jpeg_write_as(path, 30, 20, 1, noise, true, false);
    file = load(path);
    for (size_t i = 0; i < file.count; i++) {
        struct image image;
        struct error error;
        bytes[i] ^= 0x10;
        if (image_decode(&file, 1, &image, &error))
            image_release(&image);
        bytes[i] ^= 0x10;
    }
}

static void absurd_sizes_are_refused_before_memory_is_asked_for(void)
{
    const char *path = test_path("a.png");
    png_plain(path, 4, 3, 1, ramp);
    struct image_file file = load(path);
    uint8_t *bytes = (uint8_t *)(uintptr_t)file.bytes;
    memcpy(bytes + 16, "\0\0\x80\0\0\0\x80\0", 8);
    expect(&file, true, ERROR_USAGE, "says that it has 32768 x 32768 pixels: more than 100000000");
    memcpy(bytes + 16, "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 8);
    expect(&file, true, ERROR_USAGE, "4294967295 x 4294967295");
    memcpy(bytes + 16, "\0\0\x10\0\0\0\x10\0", 8);
    expect(&file, true, ERROR_CORRUPT, "4096 x 4096 pixels, more than its");
    memcpy(bytes + 16, "\0\0\0\0\0\0\0\1", 8);
    expect(&file, true, ERROR_CORRUPT, "holds nothing");
    path = test_path("a.jpg");
    jpeg_write_as(path, 4, 3, 1, ramp, false, false);
    file = load(path);
    uint8_t *frame = memmem(bytes, file.count, "\xFF\xC0", 2);
    CU_ASSERT_PTR_NOT_NULL_FATAL(frame);
    memcpy(frame + 5, "\xFF\x00\xFF\x00", 4);
    expect(&file, true, ERROR_USAGE, "says that it has 65280 x 65280 pixels: more than 100000000");
    memcpy(frame + 5, "\x10\x00\x10\x00", 4);
    expect(&file, true, ERROR_CORRUPT, "4096 x 4096 pixels, more than its");
}

static void other_kinds_of_files_are_told(void)
{
    const char *path = test_path("a.jpg");
    static const uint8_t pixels[64 * 4] = {1, 2, 3};
    jpeg_write_as(path, 8, 8, 4, pixels, false, false);
    struct image_file file = load(path);
    expect(&file, true, ERROR_USAGE, "for printing (CMYK): convert it to RGB");
    jpeg_write_as(path, 8, 8, 3, pixels, false, true);
    file = load(path);
    expect(&file, true, ERROR_USAGE, "unusual kind (3 components of 8 bits, arithmetic coding)");
    write_bytes(path, "\223NUMPY\1", 7);
    file = load(path);
    expect(&file, true, ERROR_CORRUPT, "is not a PNG or JPEG image, but a NumPy file");
    write_bytes(path, "", 0);
    file = load(path);
    expect(&file, true, ERROR_CORRUPT, "is not a PNG or JPEG image, but empty");
    write_bytes(path, "GIF89a", 6);
    file = load(path);
    expect(&file, true, ERROR_CORRUPT, "is not a PNG or JPEG image: take it out, or convert it");
}

/* ---- squares ---- */

/* The level at a place of the old row, in the middle of pixels, or the mean of a part of it: in double. */
static double reference(const uint8_t *row, size_t s, size_t n, size_t i)
{
    double scale = (double)s / (double)n, sum = 0;
    if (s >= n) {
        for (size_t j = 0; j < s; j++) {
            double low = fmax((double)j, (double)i * scale), high = fmin((double)j + 1, ((double)i + 1) * scale);
            sum += high > low ? (high - low) / scale * row[j] : 0;
        }
        return sum;
    }
    double place = fmin(fmax(((double)i + 0.5) * scale - 0.5, 0), (double)s - 1);
    size_t j = (size_t)place, next = j + 1 < s ? j + 1 : j;
    return row[j] + (place - (double)j) * (row[next] - row[j]);
}

static void squares_are_means_downwards_and_interpolated_upwards(void)
{
    struct error error;
    static const size_t sides[][2] = {{8, 4}, {7, 3}, {3, 2}, {9, 8}, {2, 4}, {3, 8}, {1, 3}, {5, 1}, {28, 28}};
    for (size_t k = 0; k < sizeof sides / sizeof *sides; k++) {
        size_t s = sides[k][0], n = sides[k][1];
        uint8_t row[32], bytes[32 * 32 * 2], to[32 * 32 * 2];
        for (size_t x = 0; x < s; x++)
            row[x] = (uint8_t)(x * x * 37 + 11);
        for (size_t i = 0; i < s * s; i++) {
            bytes[2 * i] = row[i % s];     /* a row again and again */
            bytes[2 * i + 1] = row[i / s]; /* and a column */
        }
        struct image image = {s, s, 2, bytes};
        CU_ASSERT_FATAL(image_square(&image, n, to, &error));
        for (size_t i = 0; i < n * n; i++) {
            CU_ASSERT(fabs(to[2 * i] - reference(row, s, n, i % n)) <= 0.5 + 1e-9);
            CU_ASSERT(fabs(to[2 * i + 1] - reference(row, s, n, i / n)) <= 0.5 + 1e-9);
        }
    }
    /* Halves are rounded up. */
    uint8_t four[] = {0, 1, 1, 0}, one;
    CU_ASSERT(image_square(&(struct image){2, 2, 1, four}, 1, &one, &error) && one == 1);
}

static void the_middle_of_the_longer_side_is_taken(void)
{
    struct error error;
    uint8_t to[4];
    CU_ASSERT_FATAL(image_square(&(struct image){5, 2, 1, (uint8_t *)(uintptr_t)ramp}, 2, to, &error));
    CU_ASSERT_EQUAL(memcmp(to, (const uint8_t[]){85, 170, 85, 0}, 4), 0); /* of 5 columns the second and third */
    CU_ASSERT_FATAL(image_square(&(struct image){2, 6, 1, (uint8_t *)(uintptr_t)ramp}, 2, to, &error));
    CU_ASSERT_EQUAL(memcmp(to, ramp + 4, 4), 0);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"PNG files of grey and colours, of 1 to 16 bits, give their pixels", png_files_of_every_kind_are_read},
        {"palettes become colours, and interlaced files are whole images", palettes_and_interlaced_files_are_read},
        {"what is transparent stands on white", what_is_transparent_stands_on_white},
        {"grey of colours weighs them, and colours of grey are three times it", grey_and_colours_become_each_other},
        {"JPEG files are read, progressive ones too", jpeg_files_are_read},
        {"a truncated file is refused at the look, wherever it ends", truncated_files_are_refused_wherever_they_end},
        {"a damaged PNG is refused, and no damage does harm", damaged_files_are_refused},
        {"absurd sizes are refused before memory is asked for", absurd_sizes_are_refused_before_memory_is_asked_for},
        {"kinds of images that are not read, and other files, are told", other_kinds_of_files_are_told},
        {"a square is a mean downwards and interpolated upwards", squares_are_means_downwards_and_interpolated_upwards},
        {"the middle of the longer side is taken", the_middle_of_the_longer_side_is_taken},
        {NULL, NULL},
    };
    return test_run("data/image", cases);
}
