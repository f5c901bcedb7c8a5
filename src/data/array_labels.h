/* Labels as an array of integers has them. */
#ifndef DATA_ARRAY_LABELS_H
#define DATA_ARRAY_LABELS_H

#include "base/leaf.h"
#include "data/array.h"

#define ARRAY_CLASSES_MOST 1000000 /* a larger integer is no label */

struct array_labels {
    int64_t offset; /* that of the first class, as it is stored */
    size_t classes; /* K; labels are offset to offset + K - 1 */
    bool is_given;  /* somebody has said how many classes there are; else other data have */
    bool ignores;   /* labels that are `ignored`, as they are stored */
    int64_t ignored;
};

/* What is odd in the labels that were counted. */
struct array_labels_odd {
    bool lacks_first;    /* no label is the first class */
    bool is_void;        /* the largest is 255, ... */
    int64_t before_void; /* ... and the largest of the others, which is below 254 */
};

/* Local. Sets classes to 1 + the largest label of all of y, at least 2. hint: where the largest comes first, for
 * messages; "": there are two classes. */
bool array_labels_count(struct array_labels *labels, const struct array *y, struct array_labels_odd *odd,
                        char hint[LEAF_HINT], struct error *error) WARN_UNUSED;

/* Local. Whether all of these rows are classes, or ignored. ERROR_USAGE, or ERROR_CORRUPT for one that is missing,
 * names the place. */
bool array_labels_check(const struct array_labels *labels, const struct array_rows *rows,
                        struct error *error) WARN_UNUSED;

/* Local. The labels of the first of these rows, counted from 0, or LEAF_IGNORED. Returns the place of one that is none;
 * the width: all are. */
size_t array_labels_read(const struct array_labels *labels, const struct array_rows *rows, int32_t *to);

#endif
