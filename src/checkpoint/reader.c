#include "checkpoint/reader.h"

#include "base/digest.h"
#include "base/memory.h"
#include "checkpoint/h5.h"
#include "checkpoint/seal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PASS_BLOCKS 256 /* blocks read at once: 4 MB */

static herr_t take_name(hid_t group, const char *name, const H5L_info_t *info, void *context)
{
    struct reader *reader = context;
    (void)group, (void)info;
    if (reader->array_count == STATE_ARRAYS)
        return -1;
    reader->names[reader->array_count++] = memory_text(name);
    return 0;
}

/* The length of a one-dimensional dataset of the given class, or -1. */
static hssize_t dataset_length(hid_t file, const char *group, const char *name, H5T_class_t class)
{
    char path[300];
    snprintf(path, sizeof path, "/%s/%s", group, name);
    hid_t dataset = H5Dopen2(file, path, H5P_DEFAULT);
    hid_t space = dataset >= 0 ? H5Dget_space(dataset) : -1, type = dataset >= 0 ? H5Dget_type(dataset) : -1;
    hssize_t length = space >= 0 && H5Sget_simple_extent_ndims(space) == 1 && H5Tget_class(type) == class
                          ? H5Sget_simple_extent_npoints(space)
                          : -1;
    h5_close(type);
    h5_close(space);
    h5_close(dataset);
    return length;
}

static bool read_digests(struct reader *reader, size_t array, struct error *error)
{
    char path[300];
    snprintf(path, sizeof path, "/digest/%s", reader->names[array]);
    hssize_t length = dataset_length(reader->file, "digest", reader->names[array], H5T_INTEGER);
    if (length < 0)
        return h5_error(error, ERROR_CORRUPT, "%s: cannot be opened as a row of digests", path);
    if (length != (hssize_t)reader->blocks)
        return error_set(error, ERROR_CORRUPT, "%s: there are %lld digests for %zu blocks", path, (long long)length,
                         reader->blocks);
    reader->digests[array] = memory_need(reader->blocks, sizeof(uint64_t));
    hid_t dataset = H5Dopen2(reader->file, path, H5P_DEFAULT);
    bool ok = dataset >= 0 && h5_read_range(dataset, H5T_NATIVE_UINT64, 0, reader->blocks, reader->digests[array]);
    h5_close(dataset);
    return ok || h5_error(error, ERROR_CORRUPT, "%s: cannot be read", path);
}

/* Finds the arrays, and checks that lengths, digests and fingerprint fit together. */
static bool read_layout(struct reader *reader, struct error *error)
{
    hid_t group = H5Gopen2(reader->file, "/state", H5P_DEFAULT);
    /* In the order of creation, which is that of the fingerprint: the group is made with that index. */
    bool ok = group >= 0 && H5Literate(group, H5_INDEX_CRT_ORDER, H5_ITER_INC, NULL, take_name, reader) >= 0;
    h5_close(group);
    if (!ok || reader->array_count == 0)
        return h5_error(error, ERROR_CORRUPT, "the list of arrays cannot be read");
    for (size_t a = 0; a < reader->array_count; a++) {
        hssize_t length = dataset_length(reader->file, "state", reader->names[a], H5T_FLOAT);
        if (length < 0)
            return h5_error(error, ERROR_CORRUPT, "array %s cannot be opened as a row of floats", reader->names[a]);
        if (length == 0 || (a > 0 && (size_t)length != reader->count))
            return error_set(error, ERROR_CORRUPT, "array %s has a wrong shape", reader->names[a]);
        reader->count = (size_t)length;
        reader->blocks = exchange_blocks(reader->count);
        if (!read_digests(reader, a, error))
            return false;
    }
    uint64_t fingerprint = state_fingerprint(reader->record.step, reader->array_count,
                                             (const char *const *)reader->names,
                                             (const uint64_t *const *)reader->digests, reader->blocks);
    return fingerprint == reader->record.fingerprint ||
           error_set(error, ERROR_CORRUPT, "its digests do not fit its fingerprint %016llx",
                     (unsigned long long)reader->record.fingerprint);
}

