/* Counting what metrics are made of: a meter watches the outputs of a model on their way into the loss.
 *
 * Sums over terms are doubles, in the order of the terms: they are the leaf's, and whoever adds up leaves minds the
 * order. Counts are whole numbers, which no order can round: they go on from leaf to leaf until meter_begin.
 *
 * Letters: T terms of a sample, K classes. */
#ifndef NN_METER_H
#define NN_METER_H

#include "nn/metric.h"
#include "nn/model.h"

struct meter_options {
    const float *scale; /* [T] what mae, rmse and r2 multiply differences of a sample's targets by; NULL: 1. Borrowed */
    bool confusion;     /* counts are wanted label by prediction */
};

struct meter {
    const struct loss_class *loss;
    struct leaf_form form;
    bool fits[METRIC_KINDS];
    const float *scale;
    size_t classes;              /* K; 0: nothing is counted by class */
    struct class_counts *counts; /* [K] */
    uint64_t *confusion;         /* [K, K] terms by label (row) and prediction (column); NULL: not counted */
    double *reference;           /* [T] r of SUM_SHIFTED: a sample's targets. NULL: no regression */
    double *shifts;              /* [T] sum of s (t - r) over samples, where somebody wants it; else NULL. Borrowed */
    double sums[METRIC_SUMS];    /* of the leaf: those from the outputs; the loss gives the others */
};

/* Local. What fits this loss and form is counted. Options NULL: none. Release after failure too; it
 * accepts a released one. */
bool meter_init(struct meter *meter, const struct loss_class *loss, const struct leaf_form *form,
                const struct meter_options *options, struct error *error) WARN_UNUSED;
void meter_release(struct meter *meter);

/* Local. All counts are 0. */
void meter_begin(struct meter *meter);

/* Local. The targets of the leaf's first row are the reference from here on. */
void meter_refer(struct meter *meter, const struct leaf *leaf);

/* Local. The next leaf begins: its sums are 0. shifts [T] (may be NULL) is added to. */
void meter_begin_leaf(struct meter *meter, double *shifts);

/* Local. A watch for model_evaluate_leaf; context: the meter. */
void meter_see(void *context, const struct leaf *leaf, size_t first_term, size_t n, size_t width, const float *outputs);

/* Local. All sums of the leaf, with those that its loss gives. */
void meter_end_leaf(const struct meter *meter, const struct loss_sums *loss, double sums[METRIC_SUMS]);

/* Local. metric_totals.spread of so many samples, from their SUM_SHIFTED and shifts [T]. */
double meter_spread(const struct meter *meter, double shifted, const double *shifts, double samples);

#endif
