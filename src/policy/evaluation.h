/* What a validation has found. */
#ifndef POLICY_EVALUATION_H
#define POLICY_EVALUATION_H

#include "nn/metric.h"

struct evaluation {
    bool fits[METRIC_KINDS];     /* which metrics fit the loss and the data */
    double values[METRIC_KINDS]; /* theirs; NaN: it does not fit, or outputs are not finite, or there is none */
    bool is_constant;            /* the targets of a regression are all the same: there is no r2 */
};

#endif
