/* Metrics against numbers made by hand and a plain implementation. */
#include "nn/meter.h"

#include "base/memory.h"
#include "nn/trial.h"
#include "support/test.h"

#include <stdio.h>
#include <string.h>

static const struct leaf_form digits = {.input = {1, {4}}, .classes = 10, .terms = 1};
static const struct leaf_form flags = {.input = {1, {4}}, .classes = 2, .terms = 1};
static const struct leaf_form numbers = {.input = {1, {4}}, .terms = 2, .most = 1};
static const struct leaf_form text = {.input = {1, {8}}, .vocabulary = 11, .classes = 11, .terms = 8};
static const struct leaf_form few = {.input = {1, {8}}, .vocabulary = 5, .classes = 5, .terms = 8};

/* ---- which fit ---- */

static void each_loss_has_the_metrics_that_fit_it(void)
{
    static const struct {
        const struct loss_class *loss;
        const struct leaf_form *form;
        const char *names;
    } cases[] = {
        {&loss_softmax_cross_entropy, &digits, "loss, accuracy, top5, f1"},
        {&loss_softmax_cross_entropy, &flags, "loss, accuracy, f1"},
        {&loss_softmax_cross_entropy, &text, "loss, accuracy, top5, perplexity"},
        {&loss_softmax_cross_entropy, &few, "loss, accuracy, perplexity"},
        {&loss_softmax_cross_entropy, NULL, "loss, accuracy, top5, f1, perplexity"},
        {&loss_binary_cross_entropy, &flags, "loss, accuracy, f1"},
        {&loss_binary_cross_entropy, &numbers, "loss, accuracy, f1"},
        {&loss_mean_squared_error, &numbers, "loss, mae, rmse, r2"},
        {&loss_l1, &flags, "loss, mae, rmse, r2"},
        {&loss_huber, NULL, "loss, mae, rmse, r2"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct text names;
        text_init(&names);
        metric_append_fitting(&names, cases[i].loss, cases[i].form);
        CU_ASSERT_STRING_EQUAL(text_bytes(&names), cases[i].names);
        text_release(&names);
    }
}

static void one_that_does_not_fit_is_refused_with_those_that_do(void)
{
    struct error error;
    CU_ASSERT_TRUE(metric_check(METRIC_F1, &loss_softmax_cross_entropy, &digits, &error));
    CU_ASSERT_FALSE(metric_check(METRIC_MAE, &loss_softmax_cross_entropy, &digits, &error));
    CU_ASSERT_EQUAL(error.kind, ERROR_USAGE);
    CU_ASSERT_STRING_EQUAL(error.text,
                           "there is no mae with loss: softmax_cross_entropy; allowed: loss, accuracy, top5, f1");
    CU_ASSERT_FALSE(metric_check(METRIC_F1, &loss_softmax_cross_entropy, &text, &error));
    CU_ASSERT_STRING_EQUAL(error.text, "f1 wants classes that are no tokens, which this data does not have; allowed: "
                                       "loss, accuracy, top5, perplexity");
    CU_ASSERT_FALSE(metric_check(METRIC_TOP5, &loss_softmax_cross_entropy, &flags, &error));
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "top5 wants more than five classes"));
}

static void numbers_of_a_checkpoint_have_their_names(void)
{
    CU_ASSERT_STRING_EQUAL(metric_name(1), "loss");
    CU_ASSERT_STRING_EQUAL(metric_name(2), "accuracy");
    CU_ASSERT_STRING_EQUAL(metric_name(8), "perplexity");
    CU_ASSERT_STRING_EQUAL(metric_name(0), "metric");
    CU_ASSERT_STRING_EQUAL(metric_name(UINT64_MAX), "metric");
    CU_ASSERT(metric_is_less_better(METRIC_LOSS) && metric_is_less_better(METRIC_PERPLEXITY));
    CU_ASSERT(!metric_is_less_better(METRIC_ACCURACY) && !metric_is_less_better(METRIC_R2));
}

/* ---- a leaf, measured ---- */

struct measured {
    struct meter meter;
    struct metric_totals totals;
};

