/* What the numbers of a model are called, as far as its training data tells. */
#ifndef DATA_LABELS_H
#define DATA_LABELS_H

#include "data/description.h"

enum label_kind {
    LABELS_INPUTS,     /* of each number of a flat x; of a column of categories, "colour=red" for each of its values */
    LABELS_TARGETS,    /* of each number of y, in a regression */
    LABELS_CLASSES,    /* of each class, in their order */
    LABELS_CHARACTERS, /* of each token, where tokens are characters */
    LABEL_KINDS,
};

extern const char *const label_words[LABEL_KINDS]; /* "inputs", ... */

struct labels {
    char **names;    /* [count] UTF-8; owned */
    size_t count;    /* 0: these have no names */
    size_t capacity; /* private */
};

/* Local. Accepts about NULL: nothing has a name. Release accepts released ones. */
void labels_init(struct labels *labels, const struct description *about, enum label_kind kind);
void labels_release(struct labels *labels);

#endif
