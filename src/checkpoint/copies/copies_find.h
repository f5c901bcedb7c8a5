/* What there is of the second tier: the pieces on all nodes, and which of their sets are whole. */
#ifndef CHECKPOINT_COPIES_COPIES_FIND_H
#define CHECKPOINT_COPIES_COPIES_FIND_H

#include "base/text.h"
#include "checkpoint/copies/copies.h"

/* A piece that some node has. */
struct copies_entry {
    struct piece_set set;
    uint64_t rank; /* of the set */
    uint64_t node; /* of the world now */
    uint64_t kind; /* an enum piece_kind */
};

/* What all nodes have: the same on every rank. */
struct copies_finds {
    struct copies_entry *entries;
    uint8_t *spoilt; /* [count] found not to be good after all */
    size_t count;
    struct text complaints; /* lines: files that are no good, and why */
};

/* Collective over world; a new round of the agreement. Never fails because of what lies in the directories; ERROR_LATE
 * names who has not come. */
bool copies_look(const struct copies *copies, struct agreement *agreement, double patience_s,
                 struct copies_finds *finds, struct error *error) WARN_UNUSED;

/* Local. Accepts an all-zero one. */
void copies_finds_release(struct copies_finds *finds);

/* Local; the same answer on every rank. The newest whole set of this lineage, of a step > `beyond`; NULL: there is
 * none. Borrowed from the finds. */
const struct piece_set *copies_newest(const struct copies_finds *finds, uint64_t lineage, uint64_t beyond);

/* Local. The entry of a good copy of a piece, the owner's before the partner's; finds->count: there is none. */
size_t copies_piece(const struct copies_finds *finds, const struct piece_set *set, uint64_t rank);

/* Local. No piece of this set counts any more; to be done on every rank. */
void copies_spoil(struct copies_finds *finds, const struct piece_set *set);

/* Collective over world. The lines of all ranks become complaints. */
void copies_complain(const struct world *world, const struct text *own, struct copies_finds *finds);

/* Local. Whether pieces of the two belong together. */
bool copies_same(const struct piece_set *a, const struct piece_set *b);

#endif
