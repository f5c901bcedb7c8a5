#include "parallel/tree.h"

#include "base/check.h"

/* A subtree whose right buddy would begin beyond the last leaf is, alone, already its own parent. */
static void promote(const struct tree_walker *walker, struct subtree *subtree)
{
    while (subtree->index > 0 && subtree->index % 2 == 0 && (subtree->index + 1) << subtree->level >= walker->leaves) {
        subtree->index /= 2;
        subtree->level++;
    }
}

void tree_start(struct tree_walker *walker, size_t leaves)
{
    walker->leaves = leaves;
    walker->length = 0;
}

void tree_push(struct tree_walker *walker, struct subtree subtree)
{
    CHECK(walker->length < TREE_DEPTH, "subtrees come from left to right, at most two a level");
    promote(walker, &subtree);
    walker->stack[walker->length++] = subtree;
}

bool tree_merge(struct tree_walker *walker)
{
    if (walker->length < 2)
        return false;
    struct subtree *left = &walker->stack[walker->length - 2], *right = left + 1;
    if (left->level != right->level || left->index % 2 != 0 || right->index != left->index + 1)
        return false;
    left->index /= 2;
    left->level++;
    promote(walker, left);
    walker->length--;
    return true;
}

size_t tree_cover(size_t leaves, size_t first, size_t count, struct subtree subtrees[TREE_DEPTH], size_t *deepest)
{
    struct tree_walker walker;
    size_t most = 0;
    tree_start(&walker, leaves);
    for (size_t leaf = first; leaf < first + count; leaf++) {
        tree_push(&walker, (struct subtree){.level = 0, .index = leaf});
        most = walker.length > most ? walker.length : most;
        while (tree_merge(&walker))
            ;
    }
    for (size_t i = 0; i < walker.length; i++)
        subtrees[i] = walker.stack[i];
    if (deepest)
        *deepest = most;
    return walker.length;
}

double tree_sum(const double *values, size_t leaves, size_t stride)
{
    struct tree_walker walker;
    double waiting[TREE_DEPTH];
    CHECK(leaves > 0, "a tree has leaves");
    tree_start(&walker, leaves);
    for (size_t leaf = 0; leaf < leaves; leaf++) {
        tree_push(&walker, (struct subtree){.level = 0, .index = leaf});
        waiting[walker.length - 1] = values[leaf * stride];
        while (tree_merge(&walker))
            waiting[walker.length - 1] += waiting[walker.length];
    }
    CHECK(walker.length == 1, "all leaves make one tree");
    return waiting[0];
}
