#include "h5/h5_describe.h"

#include "base/memory.h"
#include "h5/h5.h"

#include <stdio.h>
#include <string.h>

/* ---- a dataset that cannot be opened, or not here ---- */

struct listing {
    char text[400];
    size_t used;
};

static herr_t list_dataset(hid_t root, const char *path, const H5O_info_t *info, void *context)
{
    struct listing *listing = context;
    (void)root;
    if (info->type != H5O_TYPE_DATASET)
        return 0;
    size_t room = sizeof listing->text - listing->used;
    bool fits = strlen(path) + 8 < room;
    listing->used += (size_t)snprintf(listing->text + listing->used, room, "%s%s", listing->used ? ", " : "",
                                      fits ? path : "...");
    return !fits;
}

static bool refuse_name(hid_t file, const char *name, struct error *error)
{
    struct listing listing = {.used = 0};
    bool listed = H5Ovisit(file, H5_INDEX_NAME, H5_ITER_NATIVE, list_dataset, &listing) >= 0;
    return error_set(error, ERROR_NOT_FOUND, "there is no dataset %.200s: it has %s", name,
                     listing.used ? listing.text
                     : listed     ? "none at all"
                                  : "some that cannot be listed");
}

/* Of one that h5_open_inside has refused. */
static bool explain(hid_t file, const char *name, struct error *error)
{
    H5L_info_t info;
    if (H5Lexists(file, name, H5P_DEFAULT) <= 0 || H5Lget_info(file, name, &info, H5P_DEFAULT) < 0)
        return refuse_name(file, name, error);
    if (info.type != H5L_TYPE_HARD)
        return error_set(error, ERROR_VERSION, "%.200s is a link to another place: give that as path and name", name);
    hid_t dataset = H5Oopen(file, name, H5P_DEFAULT), create = -1;
    bool is_dataset = H5Iget_type(dataset) == H5I_DATASET;
    if (is_dataset)
        create = H5Dget_create_plist(dataset);
    bool is_view = create >= 0 && H5Pget_layout(create) == H5D_VIRTUAL;
    /* NetCDF writes one for each dimension; of those that are no variables it writes no numbers. */
    bool is_dimension = is_dataset && H5Aexists(dataset, "CLASS") > 0 && H5Aexists(dataset, "NAME") > 0 &&
                        H5Dget_storage_size(dataset) == 0;
    bool is_outside = create >= 0 && H5Pget_external_count(create) != 0;
    h5_close(create);
    h5_close(dataset);
    if (!is_dataset)
        return refuse_name(file, name, error);
    if (is_view || is_outside)
        return error_set(error, ERROR_VERSION, "%.200s has its numbers in other files (%s): %s", name,
                         is_view ? "a virtual dataset" : "external storage",
                         is_view ? "give those as path: 'PATTERN', or copy it, numbers and all"
                                 : "h5repack -l CONTI makes one that is whole");
    if (is_dimension)
        return error_set(error, ERROR_USAGE, "%.200s is a dimension without values", name);
    return error_set(error, ERROR_CORRUPT, "%.200s cannot be read, was never written, or claims more than is there",
                     name);
}

/* ---- what the numbers are ---- */

/* What else they can be, for people. */
static const char *const others[] = {
    [H5T_TIME] = "times",
    [H5T_STRING] = "texts",
    [H5T_BITFIELD] = "bit fields",
    [H5T_OPAQUE] = "bytes of no type",
    [H5T_COMPOUND] = "records",
    [H5T_REFERENCE] = "references",
    [H5T_VLEN] = "lists of different lengths",
    [H5T_ARRAY] = "arrays as elements",
};

/* IEEE 754's binary16, 32 and 64. */
static const struct {
    size_t bytes, sign, exponent, exponent_bits, fraction_bits, bias;
} floats[] = {
    {2, 15, 10, 5, 10, 15},
    {4, 31, 23, 8, 23, 127},
    {8, 63, 52, 11, 52, 1023},
};

static bool is_ieee(hid_t type, size_t bytes)
{
    size_t sign, exponent, exponent_bits, fraction, fraction_bits;
    if (H5Tget_fields(type, &sign, &exponent, &exponent_bits, &fraction, &fraction_bits) < 0)
        return false;
    for (size_t i = 0; i < sizeof floats / sizeof *floats; i++)
        if (bytes == floats[i].bytes)
            return sign == floats[i].sign && exponent == floats[i].exponent &&
                   exponent_bits == floats[i].exponent_bits && fraction == 0 &&
                   fraction_bits == floats[i].fraction_bits && H5Tget_ebias(type) == floats[i].bias &&
                   H5Tget_norm(type) == H5T_NORM_IMPLIED;
    return false;
}

