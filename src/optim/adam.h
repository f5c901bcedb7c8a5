/* What Adam, AdamW and LAMB have in common: averages of the gradient and of its square. */
#ifndef OPTIM_ADAM_H
#define OPTIM_ADAM_H

#include "optim/optimizer.h"

/* The settings of all three. */
struct adam {
    double beta1;   /* in [0, 1): part of the gradient's average that stays at each step */
    double beta2;   /* likewise, of the squared gradient's average */
    double epsilon; /* added to the root of the second average, which may be 0 */
};

/* Local. The `prepare` of all three: step->power becomes beta1 and beta2 to the power of step->step. */
void adam_prepare(const void *settings, struct optimizer_step *step);

#endif
