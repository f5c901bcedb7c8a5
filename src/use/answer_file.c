#include "use/answer_file.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/say.h"
#include "h5/h5_pieces.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define BUFFER_BYTES ((size_t)1 << 20)
#define NPY_BLOCK    64 /* the head of an array ends at a multiple of it */

struct answer_format {
    const char *suffix;
    bool (*begin)(struct answer_file *file, struct error *error);
    void (*append)(struct answer_file *file, const float *answer); /* one sample's [width] */
    bool is_table;
};

/* ---- tables ---- */

/* A field, in quotes where it needs them (RFC 4180). */
static void append_field(struct text *row, const char *field)
{
    if (strcspn(field, ",\"\r\n") == strlen(field) && *field) {
        text_append(row, "%s", field);
        return;
    }
    text_append(row, "\"");
    for (; *field; field++)
        text_append(row, *field == '"' ? "\"\"" : "%c", *field);
    text_append(row, "\"");
}

static void append_class(struct answer_file *file, size_t class)
{
    const struct categories *names = description_classes(file->about);
    if (names && class < names->count)
        append_field(&file->buffer, names->names[class]);
    else
        text_append(&file->buffer, "%" PRIu64, class + file->about->label_offset);
}

/* Whether a sample's answer is one class, whose name is told. */
static bool names_class(const struct answer_file *file)
{
    return file->form.kind == PREDICT_PROBABILITIES ||
           (file->form.kind == PREDICT_CHANCE && file->about->form.classes > 0);
}

static size_t told(const struct answer_file *file)
{
    size_t most = file->options.top > 0 ? file->options.top : 1;
    return most < file->form.classes ? most : file->form.classes;
}

static void append_sample(struct answer_file *file)
{
    char *name = dataset_name_of(file->input, file->sample);
    if (name)
        append_field(&file->buffer, name);
    text_append(&file->buffer, ",");
    memory_free(name);
}

static bool begin_table(struct answer_file *file, struct error *error)
{
    (void)error;
    struct text *row = &file->buffer;
    text_append(row, file->options.names_samples ? "file," : "");
    if (!names_class(file)) {
        for (size_t t = 0; t < file->form.terms; t++) {
            text_append(row, t > 0 ? "," : "");
            if (file->about->target_count > 0)
                append_field(row, file->about->targets[t].name);
            else
                text_append(row, file->form.terms == 1 ? "y" : "y%zu", t);
        }
    } else if (told(file) == 1) {
        text_append(row, "class,probability");
    } else {
        for (size_t i = 1; i <= told(file); i++)
            text_append(row, "%sclass%zu,probability%zu", i > 1 ? "," : "", i, i);
    }
    text_append(row, "\n");
    return true;
}

/* The most probable class that is less so than `last` [class, or the count of them: none], or as probable and behind.
 */
static size_t next_class(const float *p, size_t classes, size_t last)
{
    size_t found = classes;
    for (size_t k = 0; k < classes; k++) {
        bool is_left = last == classes || p[k] < p[last] || (p[k] == p[last] && k > last);
        if (is_left && (found == classes || p[k] > p[found]))
            found = k;
    }
    return found;
}

static void append_row(struct answer_file *file, const float *answer)
{
    struct text *row = &file->buffer;
    size_t classes = file->form.classes, last = classes;
    const float two[] = {1 - answer[0], answer[0]};
    const float *p = file->form.kind == PREDICT_CHANCE ? two : answer;
    if (file->options.names_samples)
        append_sample(file);
    for (size_t t = 0; !names_class(file) && t < file->form.terms; t++)
        text_append(row, "%s%.9g", t > 0 ? "," : "", (double)answer[t]);
    for (size_t i = 0; names_class(file) && i < told(file); i++) {
        size_t class = next_class(p, classes, last);
        text_append(row, i > 0 ? "," : "");
        if (class < classes) {
            append_class(file, class);
            text_append(row, ",%.9g", (double)p[class]);
            last = class;
        } else {
            text_append(row, ","); /* of NaN none is the most probable one */
        }
    }
    text_append(row, "\n");
}

/* ---- arrays ---- */

#define DIMS_MOST (1 + SHAPE_DIMS)

/* The shape; returns its dimensions. */
static size_t measure(const struct answer_file *file, size_t size[DIMS_MOST])
{
    const struct shape *shape = &file->form.shape;
    size[0] = file->options.samples;
    memcpy(size + 1, shape->size, shape->dims * sizeof *size);
    return 1 + shape->dims;
}

static bool begin_array(struct answer_file *file, struct error *error)
{
    struct text head;
    size_t size[DIMS_MOST], dims = measure(file, size);
    (void)error;
    text_init(&head);
    text_append(&head, "{'descr': '%s', 'fortran_order': False, 'shape': (",
                file->form.kind == PREDICT_CLASSES ? "<i4" : "<f4");
    for (size_t d = 0; d < dims; d++)
        text_append(&head, "%s%zu,", d > 0 ? " " : "", size[d]);
    text_append(&head, "), }");
    while ((10 + head.length + 1) % NPY_BLOCK != 0)
        text_append(&head, " ");
    text_append(&head, "\n");
    const char front[] = {'\223', 'N', 'U', 'M', 'P', 'Y', 1, 0, (char)(head.length & 0xFF), (char)(head.length >> 8)};
    text_append_bytes(&file->buffer, front, sizeof front);
    text_append_bytes(&file->buffer, head.bytes, head.length);
    text_release(&head);
    return true;
}

