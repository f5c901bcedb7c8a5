/* Memory: zeroed, 64-byte aligned, and never silently absent. */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include "base/error.h"

#include <stddef.h>

#define MEMORY_ALIGNMENT 64 /* bytes: a cache line, and one AVX-512 register */

/* Local. Returns count * size zeroed bytes, aligned; the caller owns them (memory_free). For what grows with the
 * model or the data: returns NULL and an error that names `what` and the size. count or size may be 0: a valid pointer.
 */
void *memory_alloc(size_t count, size_t size, const char *what, struct error *error) WARN_UNUSED;

/* Local. Ends the process, exit code 1, with words that tell how much could not be had for what: nothing can go on. Of
 * a job the launcher then ends the other ranks. */
_Noreturn void memory_none(size_t bytes, const char *what);

/* Local. The same as memory_alloc for small things, which a machine that works at all can give: else memory_none, which
 * names the function that wanted it. */
#define memory_need(count, size) memory_need_in(count, size, __func__)
void *memory_need_in(size_t count, size_t size, const char *function) WARN_UNUSED;

/* Local. Room for one more item of `size` bytes behind the `length` that are in `items` (NULL: none yet): returns
 * `items`, or a larger copy in its place, and keeps *capacity up to date. Ends like memory_need. */
void *memory_grow(void *items, size_t length, size_t *capacity, size_t size) WARN_UNUSED;

/* Local. Copies floats past the cache, for what nobody reads soon: the target is not fetched before it is written. Both
 * at multiples of 16 bytes, else it is an ordinary copy. memory_stream_end before other threads or processes may look.
 */
void memory_stream(float *to, const float *from, size_t count);
void memory_stream_end(void);

/* Local. A copy of the text; the caller owns it. */
char *memory_text(const char *text) WARN_UNUSED;

/* Local. NULL is fine. */
void memory_free(void *memory);

#endif
