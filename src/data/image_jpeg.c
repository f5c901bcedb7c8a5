#include "data/image_codec.h"

#include <stdio.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h>
#include <setjmp.h>

#define BLOCK_MOST  512 /* pixels that one byte stands for: a block of 64 takes a bit at least */
#define MEMORY_MOST ((long)2 << 30)
#define SCANS_MOST  100 /* of a progressive one: each goes through all pixels, and may be short */

struct reading {
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors;
    struct jpeg_progress_mgr progress;
    jmp_buf back;
    const struct image_file *file;
    struct image *image;
    struct error *error;
};

/* Leaves, once the error is set. */
static _Noreturn void leave(struct reading *reading)
{
    longjmp(reading->back, 1);
}

static void on_error(j_common_ptr jpeg)
{
    struct reading *reading = jpeg->client_data;
    char words[JMSG_LENGTH_MAX];
    jpeg->err->format_message(jpeg, words);
    error_set(reading->error, ERROR_CORRUPT, "%s is not a sound JPEG image: %s", reading->file->name, words);
    leave(reading);
}

/* What libjpeg only warns of is damage, but for what leaves the pixels as they are. */
static void on_message(j_common_ptr jpeg, int level)
{
    int code = jpeg->err->msg_code;
    if (level < 0 && code != JWRN_EXTRANEOUS_DATA && code != JWRN_JFIF_MAJOR && code != JWRN_ADOBE_XFORM)
        on_error(jpeg);
}

static void on_progress(j_common_ptr jpeg)
{
    struct reading *reading = jpeg->client_data;
    if (reading->jpeg.input_scan_number <= SCANS_MOST)
        return;
    error_set(reading->error, ERROR_CORRUPT, "%s is not a sound JPEG image: it has more than %d scans",
              reading->file->name, SCANS_MOST);
    leave(reading);
}

/* Behind the header, which may hold a smaller image with an end of its own. */
static bool is_whole(const struct reading *reading)
{
    const struct jpeg_source_mgr *source = reading->jpeg.src;
    return memmem(source->next_input_byte, source->bytes_in_buffer, "\377\331", 2);
}

/* Whether what the header says can be read. */
static bool check_header(struct reading *reading)
{
    const struct jpeg_decompress_struct *jpeg = &reading->jpeg;
    const char *name = reading->file->name;
    if (!image_begin(reading->file, jpeg->image_width, jpeg->image_height, BLOCK_MOST, reading->image, reading->error))
        return false;
    if (jpeg->jpeg_color_space == JCS_CMYK || jpeg->jpeg_color_space == JCS_YCCK)
        return error_set(reading->error, ERROR_USAGE,
                         "%s is a JPEG image for printing (CMYK): convert it to RGB, or take it out", name);
    if (jpeg->jpeg_color_space == JCS_UNKNOWN || jpeg->arith_code || jpeg->data_precision != 8)
        return error_set(reading->error, ERROR_USAGE,
                         "%s is a JPEG image of an unusual kind (%d components of %d bits%s): save it anew, as RGB or "
                         "grey of 8 bits",
                         name, jpeg->num_components, jpeg->data_precision,
                         jpeg->arith_code ? ", arithmetic coding" : "");
    reading->image->channels = jpeg->jpeg_color_space == JCS_GRAYSCALE ? 1 : 3;
    return is_whole(reading) ||
           error_set(reading->error, ERROR_CORRUPT, "%s is truncated: it is a JPEG image without its end", name);
}

static bool read_header(struct reading *reading)
{
    if (setjmp(reading->back))
        return false;
    jpeg_create_decompress(&reading->jpeg);
    reading->jpeg.mem->max_memory_to_use = MEMORY_MOST;
    reading->jpeg.progress = &reading->progress;
    jpeg_mem_src(&reading->jpeg, reading->file->bytes, (unsigned long)reading->file->count);
    (void)jpeg_read_header(&reading->jpeg, TRUE);
    return check_header(reading);
}

static bool read_pixels(struct reading *reading)
{
    struct jpeg_decompress_struct *jpeg = &reading->jpeg;
    const struct image *image = reading->image;
    if (setjmp(reading->back))
        return false;
    jpeg->out_color_space = jpeg->jpeg_color_space == JCS_GRAYSCALE ? JCS_GRAYSCALE : JCS_RGB;
    jpeg->dct_method = JDCT_ISLOW;
    jpeg->do_fancy_upsampling = TRUE;
    (void)jpeg_start_decompress(jpeg);
    if (!image_room(reading->file, (size_t)jpeg->output_components, reading->image, reading->error))
        return false;
    while (jpeg->output_scanline < jpeg->output_height) {
        JSAMPROW row = image->bytes + jpeg->output_scanline * image->width * image->channels;
        (void)jpeg_read_scanlines(jpeg, &row, 1);
    }
    (void)jpeg_finish_decompress(jpeg);
    return true;
}

bool image_read_jpeg(const struct image_file *file, bool looks, struct image *image, struct error *error)
{
    struct reading reading = {.file = file, .image = image, .error = error};
    reading.jpeg.err = jpeg_std_error(&reading.errors);
    reading.jpeg.client_data = &reading;
    reading.errors.error_exit = on_error;
    reading.errors.emit_message = on_message;
    reading.progress.progress_monitor = on_progress;
    bool ok = read_header(&reading) && (looks || read_pixels(&reading));
    jpeg_destroy_decompress(&reading.jpeg);
    return ok;
}
