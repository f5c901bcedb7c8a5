/* The same for tests that run on several ranks: every rank runs every case; the verdict is the world's.
 * Never a CU_ASSERT_*_FATAL here: it would leave one rank alone in a collective. */
#ifndef SUPPORT_TEST_MPI_H
#define SUPPORT_TEST_MPI_H

#include "support/test.h"

/* Starts MPI, runs, ends MPI; the exit code is 1 on all ranks if it is on one. */
int test_mpi_run(int *argc, char ***argv, const char *suite, const struct test_case *cases);

/* Collective over MPI_COMM_WORLD. As test_path, one directory for all ranks of the node (made by rank 0). */
const char *test_mpi_path(const char *name);

#endif
