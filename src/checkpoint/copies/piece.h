/* A piece: one rank's shard of a state, as a file on a node, with all that is needed to know what it belongs to. The
 * pieces of all ranks are a set: a state as a whole.
 *
 *   step-000000001200.rank-0002-of-0004.own        written by that rank, on its node
 *   step-000000001200.rank-0002-of-0004.partner    the same, written by a rank of the next node
 *   .step-....partial                              being written, or a leftover
 *
 * A file is a header, the digests of the shard's blocks, the image of a record (record_image.h), and at a multiple of a
 * page the arrays' values. Numbers are as the machine has them: what was written is read by the same machines. It is
 * not synced: it is there for the case that processes end, and every byte is proven by digests when it is read. */
#ifndef CHECKPOINT_COPIES_PIECE_H
#define CHECKPOINT_COPIES_PIECE_H

#include "base/error.h"
#include "checkpoint/snapshot.h"
#include "checkpoint/state.h"

#include <limits.h>
#include <stdint.h>

enum piece_kind { PIECE_OWN, PIECE_PARTNER, PIECE_KINDS };

/* What all pieces of a set have in common. No padding: sets are compared byte by byte. */
struct piece_set {
    uint64_t step;
    uint64_t fingerprint; /* of the state as a whole */
    uint64_t lineage;     /* of the job: see struct record */
    uint64_t ranks;       /* as many pieces */
    uint64_t count;       /* P */
    uint64_t array_count;
    uint64_t record_bytes, record_digest;
    char names[STATE_ARRAYS][32]; /* of the arrays */
};

/* Local. Of the state of a snapshot with its digests, and a record of these bytes. */
void piece_set_init(struct piece_set *set, const struct snapshot *snapshot, uint64_t lineage, const void *record,
                    size_t record_bytes);

/* Local. Whether the name is that of a piece, hidden or not, and whose. */
bool piece_parse_name(const char *name, uint64_t *step, bool *hidden);

/* Local. The path of a piece in a directory. */
void piece_path(const char *directory, uint64_t step, uint64_t rank, uint64_t ranks, enum piece_kind kind,
                char path[PATH_MAX]);

/* A piece on its way to a disk: create, write the values of all arrays one after the other, publish; then release,
 * which removes what is not published. */
struct piece_writer {
    int descriptor;   /* -1: closed */
    int directory;    /* its handle, borrowed */
    uint64_t written; /* where the next bytes come */
    char path[PATH_MAX], hidden[PATH_MAX + 16];
};

/* Local. The hidden file with all but the values, of the shard of `rank`, at its full size, reserved, in a directory
 * that is held open, and has this path. The digests are the snapshot's. After failure nothing is left, and the writer
 * is released. */
bool piece_create(struct piece_writer *writer, int directory, const char *path, const struct snapshot *snapshot,
                  const struct piece_set *set, const void *record, int rank, enum piece_kind kind,
                  struct error *error) WARN_UNUSED;

/* Local. The next bytes of the values. */
bool piece_write(struct piece_writer *writer, const void *bytes, size_t count, struct error *error) WARN_UNUSED;

/* Local. From now on the piece counts. */
bool piece_publish(struct piece_writer *writer, struct error *error) WARN_UNUSED;

/* Local. Accepts a released writer. */
void piece_release(struct piece_writer *writer);

/* A piece that is read. */
struct piece {
    char path[PATH_MAX];
    int descriptor; /* -1: closed */
    struct piece_set set;
    uint64_t rank;
    struct shard shard;
    uint64_t *digests; /* [array_count, blocks of the shard] */
    void *record;      /* [set.record_bytes] */
};

/* Local. Opens what the last part of the path names in a directory that is held open, a file of ours alone, and proves
 * all but the values. ERROR_CORRUPT (no piece, cut short, a wrong bit), ERROR_NOT_FOUND, ERROR_USAGE (a link, somebody
 * else's), ERROR_IO (no memory); the words begin with the path. */
bool piece_open(struct piece *piece, int directory, const char *path, struct error *error) WARN_UNUSED;

/* Local. Accepts a closed and an all-zero piece. */
void piece_close(struct piece *piece);

/* Local. The values of all arrays [array_count, shard.count], proven. Errors as piece_open. */
bool piece_load(const struct piece *piece, float *values, struct error *error) WARN_UNUSED;

#endif
