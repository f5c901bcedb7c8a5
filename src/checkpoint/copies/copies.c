#include "checkpoint/copies/copies.h"

#include "base/clock.h"
#include "base/digest.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/memory.h"
#include "checkpoint/record_image.h"
#include "parallel/promise.h"
#include "parallel/transfer.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The path with the node's number in the place of "%n". */
static bool expand(const char *path, int node, uint64_t digest, char *directory, size_t bytes)
{
    const char *mark = strstr(path, "%n");
    int length = mark ? snprintf(directory, bytes, "%.*s%d%s/lockstep-%016" PRIx64, (int)(mark - path), path, node,
                                 mark + 2, digest)
                      : snprintf(directory, bytes, "%s/lockstep-%016" PRIx64, path, digest);
    return length > 0 && (size_t)length < bytes;
}

bool copies_open(struct copies *copies, const struct world *world, const char *path, const char *run,
                 int ranks_per_node, struct error *error)
{
    PROMISE_EQUAL_TEXT(world, path);
    PROMISE_EQUAL_TEXT(world, run);
    *copies = (struct copies){.world = world};
    node_open(&copies->node, world, ranks_per_node);
    char *whole = world->rank == 0 ? realpath(run, NULL) : NULL;
    const char *name = whole ? whole : run;
    uint64_t digest = digest_chain(digest_bytes(name, strlen(name)), geteuid());
    free(whole);
    digest = world_share_number(world, digest);
    bool ok = expand(path, copies->node.index, digest, copies->directory, sizeof copies->directory) ||
              error_set(error, ERROR_USAGE, "checkpoint.local: path too long: %s", path);
    ok = world_agree(world, ok, error);
    if (!ok)
        copies_close(copies);
    return ok;
}

void copies_close(struct copies *copies)
{
    if (!copies->world)
        return;
    node_close(&copies->node);
    *copies = (struct copies){0};
}

bool copies_hold(const struct copies *copies, int *directory, struct error *error)
{
    return file_open_directory(copies->directory, FILE_MINE, directory, error);
}

/* Removes what is not of one of two steps; the directory as well, if nothing is to stay. */
static void reduce_to(const struct copies *copies, uint64_t step, uint64_t other_step)
{
    struct error error; /* a directory that is not ours: told when it is looked at, or written in */
    int handle;
    if (!copies_hold(copies, &handle, &error))
        return;
    DIR *directory = fdopendir(handle);
    if (!directory) {
        close(handle);
        return;
    }
    for (struct dirent *entry; (entry = readdir(directory));) {
        uint64_t found;
        bool hidden;
        bool is_piece = piece_parse_name(entry->d_name, &found, &hidden);
        if (is_piece && (hidden || (found != step && found != other_step)))
            unlinkat(dirfd(directory), entry->d_name, 0);
    }
    closedir(directory);
    if (step == 0 && other_step == 0)
        rmdir(copies->directory); /* unless something else lies there */
}

void copies_keep(const struct copies *copies, uint64_t step, uint64_t other_step)
{
    if (copies->world && copies->node.rank == 0)
        reduce_to(copies, step, other_step);
}

/* Local. A look before anything is written: HDF5 1.10 cannot close a file that it could not write, and keeps it. The
 * proof is the reservation of each piece. */
static bool has_room(const struct copies *copies, const struct state *state, struct error *error)
{
    uint64_t room = file_free_bytes(copies->directory);
    uint64_t need = state->array_count * state->shard.count * sizeof(float) + (1 << 20);
    return need <= room || error_set(error, ERROR_IO, "%s has %.1f MB free, a copy needs %.1f MB", copies->directory,
                                     (double)room / 1e6, (double)need / 1e6);
}

/* What a rank does in a save: its own piece, and those of the ranks whose partner it is. */
struct saving {
    struct copies *copies;
    int directory; /* its handle; -1: not yet */
    struct agreement *agreement;
    const struct snapshot *snapshot;
    struct piece_set set;
    char *record;
    size_t record_bytes;
    struct piece_writer *writers; /* [writer_count] the own one, then one for each of `ins` */
    size_t writer_count;
    struct transfer_in *ins;
    size_t in_count;
};

/* Local. The rank of the next node that keeps a rank's piece, too; -1: there is no other node. */
static int partner_of(const struct node *node, int size, int rank)
{
    int next = (node->node_of[rank] + 1) % node->count;
    for (int r = 0; r < size; r++)
        if (node->count > 1 && node->node_of[r] == next && node->rank_of[r] == node->rank_of[rank] % node->sizes[next])
            return r;
    return -1;
}

static bool take(void *context, const void *bytes, size_t count, struct error *error)
{
    struct piece_writer *writer = context;
    /* Of a file that could not be made what comes is dropped; why has been said. */
    return writer->descriptor < 0 || piece_write(writer, bytes, count, error);
}

/* Local. Hidden files for all pieces, the own one with its values. */
static bool write_own(struct saving *saving, struct error *error)
{
    const struct snapshot *snapshot = saving->snapshot;
    const struct state *state = &snapshot->state;
    const char *path = saving->copies->directory;
    bool ok = piece_create(&saving->writers[0], saving->directory, path, snapshot, &saving->set, saving->record,
                           snapshot->world->rank, PIECE_OWN, error);
    for (size_t a = 0; ok && a < state->array_count; a++)
        ok = piece_write(&saving->writers[0], state->arrays[a].values, state->shard.count * sizeof(float), error);
    for (size_t i = 0; ok && i < saving->in_count; i++)
        ok = piece_create(&saving->writers[1 + i], saving->directory, path, snapshot, &saving->set, saving->record,
                          saving->ins[i].from, PIECE_PARTNER, error);
    return ok;
}

