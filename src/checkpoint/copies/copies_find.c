#include "checkpoint/copies/copies_find.h"

#include "base/check.h"
#include "base/memory.h"
#include "base/watchdog.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct listing {
    struct copies_entry *entries;
    size_t count, capacity;
    struct text complaints;
};

static void list_piece(struct listing *listing, const struct copies *copies, int directory, const char *name)
{
    struct piece piece;
    struct error error;
    uint64_t step;
    bool hidden;
    char path[PATH_MAX], expected[PATH_MAX];
    if (!piece_parse_name(name, &step, &hidden) || hidden)
        return;
    snprintf(path, sizeof path, "%.*s/%.128s", PATH_MAX - 160, copies->directory, name);
    bool ok = piece_open(&piece, directory, path, &error);
    enum piece_kind kind = 0;
    bool fits = false;
    for (; ok && kind < PIECE_KINDS; kind++) {
        piece_path(copies->directory, piece.set.step, piece.rank, piece.set.ranks, kind, expected);
        if ((fits = strcmp(path, expected) == 0))
            break;
    }
    if (ok && !fits)
        ok = error_set(&error, ERROR_CORRUPT, "%s: what it holds belongs under another name", path);
    if (ok) {
        listing->entries = memory_grow(listing->entries, listing->count, &listing->capacity, sizeof *listing->entries);
        listing->entries[listing->count++] = (struct copies_entry){
            .set = piece.set, .rank = piece.rank, .node = (uint64_t)copies->node.index, .kind = kind};
    } else {
        text_append(&listing->complaints, "%s\n", error.text);
    }
    piece_close(&piece);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

/* Local. What the first rank of a node sees there; the others see nothing. A directory that cannot be read, or
 * that somebody else has put there, holds nothing that could be used. */
static void list(struct listing *listing, const struct copies *copies)
{
    struct dirent **names;
    struct error error;
    int directory;
    text_init(&listing->complaints);
    if (copies->node.rank != 0)
        return;
    if (!copies_hold(copies, &directory, &error)) {
        if (error.kind != ERROR_NOT_FOUND)
            text_append(&listing->complaints, "%s\n", error.text);
        return;
    }
    int count = scandirat(directory, ".", &names, NULL, by_name);
    for (int i = 0; i < count; i++) {
        list_piece(listing, copies, directory, names[i]->d_name);
        free(names[i]);
    }
    if (count >= 0)
        free(names);
    close(directory);
}

/* Collective. All ranks' entries on all ranks. */
static void gather_entries(const struct world *world, const struct listing *listing, struct copies_finds *finds)
{
    size_t size = (size_t)world->size;
    int *counts = memory_need(size, sizeof *counts), *places = memory_need(size, sizeof *places);
    size_t total = 0;
    CHECK(listing->count * sizeof *listing->entries < INT_MAX / size, "a directory holds the pieces of a few sets");
    int mine = (int)(listing->count * sizeof *listing->entries);
    watchdog_begin_meeting("the ranks tell each other of their copies", 0, false);
    MPI_Allgather(&mine, 1, MPI_INT, counts, 1, MPI_INT, world->comm);
    for (size_t r = 0; r < size; r++) {
        places[r] = (int)total;
        total += (size_t)counts[r];
    }
    finds->entries = memory_need(total, 1);
    finds->count = total / sizeof *finds->entries;
    finds->spoilt = memory_need(finds->count, 1);
    MPI_Allgatherv(listing->entries, mine, MPI_BYTE, finds->entries, counts, places, MPI_BYTE, world->comm);
    watchdog_end();
    memory_free(counts);
    memory_free(places);
}

void copies_complain(const struct world *world, const struct text *own, struct copies_finds *finds)
{
    char **texts = world_gather_texts(world, text_bytes(own));
    for (int r = 0; r < world->size; r++)
        text_append(&finds->complaints, "%s", texts[r]);
    memory_free(texts);
}

bool copies_look(const struct copies *copies, struct agreement *agreement, double patience_s,
                 struct copies_finds *finds, struct error *error)
{
    struct listing listing = {0};
    *finds = (struct copies_finds){0};
    list(&listing, copies);
    agreement_begin(agreement);
    bool ok = agreement_agree(agreement, true, patience_s, "looking for copies on its node", NULL, error);
    if (ok) {
        gather_entries(copies->world, &listing, finds);
        copies_complain(copies->world, &listing.complaints, finds);
    }
    memory_free(listing.entries);
    text_release(&listing.complaints);
    return ok;
}

void copies_finds_release(struct copies_finds *finds)
{
    memory_free(finds->entries);
    memory_free(finds->spoilt);
    text_release(&finds->complaints);
    *finds = (struct copies_finds){0};
}

bool copies_same(const struct piece_set *a, const struct piece_set *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

size_t copies_piece(const struct copies_finds *finds, const struct piece_set *set, uint64_t rank)
{
    for (uint64_t kind = 0; kind < PIECE_KINDS; kind++)
        for (size_t i = 0; i < finds->count; i++)
            if (!finds->spoilt[i] && finds->entries[i].kind == kind && finds->entries[i].rank == rank &&
                copies_same(&finds->entries[i].set, set))
                return i;
    return finds->count;
}

static bool is_whole(const struct copies_finds *finds, const struct piece_set *set)
{
    for (uint64_t rank = 0; rank < set->ranks; rank++)
        if (copies_piece(finds, set, rank) == finds->count)
            return false;
    return true;
}

const struct piece_set *copies_newest(const struct copies_finds *finds, uint64_t lineage, uint64_t beyond)
{
    const struct piece_set *newest = NULL, *broken = NULL;
    for (size_t i = 0; i < finds->count; i++) {
        const struct piece_set *set = &finds->entries[i].set;
        if (finds->spoilt[i] || set->lineage != lineage || set->step <= beyond ||
            (newest && set->step <= newest->step) || (broken && copies_same(set, broken)))
            continue;
        if (is_whole(finds, set))
            newest = set;
        else
            broken = set;
    }
    return newest;
}

void copies_spoil(struct copies_finds *finds, const struct piece_set *set)
{
    for (size_t i = 0; i < finds->count; i++)
        if (copies_same(&finds->entries[i].set, set))
            finds->spoilt[i] = 1;
}
