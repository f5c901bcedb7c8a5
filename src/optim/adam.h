/* What Adam, AdamW and LAMB have in common: averages of the gradient and of its square. */
#ifndef OPTIM_ADAM_H
#define OPTIM_ADAM_H

#include "base/rows.h"
#include "optim/optimizer.h"

/* The settings of all three. */
struct adam {
    double beta1;   /* in [0, 1): part of the gradient's average that stays at each step */
    double beta2;   /* likewise, of the squared gradient's average */
    double epsilon; /* added to the root of the second average, which may be 0 */
};

/* Their rows; given is the default of epsilon. */
/* clang-format off */
#define ADAM_ROWS(epsilon_default) \
    {"beta1", "part of the gradient's average that stays at each step", FIELD(struct adam, beta1), REAL(0, 1), \
     .below = true, DEFAULT("0.9"), .resume = RESUME_TUNABLE}, \
    {"beta2", "part of the squared gradient's average that stays at each step", FIELD(struct adam, beta2), \
     REAL(0, 1), .below = true, DEFAULT("0.999"), .resume = RESUME_TUNABLE}, \
    {"epsilon", "added to the root of the second average, which may be 0", FIELD(struct adam, epsilon), POSITIVE, \
     DEFAULT(epsilon_default), .resume = RESUME_TUNABLE}
/* clang-format on */

/* Local. The `prepare` of all three: step->power becomes beta1 and beta2 to the power of step->step. */
void adam_prepare(const void *settings, struct optimizer_step *step);

#endif
