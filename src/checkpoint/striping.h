/* How checkpoint files lie on the disks of a parallel file system. On Lustre a file is cut into stripes, which go round
 * over a number of servers: more servers carry a large file faster, and a rank whose part begins at a stripe shares its
 * lock with few others. What is asked for is set as the default of the directory, which new files take over; what is
 * not asked for stays as the directory has it. Elsewhere only the alignment of the arrays is left of it. */
#ifndef CHECKPOINT_STRIPING_H
#define CHECKPOINT_STRIPING_H

#include "base/text.h"

#include <mpi.h>
#include <stddef.h>
#include <stdint.h>

#define STRIPING_ALIGNMENT ((uint64_t)1 << 20) /* without stripes: first writes to a new file are four times faster */

struct striping {
    uint64_t count, size; /* asked for: servers, bytes of a stripe; 0: as the directory has it */
    uint64_t aggregators; /* asked for: for MPI-IO; 0: its own choice */

    /* From here on what striping_apply has found; rank 0's. */
    uint64_t type;                    /* of the file system, as statfs has it; 0: not known */
    uint64_t found_count, found_size; /* of the directory's stripes; 0: not known, or there are none */
    uint64_t alignment;               /* bytes, for large arrays in a file: a power of two */
    char refused[200];                /* why the file system did not take what was asked for; "": it did */
};

/* Local. Asks for nothing, and knows nothing but the usual alignment. */
void striping_init(struct striping *striping);

/* Local, rank 0's work. Sets what is asked for as the default of the directory, if it is on Lustre, and finds out what
 * holds there. Never fails: files can be written with any striping. */
void striping_apply(struct striping *striping, const char *directory);

/* Local. The count and the size in a layout as Lustre tells it; false: not one of the simple kinds. */
bool striping_parse(const void *layout, size_t bytes, uint64_t *count, uint64_t *size);

/* Local. Appends "Lustre, 8 stripes of 4 MiB, arrays aligned to 4 MiB". */
void striping_describe(const struct striping *striping, struct text *words);

/* Local. What is asked for, as hints for MPI-IO; MPI_INFO_NULL: nothing is. The caller frees it. */
MPI_Info striping_hints(const struct striping *striping);

#endif
