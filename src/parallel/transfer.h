/* A transfer: any number of bytes from rank to rank, without spinning and without waiting for ever. For the work
 * beside training (see agreement.h), and for what only some ranks have to tell each other. */
#ifndef PARALLEL_TRANSFER_H
#define PARALLEL_TRANSFER_H

#include "base/error.h"

#include <mpi.h>
#include <stddef.h>

/* Bytes for a rank, which may be this one. Those for the same rank arrive in the order of the list. */
struct transfer_out {
    int to;
    const void *bytes;
    size_t count;
};

/* All that a rank sends to this one: at most one of these for each rank. `take` is given the bytes in order, in pieces
 * of any size. After it has failed it is not called again; the rest is received all the same, and dropped. */
struct transfer_in {
    int from;
    size_t count;
    bool (*take)(void *context, const void *bytes, size_t count, struct error *error);
    void *context;
};

/* Collective over the ranks that have something to send or to get; what one sends, the other expects. No other message
 * with the same tag may be under way in `comm`. False: a `take` has failed, and its words; all else has come. Or with
 * ERROR_LATE, which names a rank, after `patience_s` seconds: then messages stay under way, the memory of `outs` may
 * still be read, and the communicator cannot be used any more. */
bool transfer_run(MPI_Comm comm, int tag, const struct transfer_out *outs, size_t out_count,
                  const struct transfer_in *ins, size_t in_count, double patience_s, const char *what,
                  struct error *error) WARN_UNUSED;

#endif
