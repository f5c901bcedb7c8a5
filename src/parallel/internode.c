#include "parallel/internode.h"

#include "base/check.h"
#include "base/memory.h"
#include "base/timeline.h"
#include "parallel/cover.h"
#include "parallel/shard.h"

#include <sched.h>
#include <string.h>

enum { TAG_PARTIAL = 1, TAG_PARAMS = 2 };

/* What this rank does for a shard whose owner is on another node. Its sums are made and sent from the last bucket to
 * the first. */
struct relay {
    int owner;
    struct shard shard;
    struct reduction sum; /* of the node's subtrees; sum.results parts */
    float *parts;         /* [sum.results, shard.count] to be sent; NULL: they lie in the slots as they are */
    size_t unsent;        /* buckets, the first ones of the shard */
};

/* Messages: those that are through in front, as far as it is known. */
struct requests {
    MPI_Request *all;
    int through, open, most;
};

#define LOOKED_AT 64 /* messages under way, at once: about as they were begun they get through */

struct internode {
    const struct world *world;
    const struct node *node;
    const struct buckets *buckets;
    const struct exchange_memory *memory;
    size_t leaves;
    struct shard shard; /* this rank's */

    struct relay *relays;
    int relay_count;
    float *received;    /* the other nodes' parts of this rank's shard, one after the other */
    int received_count; /* parts */
    int *received_from; /* [received_count] world rank that sends it */

    size_t *unknown; /* [buckets] elements that this rank has not told yet in this step */
    uint32_t step;   /* counts steps: what marks of gradients say */
    struct requests partials;

    uint32_t turn; /* counts distributions: what marks of parameters say */
    bool settled;  /* all of the last one is here */
    struct requests params;
    int arrivals;     /* the first requests of `params`: what is to come */
    size_t *arriving; /* [arrivals] the bucket of each */
};

size_t internode_marks(const struct buckets *buckets, const struct node *node)
{
    return node->count > 1 ? 2 * buckets->count : 0;
}

/* That a rank of the node has nothing more to add to a bucket in this step. */
static _Atomic uint32_t *final_mark(const struct internode *in, int node_rank, size_t bucket)
{
    return exchange_memory_marks(in->memory, node_rank) + bucket;
}

/* That the node has the parameters of a bucket. */
static _Atomic uint32_t *arrival_mark(const struct internode *in, size_t bucket)
{
    return exchange_memory_marks(in->memory, 0) + in->buckets->count + bucket;
}

/* Whether a mark has come to this value: its rank may be further on already. */
static bool is_marked(_Atomic uint32_t *mark, uint32_t value)
{
    return (int32_t)(atomic_load_explicit(mark, memory_order_acquire) - value) >= 0;
}

static void set_mark(_Atomic uint32_t *mark, uint32_t value)
{
    atomic_store_explicit(mark, value, memory_order_release);
}

/* ---- plan ---- */

/* The world rank on a node that is the relay for the shard of `owner`. */
static int relay_rank(const struct internode *in, int node, int owner)
{
    int turn = owner % in->node->sizes[node];
    for (int r = 0; r < in->world->size; r++)
        if (in->node->node_of[r] == node && in->node->rank_of[r] == turn)
            return r;
    CHECK(false, "every node has its ranks");
    return -1;
}

void internode_add_own(const struct internode *in, struct reduction *sum)
{
    for (int r = 0; r < in->world->size; r++) {
        if (in->node->node_of[r] != in->node->index)
            continue;
        struct subtree subtrees[TREE_DEPTH];
        size_t length = cover_of_rank(in->world, in->leaves, r, subtrees, NULL);
        const float *slots = exchange_memory_slots(in->memory, in->node->rank_of[r]);
        for (size_t i = 0; i < length; i++)
            reduction_add(sum, subtrees[i], slots + i * in->memory->count, 0);
    }
}

void internode_add_received(const struct internode *in, int node, struct reduction *sum)
{
    struct subtree subtrees[TREE_DEPTH];
    size_t before = 0, length = cover_of_node(in->world, in->node, in->leaves, node, subtrees);
    for (int other = 0; other < node; other++) {
        struct subtree theirs[TREE_DEPTH];
        before += other == in->node->index ? 0 : cover_of_node(in->world, in->node, in->leaves, other, theirs);
    }
    for (size_t i = 0; i < length; i++)
        reduction_add(sum, subtrees[i], in->received + (before + i) * in->shard.count, in->shard.first);
}

