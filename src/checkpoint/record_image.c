#include "checkpoint/record_image.h"

#include "base/file.h"
#include "base/memory.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "images, arrays and digests are read as they lie");

static const char magic[16] = "lockstep record\n"; /* no NUL behind it */

struct head {
    char magic[16];
    uint64_t bytes, version, finished, fingerprint;
};
_Static_assert(sizeof(struct head) == RECORD_IMAGE_HEAD, "no padding");

#define NAME_MOST   200                            /* bytes of an array's or a tensor's name */
#define PLAIN_DIMS  4                              /* sizes of a tensor's shape in files of version RECORD_PLAIN */
#define FLOATS_MOST (SIZE_MAX / 4 / sizeof(float)) /* nothing that is computed from it overflows */

void record_layout_init(struct record_layout *layout, const struct state *state)
{
    *layout = (struct record_layout){.count = state->count,
                                     .array_count = state->array_count,
                                     .tensors = state->tensors,
                                     .tensor_count = state->tensor_count};
    for (size_t a = 0; a < state->array_count; a++)
        layout->arrays[a].name = state->arrays[a].name;
}

void record_layout_release(struct record_layout *layout)
{
    memory_free(layout->owned[0]);
    memory_free(layout->owned[1]);
    memset(layout, 0, sizeof *layout);
}

/* ---- writing ---- */

struct output {
    char *bytes;
    size_t length, capacity;
};

static void put(struct output *out, const void *bytes, size_t count)
{
    if (out->capacity - out->length < count) {
        out->capacity = 2 * (out->length + count) + 1024;
        char *larger = memory_need(out->capacity, 1);
        if (out->length > 0)
            memcpy(larger, out->bytes, out->length);
        memory_free(out->bytes);
        out->bytes = larger;
    }
    memcpy(out->bytes + out->length, bytes, count);
    out->length += count;
}

static void put_number(struct output *out, uint64_t number)
{
    put(out, &number, sizeof number);
}

static void put_text(struct output *out, const char *text, size_t length)
{
    static const char zeros[8];
    put_number(out, length);
    put(out, text, length);
    put(out, zeros, 8 - length % 8);
}

static void put_field(struct output *out, const struct field *field, const char *base)
{
    const char *at = base + field->offset;
    if (field->kind == FIELD_WORDS) {
        put_text(out, at, strnlen(at, field->most - 1));
    } else if (field->kind == FIELD_TEXT) {
        const char *text = *(char *const *)(const void *)at;
        put_text(out, text ? text : "", text ? strlen(text) : 0);
    } else {
        put(out, at, sizeof(uint64_t));
    }
}

static void put_layout(struct output *out, const struct record_layout *layout)
{
    put_number(out, layout->count);
    put_number(out, layout->array_count);
    for (size_t a = 0; a < layout->array_count; a++) {
        const struct record_array *array = &layout->arrays[a];
        put_text(out, array->name, strlen(array->name));
        put_number(out, array->offset);
        put_number(out, array->digests);
    }
    put_number(out, layout->tensor_count);
    for (size_t t = 0; t < layout->tensor_count; t++) {
        const struct state_tensor *tensor = &layout->tensors[t];
        put_text(out, tensor->name, strlen(tensor->name));
        put_number(out, tensor->dims);
        for (size_t d = 0; d < STATE_DIMS; d++)
            put_number(out, d < tensor->dims ? tensor->shape[d] : 0);
        put_number(out, tensor->offset);
    }
}

