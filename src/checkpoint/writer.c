#include "checkpoint/writer.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/timeline.h"
#include "checkpoint/layout.h"
#include "checkpoint/reader.h"
#include "checkpoint/record_h5.h"
#include "checkpoint/record_prove.h"
#include "checkpoint/seal.h"
#include "checkpoint/shared_file.h"
#include "h5/h5.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* An open data file, on all ranks. */
struct data_file {
    hid_t file;
    hid_t arrays[STATE_ARRAYS];
    hid_t digests[STATE_ARRAYS];
};

static hid_t open_dataset(hid_t file, const char *group, const char *name)
{
    char path[300];
    snprintf(path, sizeof path, "/%s/%s", group, name);
    return H5Dopen2(file, path, H5P_DEFAULT);
}

static void close_datasets(struct data_file *data)
{
    for (size_t a = 0; a < STATE_ARRAYS; a++) {
        h5_close(data->arrays[a]);
        h5_close(data->digests[a]);
    }
}

/* Local. Opens the laid-out file with MPI-IO, for this rank alone. After failure nothing is open. */
static bool open_data(struct data_file *data, const struct snapshot *snapshot, const struct store *store,
                      const char *path, struct error *error)
{
    const struct state *state = &snapshot->state;
    bool ok = true;
    if (!shared_file_open(store, path, &data->file, error))
        return false;
    for (size_t a = 0; a < STATE_ARRAYS; a++)
        data->arrays[a] = data->digests[a] = -1;
    for (size_t a = 0; ok && a < state->array_count; a++) {
        data->arrays[a] = open_dataset(data->file, "state", state->arrays[a].name);
        data->digests[a] = open_dataset(data->file, "digest", state->arrays[a].name);
        ok = data->arrays[a] >= 0 && data->digests[a] >= 0;
    }
    if (!ok) {
        h5_error(error, ERROR_IO, "cannot open the arrays of %s", path);
        close_datasets(data);
        h5_close(data->file);
    }
    return ok;
}

/* Independent transfers: a rank that cannot write says so (collective ones of OMPIO report success on a full disk). */
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

/* Local. This rank's shards into a file that is laid out, and onto the disk. */
static bool write_data(const struct snapshot *snapshot, const struct store *store, const char *path,
                       struct error *error)
{
    struct data_file data;
    if (!open_data(&data, snapshot, store, path, error))
        return false;
    bool ok = write_shard(&data, snapshot, error);
    close_datasets(&data);
    /* The flush syncs what this rank has written, on its own node; the close alone would not. */
    timeline_begin(MARK_SYNC);
    if (H5Fflush(data.file, H5F_SCOPE_GLOBAL) < 0 && ok)
        ok = h5_error(error, ERROR_IO, "cannot sync %s", path);
    timeline_end();
    if (H5Fclose(data.file) < 0 && ok)
        ok = h5_error(error, ERROR_IO, "cannot close %s", path);
    return ok;
}

/* Local. What is in the file is compared with digests of what was in memory. */
static bool read_back(const struct snapshot *snapshot, const char *path, struct error *error)
{
    const struct state *state = &snapshot->state;
    struct reader reader;
    bool ok = reader_open_unfinished(&reader, path, error);
    if (ok && (reader.count != state->count || reader.array_count != state->array_count))
        ok = error_set(error, ERROR_CORRUPT, "%s: another layout has come into it", path);
    for (size_t a = 0; ok && a < state->array_count; a++)
        ok = reader_compare(&reader, a, state->shard.first, state->shard.count,
                            snapshot->digests[a] + state->shard.first / EXCHANGE_BLOCK, error);
    reader_close(&reader);
    return ok;
}

/* Local, rank 0. Seals the finished file: all but its arrays. */
static bool seal(const char *path, struct error *error)
{
    struct seal_range ranges[STATE_ARRAYS];
    struct reader reader;
    if (!reader_open_unfinished(&reader, path, error))
        return false;
    for (size_t a = 0; a < reader.array_count; a++)
        ranges[a] = (struct seal_range){reader.layout.arrays[a].offset, reader.count * sizeof(float)};
    bool ok = seal_write(path, ranges, reader.array_count, error);
    reader_close(&reader);
    return ok;
}

/* Local, rank 0. Whether what HDF5 has written has come to the disk, too: it keeps to itself that a part of a table
 * could not be written. The file is our own: HDF5 may look at it here. */
static bool prove_h5(const struct reader *reader, struct error *error)
{
    hid_t file;
    bool ok = h5_open(reader->descriptor, reader->path, H5F_ACC_RDONLY, &file, error) &&
              record_prove_layout(file, &reader->layout, error) &&
              record_prove(file, &reader->record, &reader->layout, error);
    h5_close(file);
    return ok || error_prefix(error, "%s: ", reader->path);
}

