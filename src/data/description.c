#include "data/description.h"

#include "base/memory.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NAMED_MOST  10000000 /* columns that a description may have */
#define NUMBER_MOST ((json_int_t)1 << 40)

static void copy_columns(struct column **to, size_t *count, const struct column *from, size_t from_count)
{
    *to = from_count > 0 ? memory_need(from_count, sizeof **to) : NULL;
    *count = from_count;
    for (size_t i = 0; i < from_count; i++) {
        (*to)[i] = (struct column){.name = memory_text(from[i].name), .is_category = from[i].is_category};
        categories_copy(&(*to)[i].values, &from[i].values);
    }
}

static void release_columns(struct column *columns, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        memory_free(columns[i].name);
        categories_release(&columns[i].values);
    }
    memory_free(columns);
}

void description_copy(struct description *description, const struct description *from)
{
    *description = (struct description){.form = from->form,
                                        .mean = from->mean,
                                        .std = from->std,
                                        .label_offset = from->label_offset,
                                        .chunks = from->chunks};
    description->format = memory_text(from->format);
    if (from->vocabulary)
        description->vocabulary = memory_text(from->vocabulary);
    if (from->tokenizer)
        description->tokenizer = memory_text(from->tokenizer);
    description_name(description, from->inputs, from->input_count, from->targets, from->target_count);
    description_count(description, from->class_counts);
    standard_copy(&description->input_standard, &from->input_standard);
    standard_copy(&description->target_standard, &from->target_standard);
}

void description_count(struct description *description, const uint64_t *counts)
{
    size_t classes = description->form.classes;
    memory_free(description->class_counts);
    description->class_counts = counts ? memory_need(classes, sizeof *counts) : NULL;
    if (counts)
        memcpy(description->class_counts, counts, classes * sizeof *counts);
}

void description_release(struct description *description)
{
    memory_free(description->format);
    memory_free(description->vocabulary);
    memory_free(description->tokenizer);
    release_columns(description->inputs, description->input_count);
    release_columns(description->targets, description->target_count);
    memory_free(description->class_counts);
    standard_release(&description->input_standard);
    standard_release(&description->target_standard);
    *description = (struct description){0};
}

void description_name(struct description *description, const struct column *inputs, size_t input_count,
                      const struct column *targets, size_t target_count)
{
    copy_columns(&description->inputs, &description->input_count, inputs, input_count);
    copy_columns(&description->targets, &description->target_count, targets, target_count);
}

void description_standardise(struct description *description, const struct description *from)
{
    standard_release(&description->input_standard);
    standard_release(&description->target_standard);
    standard_copy(&description->input_standard, &from->input_standard);
    standard_copy(&description->target_standard, &from->target_standard);
}

bool description_is_standardised(const struct description *description, enum standardise_kind kind)
{
    return (description->input_standard.columns > 0) == standardise_has_inputs(kind) &&
           (description->target_standard.columns > 0) == standardise_has_targets(kind);
}

const struct categories *description_classes(const struct description *description)
{
    bool named = description->form.classes > 0 && description->target_count == 1 && description->targets[0].is_category;
    return named ? &description->targets[0].values : NULL;
}

/* ---- written ---- */

static void write_columns(const char *key, const struct column *columns, size_t count, struct text *json)
{
    text_append(json, ",\"%s\":[", key);
    for (size_t i = 0; i < count; i++) {
        text_append(json, i > 0 ? ",{\"name\":" : "{\"name\":");
        text_append_json(json, columns[i].name);
        for (size_t v = 0; columns[i].is_category && v < columns[i].values.count; v++) {
            text_append(json, v > 0 ? "," : ",\"values\":[");
            text_append_json(json, columns[i].values.names[v]);
        }
        text_append(json, !columns[i].is_category ? "}" : columns[i].values.count > 0 ? "]}" : ",\"values\":[]}");
    }
    text_append(json, "]");
}