void record_image_make(const struct record *record, bool finished, const struct record_layout *layout, char **image,
                       size_t *bytes)
{
    struct output out = {0};
    struct head head = {.version = record->version, .finished = finished, .fingerprint = record->fingerprint};
    memcpy(head.magic, magic, sizeof magic);
    put(&out, &head, sizeof head);
    for (size_t i = 0; i < record_field_count; i++)
        put_field(&out, &record_fields[i], (const char *)record);
    for (size_t t = 0; t < RECORD_TABLES; t++) {
        const struct record_table *table = &record_tables[t];
        size_t rows;
        const char *row = record_rows(record, table, &rows);
        put_number(&out, rows);
        for (size_t i = 0; i < rows; i++)
            for (size_t c = 0; c < table->column_count; c++)
                put_field(&out, &table->columns[c], row + i * table->row_bytes);
    }
    put_layout(&out, layout ? layout : &(struct record_layout){0});
    head.bytes = out.length;
    memcpy(out.bytes, &head, sizeof head);
    *image = out.bytes;
    *bytes = out.length;
}

static bool write_at(const char *path, const void *bytes, size_t count, uint64_t offset, struct error *error)
{
    int fd;
    if (!file_open(path, FILE_CHANGE, &fd, error))
        return false;
    bool ok = file_write_at(fd, bytes, count, offset) || error_errno(error, "cannot write the record of %s", path);
    if (!file_close(fd) && ok)
        ok = error_errno(error, "cannot write the record of %s", path);
    return ok;
}

bool record_image_write(const char *path, const char *image, size_t bytes, struct error *error)
{
    return write_at(path, image, bytes, RECORD_IMAGE_AT, error);
}

bool record_image_finish(const char *path, uint64_t fingerprint, struct error *error)
{
    const uint64_t commit[2] = {1, fingerprint};
    return write_at(path, commit, sizeof commit, RECORD_IMAGE_AT + offsetof(struct head, finished), error);
}

/* ---- reading ---- */

/* What is left to read. After the first thing that cannot be, nothing is. */
struct input {
    const char *at;
    size_t left;
    bool ok;
};

static const char *take(struct input *in, size_t count)
{
    const char *at = in->at;
    in->ok = in->ok && count <= in->left;
    if (!in->ok)
        return NULL;
    in->at += count;
    in->left -= count;
    return at;
}

static uint64_t take_number(struct input *in)
{
    uint64_t number = 0;
    const char *at = take(in, sizeof number);
    if (at)
        memcpy(&number, at, sizeof number);
    return number;
}

/* A text, with a NUL behind it, of up to `most` bytes; "" if there is none. */
static const char *take_text(struct input *in, uint64_t most)
{
    uint64_t length = take_number(in);
    in->ok = in->ok && length <= most && length < in->left;
    const char *text = in->ok ? take(in, (size_t)length + 8 - length % 8) : NULL;
    in->ok = text && strnlen(text, (size_t)length + 1) == length;
    return in->ok ? text : "";
}

/* The name of something that has a path: it leads nowhere else, and nothing in it is for a terminal. */
static const char *take_name(struct input *in)
{
    const char *name = take_text(in, NAME_MOST);
    in->ok = in->ok && *name && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
    for (const char *c = name; *c; c++)
        in->ok = in->ok && (unsigned char)*c > ' ' && *c != '/' && *c != 127;
    return name;
}

static void take_field(struct input *in, const struct field *field, char *base)
{
    char *at = base + field->offset;
    if (field->kind == FIELD_WORDS) {
        const char *text = take_text(in, field->most - 1);
        memcpy(at, text, strlen(text));
    } else if (field->kind == FIELD_TEXT) {
        *(char **)(void *)at = memory_text(take_text(in, RECORD_IMAGE_MOST));
    } else {
        uint64_t number = take_number(in);
        memcpy(at, &number, sizeof number);
    }
}

/* Each column takes 8 bytes at least: so many rows can be there, and no more are made room for. */
static bool take_table(struct input *in, const struct record_table *table, struct record *record, struct error *error)
{
    char *base = (char *)record;
    uint64_t rows = take_number(in);
    in->ok = in->ok && rows <= in->left / (8 * table->column_count) && (table->most == 0 || rows <= table->most);
    if (!in->ok)
        return true;
    char *to = base + table->rows;
    if (!table->held) {
        to = memory_alloc((size_t)rows, table->row_bytes, table->name, error);
        *(char **)(void *)(base + table->rows) = to;
        if (!to)
            return false;
    }
    size_t count = (size_t)rows;
    memcpy(base + table->count, &count, sizeof count);
    for (size_t i = 0; in->ok && i < count; i++)
        for (size_t c = 0; c < table->column_count; c++)
            take_field(in, &table->columns[c], to + i * table->row_bytes);
    return true;
}

