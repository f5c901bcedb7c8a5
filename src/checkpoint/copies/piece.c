#include "checkpoint/copies/piece.h"

#include "base/digest.h"
#include "base/file.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC "lockstep piece 1"
#define PAGE  4096

static const char *const kind_names[PIECE_KINDS] = {[PIECE_OWN] = "own", [PIECE_PARTNER] = "partner"};

struct header {
    char magic[16];
    struct piece_set set;
    uint64_t rank;
    uint64_t digests_digest; /* of the table of digests */
    uint64_t digest;         /* of all before */
};

_Static_assert(sizeof(struct piece_set) == 8 * sizeof(uint64_t) + STATE_ARRAYS * 32, "no padding");

void piece_set_init(struct piece_set *set, const struct snapshot *snapshot, uint64_t lineage, const void *record,
                    size_t record_bytes)
{
    const struct state *state = &snapshot->state;
    *set = (struct piece_set){.step = snapshot->step,
                              .fingerprint = snapshot->fingerprint,
                              .lineage = lineage,
                              .ranks = (uint64_t)snapshot->world->size,
                              .count = state->count,
                              .array_count = state->array_count,
                              .record_bytes = record_bytes,
                              .record_digest = digest_bytes(record, record_bytes)};
    for (size_t a = 0; a < state->array_count; a++)
        snprintf(set->names[a], sizeof set->names[a], "%s", state->arrays[a].name);
}

static void make_name(uint64_t step, uint64_t rank, uint64_t ranks, enum piece_kind kind, char name[128])
{
    snprintf(name, 128, "step-%012" PRIu64 ".rank-%04" PRIu64 "-of-%04" PRIu64 ".%s", step, rank, ranks,
             kind_names[kind]);
}

bool piece_parse_name(const char *name, uint64_t *step, bool *hidden)
{
    char again[128], kind[8];
    uint64_t rank, ranks;
    *hidden = name[0] == '.';
    if (sscanf(name + *hidden, "step-%" SCNu64 ".rank-%" SCNu64 "-of-%" SCNu64 ".%7[a-z]", step, &rank, &ranks, kind) !=
        4)
        return false;
    for (enum piece_kind k = 0; k < PIECE_KINDS; k++) {
        make_name(*step, rank, ranks, k, again);
        size_t length = strlen(again);
        if (strncmp(name + *hidden, again, length) == 0 &&
            strcmp(name + *hidden + length, *hidden ? ".partial" : "") == 0)
            return true;
    }
    return false;
}

void piece_path(const char *directory, uint64_t step, uint64_t rank, uint64_t ranks, enum piece_kind kind,
                char path[PATH_MAX])
{
    char name[128];
    make_name(step, rank, ranks, kind, name);
    snprintf(path, PATH_MAX, "%.*s/%s", PATH_MAX - 160, directory, name);
}

static size_t digests_bytes(const struct piece_set *set, const struct shard *shard)
{
    return set->array_count * exchange_blocks(shard->count) * sizeof(uint64_t);
}

static size_t values_bytes(const struct piece_set *set, const struct shard *shard)
{
    return set->array_count * shard->count * sizeof(float);
}

/* Where the values begin. */
static size_t values_offset(const struct piece_set *set, const struct shard *shard)
{
    size_t before = sizeof(struct header) + digests_bytes(set, shard) + set->record_bytes;
    return (before + PAGE - 1) / PAGE * PAGE;
}

bool piece_write(struct piece_writer *writer, const void *bytes, size_t count, struct error *error)
{
    bool ok = file_write_at(writer->descriptor, bytes, count, writer->written) ||
              error_errno(error, "cannot write %s", writer->path);
    writer->written += count;
    return ok;
}

