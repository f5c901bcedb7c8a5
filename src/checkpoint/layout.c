#include "checkpoint/layout.h"

#include "base/fault.h"
#include "base/file.h"
#include "base/memory.h"
#include "checkpoint/record_h5.h"
#include "checkpoint/seal.h"
#include "h5/h5.h"

#include <sys/stat.h>

/* A group that remembers the order of its members. */
static hid_t create_group(hid_t file, const char *name)
{
    hid_t create = H5Pcreate(H5P_GROUP_CREATE);
    H5Pset_link_creation_order(create, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED);
    hid_t group = H5Gcreate2(file, name, H5P_DEFAULT, create, H5P_DEFAULT);
    h5_close(create);
    return group;
}

/* Contiguous, its place in the file fixed now, and no pass of zeros over it. */
static hid_t create_dataset(hid_t group, const char *name, hid_t type, size_t count)
{
    hsize_t length = count;
    hid_t create = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(1, &length, NULL), dataset = -1;
    if (H5Pset_layout(create, H5D_CONTIGUOUS) >= 0 && H5Pset_alloc_time(create, H5D_ALLOC_TIME_EARLY) >= 0 &&
        H5Pset_fill_time(create, H5D_FILL_TIME_NEVER) >= 0)
        dataset = H5Dcreate2(group, name, type, space, H5P_DEFAULT, create, H5P_DEFAULT);
    h5_close(space);
    h5_close(create);
    return dataset;
}

/* A dataset of all arrays in a group; offsets[a]: where. */
static bool create_group_datasets(hid_t file, const char *name, const struct record_layout *layout, hid_t type,
                                  size_t count, uint64_t offsets[STATE_ARRAYS])
{
    hid_t group = create_group(file, name);
    bool ok = group >= 0;
    for (size_t a = 0; ok && a < layout->array_count; a++) {
        hid_t dataset = create_dataset(group, layout->arrays[a].name, type, count);
        haddr_t offset = dataset >= 0 ? H5Dget_offset(dataset) : HADDR_UNDEF;
        ok = offset != HADDR_UNDEF;
        offsets[a] = offset;
        h5_close(dataset);
    }
    h5_close(group);
    return ok;
}

/* All arrays and their digests: from now on the layout knows where. */
static bool create_arrays(hid_t file, struct record_layout *layout)
{
    uint64_t floats[STATE_ARRAYS], digests[STATE_ARRAYS];
    if (!create_group_datasets(file, "state", layout, H5T_IEEE_F32LE, layout->count, floats) ||
        !create_group_datasets(file, "digest", layout, H5T_STD_U64LE, exchange_blocks(layout->count), digests))
        return false;
    for (size_t a = 0; a < layout->array_count; a++) {
        layout->arrays[a].offset = floats[a];
        layout->arrays[a].digests = digests[a];
    }
    return true;
}

#define LARGE 65536 /* bytes of a dataset that is aligned */

/* Large datasets begin at a multiple of the alignment: see striping.h. HDF5 wants the user block, where the seal and
 * the image of the record are, to be one, too; a file of small arrays has neither. It is a power of two. */
static hid_t create_file(const char *path, size_t array_bytes, hsize_t alignment, size_t image_bytes)
{
    bool align = array_bytes >= LARGE;
    hsize_t block = align ? alignment : SEAL_BYTES;
    while (block < RECORD_IMAGE_AT + image_bytes)
        block *= 2;
    hid_t access = H5Pcreate(H5P_FILE_ACCESS), create = H5Pcreate(H5P_FILE_CREATE);
    bool ok = h5_set_format(access) && (!align || H5Pset_alignment(access, LARGE, alignment) >= 0) &&
              H5Pset_userblock(create, block) >= 0;
    hid_t file = ok ? H5Fcreate(path, H5F_ACC_EXCL, create, access) : -1;
    h5_close(create);
    h5_close(access);
    return file;
}

uint64_t layout_bytes(const struct state *state, const struct store *store)
{
    uint64_t alignment = store->striping.alignment;
    return alignment + state->array_count * (state->count * sizeof(float) + alignment);
}

/* Local, rank 0. A look before anything is written: HDF5 1.10 cannot close a file that it could not write, and keeps
 * it. What is free may be gone the next moment, or there may be a quota: the reservation is the proof. */
static bool has_room(const struct state *state, size_t image_bytes, const struct store *store, struct error *error)
{
    uint64_t room = store_free_bytes(store), need = layout_bytes(state, store) + 2 * image_bytes;
    return need <= room || error_set(error, ERROR_FULL, "%s has %.1f MB free, a checkpoint needs %.1f MB",
                                     store->directory, (double)room / 1e6, (double)need / 1e6);
}

/* All that HDF5 makes of it. */
static bool make_file(const struct record *record, struct record_layout *layout, size_t image_bytes,
                      const struct store *store, const char *path, struct error *error)
{
    hid_t file = create_file(path, layout->count * sizeof(float), store->striping.alignment, image_bytes);
    if (file < 0)
        return h5_error(error, ERROR_IO, "cannot create %s", path);
    bool ok = create_arrays(file, layout) || h5_error(error, ERROR_IO, "cannot lay out %s", path);
    ok = ok && record_h5_write(file, record, layout, error);
    if (H5Fclose(file) < 0 && ok)
        ok = h5_error(error, ERROR_IO, "cannot lay out %s", path);
    return ok;
}

bool layout_make(const struct snapshot *snapshot, const struct record *record, const struct store *store,
                 const char *path, uint64_t *bytes, struct error *error)
{
    struct record_layout layout;
    struct stat info;
    char *image;
    size_t image_bytes;
    if (!store_restore_directory(store, error))
        return false;
    record_layout_init(&layout, &snapshot->state);
    record_image_make(record, false, &layout, &image, &image_bytes); /* for its length */
    memory_free(image);
    image = NULL;
    bool ok = has_room(&snapshot->state, image_bytes, store, error) &&
              make_file(record, &layout, image_bytes, store, path, error);
    if (ok) {
        record_image_make(record, false, &layout, &image, &image_bytes);
        ok = record_image_write(path, image, image_bytes, error);
    }
    memory_free(image);
    if (ok)
        fault_at(FAULT_FILE_CREATED, snapshot->step);
    if (ok && stat(path, &info))
        ok = error_errno(error, "cannot look at %s", path);
    ok = ok && file_reserve(path, (uint64_t)info.st_size, error);
    if (!ok)
        return false;
    *bytes = (uint64_t)info.st_size;
    fault_at(FAULT_SPACE_RESERVED, snapshot->step);
    return true;
}