/* Whether so many bytes from there on are in the file, behind the seal. */
static bool is_inside(uint64_t offset, uint64_t bytes, uint64_t file_bytes)
{
    return offset <= file_bytes && bytes <= file_bytes - offset;
}

static void take_arrays(struct input *in, uint64_t file_bytes, struct record_layout *layout)
{
    uint64_t count = take_number(in), arrays = take_number(in);
    in->ok = in->ok && count <= FLOATS_MOST && arrays <= STATE_ARRAYS && (arrays == 0) == (count == 0);
    layout->count = in->ok ? (size_t)count : 0;
    layout->array_count = in->ok ? (size_t)arrays : 0;
    for (size_t a = 0; a < layout->array_count; a++) {
        struct record_array *array = &layout->arrays[a];
        array->name = take_name(in);
        array->offset = take_number(in);
        array->digests = take_number(in);
        in->ok = in->ok && is_inside(array->offset, count * sizeof(float), file_bytes) &&
                 is_inside(array->digests, exchange_blocks(layout->count) * sizeof(uint64_t), file_bytes);
        for (size_t b = 0; b < a; b++)
            in->ok = in->ok && strcmp(layout->arrays[b].name, array->name) != 0;
    }
}

/* Its length. The image has `most` sizes of it. */
static uint64_t take_tensor(struct input *in, size_t most, size_t floats, struct state_tensor *tensor)
{
    uint64_t sizes[STATE_DIMS] = {0}, count = 1;
    tensor->name = take_name(in);
    uint64_t dims = take_number(in);
    for (size_t d = 0; d < most; d++)
        sizes[d] = take_number(in);
    uint64_t offset = take_number(in);
    in->ok = in->ok && dims >= 1 && dims <= STATE_DIMS;
    for (size_t d = 0; in->ok && d < STATE_DIMS; d++) {
        in->ok = d < dims ? sizes[d] > 0 && !__builtin_mul_overflow(count, sizes[d], &count) : sizes[d] == 0;
        tensor->shape[d] = (size_t)sizes[d];
    }
    in->ok = in->ok && is_inside(offset, count, floats);
    tensor->dims = in->ok ? (size_t)dims : 0;
    tensor->offset = in->ok ? (size_t)offset : 0;
    return count;
}

struct place {
    size_t offset, end;
    const char *name;
};

static int compare_offsets(const void *a, const void *b)
{
    size_t x = ((const struct place *)a)->offset, y = ((const struct place *)b)->offset;
    return (x > y) - (x < y);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const struct place *)a)->name, ((const struct place *)b)->name);
}

/* Whether there is nothing between tensors but what aligns them. */
static bool tile(struct place *places, size_t count, size_t floats)
{
    size_t end = 0;
    bool is_learned = true, ok = true;
    qsort(places, count, sizeof *places, compare_offsets);
    for (size_t t = 0; ok && t <= count; t++) {
        size_t next = t < count ? places[t].offset : floats, gap = next - end;
        if (next < end || gap >= (is_learned ? EXCHANGE_BLOCK : STATE_ALIGN))
            return false;
        if (gap >= STATE_ALIGN) {
            ok = t < count && next % EXCHANGE_BLOCK == 0;
            is_learned = false;
        }
        end = t < count ? places[t].end : end;
    }
    return ok;
}

static bool have_own_names(struct place *places, size_t count)
{
    qsort(places, count, sizeof *places, compare_names);
    for (size_t t = 1; t < count; t++)
        if (strcmp(places[t - 1].name, places[t].name) == 0)
            return false;
    return true;
}

