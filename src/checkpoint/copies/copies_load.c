#include "checkpoint/copies/copies_load.h"

#include "base/check.h"
#include "base/memory.h"
#include "base/watchdog.h"
#include "checkpoint/record_image.h"
#include "parallel/transfer.h"

#include <string.h>
#include <unistd.h>

/* The rank that reads a piece: the ranks of a node share the work. */
static int reader_of(const struct copies *copies, const struct copies_entry *entry)
{
    int node = (int)entry->node, turn = (int)(entry->rank % (uint64_t)copies->node.sizes[node]);
    for (int r = 0; r < copies->world->size; r++)
        if (copies->node.node_of[r] == node && copies->node.rank_of[r] == turn)
            return r;
    CHECK(false, "every node has its ranks");
    return -1;
}

static bool read_piece(const struct copies *copies, const struct copies_entry *entry, struct copies_set *set,
                       struct error *error)
{
    char path[PATH_MAX];
    int directory;
    struct piece *piece = &set->mine[entry->rank];
    piece_path(copies->directory, entry->set.step, entry->rank, entry->set.ranks, entry->kind, path);
    if (!copies_hold(copies, &directory, error))
        return false;
    bool is_open = piece_open(piece, directory, path, error);
    close(directory);
    if (!is_open)
        return false;
    if (!copies_same(&piece->set, &entry->set))
        return error_set(error, ERROR_CORRUPT, "%s: it has just been changed", path);
    size_t count = set->id.array_count * piece->shard.count;
    set->values[entry->rank] = memory_alloc(count, sizeof(float), "a copy of the state", error);
    return set->values[entry->rank] && piece_load(piece, set->values[entry->rank], error);
}

/* Collective. Reads all pieces, each on a rank that has it. Pieces that are no good are spoilt on all ranks then, and
 * *ok tells whether there was none. False: ERROR_LATE. */
static bool read_pieces(const struct copies *copies, struct agreement *agreement, double patience_s,
                        struct copies_finds *finds, struct copies_set *set, bool *ok, struct error *error)
{
    struct text complaints;
    text_init(&complaints);
    for (uint64_t rank = 0; rank < set->id.ranks; rank++) {
        size_t entry = copies_piece(finds, &set->id, rank);
        struct error why;
        set->reader_of[rank] = reader_of(copies, &finds->entries[entry]);
        if (set->reader_of[rank] != copies->world->rank || read_piece(copies, &finds->entries[entry], set, &why))
            continue;
        finds->spoilt[entry] = 1;
        text_append(&complaints, "%s\n", why.text);
    }
    bool agreed = agreement_agree(agreement, true, patience_s, "reading its part of the copies", NULL, error);
    if (agreed) {
        copies_complain(copies->world, &complaints, finds);
        *ok = world_union(copies->world, complaints.length > 0) == 0;
        watchdog_begin_meeting("the ranks tell each other of spoilt copies", 0, false);
        MPI_Allreduce(MPI_IN_PLACE, finds->spoilt, (int)finds->count, MPI_UINT8_T, MPI_MAX, copies->world->comm);
        watchdog_end();
    }
    text_release(&complaints);
    return agreed;
}

/* Collective. The record from who holds the first piece. */
static bool share_record(const struct copies *copies, struct copies_set *set, struct error *error)
{
    int root = set->reader_of[0];
    size_t bytes = set->id.record_bytes;
    char *image = memory_need(bytes, 1);
    if (root == copies->world->rank)
        memcpy(image, set->mine[0].record, bytes);
    watchdog_begin_meeting("the ranks get the record of the copies", 0, false);
    MPI_Bcast(image, (int)bytes, MPI_BYTE, root, copies->world->comm);
    watchdog_end();
    bool finished, ok = record_image_parse(image, bytes, false, 0, &set->record, NULL, &finished, error);
    if (ok && (set->record.step != set->id.step || set->record.fingerprint != set->id.fingerprint))
        ok = error_set(error, ERROR_CORRUPT, "the record of the copies of step %llu is of another state",
                       (unsigned long long)set->id.step);
    return world_agree(copies->world, ok, error);
}

static void begin_set(struct copies_set *set, const struct piece_set *id)
{
    *set = (struct copies_set){.id = *id};
    set->reader_of = memory_need(id->ranks, sizeof *set->reader_of);
    set->mine = memory_need(id->ranks, sizeof *set->mine);
    set->values = memory_need(id->ranks, sizeof(float *));
}

void copies_set_release(struct copies_set *set)
{
    for (uint64_t rank = 0; set->mine && rank < set->id.ranks; rank++) {
        piece_close(&set->mine[rank]);
        memory_free(set->values[rank]);
    }
    memory_free(set->reader_of);
    memory_free(set->mine);
    memory_free(set->values);
    record_release(&set->record);
    *set = (struct copies_set){0};
}

bool copies_take(const struct copies *copies, struct agreement *agreement, double patience_s,
                 struct copies_finds *finds, uint64_t lineage, uint64_t beyond, struct copies_set *set,
                 struct error *error)
{
    const struct piece_set *newest;
    *set = (struct copies_set){0};
    agreement_begin(agreement);
    while ((newest = copies_newest(finds, lineage, beyond))) {
        bool ok = false;
        begin_set(set, newest);
        if (!read_pieces(copies, agreement, patience_s, finds, set, &ok, error)) {
            copies_set_release(set);
            return false;
        }
        if (ok && share_record(copies, set, error))
            return true;
        if (ok) {
            text_append(&finds->complaints, "%s\n", error->text);
            copies_spoil(finds, &set->id);
        }
        copies_set_release(set);
    }
    return error_set(error, ERROR_NOT_FOUND, "no whole set of copies");
}

