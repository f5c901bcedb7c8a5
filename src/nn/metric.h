/* Metrics: by what a model is judged. One table of their names, of what each fits, and how it follows from sums over
 * terms (see nn/loss.h), which meter.h counts.
 *
 * All are of all terms together, never means of means. n terms; y an output, t its target, s its scale (meter.h):
 *   loss        mean of the loss, as it is trained with (label_smoothing included)
 *   accuracy    share of the terms that are predicted right (loss_sums.hits)
 *   top5        share of the terms whose label is among the five largest outputs; of equal ones the first are larger
 *   f1          macro: mean of 2 TP / (2 TP + FP + FN) over the classes that occur among the labels or the predictions.
 *               binary_cross_entropy: the classes are t <= 0.5 and t > 0.5, predicted are y <= 0 and y > 0
 *   mae, rmse   sum s |y - t| / n, sqrt(sum s^2 (y - t)^2 / n)
 *   r2          1 - sum s^2 (y - t)^2 / sum s^2 (t - m)^2, m being the mean of the target's column: of all columns
 *               together, each with the weight of its variance. Targets that are constant have none
 *   perplexity  exp of the mean of -log p, p being the softmax of a term's label: without label_smoothing exp(loss)
 */
#ifndef NN_METRIC_H
#define NN_METRIC_H

#include "base/leaf.h"
#include "base/text.h"
#include "nn/loss.h"

#include <math.h>

/* The numbers stand in checkpoints (checkpoint/history.h). */
enum metric_kind {
    METRIC_NONE = 0,
    METRIC_LOSS,
    METRIC_ACCURACY,
    METRIC_TOP5,
    METRIC_F1,
    METRIC_MAE,
    METRIC_RMSE,
    METRIC_R2,
    METRIC_PERPLEXITY,
    METRIC_KINDS,
};

/* Sums over terms: columns of doubles that are added along a tree. */
enum metric_sum {
    SUM_LOSS,
    SUM_TERMS, /* that count */
    SUM_HITS,
    SUM_SURPRISE, /* -log p of the labels */
    SUM_TOP5,
    SUM_ABSOLUTE, /* s |y - t| */
    SUM_SQUARED,  /* s^2 (y - t)^2 */
    SUM_SHIFTED,  /* s^2 (t - r)^2, r being any fixed value of the column */
    METRIC_SUMS,
};

/* Of a class of labels or predictions. */
struct class_counts {
    uint64_t hits;      /* terms with this label that are predicted as such */
    uint64_t labelled;  /* terms with this label */
    uint64_t predicted; /* terms that are predicted as such; an output that has NaN predicts none */
};

/* All that metrics are made of. */
struct metric_totals {
    double sums[METRIC_SUMS];
    double spread;                     /* sum s^2 (t - m)^2; 0: the targets are constant */
    const struct class_counts *counts; /* [classes] */
    size_t classes;
};

/* The names, by number, from METRIC_LOSS on; NULL behind them. */
extern const char *const metric_names[METRIC_KINDS + 1];

/* Local. The name of a number that may come from anywhere: "metric" for those that nobody knows. */
const char *metric_name(uint64_t number);

/* Local. Whether the smaller values are the better ones, by nature. */
bool metric_is_less_better(enum metric_kind metric);

/* Local. Whether it fits the loss and samples of this form; form NULL: nothing is known of them yet. */
bool metric_fits(enum metric_kind metric, const struct loss_class *loss, const struct leaf_form *form);

/* Local. Appends the names of all that fit: "loss, mae, rmse, r2". */
void metric_append_fitting(struct text *words, const struct loss_class *loss, const struct leaf_form *form);

/* Local. Whether a job can be judged by it. ERROR_USAGE names the loss, or what the metric wants of the data, and those
 * that fit. */
bool metric_check(enum metric_kind metric, const struct loss_class *loss, const struct leaf_form *form,
                  struct error *error) WARN_UNUSED;

/* Local. Its value for one that fits; NaN if there is none: nothing was counted, or the targets are constant. */
double metric_value(enum metric_kind metric, const struct metric_totals *totals);

#define METRIC_TEXT 32

/* Local. A value for people: "0.9715", "0.00012". */
void metric_text(enum metric_kind metric, double value, char text[METRIC_TEXT]);

#endif
