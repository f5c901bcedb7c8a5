#include "data/array_labels.h"

#include "base/leaf.h"
#include "data/array_numbers.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define VOID 255 /* what often stands for no class, and is counted as the largest where nobody has said so */

static bool is_ignored(const struct array_labels *labels, int64_t label)
{
    return labels->ignores && label == labels->ignored;
}

/* Whether a label, as it is stored, is one of the classes, or ignored. */
static bool has_class(const struct array_labels *labels, int64_t label)
{
    return is_ignored(labels, label) ||
           (label >= labels->offset && (uint64_t)(label - labels->offset) < labels->classes);
}

/* "sample 3", or "sample 3, label 17" where there are several, for messages. */
static void label_place(const struct array_rows *rows, size_t element, char place[64])
{
    size_t width = rows->array->width;
    int used = snprintf(place, 64, "sample %zu", rows->first + element / width);
    if (width > 1)
        snprintf(place + used, 64 - (size_t)used, ", place %zu", element % width);
}

static bool refuse_large(const struct array_rows *rows, size_t element, int64_t label, struct error *error)
{
    char place[64];
    label_place(rows, element, place);
    return error_set(error, ERROR_USAGE,
                     "%s: %s (counted from 0) has label %" PRId64
                     ": labels are below %d, once label_offset is subtracted; for targets of a regression store floats",
                     rows->array->name, place, label, ARRAY_CLASSES_MOST);
}

/* The end of a long path tells more than its beginning. */
static void note_largest(const struct array_rows *rows, size_t element, int64_t label, char hint[LEAF_HINT])
{
    char place[64];
    const char *name = rows->array->name;
    size_t length = strlen(name), most = LEAF_HINT - 120;
    label_place(rows, element, place);
    snprintf(hint, LEAF_HINT, "label %" PRId64 " is first at %s (counted from 0) of %s%s", label, place,
             length > most ? "..." : "", length > most ? name + length - most : name);
}

bool array_labels_count(struct array_labels *labels, const struct array *y, struct array_labels_odd *odd,
                        char hint[LEAF_HINT], struct error *error)
{
    struct array_rows rows;
    *hint = 0;
    bool begins = is_ignored(labels, labels->offset); /* the first class occurs */
    int64_t largest = INT64_MIN;                      /* but for VOID */
    labels->classes = 2;
    for (size_t at = 0; at < y->size[0]; at += rows.count) {
        if (!array_rows(y, at, y->size[0] - at, &rows, error))
            return false;
        for (size_t i = 0; i < rows.count * y->width; i++) {
            int64_t label = array_integer(&rows, i);
            if (is_ignored(labels, label))
                continue;
            if (label >= ARRAY_CLASSES_MOST + labels->offset)
                return refuse_large(&rows, i, label, error);
            if (label >= (int64_t)labels->classes + labels->offset) {
                labels->classes = (size_t)(label - labels->offset) + 1;
                note_largest(&rows, i, label, hint);
            }
            begins = begins || label <= labels->offset;
            largest = label > largest && label != VOID ? label : largest;
        }
    }
    bool has_void = labels->classes > 2 && (int64_t)labels->classes + labels->offset == VOID + 1;
    *odd = (struct array_labels_odd){!begins, has_void && largest < VOID - 1, largest};
    return true;
}

/* What stands for no class: in labels of pixels, in PyTorch, elsewhere. */
static bool is_usually_ignored(int64_t label)
{
    return label == VOID || label == -100 || label == -1;
}

static bool refuse_label(const struct array_labels *labels, const struct array_rows *rows, size_t element,
                         int64_t label, struct error *error)
{
    const char *name = rows->array->name;
    size_t classes = labels->classes;
    char place[64], offset[80] = "", hint[80] = "";
    label_place(rows, element, place);
    if (labels->offset)
        snprintf(offset, sizeof offset, ", from which label_offset %" PRId64 " is subtracted", labels->offset);
    if (is_usually_ignored(label) && !labels->ignores)
        snprintf(hint, sizeof hint, "; ignore_label: %" PRId64 " is for one that stands for none", label);
    else if (labels->is_given && label >= labels->offset && labels->offset == 0)
        snprintf(hint, sizeof hint, "; label_offset is for labels that begin at 1");
    if (label < labels->offset)
        return error_set(error, ERROR_USAGE, "%s: %s (counted from 0) has label %" PRId64 "%s: classes count from 0%s",
                         name, place, label, offset, hint);
    if (labels->is_given)
        return error_set(error, ERROR_USAGE,
                         "%s: %s (counted from 0) has label %" PRId64 "%s, but classes is %zu: 0 to %zu%s", name, place,
                         label, offset, classes, classes - 1, hint);
    return error_set(error, ERROR_USAGE,
                     "%s: %s (counted from 0) has label %" PRId64
                     "%s, but the training data has only %zu classes, 0 to %zu%s",
                     name, place, label, offset, classes, classes - 1, hint);
}

/* Whether numbers that are missing are labels that stand for no class. */
static bool ignores_missing(const struct array_labels *labels, const struct array *array)
{
    bool all = labels->ignores;
    for (size_t i = 0; i < array->missing_count; i++)
        all = all && !(array->missing[i] < (double)labels->ignored) && !(array->missing[i] > (double)labels->ignored);
    return all;
}

bool array_labels_check(const struct array_labels *labels, const struct array_rows *rows, struct error *error)
{
    if (!ignores_missing(labels, rows->array) && !array_check_missing(rows, error))
        return false;
    for (size_t i = 0; i < rows->count * rows->array->width; i++) {
        int64_t label = array_integer(rows, i);
        if (!has_class(labels, label))
            return refuse_label(labels, rows, i, label, error);
    }
    return true;
}

size_t array_labels_read(const struct array_labels *labels, const struct array_rows *rows, int32_t *to)
{
    size_t width = rows->array->width;
    for (size_t t = 0; t < width; t++) {
        int64_t label = array_integer(rows, t);
        if (!has_class(labels, label))
            return t;
        to[t] = is_ignored(labels, label) ? LEAF_IGNORED : (int32_t)(label - labels->offset);
    }
    return width;
}
