#include "checkpoint/reader.h"

#include "base/digest.h"
#include "base/file.h"
#include "base/memory.h"
#include "checkpoint/record_h5.h"
#include "checkpoint/record_prove.h"
#include "h5/contained.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PASS_BLOCKS 256 /* blocks read at once: 4 MB */
#define VIEW_LEAST  64  /* bytes that HDF5 needs for a view, with its name; in truth some hundred */

/* Bytes that HDF5 walks through for all but the arrays: more than any job has, as RECORD_IMAGE_MOST. */
#define HDF5_MOST (4 * (uint64_t)RECORD_IMAGE_MOST)

static bool read_at(const struct reader *reader, uint64_t offset, void *bytes, size_t count, struct error *error)
{
    ssize_t got = file_read_at(reader->descriptor, bytes, count, offset);
    if (got < 0)
        return error_errno(error, "it cannot be read");
    return (size_t)got == count || error_set(error, ERROR_CORRUPT, "it became shorter while it was read");
}

/* Where the image of the record may end: nothing of it is in an array, which the seal leaves out. */
static uint64_t image_end(const struct seal *seal)
{
    uint64_t end = seal->bytes;
    for (size_t r = 0; r < seal->count; r++)
        if (seal->ranges[r].offset < end)
            end = seal->ranges[r].offset;
    return end;
}

/* The image in the file, or NULL without an error: there is none. The caller owns it. */
static char *read_image(const struct reader *reader, const struct seal *seal, size_t *bytes, struct error *error)
{
    char head[RECORD_IMAGE_HEAD];
    uint64_t end = image_end(seal), length;
    error_clear(error);
    if (end < RECORD_IMAGE_AT + sizeof head)
        return NULL;
    if (!read_at(reader, RECORD_IMAGE_AT, head, sizeof head, error) || !record_image_begins(head, &length))
        return NULL;
    if (length < sizeof head || length > end - RECORD_IMAGE_AT || length > RECORD_IMAGE_MOST) {
        error_set(error, ERROR_CORRUPT, "its record cannot be as long as it says");
        return NULL;
    }
    char *image = memory_alloc((size_t)length, 1, "its record", error);
    *bytes = (size_t)length;
    if (image && !read_at(reader, RECORD_IMAGE_AT, image, *bytes, error)) {
        memory_free(image);
        image = NULL;
    }
    return image;
}

static uint64_t hdf5_bytes(const struct reader *reader)
{
    return reader->weight < HDF5_MOST ? reader->weight : HDF5_MOST;
}

/* In a process of its own. */
static bool make_image(hid_t file, void *context, char **answer, size_t *bytes, struct error *error)
{
    struct record record;
    struct record_layout layout;
    (void)context;
    if (!record_h5_read(file, &record, &layout, error))
        return false;
    record_image_make(&record, true, &layout, answer, bytes);
    return true;
}

/* Record and layout: from the image in the file, or one that is made of a file without. */
static bool read_record(struct reader *reader, const struct seal *seal, bool *finished, struct error *error)
{
    size_t bytes;
    char *image = read_image(reader, seal, &bytes, error);
    bool old = !image && error->kind == ERROR_NONE;
    if (old &&
        !contained_run(reader->path, reader->descriptor, hdf5_bytes(reader), make_image, NULL, &image, &bytes, error))
        return false;
    if (!image && !old)
        return false;
    return record_image_parse(image, bytes, old, seal->bytes, &reader->record, &reader->layout, finished, error);
}

/* Reads the digests, and checks that they and the fingerprint fit together. */
static bool read_digests(struct reader *reader, struct error *error)
{
    for (size_t a = 0; a < reader->array_count; a++) {
        uint64_t place = reader->layout.arrays[a].digests, bytes = reader->blocks * sizeof(uint64_t);
        if (file_stored_between(reader->descriptor, place, place + bytes) < bytes) /* no digest is zero */
            return error_set(error, ERROR_CORRUPT, "it has a hole where its digests should be");
        reader->digests[a] = memory_alloc(reader->blocks, sizeof(uint64_t), "its digests", error);
        if (!reader->digests[a] || !read_at(reader, place, reader->digests[a], bytes, error))
            return false;
    }
    uint64_t fingerprint = state_fingerprint(reader->record.step, reader->array_count, reader->names,
                                             (const uint64_t *const *)reader->digests, reader->blocks);
    return fingerprint == reader->record.fingerprint ||
           error_set(error, ERROR_CORRUPT, "its digests do not fit its fingerprint %016llx",
                     (unsigned long long)reader->record.fingerprint);
}