/* %.9g gives each float back. */
static void write_floats(const char *kind, const char *what, const float *values, size_t count, struct text *json)
{
    text_append(json, ",\"%s_%s\":[", kind, what);
    for (size_t i = 0; i < count; i++)
        text_append(json, i > 0 ? ",%.9g" : "%.9g", (double)values[i]);
    text_append(json, "]");
}

static void write_counts(const uint64_t *counts, size_t classes, struct text *json)
{
    text_append(json, ",\"class_counts\":[");
    for (size_t c = 0; c < classes; c++)
        text_append(json, c > 0 ? ",%llu" : "%llu", (unsigned long long)counts[c]);
    text_append(json, "]");
}

static void write_standard(const char *kind, const struct standard *standard, struct text *json)
{
    if (standard->columns == 0)
        return;
    write_floats(kind, "mean", standard->mean, standard->columns, json);
    write_floats(kind, "scale", standard->scale, standard->columns, json);
}

void description_write(const struct description *description, struct text *json)
{
    const struct leaf_form *form = &description->form;
    text_append(json, "{\"format\":");
    text_append_json(json, description->format);
    text_append(json, ",\"input\":[");
    for (size_t d = 0; d < form->input.dims; d++)
        text_append(json, d > 0 ? ",%zu" : "%zu", form->input.size[d]);
    text_append(json, "]");
    for (size_t d = 0; d < form->target.dims; d++)
        text_append(json, "%s%zu%s", d > 0 ? "," : ",\"target\":[", form->target.size[d],
                    d + 1 == form->target.dims ? "]" : "");
    text_append(json, ",\"vocabulary\":%zu,\"classes\":%zu,\"terms\":%zu,\"label_offset\":%llu", form->vocabulary,
                form->classes, form->terms, (unsigned long long)description->label_offset);
    text_append(json, ",\"mean\":%.17g,\"std\":%.17g", description->mean, description->std);
    text_append(json, ",\"least\":%.9g,\"most\":%.9g", (double)form->least, (double)form->most);
    if (description->chunks)
        text_append(json, ",\"chunks\":\"%016" PRIx64 "\"", description->chunks);
    write_columns("inputs", description->inputs, description->input_count, json);
    write_columns("targets", description->targets, description->target_count, json);
    write_standard("input", &description->input_standard, json);
    write_standard("target", &description->target_standard, json);
    if (description->class_counts)
        write_counts(description->class_counts, form->classes, json);
    if (description->tokenizer) /* is JSON */
        text_append(json, ",\"tokenizer\":%s", description->tokenizer);
    text_append(json, "}");
}

/* ---- read ---- */

static bool read_number(const json_t *object, const char *key, size_t *number)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_integer(value) || json_integer_value(value) < 0 || json_integer_value(value) > NUMBER_MOST)
        return false;
    *number = (size_t)json_integer_value(value);
    return true;
}

static bool read_float(const json_t *object, const char *key, float *number)
{
    const json_t *value = json_object_get(object, key);
    *number = (float)json_number_value(value);
    return json_is_number(value) && isfinite(*number);
}

static bool read_shape(const json_t *sizes, struct shape *shape)
{
    size_t count = 1;
    shape->dims = json_array_size(sizes);
    if (shape->dims == 0 || shape->dims > sizeof shape->size / sizeof *shape->size)
        return false;
    for (size_t d = 0; d < shape->dims; d++) {
        json_int_t size = json_integer_value(json_array_get(sizes, d));
        if (size < 1 || size > NUMBER_MOST || __builtin_mul_overflow(count, (size_t)size, &count))
            return false;
        shape->size[d] = (size_t)size;
    }
    return count <= (size_t)NUMBER_MOST;
}