static bool take_number(hid_t type, const char *name, struct h5_array *array, struct error *error)
{
    H5T_class_t class = H5Tget_class(type);
    H5T_order_t order = class == H5T_INTEGER || class == H5T_FLOAT ? H5Tget_order(type) : H5T_ORDER_ERROR;
    array->bytes = H5Tget_size(type);
    array->big_endian = order == H5T_ORDER_BE && array->bytes > 1;
    array->kind = class == H5T_FLOAT                  ? H5_ARRAY_FLOAT
                  : H5Tget_sign(type) == H5T_SGN_NONE ? H5_ARRAY_UNSIGNED
                                                      : H5_ARRAY_SIGNED;
    bool whole = array->bytes == 1 || array->bytes == 2 || array->bytes == 4 || array->bytes == 8;
    if ((order == H5T_ORDER_LE || order == H5T_ORDER_BE) && whole && H5Tget_offset(type) == 0 &&
        H5Tget_precision(type) == 8 * array->bytes && (class == H5T_INTEGER || is_ieee(type, array->bytes)))
        return true;
    const char *words = class >= 0 && class < (int)(sizeof others / sizeof *others) && others[class] ? others[class]
                        : class == H5T_FLOAT                                                         ? "unusual floats"
                                             : "unusual integers";
    return error_set(error, ERROR_VERSION,
                     "%.200s holds %s: only integers of up to 64 bits and floats of 16, 32 or 64 are read", name,
                     words);
}

/* Enumerations (Python's bool is one) are the integers that stand for their names. */
static bool take_type(hid_t dataset, const char *name, struct h5_array *array, struct error *error)
{
    hid_t type = H5Dget_type(dataset);
    hid_t number = H5Tget_class(type) == H5T_ENUM ? H5Tget_super(type) : H5Tcopy(type);
    bool ok = take_number(number, name, array, error);
    h5_close(number);
    h5_close(type);
    return ok;
}

static bool take_shape(hid_t dataset, const char *name, struct h5_array *array, struct error *error)
{
    hid_t space = H5Dget_space(dataset);
    hsize_t size[H5S_MAX_RANK];
    int dims = H5Sget_simple_extent_dims(space, size, NULL);
    bool is_null = H5Sget_simple_extent_type(space) == H5S_NULL;
    h5_close(space);
    if (is_null || dims < 0)
        return error_set(error, ERROR_CORRUPT, "%.200s holds nothing", name);
    if (dims == 0)
        return error_set(error, ERROR_VERSION, "%.200s holds a single number: samples lie along the first axis", name);
    if (dims > H5_ARRAY_DIMS)
        return error_set(error, ERROR_VERSION, "%.200s has %d axes: at most %d are read; reshape it", name, dims,
                         H5_ARRAY_DIMS);
    array->dims = (size_t)dims;
    for (size_t i = 0; i < array->dims; i++) {
        array->size[i] = size[i];
        if (size[i] == 0)
            return error_set(error, ERROR_CORRUPT, "%.200s holds nothing: axis %zu of %d has the size 0", name, i + 1,
                             dims);
    }
    return true;
}

/* ---- where they lie ---- */

static bool take_inside(hid_t dataset, const char *name, struct h5_array *array, struct error *error)
{
    hid_t type = H5Dget_type(dataset);
    array->storage = H5_ARRAY_INSIDE;
    array->count = H5Dget_storage_size(dataset);
    array->values = memory_need(array->count, 1);
    bool ok = H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, array->values) >= 0 ||
              h5_error(error, ERROR_CORRUPT, "%.200s cannot be read", name);
    h5_close(type);
    return ok;
}

static bool take_storage(hid_t dataset, struct h5_bytes *bytes, const char *name, struct h5_array *array,
                         struct error *error)
{
    hid_t create = H5Dget_create_plist(dataset);
    H5D_layout_t layout = H5Pget_layout(create);
    bool ok = true;
    if (layout == H5D_CHUNKED)
        ok = h5_describe_chunks(dataset, create, bytes, name, array, error);
    else if (layout == H5D_COMPACT)
        ok = take_inside(dataset, name, array, error);
    else {
        haddr_t place = H5Dget_offset(dataset);
        array->storage = H5_ARRAY_PIECE;
        array->place = place;
        ok = place != HADDR_UNDEF || error_set(error, ERROR_CORRUPT, "%.200s was never written", name);
    }
    h5_close(create);
    return ok;
}

bool h5_describe_array(hid_t file, struct h5_bytes *bytes, const char *name, struct h5_array *array,
                       struct error *error)
{
    hid_t dataset = -1;
    struct error refused;
    if (!h5_open_inside(file, name, H5_VALUES, &dataset, &refused))
        dataset = -1;
    bool ok = dataset >= 0 ? take_type(dataset, name, array, error) && take_shape(dataset, name, array, error) &&
                                 h5_describe_attributes(file, dataset, name, array, error) &&
                                 take_storage(dataset, bytes, name, array, error)
                           : explain(file, name, error);
    h5_close(dataset);
    return ok;
}
