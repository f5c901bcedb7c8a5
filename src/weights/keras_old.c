/* Keras 2's .h5 of save_weights (keras-team/keras, saving/legacy/hdf5_format.py): attribute layer_names, the layers in
 * order, and for each a group /LAYER whose attribute weight_names has the names of its tensors: LAYER/kernel:0, of a
 * model inside the model those of all its layers. Only read.
 *
 * It tells no classes. What Keras itself goes by are order and shapes; here names and dimensions of a layer's tensors
 * say which class it is of, so that the rest is as with a file that has a configuration. */
#include "base/memory.h"
#include "h5/h5.h"
#include "weights/hdf5_kind.h"
#include "weights/hdf5_read.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define NAMES_MOST 65536
#define BYTES_MOST ((size_t)1 << 24) /* of all names */

struct look {
    hid_t root;
    const char *layer; /* of the outermost model */
    json_t *inner;     /* layers of this one found so far, as a configuration */
};

/* Appends texts of a fixed length, as they lie behind each other. */
static bool add_texts(json_t *names, const char *texts, size_t count, size_t bytes)
{
    for (size_t i = 0; i < count; i++) {
        const char *text = texts + i * bytes;
        if (json_array_append_new(names, json_stringn(text, strnlen(text, bytes))))
            return false; /* no UTF-8 */
    }
    return true;
}

/* An attribute that is a list of texts, as h5py writes it: of a fixed or a variable length; an empty one is of numbers.
 * The caller owns it. */
static json_t *read_names(hid_t object, const char *name)
{
    hid_t attribute = H5Aopen(object, name, H5P_DEFAULT);
    hid_t type = attribute >= 0 ? H5Aget_type(attribute) : -1, space = attribute >= 0 ? H5Aget_space(attribute) : -1;
    hssize_t points = space >= 0 ? H5Sget_simple_extent_npoints(space) : -1;
    size_t bytes = type >= 0 ? H5Tget_size(type) : 0, count = points > 0 ? (size_t)points : 0;
    json_t *names = json_array();
    bool ok = type >= 0 && points >= 0 && points <= NAMES_MOST && bytes > 0 && bytes <= BYTES_MOST / (count + 1);
    if (ok && count > 0) {
        char *all = memory_need(count, bytes);
        bool varies = H5Tis_variable_str(type) > 0;
        ok = H5Tget_class(type) == H5T_STRING && H5Aread(attribute, type, all) >= 0;
        for (size_t i = 0; ok && varies && i < count; i++)
            ok = ((char **)(void *)all)[i] && json_array_append_new(names, json_string(((char **)(void *)all)[i])) == 0;
        if (varies && H5Tget_class(type) == H5T_STRING)
            H5Dvlen_reclaim(type, space, H5P_DEFAULT, all);
        else
            ok = ok && add_texts(names, all, count, bytes);
        memory_free(all);
    }
    h5_close(space);
    h5_close(type);
    h5_close(attribute);
    if (ok)
        return names;
    json_decref(names);
    return NULL;
}

/* Of the layer that has a tensor of this name, which may tell less than another one of the layer; NULL: no telling. */
static const char *class_of(const char *variable, int dims)
{
    static const char *const kernels[] = {NULL, NULL, "Dense", "Conv1D", "Conv2D", "Conv3D"};
    size_t length = strcspn(variable, ":");
    if (length == 6 && strncmp(variable, "kernel", length) == 0)
        return dims >= 0 && dims < 6 ? kernels[dims] : NULL;
    if (length == 10 && strncmp(variable, "embeddings", length) == 0)
        return "Embedding";
    if (length > 7 && strncmp(variable, "moving_", 7) == 0)
        return "BatchNormalization";
    if ((length == 5 && strncmp(variable, "gamma", length) == 0) ||
        (length == 4 && strncmp(variable, "beta", length) == 0))
        return "LayerNormalization";
    return length == 4 && strncmp(variable, "bias", length) == 0 ? "" : NULL;
}