/* The leaf's terms, shown to the meter in parts of `part`, as a model in tiles does. `shifts` has room for T. */
static void measure(struct measured *m, const struct loss_spec *loss, const struct leaf_form *form,
                    const struct meter_options *options, const struct leaf *leaf, size_t part, const float *outputs)
{
    struct error error;
    struct loss_sums sums = {0};
    double shifts[16] = {0};
    size_t terms = leaf->rows * form->terms, K = loss->class->ranks_classes ? form->classes : 1;
    float *spoilt = memory_need(terms * K, sizeof *spoilt);
    memcpy(spoilt, outputs, terms * K * sizeof *spoilt);
    CU_ASSERT_TRUE_FATAL(meter_init(&m->meter, loss->class, form, options, &error));
    meter_begin(&m->meter);
    meter_refer(&m->meter, leaf);
    meter_begin_leaf(&m->meter, m->meter.reference ? shifts : NULL);
    for (size_t first = 0; first < terms; first += part) {
        size_t n = terms - first < part ? terms - first : part;
        meter_see(&m->meter, leaf, first, n, K, outputs + first * K);
        loss_terms(loss, leaf, first, n, K, spoilt + first * K, false, &sums);
    }
    memory_free(spoilt);
    m->totals = (struct metric_totals){.counts = m->meter.counts, .classes = m->meter.classes};
    meter_end_leaf(&m->meter, &sums, m->totals.sums);
    if (m->meter.reference)
        m->totals.spread = meter_spread(&m->meter, m->totals.sums[SUM_SHIFTED], shifts, (double)leaf->rows);
}

static double value(const struct measured *m, enum metric_kind metric)
{
    return metric_value(metric, &m->totals);
}

/* ---- classes ---- */

enum { ROWS = 60, K = 10 };

struct classes {
    int32_t labels[ROWS];
    float outputs[ROWS * K];
    struct leaf leaf;
};

/* Equal outputs, NaN and ignored labels among them; class 9 occurs nowhere, 8 only among the predictions. */
static void draw(struct classes *c)
{
    *c = (struct classes){.leaf = {.rows = ROWS, .labels = c->labels}};
    for (size_t i = 0; i < ROWS; i++) {
        c->labels[i] = i % 7 == 6 ? LEAF_IGNORED : (int32_t)(5 * i % 8);
        for (size_t k = 0; k < K; k++)
            c->outputs[i * K + k] = k == 9 ? -9 : roundf(4 * trial_draw("output", i * K + k));
        if (i % 3 == 0 && c->labels[i] >= 0)
            c->outputs[i * K + (size_t)c->labels[i]] += 5;
    }
    c->outputs[2 * K + 3] = c->outputs[3 * K + 3] = NAN;
    c->outputs[3 * K + (size_t)c->labels[3]] = NAN;
}

/* How many stand before k when the outputs are sorted, the largest first, by insertion; K if one is NaN. */
static size_t place_of(const float *z, size_t k)
{
    size_t order[K], length = 0;
    for (size_t i = 0; i < K; i++) {
        size_t at = length++;
        if (isnan(z[i]))
            return K;
        for (; at > 0 && z[order[at - 1]] < z[i]; at--)
            order[at] = order[at - 1];
        order[at] = i;
    }
    for (size_t i = 0; i < K; i++)
        if (order[i] == k)
            return i;
    return K;
}

static size_t prediction(const float *z)
{
    for (size_t k = 0; k < K; k++)
        if (place_of(z, k) == 0)
            return k;
    return K;
}

/* f1 as precision and recall say it, class by class. */
static double plain_f1(const struct classes *c)
{
    double sum = 0, count = 0;
    for (size_t k = 0; k < K; k++) {
        double both = 0, labelled = 0, predicted = 0;
        for (size_t i = 0; i < ROWS; i++) {
            bool counts = c->labels[i] != LEAF_IGNORED, is_label = c->labels[i] == (int32_t)k;
            bool is_predicted = counts && prediction(c->outputs + i * K) == k;
            both += is_label && is_predicted;
            labelled += is_label;
            predicted += is_predicted;
        }
        double precision = predicted > 0 ? both / predicted : 0, recall = labelled > 0 ? both / labelled : 0;
        sum += precision + recall > 0 ? 2 * precision * recall / (precision + recall) : 0;
        count += labelled + predicted > 0;
    }
    return sum / count;
}

