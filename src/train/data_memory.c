#include "train/data_memory.h"

#include "base/digest.h"
#include "base/log.h"
#include "base/memory.h"
#include "train/memory_room.h"

/* What all of this module's functions go by. */
struct wish {
    struct dataset_readers together, alone;
    size_t bytes;  /* that the ranks of the node want to share; 0: this rank's files have no chunks */
    size_t most;   /* of all nodes */
    bool is_alike; /* files of all ranks of the node have one layout */
};

/* Ranks do a step together, and may read ahead in it: one is in the next at most. */
static struct dataset_readers readers_of(const struct job *job, int count)
{
    return (struct dataset_readers){.count = (size_t)count,
                                    .window = job->data.shuffle == SHUFFLE_CHUNKS ? job->data.shuffle_window : 0,
                                    .ahead = 2 * job->train.batch};
}

/* Collective over world. Whether the ranks of each node can share: places in the memory go by numbers, which hang on
 * the layout of the files. Sets is_alike. False, with words: those of some node cannot. */
static bool compare(const struct world *world, const struct node *node, const struct dataset *train, struct wish *wish,
                    struct error *error)
{
    uint64_t layout = dataset_shared_layout(train, &wish->together);
    wish->is_alike = node_is_equal(node, digest_chain(layout, wish->bytes));
    bool ok = wish->is_alike || error_set(error, ERROR_USAGE,
                                          "data.train: ranks of one node read files that hold the same samples, but in "
                                          "other chunks, as h5repack makes them");
    return world_agree(world, ok, error);
}

/* Collective over node, each rank of which has the same wish and files of one layout. One piece, that of its first
 * rank. */
static bool open_window(struct data_memory *memory, const struct node *node, const struct wish *wish,
                        struct dataset *train, struct error *error)
{
    size_t own = node->rank == 0 ? wish->bytes : 0;
    memory->is_window = window_open(&memory->window, node, own, "the chunks of data.train", error);
    if (memory->is_window)
        dataset_share_memory(train, &wish->together, window_piece(&memory->window, 0));
    return memory->is_window;
}

/* Collective over world. True: each node that wants to share and can does. False, with words: some do not. */
static bool share(struct data_memory *memory, const struct world *world, const struct node *node,
                  const struct wish *wish, struct dataset *train, struct error *error)
{
    bool wants = wish->is_alike && wish->bytes > 0;
    const struct memory_claim more = {.shared = wants && node->rank == 0 ? (double)wish->bytes : 0};
    if (!memory_room_check_more(world, &more, error))
        return false;
    bool ok = !wants || open_window(memory, node, wish, train, error);
    return world_agree_memory(world, ok, wish->most, error);
}

/* Collective over world. As nodes of their own, those ranks that have no window. Where that is too much, they keep what
 * a dataset has for itself. */
static bool open_alone(struct data_memory *memory, const struct world *world, const struct wish *wish,
                       struct dataset *train, struct error *error)
{
    size_t bytes = memory->is_window || wish->bytes == 0 ? 0 : dataset_shared_bytes(train, &wish->alone);
    const struct memory_claim more = {.own = (double)bytes};
    if (!memory_room_check_more(world, &more, error))
        return false;
    if (bytes > 0)
        memory->own = memory_alloc(1, bytes, "the chunks of data.train", error);
    if (memory->own)
        dataset_share_memory(train, &wish->alone, memory->own);
    return world_agree_memory(world, bytes == 0 || memory->own, wish->most, error);
}

void data_memory_open(struct data_memory *memory, const struct world *world, const struct node *node,
                      const struct job *job, struct dataset *train)
{
    struct wish wish = {.together = readers_of(job, node->size), .alone = readers_of(job, 1)};
    struct error error;
    *memory = (struct data_memory){0};
    wish.bytes = dataset_shared_bytes(train, &wish.together);
    uint64_t most = wish.bytes;
    world_most(world, &most, 1);
    wish.most = (size_t)most;
    if (wish.most == 0)
        return;
    bool all_alike = compare(world, node, train, &wish, &error);
    if (!all_alike)
        log_warn("%s: each of them unpacks chunks for itself, which is slower; the next start may find files of one "
                 "layout",
                 error.text);
    bool is_shared = share(memory, world, node, &wish, train, &error);
    if (!is_shared)
        log_warn("%s: each rank unpacks the chunks of data.train for itself, which is slower; more room in /dev/shm, "
                 "or a smaller data.shuffle_window, may help",
                 error.text);
    if ((!all_alike || !is_shared) && !open_alone(memory, world, &wish, train, &error))
        log_warn("%s: few chunks of data.train are kept, and they are unpacked again and again", error.text);
}

void data_memory_close(struct data_memory *memory)
{
    if (memory->is_window)
        window_close(&memory->window);
    memory_free(memory->own);
    *memory = (struct data_memory){0};
}
