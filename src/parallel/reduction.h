/* Sums of subtrees, element by element: a fixed little program, made once, run every step. */
#ifndef PARALLEL_REDUCTION_H
#define PARALLEL_REDUCTION_H

#include "parallel/tree.h"

/* One value that goes in, and how many times the two rightmost values are added after it. */
struct reduction_source {
    const float *values; /* element e of the arena is values[e - first] */
    size_t first;
    unsigned merges;
};

struct reduction {
    struct tree_walker walker;
    struct reduction_source *sources;
    size_t length, capacity;
    size_t results; /* subtrees that remain */
    size_t deepest; /* values that wait at most */
    float *scratch; /* [deepest, a chunk] */
};

/* Local. An empty sum over a tree of `leaves` leaves. Release accepts a released one. */
void reduction_init(struct reduction *reduction, size_t leaves);
void reduction_release(struct reduction *reduction);

/* Local. Adds the next subtree to the right; its memory is borrowed. */
void reduction_add(struct reduction *reduction, struct subtree subtree, const float *values, size_t first);

/* Local. Elements [first, first + count) of each of the `results` subtrees that remain: out [results, count], rows
 * `stride` apart. */
void reduction_run(struct reduction *reduction, size_t first, size_t count, float *out, size_t stride);

/* Local. out = left + right, `count` floats; out may be left. */
void reduction_pair(float *out, const float *left, const float *right, size_t count);

/* Local. The sum of the squares, in double, in a fixed order. */
double reduction_squares(const float *values, size_t count);

/* Local. values /= divisor; returns the sum of the squares of the quotients, in double, in a fixed order. */
double reduction_finish(float *values, size_t count, float divisor);

#endif
