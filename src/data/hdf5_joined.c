#include "data/hdf5_joined.h"

#include "base/digest.h"
#include "base/memory.h"
#include "base/text.h"

#include <string.h>

#define SHARED_MOST ((size_t)4 << 30) /* bytes of bands of one dataset */

/* The file that a row is in. */
static const struct hdf5_dataset *dataset_of(const struct hdf5_joined *joined, size_t row)
{
    size_t low = 0, high = joined->file_count; /* it is in one of [low, high) */
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (joined->files[middle].dataset[joined->which].first <= row)
            low = middle;
        else
            high = middle;
    }
    return &joined->files[low].dataset[joined->which];
}

static bool find_rows(const struct array *array, size_t first, size_t count, struct array_rows *found,
                      struct error *error)
{
    struct hdf5_joined *joined = array->self;
    const struct hdf5_dataset *dataset = dataset_of(joined, first);
    size_t within = first - dataset->first, rest = dataset->array.size[0] - within;
    count = count < rest ? count : rest;
    if (dataset->array.elements)
        return array_rows(&dataset->array, within, count, found, error);
    const uint8_t *bytes = chunk_cache_rows(&joined->cache, &dataset->chunked, within, &count, error);
    *found = (struct array_rows){&dataset->array, bytes, within, count};
    return bytes;
}

/* All files hold the same kind of rows. */
static bool agree(const struct array *array, const struct array *first, struct error *error)
{
    char here[160], there[160];
    if (array->type != first->type || array->big_endian != first->big_endian || array->is_scaled != first->is_scaled)
        return error_set(
            error, ERROR_CORRUPT, "%s holds %s%s%s, but %s %s%s%s: files that belong together are of one type",
            array->name, array_type_name(array->type), array->big_endian ? " (big-endian)" : "",
            array->is_scaled ? " with scale_factor or add_offset" : "", first->name, array_type_name(first->type),
            first->big_endian ? " (big-endian)" : "", first->is_scaled ? " with scale_factor or add_offset" : "");
    if (array->dims == first->dims &&
        memcmp(array->size + 1, first->size + 1, (array->dims - 1) * sizeof *array->size) == 0)
        return true;
    array_shape_text(array, here, sizeof here);
    array_shape_text(first, there, sizeof there);
    return error_set(error, ERROR_CORRUPT,
                     "%s has the shape %s, but %s %s: files that belong together differ in the first axis alone",
                     array->name, here, first->name, there);
}

bool hdf5_joined_init(struct hdf5_joined *joined, struct hdf5_file *files, size_t count, size_t which, const char *path,
                      const char *name, struct array *array, struct error *error)
{
    struct chunked **chunked = memory_need(count, sizeof *chunked);
    size_t chunked_count = 0, bytes;
    struct text words;
    bool ok = true;
    text_init(&words);
    text_append(&words, "%s (%s)", path, name);
    *joined = (struct hdf5_joined){
        .files = files, .file_count = count, .which = which, .name = memory_text(text_bytes(&words))};
    text_release(&words);
    *array = files[0].dataset[which].array;
    array->size[0] = 0;
    for (size_t i = 0; ok && i < count; i++) {
        struct hdf5_dataset *dataset = &files[i].dataset[which];
        dataset->first = array->size[0];
        array->size[0] += dataset->array.size[0];
        if (!dataset->array.elements)
            chunked[chunked_count++] = &dataset->chunked;
        ok = agree(&dataset->array, &files[0].dataset[which].array, error);
    }
    array->name = joined->name;
    array->elements = NULL;
    array->find = find_rows;
    array->self = joined;
    ok = ok && array_measure(array, &bytes, error) &&
         (chunked_count == 0 || chunk_cache_init(&joined->cache, chunked, chunked_count, error));
    memory_free(chunked);
    return ok;
}

void hdf5_joined_release(struct hdf5_joined *joined)
{
    chunk_cache_release(&joined->cache);
    memory_free(joined->name);
    *joined = (struct hdf5_joined){0};
}

size_t hdf5_joined_chunk_end(const struct hdf5_joined *joined, size_t row)
{
    if (joined->cache.bands == 0)
        return 0;
    const struct hdf5_dataset *dataset = dataset_of(joined, row);
    size_t chunk = dataset->about.chunk[0], count = dataset->array.size[0];
    if (dataset->about.storage != H5_ARRAY_CHUNKED)
        return 0;
    size_t end = ((row - dataset->first) / chunk + 1) * chunk;
    return dataset->first + (end < count ? end : count);
}

/* ---- memory ---- */

static uint64_t chain_real(uint64_t digest, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return digest_chain(digest, bits);
}

uint64_t hdf5_joined_layout(const struct hdf5_joined *joined)
{
    uint64_t digest = 0;
    for (size_t i = 0; i < joined->file_count; i++) {
        const struct hdf5_dataset *dataset = &joined->files[i].dataset[joined->which];
        const struct array *array = &dataset->array;
        const bool is_chunked = dataset->about.storage == H5_ARRAY_CHUNKED;
        digest = digest_chain(digest, is_chunked ? 1 + dataset->first : 0);
        if (!is_chunked)
            continue;
        digest = digest_chain(digest, array->dims);
        for (size_t d = 0; d < array->dims; d++)
            digest = digest_chain(digest_chain(digest, array->size[d]), dataset->about.chunk[d]);
        digest = digest_chain(digest, (uint64_t)array->type * 4 + array->big_endian * 2U + array->is_scaled);
        digest = chain_real(chain_real(digest, array->scale), array->offset);
    }
    return digest;
}

/* How many bands those samples lie in that the order keeps together, where they are most. */
static size_t bands_of_chunk(const struct hdf5_joined *joined, const struct chunks *chunks, size_t first)
{
    size_t most = 1;
    for (size_t i = 0; i < chunks->count; i++) {
        size_t bands = 0, row = first + (size_t)chunks->sample[i];
        size_t end = row + (size_t)(chunks->place[i + 1] - chunks->place[i]);
        for (; row < end; bands++) {
            size_t next = hdf5_joined_chunk_end(joined, row);
            row = next > row ? next : end;
        }
        most = bands > most ? bands : most;
    }
    return most;
}

/* Of the windows that may be read at one time: one, that before it and that behind it, and those in which readers are
 * that are ahead. */
static size_t windows_in_use(const struct chunks *chunks, const struct dataset_readers *readers)
{
    double mean = (double)chunks->place[chunks->count] / (double)chunks->count;
    return 3 + (size_t)((double)readers->ahead / (mean * (double)readers->window));
}

size_t hdf5_joined_slots(const struct hdf5_joined *joined, const struct chunks *chunks, size_t first,
                         const struct dataset_readers *readers)
{
    const struct chunk_cache *cache = &joined->cache;
    size_t kept = CHUNK_CACHE_KEPT / cache->slot_bytes, slots, needed = 0, most = SHARED_MOST / cache->slot_bytes;
    if (readers->window > 0 && chunks->count > 0) {
        size_t windows = windows_in_use(chunks, readers), bands = bands_of_chunk(joined, chunks, first);
        needed = readers->window < cache->bands ? (size_t)readers->window * windows * bands : cache->bands;
        slots = (needed > kept ? needed : kept) + readers->count;
    } else {
        slots = (kept > 0 ? kept : 1) * readers->count;
    }
    slots = slots < most ? slots : most;
    slots = slots > readers->count ? slots : readers->count;
    return slots < cache->bands ? slots : cache->bands;
}