static void classes_are_counted_as_a_plain_implementation_does(void)
{
    const struct loss_spec loss = {.class = &loss_softmax_cross_entropy};
    const struct meter_options options = {.confusion = true};
    double hits = 0, top5 = 0, terms = 0;
    struct classes c;
    struct measured m;
    draw(&c);
    uint64_t confusion[K][K] = {{0}};
    for (size_t i = 0; i < ROWS; i++) {
        if (c.labels[i] == LEAF_IGNORED)
            continue;
        size_t label = (size_t)c.labels[i], place = place_of(c.outputs + i * K, label);
        hits += place == 0;
        top5 += place < 5;
        terms++;
        if (prediction(c.outputs + i * K) < K)
            confusion[label][prediction(c.outputs + i * K)]++;
    }
    CU_ASSERT(hits > 10 && hits < top5 && top5 < terms);
    for (size_t part = 1; part <= ROWS; part += 59) {
        measure(&m, &loss, &digits, &options, &c.leaf, part, c.outputs);
        CU_ASSERT_EQUAL(value(&m, METRIC_ACCURACY), hits / terms);
        CU_ASSERT_EQUAL(value(&m, METRIC_TOP5), top5 / terms);
        CU_ASSERT_DOUBLE_EQUAL(value(&m, METRIC_F1), plain_f1(&c), 1e-15);
        CU_ASSERT_EQUAL(memcmp(m.meter.confusion, confusion, sizeof confusion), 0);
        CU_ASSERT(isnan(value(&m, METRIC_LOSS)));
        meter_release(&m.meter);
    }
}

/* Labels 0 0 0 1 1 2, predicted 0 0 1 1 2 1: f1 is 4/5, 2/5 and 0, the mean of which 2/5. */
static void f1_by_hand(void)
{
    static const struct leaf_form three = {.input = {1, {4}}, .classes = 4, .terms = 1};
    const struct loss_spec loss = {.class = &loss_softmax_cross_entropy};
    int32_t labels[] = {0, 0, 0, 1, 1, 2};
    static const float z[6][4] = {{1}, {1}, {0, 1}, {0, 1}, {0, 0, 1}, {0, 1}}; /* the fourth class is nowhere */
    struct measured m;
    measure(&m, &loss, &three, NULL, &(struct leaf){.rows = 6, .labels = labels}, 6, *z);
    CU_ASSERT_DOUBLE_EQUAL(value(&m, METRIC_F1), 0.4, 1e-15);
    CU_ASSERT_EQUAL(value(&m, METRIC_ACCURACY), 0.5);
    CU_ASSERT_EQUAL(m.meter.counts[1].predicted, 3);
    meter_begin(&m.meter);
    CU_ASSERT_EQUAL(m.meter.counts[1].predicted, 0);
    meter_release(&m.meter);
}

/* Targets of a sample count together: 6 terms, positive where t > 0.5. Predicted + + - + - and nothing (NaN) of
 * + - - + + +: f1 of + is 2 2 / (4 + 3), of - 2 1 / (2 + 2). */
static void f1_of_two_classes_by_hand(void)
{
    const struct loss_spec loss = {.class = &loss_binary_cross_entropy};
    float targets[] = {1, 0, 0.5f, 0.75f, 1, 1};
    const float y[] = {3, 0.1f, 0, 1, -2, NAN};
    struct measured m;
    measure(&m, &loss, &numbers, NULL, &(struct leaf){.rows = 3, .targets = targets}, 4, y);
    CU_ASSERT_DOUBLE_EQUAL(value(&m, METRIC_F1), (4.0 / 7 + 0.5) / 2, 1e-15);
    CU_ASSERT_EQUAL(value(&m, METRIC_ACCURACY), 3.0 / 6);
    meter_release(&m.meter);
    int32_t labels[] = {1, 0, 0};
    measure(&m, &loss, &flags, NULL, &(struct leaf){.rows = 3, .labels = labels}, 2, y);
    CU_ASSERT_DOUBLE_EQUAL(value(&m, METRIC_F1), (2.0 / 3 + 2.0 / 3) / 2, 1e-15);
    meter_release(&m.meter);
}

