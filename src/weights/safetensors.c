/* safetensors (https://huggingface.co/docs/safetensors, "Format"): the length of the header as 8 bytes, little-endian;
 * the header in JSON, {"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [begin, end]}, ...}, padded with
 * spaces; the values, little-endian and row-major, in a row without gaps. "__metadata__" maps texts to texts. */
#include "base/memory.h"
#include "base/text.h"
#include "weights/weights.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEADER_MOST 100000000 /* bytes; as the reference implementation */
#define METADATA    "__metadata__"

static const struct dtype {
    const char *name;
    size_t size; /* bytes of an element; 0: not whole ones */
    enum floats_type type;
} dtypes[] = {
    {"F32", 4, FLOATS_F32}, {"F16", 2, FLOATS_F16}, {"BF16", 2, FLOATS_BF16},
    {"F64", 8, FLOATS_F64}, {"BOOL", 1, 0},         {"U8", 1, 0},
    {"I8", 1, 0},           {"F8_E4M3", 1, 0},      {"F8_E5M2", 1, 0},
    {"I16", 2, 0},          {"U16", 2, 0},          {"I32", 4, 0},
    {"U32", 4, 0},          {"I64", 8, 0},          {"U64", 8, 0},
};
#define DTYPES (sizeof dtypes / sizeof *dtypes)

static const struct dtype *find_dtype(const char *name)
{
    static const struct dtype unknown = {0};
    for (size_t i = 0; i < DTYPES; i++)
        if (strcmp(dtypes[i].name, name) == 0)
            return &dtypes[i];
    return &unknown;
}

/* ---- reading ---- */

/* A whole number >= 0. */
static bool take_number(const json_t *json, uint64_t *number)
{
    if (!json_is_integer(json) || json_integer_value(json) < 0)
        return false;
    *number = (uint64_t)json_integer_value(json);
    return true;
}

/* The tensor behind one key of the header. Its end goes into offsets[1]. */
static bool take_tensor(struct weights *weights, const char *name, json_t *entry, uint64_t offsets[2],
                        struct error *error)
{
    const char *type = json_string_value(json_object_get(entry, "dtype"));
    json_t *shape = json_object_get(entry, "shape"), *range = json_object_get(entry, "data_offsets");
    size_t sizes[WEIGHTS_DIMS], dims = json_array_size(shape);
    bool ok = type && json_is_array(shape) && dims <= WEIGHTS_DIMS && json_array_size(range) == 2 &&
              take_number(json_array_get(range, 0), &offsets[0]) && take_number(json_array_get(range, 1), &offsets[1]);
    for (size_t d = 0; ok && d < dims; d++)
        ok = take_number(json_array_get(shape, d), &sizes[d]);
    if (!ok)
        return error_set(error, ERROR_CORRUPT,
                         "the header's entry %.200s has not a dtype, a shape (of at most %d numbers) and two "
                         "data_offsets",
                         name, WEIGHTS_DIMS);
    struct weights_tensor *tensor;
    if (!weights_add(weights, name, dims, sizes, &tensor, error))
        return false;
    const struct dtype *dtype = find_dtype(type);
    tensor->form.type = dtype->type;
    tensor->place = offsets[0];
    snprintf(tensor->type, sizeof tensor->type, "%s", type);
    return offsets[1] >= offsets[0] && (dtype->size == 0 || offsets[1] - offsets[0] == tensor->count * dtype->size)
               ? true
               : error_set(error, ERROR_CORRUPT, "%.200s: its data_offsets do not fit its shape and dtype", name);
}

static int compare_ranges(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    if (x[0] != y[0])
        return x[0] < y[0] ? -1 : 1;
    return x[1] < y[1] ? -1 : x[1] > y[1];
}

/* The format's rule: the tensors' ranges cover the data, each byte once. */
static bool check_ranges(uint64_t (*ranges)[2], size_t count, uint64_t bytes, struct error *error)
{
    uint64_t end = 0;
    qsort(ranges, count, sizeof *ranges, compare_ranges);
    for (size_t i = 0; i < count; end = ranges[i++][1])
        if (ranges[i][0] != end)
            return error_set(error, ERROR_CORRUPT,
                             "the header's data_offsets leave a gap or overlap at byte %" PRIu64 " of the data", end);
    return end == bytes ||
           error_set(error, ERROR_CORRUPT,
                     "it has %" PRIu64 " bytes of data, but its header speaks of %" PRIu64 ": was it cut short?", bytes,
                     end);
}

static void take_metadata(struct weights *weights, json_t *metadata)
{
    const char *step = json_string_value(json_object_get(metadata, "lockstep.step"));
    const char *fingerprint = json_string_value(json_object_get(metadata, "lockstep.fingerprint"));
    const char *vocabulary = json_string_value(json_object_get(metadata, "lockstep.vocabulary"));
    const char *data = json_string_value(json_object_get(metadata, "lockstep.data"));
    if (step)
        weights->step = strtoull(step, NULL, 10);
    if (fingerprint)
        weights_take_fingerprint(weights, fingerprint);
    if (vocabulary)
        weights->vocabulary = memory_text(vocabulary);
    if (data)
        weights->data = memory_text(data);
}

static bool take_header(struct weights_file *file, json_t *header, uint64_t data_bytes, struct error *error)
{
    const char *name;
    json_t *entry;
    size_t count = 0;
    bool ok = true;
    uint64_t(*ranges)[2] = memory_need(json_object_size(header), sizeof *ranges);
    json_object_foreach(header, name, entry)
    {
        if (strcmp(name, METADATA) == 0)
            take_metadata(&file->weights, entry);
        else if (!(ok = take_tensor(&file->weights, name, entry, ranges[count++], error)))
            break;
    }
    ok = ok && check_ranges(ranges, count, data_bytes, error);
    memory_free(ranges);
    return ok;
}

