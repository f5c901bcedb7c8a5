#include "parallel/node.h"

#include "base/file.h"
#include "base/limit.h"
#include "base/memory.h"
#include "base/partition.h"
#include "base/watchdog.h"
#include "parallel/promise.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14; the headers may be older than the kernel */
#endif

#define WINDOW_HEADERS 65536 /* what Open MPI puts in front of the pieces, at most */

void node_open(struct node *node, const struct world *world, int ranks_per_node)
{
    MPI_Comm shared;
    int size = world->size, rank_in_shared;
    PROMISE_EQUAL(world, ranks_per_node);
    watchdog_begin_meeting("the ranks of each node find each other", 0, false);
    MPI_Comm_split_type(world->comm, MPI_COMM_TYPE_SHARED, world->rank, MPI_INFO_NULL, &shared);
    MPI_Comm_rank(shared, &rank_in_shared);
    MPI_Comm_split(shared, ranks_per_node > 0 ? rank_in_shared / ranks_per_node : 0, world->rank, &node->comm);
    MPI_Comm_free(&shared);
    MPI_Comm_rank(node->comm, &node->rank);
    MPI_Comm_size(node->comm, &node->size);

    /* A node goes by the world rank of its first rank; numbers follow in that order. */
    int first = world->rank;
    MPI_Bcast(&first, 1, MPI_INT, 0, node->comm);
    int *firsts = memory_need((size_t)size, sizeof *firsts);
    MPI_Allgather(&first, 1, MPI_INT, firsts, 1, MPI_INT, world->comm);
    watchdog_end();
    node->node_of = memory_need((size_t)size, sizeof *node->node_of);
    node->rank_of = memory_need((size_t)size, sizeof *node->rank_of);
    node->sizes = memory_need((size_t)size, sizeof *node->sizes);
    node->count = 0;
    for (int r = 0; r < size; r++) {
        node->node_of[r] = firsts[r] == r ? node->count++ : node->node_of[firsts[r]];
        node->rank_of[r] = node->sizes[node->node_of[r]]++;
    }
    node->index = node->node_of[world->rank];
    memory_free(firsts);
}

void node_close(struct node *node)
{
    watchdog_begin_meeting("the ranks of each node part", 0, false);
    MPI_Comm_free(&node->comm);
    watchdog_end();
    memory_free(node->node_of);
    memory_free(node->rank_of);
    memory_free(node->sizes);
}

void node_share_bytes(const struct node *node, char **bytes, size_t *count)
{
    const size_t most = (size_t)1 << 30; /* MPI counts in an int */
    uint64_t there = *count;
    watchdog_begin_meeting("the first rank of each node tells the others", 0, false);
    MPI_Bcast(&there, 1, MPI_UINT64_T, 0, node->comm);
    if (node->rank != 0) {
        *count = (size_t)there;
        *bytes = memory_need(*count + 1, 1);
    }
    for (size_t at = 0; at < *count; at += most)
        MPI_Bcast(*bytes + at, (int)(*count - at < most ? *count - at : most), MPI_BYTE, 0, node->comm);
    watchdog_end();
}

bool node_is_equal(const struct node *node, uint64_t number)
{
    uint64_t least[2] = {number, ~number};
    watchdog_begin_meeting("the ranks of each node compare what they have", 0, false);
    MPI_Allreduce(MPI_IN_PLACE, least, 2, MPI_UINT64_T, MPI_MIN, node->comm);
    watchdog_end();
    return least[0] == ~least[1];
}

/* Whether every rank of the node says ok; the error becomes that of the first that does not. */
static bool agree(const struct node *node, bool ok, struct error *error)
{
    int mine = ok ? node->size : node->rank, guilty;
    MPI_Allreduce(&mine, &guilty, 1, MPI_INT, MPI_MIN, node->comm);
    if (guilty < node->size)
        MPI_Bcast(error, (int)sizeof *error, MPI_BYTE, guilty, node->comm);
    return guilty == node->size;
}

/* Makes the pages of shared memory real. Without this the first touch of a page that /dev/shm has no room for is a
 * SIGBUS somewhere in the middle of training. */
static bool populate(void *memory, size_t bytes, struct error *error)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t start = (uintptr_t)memory / page * page, end = ((uintptr_t)memory + bytes + page - 1) / page * page;
    if (bytes == 0 || madvise((void *)start, end - start, MADV_POPULATE_WRITE) == 0)
        return true;
    if (errno == EINVAL)
        return true; /* an older kernel: the look at /dev/shm before has to do */
    return error_errno(error, "%.1f MB of shared memory cannot be had", (double)bytes / 1e6);
}

/* Whether a file can still be made in /dev/shm; where nobody may write, Open MPI puts its files elsewhere. */
static bool has_inode(struct error *error)
{
    char path[] = "/dev/shm/lockstep-XXXXXX";
    int fd = mkstemp(path);
    if (fd < 0)
        return errno != ENOSPC || error_errno(error, "/dev/shm takes no more files");
    unlink(path);
    close(fd);
    return true;
}

