/* An agreement that neither spins nor waits for ever. For the work beside training, where a blocking MPI call would
 * take the core from the thread that trains, and for whatever a disk can make late.
 *
 * Every rank tells rank 0 its verdict, rank 0 answers everybody, and all of them nap while they wait. Who has not come
 * when the time is over is named, and the others go on without: a round that is over for one rank is over for all,
 * and a late rank learns it when it comes. If rank 0 itself is late, every rank gives up by itself. */
#ifndef PARALLEL_AGREEMENT_H
#define PARALLEL_AGREEMENT_H

#include "base/error.h"
#include "parallel/world.h"

struct agreement {
    const struct world *world; /* borrowed */
    MPI_Comm comm;             /* our own: another thread may use the world's meanwhile */
    uint64_t round;            /* what is being agreed on; messages of an older one are dropped */
    uint64_t question;         /* of that round */
    struct ballot *votes;      /* [size] of the others, on rank 0; requests and buffers that outlive a round */
    struct ballot *own;        /* this rank's way out and in */
    bool broken;               /* a rank has stopped in the middle of a message to all */
};

/* Collective over world, which is borrowed. Close accepts a closed one; nobody may be late then. */
void agreement_open(struct agreement *agreement, const struct world *world);
void agreement_close(struct agreement *agreement);

/* Local. Begins the next round; all ranks begin the same ones, in the same order, and each time after all of them have
 * left the one before. */
void agreement_begin(struct agreement *agreement);

/* Collective over world; what must be equal on every rank. As world_agree, and the words of an error are the same: true
 * if every rank has said ok within `patience_s` seconds of rank 0's coming. ERROR_LATE names the ranks that have not
 * ("ranks 2, 5 have not finished <what> in 30 s"). *value, if not NULL, becomes rank 0's on every rank that hears a
 * true. After false the round is over: no further question may be put before agreement_begin.
 *
 * One case in which the ranks do not hear the same: if rank 0 comes when others have lost their patience with it, it
 * finds their votes, and hears a true, as do those that came after it; at the next question who has given up is
 * missing. What follows a true (agreement_gather, agreement_share) is then begun by some only: no more may be put to
 * this agreement than questions, or it breaks. Who needs one verdict unites them when all ranks are together again
 * (saver_take). */
bool agreement_agree(struct agreement *agreement, bool ok, double patience_s, const char *what, uint64_t *value,
                     struct error *error) WARN_UNUSED;

/* Collective over world, right after an agreement_agree that was true, so that all are there: part r of `values`,
 * counts[r] numbers from places[r] on, comes from rank r. Naps. False with ERROR_LATE if a rank has stopped in that
 * very moment: then the agreement is broken, and the process can only be left; what is still under way goes to memory
 * of the agreement's. */
bool agreement_gather(struct agreement *agreement, uint64_t *values, const int *counts, const int *places,
                      double patience_s, struct error *error) WARN_UNUSED;

/* Collective over world, as agreement_gather; count must be equal on every rank, and below 2^31. Rank 0's bytes to all.
 */
bool agreement_share(struct agreement *agreement, void *bytes, size_t count, double patience_s,
                     struct error *error) WARN_UNUSED;

#endif
