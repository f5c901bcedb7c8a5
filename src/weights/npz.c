/* .npz (NumPy's documentation, "numpy.savez"): a zip archive of .npy files, one a tensor, each named after it. What is
 * written is not compressed: weights hardly are compressible. */
#include "base/memory.h"
#include "weights/npy.h"
#include "weights/weights.h"
#include "weights/zip_entry.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define SUFFIX ".npy"
#define PIECE  262144 /* elements decoded at once */

/* ---- reading ---- */

/* The .npy header of an entry that was just opened; *begin: where its values begin. */
static bool take_header(zip_file_t *entry, uint64_t size, struct npy *npy, size_t *begin, struct error *error)
{
    uint8_t prefix[NPY_PREFIX];
    size_t known = size < NPY_PREFIX ? (size_t)size : NPY_PREFIX, from;
    if (!zip_entry_take(entry, prefix, known, error) || !npy_measure(prefix, known, &from, begin, error))
        return false;
    if (*begin > size || *begin < known)
        return error_set(error, ERROR_CORRUPT, "it ends too early");
    char *text = memory_need(*begin - from, 1);
    memcpy(text, prefix + from, known - from);
    bool ok = zip_entry_take(entry, text + known - from, *begin - known, error) &&
              npy_parse(text, *begin - from, npy, error);
    memory_free(text);
    return ok;
}

/* Adds the tensor of entry `index`. */
static bool take_entry(struct weights_file *file, zip_t *archive, uint64_t index, const zip_stat_t *stat,
                       struct error *error)
{
    struct npy npy;
    size_t begin;
    if (!zip_entry_check_size(stat, error))
        return false;
    zip_file_t *entry = zip_fopen_index(archive, index, 0);
    if (!entry)
        return zip_entry_fail(error, "cannot be opened", zip_get_error(archive));
    bool ok = take_header(entry, stat->size, &npy, &begin, error);
    zip_fclose(entry);
    if (!ok)
        return false;
    char *name = memory_text(stat->name);
    size_t length = strlen(name), end = strlen(SUFFIX);
    if (length > end && strcmp(name + length - end, SUFFIX) == 0)
        name[length - end] = '\0';
    struct weights_tensor *tensor;
    ok = weights_add(&file->weights, name, npy.header.dims, npy.header.size, &tensor, error);
    memory_free(name);
    if (!ok)
        return false;
    tensor->form = npy.form;
    tensor->fortran = npy.header.fortran && npy.header.dims > 1;
    tensor->place = index;
    memcpy(tensor->type, npy.header.type, sizeof tensor->type);
    return npy.form.type == FLOATS_NONE || stat->size - begin == tensor->count * npy.bytes ||
           error_set(error, ERROR_CORRUPT, "its size does not fit its shape and type");
}

static bool open_file(struct weights_file *file, bool averaged, struct error *error)
{
    (void)averaged;
    zip_t *archive;
    if (!zip_entry_open(file->path, &archive, error))
        return false;
    file->self = archive;
    zip_int64_t count = zip_get_num_entries(archive, 0);
    for (zip_int64_t i = 0; i < count; i++) {
        zip_stat_t stat;
        if (zip_stat_index(archive, (zip_uint64_t)i, 0, &stat) || !(stat.valid & ZIP_STAT_NAME))
            return zip_entry_fail(error, "its table cannot be read", zip_get_error(archive));
        if (!take_entry(file, archive, (uint64_t)i, &stat, error))
            return error_prefix(error, "%.200s: ", stat.name);
    }
    return true;
}

static void close_file(struct weights_file *file)
{
    zip_discard(file->self);
}

/* The values, behind the header, in pieces; then the end, at which the checksum is looked at. */
static bool take_values(const struct weights_file *file, zip_file_t *entry, const struct weights_tensor *tensor,
                        float *values, struct error *error)
{
    size_t size = floats_size(tensor->form.type), step = tensor->count < PIECE ? tensor->count : PIECE;
    void *piece = memory_need(step, size);
    bool ok = true;
    for (size_t done = 0; ok && done < tensor->count; done += step) {
        size_t n = tensor->count - done < step ? tensor->count - done : step;
        ok = zip_entry_take(entry, piece, n * size, error);
        if (ok)
            weights_decode(file, tensor, done, piece, n, values + done);
    }
    memory_free(piece);
    return ok && zip_entry_end(entry, error);
}

static bool load(const struct weights_file *file, const struct weights_tensor *tensor, float *values,
                 struct error *error)
{
    zip_t *archive = file->self;
    zip_stat_t stat;
    struct npy npy;
    size_t begin;
    zip_file_t *entry = zip_fopen_index(archive, tensor->place, 0);
    if (!entry || zip_stat_index(archive, tensor->place, 0, &stat)) {
        zip_entry_fail(error, "cannot be opened", zip_get_error(archive));
        if (entry)
            zip_fclose(entry);
        return false;
    }
    bool ok = take_header(entry, stat.size, &npy, &begin, error) && take_values(file, entry, tensor, values, error);
    zip_fclose(entry);
    return ok;
}

/* ---- writing ---- */

/* Adds one tensor; `header` must live until the archive is closed. */
static bool add(zip_t *archive, const struct weights_tensor *tensor, struct text *header)
{
    npy_write(tensor->dims, tensor->shape, header);
    zip_buffer_fragment_t parts[2] = {{(zip_uint8_t *)header->bytes, header->length},
                                      {(zip_uint8_t *)tensor->values, tensor->count * sizeof(float)}};
    struct text name;
    text_init(&name);
    text_append(&name, "%s%s", tensor->name, SUFFIX);
    zip_source_t *source = zip_source_buffer_fragment(archive, parts, 2, 0);
    zip_int64_t index = source ? zip_file_add(archive, name.bytes, source, ZIP_FL_ENC_UTF_8) : -1;
    text_release(&name);
    if (source && index < 0)
        zip_source_free(source);
    /* A fixed time: the same weights are the same bytes. */
    return index >= 0 && zip_set_file_compression(archive, (zip_uint64_t)index, ZIP_CM_STORE, 0) == 0 &&
           zip_file_set_dostime(archive, (zip_uint64_t)index, 0, 1 << 5 | 1, 0) == 0;
}

/* libzip writes a file of its own (mkstemp), which takes the place of the one that is there. */
static bool write_file(const char *path, int descriptor, const struct weights *weights, struct error *error)
{
    (void)descriptor;
    zip_error_t reason;
    int code;
    zip_t *archive = zip_open(path, ZIP_CREATE | ZIP_TRUNCATE, &code);
    if (!archive) {
        zip_error_init_with_code(&reason, code);
        error_set(error, ERROR_IO, "cannot be created: %s", zip_error_strerror(&reason));
        zip_error_fini(&reason);
        return false;
    }
    struct text *headers = memory_need(weights->count, sizeof *headers);
    bool ok = true;
    for (size_t i = 0; ok && i < weights->count; i++)
        ok = add(archive, &weights->tensors[i], &headers[i]);
    if (!ok || zip_close(archive)) {
        ok = error_set(error, ERROR_IO, "cannot be written: %s", zip_strerror(archive));
        zip_discard(archive);
    }
    for (size_t i = 0; i < weights->count; i++)
        text_release(&headers[i]);
    memory_free(headers);
    return ok;
}

const struct weights_format weights_npz = {.name = "npz",
                                           .suffix = ".npz",
                                           .open = open_file,
                                           .close = close_file,
                                           .load = load,
                                           .write = write_file,
                                           .is_replaced = true};
