/* What goes between nodes in a step: sums of gradients to the owners of the shards, while backward still runs, and the
 * parameters back, while the next forward already runs. Private to the exchange.
 *
 * Each node adds up its own subtrees of the leaf tree, and sends what remains to the owner of each shard elsewhere; the
 * ranks of a node share these relays evenly. Sums are made and sent by buckets (bucket.h), each as soon as all ranks of
 * the node have said, by a mark in the memory that they share, that they will change nothing in it any more; the last
 * bucket of a shard first, because backward comes from there. Parameters arrive with the first bucket of each shard
 * first, since forward begins there, and with a mark for the other ranks of the node. Nothing of this changes who is
 * added to whom. With one node all this does nothing.
 *
 * Only calls into MPI move messages: what is under way moves on in each call of a function here. */
#ifndef PARALLEL_INTERNODE_H
#define PARALLEL_INTERNODE_H

#include "base/error.h"
#include "parallel/bucket.h"
#include "parallel/exchange_memory.h"
#include "parallel/node.h"
#include "parallel/reduction.h"
#include "parallel/world.h"

struct internode; /* opaque */

/* Local. How many marks a rank has in the memory that its node shares: 0 if there is one node. */
size_t internode_marks(const struct buckets *buckets, const struct node *node);

/* Local. All that is given is borrowed. ERROR_IO if there is no memory: close it then, too. */
bool internode_open(struct internode **internode, const struct world *world, const struct node *node,
                    const struct buckets *buckets, const struct exchange_memory *memory, size_t leaves,
                    struct error *error) WARN_UNUSED;

/* Local. NULL is fine. Nothing is under way. */
void internode_close(struct internode *internode);

/* Local. Adds the subtrees of the ranks of this node to a sum, straight from their slots. */
void internode_add_own(const struct internode *internode, struct reduction *sum);

/* Local. Adds the subtrees that come from another node, of this rank's shard. */
void internode_add_received(const struct internode *internode, int node, struct reduction *sum);

/* Local. The first gradient of a step is about to be written: the last step's messages are through. */
void internode_begin(struct internode *internode);

/* Local. Elements [first, first + count) of what this rank's slots hold are what they will be in this step: each
 * element of the arena once. */
void internode_final(struct internode *internode, size_t first, size_t count);

/* Collective over world; every rank of the node has told all of its elements, and a fence has followed. Waits until
 * what other nodes have for this rank is here, and what it has for others is gone. */
void internode_finish(struct internode *internode);

/* Collective over world. This rank has written its shard of `params` [P], which the node shares: begins to send it to
 * other nodes and to take theirs. The shard stays as it is until internode_settle. */
void internode_distribute(struct internode *internode, float *params);

/* Collective over node: the ranks of a node ask for the same elements in the same order. Waits until elements
 * [first, first + count) of what was distributed last are here, whichever rank of the node writes or takes them. */
void internode_await(struct internode *internode, size_t first, size_t count);

/* Collective over node. Waits until all that was distributed is here, and what this rank had to send is gone. */
void internode_settle(struct internode *internode);

#endif
