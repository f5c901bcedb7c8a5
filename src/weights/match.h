/* Which tensor of a file is which of a model. */
#ifndef WEIGHTS_MATCH_H
#define WEIGHTS_MATCH_H

#include "base/text.h"
#include "weights/layout.h"
#include "weights/weights.h"

struct match {
    const struct weights_file *file; /* borrowed, as the model */
    const struct model *model;
    struct layout layout; /* the one by whose names most was found */
    size_t *sources;      /* [layout.count] tensor of the file; MATCH_NONE: not there */
    size_t found;         /* tensors of the model that are in the file */
    struct text missing;  /* names of tensors that are not, one a line */
    struct text extra;    /* names in the file that the model does not know */
    struct text wrong;    /* "name: 3x4 in the file, 4x3 here" */
};

#define MATCH_NONE ((size_t)-1)

/* Local. Compares names and shapes. `vocabulary`: the job's, NULL if its data is no text. ERROR_USAGE: the file has
 * another vocabulary, so that its rows mean other characters; nothing fits at all; or the model has no layout in the
 * file's format. Nothing stays after failure. */
bool match_init(struct match *match, const struct weights_file *file, const struct model *model, const char *vocabulary,
                struct error *error) WARN_UNUSED;

/* Local. Accepts a released match. */
void match_release(struct match *match);

/* Local. ERROR_USAGE that lists what is missing, extra or of a wrong shape; with `partial` only the latter counts. */
bool match_check(const struct match *match, bool partial, struct error *error) WARN_UNUSED;

/* Local. Whether the file has this tensor of the model's table. */
bool match_has(const struct match *match, size_t tensor);

/* Local. A tensor that it has, in the model's layout [its count]. */
bool match_load(const struct match *match, size_t tensor, float *values, struct error *error) WARN_UNUSED;

#endif
