#include "h5/h5.h"

#include "base/memory.h"

#include <stdio.h>

bool h5_write_rows(hid_t file, const char *name, hid_t type, size_t rows, const void *values, struct error *error)
{
    hsize_t count = rows;
    hid_t space = -1, create = -1, dataset = -1;
    bool ok = rows == 0;
    if (!ok) {
        space = H5Screate_simple(1, &count, NULL);
        create = H5Pcreate(H5P_DATASET_CREATE);
        if (H5Pset_chunk(create, 1, &count) >= 0 && H5Pset_fletcher32(create) >= 0)
            dataset = H5Dcreate2(file, name, type, space, H5P_DEFAULT, create, H5P_DEFAULT);
        ok = dataset >= 0 && H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0;
    }
    if (!ok)
        h5_error(error, ERROR_IO, "cannot write the table /%s", name);
    h5_close(dataset);
    h5_close(create);
    h5_close(space);
    h5_close(type);
    return ok;
}

/* Whether rows of the file can be taken for rows of `type`: they have no member of another kind, and no text that is
 * somewhere else. HDF5 would follow what a file says about its types a long way. */
static bool is_plain(hid_t dataset)
{
    hid_t type = H5Dget_type(dataset);
    bool ok = H5Tget_class(type) == H5T_COMPOUND;
    int members = ok ? H5Tget_nmembers(type) : 0;
    for (int m = 0; ok && m < members; m++) {
        hid_t member = H5Tget_member_type(type, (unsigned)m);
        H5T_class_t class = H5Tget_class(member);
        ok = class == H5T_INTEGER || class == H5T_FLOAT || (class == H5T_STRING && H5Tis_variable_str(member) == 0);
        h5_close(member);
    }
    h5_close(type);
    return ok;
}

bool h5_read_rows(hid_t file, const char *name, hid_t type, size_t row_bytes, void **values, size_t *rows,
                  struct error *error)
{
    char path[300];
    hid_t dataset;
    snprintf(path, sizeof path, "/%s", name);
    bool ok = h5_open_inside(file, path, H5_VALUES, &dataset, error);
    if (ok) {
        hid_t space = H5Dget_space(dataset);
        hssize_t count = H5Sget_simple_extent_ndims(space) == 1 ? H5Sget_simple_extent_npoints(space) : -1;
        ok = count > 0 && count < 1 << 24 && is_plain(dataset) &&
             (uint64_t)count * sizeof(uint64_t) <= H5Dget_storage_size(dataset); /* they are not compressed */
        *values = ok ? memory_alloc((size_t)count, row_bytes, path, error) : NULL;
        *rows = *values ? (size_t)count : 0;
        if (!ok)
            error_set(error, ERROR_CORRUPT, "the table %s is not one that lockstep writes", path);
        ok = *values && (H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, *values) >= 0 ||
                         h5_error(error, ERROR_CORRUPT, "cannot read the table %s", path));
        h5_close(space);
    }
    h5_close(dataset);
    h5_close(type);
    return ok;
}

/* What an older file's rows lack stays zero: HDF5 leaves alone what it finds no source for. */