/* The entry of the layer `own`, [length] bytes; a new one is the last. */
static json_t *entry_of(json_t *inner, const char *own, size_t length)
{
    size_t i;
    json_t *entry;
    json_array_foreach(inner, i, entry)
    {
        const char *name = json_string_value(json_object_get(json_object_get(entry, "config"), "name"));
        if (name && strlen(name) == length && strncmp(name, own, length) == 0)
            return entry;
    }
    json_array_append_new(inner, json_pack("{s:s, s:{s:s%}}", "class_name", "", "config", "name", own, length));
    return json_array_get(inner, json_array_size(inner) - 1);
}

static bool take_tensor(const struct look *look, const char *name, struct error *error)
{
    const char *last = strrchr(name, '/'), *own = last;
    while (own && own > name && own[-1] != '/')
        own--;
    struct text path;
    text_init(&path);
    text_append(&path, "%s/%s", look->layer, name);
    hid_t dataset;
    bool ok = h5_open_inside(look->root, path.bytes, H5_VALUES, &dataset, error);
    hid_t space = ok ? H5Dget_space(dataset) : -1;
    int dims = space >= 0 ? H5Sget_simple_extent_ndims(space) : -1;
    if (ok && own) {
        json_t *entry = entry_of(look->inner, own, (size_t)(last - own));
        const char *class = class_of(last + 1, dims), *before = json_string_value(json_object_get(entry, "class_name"));
        bool says_more = class && *class && before && strcmp(before, "BatchNormalization") != 0;
        if (entry && (!class || (says_more && strcmp(before, "Unknown") != 0)))
            json_object_set_new(entry, "class_name", json_string(class ? class : "Unknown"));
    }
    h5_close(space);
    h5_close(dataset);
    text_release(&path);
    return ok;
}

/* A layer, or a model as one: as a model in either case. */
static bool take_layer(hid_t root, const char *layer, json_t *layers, struct error *error)
{
    hid_t group;
    hsize_t members;
    if (!h5_open_group(root, layer, &group, &members, error))
        return false;
    struct look look = {root, layer, json_array()};
    json_t *names = read_names(group, "weight_names"), *name;
    bool ok = names != NULL || error_set(error, ERROR_CORRUPT, "/%.200s: weight_names cannot be read", layer);
    size_t i;
    json_array_foreach(names, i, name) ok = ok && take_tensor(&look, json_string_value(name), error);
    json_array_append_new(layers, json_pack("{s:s, s:{s:s, s:O}}", "class_name", "Sequential", "config", "name", layer,
                                            "layers", look.inner));
    json_decref(look.inner);
    json_decref(names);
    h5_close(group);
    return ok;
}

static bool read_layers(hid_t root, struct weights *weights, struct error *error)
{
    json_t *names = read_names(root, HDF5_KERAS_LAYERS), *name, *layers = json_array();
    bool ok = names != NULL || error_set(error, ERROR_CORRUPT, HDF5_KERAS_LAYERS " cannot be read");
    size_t i;
    json_array_foreach(names, i, name) ok = ok && take_layer(root, json_string_value(name), layers, error);
    json_t *model = json_pack("{s:s, s:{s:O}}", "class_name", "Sequential", "config", "layers", layers);
    char *text = model && ok ? json_dumps(model, JSON_COMPACT) : NULL;
    if (text)
        weights->layers = memory_text(text);
    free(text);
    json_decref(model);
    json_decref(layers);
    json_decref(names);
    return ok && (weights->layers || error_set(error, ERROR_CORRUPT, "the names of its layers cannot be read"));
}

static const struct hdf5_view view = {.prefix = "", .read_about = read_layers};

static bool open_file(struct weights_file *file, bool averaged, struct error *error)
{
    (void)averaged;
    return hdf5_read_open(file, &view, error);
}

const struct weights_format weights_keras_old = {
    .name = "keras 2 weights", .suffix = ".h5", .open = open_file, .close = hdf5_read_close, .load = hdf5_read_load};
