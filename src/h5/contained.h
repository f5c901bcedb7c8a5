/* What may crash, never end, or reach for other files is done by a child process that can do nothing else: HDF5's way
 * through a file that somebody else has made. The child has the file open, and then: no new descriptor of any kind (no
 * other file, no pipe, no socket), no more memory and no more processor time than work of its kind on a file that has
 * stored so much can need, with a ceiling (a length alone is nothing: a file with a hole has any), and on Linux no
 * system call but those that read, allocate and answer. What it answers is bytes, to be believed no more than the file.
 *
 * The child is forked, not executed: a library has no program to execute, and starting one costs more than all of its
 * work. That is safe in a rank with threads as long as the child calls only what takes no lock that another thread may
 * have held: malloc (glibc sees to it), HDF5 (which only one thread of a rank calls: the one that forks) and system
 * calls; no MPI, no log, no stdio streams. Signals that ask a job to leave pass it by. */
#ifndef H5_CONTAINED_H
#define H5_CONTAINED_H

#include "base/error.h"

#include <hdf5.h>
#include <stddef.h>
#include <stdint.h>

#define CONTAINED_ROOT ((uint64_t)16 << 20) /* bytes: most for who looks at the root of a file alone */

/* In the child, of an open file; *answer may stay NULL. */
typedef bool contained_work(hid_t file, void *context, char **answer, size_t *bytes, struct error *error);

/* Local. Opens the very file that is open as `descriptor`, and has that path, with HDF5 in a child, and lets `work` do
 * its work there. most: bytes that HDF5 may have to walk through; if the file has stored fewer, those count. The limits
 * of the child follow from that. The caller owns *answer (memory_free). Errors are those of work and of h5_open,
 * without the path; ERROR_CORRUPT, too, if the child has crashed or has come to its limits; ERROR_IO: no child, or it
 * was ended from outside, or the disk does not answer. */
bool contained_run(const char *path, int descriptor, uint64_t most, contained_work *work, void *context, char **answer,
                   size_t *bytes, struct error *error) WARN_UNUSED;

/* Local. The same of a file that this process has mapped, or in memory, as has the child: it has none open, and `work`
 * gets -1. weight: bytes that it may have to walk through. */
bool contained_run_on_memory(uint64_t weight, contained_work *work, void *context, char **answer, size_t *bytes,
                             struct error *error) WARN_UNUSED;

#endif