/* The numbers lie in one piece: they are written there as into any other file. */
static bool begin_hdf5(struct answer_file *file, struct error *error)
{
    struct h5_piece floats = {.name = "answers",
                              .type = file->form.kind == PREDICT_CLASSES ? H5_PIECE_INT32 : H5_PIECE_FLOAT32};
    const struct description *about = file->about;
    const struct categories *classes = file->form.classes > 0 ? description_classes(about) : NULL;
    const size_t columns = classes ? 0 : about->target_count;
    const char **names = memory_need(columns + 1, sizeof *names);
    floats.dims = measure(file, floats.size);
    for (size_t i = 0; i < columns; i++)
        names[i] = about->targets[i].name;
    if (classes || columns > 0) {
        floats.attribute = classes ? "classes" : "targets";
        floats.texts = classes ? (const char *const *)classes->names : names;
        floats.text_count = classes ? classes->count : columns;
    }
    bool ok = h5_pieces_write(file->hidden.descriptor, file->hidden.path, &floats, 1, &file->written, error);
    memory_free(names);
    return ok;
}

/* Classes as whole numbers, as labels are in the data. */
static void append_classes(struct answer_file *file, const float *answer)
{
    for (size_t i = 0; i < file->form.width; i++) {
        int32_t label = (int32_t)((uint64_t)answer[i] + file->about->label_offset);
        text_append_bytes(&file->buffer, (const char *)&label, sizeof label);
    }
}

static void append_numbers(struct answer_file *file, const float *answer)
{
    if (file->form.kind == PREDICT_CLASSES) {
        append_classes(file, answer);
        return;
    }
    text_append_bytes(&file->buffer, (const char *)answer, file->form.width * sizeof *answer);
}

static const struct answer_format formats[] = {
    {".csv", begin_table, append_row, true},
    {".npy", begin_array, append_numbers, false},
    {".h5", begin_hdf5, append_numbers, false},
};
#define FORMATS (sizeof formats / sizeof *formats)

/* ---- files ---- */

/* That of the path's name; NULL: there is none. */
static const struct answer_format *find_format(const char *path)
{
    for (size_t f = 0; path && f < FORMATS; f++) {
        size_t length = strlen(path), suffix = strlen(formats[f].suffix);
        if (length > suffix && strcmp(path + length - suffix, formats[f].suffix) == 0)
            return &formats[f];
    }
    return path ? NULL : &formats[0];
}

bool answer_file_flows(const struct answer_file_options *options)
{
    const struct answer_format *format = find_format(options->path);
    return format && format->is_table;
}

bool answer_file_check(const struct answer_file_options *options, const struct predict_form *form, struct error *error)
{
    const struct answer_format *format = find_format(options->path);
    if (!format)
        return error_set(error, ERROR_USAGE, "%s: the name of the output ends with .csv, .npy or .h5", options->path);
    if (format->is_table && form->terms > 1 && (form->kind == PREDICT_PROBABILITIES || form->kind == PREDICT_CLASSES))
        return error_set(error, ERROR_USAGE,
                         "a sample has %zu labels: a table has no place for that; choose an output that ends with .npy "
                         "or .h5",
                         form->terms);
    if (options->top > 0 && (!format->is_table || form->classes == 0))
        return error_set(error, ERROR_USAGE, "--top is for tables of classes: %s",
                         format->is_table ? "this model answers with numbers" : "an array has all of them");
    return true;
}

bool answer_file_flush(struct answer_file *file, struct error *error)
{
    const char *bytes = text_bytes(&file->buffer);
    bool ok = true;
    if (!file->options.path) {
        for (; *bytes; bytes += strcspn(bytes, "\n") + 1)
            say("%.*s\n", (int)strcspn(bytes, "\n"), bytes);
        ok = fflush(stdout) == 0 || error_errno(error, "cannot write standard output");
    } else {
        ok = file_write_at(file->hidden.descriptor, bytes, file->buffer.length, file->written) ||
             error_errno(error, "cannot write %s", file->options.path);
    }
    file->written += file->buffer.length;
    text_release(&file->buffer);
    return ok;
}

bool answer_file_begin(struct answer_file *file, const struct answer_file_options *options,
                       const struct predict_form *form, const struct description *about, struct error *error)
{
    *file = (struct answer_file){.format = find_format(options->path),
                                 .form = *form,
                                 .about = about,
                                 .options = *options,
                                 .hidden.descriptor = -1};
    text_init(&file->buffer);
    uint64_t token;
    bool ok = !options->path || hidden_file_make(&file->hidden, options->path, &token, error);
    if (ok && file->format->begin(file, error))
        return true;
    answer_file_release(file);
    return false;
}

void answer_file_input(struct answer_file *file, const struct dataset *input)
{
    file->input = input;
    file->sample = 0;
}

bool answer_file_take(void *context, size_t n, const float *answers, struct error *error)
{
    struct answer_file *file = context;
    for (size_t i = 0; i < n; i++) {
        file->format->append(file, answers + i * file->form.width);
        file->sample++;
        file->answered++;
        if (file->buffer.length >= BUFFER_BYTES && !answer_file_flush(file, error))
            return false;
    }
    return true;
}

bool answer_file_commit(struct answer_file *file, struct error *error)
{
    const char *path = file->options.path;
    return answer_file_flush(file, error) && (!path || hidden_file_publish(&file->hidden, path, error));
}

void answer_file_release(struct answer_file *file)
{
    hidden_file_release(&file->hidden, true);
    text_release(&file->buffer);
    *file = (struct answer_file){.hidden.descriptor = -1};
}
