#include "train/data_memory.h"

#include "base/log.h"
#include "base/memory.h"

/* Ranks do a step together, and may read ahead in it: one is in the next at most. */
static struct dataset_readers readers_of(const struct job *job, int count)
{
    return (struct dataset_readers){.count = (size_t)count,
                                    .window = job->data.shuffle == SHUFFLE_CHUNKS ? job->data.shuffle_window : 0,
                                    .ahead = 2 * job->train.batch};
}

/* Collective over node. One piece, that of its first rank. */
static bool open_window(struct data_memory *memory, const struct node *node, const struct job *job,
                        struct dataset *train, struct error *error)
{
    const struct dataset_readers readers = readers_of(job, node->size);
    size_t bytes = dataset_shared_bytes(train, &readers);
    if (!window_open(&memory->window, node, node->rank == 0 ? bytes : 0, error))
        return false;
    memory->is_window = true;
    dataset_share_memory(train, &readers, window_piece(&memory->window, 0));
    return true;
}

/* Local. As a node of its own. */
static bool open_alone(struct data_memory *memory, const struct job *job, struct dataset *train, struct error *error)
{
    const struct dataset_readers readers = readers_of(job, 1);
    memory->own = memory_alloc(1, dataset_shared_bytes(train, &readers), "chunks", error);
    if (!memory->own)
        return false;
    dataset_share_memory(train, &readers, memory->own);
    return true;
}

bool data_memory_open(struct data_memory *memory, const struct world *world, const struct node *node,
                      const struct job *job, struct dataset *train, struct error *error)
{
    const struct dataset_readers alone = readers_of(job, 1);
    *memory = (struct data_memory){0};
    if (dataset_shared_bytes(train, &alone) == 0)
        return true;
    bool ok = open_window(memory, node, job, train, error);
    if (!ok && error_is_refused(error)) {
        log_warn("%s: each rank unpacks the chunks of data.train for itself, which is slower; more room in /dev/shm, "
                 "or a smaller data.shuffle_window, may help",
                 error->text);
        ok = open_alone(memory, job, train, error);
    }
    return world_agree(world, ok, error);
}

void data_memory_close(struct data_memory *memory)
{
    if (memory->is_window)
        window_close(&memory->window);
    memory_free(memory->own);
    *memory = (struct data_memory){0};
}
