/* The leaf tree: one fixed binary tree over `leaves` leaves, along which everything is summed.
 *
 * The subtree (level, index) covers leaves [index << level, (index + 1) << level), cut at `leaves`; it is the sum of
 * its left half, (level - 1, 2 * index), and its right half, (level - 1, 2 * index + 1), or the left half alone if the
 * right one would begin at or beyond `leaves`. Floating-point addition commutes but does not associate: fixing who is
 * added to whom fixes the bits, whoever does the adding.
 *
 * A walker combines subtrees that arrive from left to right, like a binary counter: it keeps a stack of subtrees that
 * wait for their buddies. Used for a rank's leaves, for the ranks of a node and for the nodes alike. */
#ifndef PARALLEL_TREE_H
#define PARALLEL_TREE_H

#include <stdbool.h>
#include <stddef.h>

#define TREE_DEPTH 128 /* subtrees of a contiguous range of leaves: two a level at most */

struct subtree {
    unsigned level;
    size_t index;
};

struct tree_walker {
    size_t leaves;
    size_t length; /* subtrees on the stack, from left to right */
    struct subtree stack[TREE_DEPTH];
};

/* Local. An empty stack over a tree of `leaves` leaves. */
void tree_start(struct tree_walker *walker, size_t leaves);

/* Local. Puts the next subtree to the right on the stack. */
void tree_push(struct tree_walker *walker, struct subtree subtree);

/* Local. If the two rightmost subtrees are buddies, replaces them by their parent and returns true: the caller adds the
 * value of the last to that of the one before. Call until it returns false. */
bool tree_merge(struct tree_walker *walker);

/* Local. The subtrees that remain when leaves [first, first + count) have been pushed and merged; returns how many.
 * *deepest (may be NULL) is how many values are waiting at most on the way, the newest leaf included. */
size_t tree_cover(size_t leaves, size_t first, size_t count, struct subtree subtrees[TREE_DEPTH], size_t *deepest);

/* Local. The tree sum of one number of each leaf: values[leaf * stride]. leaves >= 1. */
double tree_sum(const double *values, size_t leaves, size_t stride);

#endif
