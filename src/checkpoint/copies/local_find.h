/* What there is of the second tier: the pieces on all nodes, and which of their sets are whole. */
#ifndef CHECKPOINT_COPIES_LOCAL_FIND_H
#define CHECKPOINT_COPIES_LOCAL_FIND_H

#include "base/text.h"
#include "checkpoint/copies/local.h"

/* A piece that some node has. */
struct local_entry {
    struct piece_set set;
    uint64_t rank; /* of the set */
    uint64_t node; /* of the world now */
    uint64_t kind; /* an enum piece_kind */
};

/* What all nodes have: the same on every rank. */
struct local_finds {
    struct local_entry *entries;
    uint8_t *spoilt; /* [count] found not to be good after all */
    size_t count;
    struct text complaints; /* lines: files that are no good, and why */
};

/* Collective over world; a new round of the agreement. Never fails because of what lies in the directories; ERROR_LATE
 * names who has not come. */
bool local_look(const struct local *local, struct agreement *agreement, double patience_s, struct local_finds *finds,
                struct error *error) WARN_UNUSED;

/* Local. Accepts an all-zero one. */
void local_finds_release(struct local_finds *finds);

/* Local; the same answer on every rank. The newest whole set of this lineage, of a step > `beyond`; NULL: there is
 * none. Borrowed from the finds. */
const struct piece_set *local_newest(const struct local_finds *finds, uint64_t lineage, uint64_t beyond);

/* Local. The entry of a good copy of a piece, the owner's before the partner's; finds->count: there is none. */
size_t local_piece(const struct local_finds *finds, const struct piece_set *set, uint64_t rank);

/* Local. No piece of this set counts any more; to be done on every rank. */
void local_spoil(struct local_finds *finds, const struct piece_set *set);

/* Collective over world. The lines of all ranks become complaints. */
void local_complain(const struct world *world, const struct text *own, struct local_finds *finds);

/* Local. Whether pieces of the two belong together. */
bool local_same(const struct piece_set *a, const struct piece_set *b);

#endif