/* The digests of the blocks of a rank's shard, array after array; the caller owns them. */
static uint64_t *digests_of(const struct snapshot *snapshot, const struct shard *shard)
{
    size_t blocks = exchange_blocks(shard->count), first = shard->first / EXCHANGE_BLOCK;
    uint64_t *digests = memory_need(snapshot->state.array_count * blocks, sizeof *digests);
    for (size_t a = 0; a < snapshot->state.array_count && blocks > 0; a++)
        memcpy(digests + a * blocks, snapshot->digests[a] + first, blocks * sizeof *digests);
    return digests;
}

/* Everything before the values. */
static bool write_front(struct piece_writer *writer, const struct snapshot *snapshot, const struct piece_set *set,
                        const void *record, int rank, const struct shard *shard, struct error *error)
{
    uint64_t *digests = digests_of(snapshot, shard);
    struct header header = {.magic = MAGIC, .set = *set, .rank = (uint64_t)rank};
    header.digests_digest = digest_bytes(digests, digests_bytes(set, shard));
    header.digest = digest_bytes(&header, offsetof(struct header, digest));
    bool ok = piece_write(writer, &header, sizeof header, error) &&
              piece_write(writer, digests, digests_bytes(set, shard), error) &&
              piece_write(writer, record, set->record_bytes, error);
    writer->written = values_offset(set, shard);
    memory_free(digests);
    return ok;
}

bool piece_create(struct piece_writer *writer, int directory, const char *path, const struct snapshot *snapshot,
                  const struct piece_set *set, const void *record, int rank, enum piece_kind kind, struct error *error)
{
    struct shard shard = exchange_shard(set->count, (int)set->ranks, rank);
    char name[128];
    make_name(set->step, (uint64_t)rank, set->ranks, kind, name);
    writer->directory = directory;
    writer->written = 0;
    piece_path(path, set->step, (uint64_t)rank, set->ranks, kind, writer->path);
    snprintf(writer->hidden, sizeof writer->hidden, "%.*s/.%s.partial", PATH_MAX - 160, path, name);
    if (!file_open_in(directory, writer->hidden, FILE_PRIVATE, &writer->descriptor, error))
        return false;
    size_t bytes = values_offset(set, &shard) + values_bytes(set, &shard);
    int failure;
    do
        failure = posix_fallocate(writer->descriptor, 0, (off_t)bytes);
    while (failure == EINTR);
    errno = failure;
    bool ok = failure == 0 || error_errno(error, "cannot reserve %.1f MB for %s", (double)bytes / 1e6, writer->path);
    ok = ok && write_front(writer, snapshot, set, record, rank, &shard, error);
    if (!ok)
        piece_release(writer);
    return ok;
}

/* One that stays is removed with the next set. */
static void remove_hidden(const struct piece_writer *writer)
{
    struct error error;
    bool removed = file_remove_in(writer->directory, writer->hidden, &error);
    (void)removed;
}

bool piece_publish(struct piece_writer *writer, struct error *error)
{
    bool ok = file_close(writer->descriptor) || error_errno(error, "cannot write %s", writer->path);
    writer->descriptor = -1;
    ok = ok && file_rename_in(writer->directory, writer->hidden, writer->path, error);
    if (!ok)
        remove_hidden(writer);
    return ok;
}

void piece_release(struct piece_writer *writer)
{
    if (writer->descriptor < 0)
        return;
    close(writer->descriptor);
    remove_hidden(writer);
    writer->descriptor = -1;
}

static bool read_at(const struct piece *piece, size_t offset, void *bytes, size_t count, struct error *error)
{
    ssize_t got = file_read_at(piece->descriptor, bytes, count, offset);
    if (got < 0)
        return error_errno(error, "cannot read it");
    return (size_t)got == count || error_set(error, ERROR_CORRUPT, "it is cut short");
}

/* Whether these numbers can be meant. What their digest does not tell apart from a piece may still be of another
 * program. */