/* Of a distribution that is uniform over n tokens the perplexity is n, whatever the loss smooths. */
static void perplexity_is_that_of_the_labels(void)
{
    int32_t labels[] = {1, 2, 3, 4, 5, LEAF_IGNORED, 0, 0};
    float z[8 * 11];
    for (size_t i = 0; i < COUNT(z); i++)
        z[i] = i % 11 < 6 ? 2 : -100;
    for (int smoothed = 0; smoothed < 2; smoothed++) {
        const struct loss_spec loss = {.class = &loss_softmax_cross_entropy, .label_smoothing = smoothed * 0.2};
        struct measured m;
        measure(&m, &loss, &text, NULL, &(struct leaf){.rows = 1, .labels = labels}, 3, z);
        CU_ASSERT_DOUBLE_EQUAL(value(&m, METRIC_PERPLEXITY), 6, 1e-6);
        CU_ASSERT_EQUAL(exp(value(&m, METRIC_LOSS)) == value(&m, METRIC_PERPLEXITY), !smoothed);
        CU_ASSERT(!m.meter.counts && !m.meter.fits[METRIC_F1]);
        meter_release(&m.meter);
    }
}

/* ---- numbers ---- */

/* Columns 1 2 3 and 10 30 20 (mean 2 and 20, spread 2 + 200); errors 0 1 -2 and 3 0 -1: 7 and 15 of 6. */
static void regressions_by_hand(void)
{
    const struct loss_spec loss = {.class = &loss_l1};
    float targets[] = {1, 10, 2, 30, 3, 20};
    const float y[] = {1, 13, 3, 30, 1, 19}, scale[] = {10, 0.1f};
    const struct leaf leaf = {.rows = 3, .targets = targets};
    struct measured m;
    for (size_t part = 1; part <= 6; part++) {
        measure(&m, &loss, &numbers, NULL, &leaf, part, y);
        CU_ASSERT_DOUBLE_EQUAL(value(&m, METRIC_MAE), 7.0 / 6, 1e-15);
        CU_ASSERT_DOUBLE_EQUAL(value(&m, METRIC_RMSE), sqrt(15.0 / 6), 1e-15);
        CU_ASSERT_DOUBLE_EQUAL(value(&m, METRIC_R2), 1 - 15.0 / 202, 1e-15);
        meter_release(&m.meter);
    }
    /* errors 0 10 -20 and 0.3 0 -0.1, columns of spread 200 and 2 */
    measure(&m, &loss, &numbers, &(struct meter_options){.scale = scale}, &leaf, 6, y);
    CU_ASSERT_DOUBLE_EQUAL(value(&m, METRIC_MAE), 30.4 / 6, 1e-7);
    CU_ASSERT_DOUBLE_EQUAL(value(&m, METRIC_RMSE), sqrt(500.1 / 6), 1e-7);
    CU_ASSERT_DOUBLE_EQUAL(value(&m, METRIC_R2), 1 - 500.1 / 202, 1e-7);
    CU_ASSERT_DOUBLE_EQUAL(value(&m, METRIC_LOSS), 7.0 / 6, 1e-7); /* in what it is trained with */
    meter_release(&m.meter);
    int32_t labels[] = {0, 1, 1};
    measure(&m, &loss, &flags, NULL, &(struct leaf){.rows = 3, .labels = labels}, 3, (float[]){0, 1, 0});
    CU_ASSERT_DOUBLE_EQUAL(value(&m, METRIC_R2), 1 - 1 / (2.0 / 3), 1e-15);
    meter_release(&m.meter);
}

