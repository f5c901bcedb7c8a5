/* A model as one file of C99 that needs nothing but libm: weights as arrays, a function that predicts, and what inputs,
 * targets, classes or characters are called, where they have names. */
#ifndef EXPORT_C_SOURCE_H
#define EXPORT_C_SOURCE_H

#include "base/text.h"
#include "export/graph.h"

/* Local. Appends the file. ERROR_USAGE names a layer of which nobody has said what it is in C, or says that the loss
 * knows no probabilities. */
bool c_source(const struct export_request *request, struct text *file, struct error *error) WARN_UNUSED;

#endif
