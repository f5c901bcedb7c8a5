#include "data/look.h"

#include "base/digest.h"
#include "base/file.h"
#include "base/memory.h"

#include <string.h>

#define BLOCK     ((size_t)64 << 10)
#define BLOCKS    64  /* of all files together, about */
#define SETTLED_S 2.0 /* no file system has coarser times of what was written */

static uint64_t nanoseconds(const struct timespec *time)
{
    return (uint64_t)time->tv_sec * 1000000000 + (uint64_t)time->tv_nsec;
}

bool look_is_worth(const struct watched *files)
{
    uint64_t bytes = 0;
    for (const struct watched *file = files; file; file = file->next) {
        if (!file->path || file->descriptor < 0)
            return false;
        bytes += (uint64_t)file->size;
    }
    return bytes >= LOOK_LEAST;
}

static uint64_t blocks_of(uint64_t bytes)
{
    return bytes / BLOCK + (bytes % BLOCK > 0);
}

size_t look_blocks(uint64_t bytes, size_t files)
{
    size_t wanted = BLOCKS / files < 2 ? 2 : BLOCKS / files;
    uint64_t there = blocks_of(bytes);
    return there < wanted ? (size_t)there : wanted;
}

/* The first and the last one, and one out of each of equal stretches between them: which, is as good as drawn, but the
 * same at each start. */
uint64_t look_place(uint64_t bytes, size_t index, size_t count, size_t *length)
{
    uint64_t there = blocks_of(bytes), block = index;
    if (index > 0 && there > count) {
        uint64_t inner = there - 2, stretches = count - 2;
        uint64_t begin = 1 + inner * (index - 1) / stretches, end = 1 + inner * index / stretches;
        block = index == count - 1 ? there - 1 : begin + digest_chain(bytes, index) % (end - begin);
    }
    uint64_t rest = bytes - block * BLOCK;
    *length = rest < BLOCK ? (size_t)rest : BLOCK;
    return block * BLOCK;
}

static size_t count_files(const struct watched *files)
{
    size_t count = 0;
    for (; files; files = files->next)
        count++;
    return count;
}

static bool take_sample(const struct watched *file, size_t files, uint8_t *block, uint64_t *sample)
{
    uint64_t bytes = (uint64_t)file->size;
    size_t count = look_blocks(bytes, files);
    *sample = 0;
    for (size_t i = 0; i < count; i++) {
        size_t length;
        uint64_t place = look_place(bytes, i, count, &length);
        if (file_read_at(file->descriptor, block, length, place) != (ssize_t)length)
            return false;
        *sample = digest_chain(*sample, digest_bytes(block, length));
    }
    return true;
}

static struct look_file identity(const struct watched *file)
{
    const struct stat *known = &file->known;
    return (struct look_file){.bytes = (uint64_t)file->size,
                              .inode = known->st_ino,
                              .written_ns = nanoseconds(&known->st_mtim),
                              .changed_ns = nanoseconds(&known->st_ctim)};
}

static bool is_settled(const struct watched *file, double opened_s)
{
    return (double)file->known.st_mtim.tv_sec + 1 + SETTLED_S < opened_s;
}

bool look_take(struct look *look, const struct watched *files, double opened_s)
{
    uint8_t *block = memory_need(BLOCK, 1);
    size_t count = count_files(files);
    bool ok = true;
    look->files = memory_need(count, sizeof *look->files);
    for (const struct watched *file = files; ok && file; file = file->next) {
        struct look_file *taken = &look->files[look->count++];
        *taken = identity(file);
        ok = is_settled(file, opened_s) && take_sample(file, count, block, &taken->sample);
    }
    memory_free(block);
    if (!ok)
        look_release(look);
    return ok;
}

static bool is_same(const struct look_file *file, const struct look_file *now, bool in_place)
{
    bool is_itself = file->inode == now->inode;
    return file->bytes == now->bytes && file->written_ns == now->written_ns &&
           (is_itself ? file->changed_ns == now->changed_ns : !in_place);
}

bool look_holds(const struct look *look, const struct watched *files, bool in_place)
{
    size_t i = 0, count = count_files(files);
    if (count == 0 || count != look->count)
        return false;
    uint8_t *block = memory_need(BLOCK, 1);
    bool ok = true;
    for (const struct watched *file = files; ok && file; file = file->next, i++) {
        struct look_file now = identity(file);
        ok = is_same(&look->files[i], &now, in_place) && take_sample(file, count, block, &now.sample) &&
             now.sample == look->files[i].sample;
    }
    memory_free(block);
    return ok;
}

void look_copy(struct look *look, const struct look *from)
{
    *look = *from;
    look->files = from->count > 0 ? memory_need(from->count, sizeof *look->files) : NULL;
    if (look->files)
        memcpy(look->files, from->files, from->count * sizeof *look->files);
}

void look_release(struct look *look)
{
    memory_free(look->files);
    *look = (struct look){0};
}
