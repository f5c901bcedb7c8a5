/* What the tests of copies on the nodes share: some of the ranks save and load a small state on pretended nodes, each
 * with a directory of its own. Ranks beyond the number that a case wants stand aside. */
#ifndef CHECKPOINT_COPIES_SUPPORT_H
#define CHECKPOINT_COPIES_SUPPORT_H

#include "checkpoint/copies/copies.h"
#include "checkpoint/copies/copies_load.h"
#include "checkpoint/record_image.h"
#include "h5/h5.h"
#include "support/test_mpi.h"

#include "base/digest.h"
#include "base/memory.h"
#include "base/rng.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNT   (9 * EXCHANGE_BLOCK + 77)
#define ARRAYS  3
#define LINEAGE 4711

static struct world everybody;
static struct error error;
static const char *const names[ARRAYS] = {"params", "adamw.m", "ema"};
static char place[PATH_MAX];

/* What some of the ranks are, with so many on a node. */
struct cast {
    struct world world;
    struct agreement agreement;
    struct copies copies;
    bool plays; /* this rank is one of them */
};

/* Collective over everybody. */
static inline void cast_open(struct cast *cast, int ranks, int per_node)
{
    *cast = (struct cast){.plays = everybody.rank < ranks};
    MPI_Comm_split(everybody.comm, cast->plays ? 0 : MPI_UNDEFINED, everybody.rank, &cast->world.comm);
    if (!cast->plays)
        return;
    cast->world.rank = everybody.rank;
    cast->world.size = ranks;
    agreement_open(&cast->agreement, &cast->world);
    CU_ASSERT_TRUE(copies_open(&cast->copies, &cast->world, place, "/nowhere", per_node, &error));
}

static inline void cast_close(struct cast *cast)
{
    if (cast->plays) {
        copies_close(&cast->copies);
        copies_close(&cast->copies);
        agreement_close(&cast->agreement);
        MPI_Comm_free(&cast->world.comm);
    }
    MPI_Barrier(everybody.comm);
}

/* A fresh place on the "disk", with a directory for each node. */
static inline void new_place(const char *name)
{
    snprintf(place, sizeof place, "%.3000s/node-%%n", test_mpi_path(name));
}

static inline float value(uint64_t step, size_t array, size_t element)
{
    return rng_uniform(rng_key(100 * step + array, "local test"), element) - 0.5f;
}

/* The shard of this rank, filled or zero. */
static inline struct state make_state(const struct world *world, uint64_t step)
{
    struct state state = {
        .count = COUNT, .shard = exchange_shard(COUNT, world->size, world->rank), .array_count = ARRAYS};
    for (size_t a = 0; a < ARRAYS; a++) {
        float *values = memory_need(state.shard.count, sizeof *values);
        for (size_t i = 0; step > 0 && i < state.shard.count; i++)
            values[i] = value(step, a, state.shard.first + i);
        state.arrays[a] = (struct state_array){.name = names[a], .values = values};
    }
    return state;
}

static inline void free_state(struct state *state)
{
    for (size_t a = 0; a < ARRAYS; a++)
        memory_free(state->arrays[a].values);
}

static inline size_t wrong_values(const struct state *state, uint64_t step)
{
    size_t wrong = 0;
    for (size_t a = 0; a < ARRAYS; a++)
        for (size_t i = 0; i < state->shard.count; i++)
            wrong += state->arrays[a].values[i] != value(step, a, state->shard.first + i);
    return wrong;
}

static struct segment segments[] = {
    {.first_step = 1, .last_step = 1, .ranks = 2, .nodes = 1, .end = "running", .hosts = "a,b"}};

/* Collective over the cast. */
static inline bool save_step(struct cast *cast, uint64_t step)
{
    struct state state = make_state(&cast->world, step);
    struct snapshot snapshot;
    /* What rank 0 knows counts. */
    struct record record = {.epoch = cast->world.rank == 0 ? 1.5 : 9,
                            .lineage = cast->world.rank == 0 ? LINEAGE : 3,
                            .job = (char *)"run: x\n",
                            .passport = (char *)"blas: none\n",
                            .segments = segments,
                            .segment_count = 1};
    struct patience patience = {0};
    snapshot_init(&snapshot, &cast->world, &state);
    snapshot_take(&snapshot, &state, step);
    agreement_begin(&cast->agreement);
    bool ok = snapshot_digest(&snapshot, &cast->agreement, 60, &error) &&
              copies_save(&cast->copies, &cast->agreement, &snapshot, &record, &patience, &error);
    snapshot_release(&snapshot);
    free_state(&state);
    return ok;
}