/* The elements that a shard of then and one of now have in common. */
static struct shard common(struct shard a, struct shard b)
{
    size_t first = a.first > b.first ? a.first : b.first;
    size_t end = a.first + a.count < b.first + b.count ? a.first + a.count : b.first + b.count;
    return (struct shard){.first = first, .count = end > first ? end - first : 0};
}

struct place {
    float *values;
    size_t bytes;
};

/* What comes from one rank, and where it goes. */
struct delivery {
    struct place *places;
    size_t count;
    size_t next; /* place that is being filled, up to `done` */
    size_t done;
};

static bool take(void *context, const void *bytes, size_t count, struct error *error)
{
    struct delivery *delivery = context;
    const char *from = bytes;
    (void)error;
    while (count > 0) {
        const struct place *place = &delivery->places[delivery->next];
        size_t n = place->bytes - delivery->done < count ? place->bytes - delivery->done : count;
        memcpy((char *)place->values + delivery->done, from, n);
        from += n;
        count -= n;
        delivery->done += n;
        if (delivery->done == place->bytes) {
            delivery->next++;
            delivery->done = 0;
        }
    }
    return true;
}

/* What this rank gives, in the order in which who gets it expects it: pieces, in each the arrays. */
static size_t plan_outs(const struct copies_set *set, const struct world *world, struct transfer_out *outs)
{
    size_t count = 0;
    for (uint64_t p = 0; p < set->id.ranks; p++)
        for (int to = 0; set->reader_of[p] == world->rank && to < world->size; to++) {
            struct shard shard = set->mine[p].shard;
            struct shard part = common(shard, exchange_shard(set->id.count, world->size, to));
            for (size_t a = 0; part.count > 0 && a < set->id.array_count; a++)
                outs[count++] = (struct transfer_out){to, set->values[p] + a * shard.count + (part.first - shard.first),
                                                      part.count * sizeof(float)};
        }
    return count;
}

/* What this rank gets from another one, in that order. */
static size_t plan_in(const struct copies_set *set, const struct state *state, int from, struct delivery *delivery)
{
    size_t bytes = 0;
    delivery->places = memory_need(set->id.ranks * set->id.array_count, sizeof *delivery->places);
    for (uint64_t p = 0; p < set->id.ranks; p++) {
        if (set->reader_of[p] != from)
            continue;
        struct shard part = common(exchange_shard(set->id.count, (int)set->id.ranks, (int)p), state->shard);
        for (size_t a = 0; part.count > 0 && a < set->id.array_count; a++) {
            delivery->places[delivery->count++] = (struct place){
                state->arrays[a].values + (part.first - state->shard.first), part.count * sizeof(float)};
            bytes += part.count * sizeof(float);
        }
    }
    return bytes;
}

/* Collective. Every part to who has it now. */
static bool send_parts(const struct copies *copies, const struct agreement *agreement, double patience_s,
                       const struct copies_set *set, const struct state *state, struct error *error)
{
    const struct world *world = copies->world;
    size_t size = (size_t)world->size;
    struct transfer_out *outs = memory_need(set->id.ranks * size * set->id.array_count, sizeof *outs);
    struct transfer_in *ins = memory_need(size, sizeof *ins);
    struct delivery *deliveries = memory_need(size, sizeof *deliveries);
    size_t out_count = plan_outs(set, world, outs);
    for (int r = 0; r < world->size; r++)
        ins[r] = (struct transfer_in){r, plan_in(set, state, r, &deliveries[r]), take, &deliveries[r]};
    bool ok = transfer_run(agreement->comm, COPIES_TAG, outs, out_count, ins, size, patience_s,
                           "the exchange of copies", error);
    for (size_t r = 0; r < size; r++)
        memory_free(deliveries[r].places);
    memory_free(deliveries);
    memory_free(ins);
    memory_free(outs);
    return ok;
}

/* Collective, in the round of the delivery. */
static bool prove(const struct copies *copies, struct agreement *agreement, double patience_s,
                  const struct copies_set *set, const struct state *state, struct error *error)
{
    struct snapshot snapshot;
    snapshot_init(&snapshot, copies->world, state);
    snapshot_take(&snapshot, state, set->id.step);
    bool ok = snapshot_digest(&snapshot, agreement, patience_s, error);
    if (ok && snapshot.fingerprint != set->id.fingerprint)
        ok = error_set(error, ERROR_CORRUPT, "the copies of step %llu do not fit their fingerprint",
                       (unsigned long long)set->id.step);
    snapshot_release(&snapshot);
    return ok;
}

static bool fits(const struct copies_set *set, const struct state *state, struct error *error)
{
    bool ok = set->id.count == state->count && set->id.array_count == state->array_count;
    for (size_t a = 0; ok && a < state->array_count; a++)
        ok = strncmp(set->id.names[a], state->arrays[a].name, sizeof set->id.names[a]) == 0;
    return ok || error_set(error, ERROR_VERSION,
                           "the copies of step %llu: their arrays do not fit their own job: were they written by "
                           "another lockstep?",
                           (unsigned long long)set->id.step);
}

bool copies_deliver(const struct copies *copies, struct agreement *agreement, double patience_s,
                    const struct copies_set *set, const struct state *state, struct error *error)
{
    agreement_begin(agreement);
    if (!fits(set, state, error)) /* the same on every rank */
        return false;
    bool ok = send_parts(copies, agreement, patience_s, set, state, error);
    return agreement_agree(agreement, ok, patience_s, "the exchange of copies", NULL, error) &&
           prove(copies, agreement, patience_s, set, state, error);
}
