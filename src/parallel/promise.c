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

/* The first rank whose value is not that of rank 0, and both in words. */
static _Noreturn void refuse(int rank, const char *argument, const char *function, const char *first, const char *other)
{
    char words[400];
    snprintf(words, sizeof words, "%s: %s is %.120s on rank 0, and %.120s on rank %d", function, argument, first, other,
             rank);
    check_failed(words, "an argument has to be equal on every rank", __FILE__, __LINE__);
}

void promise_equal(MPI_Comm comm, uint64_t value, const char *argument, const char *function)
{
    uint64_t first, other;
    char here[32], there[32];
    int rank = find_other(comm, value, &first, &other);
    snprintf(here, sizeof here, "%" PRIu64, first);
    snprintf(there, sizeof there, "%" PRIu64, other);
    if (rank > 0)
        refuse(rank, argument, function, here, there);
}

void promise_equal_real(MPI_Comm comm, double value, const char *argument, const char *function)
{
    uint64_t bits, first, other;
    double reals[2];
    char here[32], there[32];
    memcpy(&bits, &value, sizeof bits);
    int rank = find_other(comm, bits, &first, &other);
    memcpy(&reals[0], &first, sizeof first);
    memcpy(&reals[1], &other, sizeof other);
    snprintf(here, sizeof here, "%.17g", reals[0]);
    snprintf(there, sizeof there, "%.17g", reals[1]);
    if (rank > 0)
        refuse(rank, argument, function, here, there);
}

void promise_equal_text(MPI_Comm comm, const char *text, const char *argument, const char *function)
{
    uint64_t first, other;
    int rank = find_other(comm, text ? digest_bytes(text, strlen(text)) : 0, &first, &other);
    if (rank > 0)
        refuse(rank, argument, function, text ? text : "(none)", "another text");
}
