/* One rank that fails alone, or hangs, in a call to which all ranks have to come. To be preloaded:
 *
 *   LONELY_CALL=MPI_Init_thread|MPI_Win_allocate_shared|MPI_Win_free|MPI_Finalize|pthread_create  LONELY_RANK=R
 *   LONELY_HOW=fails|hangs
 *
 * pthread_create fails only for the program itself: MPI could not begin without its threads. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <mpi.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

static int is_it(const char *call)
{
    const char *chosen = getenv("LONELY_CALL"), *rank = getenv("LONELY_RANK"), *own = getenv("OMPI_COMM_WORLD_RANK");
    return chosen && rank && own && strcmp(chosen, call) == 0 && strcmp(rank, own) == 0;
}

/* Nonzero: the call has failed. */
static int meets_it(const char *call)
{
    const char *how = getenv("LONELY_HOW");
    if (!is_it(call))
        return 0;
    while (!how || strcmp(how, "fails") != 0)
        pause();
    return 1;
}

int MPI_Init_thread(int *argc, char ***argv, int required, int *provided)
{
    return meets_it("MPI_Init_thread") ? MPI_ERR_OTHER : PMPI_Init_thread(argc, argv, required, provided);
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
    Dl_info caller, program;
    if (!next)
        *(void **)&next = dlsym(RTLD_NEXT, "pthread_create");
    const void *begin = (const void *)getauxval(AT_ENTRY); /* of the program */
    int is_own = dladdr(__builtin_return_address(0), &caller) && dladdr(begin, &program) &&
                 caller.dli_fbase == program.dli_fbase;
    return is_own && meets_it("pthread_create") ? EAGAIN : next(thread, attributes, run, argument);
}