/* What was sorted when it was written has to be sorted still: it is searched. */
static bool read_values(const json_t *names, struct categories *values)
{
    size_t count = json_array_size(names);
    if (!json_is_array(names) || count > CATEGORIES_MOST)
        return false;
    for (size_t v = 0; v < count; v++) {
        const char *name = json_string_value(json_array_get(names, v));
        if (!name || (v > 0 && strcmp(values->names[v - 1], name) >= 0) || !categories_add(values, name, strlen(name)))
            return false;
    }
    return true;
}

static bool read_columns(const json_t *list, struct column **columns, size_t *count)
{
    size_t there = json_array_size(list);
    if (!json_is_array(list) || there > NAMED_MOST)
        return false;
    *columns = there > 0 ? memory_need(there, sizeof **columns) : NULL;
    for (size_t i = 0; i < there; i++) {
        const json_t *item = json_array_get(list, i), *values = json_object_get(item, "values");
        const char *name = json_string_value(json_object_get(item, "name"));
        if (!name)
            return false;
        (*columns)[i] = (struct column){.name = memory_text(name), .is_category = values != NULL};
        *count = i + 1;
        if (values && !read_values(values, &(*columns)[i].values))
            return false;
    }
    return true;
}

/* Neither list is there, or both are, of all columns. */
static bool read_standard(const json_t *root, const char *mean_key, const char *scale_key, size_t columns,
                          struct standard *standard)
{
    const json_t *means = json_object_get(root, mean_key), *scales = json_object_get(root, scale_key);
    if (!means && !scales)
        return true;
    if (json_array_size(means) != columns || json_array_size(scales) != columns)
        return false;
    standard_init(standard, columns);
    for (size_t c = 0; c < columns; c++) {
        const json_t *mean = json_array_get(means, c), *scale = json_array_get(scales, c);
        if (!json_is_number(mean) || !json_is_number(scale) ||
            !standard_set(standard, c, (float)json_number_value(mean), (float)json_number_value(scale)))
            return false;
    }
    return true;
}

/* Tokens and labels have none. */
static bool read_standards(struct description *description, const json_t *root)
{
    const struct leaf_form *form = &description->form;
    size_t inputs = form->vocabulary > 0 ? 0 : standard_columns(&form->input);
    size_t targets = form->classes > 0 ? 0 : form->terms;
    return read_standard(root, "input_mean", "input_scale", inputs, &description->input_standard) &&
           read_standard(root, "target_mean", "target_scale", targets, &description->target_standard);
}

/* Nobody has counted, or all classes. */
static bool read_counts(struct description *description, const json_t *counts)
{
    size_t classes = description->form.classes;
    if (!counts)
        return true;
    if (classes == 0 || json_array_size(counts) != classes)
        return false;
    description->class_counts = memory_need(classes, sizeof *description->class_counts);
    for (size_t c = 0; c < classes; c++) {
        const json_t *count = json_array_get(counts, c);
        if (!json_is_integer(count) || json_integer_value(count) < 0 || json_integer_value(count) > NUMBER_MOST)
            return false;
        description->class_counts[c] = (uint64_t)json_integer_value(count);
    }
    return true;
}

/* Whether the names are as many as what they name. */
static bool names_fit(const struct description *description)
{
    const struct leaf_form *form = &description->form;
    const struct categories *classes = description_classes(description);
    size_t width = 0;
    for (size_t i = 0; i < description->input_count; i++)
        width += description->inputs[i].is_category ? description->inputs[i].values.count : 1;
    return (description->input_count == 0 || width == shape_count(&form->input)) &&
           (description->target_count == 0 || description->target_count == form->terms) &&
           (!classes || classes->count <= form->classes);
}

/* As it was written, where it was. */
static bool read_tokenizer(const json_t *tokenizer, char **content)
{
    *content = tokenizer ? json_dumps(tokenizer, JSON_COMPACT) : NULL;
    return !tokenizer || (json_is_object(tokenizer) && *content);
}

