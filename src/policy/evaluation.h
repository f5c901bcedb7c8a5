/* What a validation has found. */
#ifndef POLICY_EVALUATION_H
#define POLICY_EVALUATION_H

struct evaluation {
    double loss;     /* mean over the terms that count */
    double accuracy; /* share of these that are predicted right (loss_sums.hits); NaN if the loss has none */
};

#endif
