/* The way back from the second tier: a state from a whole set of copies, onto any number of ranks and nodes. */
#ifndef CHECKPOINT_COPIES_COPIES_LOAD_H
#define CHECKPOINT_COPIES_COPIES_LOAD_H

#include "checkpoint/copies/copies_find.h"

/* A set on its way: all of its pieces are in memory, each on a rank whose node has it. */
struct copies_set {
    struct piece_set id;
    struct record record; /* belongs to the set */
    int *reader_of;       /* [id.ranks] the rank that holds each piece */
    struct piece *mine;   /* [id.ranks] those that this rank holds; others are closed */
    float **values;       /* [id.ranks] theirs, else NULL */
};

/* Collective over world; a new round of the agreement. The newest whole set as copies_newest, read and proven: of a
 * piece that is no good the other copy is taken, if there is one, and else an older set. Why is appended to
 * finds->complaints. ERROR_NOT_FOUND: there is none. ERROR_LATE. */
bool copies_take(const struct copies *copies, struct agreement *agreement, double patience_s,
                 struct copies_finds *finds, uint64_t lineage, uint64_t beyond, struct copies_set *set,
                 struct error *error) WARN_UNUSED;

/* Collective over world; a new round of the agreement. The values of the set into this rank's arrays of `state`, proven
 * as a whole by the fingerprint. ERROR_VERSION: its arrays are others than those of `state`. ERROR_CORRUPT, ERROR_LATE.
 * After failure the arrays hold anything. */
bool copies_deliver(const struct copies *copies, struct agreement *agreement, double patience_s,
                    const struct copies_set *set, const struct state *state, struct error *error) WARN_UNUSED;

/* Local. Accepts a released and an all-zero one. */
void copies_set_release(struct copies_set *set);

#endif
