#include "weights/weights.h"

#include "base/digest.h"
#include "base/hidden_file.h"
#include "base/log.h"
#include "base/memory.h"
#include "weights/recognise.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct weights_format *const weights_formats[] = {&weights_safetensors, &weights_npz, &weights_keras,
                                                        &weights_lockstep, NULL};

/* ---- the list ---- */

void weights_init(struct weights *weights)
{
    memset(weights, 0, sizeof *weights);
}

void weights_release(struct weights *weights)
{
    for (size_t i = 0; i < weights->count; i++) {
        memory_free(weights->tensors[i].name);
        memory_free(weights->tensors[i].values);
    }
    memory_free(weights->tensors);
    memory_free(weights->job);
    memory_free(weights->vocabulary);
    memory_free(weights->data);
    memory_free(weights->layers);
    weights_init(weights);
}

void weights_take_fingerprint(struct weights *weights, const char *text)
{
    if (strspn(text, "0123456789abcdef") == 16 && text[16] == '\0')
        memcpy(weights->fingerprint, text, 17);
}

bool weights_add(struct weights *weights, const char *name, size_t dims, const size_t *shape,
                 struct weights_tensor **added, struct error *error)
{
    size_t count = 1, bytes;
    for (const char *c = name; *c; c++) /* it is shown to people */
        if ((unsigned char)*c < ' ' || *c == 127)
            return error_set(error, ERROR_CORRUPT, "the name of tensor %zu holds control characters", weights->count);
    if (dims > WEIGHTS_DIMS)
        return error_set(error, ERROR_CORRUPT, "%.200s has %zu dimensions; at most %d are read", name, dims,
                         WEIGHTS_DIMS);
    if (weights->count == WEIGHTS_TENSORS)
        return error_set(error, ERROR_CORRUPT, "there are more than %d tensors", WEIGHTS_TENSORS);
    for (size_t d = 0; d < dims; d++)
        if (__builtin_mul_overflow(count, shape[d], &count))
            return error_set(error, ERROR_CORRUPT, "%.200s has more elements than can be counted", name);
    if (__builtin_mul_overflow(count, sizeof(double), &bytes) || bytes > PTRDIFF_MAX)
        return error_set(error, ERROR_CORRUPT, "%.200s has more elements than fit into memory", name);
    weights->tensors = memory_grow(weights->tensors, weights->count, &weights->capacity, sizeof *weights->tensors);
    struct weights_tensor *tensor = &weights->tensors[weights->count++];
    *tensor = (struct weights_tensor){.name = memory_text(name), .dims = dims, .count = count};
    for (size_t d = 0; d < dims; d++) /* perhaps of no shape at all */
        tensor->shape[d] = shape[d];
    if (added)
        *added = tensor;
    return true;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Which of two tensors of one name is meant, nobody can know. */
static bool names_differ(const struct weights *weights, struct error *error)
{
    bool ok = true;
    char **names = memory_need(weights->count, sizeof *names);
    for (size_t i = 0; i < weights->count; i++)
        names[i] = weights->tensors[i].name;
    qsort(names, weights->count, sizeof *names, compare_names);
    for (size_t i = 1; ok && i < weights->count; i++)
        if (strcmp(names[i - 1], names[i]) == 0)
            ok = error_set(error, ERROR_CORRUPT, "it holds two tensors of the name %.200s", names[i]);
    memory_free(names);
    return ok;
}

uint64_t weights_digest(const float *values, size_t count)
{
    return digest_bytes(values, count * sizeof *values);
}

/* ---- reading ---- */

/* `wanted`: the format that it must be of; NULL: any. */
static bool open_as(struct weights_file *file, const char *path, bool averaged, const struct weights_format *wanted,
                    struct error *error)
{
    *file = (struct weights_file){0};
    file->path = memory_text(path);
    file->lost = memory_need(1, sizeof *file->lost);
    file->format = recognise(path, &file->bytes, error);
    if (!file->format) {
        weights_close(file);
        return false;
    }
    bool ok = true;
    if (wanted && file->format != wanted)
        ok = error_set(error, ERROR_CORRUPT, "it is not of the format %s", wanted->name);
    if (ok && averaged && !file->format->has_averages)
        ok = error_set(error, ERROR_USAGE, "averaged weights are only in a checkpoint, and this is none");
    ok = ok && file->format->open(file, averaged, error) && names_differ(&file->weights, error);
    if (!ok) {
        if (strncmp(error->text, path, strlen(path)) != 0)
            error_prefix(error, "%s: ", path);
        weights_close(file);
    }
    return ok;
}

bool weights_open(struct weights_file *file, const char *path, bool averaged, struct error *error)
{
    return open_as(file, path, averaged, NULL, error);
}

bool weights_open_as(struct weights_file *file, const char *path, const struct weights_format *format,
                     struct error *error)
{
    return open_as(file, path, false, format, error);
}

void weights_close(struct weights_file *file)
{
    if (file->self)
        file->format->close(file);
    weights_release(&file->weights);
    memory_free(file->path);
    memory_free(file->lost);
    *file = (struct weights_file){0};
}

/* A tensor whose first index runs fastest, to one whose last does. */
static bool reorder(const struct weights_tensor *tensor, float *values, struct error *error)
{
    size_t strides[WEIGHTS_DIMS], stride = 1;
    for (size_t d = 0; d < tensor->dims; d++, stride *= tensor->shape[d - 1])
        strides[d] = stride;
    float *copy = memory_alloc(tensor->count, sizeof *copy, "a tensor", error);
    if (!copy)
        return false;
    memcpy(copy, values, tensor->count * sizeof *copy);
    floats_gather(tensor->dims, tensor->shape, strides, copy, values);
    memory_free(copy);
    return true;
}

bool weights_load(const struct weights_file *file, size_t tensor, float *values, struct error *error)
{
    const struct weights_tensor *wanted = &file->weights.tensors[tensor];
    if (wanted->form.type == FLOATS_NONE)
        return error_set(error, ERROR_USAGE,
                         "%s: %s is of type %s: weights are floats of 16, 32 or 64 bits; convert it", file->path,
                         wanted->name, wanted->type);
    if (wanted->count == 0)
        return true;
    if (file->format->load(file, wanted, values, error) && (!wanted->fortran || reorder(wanted, values, error)))
        return true;
    return error_prefix(error, "%s: %s: ", file->path, wanted->name);
}

void weights_decode(const struct weights_file *file, const struct weights_tensor *tensor, size_t begin,
                    const void *bytes, size_t count, float *values)
{
    size_t first = 0, lost = floats_decode(tensor->form, bytes, count, values, &first);
    if (!file->lost || lost == 0)
        return;
    if (file->lost->count == 0)
        *file->lost = (struct weights_lost){.tensor = tensor, .element = begin + first};
    file->lost->count += lost;
}

void weights_place(const struct weights_tensor *tensor, size_t element, struct text *words)
{
    size_t stride = tensor->count;
    for (size_t d = 0; d < tensor->dims; d++) {
        stride /= tensor->shape[d];
        text_append(words, "%s%zu", d ? "," : "[", element / stride % tensor->shape[d]);
    }
    text_append(words, "%s", tensor->dims > 0 ? "]" : "");
}

/* Where a stored element is, row-major. */
static size_t place_of(const struct weights_tensor *tensor, size_t stored)
{
    size_t place = 0, stride = tensor->count;
    if (!tensor->fortran)
        return stored;
    for (size_t d = 0; d < tensor->dims; d++) {
        stride /= tensor->shape[d];
        place += stored % tensor->shape[d] * stride;
        stored /= tensor->shape[d];
    }
    return place;
}

void weights_tell_lost(const struct weights_file *file)
{
    const struct weights_lost *lost = file->lost;
    struct text place;
    if (lost->count == 0)
        return;
    text_init(&place);
    weights_place(lost->tensor, place_of(lost->tensor, lost->element), &place);
    log_warn("%s: %zu value%s too small for a float of 32 bits, and 0 from now on; the first is %.200s%s", file->path,
             lost->count, lost->count == 1 ? " is" : "s are", lost->tensor->name, text_bytes(&place));
    text_release(&place);
}

/* ---- writing ---- */

bool weights_write(const struct weights_format *format, const char *path, const struct weights *weights,
                   struct error *error)
{
    struct hidden_file file;
    uint64_t token;
    if (!hidden_file_make(&file, path, &token, error))
        return false;
    bool ok = (format->write(file.path, file.descriptor, weights, error) &&
               (!format->is_replaced || hidden_file_take(&file, error))) ||
              error_prefix(error, "%s: ", path);
    ok = ok && hidden_file_publish(&file, path, error);
    hidden_file_release(&file, true);
    return ok;
}
