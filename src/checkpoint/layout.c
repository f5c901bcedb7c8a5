#include "checkpoint/layout.h"

#include "base/fault.h"
#include "base/file.h"
#include "checkpoint/h5.h"
#include "checkpoint/seal.h"

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

/* A dataset of all arrays in a group. */
static bool create_group_datasets(hid_t file, const char *name, const struct state *state, hid_t type, size_t count)
{
    hid_t group = create_group(file, name);
    bool ok = group >= 0;
    for (size_t a = 0; ok && a < state->array_count; a++) {
        hid_t dataset = create_dataset(group, state->arrays[a].name, type, count);
        ok = dataset >= 0;
        h5_close(dataset);
    }
    h5_close(group);
    return ok;
}

#define LARGE 65536 /* bytes of a dataset that is aligned */

/* Large datasets begin at a multiple of the alignment: see striping.h. HDF5 wants the user block, where the seal is, to
 * be one, too; a file of small arrays has neither. */
static hid_t create_file(const char *path, size_t array_bytes, hsize_t alignment)
{
    bool align = array_bytes >= LARGE;
    hid_t access = H5Pcreate(H5P_FILE_ACCESS), create = H5Pcreate(H5P_FILE_CREATE);
    bool ok = h5_set_format(access) && (!align || H5Pset_alignment(access, LARGE, alignment) >= 0) &&
              H5Pset_userblock(create, align ? alignment : SEAL_BYTES) >= 0;
    hid_t file = ok ? H5Fcreate(path, H5F_ACC_EXCL, create, access) : -1;
    h5_close(create);
    h5_close(access);
    return file;
}

/* Local, rank 0. A look before anything is written: HDF5 1.10 cannot close a file that it could not write, and keeps
 * it. What is free may be gone the next moment, or there may be a quota: the reservation is the proof. */
static bool has_room(const struct state *state, const struct store *store, struct error *error)
{
    uint64_t room = file_free_bytes(store->directory);
    uint64_t alignment = store->striping.alignment;
    uint64_t need = alignment + state->array_count * (state->count * sizeof(float) + alignment);
    return need <= room || error_set(error, ERROR_IO, "%s has %.1f MB free, a checkpoint needs %.1f MB",
                                     store->directory, (double)room / 1e6, (double)need / 1e6);
}

bool layout_make(const struct snapshot *snapshot, const struct record *record, const struct store *store,
                 const char *path, uint64_t *bytes, struct error *error)
{
    const struct state *state = &snapshot->state;
    struct stat info;
    if (!store_restore_directory(store, error) || !has_room(state, store, error))
        return false;
    hid_t file = create_file(path, state->count * sizeof(float), store->striping.alignment);
    if (file < 0)
        return h5_error(error, ERROR_IO, "cannot create %s", path);
    bool ok = create_group_datasets(file, "state", state, H5T_IEEE_F32LE, state->count) &&
              create_group_datasets(file, "digest", state, H5T_STD_U64LE, snapshot->blocks);
    if (!ok)
        h5_error(error, ERROR_IO, "cannot lay out %s", path);
    ok = ok && record_write(file, record, state, error);
    if (H5Fclose(file) < 0 && ok)
        ok = h5_error(error, ERROR_IO, "cannot lay out %s", path);
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