/* Collective over the cast. The step of the newest set of the lineage beyond `beyond`; its values are right. 0: there
 * is none. `complaints`: how many there are. */
static inline uint64_t load(struct cast *cast, uint64_t lineage, uint64_t beyond, size_t *complaints)
{
    struct copies_finds finds;
    struct copies_set set;
    uint64_t step = 0;
    CU_ASSERT_TRUE(copies_look(&cast->copies, &cast->agreement, 60, &finds, &error));
    if (copies_take(&cast->copies, &cast->agreement, 60, &finds, lineage, beyond, &set, &error)) {
        struct state state = make_state(&cast->world, 0);
        CU_ASSERT_TRUE(copies_deliver(&cast->copies, &cast->agreement, 60, &set, &state, &error));
        step = set.record.step;
        CU_ASSERT_EQUAL(wrong_values(&state, step), 0);
        CU_ASSERT_EQUAL(set.record.epoch, 1.5);
        CU_ASSERT_EQUAL(set.record.lineage, LINEAGE);
        CU_ASSERT_STRING_EQUAL(set.record.job, "run: x\n");
        CU_ASSERT_EQUAL(set.record.segment_count, 1);
        free_state(&state);
    } else {
        CU_ASSERT_EQUAL(error.kind, ERROR_NOT_FOUND);
    }
    *complaints = 0;
    for (const char *c = text_bytes(&finds.complaints); *c; c++)
        *complaints += *c == '\n';
    copies_set_release(&set);
    copies_set_release(&set);
    copies_finds_release(&finds);
    return step;
}

/* Collective over everybody: saves and loads by other casts. `complete`: the step of a set that stays. */
static inline void save_on(int ranks, int per_node, uint64_t step, uint64_t complete)
{
    struct cast cast;
    cast_open(&cast, ranks, per_node);
    cast.copies.complete = complete;
    if (cast.plays)
        CU_ASSERT_TRUE(save_step(&cast, step));
    cast_close(&cast);
}

static inline uint64_t load_on(int ranks, int per_node, size_t *complaints)
{
    struct cast cast;
    uint64_t step = 0;
    *complaints = 0;
    cast_open(&cast, ranks, per_node);
    if (cast.plays)
        step = load(&cast, LINEAGE, 0, complaints);
    cast_close(&cast);
    return world_share_number(&everybody, step);
}

/* Rank 0 of everybody. Calls `act` with each file of a node whose name holds `part`; returns how many. */
static inline int for_files(int node, const char *part, void (*act)(const char *path))
{
    char directory[PATH_MAX], whole[PATH_MAX * 2];
    int count = 0;
    snprintf(directory, sizeof directory, "%.*s%d", (int)(strlen(place) - 2), place, node);
    DIR *outer = opendir(directory);
    for (struct dirent *inner; outer && (inner = readdir(outer));) {
        if (strncmp(inner->d_name, "lockstep-", 9) != 0)
            continue;
        snprintf(whole, sizeof whole, "%s/%s", directory, inner->d_name);
        DIR *pieces = opendir(whole);
        for (struct dirent *piece; pieces && (piece = readdir(pieces));) {
            if (piece->d_name[0] == '.' && (piece->d_name[1] == '.' || piece->d_name[1] == '\0'))
                continue;
            if (!strstr(piece->d_name, part))
                continue;
            snprintf(whole, sizeof whole, "%s/%s/%s", directory, inner->d_name, piece->d_name);
            if (act)
                act(whole);
            count++;
        }
        closedir(pieces);
    }
    if (outer)
        closedir(outer);
    return count;
}

static inline void opening(void)
{
    world_open(&everybody);
    h5_init();
    CU_ASSERT_TRUE(everybody.size > 0);
}

static inline void closing(void)
{
    h5_release();
    world_close(&everybody);
    CU_ASSERT_EQUAL(everybody.comm, MPI_COMM_NULL);
}

#endif
