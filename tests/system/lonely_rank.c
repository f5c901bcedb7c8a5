/* One rank that fails alone, or hangs, in a call to which all ranks have to come. To be preloaded:
 *
 *   LONELY_CALL=MPI_Init_thread|MPI_Comm_dup|MPI_Comm_split|MPI_Comm_split_type|MPI_Comm_free|MPI_Bcast|MPI_Allreduce|
 *               MPI_Win_allocate_shared|MPI_Win_free|MPI_Finalize|pthread_create
 *   LONELY_RANK=R  LONELY_HOW=fails|hangs  LONELY_NTH=N (1: the first)
 *
 * Only calls of the program itself count: MPI could not begin without its threads, and HDF5 has communicators. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <mpi.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

static int is_it(const char *call)
{
    const char *chosen = getenv("LONELY_CALL"), *rank = getenv("LONELY_RANK"), *own = getenv("OMPI_COMM_WORLD_RANK");
    return chosen && rank && own && strcmp(chosen, call) == 0 && strcmp(rank, own) == 0;
}

/* Whether the code at this place is the program's. */
static int is_own(const void *place)
{
    Dl_info caller, program;
    const void *begin = (const void *)getauxval(AT_ENTRY);
    return dladdr(place, &caller) && dladdr(begin, &program) && caller.dli_fbase == program.dli_fbase;
}

/* Nonzero: the call has failed. */
static int meets(const char *call, const void *place)
{
    static atomic_long calls;
    const char *how = getenv("LONELY_HOW"), *nth = getenv("LONELY_NTH");
    if (!is_it(call) || !is_own(place) || atomic_fetch_add(&calls, 1) + 1 != (nth ? strtol(nth, NULL, 10) : 1))
        return 0;
    while (!how || strcmp(how, "fails") != 0)
        pause();
    return 1;
}

#define meets_it(call) meets(call, __builtin_return_address(0))

int MPI_Init_thread(int *argc, char ***argv, int required, int *provided)
{
    return meets_it("MPI_Init_thread") ? MPI_ERR_OTHER : PMPI_Init_thread(argc, argv, required, provided);
}

int MPI_Comm_dup(MPI_Comm comm, MPI_Comm *made)
{
    return meets_it("MPI_Comm_dup") ? MPI_ERR_OTHER : PMPI_Comm_dup(comm, made);
}

int MPI_Comm_split(MPI_Comm comm, int color, int key, MPI_Comm *made)
{
    return meets_it("MPI_Comm_split") ? MPI_ERR_OTHER : PMPI_Comm_split(comm, color, key, made);
}

int MPI_Comm_split_type(MPI_Comm comm, int type, int key, MPI_Info info, MPI_Comm *made)
{
    return meets_it("MPI_Comm_split_type") ? MPI_ERR_OTHER : PMPI_Comm_split_type(comm, type, key, info, made);
}

int MPI_Comm_free(MPI_Comm *comm)
{
    return meets_it("MPI_Comm_free") ? MPI_ERR_OTHER : PMPI_Comm_free(comm);
}

int MPI_Bcast(void *bytes, int count, MPI_Datatype type, int root, MPI_Comm comm)
{
    return meets_it("MPI_Bcast") ? MPI_ERR_OTHER : PMPI_Bcast(bytes, count, type, root, comm);
}

int MPI_Allreduce(const void *from, void *to, int count, MPI_Datatype type, MPI_Op op, MPI_Comm comm)
{
    return meets_it("MPI_Allreduce") ? MPI_ERR_OTHER : PMPI_Allreduce(from, to, count, type, op, comm);
}

int MPI_Win_allocate_shared(MPI_Aint size, int unit, MPI_Info info, MPI_Comm comm, void *base, MPI_Win *window)
{
    return meets_it("MPI_Win_allocate_shared") ? MPI_ERR_NO_MEM
                                               : PMPI_Win_allocate_shared(size, unit, info, comm, base, window);
}

int MPI_Win_free(MPI_Win *window)
{
    return meets_it("MPI_Win_free") ? MPI_ERR_OTHER : PMPI_Win_free(window);
}

int MPI_Finalize(void)
{
    return meets_it("MPI_Finalize") ? MPI_ERR_OTHER : PMPI_Finalize();
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument)
{
    static int (*next)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    if (!next)
        *(void **)&next = dlsym(RTLD_NEXT, "pthread_create");
    return meets_it("pthread_create") ? EAGAIN : next(thread, attributes, run, argument);
}
