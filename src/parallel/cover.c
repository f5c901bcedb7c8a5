#include "parallel/cover.h"

#include "base/partition.h"

#include <string.h>

size_t cover_of_rank(const struct world *world, size_t leaves, int rank, struct subtree subtrees[TREE_DEPTH],
                     size_t *slots)
{
    size_t size = (size_t)world->size, r = (size_t)rank;
    return tree_cover(leaves, partition_first(leaves, size, r), partition_count(leaves, size, r), subtrees, slots);
}

size_t cover_of_node(const struct world *world, const struct node *node, size_t leaves, int index,
                     struct subtree subtrees[TREE_DEPTH])
{
    struct tree_walker walker;
    tree_start(&walker, leaves);
    for (int r = 0; r < world->size; r++) {
        struct subtree own[TREE_DEPTH];
        size_t length = node->node_of[r] == index ? cover_of_rank(world, leaves, r, own, NULL) : 0;
        for (size_t i = 0; i < length; i++) {
            tree_push(&walker, own[i]);
            while (tree_merge(&walker))
                ;
        }
    }
    memcpy(subtrees, walker.stack, walker.length * sizeof *subtrees);
    return walker.length;
}
