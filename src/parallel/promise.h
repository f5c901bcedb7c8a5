/* What the callers of collective functions promise: an argument that is equal on every rank. In debug builds (the
 * preset "dev", and under the sanitizers) PROMISE_... proves it, which costs a message each; a difference is a bug, and
 * ends all ranks with its rank, function and argument. Elsewhere it costs nothing. Not where ranks of different builds
 * may meet (equality.h), nor for what another CPU may round otherwise (a learning rate), nor in functions that may not
 * block (agreement.h): there a rank that is missing has to be named, and not waited for. */
#ifndef PARALLEL_PROMISE_H
#define PARALLEL_PROMISE_H

#include <mpi.h>
#include <stdint.h>

#ifdef LOCKSTEP_PROMISES
#define PROMISE_EQUAL(world, number)    promise_equal((world)->comm, (uint64_t)(number), #number, __func__)
#define PROMISE_EQUAL_REAL(world, real) promise_equal_real((world)->comm, (real), #real, __func__)
#define PROMISE_EQUAL_TEXT(world, text) promise_equal_text((world)->comm, (text), #text, __func__)
#else
#define PROMISE_EQUAL(world, number)    ((void)0)
#define PROMISE_EQUAL_REAL(world, real) ((void)0)
#define PROMISE_EQUAL_TEXT(world, text) ((void)0)
#endif

/* Collective over comm. Does not return if the values differ: reals by their bits, texts by their digest. */
void promise_equal(MPI_Comm comm, uint64_t value, const char *argument, const char *function);
void promise_equal_real(MPI_Comm comm, double value, const char *argument, const char *function);
void promise_equal_text(MPI_Comm comm, const char *text, const char *argument, const char *function);

#endif