/* Whether the file has a seal exactly if its version says so, and the seal leaves out the arrays and nothing else. */
static bool check_seal(const struct reader *reader, const struct seal *seal, struct error *error)
{
    char path[300];
    if (reader->sealed != (reader->record.version >= RECORD_SEALED))
        return error_set(error, ERROR_CORRUPT, "format version %llu %s a seal",
                         (unsigned long long)reader->record.version, reader->sealed ? "with" : "without");
    bool ok = !reader->sealed || seal->count == reader->array_count;
    for (size_t a = 0; ok && reader->sealed && a < reader->array_count; a++) {
        struct seal_range place;
        snprintf(path, sizeof path, "/state/%s", reader->names[a]);
        if (!h5_place(reader->file, path, &place.offset, &place.bytes, error))
            return false;
        ok = false;
        for (size_t r = 0; r < seal->count; r++)
            ok = ok || (seal->ranges[r].offset == place.offset && seal->ranges[r].bytes == place.bytes &&
                        place.bytes == reader->count * sizeof(float));
    }
    return ok || error_set(error, ERROR_CORRUPT, "its seal does not fit its arrays");
}

bool reader_open(struct reader *reader, const char *path, struct error *error)
{
    struct seal seal;
    *reader = (struct reader){.file = -1};
    if (!seal_check(path, &seal, error) || !h5_open(path, H5F_ACC_RDONLY, &reader->file, error))
        return false;
    reader->path = memory_text(path);
    reader->sealed = seal.count > 0;
    if (record_read(reader->file, &reader->record, error) && read_layout(reader, error) &&
        check_seal(reader, &seal, error))
        return true;
    error_prefix(error, "%s: ", path);
    reader_close(reader);
    return false;
}

void reader_close(struct reader *reader)
{
    if (!reader->path)
        return;
    h5_close(reader->file);
    record_release(&reader->record);
    for (size_t a = 0; a < reader->array_count; a++) {
        memory_free(reader->names[a]);
        memory_free(reader->digests[a]);
    }
    memory_free(reader->path);
    *reader = (struct reader){.file = -1};
}

/* Reads a range of a dataset pass by pass, into `values` if given, and compares each block's digest. */
static bool load(hid_t file, const char *name, size_t first, size_t count, const uint64_t *digests, float *values,
                 struct error *error)
{
    char path[300];
    bool ok = true;
    snprintf(path, sizeof path, "/state/%s", name);
    hid_t dataset = H5Dopen2(file, path, H5P_DEFAULT);
    if (dataset < 0)
        return h5_error(error, ERROR_CORRUPT, "%s: cannot be opened", path);
    size_t pass = PASS_BLOCKS * EXCHANGE_BLOCK;
    float *buffer = values ? NULL : memory_need(count < pass ? count : pass, sizeof *buffer);
    uint64_t found[PASS_BLOCKS];
    for (size_t done = 0; ok && done < count; done += pass) {
        size_t n = count - done < pass ? count - done : pass;
        float *target = values ? values + done : buffer;
        if (!h5_read_range(dataset, H5T_NATIVE_FLOAT, first + done, n, target)) {
            ok = h5_error(error, ERROR_CORRUPT, "%s: cannot be read", path);
            break;
        }
        digest_blocks(target, n, EXCHANGE_BLOCK, found);
        for (size_t b = 0; ok && b < exchange_blocks(n); b++)
            if (found[b] != digests[done / EXCHANGE_BLOCK + b])
                ok = error_set(error, ERROR_CORRUPT, "%s: block %zu (elements %zu to %zu) fails its digest", path,
                               (first + done) / EXCHANGE_BLOCK + b, first + done + b * EXCHANGE_BLOCK,
                               (b + 1) * EXCHANGE_BLOCK < n ? first + done + (b + 1) * EXCHANGE_BLOCK - 1
                                                            : first + done + n - 1);
    }
    memory_free(buffer);
    h5_close(dataset);
    return ok;
}

