/* The second implementation of the optimizers: in double, as the papers write them. */
#ifndef TESTS_OPTIM_REFERENCE_H
#define TESTS_OPTIM_REFERENCE_H

#include "optim/optimizer.h"

#include <stddef.h>

/* One step on a tensor: p, g, m, v are [count]; SGD and LARS have their momentum in m. g is used up. */
void reference_step(const struct optimizer_spec *spec, const struct optimizer_step *step, size_t count, double *p,
                    double *g, double *m, double *v);

#endif