/* A digest, in sixteen digits; or it is not there. */
static bool read_digest(const json_t *object, const char *key, uint64_t *digest)
{
    const json_t *value = json_object_get(object, key);
    const char *digits = json_string_value(value);
    *digest = 0;
    if (!value)
        return true;
    if (!digits || strlen(digits) != 16 || strspn(digits, "0123456789abcdef") != 16)
        return false;
    *digest = strtoull(digits, NULL, 16);
    return true;
}

/* If it is there, it is of as many as there are. */
static bool read_target(const json_t *root, struct leaf_form *form)
{
    const json_t *sizes = json_object_get(root, "target");
    return !sizes || (read_shape(sizes, &form->target) && shape_count(&form->target) == form->terms);
}

static bool read_all(struct description *description, const json_t *root)
{
    struct leaf_form *form = &description->form;
    const char *format = json_string_value(json_object_get(root, "format"));
    size_t label_offset;
    bool ok = format && read_shape(json_object_get(root, "input"), &form->input) &&
              read_number(root, "vocabulary", &form->vocabulary) && read_number(root, "classes", &form->classes) &&
              read_number(root, "terms", &form->terms) && form->terms > 0 && read_target(root, form) &&
              read_number(root, "label_offset", &label_offset) && read_float(root, "least", &form->least) &&
              read_float(root, "most", &form->most) &&
              read_columns(json_object_get(root, "inputs"), &description->inputs, &description->input_count) &&
              read_columns(json_object_get(root, "targets"), &description->targets, &description->target_count) &&
              read_digest(root, "chunks", &description->chunks) &&
              read_tokenizer(json_object_get(root, "tokenizer"), &description->tokenizer);
    if (!ok || !names_fit(description) || !read_standards(description, root) ||
        !read_counts(description, json_object_get(root, "class_counts")))
        return false;
    description->format = memory_text(format);
    description->label_offset = label_offset;
    description->mean = json_number_value(json_object_get(root, "mean"));
    description->std = json_number_value(json_object_get(root, "std"));
    return isfinite(description->mean) && isfinite(description->std) && description->std >= 0;
}

bool description_read(struct description *description, const char *json, struct error *error)
{
    *description = (struct description){0};
    json_t *root = json_loads(json, JSON_REJECT_DUPLICATES, NULL);
    bool ok = json_is_object(root) && read_all(description, root);
    json_decref(root);
    if (ok)
        return true;
    description_release(description);
    return error_set(error, ERROR_CORRUPT, "what it says of its training data cannot be meant");
}

/* What makes a token mean something: the tokenizer; "": the characters of a text; NULL: not known, or no tokens. */
static const char *meaning_of(const struct description *description)
{
    if (description->tokenizer || description->form.vocabulary == 0)
        return description->tokenizer;
    return strcmp(description->format, "text") == 0 ? "" : NULL;
}

bool description_has_same_tokens(const struct description *description, const char *json, struct error *error)
{
    struct description other;
    bool ok = true;
    const char *here = meaning_of(description);
    if (!json || !*json || !here)
        return true;
    if (!description_read(&other, json, error))
        return false;
    const char *there = meaning_of(&other);
    if (there && strcmp(there, here) != 0)
        ok = error_set(error, ERROR_USAGE, "%s",
                       !*there  ? "its tokens are characters, those here of a tokenizer"
                       : !*here ? "its tokens are of a tokenizer, those here are characters"
                                : "its tokens are of another tokenizer than those here");
    description_release(&other);
    return ok;
}

bool description_has_same_chunks(const struct description *description, const char *json, struct error *error)
{
    struct description other;
    if (!json || !*json || description->chunks == 0)
        return true;
    if (!description_read(&other, json, error))
        return false;
    bool ok = other.chunks == 0 || other.chunks == description->chunks;
    description_release(&other);
    return ok || error_set(error, ERROR_USAGE,
                           "stored in other chunks, to which the order of shuffle: chunks keeps: store them as they "
                           "were");
}
