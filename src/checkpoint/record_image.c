#include "checkpoint/record_image.h"

#include "base/file.h"
#include "checkpoint/h5.h"

#include <unistd.h>

#define NAME      "record" /* HDF5 wants one; nothing of this name comes to be on a disk */
#define INCREMENT 65536

bool record_image_make(const struct record *record, uint64_t fingerprint, const char *path, char **image, size_t *bytes,
                       struct error *error)
{
    const struct state no_views = {0};
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    hid_t file = h5_set_format(access) ? H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, access) : -1;
    bool ok = file >= 0 || h5_error(error, ERROR_IO, "cannot create %s", path);
    ok = ok && record_write(file, record, &no_views, error) && record_write_fingerprint(file, fingerprint, error);
    if (file >= 0 && H5Fclose(file) < 0 && ok)
        ok = h5_error(error, ERROR_IO, "cannot write %s", path);
    h5_close(access);
    ok = ok && file_read(path, image, bytes, error);
    unlink(path);
    return ok;
}

bool record_image_read(const void *image, size_t bytes, struct record *record, struct error *error)
{
    *record = (struct record){0};
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    bool ok = h5_set_format(access) && H5Pset_fapl_core(access, INCREMENT, 0) >= 0 &&
              H5Pset_file_image(access, (void *)image, bytes) >= 0; /* copied, not changed */
    hid_t file = ok ? H5Fopen(NAME, H5F_ACC_RDONLY, access) : -1;
    ok = file >= 0 ? record_read(file, record, error)
                   : h5_error(error, ERROR_CORRUPT, "cannot open a record in memory");
    h5_close(file);
    h5_close(access);
    return ok;
}