struct opened {
    FILE *stream;
    uint64_t data; /* where the values begin */
};

static bool read_at(FILE *stream, uint64_t offset, void *bytes, size_t count, struct error *error)
{
    errno = 0;
    if (fseeko(stream, (off_t)offset, SEEK_SET) == 0 && fread(bytes, 1, count, stream) == count)
        return true;
    return errno ? error_errno(error, "cannot be read") : error_set(error, ERROR_CORRUPT, "it ends too early");
}

static bool open_file(struct weights_file *file, bool averaged, struct error *error)
{
    (void)averaged;
    struct opened *opened = file->self = memory_need(1, sizeof *opened);
    uint8_t head[8];
    uint64_t length = 0;
    opened->stream = fopen(file->path, "rbe");
    if (!opened->stream)
        return error_errno(error, "cannot open it");
    if (!read_at(opened->stream, 0, head, 8, error))
        return false;
    for (size_t b = 0; b < 8; b++)
        length |= (uint64_t)head[b] << 8 * b;
    if (length > HEADER_MOST || length > file->bytes - 8)
        return error_set(error, ERROR_CORRUPT, "a header of %" PRIu64 " bytes is longer than the file or than %d",
                         length, HEADER_MOST);
    opened->data = 8 + length;
    char *text = memory_alloc(length, 1, "the header", error);
    if (!text)
        return false;
    bool ok = read_at(opened->stream, 8, text, length, error);
    json_error_t wrong;
    json_t *header = ok ? json_loadb(text, length, JSON_REJECT_DUPLICATES, &wrong) : NULL;
    memory_free(text);
    if (ok && !json_is_object(header))
        ok = error_set(error, ERROR_CORRUPT, "its header is not what safetensors want: %s",
                       header ? "not an object" : wrong.text);
    ok = ok && take_header(file, header, file->bytes - opened->data, error);
    json_decref(header);
    return ok;
}

static void close_file(struct weights_file *file)
{
    struct opened *opened = file->self;
    if (opened->stream)
        fclose(opened->stream);
    memory_free(opened);
}

static bool load(const struct weights_file *file, const struct weights_tensor *tensor, float *values,
                 struct error *error)
{
    const struct opened *opened = file->self;
    size_t bytes = tensor->count * floats_size(tensor->form.type);
    void *stored = tensor->form.type == FLOATS_F32 ? values : memory_alloc(bytes, 1, "a tensor", error);
    bool ok = stored && read_at(opened->stream, opened->data + tensor->place, stored, bytes, error);
    if (ok && stored != values)
        weights_decode(file, tensor, 0, stored, tensor->count, values);
    if (stored != values)
        memory_free(stored);
    return ok;
}

/* ---- writing ---- */

static void make_header(const struct weights *weights, struct text *header)
{
    uint64_t offset = 0;
    text_append(header,
                "{\"" METADATA "\":{\"format\":\"pt\",\"lockstep.step\":\"%" PRIu64
                "\",\"lockstep.fingerprint\":\"%s\"",
                weights->step, weights->fingerprint);
    if (weights->vocabulary && *weights->vocabulary) {
        text_append(header, ",\"lockstep.vocabulary\":");
        text_append_json(header, weights->vocabulary);
    }
    if (weights->data) {
        text_append(header, ",\"lockstep.data\":");
        text_append_json(header, weights->data);
    }
    text_append(header, "}");
    for (size_t i = 0; i < weights->count; i++) {
        const struct weights_tensor *tensor = &weights->tensors[i];
        text_append(header, ",");
        text_append_json(header, tensor->name);
        text_append(header, ":{\"dtype\":\"F32\",\"shape\":[");
        for (size_t d = 0; d < tensor->dims; d++)
            text_append(header, "%s%zu", d ? "," : "", tensor->shape[d]);
        text_append(header, "],\"data_offsets\":[%" PRIu64 ",%" PRIu64 "]}", offset, offset + tensor->count * 4);
        offset += tensor->count * 4;
    }
    text_append(header, "}");
    while (header->length % 8 != 0)
        text_append(header, " ");
}

static bool write_file(const char *path, int descriptor, const struct weights *weights, struct error *error)
{
    (void)path;
    int own = fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
    FILE *stream = own >= 0 ? fdopen(own, "wb") : NULL;
    if (!stream) {
        error_errno(error, "cannot create it");
        if (own >= 0)
            close(own);
        return false;
    }
    struct text header;
    text_init(&header);
    make_header(weights, &header);
    uint8_t head[8];
    for (size_t b = 0; b < 8; b++)
        head[b] = (uint8_t)((uint64_t)header.length >> 8 * b);
    bool ok = fwrite(head, 1, 8, stream) == 8 && fwrite(header.bytes, 1, header.length, stream) == header.length;
    for (size_t i = 0; ok && i < weights->count; i++)
        ok = fwrite(weights->tensors[i].values, sizeof(float), weights->tensors[i].count, stream) ==
             weights->tensors[i].count;
    text_release(&header);
    if (!ok)
        error_errno(error, "cannot write it");
    if (fclose(stream) && ok)
        ok = error_errno(error, "cannot write it");
    return ok;
}

const struct weights_format weights_safetensors = {.name = "safetensors",
                                                   .suffix = ".safetensors",
                                                   .open = open_file,
                                                   .close = close_file,
                                                   .load = load,
                                                   .write = write_file};