static bool is_sane(const struct header *header)
{
    const struct piece_set *set = &header->set;
    bool ok = set->ranks >= 1 && set->ranks <= INT_MAX && header->rank < set->ranks && set->count >= 1 &&
              set->count < (uint64_t)1 << 48 && set->array_count >= 1 && set->array_count <= STATE_ARRAYS &&
              set->record_bytes < (uint64_t)1 << 31;
    for (size_t a = 0; ok && a < set->array_count; a++)
        ok = memchr(set->names[a], '\0', sizeof set->names[a]) != NULL;
    return ok;
}

static bool read_front(struct piece *piece, struct error *error)
{
    struct header header;
    struct stat info;
    if (!read_at(piece, 0, &header, sizeof header, error))
        return false;
    if (memcmp(header.magic, MAGIC, sizeof header.magic) != 0)
        return error_set(error, ERROR_CORRUPT, "not a piece of a state");
    if (header.digest != digest_bytes(&header, offsetof(struct header, digest)) || !is_sane(&header))
        return error_set(error, ERROR_CORRUPT, "its header fails its digest");
    piece->set = header.set;
    piece->rank = header.rank;
    piece->shard = exchange_shard(header.set.count, (int)header.set.ranks, (int)header.rank);
    size_t digests = digests_bytes(&piece->set, &piece->shard),
           whole = values_offset(&piece->set, &piece->shard) + values_bytes(&piece->set, &piece->shard);
    if (fstat(piece->descriptor, &info) || info.st_size != (off_t)whole)
        return error_set(error, ERROR_CORRUPT, "it has not the length that its header says");
    /* A length proves no count: a file with a hole has any, and nobody has written it to its end. */
    uint64_t front = sizeof header + digests + header.set.record_bytes;
    if (file_stored_between(piece->descriptor, 0, front) < front)
        return error_set(error, ERROR_CORRUPT, "it has a hole where its digests should be");
    piece->digests = memory_alloc(digests, 1, "the digests of a copy", error);
    piece->record = piece->digests ? memory_alloc(header.set.record_bytes, 1, "the record of a copy", error) : NULL;
    if (!piece->record)
        return false;
    if (!read_at(piece, sizeof header, piece->digests, digests, error) ||
        !read_at(piece, sizeof header + digests, piece->record, header.set.record_bytes, error))
        return false;
    return (digest_bytes(piece->digests, digests) == header.digests_digest &&
            digest_bytes(piece->record, header.set.record_bytes) == header.set.record_digest) ||
           error_set(error, ERROR_CORRUPT, "its record or its table of digests fails its digest");
}

bool piece_open(struct piece *piece, int directory, const char *path, struct error *error)
{
    *piece = (struct piece){.descriptor = -1};
    snprintf(piece->path, sizeof piece->path, "%s", path);
    if (!file_open_in(directory, path, FILE_READ, &piece->descriptor, error))
        return false;
    if (read_front(piece, error))
        return true;
    error_prefix(error, "%s: ", path);
    piece_close(piece);
    return false;
}

void piece_close(struct piece *piece)
{
    if (!piece->path[0])
        return;
    if (piece->descriptor >= 0)
        close(piece->descriptor);
    memory_free(piece->digests);
    memory_free(piece->record);
    *piece = (struct piece){.descriptor = -1};
}

bool piece_load(const struct piece *piece, float *values, struct error *error)
{
    size_t blocks = exchange_blocks(piece->shard.count), count = piece->shard.count;
    uint64_t *found = memory_need(blocks, sizeof *found);
    bool ok = read_at(piece, values_offset(&piece->set, &piece->shard), values,
                      values_bytes(&piece->set, &piece->shard), error);
    for (size_t a = 0; ok && a < piece->set.array_count; a++) {
        digest_blocks(values + a * count, count, EXCHANGE_BLOCK, found);
        for (size_t b = 0; ok && b < blocks; b++)
            if (found[b] != piece->digests[a * blocks + b])
                ok = error_set(error, ERROR_CORRUPT, "block %zu of array %s fails its digest",
                               piece->shard.first / EXCHANGE_BLOCK + b, piece->set.names[a]);
    }
    memory_free(found);
    return ok || error_prefix(error, "%s: ", piece->path);
}
