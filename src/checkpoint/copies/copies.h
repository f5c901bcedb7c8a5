/* The second tier: copies of the state on the nodes themselves, in memory or on a disk of the node's own. Each node
 * keeps the pieces (piece.h) of its ranks, and those of the node before it, its partner: the state is still there if a
 * node is lost, or several that are not neighbours. Copies cost no disk that all share, so that they may be frequent;
 * they do not replace checkpoints: they end with the nodes, and are removed when the job has come to an orderly end.
 *
 * A directory on each node, PATH/lockstep-<digest of run directory and user>. Saved are whole sets; the two newest that
 * were completed stay. */
#ifndef CHECKPOINT_COPIES_COPIES_H
#define CHECKPOINT_COPIES_COPIES_H

#include "checkpoint/copies/piece.h"
#include "checkpoint/patience.h"
#include "checkpoint/record.h"
#include "parallel/agreement.h"
#include "parallel/node.h"

#define COPIES_TAG 3 /* of transfer_run, on an agreement's communicator */

struct copies {
    const struct world *world; /* borrowed; NULL: closed, there is no second tier */
    struct node node;
    char directory[PATH_MAX - 160]; /* this node's */
    uint64_t complete;              /* step of the newest set that was completed or found complete; 0: none */
};

/* Collective over world; path, run and ranks_per_node (see node_open) must be equal on every rank. "%n" in `path`
 * becomes the number of the node. Nothing is made on the disk before a save. `run` is the run directory, which exists
 * as far as rank 0 sees it. */
bool copies_open(struct copies *copies, const struct world *world, const char *path, const char *run,
                 int ranks_per_node, struct error *error) WARN_UNUSED;

/* Collective over world. The files stay. Accepts a closed one. */
void copies_close(struct copies *copies);

/* Local. Holds this node's directory, which has to be one of this user alone (file_open_directory): what somebody else
 * has put in its place is neither used nor changed. Reading, saving and removing go through the handle. */
bool copies_hold(const struct copies *copies, int *directory, struct error *error) WARN_UNUSED;

/* Local; the first rank of each node does it, the others nothing. Removes all pieces but those of two steps (0: none),
 * and hidden ones of killed jobs; the directory as well, if nothing is to stay. Not while anybody writes. What cannot
 * be removed stays. */
void copies_keep(const struct copies *copies, uint64_t step, uint64_t other_step);

/* Collective over agreement, in the round of snapshot_digest. Makes a set of the snapshot, whose digests are taken,
 * with a record, of which rank 0's counts; step and fingerprint come from the snapshot. Nothing is synced to a disk.
 * Then removes sets older than the one before. The same verdict on every rank as agreement_agree; after failure the
 * newest whole set stands; if it was the system that refused, older ones are removed. After ERROR_LATE no second save
 * must be tried: messages may be under way. */
bool copies_save(struct copies *copies, struct agreement *agreement, const struct snapshot *snapshot,
                 const struct record *record, struct patience *patience, struct error *error) WARN_UNUSED;

#endif
