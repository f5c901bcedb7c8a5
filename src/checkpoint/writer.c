#include "checkpoint/writer.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/memory.h"
#include "checkpoint/h5.h"
#include "checkpoint/reader.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Room for the commit record and HDF5's own structures, reserved with the data. */
#define RECORD_BYTES (1 << 20)

/* An open data file, on all ranks. */
struct data_file {
    hid_t file;
    hid_t arrays[STATE_ARRAYS];
    hid_t digests[STATE_ARRAYS];
};

/* A file for all ranks through MPI-IO. Large datasets begin at a MiB: first writes to a new file are four times faster.
 */
static hid_t create_file(const struct snapshot *snapshot, const char *path)
{
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    hid_t file = -1;
    if (H5Pset_fapl_mpio(access, snapshot->world->comm, MPI_INFO_NULL) >= 0 && h5_set_format(access) &&
        H5Pset_alignment(access, 65536, 1 << 20) >= 0)
        file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, access);
    h5_close(access);
    return file;
}

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

static bool create_layout(struct data_file *data, const struct snapshot *snapshot)
{
    const struct state *state = &snapshot->state;
    hid_t arrays = create_group(data->file, "state"), digests = create_group(data->file, "digest");
    bool ok = arrays >= 0 && digests >= 0;
    for (size_t a = 0; ok && a < state->array_count; a++) {
        data->arrays[a] = create_dataset(arrays, state->arrays[a].name, H5T_IEEE_F32LE, state->count);
        data->digests[a] = create_dataset(digests, state->arrays[a].name, H5T_STD_U64LE, snapshot->blocks);
        ok = data->arrays[a] >= 0 && data->digests[a] >= 0;
    }
    h5_close(arrays);
    h5_close(digests);
    return ok;
}

static void close_datasets(struct data_file *data)
{
    for (size_t a = 0; a < STATE_ARRAYS; a++) {
        h5_close(data->arrays[a]);
        h5_close(data->digests[a]);
        data->arrays[a] = data->digests[a] = -1;
    }
}

/* Rank 0 makes the file first, with plain calls that say why they cannot: an error inside the collective creation would
 * have no words, and might not reach all ranks. */
static bool make_empty(const char *path, struct error *error)
{
    int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0666);
    if (fd < 0)
        return error_errno(error, "cannot create %s", path);
    close(fd);
    return true;
}

static bool reserve(hid_t file, const char *path, int rank, struct error *error)
{
    hsize_t bytes = 0;
    if (H5Fget_filesize(file, &bytes) < 0)
        return h5_error(error, ERROR_IO, "%s: its size is unknown", path);
    return rank != 0 || file_reserve(path, bytes + RECORD_BYTES, error);
}

/* Independent transfers: a rank that cannot write says so, and nobody waits for it (collective ones of OMPIO report
 * success on a full disk). */
static bool write_shard(const struct data_file *data, const struct snapshot *snapshot, struct error *error)
{
    const struct state *state = &snapshot->state;
    size_t rank = (size_t)snapshot->world->rank;
    hid_t transfer = H5Pcreate(H5P_DATASET_XFER);
    bool ok = H5Pset_dxpl_mpio(transfer, H5FD_MPIO_INDEPENDENT) >= 0;
    for (size_t a = 0; ok && a < state->array_count; a++) {
        size_t first_block = (size_t)snapshot->places[rank], blocks = (size_t)snapshot->counts[rank];
        ok = h5_write_range(data->arrays[a], H5T_NATIVE_FLOAT, state->shard.first, state->shard.count, transfer,
                            state->arrays[a].values) &&
             h5_write_range(data->digests[a], H5T_NATIVE_UINT64, first_block, blocks, transfer,
                            snapshot->digests[a] + first_block);
        if (a == 0)
            fault_at(FAULT_SHARD_WRITTEN, snapshot->step);
    }
    h5_close(transfer);
    return ok || h5_error(error, ERROR_IO, "cannot write its part of the checkpoint");
}

