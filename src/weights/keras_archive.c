#include "weights/keras_archive.h"

#include "base/memory.h"
#include "weights/hdf5_kind.h"
#include "weights/hdf5_read.h"
#include "weights/zip_entry.h"

#include <string.h>

#define CONFIG  "config.json"
#define WEIGHTS "model.weights.h5"

static const struct hdf5_view view = {.prefix = ""};

bool keras_archive_is(zip_t *archive)
{
    return zip_name_locate(archive, CONFIG, 0) >= 0 && zip_name_locate(archive, "metadata.json", 0) >= 0;
}

static bool open_file(struct weights_file *file, bool averaged, struct error *error)
{
    (void)averaged;
    zip_t *archive;
    char *weights = NULL;
    size_t config_bytes, count;
    if (!zip_entry_open(file->path, &archive, error))
        return false;
    bool ok = zip_entry_read(archive, CONFIG, &file->weights.layers, &config_bytes, error) &&
              zip_entry_read(archive, WEIGHTS, &weights, &count, error);
    zip_discard(archive);
    if (ok && (count < 8 || memcmp(weights, HDF5_SIGNATURE, 8) != 0))
        ok = error_set(error, ERROR_CORRUPT, WEIGHTS ": it is no HDF5 file");
    if (!ok) {
        memory_free(weights);
        return false;
    }
    return hdf5_read_open_bytes(file, &view, weights, count, error) || error_prefix(error, WEIGHTS ": ");
}

const struct weights_format weights_keras_archive = {
    .name = "keras archive", .suffix = ".keras", .open = open_file, .close = hdf5_read_close, .load = hdf5_read_load};
