/* The saver: a thread of its own on each rank that turns a state which stands still into a checkpoint while training
 * goes on. In a process that trains it alone calls HDF5 from saver_open on, and it talks to the other savers through
 * its own communicator (parallel/agreement.h). Without MPI_THREAD_MULTIPLE, or if it is not wanted, the same work is
 * done by who begins it, before saver_begin returns.
 *
 * One save at a time: begin; train on; when no rank is busy any more, take the verdict. */
#ifndef CHECKPOINT_SAVER_H
#define CHECKPOINT_SAVER_H

#include "checkpoint/copies/copies.h"
#include "checkpoint/writer.h"
#include "parallel/exchange.h"

struct saver; /* opaque */

/* What is to be saved. */
struct saver_work {
    struct state state; /* its arrays stand still until the verdict is taken */
    uint64_t step;
    struct record record;       /* rank 0's counts; copied */
    struct retention retention; /* what is to stay of older ones */
    const float *replica;  /* [P] the parameters of all shards as this node has them: proven to be equal on all nodes */
    int descriptor;        /* of a file that must be on disk before the checkpoint is; -1: none */
    struct copies *copies; /* a set of copies on the nodes, and no file; NULL: a file. Borrowed until the verdict */
};

/* How a save has ended, if it was not lost. */
struct saver_result {
    uint64_t step;
    uint64_t fingerprint;
    struct commit commit; /* of copies: the time that it took */
    bool synced; /* false: the other file could not be made durable, which alone does not make a save fail. Rank 0's */
    struct error sync_error;
    bool late; /* of a failed one: a rank has not come in time, and perhaps still hangs */
};

struct saver_options {
    bool background;  /* by a thread; only if saver_can_have_thread */
    double timeout_s; /* of a phase; 0: derived from measurements (patience.h) */
    /* Called by the thread when a rank was late for a save and nobody has looked since (saver_look): training does not
     * go on either, a rank hangs as a whole; and, by whoever saves, when a rank has stopped in the middle of a message
     * to all (agreement.h). Ends the job; does not return. NULL: nobody watches. */
    void (*lost)(const struct error *error);
};

/* Collective over world; options must be equal on every rank. For states of the layout of `state`. The world, the store
 * and the exchange are borrowed. */
bool saver_open(struct saver **saver, const struct world *world, struct store *store, const struct exchange *exchange,
                const struct state *state, const struct saver_options *options, struct error *error) WARN_UNUSED;

/* Local. Whether this MPI lets a thread save: MPI_THREAD_MULTIPLE. */
bool saver_can_have_thread(void);

/* Local. Whether there is a thread. */
bool saver_is_background(const struct saver *saver);

/* Collective over world. Nothing is running. NULL is fine (on all ranks). */
void saver_close(struct saver *saver);

/* Logically collective: every rank begins the same save at the same step, after the verdict on the one before. */
void saver_begin(struct saver *saver, const struct saver_work *work);

enum saver_state {
    SAVER_IDLE, /* what was begun is done, well or not */
    SAVER_BUSY,
    SAVER_LATE, /* done, because another rank was late, which perhaps still hangs */
};

/* Local. How far this rank is with what was begun, if anything was. To be asked at every step, and in between if that
 * takes long: it is also the sign that training goes on, and the longest time between two of them tells how long it may
 * take. */
enum saver_state saver_look(struct saver *saver);

/* Local; the state is SAVER_LATE. Who was late. */
void saver_tell_late(struct saver *saver, struct error *error);

/* Local. Longer than this, in seconds, no rank can be busy with one save, unless its thread hangs in a system call. */
double saver_limit(const struct saver *saver);

/* Collective over world. No rank is busy any more with what was begun. The joint verdict, the same on every rank:
 * after false there is no new checkpoint that counts, and the words say why. ERROR_MEMORY: a block of the state is not
 * what was written there, or a node has other parameters than their owners. A rank that was late for the save is an
 * ERROR_IO, and result->late. */
bool saver_take(struct saver *saver, struct saver_result *result, struct error *error) WARN_UNUSED;

#endif