static bool take_tensors(struct input *in, uint64_t version, struct record_layout *layout, struct error *error)
{
    uint64_t count = take_number(in);
    size_t most = version > RECORD_PLAIN ? STATE_DIMS : PLAIN_DIMS;
    in->ok = in->ok && count <= in->left / (8 * (4 + most)) && (layout->array_count > 0 || count == 0);
    if (!in->ok)
        return true;
    struct state_tensor *tensors = memory_alloc((size_t)count, sizeof *tensors, "its tensors", error);
    layout->tensors = layout->owned[1] = tensors;
    layout->tensor_count = tensors ? (size_t)count : 0;
    struct place *places = tensors ? memory_alloc((size_t)count, sizeof *places, "places of its tensors", error) : NULL;
    if (!places)
        return false;
    for (size_t t = 0; in->ok && t < layout->tensor_count; t++) {
        uint64_t length = take_tensor(in, most, layout->count, &tensors[t]);
        places[t] = (struct place){tensors[t].offset, tensors[t].offset + (size_t)length, tensors[t].name};
    }
    in->ok = in->ok &&
             (count == 0 || (tile(places, (size_t)count, layout->count) && have_own_names(places, (size_t)count)));
    memory_free(places);
    return true;
}

bool record_image_begins(const void *head, uint64_t *bytes)
{
    struct head own;
    memcpy(&own, head, sizeof own);
    *bytes = own.bytes;
    return memcmp(own.magic, magic, sizeof magic) == 0;
}

static bool check_version(uint64_t version, bool old, struct error *error)
{
    if (version > RECORD_VERSION)
        return error_set(error, ERROR_VERSION,
                         "format version %" PRIu64 ", but this lockstep (%s) reads versions 1 to %d", version,
                         LOCKSTEP_VERSION, RECORD_VERSION);
    return (old ? version >= 1 && version < RECORD_PLAIN : version >= RECORD_PLAIN) ||
           error_set(error, ERROR_CORRUPT, "its record cannot be of format version %" PRIu64, version);
}

bool record_image_parse(char *image, size_t bytes, bool old, uint64_t file_bytes, struct record *record,
                        struct record_layout *layout, bool *finished, struct error *error)
{
    struct head head = {.finished = 2};
    struct record_layout places = {.owned = {image}};
    struct input in = {.at = image, .left = bytes, .ok = true};
    const char *front = take(&in, sizeof head);
    *record = (struct record){0};
    if (front)
        memcpy(&head, front, sizeof head);
    in.ok = in.ok && memcmp(head.magic, magic, sizeof magic) == 0 && head.bytes == bytes && head.finished <= 1;
    bool ok = !in.ok || check_version(head.version, old, error);
    record->version = head.version;
    record->fingerprint = head.fingerprint;
    uint64_t known = old ? RECORD_VERSION : head.version; /* the image of an older file is of today's making */
    for (size_t i = 0; ok && i < record_field_count; i++)
        if (record_fields[i].since <= known)
            take_field(&in, &record_fields[i], (char *)record);
        else if (record_fields[i].kind == FIELD_TEXT)
            *(char **)(void *)((char *)record + record_fields[i].offset) = memory_text("");
    for (size_t t = 0; ok && t < RECORD_TABLES; t++)
        ok = take_table(&in, &record_tables[t], record, error);
    record->history.best_most = record->history.best_count;
    if (ok)
        take_arrays(&in, file_bytes, &places);
    ok = ok && take_tensors(&in, known, &places, error);
    if (ok && (!in.ok || in.left > 0 || (layout == NULL) != (places.array_count == 0)))
        ok = error_set(error, ERROR_CORRUPT, "its record is not one that lockstep writes");
    ok = ok && record_check(record, error);
    *finished = head.finished == 1;
    if (ok && layout)
        *layout = places;
    else
        record_layout_release(&places);
    if (!ok)
        record_release(record);
    return ok;
}