static bool plan_relays(struct internode *in, struct error *error)
{
    in->relays = memory_need((size_t)in->world->size, sizeof *in->relays);
    for (int owner = 0; owner < in->world->size; owner++) {
        if (in->node->node_of[owner] == in->node->index || relay_rank(in, in->node->index, owner) != in->world->rank)
            continue;
        struct relay *relay = &in->relays[in->relay_count++];
        relay->owner = owner;
        relay->shard = exchange_shard(in->memory->count, in->world->size, owner);
        reduction_init(&relay->sum, in->leaves);
        internode_add_own(in, &relay->sum);
        if (relay->sum.results == relay->sum.length) /* nothing is added up here */
            continue;
        relay->parts = memory_alloc(relay->sum.results * relay->shard.count, sizeof *relay->parts,
                                    "the parts for other nodes", error);
        if (!relay->parts)
            return false;
    }
    return true;
}

static bool plan_received(struct internode *in, struct error *error)
{
    struct subtree subtrees[TREE_DEPTH];
    size_t parts = 0;
    in->received_from = memory_need((size_t)in->node->count * TREE_DEPTH, sizeof *in->received_from);
    for (int node = 0; node < in->node->count; node++) {
        size_t length = node == in->node->index ? 0 : cover_of_node(in->world, in->node, in->leaves, node, subtrees);
        for (size_t i = 0; i < length; i++)
            in->received_from[parts++] = relay_rank(in, node, in->world->rank);
    }
    in->received_count = (int)parts;
    in->received = memory_alloc(parts * in->shard.count, sizeof *in->received, "the parts of other nodes", error);
    return in->received;
}

static size_t buckets_of(const struct internode *in, int rank)
{
    return in->buckets->first[rank + 1] - in->buckets->first[rank];
}

static struct requests requests_for(size_t most)
{
    return (struct requests){.all = memory_need(most, sizeof(MPI_Request)), .most = (int)most};
}

static void plan_requests(struct internode *in)
{
    size_t own = buckets_of(in, in->world->rank), partials = (size_t)in->received_count * own, arrivals = 0;
    for (int i = 0; i < in->relay_count; i++) {
        size_t theirs = buckets_of(in, in->relays[i].owner);
        partials += in->relays[i].sum.results * theirs;
        arrivals += theirs;
    }
    in->partials = requests_for(partials);
    in->params = requests_for(arrivals + own * (size_t)(in->node->count - 1));
    in->arriving = memory_need(arrivals, sizeof *in->arriving);
}

bool internode_open(struct internode **internode, const struct world *world, const struct node *node,
                    const struct buckets *buckets, const struct exchange_memory *memory, size_t leaves,
                    struct error *error)
{
    struct internode *in = *internode = memory_need(1, sizeof *in);
    *in = (struct internode){.world = world,
                             .node = node,
                             .buckets = buckets,
                             .memory = memory,
                             .leaves = leaves,
                             .settled = true,
                             .shard = exchange_shard(memory->count, world->size, world->rank)};
    in->unknown = memory_need(buckets->count, sizeof *in->unknown);
    if (!plan_relays(in, error) || !plan_received(in, error))
        return false;
    plan_requests(in);
    return true;
}

void internode_close(struct internode *in)
{
    if (!in)
        return;
    for (int i = 0; i < in->relay_count; i++) {
        reduction_release(&in->relays[i].sum);
        memory_free(in->relays[i].parts);
    }
    memory_free(in->relays);
    memory_free(in->received);
    memory_free(in->received_from);
    memory_free(in->unknown);
    memory_free(in->partials.all);
    memory_free(in->params.all);
    memory_free(in->arriving);
    memory_free(in);
}

/* ---- messages ---- */

static void begin_send(const struct internode *in, struct requests *requests, const float *values, size_t count, int to,
                       int tag)
{
    CHECK(requests->open < requests->most, "each bucket is sent once");
    MPI_Isend(values, (int)count, MPI_FLOAT, to, tag, in->world->comm, &requests->all[requests->open++]);
}

static void begin_receive(const struct internode *in, struct requests *requests, float *values, size_t count, int from,
                          int tag)
{
    CHECK(requests->open < requests->most, "each bucket is received once");
    MPI_Irecv(values, (int)count, MPI_FLOAT, from, tag, in->world->comm, &requests->all[requests->open++]);
}

static void wait_for_all(struct requests *requests)
{
    MPI_Waitall(requests->open, requests->all, MPI_STATUSES_IGNORE);
    requests->through = requests->open = 0;
}

/* Moves on what is under way, and looks at the first messages that are not through. Returns how many of these are now,
 * and which ones. */
static int look(struct requests *requests, int which[LOOKED_AT])
{
    int count, first = requests->through;
    int left = requests->open - first < LOOKED_AT ? requests->open - first : LOOKED_AT;
    MPI_Testsome(left, requests->all + first, &count, which, MPI_STATUSES_IGNORE);
    if (count == MPI_UNDEFINED)
        count = 0;
    for (int i = 0; i < count; i++)
        which[i] += first;
    while (requests->through < requests->open && requests->all[requests->through] == MPI_REQUEST_NULL)
        requests->through++;
    return count;
}

/* ---- gradients ---- */

