/* The exchange: leaf gradients in, one global gradient out, in shards; parameters back to everybody.
 *
 * Letters: P floats of an arena, L leaves, n ranks. The rank that owns a shard of the arena (shard.h) finishes its tree
 * sum, updates its parameters, and distributes them.
 *
 * A step is: for each own leaf { exchange_leaf, exchange_leaf_final... }, exchange_reduce, the owner's update of
 * exchange_params in its shard, exchange_distribute; then exchange_await before parameters are read.
 *
 * There are two copies of the parameters, of which one is in use. To keep those of a step as they are, the owners write
 * the next ones into the other copy, and all ranks turn to that.
 *
 * On a node everything lies in one shared window: the owner adds straight out of the other ranks' buffers, and the
 * ranks of a node share one copy of the parameters. Between nodes each node first adds up its own subtrees; what it is
 * left with goes to the owners of the shards while backward still runs, and the parameters come back while the next
 * forward runs (internode.h). */
#ifndef PARALLEL_EXCHANGE_H
#define PARALLEL_EXCHANGE_H

#include "base/error.h"
#include "parallel/node.h"
#include "parallel/shard.h"
#include "parallel/tree.h"
#include "parallel/world.h"

struct exchange; /* opaque */

/* Collective over world; leaves, count, measured and copies must be equal on every rank. leaves >= world->size.
 * Elements [0, measured) of the gradient make its norm: a multiple of EXCHANGE_BLOCK, or count. copies: of the
 * parameters on each node, 1 or 2; with one there is nothing to turn to. The world and the node are borrowed. All
 * buffers are allocated here, and zero. ERROR_IO if the node cannot give the shared memory: nothing stays, and the
 * caller may try again with a node of one rank (node_open with ranks_per_node 1). */
bool exchange_open(struct exchange **exchange, const struct world *world, const struct node *node, size_t leaves,
                   size_t count, size_t measured, size_t copies, struct error *error) WARN_UNUSED;

/* Collective over world. NULL is fine (on all ranks). A step that was begun is given up: all own leaves are complete,
 * or none was begun. */
void exchange_close(struct exchange *exchange);

/* Local. The node's copy of the parameters [P]; what of it is there, exchange_await says. A rank writes only in its own
 * shard, after exchange_settle, and between exchange_reduce (or exchange_open) and exchange_distribute. Borrowed. */
float *exchange_params(const struct exchange *exchange);

/* Local. The copy that is not in use [P]: what the last exchange_turn has left behind, or zeros. Borrowed. NULL: there
 * is one copy only. */
float *exchange_other_params(const struct exchange *exchange);

/* Local; every rank does it at the same place between exchange_reduce and exchange_distribute. The copies change roles:
 * the owner's update goes to what exchange_params gives now, in all of its shard. */
void exchange_turn(struct exchange *exchange);

/* Local. The buffer [P] for the gradient of this rank's next leaf. It holds old values; gaps between tensors are zero
 * and must be left alone. Borrowed until the leaf is complete. */
float *exchange_leaf(struct exchange *exchange);

/* Local. Elements [first, first + count) of the leaf's gradient are final, gaps included: each element of the arena
 * once, in any order. They are combined with the leaf's buddies as far as these are here, and, of the last leaf, sent
 * to other nodes; with the last ones the leaf is complete. Moves on what is under way between nodes. */
void exchange_leaf_final(struct exchange *exchange, size_t first, size_t count);

/* Collective over world; divisor must be equal on every rank. All own leaves are complete. Sums the leaves along the
 * tree, divides by `divisor`, and leaves this rank's shard of the result in *gradient [shard.count] (borrowed until the
 * next reduce; the caller may change it). Returns the Euclidean norm of the measured part of the gradient: each block's
 * squares are summed in double in a fixed order, then the blocks in theirs, so that the bits are the same on every rank
 * and for every world size. NaN or infinite if the gradient is. */
double exchange_reduce(struct exchange *exchange, double divisor, float **gradient);

/* Local. Whether this node's copy of the parameters [P] (one of the two) has these digests, which are those of the
 * blocks [exchange_blocks(P)] as their owners have them; the ranks of a node share the work. If not, *wrong becomes the
 * first block that this rank has found to be another. */
bool exchange_check_replica(const struct exchange *exchange, const float *params, const uint64_t *digests,
                            size_t *wrong) WARN_UNUSED;

/* Collective over world. Every node's copy of the parameters becomes what the owners have written. On one node it has
 * done so on return; on several it goes on meanwhile, and exchange_await says when. */
void exchange_distribute(struct exchange *exchange);

/* Collective over the node, whose ranks await the same elements in the same order. Waits until elements [first, first +
 * count) of the parameters are what the owners have written last. */
void exchange_await(struct exchange *exchange, size_t first, size_t count);

/* Collective over the node. Waits for all of them, and until what this rank has to send is gone; exchange_reduce does
 * so, too. Returns exchange_params. */
float *exchange_settle(struct exchange *exchange);

#endif