/* Collective. The values to the partner, and those of others from them; also if this rank has failed already, so that
 * nobody waits for it. */
static bool exchange_pieces(struct saving *saving, double patience_s, struct error *error)
{
    const struct state *state = &saving->snapshot->state;
    const struct world *world = saving->copies->world;
    int partner = partner_of(&saving->copies->node, world->size, world->rank);
    struct transfer_out outs[STATE_ARRAYS];
    for (size_t a = 0; a < state->array_count; a++)
        outs[a] = (struct transfer_out){partner, state->arrays[a].values, state->shard.count * sizeof(float)};
    return transfer_run(saving->agreement->comm, COPIES_TAG, outs, partner >= 0 ? state->array_count : 0, saving->ins,
                        saving->in_count, patience_s, "the exchange of copies", error);
}

/* Local. Who sends to this rank, and a writer for each. */
static void plan(struct saving *saving)
{
    const struct world *world = saving->copies->world;
    size_t size = (size_t)world->size;
    saving->ins = memory_need(size, sizeof *saving->ins);
    saving->writers = memory_need(size + 1, sizeof *saving->writers);
    for (size_t i = 0; i <= size; i++)
        saving->writers[i].descriptor = -1;
    for (int r = 0; r < world->size; r++) {
        if (partner_of(&saving->copies->node, world->size, r) != world->rank)
            continue;
        size_t i = saving->in_count++;
        size_t bytes = exchange_shard(saving->set.count, world->size, r).count * sizeof(float);
        saving->ins[i] = (struct transfer_in){r, bytes * saving->set.array_count, take, &saving->writers[1 + i]};
    }
    saving->writer_count = 1 + saving->in_count;
}

/* Collective. The record of rank 0 on all ranks. */
static bool share_record(struct saving *saving, const struct record *record, double patience_s, struct error *error)
{
    const struct snapshot *snapshot = saving->snapshot;
    struct record own = *record;
    uint64_t bytes = 0;
    own.step = snapshot->step;
    own.version = RECORD_VERSION;
    own.fingerprint = snapshot->fingerprint;
    bool ok = file_make_directory(saving->copies->directory, FILE_MINE, &saving->directory, error) &&
              has_room(saving->copies, &snapshot->state, error);
    if (ok && snapshot->world->rank == 0) {
        record_image_make(&own, true, NULL, &saving->record, &saving->record_bytes);
        bytes = saving->record_bytes;
    }
    if (!agreement_agree(saving->agreement, ok, patience_s, "preparing its copies", &bytes, error))
        return false;
    saving->record_bytes = bytes;
    if (snapshot->world->rank != 0)
        saving->record = memory_need(bytes, 1);
    return agreement_share(saving->agreement, saving->record, bytes, patience_s, error);
}

/* Local. */
static bool publish(struct saving *saving, struct error *error)
{
    bool ok = true;
    for (size_t i = 0; ok && i < saving->writer_count; i++)
        ok = piece_publish(&saving->writers[i], error);
    return ok;
}

/* Collective. All phases up to the complete set. */
static bool save(struct saving *saving, const struct record *record, double patience_s, struct error *error)
{
    struct agreement *agreement = saving->agreement;
    const struct snapshot *snapshot = saving->snapshot;
    if (!share_record(saving, record, patience_s, error))
        return false;
    /* Rank 0's lineage, as all of the record. */
    uint64_t lineage = record->lineage;
    if (!agreement_share(agreement, &lineage, sizeof lineage, patience_s, error))
        return false;
    piece_set_init(&saving->set, snapshot, lineage, saving->record, saving->record_bytes);
    plan(saving);
    struct error sending;
    bool ok = write_own(saving, error);
    fault_at(FAULT_LOCAL_WRITTEN, snapshot->step);
    if (!exchange_pieces(saving, patience_s, &sending)) {
        if (ok || sending.kind == ERROR_LATE)
            *error = sending;
        ok = false;
    }
    fault_at(FAULT_LOCAL_SENT, snapshot->step);
    if (!agreement_agree(agreement, ok, patience_s, "writing its copies", NULL, error))
        return false;
    ok = publish(saving, error);
    fault_at(FAULT_LOCAL_RENAMED, snapshot->step);
    return agreement_agree(agreement, ok, patience_s, "renaming its copies", NULL, error);
}

bool copies_save(struct copies *copies, struct agreement *agreement, const struct snapshot *snapshot,
                 const struct record *record, struct patience *patience, struct error *error)
{
    struct saving saving = {.copies = copies, .directory = -1, .agreement = agreement, .snapshot = snapshot};
    double start = clock_seconds();
    bool ok = save(&saving, record, patience_of(patience, PATIENCE_COPIES), error);
    for (size_t i = 0; i < saving.writer_count; i++)
        piece_release(&saving.writers[i]);
    if (saving.directory >= 0)
        close(saving.directory);
    memory_free(saving.record);
    memory_free(saving.writers);
    memory_free(saving.ins);
    if (!ok) {
        if (error_is_refused(error)) /* with the older of two sets gone there may be room for the next one */
            copies_keep(copies, copies->complete, 0);
        return false;
    }
    patience_note(patience, PATIENCE_COPIES, clock_seconds() - start);
    copies_keep(copies, snapshot->step, copies->complete);
    copies->complete = snapshot->step;
    return true;
}