/* Whether the file has a seal exactly if its version says so, and the seal leaves out the arrays and nothing else. */
static bool check_seal(const struct reader *reader, const struct seal *seal, struct error *error)
{
    if (reader->sealed != (reader->record.version >= RECORD_SEALED))
        return error_set(error, ERROR_CORRUPT, "format version %llu %s a seal",
                         (unsigned long long)reader->record.version, reader->sealed ? "with" : "without");
    bool ok = !reader->sealed || seal->count == reader->array_count;
    for (size_t a = 0; ok && reader->sealed && a < reader->array_count; a++) {
        ok = false;
        for (size_t r = 0; r < seal->count; r++)
            ok = ok || (seal->ranges[r].offset == reader->layout.arrays[a].offset &&
                        seal->ranges[r].bytes == reader->count * sizeof(float));
        for (size_t b = 0; b < a; b++)
            ok = ok && reader->layout.arrays[a].offset != reader->layout.arrays[b].offset;
    }
    return ok || error_set(error, ERROR_CORRUPT, "its seal does not fit its arrays");
}

/* Whether there can be a view of every tensor in every array: what lists them needs room for all. */
static bool check_views(const struct reader *reader, const struct seal *seal, struct error *error)
{
    uint64_t stored = file_stored_between(reader->descriptor, 0, seal->bytes),
             room = stored < reader->weight ? stored : reader->weight;
    return reader->layout.array_count * reader->layout.tensor_count <= room / VIEW_LEAST ||
           error_set(error, ERROR_CORRUPT, "its record has more tensors than the file has room for");
}

/* What both ways of opening have in common. */
static void take_layout(struct reader *reader)
{
    reader->count = reader->layout.count;
    reader->blocks = exchange_blocks(reader->count);
    reader->array_count = reader->layout.array_count;
    for (size_t a = 0; a < reader->array_count; a++)
        reader->names[a] = reader->layout.arrays[a].name;
}

bool reader_open(struct reader *reader, const char *path, struct error *error)
{
    struct seal seal;
    bool finished = false;
    *reader = (struct reader){.descriptor = -1};
    if (!seal_open(path, &seal, &reader->descriptor, error))
        return false;
    reader->path = memory_text(path);
    reader->sealed = seal.count > 0;
    reader->weight = seal.bytes;
    for (size_t r = 0; r < seal.count; r++)
        reader->weight -= seal.ranges[r].bytes;
    bool ok = read_record(reader, &seal, &finished, error) &&
              (finished || error_set(error, ERROR_CORRUPT, "not a finished checkpoint (it has no commit record)"));
    if (ok)
        take_layout(reader);
    if (ok && check_seal(reader, &seal, error) && check_views(reader, &seal, error) && read_digests(reader, error))
        return true;
    error_prefix(error, "%s: ", path);
    reader_close(reader);
    return false;
}

bool reader_open_unfinished(struct reader *reader, const char *path, struct error *error)
{
    struct seal seal;
    size_t bytes = 0;
    bool finished;
    *reader = (struct reader){.descriptor = -1};
    if (!seal_open_unproven(path, &seal, &reader->descriptor, error))
        return false;
    reader->path = memory_text(path);
    char *image = read_image(reader, &seal, &bytes, error);
    if (image &&
        record_image_parse(image, bytes, false, seal.bytes, &reader->record, &reader->layout, &finished, error)) {
        take_layout(reader);
        return true;
    }
    if (!image && error->kind == ERROR_NONE)
        error_set(error, ERROR_CORRUPT, "its record is not there");
    error_prefix(error, "%s: ", path);
    reader_close(reader);
    return false;
}

void reader_close(struct reader *reader)
{
    if (!reader->path)
        return;
    close(reader->descriptor);
    record_release(&reader->record);
    record_layout_release(&reader->layout);
    for (size_t a = 0; a < STATE_ARRAYS; a++)
        memory_free(reader->digests[a]);
    memory_free(reader->path);
    *reader = (struct reader){.descriptor = -1};
}

/* Reads a range of an array pass by pass, into `values` if given, and compares each block's digest. */
static bool load(const struct reader *reader, size_t array, size_t first, size_t count, const uint64_t *digests,
                 float *values, struct error *error)
{
    const struct record_array *place = &reader->layout.arrays[array];
    size_t pass = PASS_BLOCKS * EXCHANGE_BLOCK;
    bool ok = true;
    float *buffer = values ? NULL : memory_need(count < pass ? count : pass, sizeof *buffer);
    uint64_t found[PASS_BLOCKS];
    for (size_t done = 0; ok && done < count; done += pass) {
        size_t n = count - done < pass ? count - done : pass;
        float *target = values ? values + done : buffer;
        if (!read_at(reader, place->offset + (first + done) * sizeof(float), target, n * sizeof(float), error)) {
            ok = error_prefix(error, "/state/%s: ", place->name);
            break;
        }
        digest_blocks(target, n, EXCHANGE_BLOCK, found);
        for (size_t b = 0; ok && b < exchange_blocks(n); b++)
            if (found[b] != digests[done / EXCHANGE_BLOCK + b])
                ok = error_set(error, ERROR_CORRUPT, "/state/%s: block %zu (elements %zu to %zu) fails its digest",
                               place->name, (first + done) / EXCHANGE_BLOCK + b, first + done + b * EXCHANGE_BLOCK,
                               (b + 1) * EXCHANGE_BLOCK < n ? first + done + (b + 1) * EXCHANGE_BLOCK - 1
                                                            : first + done + n - 1);
    }
    memory_free(buffer);
    return ok || error_prefix(error, "%s: ", reader->path);
}