void internode_begin(struct internode *in)
{
    size_t rank = (size_t)in->world->rank;
    in->step++;
    for (size_t b = 0; b < in->buckets->count; b++)
        in->unknown[b] = bucket_floats(in->buckets, b);
    for (int i = 0; i < in->relay_count; i++)
        in->relays[i].unsent = buckets_of(in, in->relays[i].owner);
    for (size_t b = in->buckets->first[rank + 1]; b-- > in->buckets->first[rank];)
        for (int i = 0; i < in->received_count; i++)
            begin_receive(in, &in->partials,
                          in->received + (size_t)i * in->shard.count + (in->buckets->start[b] - in->shard.first),
                          bucket_floats(in->buckets, b), in->received_from[i], TAG_PARTIAL);
}

static bool is_known(const struct internode *in, size_t bucket)
{
    for (int r = 0; r < in->node->size; r++)
        if (!is_marked(final_mark(in, r, bucket), in->step))
            return false;
    return true;
}

/* The last unsent bucket of a relay. */
static void send_bucket(struct internode *in, struct relay *relay)
{
    size_t bucket = in->buckets->first[relay->owner] + --relay->unsent, count = bucket_floats(in->buckets, bucket);
    size_t first = in->buckets->start[bucket];
    float *parts = relay->parts ? relay->parts + (first - relay->shard.first) : NULL;
    if (parts)
        reduction_run(&relay->sum, first, count, parts, relay->shard.count);
    for (size_t part = 0; part < relay->sum.results; part++)
        begin_send(in, &in->partials,
                   parts ? parts + part * relay->shard.count : relay->sum.sources[part].values + first, count,
                   relay->owner, TAG_PARTIAL);
}

void internode_final(struct internode *in, size_t first, size_t count)
{
    int which[LOOKED_AT];
    if (in->node->count == 1)
        return;
    for (size_t b = buckets_find(in->buckets, first), end = first + count; first < end; b++) {
        size_t next = in->buckets->start[b + 1] < end ? in->buckets->start[b + 1] : end;
        CHECK(next - first <= in->unknown[b], "each element is told once");
        in->unknown[b] -= next - first;
        if (in->unknown[b] == 0)
            set_mark(final_mark(in, in->node->rank, b), in->step);
        first = next;
    }
    for (int i = 0; i < in->relay_count; i++)
        while (in->relays[i].unsent > 0 &&
               is_known(in, in->buckets->first[in->relays[i].owner] + in->relays[i].unsent - 1))
            send_bucket(in, &in->relays[i]);
    look(&in->partials, which);
}

void internode_finish(struct internode *in)
{
    for (int i = 0; i < in->relay_count; i++)
        while (in->relays[i].unsent > 0)
            send_bucket(in, &in->relays[i]);
    wait_for_all(&in->partials);
}

/* ---- parameters ---- */

void internode_distribute(struct internode *in, float *params)
{
    size_t rank = (size_t)in->world->rank;
    CHECK(in->settled, "what was distributed before is through");
    if (in->node->count == 1)
        return;
    in->turn++;
    in->settled = false;
    for (int i = 0; i < in->relay_count; i++)
        for (size_t b = in->buckets->first[in->relays[i].owner]; b < in->buckets->first[in->relays[i].owner + 1]; b++) {
            in->arriving[in->params.open] = b;
            begin_receive(in, &in->params, params + in->buckets->start[b], bucket_floats(in->buckets, b),
                          in->relays[i].owner, TAG_PARAMS);
        }
    in->arrivals = in->params.open;
    for (size_t b = in->buckets->first[rank]; b < in->buckets->first[rank + 1]; b++) {
        set_mark(arrival_mark(in, b), in->turn);
        for (int node = 0; node < in->node->count; node++)
            if (node != in->node->index)
                begin_send(in, &in->params, params + in->buckets->start[b], bucket_floats(in->buckets, b),
                           relay_rank(in, node, in->world->rank), TAG_PARAMS);
    }
}

/* Marks what has come for this node. Returns whether anything has. */
static bool take_arrivals(struct internode *in)
{
    int which[LOOKED_AT], count = look(&in->params, which);
    for (int i = 0; i < count; i++)
        if (which[i] < in->arrivals)
            set_mark(arrival_mark(in, in->arriving[which[i]]), in->turn);
    return count > 0;
}

void internode_await(struct internode *in, size_t first, size_t count)
{
    if (in->settled || count == 0)
        return;
    timeline_begin(MARK_DISTRIBUTE);
    take_arrivals(in);
    for (size_t b = buckets_find(in->buckets, first); b < in->buckets->count && in->buckets->start[b] < first + count;
         b++)
        while (!is_marked(arrival_mark(in, b), in->turn))
            if (!take_arrivals(in))
                sched_yield();
    timeline_end();
}

void internode_settle(struct internode *in)
{
    internode_await(in, 0, in->memory->count);
    wait_for_all(&in->params);
    in->settled = true;
}
