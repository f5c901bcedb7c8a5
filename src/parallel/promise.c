#include "parallel/promise.h"

#include "base/check.h"
#include "base/digest.h"
#include "base/memory.h"
#include "base/watchdog.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* The first rank whose value is not that of rank 0; 0: there is none. */
static int find_other(MPI_Comm comm, uint64_t value, uint64_t *first, uint64_t *other)
{
    int size, found = 0;
    MPI_Comm_size(comm, &size);
    uint64_t *values = memory_need((size_t)size, sizeof *values);
    watchdog_begin_meeting("the ranks prove what they have promised each other", 0, false);
    MPI_Allgather(&value, 1, MPI_UINT64_T, values, 1, MPI_UINT64_T, comm);
    watchdog_end();
    for (int r = size - 1; r > 0; r--)
        found = values[r] != values[0] ? r : found;
    *first = values[0];
    *other = values[found];
    memory_free(values);
    return found;
}

void promise_equal(MPI_Comm comm, uint64_t value, const char *argument, const char *function)
{
    char words[200];
    uint64_t first, other;
    int rank = find_other(comm, value, &first, &other);
    if (rank == 0)
        return;
    snprintf(words, sizeof words, "%s is %" PRIu64 " on rank 0, and %" PRIu64 " on rank %d", argument, first, other,
             rank);
    check_failed(words, "an argument has to be equal on every rank", function, 0);
}

void promise_equal_real(MPI_Comm comm, double value, const char *argument, const char *function)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    promise_equal(comm, bits, argument, function);
}

void promise_equal_text(MPI_Comm comm, const char *text, const char *argument, const char *function)
{
    promise_equal(comm, text ? digest_bytes(text, strlen(text)) : 0, argument, function);
}
