/* What NetCDF's attributes say about numbers: all of it is applied, or the dataset is refused. */
#include "h5/h5.h"
#include "h5/h5_describe.h"

#include <math.h>
#include <string.h>
#include <strings.h>

#define TEXT 16 /* bytes of one that is "true" or "false" */

/* The numbers of an attribute, up to `most`; *n is 0 if there is none. */
static bool take_numbers(hid_t dataset, const char *name, const char *key, size_t most, double *values, size_t *n,
                         struct error *error)
{
    *n = 0;
    if (H5Aexists(dataset, key) <= 0)
        return true;
    hid_t attribute = H5Aopen(dataset, key, H5P_DEFAULT), type = H5Aget_type(attribute),
          space = H5Aget_space(attribute);
    H5T_class_t class = H5Tget_class(type);
    hssize_t count = H5Sget_simple_extent_npoints(space);
    bool ok = (class == H5T_INTEGER || class == H5T_FLOAT) && count > 0 && (size_t)count <= most &&
              H5Aread(attribute, H5T_NATIVE_DOUBLE, values) >= 0;
    *n = ok ? (size_t)count : 0;
    h5_close(space);
    h5_close(type);
    h5_close(attribute);
    return ok ||
           error_set(error, ERROR_VERSION,
                     "%.200s has an attribute %s that is not one number (or a few): what it says would have to be "
                     "applied; take it away, or correct it",
                     name, key);
}

static bool take_scale(hid_t dataset, const char *name, struct h5_array *array, struct error *error)
{
    size_t scales, offsets;
    array->scale = 1;
    if (!take_numbers(dataset, name, "scale_factor", 1, &array->scale, &scales, error) ||
        !take_numbers(dataset, name, "add_offset", 1, &array->offset, &offsets, error))
        return false;
    array->is_scaled = scales + offsets > 0;
    return (isfinite(array->scale) && array->scale != 0 && isfinite(array->offset)) ||
           error_set(error, ERROR_VERSION, "%.200s has scale_factor %g and add_offset %g: its numbers cannot be scaled",
                     name, array->scale, array->offset);
}

/* A short text of either kind; "" if it is another one. */
static void read_text(hid_t attribute, char text[TEXT])
{
    hid_t type = H5Aget_type(attribute), space = H5Aget_space(attribute);
    bool is_one = H5Tget_class(type) == H5T_STRING && H5Sget_simple_extent_npoints(space) == 1;
    char *variable = NULL;
    if (is_one && H5Tis_variable_str(type) > 0) {
        if (H5Aread(attribute, type, &variable) >= 0 && variable && strlen(variable) < TEXT)
            memcpy(text, variable, strlen(variable) + 1);
    } else if (is_one && H5Tget_size(type) < TEXT && H5Aread(attribute, type, text) < 0)
        text[0] = '\0';
    h5_close(space);
    h5_close(type);
}

/* Classic NetCDF had no unsigned integers: _Unsigned = "true" says that signed ones are meant so, and the other way
 * round. */
static bool take_sign(hid_t dataset, const char *name, struct h5_array *array, struct error *error)
{
    char text[TEXT] = "";
    if (H5Aexists(dataset, "_Unsigned") <= 0)
        return true;
    hid_t attribute = H5Aopen(dataset, "_Unsigned", H5P_DEFAULT);
    read_text(attribute, text);
    h5_close(attribute);
    bool is_unsigned = strcasecmp(text, "true") == 0;
    if (array->kind == H5_ARRAY_FLOAT || (!is_unsigned && strcasecmp(text, "false") != 0))
        return error_set(error, ERROR_VERSION,
                         "%.200s has an attribute _Unsigned that is neither \"true\" nor \"false\", or has floats",
                         name);
    array->kind = is_unsigned ? H5_ARRAY_UNSIGNED : H5_ARRAY_SIGNED;
    return true;
}

static bool is_netcdf(hid_t file, hid_t dataset)
{
    return H5Aexists(file, "_NCProperties") > 0 || H5Aexists(dataset, "_Netcdf4Dimid") > 0 ||
           H5Aexists(dataset, "_Netcdf4Coordinates") > 0;
}

/* NetCDF fills what nobody writes with a number of its own, which stands for none even if no attribute says so; but
 * for bytes, of which all are needed. */
static size_t take_default_fill(hid_t file, hid_t dataset, const struct h5_array *array, double *value)
{
    H5D_fill_value_t defined = H5D_FILL_VALUE_ERROR;
    hid_t create = H5Dget_create_plist(dataset);
    bool found = array->bytes > 1 && is_netcdf(file, dataset) && H5Pfill_value_defined(create, &defined) >= 0 &&
                 defined == H5D_FILL_VALUE_USER_DEFINED && H5Pget_fill_value(create, H5T_NATIVE_DOUBLE, value) >= 0;
    h5_close(create);
    return found;
}

static bool take_missing(hid_t file, hid_t dataset, const char *name, struct h5_array *array, struct error *error)
{
    size_t fills, others;
    if (!take_numbers(dataset, name, "_FillValue", 1, array->missing, &fills, error))
        return false;
    if (fills == 0)
        fills = take_default_fill(file, dataset, array, array->missing);
    if (!take_numbers(dataset, name, "missing_value", H5_ARRAY_MISSING - 1, array->missing + fills, &others, error))
        return false;
    array->missing_count = fills + others;
    double turn = ldexp(1, (int)(8 * array->bytes)); /* of integers whose sign _Unsigned has changed */
    for (size_t m = 0; m < array->missing_count; m++) {
        double *value = &array->missing[m];
        if (array->kind == H5_ARRAY_UNSIGNED && *value < 0 && *value >= -turn / 2)
            *value += turn;
        else if (array->kind == H5_ARRAY_SIGNED && *value >= turn / 2 && *value < turn)
            *value -= turn;
    }
    return true;
}

bool h5_describe_attributes(hid_t file, hid_t dataset, const char *name, struct h5_array *array, struct error *error)
{
    return take_scale(dataset, name, array, error) && take_sign(dataset, name, array, error) &&
           take_missing(file, dataset, name, array, error);
}
