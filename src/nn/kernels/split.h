/* Loops of a pass, shared by the threads that it has (compute.h): the caller's alone, if that is one.
 *
 * What is split has elements, rows or samples of which none needs another. So no bit hangs on the number of threads, or
 * on where the loop is cut. Sums that go over what is split stay with one thread, in their order. */
#ifndef NN_KERNELS_SPLIT_H
#define NN_KERNELS_SPLIT_H

#include "nn/kernels/compute.h"

#include <stddef.h>

/* Floats of a simple loop in the cache that are worth a thread: below that, one is as soon done as two. */
#define SPLIT_FLOATS 16384

/* Local. Calls range(context, first, end, thread) for ranges that together are [0, count), none of them shorter than
 * `least` (> 0) unless it is the only one. `thread` < compute_threads: whose scratch the range may use. */
void split_run(const struct compute *compute, size_t count, size_t least,
               void (*range)(void *context, size_t first, size_t end, size_t thread), void *context);

/* Local. function(n, x, y) of vector.h for n floats; y may be x. */
void split_map(const struct compute *compute, void (*function)(size_t n, const float *x, float *y), size_t n,
               const float *x, float *y);

/* Local. derivative(n, a, b, y) for n floats, as those of vector.h are, and its sum of two vectors; y may be a or b. */
void split_map_two(const struct compute *compute,
                   void (*derivative)(size_t n, const float *a, const float *b, float *y), size_t n, const float *a,
                   const float *b, float *y);

#endif
