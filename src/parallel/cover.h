/* Whose leaves leave which subtrees of the leaf tree over (tree.h): of a rank, and of a node after it has added up
 * those of its ranks. Pure functions of the world and its nodes, for every rank to know of every other. */
#ifndef PARALLEL_COVER_H
#define PARALLEL_COVER_H

#include "parallel/node.h"
#include "parallel/tree.h"
#include "parallel/world.h"

/* Local. Those of a rank of the world, as tree_cover; *slots (may be NULL): how many values wait on the way at most. */
size_t cover_of_rank(const struct world *world, size_t leaves, int rank, struct subtree subtrees[TREE_DEPTH],
                     size_t *slots);

/* Local. Those of a node. */
size_t cover_of_node(const struct world *world, const struct node *node, size_t leaves, int index,
                     struct subtree subtrees[TREE_DEPTH]);

#endif
