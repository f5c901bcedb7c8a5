/* The program of PyTorch that makes a model of exported weights. */
#ifndef WEIGHTS_TORCH_PROGRAM_H
#define WEIGHTS_TORCH_PROGRAM_H

#include "base/text.h"
#include "nn/model.h"

/* Local. Appends the modules that make probabilities of the model's outputs, as its loss does: softmax over the classes
 * of each term, or sigmoid. ERROR_USAGE: its loss knows none. */
bool torch_softmax(const struct model *model, struct text *modules, struct error *error) WARN_UNUSED;

/* Local. Appends the lines: the classes that the modules of layout_torch name and PyTorch has not, the Sequential, and
 * the loading of `file`. */
void torch_program(const struct text *modules, const char *file, struct text *program);

#endif
