/* The second implementation of every layer and loss: plain loops in double, as the definitions say it, forward only.
 * Derivatives are central differences of it. It walks the tree of layer specs and finds tensors by the names that it
 * makes itself, so that names, shapes and order of the model under test are checked as well.
 *
 * Letters as in nn/layer.h. */
#ifndef TESTS_NN_REFERENCE_H
#define TESTS_NN_REFERENCE_H

#include "nn/model.h"

#include <stdbool.h>
#include <stdint.h>

/* All but the arrays of doubles is borrowed from the model under test, whose `leaf` and `table` are read. */
struct reference {
    const struct model *model;
    struct model_spec spec;
    bool training;
    uint64_t step;
    double *params;     /* [P] an arena, laid out as the model's */
    double *inputs;     /* [M, I]; NULL: tokens */
    double *statistics; /* [P], or NULL: where batch_norm leaves a leaf's mean and unbiased variance in training */
};

/* Local. Copies parameters and the leaf's inputs. Release accepts a released reference. */
void reference_init(struct reference *reference, const struct model *model, const struct model_spec *spec,
                    const float *params, uint64_t step);
void reference_release(struct reference *reference);

/* Local. The outputs [M, *shape] of the last layer; the caller frees them. */
double *reference_outputs(const struct reference *reference, struct shape *shape);

/* Local. Sums over the leaf's terms, of these outputs. */
struct loss_sums reference_sums(const struct reference *reference, const double *outputs);

/* Local. What is differentiated: the loss, summed over the terms. */
double reference_loss(const struct reference *reference);

/* Local. One term: y [K] with K = 1 for all but softmax_cross_entropy, which reads `label` instead of `target`. */
double reference_term(const struct loss_spec *loss, size_t K, const double *y, int32_t label, double target);

#endif