/* Collective. Everything up to a closed file that holds all data. */
static bool write_data(const struct snapshot *snapshot, const char *path, struct error *error)
{
    const struct world *world = snapshot->world;
    struct data_file data = {.file = -1};
    for (size_t a = 0; a < STATE_ARRAYS; a++)
        data.arrays[a] = data.digests[a] = -1;
    if (!world_agree(world, world->rank != 0 || make_empty(path, error), error))
        return false;
    data.file = create_file(snapshot, path);
    bool ok = data.file >= 0 || h5_error(error, ERROR_IO, "cannot create %s with MPI-IO", path);
    if (!world_agree(world, ok, error))
        return false; /* a rank that has it open cannot close it alone: rather leak an id than hang */
    ok = create_layout(&data, snapshot) || h5_error(error, ERROR_IO, "cannot lay out %s", path);
    ok = world_agree(world, ok, error);
    if (ok) {
        fault_at(FAULT_FILE_CREATED, snapshot->step);
        ok = world_agree(world, reserve(data.file, path, world->rank, error), error);
    }
    if (ok) {
        fault_at(FAULT_SPACE_RESERVED, snapshot->step);
        ok = world_agree(world, write_shard(&data, snapshot, error), error);
    }
    close_datasets(&data);
    /* The flush syncs what each rank has written, on its own node; the close alone would not. */
    bool flushed = !ok || H5Fflush(data.file, H5F_SCOPE_GLOBAL) >= 0;
    bool closed = H5Fclose(data.file) >= 0;
    if (ok && !(flushed && closed))
        ok = h5_error(error, ERROR_IO, "cannot finish %s", path);
    return world_agree(world, ok, error);
}

/* Collective. What is in the file is compared with digests of what was in memory. */
static bool read_back(const struct snapshot *snapshot, const char *path, struct error *error)
{
    const struct state *state = &snapshot->state;
    bool ok = true;
    for (size_t a = 0; ok && a < state->array_count; a++)
        ok = reader_compare(path, state->arrays[a].name, state->shard.first, state->shard.count,
                            snapshot->digests[a] + state->shard.first / EXCHANGE_BLOCK, error);
    return world_agree(snapshot->world, ok, error);
}

/* Local, rank 0. From proven data to a published checkpoint. */
static bool finish(const struct snapshot *snapshot, const struct record *record, const struct store *store,
                   const char *partial, uint64_t *bytes, struct error *error)
{
    struct record own = *record;
    struct reader reader;
    struct stat info;
    own.step = snapshot->step;
    own.fingerprint = snapshot->fingerprint;
    if (!record_write(partial, &own, &snapshot->state, error))
        return false;
    fault_at(FAULT_RECORD_WRITTEN, own.step);
    if (!file_sync(partial, error) || !reader_open(&reader, partial, error))
        return false;
    reader_close(&reader);
    fault_at(FAULT_FILE_SYNCED, own.step);
    *bytes = stat(partial, &info) == 0 ? (uint64_t)info.st_size : 0;
    return store_publish(store, own.step, error);
}

bool writer_commit(const struct snapshot *snapshot, const struct record *record, const struct store *store, size_t keep,
                   struct commit *commit, struct error *error)
{
    const struct world *world = snapshot->world;
    char partial[PATH_MAX];
    double start = clock_seconds();
    *commit = (struct commit){.pruned = true};
    store_partial_path(store, snapshot->step, partial);
    fault_at(FAULT_SNAPSHOT_TAKEN, snapshot->step);
    bool ok = write_data(snapshot, partial, error);
    if (ok) {
        fault_at(FAULT_FILE_CLOSED, snapshot->step);
        ok = read_back(snapshot, partial, error);
    }
    if (ok) {
        fault_at(FAULT_DATA_VERIFIED, snapshot->step);
        ok = world->rank != 0 || finish(snapshot, record, store, partial, &commit->bytes, error);
        ok = world_agree(world, ok, error);
    }
    if (!ok) {
        if (world->rank == 0)
            unlink(partial);
        return false;
    }
    commit->write_ms = 1e3 * (clock_seconds() - start);
    fault_at(FAULT_COMMITTED, snapshot->step);
    commit->bytes = world_share_number(world, commit->bytes);
    bool pruned = world->rank != 0 || store_prune(store, snapshot->step, keep, &commit->prune_error);
    commit->pruned = world_agree(world, pruned, &commit->prune_error);
    fault_at(FAULT_PRUNED, snapshot->step);
    return true;
}