/* Far from 0 the mean of the squares less the square of the mean has no digit left. */
static void r2_is_exact_far_from_zero(void)
{
    const struct loss_spec loss = {.class = &loss_mean_squared_error};
    enum { SAMPLES = 1000 };
    static float targets[2 * SAMPLES], y[2 * SAMPLES];
    double spread = 0, squared = 0, mean = 0;
    for (size_t i = 0; i < SAMPLES; i++) {
        targets[2 * i] = 16000000 + (float)(i % 2);
        targets[2 * i + 1] = -5; /* constant: it has no part in the spread */
        y[2 * i] = targets[2 * i] + (i % 10 == 0);
        y[2 * i + 1] = -5;
        mean += (double)(i % 2) / SAMPLES;
    }
    for (size_t i = 0; i < SAMPLES; i++) {
        spread += ((double)(i % 2) - mean) * ((double)(i % 2) - mean);
        squared += i % 10 == 0;
    }
    struct measured m;
    measure(&m, &loss, &numbers, NULL, &(struct leaf){.rows = SAMPLES, .targets = targets}, 7, y);
    CU_ASSERT_DOUBLE_EQUAL(value(&m, METRIC_R2), 1 - squared / spread, 1e-12);
    meter_release(&m.meter);
}

static void constant_targets_and_outputs_that_are_nan_have_no_r2(void)
{
    const struct loss_spec loss = {.class = &loss_mean_squared_error};
    float targets[] = {0.1f, 0.7f, 0.1f, 0.7f, 0.1f, 0.7f};
    const float y[] = {1, 2, 3, 4, 5, 6};
    float broken[] = {1, 2, NAN, 4, 5, 6};
    const struct leaf leaf = {.rows = 3, .targets = targets};
    struct measured m;
    measure(&m, &loss, &numbers, NULL, &leaf, 6, y);
    CU_ASSERT(m.totals.spread == 0 && isnan(value(&m, METRIC_R2)) && value(&m, METRIC_MAE) > 3);
    meter_release(&m.meter);
    targets[0] = 0;
    measure(&m, &loss, &numbers, NULL, &leaf, 6, broken);
    CU_ASSERT(m.totals.spread > 0 && isnan(value(&m, METRIC_R2)) && isnan(value(&m, METRIC_MAE)));
    CU_ASSERT(isnan(value(&m, METRIC_RMSE)) && !signbit(value(&m, METRIC_RMSE)));
    meter_release(&m.meter);
}

static void values_are_told_with_the_decimals_of_interest(void)
{
    char words[METRIC_TEXT];
    metric_text(METRIC_ACCURACY, 0.97149, words);
    CU_ASSERT_STRING_EQUAL(words, "0.9715");
    metric_text(METRIC_MAE, 123456.7, words);
    CU_ASSERT_STRING_EQUAL(words, "1.2346e+05");
    metric_text(METRIC_PERPLEXITY, 23.456789, words);
    CU_ASSERT_STRING_EQUAL(words, "23.457");
    metric_text(METRIC_LOSS, 0.077, words);
    CU_ASSERT_STRING_EQUAL(words, "0.0770");
    metric_text(METRIC_LOSS, 0, words);
    CU_ASSERT_STRING_EQUAL(words, "0.0000");
    metric_text(METRIC_LOSS, 0.000123456, words);
    CU_ASSERT_STRING_EQUAL(words, "0.000123");
    metric_text(METRIC_LOSS, 1234567.8, words);
    CU_ASSERT_STRING_EQUAL(words, "1.2346e+06");
}

int main(void)
{
    const struct test_case cases[] = {
        {"each loss has the metrics that fit it", each_loss_has_the_metrics_that_fit_it},
        {"one that does not fit is refused with those that do", one_that_does_not_fit_is_refused_with_those_that_do},
        {"numbers of a checkpoint have their names", numbers_of_a_checkpoint_have_their_names},
        {"classes are counted as a plain implementation does", classes_are_counted_as_a_plain_implementation_does},
        {"f1 by hand", f1_by_hand},
        {"f1 of two classes by hand", f1_of_two_classes_by_hand},
        {"perplexity is that of the labels", perplexity_is_that_of_the_labels},
        {"regressions by hand", regressions_by_hand},
        {"r2 is exact far from zero", r2_is_exact_far_from_zero},
        {"constant targets and outputs that are NaN have no r2", constant_targets_and_outputs_that_are_nan_have_no_r2},
        {"values are told with the decimals of interest", values_are_told_with_the_decimals_of_interest},
        {NULL, NULL},
    };
    return test_run("nn/meter", cases);
}
