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
    size_t misfits;       /* of these, whose shape is another one */
    struct text missing;  /* names of tensors that are not, one a line */
    struct text extra;    /* names in the file that the model does not know */
    struct text wrong;    /* "name: 3x4 in the file, 4x3 here" */
    struct text rows;     /* the same of tables that have more or fewer rows, and what of them is taken */
    struct text why;      /* why modules were not matched in their order; empty: they were, or their names say none */
    bool is_square;       /* no shape tells which of two layouts it is */
    uint64_t seed;        /* of the job: as there begins what the file has no rows for. The caller sets it */
};

#define MATCH_NONE ((size_t)-1)

/* Local. Compares names and shapes. `vocabulary`: the job's, NULL if its data is no text. ERROR_USAGE: the file has
 * another vocabulary, so that its rows mean other characters; nothing fits at all; or the model has no layout in the
 * file's format. Nothing stays after failure. */
bool match_init(struct match *match, const struct weights_file *file, const struct model *model, const char *vocabulary,
                struct error *error) WARN_UNUSED;

/* Local. Accepts a released match. */
void match_release(struct match *match);

/* Local. ERROR_USAGE that lists what is missing, extra, of a wrong shape or of another number of rows; with `partial`
 * only a wrong shape counts. */
bool match_check(const struct match *match, bool partial, struct error *error) WARN_UNUSED;

/* Local. Whether the file has this tensor of the model's table. */
bool match_has(const struct match *match, size_t tensor);

/* Local. A tensor that it has, in the model's layout [its count]. Of rows for tokens and positions those are taken that
 * both have, from the first on; the others begin as in a new job. ERROR_USAGE: there is a number in the file that is
 * not finite, or too large to be one of 32 bits. */
bool match_load(const struct match *match, size_t tensor, float *values, struct error *error) WARN_UNUSED;

#endif
