/* Losses: the last thing of a forward pass and the first of a backward pass.
 *
 * Every loss is a sum of terms: a label of a sample (one, or one a position), or one of its float targets. The trainer
 * divides by the number of terms of the whole batch. */
#ifndef NN_LOSS_H
#define NN_LOSS_H

#include "base/error.h"
#include "base/leaf.h"

#include <stddef.h>
#include <stdint.h>

enum loss_kind {
    LOSS_NONE = 0,
    LOSS_SOFTMAX_CROSS_ENTROPY, /* of K outputs a term with one label */
    LOSS_MEAN_SQUARED_ERROR,    /* (y - t)^2 */
    LOSS_L1,                    /* |y - t| */
    LOSS_HUBER,                 /* (y - t)^2 / 2 up to |y - t| = delta, delta (|y - t| - delta / 2) beyond */
    LOSS_BINARY_CROSS_ENTROPY,  /* of logits y with targets t in [0, 1] */
};

/* By kind, as in job files; [0] NULL, NULL behind the last. */
extern const char *const loss_names[];

/* What a job file says. */
struct loss_spec {
    enum loss_kind kind;
    double label_smoothing; /* cross-entropies: e. Softmax: target 1 - e + e / K and e / K; binary: t (1 - e) + e / 2 */
    double delta;           /* huber */
};

/* Sums over terms. */
struct loss_sums {
    double loss;
    double hits;  /* terms that are predicted right: the label has the largest output; binary: y > 0 where t > 0.5 */
    double terms; /* that counted: all but labels LEAF_IGNORED */
};

/* Local. Whether a model with `outputs` outputs a sample (of the shape `out`) fits the loss and the form of the data:
 * ERROR_USAGE with both sides and a remedy if not. Labels with a loss that wants floats: one output, and the label's
 * number is its target (binary: two classes). */
bool loss_check(const struct loss_spec *spec, const struct shape *out, const struct leaf_form *form,
                struct error *error) WARN_UNUSED;

/* Local. Whether hits mean something for this loss (an accuracy). */
bool loss_has_hits(const struct loss_spec *spec);

/* Local. n terms [first_term, first_term + n) of the leaf (term = row * T + t): outputs [n, width], where width is
 * classes for softmax_cross_entropy and 1 for the others, which know no ignored labels. Adds to *sums. With `gradient`,
 * outputs are replaced by the derivative of the sum of losses with respect to them; else they are spoilt. */
void loss_terms(const struct loss_spec *spec, const struct leaf *leaf, size_t first_term, size_t n, size_t width,
                float *outputs, bool gradient, struct loss_sums *sums);

#endif
