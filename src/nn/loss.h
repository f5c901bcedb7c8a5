/* Losses: the last thing of a forward pass and the first of a backward pass.
 *
 * Every loss is a sum of terms: a label of a sample (one, or one a position), or one of its float targets. The trainer
 * divides by the number of terms of the whole batch. */
#ifndef NN_LOSS_H
#define NN_LOSS_H

#include "base/error.h"
#include "base/kind.h"
#include "base/leaf.h"
#include "base/option.h"

#include <stddef.h>
#include <stdint.h>

/* What a job file says. */
struct loss_spec {
    const struct loss_class *class;
    void *settings;         /* of the class's kind; NULL: it has none */
    double label_smoothing; /* cross-entropies: e. Softmax: target 1 - e + e / K and e / K; binary: t (1 - e) + e / 2 */
    double delta;           /* huber */
    /* [class_weight_count] What a term with a label of each class counts in training; NULL: 1. The number LOSS_BALANCED
     * alone: loss_is_balanced. The divisor stays the number of terms (Keras), and is not the sum of the weights in the
     * batch (PyTorch): so a sample's part in the gradient hangs on itself, and not on those that it meets in a batch;
     * balanced weights are 1 on the average, so that over an epoch both are the same. With label_smoothing it is the
     * label's class that weighs, for the whole term. */
    double *class_weights;
    size_t class_weight_count;
};

#define LOSS_BALANCED UINT64_MAX

/* Local. Whether classes weigh the more the rarer they are in the training data, which somebody has to count. */
static inline bool loss_is_balanced(const struct loss_spec *spec)
{
    return spec->class_weight_count == 1 && *spec->class_weights == (double)LOSS_BALANCED;
}

/* Sums over terms. */
struct loss_sums {
    double loss;
    double hits;     /* terms that are predicted right: the label has the largest output; binary: y > 0 where t > 0.5 */
    double terms;    /* that counted: all but labels LEAF_IGNORED */
    double surprise; /* -log p of the labels, p being the softmax of the outputs: the loss without label_smoothing */
};

/* Value and derivative of a loss at one output. */
struct loss_point {
    float value, slope;
};

/* A loss: one row of loss_registry, and a function. A program can add losses of its own: loss_register. Its keys are no
 * lists of sections: the settings that a model keeps have none. */
struct loss_class {
    struct kind kind;
    bool has_hits;      /* terms can be right or wrong: there is an accuracy */
    bool has_smoothing; /* label_smoothing means something */
    bool has_delta;     /* huber_delta means something */
    bool has_weights;   /* class_weights mean something; `terms`, if it is that, heeds them */
    bool ranks_classes; /* a term has an output for each class of labels, and predicts the one with the largest */
    bool has_surprise;  /* these outputs are logits of a softmax, and loss_sums.surprise is counted */

    /* Local. Of one output a term, y, for the target t, which may be a label's number. NULL: the two below say it all.
     */
    struct loss_point (*point)(const struct loss_spec *spec, float y, float t);

    /* Local. loss_check. With `point`, only what is special to this loss (NULL: nothing): that there is one output for
     * each term, and no text, is asked anyway. Without, it sees to it that each term has equally many outputs. */
    bool (*check)(const struct loss_spec *spec, const struct shape *out, const struct leaf_form *form,
                  struct error *error) WARN_UNUSED;

    /* Local. loss_terms, where `point` does not say it. */
    void (*terms)(const struct loss_spec *spec, const struct leaf *leaf, size_t first_term, size_t n, size_t width,
                  float *outputs, bool gradient, struct loss_sums *sums);
};

/* The losses that a job file can name. */
extern struct registry loss_registry;

/* Local, before jobs are read, and while nobody else reads the registry. Adds a loss to those that a job file can name;
 * it is not copied and stays as it is. ERROR_USAGE: it has not exactly one of `point` and `terms`, or `terms` without
 * `check`; a key is a list of sections; and as registry_add. */
bool loss_register(const struct loss_class *class, struct error *error) WARN_UNUSED;

/* The rows of a loss in a job file; their base is a struct loss_spec. */
extern const struct option_row loss_rows[];

extern const struct loss_class loss_softmax_cross_entropy; /* softmax_cross_entropy.c; the others: loss.c */
extern const struct loss_class loss_mean_squared_error, loss_l1, loss_huber, loss_binary_cross_entropy;

/* Local. Whether a model with `outputs` outputs a sample (of the shape `out`) fits the loss and the form of the data:
 * ERROR_USAGE with both sides and a remedy if not. Labels with a loss that wants floats: one output, and the label's
 * number is its target (binary: two classes). Weights: one for each class, or balanced, if these are not tokens. */
bool loss_check(const struct loss_spec *spec, const struct shape *out, const struct leaf_form *form,
                struct error *error) WARN_UNUSED;

/* Local. What of it can be said without a model: a loss of classes wants labels. */
bool loss_check_targets(const struct loss_spec *spec, const struct leaf_form *form, struct error *error) WARN_UNUSED;

/* Local. Whether the classes of the terms of a loss with ranks_classes are the channels in front of an image or a
 * volume, [classes, height, width], whose every pixel is a term; else they are the last dimension. */
bool loss_has_planes(const struct shape *out, const struct leaf_form *form);

/* Local. n terms [first_term, first_term + n) of the leaf (term = row * T + t): outputs [n, width], where width is
 * as many as a term has outputs: 1 for a loss with `point`; else any number that passed
 * the loss's check. Adds to *sums. With `gradient`, outputs are replaced by the derivative of the sum of losses with
 * respect to them, and each loss counts as often as the label's class weighs; else outputs are spoilt, and weights, of
 * which none may be balanced, mean nothing. */
void loss_terms(const struct loss_spec *spec, const struct leaf *leaf, size_t first_term, size_t n, size_t width,
                float *outputs, bool gradient, struct loss_sums *sums);

#endif
