#include "checkpoint/snapshot.h"

#include "base/digest.h"
#include "base/memory.h"
#include "base/partition.h"
#include "checkpoint/proof.h"

#include <string.h>

void snapshot_init(struct snapshot *snapshot, const struct world *world, const struct state *state)
{
    size_t size = (size_t)world->size, blocks = exchange_blocks(state->count);
    *snapshot = (struct snapshot){.world = world, .state = *state, .blocks = blocks};
    snapshot->counts = memory_need(size, sizeof *snapshot->counts);
    snapshot->places = memory_need(size, sizeof *snapshot->places);
    for (size_t r = 0; r < size; r++) {
        snapshot->counts[r] = (int)partition_count(blocks, size, r);
        snapshot->places[r] = (int)partition_first(blocks, size, r);
    }
    for (size_t a = 0; a < state->array_count; a++)
        snapshot->digests[a] = memory_need(blocks, sizeof *snapshot->digests[a]);
}

void snapshot_release(struct snapshot *snapshot)
{
    for (size_t a = 0; a < snapshot->state.array_count; a++)
        memory_free(snapshot->digests[a]);
    memory_free(snapshot->counts);
    memory_free(snapshot->places);
    memset(snapshot, 0, sizeof *snapshot);
}

void snapshot_take(struct snapshot *snapshot, const struct state *state, uint64_t step)
{
    snapshot->state = *state;
    snapshot->step = step;
}

/* Of this rank's blocks; each is proven right after its digest was taken, out of the cache. */
static bool digest_own(const struct snapshot *snapshot, struct error *error)
{
    const struct state *state = &snapshot->state;
    size_t own = (size_t)snapshot->places[snapshot->world->rank];
    for (size_t a = 0; a < state->array_count; a++)
        for (size_t block = 0; block < exchange_blocks(state->shard.count); block++) {
            size_t first = block * EXCHANGE_BLOCK, left = state->shard.count - first;
            size_t count = left < EXCHANGE_BLOCK ? left : EXCHANGE_BLOCK;
            snapshot->digests[a][own + block] = digest_bytes(state->arrays[a].values + first, count * sizeof(float));
            if (!proof_holds(state, a, block))
                return proof_refuse(state, a, block, snapshot->step, error);
        }
    return true;
}

bool snapshot_digest(struct snapshot *snapshot, struct agreement *agreement, double patience_s, struct error *error)
{
    const struct state *state = &snapshot->state;
    const char *names[STATE_ARRAYS];
    for (size_t a = 0; a < state->array_count; a++)
        names[a] = state->arrays[a].name;
    if (!agreement_agree(agreement, digest_own(snapshot, error), patience_s, "the digests of its part", NULL, error))
        return false;
    for (size_t a = 0; a < state->array_count; a++)
        if (!agreement_gather(agreement, snapshot->digests[a], snapshot->counts, snapshot->places, patience_s, error))
            return false;
    snapshot->fingerprint = state_fingerprint(snapshot->step, state->array_count, names,
                                              (const uint64_t *const *)snapshot->digests, snapshot->blocks);
    return true;
}
