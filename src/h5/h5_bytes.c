#include "h5/h5_bytes.h"

#include "h5/h5.h"

#include <stdlib.h>
#include <string.h>

/* A driver of HDF5's (its documentation, "Virtual File Layer"): files that it has open. */
struct opened {
    H5FD_t pub; /* first: HDF5's */
    struct h5_bytes *bytes;
    haddr_t end; /* of what HDF5 takes for the file */
};

/* What a list of properties says: where the bytes are. */
struct properties {
    struct h5_bytes *bytes;
};

static H5FD_t *driver_open(const char *name, unsigned flags, hid_t access, haddr_t most)
{
    const struct properties *properties = H5Pget_driver_info(access);
    struct opened *opened = calloc(1, sizeof *opened);
    (void)name, (void)most;
    if (!opened || !properties || (flags & H5F_ACC_RDWR)) {
        free(opened);
        return NULL;
    }
    opened->bytes = properties->bytes;
    return &opened->pub;
}

static herr_t driver_close(H5FD_t *file)
{
    free(file);
    return 0;
}

static herr_t driver_query(const H5FD_t *file, unsigned long *flags)
{
    (void)file;
    *flags = 0;
    return 0;
}

static haddr_t get_end(const H5FD_t *file, H5FD_mem_t type)
{
    (void)type;
    return ((const struct opened *)file)->end;
}

static herr_t set_end(H5FD_t *file, H5FD_mem_t type, haddr_t end)
{
    (void)type;
    ((struct opened *)file)->end = end;
    return 0;
}

static haddr_t get_length(const H5FD_t *file, H5FD_mem_t type)
{
    (void)type;
    return ((const struct opened *)file)->bytes->count;
}

static herr_t driver_read(H5FD_t *file, H5FD_mem_t type, hid_t transfer, haddr_t place, size_t size, void *buffer)
{
    struct h5_bytes *bytes = ((struct opened *)file)->bytes;
    (void)transfer;
    if (place > bytes->count || size > bytes->count - place)
        return -1;
    if (bytes->noting && type == H5FD_MEM_DRAW)
        bytes->place = place;
    else
        memcpy(buffer, bytes->bytes + place, size);
    return 0;
}

static herr_t driver_write(H5FD_t *file, H5FD_mem_t type, hid_t transfer, haddr_t place, size_t size,
                           const void *buffer)
{
    (void)file, (void)type, (void)transfer, (void)place, (void)size, (void)buffer;
    return -1;
}

static const H5FD_class_t driver = {
    .name = "bytes",
    .maxaddr = INT64_MAX,
    .fc_degree = H5F_CLOSE_WEAK,
    .fapl_size = sizeof(struct properties),
    .open = driver_open,
    .close = driver_close,
    .query = driver_query,
    .get_eoa = get_end,
    .set_eoa = set_end,
    .get_eof = get_length,
    .read = driver_read,
    .write = driver_write,
    .fl_map = H5FD_FLMAP_SINGLE,
};

bool h5_bytes_open(struct h5_bytes *bytes, hid_t *file, struct error *error)
{
    struct properties properties = {bytes};
    hid_t access = H5Pcreate(H5P_FILE_ACCESS), id = H5FDregister(&driver);
    bool ok = access >= 0 && id >= 0 && h5_set_format(access) && H5Pset_driver(access, id, &properties) >= 0;
    *file = ok ? H5Fopen("bytes", H5F_ACC_RDONLY, access) : -1;
    if (*file < 0)
        h5_error(error, ERROR_CORRUPT, "HDF5 cannot open it");
    h5_close(access);
    if (id >= 0)
        H5FDunregister(id);
    return *file >= 0;
}
