#include "h5/h5_floats.h"

#include "base/file.h"
#include "h5/h5.h"

#include <limits.h>

static bool put_texts(hid_t dataset, const struct h5_floats *floats)
{
    hsize_t count = floats->text_count;
    hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate_simple(1, &count, NULL), attribute = -1;
    if (type >= 0 && H5Tset_size(type, H5T_VARIABLE) >= 0 && H5Tset_cset(type, H5T_CSET_UTF8) >= 0)
        attribute = H5Acreate2(dataset, floats->attribute, type, space, H5P_DEFAULT, H5P_DEFAULT);
    bool ok = attribute >= 0 && H5Awrite(attribute, type, floats->texts) >= 0;
    h5_close(attribute);
    h5_close(space);
    h5_close(type);
    return ok;
}

/* The dataset, whose room is taken at once, but left as it is; a negative number: it cannot be made. */
static hid_t make(hid_t file, const struct h5_floats *floats)
{
    hsize_t size[H5_FLOATS_DIMS];
    for (size_t d = 0; d < floats->dims; d++)
        size[d] = floats->size[d];
    hid_t space = H5Screate_simple((int)floats->dims, size, NULL), create = H5Pcreate(H5P_DATASET_CREATE), dataset = -1;
    if (H5Pset_layout(create, H5D_CONTIGUOUS) >= 0 && H5Pset_alloc_time(create, H5D_ALLOC_TIME_EARLY) >= 0 &&
        H5Pset_fill_time(create, H5D_FILL_TIME_NEVER) >= 0 && H5Pset_obj_track_times(create, false) >= 0)
        dataset = H5Dcreate2(file, floats->name, H5T_IEEE_F32LE, space, H5P_DEFAULT, create, H5P_DEFAULT);
    h5_close(create);
    h5_close(space);
    return dataset;
}

bool h5_floats_write(int descriptor, const char *path, const struct h5_floats *floats, uint64_t *offset,
                     struct error *error)
{
    char name[PATH_MAX];
    file_name_of(descriptor, path, name);
    hid_t access = H5Pcreate(H5P_FILE_ACCESS), create = H5Pcreate(H5P_FILE_CREATE), file = -1;
    if (h5_set_format(access) && H5Pset_obj_track_times(create, false) >= 0)
        file = H5Fcreate(name, H5F_ACC_TRUNC, create, access);
    hid_t dataset = file >= 0 ? make(file, floats) : -1;
    haddr_t place = dataset >= 0 ? H5Dget_offset(dataset) : HADDR_UNDEF;
    bool ok = place != HADDR_UNDEF && (!floats->attribute || put_texts(dataset, floats));
    if (!ok)
        h5_error(error, ERROR_IO, "%s: cannot be written", path);
    h5_close(dataset);
    h5_close(create);
    h5_close(access);
    if (file >= 0 && H5Fclose(file) < 0 && ok)
        ok = h5_error(error, ERROR_IO, "%s: cannot be written", path);
    *offset = place;
    return ok;
}
