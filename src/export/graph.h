/* A model as a row of operations on values, for who writes it down in another language: what predicting needs, and
 * nothing of training. */
#ifndef EXPORT_GRAPH_H
#define EXPORT_GRAPH_H

#include "nn/model.h"

#define GRAPH_NONE ((size_t)-1)

/* An operation: value y of value x. */
struct graph_step {
    const struct layer *layer;
    size_t x, y;
    size_t skip; /* end of a residual connection: the value that is added; of a concat: that is appended; else
                    GRAPH_NONE */
};

/* Value 0 is the input, and each step makes the next one. */
struct graph {
    struct graph_step *steps; /* [count], in their order */
    size_t count;
    size_t output; /* the value of the last */
};

/* What was standardised in training: each column of a sample [outer, C, inner] by itself. */
struct export_standard {
    size_t outer, columns, inner; /* columns C; 0: nothing was */
    const float *mean, *scale;    /* [C] standardised is (x - mean) / scale */
};

/* What the numbers of x or y are called: names[i] is that of number i, or of class i, or of token i. */
struct export_names {
    const char *of; /* "inputs", "targets", "classes", ... */
    char *const *names;
    size_t count; /* 0: they have none */
};

/* What is written down. */
struct export_request {
    const struct model *model;
    const float *params;                    /* arena of the model's table */
    struct export_standard inputs, targets; /* the file takes inputs, and gives targets, as they are in the data */
    bool softmax;                           /* probabilities instead of the model's outputs: probabilities.h */
    const struct export_names *names;       /* [name_lists] of what has names */
    size_t name_lists;
    const char *name;   /* of the model, for people; and of what may have a name */
    const char *origin; /* for people: "step 1750 of digits, fingerprint ..." */
};

/* Local. Operations that do nothing in a prediction (dropout, where a residual connection begins) are left out. */
void graph_init(struct graph *graph, const struct model *model);

/* Local. Accepts a released graph. */
void graph_release(struct graph *graph);

#endif
