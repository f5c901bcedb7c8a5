#include "checkpoint/snapshot.h"

#include "base/digest.h"
#include "base/memory.h"
#include "base/partition.h"

#include <string.h>

bool snapshot_init(struct snapshot *snapshot, const struct world *world, const struct state *state, struct error *error)
{
    size_t size = (size_t)world->size, blocks = exchange_blocks(state->count);
    *snapshot = (struct snapshot){.world = world, .state = *state, .blocks = blocks};
    for (size_t a = 0; a < state->array_count; a++)
        snapshot->state.arrays[a].values = NULL;
    snapshot->counts = memory_need(size, sizeof *snapshot->counts);
    snapshot->places = memory_need(size, sizeof *snapshot->places);
    for (size_t r = 0; r < size; r++) {
        snapshot->counts[r] = (int)partition_count(blocks, size, r);
        snapshot->places[r] = (int)partition_first(blocks, size, r);
    }
    for (size_t a = 0; a < state->array_count; a++) {
        snapshot->digests[a] = memory_need(blocks, sizeof *snapshot->digests[a]);
        snapshot->state.arrays[a].values = memory_alloc(state->shard.count, sizeof(float), "the snapshot", error);
        if (!snapshot->state.arrays[a].values) {
            snapshot_release(snapshot);
            return false;
        }
    }
    return true;
}

void snapshot_release(struct snapshot *snapshot)
{
    for (size_t a = 0; a < snapshot->state.array_count; a++) {
        memory_free(snapshot->digests[a]);
        memory_free(snapshot->state.arrays[a].values);
    }
    memory_free(snapshot->counts);
    memory_free(snapshot->places);
    memset(snapshot, 0, sizeof *snapshot);
}

void snapshot_take(struct snapshot *snapshot, const struct state *state, uint64_t step)
{
    const char *names[STATE_ARRAYS];
    size_t count = state->shard.count;
    for (size_t a = 0; a < state->array_count; a++) {
        float *copy = snapshot->state.arrays[a].values;
        uint64_t *digests = snapshot->digests[a];
        names[a] = state->arrays[a].name;
        memcpy(copy, state->arrays[a].values, count * sizeof *copy);
        digest_blocks(copy, count, EXCHANGE_BLOCK, digests + snapshot->places[snapshot->world->rank]);
        MPI_Allgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, digests, snapshot->counts, snapshot->places, MPI_UINT64_T,
                       snapshot->world->comm);
    }
    snapshot->step = step;
    snapshot->fingerprint = state_fingerprint(step, state->array_count, names,
                                              (const uint64_t *const *)snapshot->digests, snapshot->blocks);
}