bool reader_load(const struct reader *reader, size_t array, size_t first, size_t count, float *values,
                 struct error *error)
{
    return load(reader, array, first, count, reader->digests[array] + first / EXCHANGE_BLOCK, values, error);
}

bool reader_verify(const struct reader *reader, struct error *error)
{
    return reader_verify_part(reader, 0, reader->blocks, error);
}

bool reader_verify_part(const struct reader *reader, size_t first, size_t blocks, struct error *error)
{
    size_t begin = first * EXCHANGE_BLOCK, end = (first + blocks) * EXCHANGE_BLOCK;
    if (end > reader->count)
        end = reader->count;
    for (size_t a = 0; a < reader->array_count && blocks > 0; a++)
        if (!load(reader, a, begin, end - begin, reader->digests[a] + first, NULL, error))
            return false;
    return true;
}

bool reader_compare(const struct reader *reader, size_t array, size_t first, size_t count, const uint64_t *digests,
                    struct error *error)
{
    return load(reader, array, first, count, digests, NULL, error);
}

/* In a process of its own. */
static bool prove(hid_t file, void *context, char **answer, size_t *bytes, struct error *error)
{
    const struct reader *reader = context;
    (void)answer, (void)bytes;
    return record_prove_layout(file, &reader->layout, error) &&
           record_prove(file, &reader->record, &reader->layout, error);
}

bool reader_prove_views(const struct reader *reader, struct error *error)
{
    char *answer;
    size_t bytes;
    if (reader->record.version < RECORD_PLAIN) /* then that is where the record comes from, views included */
        return true;
    bool ok = contained_run(reader->path, reader->descriptor, hdf5_bytes(reader), prove, (void *)reader, &answer,
                            &bytes, error);
    memory_free(answer);
    return ok || error_prefix(error, "%s: ", reader->path);
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct reader_tensor *)a)->path, ((const struct reader_tensor *)b)->path);
}

/* Bytes of the paths of all views, each with its NUL. */
static size_t bytes_of_paths(const struct record_layout *layout)
{
    char path[RECORD_PATH];
    size_t bytes = 0;
    for (size_t a = 0; a < layout->array_count; a++)
        for (size_t t = 0; t < layout->tensor_count; t++) {
            record_view_path(layout->arrays[a].name, layout->tensors[t].name, path);
            bytes += strlen(path) + 1;
        }
    return bytes;
}

bool reader_list_tensors(const struct reader *reader, struct reader_tensor **tensors, size_t *count,
                         struct error *error)
{
    const struct record_layout *layout = &reader->layout;
    size_t places = layout->array_count * layout->tensor_count * sizeof **tensors;
    struct reader_tensor *list = memory_alloc(places + bytes_of_paths(layout), 1, "the list of tensors", error);
    char *path = (char *)list + places; /* behind the list */
    *tensors = list;
    *count = 0;
    for (size_t a = 0; list && a < layout->array_count; a++)
        for (size_t t = 0; t < layout->tensor_count; t++) {
            const struct state_tensor *tensor = &layout->tensors[t];
            struct reader_tensor *view = &list[(*count)++];
            char name[RECORD_PATH];
            record_view_path(layout->arrays[a].name, tensor->name, name);
            size_t bytes = strlen(name) + 1;
            view->path = memcpy(path, name, bytes);
            path += bytes;
            view->dims = tensor->dims;
            view->count = 1;
            for (size_t d = 0; d < tensor->dims; d++)
                view->count *= view->shape[d] = tensor->shape[d];
            view->offset = layout->arrays[a].offset + tensor->offset * sizeof(float);
        }
    if (list)
        qsort(list, *count, sizeof *list, by_path);
    return list != NULL;
}

bool reader_load_tensor(const struct reader *reader, const struct reader_tensor *tensor, float *values,
                        struct error *error)
{
    return read_at(reader, tensor->offset, values, tensor->count * sizeof *values, error) ||
           error_prefix(error, "%s: %s: ", reader->path, tensor->path);
}
