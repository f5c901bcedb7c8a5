/* Keras' .h5 of a whole model (keras-team/keras, src/legacy/saving/legacy_h5_format.py): attribute model_config, which
 * describes the layers, and /model_weights/LAYER/.../kernel:0, of a model inside the model under its own name. Only
 * read. */
#include "base/memory.h"
#include "h5/h5.h"
#include "weights/hdf5_kind.h"
#include "weights/hdf5_read.h"

#define CONFIG_MOST ((size_t)1 << 26) /* bytes */

/* h5py writes texts of a fixed and of a variable length, by its version; the caller owns it. */
static char *read_text(hid_t attribute, hid_t type)
{
    char *text = NULL, *own = NULL;
    size_t bytes = H5Tget_size(type);
    if (H5Tget_class(type) != H5T_STRING)
        return NULL;
    if (H5Tis_variable_str(type) > 0) {
        if (H5Aread(attribute, type, &text) >= 0 && text)
            own = memory_text(text);
        H5free_memory(text);
        return own;
    }
    own = bytes <= CONFIG_MOST ? memory_need(bytes + 1, 1) : NULL;
    if (own && H5Aread(attribute, type, own) >= 0)
        return own;
    memory_free(own);
    return NULL;
}

static bool read_layers(hid_t root, struct weights *weights, struct error *error)
{
    hid_t attribute = H5Aopen(root, HDF5_KERAS_CONFIG, H5P_DEFAULT);
    hid_t type = attribute >= 0 ? H5Aget_type(attribute) : -1, space = attribute >= 0 ? H5Aget_space(attribute) : -1;
    if (type >= 0 && space >= 0 && H5Sget_simple_extent_npoints(space) == 1)
        weights->layers = read_text(attribute, type);
    h5_close(space);
    h5_close(type);
    h5_close(attribute);
    return weights->layers || h5_error(error, ERROR_CORRUPT, "attribute '" HDF5_KERAS_CONFIG "' is not a text");
}

static const struct hdf5_view view = {.prefix = "model_weights/", .read_about = read_layers};

static bool open_file(struct weights_file *file, bool averaged, struct error *error)
{
    (void)averaged;
    return hdf5_read_open(file, &view, error);
}

const struct weights_format weights_keras_whole = {
    .name = "whole keras model", .suffix = ".h5", .open = open_file, .close = hdf5_read_close, .load = hdf5_read_load};
