#include "nn/meter.h"

#include "base/memory.h"
#include "nn/kernels/vector.h"

#include <string.h>

#define TOP 5 /* of METRIC_TOP5 */

bool meter_init(struct meter *meter, const struct loss_class *loss, const struct leaf_form *form,
                const struct meter_options *options, struct error *error)
{
    *meter = (struct meter){.loss = loss, .form = *form, .scale = options ? options->scale : NULL};
    for (enum metric_kind metric = METRIC_LOSS; metric < METRIC_KINDS; metric++)
        meter->fits[metric] = metric_fits(metric, loss, form);
    bool has_classes = loss->ranks_classes || (loss->point && loss->has_hits), ok = true;
    if (has_classes && (meter->fits[METRIC_F1] || (options && options->confusion))) {
        meter->classes = loss->ranks_classes ? form->classes : 2;
        meter->counts = memory_alloc(meter->classes, sizeof *meter->counts, "the counts of each class", error);
        ok = meter->counts;
    }
    if (ok && meter->counts && options && options->confusion) {
        meter->confusion = memory_alloc(meter->classes, meter->classes * sizeof *meter->confusion, "a confusion matrix",
                                        error);
        ok = meter->confusion;
    }
    if (ok && meter->fits[METRIC_R2]) {
        meter->reference = memory_alloc(form->terms, sizeof *meter->reference, "a sample's targets", error);
        ok = meter->reference;
    }
    if (!ok)
        meter_release(meter);
    return ok;
}

void meter_release(struct meter *meter)
{
    memory_free(meter->counts);
    memory_free(meter->confusion);
    memory_free(meter->reference);
    memset(meter, 0, sizeof *meter);
}

void meter_begin(struct meter *meter)
{
    if (meter->counts)
        memset(meter->counts, 0, meter->classes * sizeof *meter->counts);
    if (meter->confusion)
        memset(meter->confusion, 0, meter->classes * meter->classes * sizeof *meter->confusion);
}

static double target_of(const struct leaf *leaf, size_t term)
{
    return leaf->targets ? (double)leaf->targets[term] : (double)leaf->labels[term];
}

void meter_refer(struct meter *meter, const struct leaf *leaf)
{
    for (size_t t = 0; meter->reference && t < meter->form.terms; t++)
        meter->reference[t] = target_of(leaf, t);
}

void meter_begin_leaf(struct meter *meter, double *shifts)
{
    memset(meter->sums, 0, sizeof meter->sums);
    meter->shifts = shifts;
}

/* ---- what the outputs say ---- */

/* A label and a prediction; predicted == classes: none. */
static void count(struct meter *meter, size_t label, size_t predicted)
{
    if (!meter->counts)
        return;
    meter->counts[label].labelled++;
    if (predicted == meter->classes)
        return;
    meter->counts[label].hits += label == predicted;
    meter->counts[predicted].predicted++;
    if (meter->confusion)
        meter->confusion[label * meter->classes + predicted]++;
}

/* Whether fewer than TOP of the K outputs are larger than that of the label; of equal ones the first is. */
static bool is_in_top(size_t K, const float *z, size_t label)
{
    size_t larger = 0;
    float own = z[label];
    for (size_t k = 0; k < label; k++)
        larger += z[k] >= own;
    for (size_t k = label + 1; k < K; k++)
        larger += z[k] > own;
    return larger < TOP;
}

static void see_classes(struct meter *meter, const struct leaf *leaf, size_t first, size_t n, size_t K,
                        const float *outputs)
{
    for (size_t i = 0; i < n; i++) {
        const float *z = outputs + i * K;
        int32_t label = leaf->labels[first + i];
        if (label == LEAF_IGNORED)
            continue;
        size_t largest = vector_argmax(K, z); /* a NaN, if there is one */
        bool predicts = !isnan(z[largest]);
        meter->sums[SUM_TOP5] += meter->fits[METRIC_TOP5] && predicts && is_in_top(K, z, (size_t)label);
        count(meter, (size_t)label, predicts ? largest : K);
    }
}

static void see_logits(struct meter *meter, const struct leaf *leaf, size_t first, size_t n, const float *y)
{
    for (size_t i = 0; i < n; i++)
        if (!leaf->labels || leaf->labels[first + i] != LEAF_IGNORED)
            count(meter, target_of(leaf, first + i) > 0.5, isnan(y[i]) ? 2 : y[i] > 0);
}

static void see_errors(struct meter *meter, const struct leaf *leaf, size_t first, size_t n, const float *y)
{
    double *sums = meter->sums;
    size_t T = meter->form.terms;
    for (size_t i = 0, t = first % T; i < n; i++, t = t + 1 < T ? t + 1 : 0) {
        double scale = meter->scale ? (double)meter->scale[t] : 1, target = target_of(leaf, first + i);
        double error = scale * ((double)y[i] - target);
        sums[SUM_ABSOLUTE] += fabs(error);
        sums[SUM_SQUARED] += error * error;
        if (!meter->shifts)
            continue;
        double shift = scale * (target - meter->reference[t]);
        meter->shifts[t] += shift;
        sums[SUM_SHIFTED] += shift * shift;
    }
}

void meter_see(void *context, const struct leaf *leaf, size_t first_term, size_t n, size_t width, const float *outputs)
{
    struct meter *meter = context;
    if (meter->fits[METRIC_MAE])
        see_errors(meter, leaf, first_term, n, outputs);
    else if (meter->loss->ranks_classes && (meter->counts || meter->fits[METRIC_TOP5]))
        see_classes(meter, leaf, first_term, n, width, outputs);
    else if (!meter->loss->ranks_classes && meter->counts)
        see_logits(meter, leaf, first_term, n, outputs);
}

void meter_end_leaf(const struct meter *meter, const struct loss_sums *loss, double sums[METRIC_SUMS])
{
    memcpy(sums, meter->sums, sizeof meter->sums);
    sums[SUM_LOSS] = loss->loss;
    sums[SUM_TERMS] = loss->terms;
    sums[SUM_HITS] = loss->hits;
    sums[SUM_SURPRISE] = loss->surprise;
}

/* sum (t - m)^2 = sum (t - r)^2 - (sum (t - r))^2 / n for each column. One of n values is not further than sqrt(n)
 * deviations from their mean: what is subtracted is at most n times what is left, so that at most as many bits are
 * lost as n has, of 53. */
double meter_spread(const struct meter *meter, double shifted, const double *shifts, double samples)
{
    double spread = shifted;
    for (size_t t = 0; t < meter->form.terms; t++)
        spread -= shifts[t] * shifts[t] / samples;
    return spread;
}
