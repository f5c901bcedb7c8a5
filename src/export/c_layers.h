/* What each layer is in C: a call of one of the file's functions. */
#ifndef EXPORT_C_LAYERS_H
#define EXPORT_C_LAYERS_H

#include "base/text.h"
#include "export/c_functions.h"
#include "nn/layer.h"

/* A call that is being written. */
struct c_call {
    const struct layer *layer;
    const char *x, *y; /* expressions: where its input and its output are, */
    const char *skip;  /* and the other input, if it has one */
    struct text *out;
};

/* Neither function nor call: nothing is done, y is x. */
struct c_layer {
    const struct layer_class *class;
    const struct c_function *function; /* (count, x, y), for each value by itself; NULL: */
    /* Appends "name(arguments);" and a line break, and returns the function that it calls. */
    const struct c_function *(*call)(const struct c_call *call);
};

/* Local. NULL: not known. */
const struct c_layer *c_layer_of(const struct layer_class *class);

/* Local. Appends the call of a layer, which does something; returns the function. */
const struct c_function *c_layer_call(const struct c_layer *what, const struct c_call *call);

/* Local. Appends a number as a float of C: "0.5f". */
void c_number(struct text *out, double number);

#endif