/* Open MPI keeps windows in /dev/shm. Asking first costs nothing and answers before anybody is inside a collective. */
static bool has_room(const struct node *node, size_t bytes, struct error *error)
{
    uint64_t mine = bytes, all;
    MPI_Allreduce(&mine, &all, 1, MPI_UINT64_T, MPI_SUM, node->comm);
    uint64_t room = file_free_bytes("/dev/shm");
    bool ok = has_inode(error);
    if (ok && all > room)
        ok = error_set(error, ERROR_IO, "/dev/shm has %.1f MB free, %.1f MB are needed", (double)room / 1e6,
                       (double)all / 1e6);
    if (ok && (double)all + WINDOW_HEADERS > limit_file_bytes()) /* a window is a file */
        ok = error_set(error, ERROR_IO,
                       "a shared window of %.1f MB is more than a file may have here, %.1f MB (ulimit -f)",
                       (double)all / 1e6, limit_file_bytes() / 1e6);
    return agree(node, ok, error);
}

/* Open MPI puts pieces behind headers of its own, at multiples of 16. Segments are mapped at pages, so that a piece has
 * the same place modulo a cache line in every process. */
static void *aligned(void *piece)
{
    return (void *)(((uintptr_t)piece + MEMORY_ALIGNMENT - 1) / MEMORY_ALIGNMENT * MEMORY_ALIGNMENT);
}

/* Local. Makes this rank's piece real, and its part of what pieces have beyond the smallest: each rank an equal part of
 * that, so that the first one's piece, which has what all share, does not keep the others waiting. */
static bool populate_part(const struct window *window, const struct node *node, struct error *error)
{
    MPI_Aint least = 0;
    for (int pass = 0; pass < 2; pass++)
        for (int r = 0; r < node->size; r++) {
            MPI_Aint bytes;
            int unit;
            char *piece;
            MPI_Win_shared_query(window->win, r, &bytes, &unit, &piece);
            if (pass == 0) {
                least = r == 0 || bytes < least ? bytes : least;
                continue;
            }
            size_t more = (size_t)(bytes - least), ranks = (size_t)node->size, rank = (size_t)node->rank;
            if (!populate(piece + partition_first(more, ranks, rank), partition_count(more, ranks, rank), error) ||
                (r == node->rank && !populate(piece + more, (size_t)least, error)))
                return false;
        }
    return true;
}

/* Collective over node. Makes all of it real, and zero. */
static bool fill(struct window *window, const struct node *node, size_t bytes, struct error *error)
{
    MPI_Win_lock_all(MPI_MODE_NOCHECK, window->win);
    if (!agree(node, populate_part(window, node, error), error)) {
        window_close(window);
        return false;
    }
    memset(window->memory, 0, bytes);
    window->memory = aligned(window->memory);
    window_fence(window);
    return true;
}

bool window_open(struct window *window, const struct node *node, size_t bytes, const char *what, struct error *error)
{
    *window = (struct window){.win = MPI_WIN_NULL, .comm = node->comm};
    if (node->size == 1) {
        window->memory = memory_alloc(bytes, 1, what, error);
        return window->memory != NULL;
    }
    watchdog_begin_meeting("the ranks of each node look for room in /dev/shm", 0, false);
    bool has = has_room(node, bytes, error);
    watchdog_end();
    if (!has)
        return false;
    bytes += MEMORY_ALIGNMENT;
    double patience_s = world_memory_s(bytes);
    MPI_Info info;
    MPI_Info_create(&info);
    /* Each piece on pages of its own: aligned, and on the memory of the rank that touches it first. */
    MPI_Info_set(info, "alloc_shared_noncontig", "true");
    MPI_Comm_set_errhandler(node->comm, MPI_ERRORS_RETURN); /* a refusal is an answer, not the end of the job */
    watchdog_begin_meeting("a shared window is made for each node (MPI_Win_allocate_shared)", patience_s, false);
    int refused = MPI_Win_allocate_shared((MPI_Aint)bytes, 1, info, node->comm, &window->memory, &window->win);
    watchdog_end();
    MPI_Comm_set_errhandler(node->comm, MPI_ERRORS_ARE_FATAL);
    MPI_Info_free(&info);
    bool ok = refused == MPI_SUCCESS ||
              error_set(error, ERROR_IO, "MPI refuses a shared window of %.1f MB", (double)bytes / 1e6);
    /* Who was refused alone stands here, and the others in the call above, for ever. */
    watchdog_begin_meeting(refused == MPI_SUCCESS ? "the shared windows are looked at"
                                                  : "MPI refuses this rank a shared window, and others wait for it",
                           patience_s, refused != MPI_SUCCESS);
    ok = agree(node, ok, error);
    if (!ok)
        *window = (struct window){.win = MPI_WIN_NULL};
    else
        ok = fill(window, node, bytes, error);
    watchdog_end();
    return ok;
}

void window_close(struct window *window)
{
    if (window->win != MPI_WIN_NULL) {
        MPI_Win_unlock_all(window->win);
        MPI_Win_free(&window->win);
    } else {
        memory_free(window->memory);
    }
    *window = (struct window){.win = MPI_WIN_NULL};
}

void *window_piece(const struct window *window, int node_rank)
{
    MPI_Aint bytes;
    int unit;
    void *memory = window->memory;
    if (window->win == MPI_WIN_NULL)
        return memory;
    MPI_Win_shared_query(window->win, node_rank, &bytes, &unit, &memory);
    return aligned(memory);
}

void window_fence(const struct window *window)
{
    if (window->win == MPI_WIN_NULL)
        return;
    MPI_Win_sync(window->win);
    MPI_Barrier(window->comm);
    MPI_Win_sync(window->win);
}
