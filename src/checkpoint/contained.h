/* What may crash, never end, or reach for other files is done by a child process that can do nothing else: HDF5's way
 * through a file that somebody else has made. The child has the file open, and then: no new descriptor of any kind (no
 * other file, no pipe, no socket), no more memory and no more processor time than a file of that size can need, and on
 * Linux no system call but those that read, allocate and answer. What it answers is bytes, to be believed no more than
 * the file.
 *
 * The child is forked, not executed: a library has no program to execute, and starting one costs more than all of its
 * work. That is safe in a rank with threads as long as the child calls only what takes no lock that another thread may
 * have held: malloc (glibc sees to it), HDF5 (which only one thread of a rank calls: the one that forks) and system
 * calls; no MPI, no log, no stdio streams. Signals that ask a job to leave pass it by. */
#ifndef CHECKPOINT_CONTAINED_H
#define CHECKPOINT_CONTAINED_H

#include "base/error.h"

#include <hdf5.h>
#include <stddef.h>
#include <stdint.h>

/* In the child, of an open file; *answer may stay NULL. */
typedef bool contained_work(hid_t file, void *context, char **answer, size_t *bytes, struct error *error);

/* Local. Opens `path`, which must be the very file that is open as `descriptor`, with HDF5 in a child, and lets `work`
 * do its work there. weight: bytes of all that HDF5 may have to walk through. The caller owns *answer (memory_free).
 * Errors are those of work and of h5_open, without the path; ERROR_CORRUPT, too, if the child has crashed or has come
 * to its limits; ERROR_IO: no child, or it was ended from outside, or the disk does not answer. */
bool contained_run(const char *path, int descriptor, uint64_t weight, contained_work *work, void *context,
                   char **answer, size_t *bytes, struct error *error) WARN_UNUSED;

#endif
