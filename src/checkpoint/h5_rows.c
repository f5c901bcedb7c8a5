#include "checkpoint/h5.h"

#include "base/memory.h"

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

bool h5_read_rows(hid_t file, const char *name, hid_t type, size_t row_bytes, void **values, size_t *rows,
                  struct error *error)
{
    hid_t dataset = H5Dopen2(file, name, H5P_DEFAULT);
    hid_t space = dataset >= 0 ? H5Dget_space(dataset) : -1;
    hssize_t count = space >= 0 ? H5Sget_simple_extent_npoints(space) : -1;
    bool ok = false;
    if (count > 0 && count < 1 << 24) {
        *values = memory_need((size_t)count, row_bytes);
        *rows = (size_t)count;
        ok = H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, *values) >= 0;
    }
    if (!ok)
        h5_error(error, ERROR_CORRUPT, "cannot read the table /%s", name);
    h5_close(space);
    h5_close(type);
    h5_close(dataset);
    return ok;
}

/* What an older file's rows lack stays zero: HDF5 leaves alone what it finds no source for. */