bool reader_load(const struct reader *reader, size_t array, size_t first, size_t count, float *values,
                 struct error *error)
{
    return load(reader->file, reader->names[array], first, count, reader->digests[array] + first / EXCHANGE_BLOCK,
                values, error) ||
           error_prefix(error, "%s: ", reader->path);
}

bool reader_verify(const struct reader *reader, struct error *error)
{
    return reader_verify_part(reader, 0, reader->blocks, error);
}

bool reader_verify_part(const struct reader *reader, size_t first, size_t blocks, struct error *error)
{
    struct reader_tensor *tensors;
    size_t count, begin = first * EXCHANGE_BLOCK, end = (first + blocks) * EXCHANGE_BLOCK;
    if (!reader_list_tensors(reader, &tensors, &count, error))
        return false;
    memory_free(tensors);
    if (end > reader->count)
        end = reader->count;
    for (size_t a = 0; a < reader->array_count && blocks > 0; a++)
        if (!load(reader->file, reader->names[a], begin, end - begin, reader->digests[a] + first, NULL, error))
            return error_prefix(error, "%s: ", reader->path);
    return true;
}

bool reader_compare(const char *path, const char *name, size_t first, size_t count, const uint64_t *digests,
                    struct error *error)
{
    hid_t file;
    if (!h5_open(path, H5F_ACC_RDONLY, &file, error))
        return false;
    bool ok = load(file, name, first, count, digests, NULL, error) || error_prefix(error, "%s: ", path);
    h5_close(file);
    return ok;
}

struct tensor_list {
    struct reader_tensor *tensors;
    size_t count, capacity;
};

static herr_t take_tensor(hid_t root, const char *name, const H5O_info_t *info, void *context)
{
    struct tensor_list *list = context;
    if (info->type != H5O_TYPE_DATASET || (strncmp(name, "model/", 6) && strncmp(name, "optimizer/", 10)))
        return 0;
    list->tensors = memory_grow(list->tensors, list->count, &list->capacity, sizeof *list->tensors);
    struct reader_tensor *tensor = &list->tensors[list->count];
    hid_t dataset = H5Dopen2(root, name, H5P_DEFAULT), space = H5Dget_space(dataset);
    int dims = H5Sget_simple_extent_ndims(space);
    hsize_t shape[STATE_DIMS];
    bool ok = dims >= 1 && dims <= STATE_DIMS && H5Sget_simple_extent_dims(space, shape, NULL) == dims;
    h5_close(space);
    h5_close(dataset);
    if (!ok)
        return -1;
    snprintf(tensor->path, sizeof tensor->path, "/%s", name);
    tensor->dims = (size_t)dims;
    tensor->count = 1;
    for (int d = 0; d < dims; d++) {
        tensor->shape[d] = shape[d];
        if (__builtin_mul_overflow(tensor->count, shape[d], &tensor->count))
            return -1;
    }
    list->count++;
    return 0;
}

bool reader_list_tensors(const struct reader *reader, struct reader_tensor **tensors, size_t *count,
                         struct error *error)
{
    struct tensor_list list = {0};
    if (H5Ovisit(reader->file, H5_INDEX_NAME, H5_ITER_INC, take_tensor, &list) < 0) {
        memory_free(list.tensors);
        return h5_error(error, ERROR_CORRUPT, "%s: the list of tensors cannot be read", reader->path);
    }
    *tensors = list.tensors;
    *count = list.count;
    return true;
}

bool reader_load_tensor(const struct reader *reader, const struct reader_tensor *tensor, float *values,
                        struct error *error)
{
    hid_t dataset = H5Dopen2(reader->file, tensor->path, H5P_DEFAULT);
    bool ok = dataset >= 0 && H5Dread(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0;
    if (!ok)
        h5_error(error, ERROR_CORRUPT, "%s: %s cannot be read", reader->path, tensor->path);
    h5_close(dataset);
    return ok;
}
