/* What a pass multiplies with (compute.h), by several threads: each makes a part of the result by another struct
 * compute, which makes an element the same way whatever the part is. Our own products do (product.h); those of OpenBLAS
 * do not.
 *
 * A product is cut into blocks of c, never along k; a convolution by samples, and its weight's gradient by weights. */
#ifndef NN_KERNELS_THREADED_H
#define NN_KERNELS_THREADED_H

#include "nn/kernels/compute.h"

#include <stdint.h>

#define THREADS_BY_AFFINITY UINT64_MAX /* as many as there are cores that the process may run on */

/* Local. How many threads this number, or word, of a job means here; 0: one. */
size_t threads_of(uint64_t asked);

/* Local. A compute of so many threads (1 to TEAM_THREADS_MOST), which are not there yet: scratch can be asked for, and
 * nothing made. What is not made by several is as in `alone`, which is borrowed. The caller owns it (threaded_close).
 */
struct compute *threaded_open(const struct compute *alone, size_t threads) WARN_UNUSED;

/* Local. Starts them; they belong to the calling thread, which makes all passes (base/team.h). ERROR_IO: the system has
 * no more. */
bool threaded_start(struct compute *threaded, struct error *error) WARN_UNUSED;

/* Local. Accepts NULL. */
void threaded_close(struct compute *threaded);

#endif
