/* The one place that decides what of a strange HDF5 file is opened: only what lies in that very file. Others of this
 * machine are none of its business. */
#include "h5/h5.h"

#include <stdio.h>
#include <string.h>

#define PATH_MOST     1024
#define INFLATED_MOST 2000 /* times: more than zlib can make of anything */

/* Whether all parts of a path are links to objects in this file, not to names, here or in other files. */
static bool is_hard(hid_t file, const char *path)
{
    char part[PATH_MOST];
    H5L_info_t info;
    size_t length = strlen(path);
    if (length >= sizeof part)
        return false;
    for (size_t end = 1; end <= length; end++) {
        if (path[end] != '/' && path[end] != '\0')
            continue;
        memcpy(part, path, end);
        part[end] = '\0';
        if (H5Lget_info(file, part, &info, H5P_DEFAULT) < 0 || info.type != H5L_TYPE_HARD)
            return false;
    }
    return true;
}

/* How the values of a dataset lie in the file. */
static bool lies_as(hid_t dataset, enum h5_place place)
{
    hid_t create = H5Dget_create_plist(dataset);
    H5D_layout_t layout = create >= 0 ? H5Pget_layout(create) : H5D_LAYOUT_ERROR;
    bool ok = create >= 0 && H5Pget_external_count(create) == 0 &&
              (layout == H5D_VIRTUAL ? place == H5_VIEW
                                     : place == H5_VALUES || (place == H5_ROW && layout == H5D_CONTIGUOUS)) &&
              layout != H5D_LAYOUT_ERROR;
    h5_close(create);
    return ok;
}

/* Whether as many values can be there, so that nobody allocates what a short file only claims. */
static bool is_there(hid_t dataset)
{
    hid_t space = H5Dget_space(dataset), type = H5Dget_type(dataset);
    hssize_t count = space >= 0 ? H5Sget_simple_extent_npoints(space) : -1;
    size_t size = type >= 0 ? H5Tget_size(type) : 0;
    hsize_t stored = H5Dget_storage_size(dataset), bytes;
    bool ok = count >= 0 && size > 0 && !__builtin_mul_overflow((hsize_t)count, size, &bytes) &&
              bytes / INFLATED_MOST <= stored && (bytes == 0 || stored > 0);
    h5_close(type);
    h5_close(space);
    return ok;
}

bool h5_open_inside(hid_t file, const char *path, enum h5_place place, hid_t *dataset, struct error *error)
{
    *dataset = is_hard(file, path) ? H5Oopen(file, path, H5P_DEFAULT) : -1;
    bool ok = *dataset >= 0 && H5Iget_type(*dataset) == H5I_DATASET && lies_as(*dataset, place) &&
              (place == H5_VIEW || is_there(*dataset));
    if (ok)
        return true;
    error_set(error, ERROR_CORRUPT, "%.300s cannot be read, or is not %s in this file", path,
              place == H5_VIEW ? "a view of what is" : "wholly");
    h5_close(*dataset);
    *dataset = -1;
    return false;
}

bool h5_open_group(hid_t file, const char *path, hid_t *group, hsize_t *members, struct error *error)
{
    H5G_info_t info;
    *group = is_hard(file, path) ? H5Oopen(file, path, H5P_DEFAULT) : -1;
    if (*group >= 0 && H5Iget_type(*group) == H5I_GROUP && H5Gget_info(*group, &info) >= 0) {
        *members = info.nlinks;
        return true;
    }
    error_set(error, ERROR_CORRUPT, "%.300s cannot be opened, or is no group in this file", path);
    h5_close(*group);
    *group = -1;
    return false;
}
