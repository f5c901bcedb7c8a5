/* All that follows the seal of a checkpoint, from the image of its record on: the image by itself, and as a file that
 * is sealed around it, so that nothing but the reader's own checks stands between it and the program. */
#include "base/check.h"
#include "base/memory.h"
#include "checkpoint/reader.h"
#include "fuzz.h"
#include "h5/h5.h"

#include <string.h>

#define FILE_BYTES ((uint64_t)1 << 24) /* of the file that an image pretends to lie in */
#define VERSION_AT 24                  /* in an image */

static void parse_image(const uint8_t *data, size_t size, bool of_file)
{
    struct record record;
    struct record_layout layout;
    struct error error;
    bool finished, old = size > VERSION_AT && data[VERSION_AT] < RECORD_PLAIN;
    char *image = memory_need(size, 1), *again;
    size_t bytes;
    memcpy(image, data, size);
    if (!record_image_parse(image, size, old, FILE_BYTES, &record, of_file ? &layout : NULL, &finished, &error))
        return;
    record_image_make(&record, finished, of_file ? &layout : NULL, &again, &bytes);
    bool has_all = old || record.version == RECORD_VERSION; /* written are all fields of today */
    CHECK(!has_all || bytes <= size, "what was read is not longer when it is written");
    memory_free(again);
    record_release(&record);
    if (of_file)
        record_layout_release(&layout);
}

static void load_tensors(const struct reader *reader)
{
    struct reader_tensor *tensors;
    size_t count;
    struct error error;
    if (!reader_list_tensors(reader, &tensors, &count, &error))
        return;
    for (size_t t = 0; t < count; t++) {
        float *values = memory_need(tensors[t].count, sizeof *values);
        bool loaded = reader_load_tensor(reader, &tensors[t], values, &error);
        (void)loaded;
        memory_free(values);
    }
    memory_free(tensors);
}

static void read_file(const uint8_t *data, size_t size)
{
    static const uint8_t head[SEAL_BYTES];
    struct reader reader;
    struct error error;
    uint8_t *file = memory_need(sizeof head + size, 1);
    memcpy(file + sizeof head, data, size);
    const char *path = fuzz_file(0, file, sizeof head + size);
    memory_free(file);
    struct seal_range none = {.offset = sizeof head + size};
    if (!seal_write(path, &none, 1, &error) || !reader_open(&reader, path, &error))
        return;
    if (reader_verify(&reader, &error))
        load_tensors(&reader);
    reader_close(&reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool is_ready;
    if (!is_ready)
        h5_init();
    is_ready = true;
    parse_image(data, size, true);
    parse_image(data, size, false);
    uint64_t bytes;
    if (size >= RECORD_IMAGE_HEAD && record_image_begins(data, &bytes)) /* else HDF5 looks, in a process of its own */
        read_file(data, size);
    return 0;
}