/* Local, rank 0. From proven data to a published checkpoint. */
static bool publish(const struct snapshot *snapshot, const struct store *store, const char *partial,
                    struct error *error)
{
    struct reader reader;
    if (!record_h5_finish(partial, snapshot->fingerprint, error) ||
        !record_image_finish(partial, snapshot->fingerprint, error))
        return false;
    fault_at(FAULT_RECORD_WRITTEN, snapshot->step);
    bool ok = seal(partial, error);
    timeline_begin(MARK_SYNC);
    ok = ok && file_sync(partial, error);
    timeline_end();
    if (!ok || !reader_open(&reader, partial, error))
        return false;
    bool proven = prove_h5(&reader, error);
    reader_close(&reader);
    if (!proven)
        return false;
    fault_at(FAULT_FILE_SYNCED, snapshot->step);
    return store_publish(store, snapshot->step, error);
}

/* What the phases of a commit have at hand. */
struct writing {
    struct agreement *agreement;
    const struct snapshot *snapshot;
    const struct store *store;
    struct patience *patience;
    char partial[PATH_MAX];
    double phase_start;
    struct commit *commit;
};

/* Collective. The end of a phase: how long it took all ranks together is what the next one's patience is made of. */
static bool end_phase(struct writing *writing, bool ok, enum patience_phase phase, const char *what,
                      struct error *error)
{
    double patience_s = patience_of(writing->patience, phase);
    ok = agreement_agree(writing->agreement, ok, patience_s, what, &writing->commit->bytes, error);
    double now = clock_seconds();
    if (ok)
        patience_note(writing->patience, phase, now - writing->phase_start);
    writing->phase_start = now;
    return ok;
}

/* Collective. All phases up to the published file. */
static bool write_phases(struct writing *writing, const struct record *record, struct error *error)
{
    const struct snapshot *snapshot = writing->snapshot;
    const char *partial = writing->partial;
    bool is_first = snapshot->world->rank == 0;
    timeline_begin(MARK_LAYOUT);
    bool ok = !is_first || layout_make(snapshot, record, writing->store, partial, &writing->commit->bytes, error);
    timeline_end();
    if (!end_phase(writing, ok, PATIENCE_LAYOUT, "the layout of the file", error))
        return false;
    double start = clock_seconds();
    timeline_begin(MARK_WRITE);
    ok = write_data(snapshot, writing->store, partial, error);
    timeline_end();
    if (!end_phase(writing, ok, PATIENCE_DATA, "writing its part", error))
        return false;
    writing->commit->data_ms = 1e3 * (clock_seconds() - start);
    fault_at(FAULT_FILE_CLOSED, snapshot->step);
    timeline_begin(MARK_READ_BACK);
    ok = read_back(snapshot, partial, error);
    timeline_end();
    if (!end_phase(writing, ok, PATIENCE_PROOF, "reading back its part", error))
        return false;
    fault_at(FAULT_DATA_VERIFIED, snapshot->step);
    timeline_begin(MARK_PUBLISH);
    ok = !is_first || publish(snapshot, writing->store, partial, error);
    timeline_end();
    return end_phase(writing, ok, PATIENCE_PUBLISH, "publishing the file", error);
}

bool writer_commit(struct agreement *agreement, const struct snapshot *snapshot, const struct record *record,
                   const struct store *store, const struct retention *retention, struct patience *patience,
                   struct commit *commit, struct error *error)
{
    bool is_first = snapshot->world->rank == 0;
    double start = clock_seconds();
    struct writing writing = {.agreement = agreement,
                              .snapshot = snapshot,
                              .store = store,
                              .patience = patience,
                              .phase_start = start,
                              .commit = commit};
    struct record own = *record;
    own.step = snapshot->step;
    own.version = RECORD_VERSION;
    *commit = (struct commit){.pruned = true};
    store_partial_path(store, snapshot->step, writing.partial);
    fault_at(FAULT_SNAPSHOT_TAKEN, snapshot->step);
    if (!write_phases(&writing, &own, error)) {
        if (is_first)
            unlink(writing.partial);
        return false;
    }
    commit->write_ms = 1e3 * (clock_seconds() - start);
    fault_at(FAULT_COMMITTED, snapshot->step);
    timeline_begin(MARK_PRUNE);
    if (is_first)
        commit->pruned = store_prune(store, snapshot->step, retention, &commit->prune_error);
    timeline_end();
    fault_at(FAULT_PRUNED, snapshot->step);
    return true;
}
