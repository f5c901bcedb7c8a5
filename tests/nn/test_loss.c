/* Losses against the second implementation, term by term. */
#include "nn/loss.h"

#include "base/memory.h"
#include "nn/trial.h"
#include "support/test.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum { TERMS = 12, WIDEST = 1003 };

static const struct loss_spec losses[] = {
    {.class = &loss_softmax_cross_entropy}, {.class = &loss_softmax_cross_entropy, .label_smoothing = 0.1},
    {.class = &loss_mean_squared_error},    {.class = &loss_l1},
    {.class = &loss_huber, .delta = 1},     {.class = &loss_huber, .delta = 0.25},
    {.class = &loss_binary_cross_entropy},  {.class = &loss_binary_cross_entropy, .label_smoothing = 0.2},
};

/* Terms with their outputs, labels and targets; every fourth label is ignored. */
struct terms {
    const struct loss_spec *loss;
    size_t K;
    struct leaf leaf;
    int32_t labels[TERMS];
    float targets[TERMS], outputs[TERMS * WIDEST];
    double doubles[TERMS * WIDEST];
};

static void draw(struct terms *t, const struct loss_spec *loss, size_t K)
{
    t->loss = loss;
    t->K = K;
    t->leaf = (struct leaf){.rows = TERMS};
    if (K > 1)
        t->leaf.labels = t->labels;
    else
        t->leaf.targets = t->targets;
    for (size_t i = 0; i < TERMS; i++) {
        t->labels[i] = i % 4 == 3 ? LEAF_IGNORED : (int32_t)((5 * i + 2) % K);
        t->targets[i] = i < 2 ? (float)i : (1 + trial_draw("target", i)) / 2;
    }
    for (size_t e = 0; e < TERMS * K; e++) {
        t->outputs[e] = 4 * trial_draw("output", e);
        t->doubles[e] = (double)t->outputs[e];
    }
}

static double value(const struct terms *t, size_t i)
{
    int32_t label = t->leaf.labels ? t->labels[i] : 0;
    return reference_term(t->loss, t->K, t->doubles + i * t->K, label, (double)t->targets[i]);
}

/* The derivative of term i with respect to its output k. */
static double slope(struct terms *t, size_t i, size_t k)
{
    const double h = 1e-6;
    double *y = &t->doubles[i * t->K + k], kept = *y;
    *y = kept + h;
    double up = value(t, i);
    *y = kept - h;
    double down = value(t, i);
    *y = kept;
    return (up - down) / (2 * h);
}

/* The terms one by one, so that an error of one cannot hide in the sum. */
static void check_terms(struct terms *t)
{
    size_t wrong = 0;
    for (size_t i = 0; i < TERMS; i++) {
        struct loss_sums sums = {.loss = 1000, .hits = 100, .terms = 10}, without = sums;
        float *y = t->outputs + i * t->K, spoilt[WIDEST];
        bool counts = t->K == 1 || t->labels[i] != LEAF_IGNORED;
        memcpy(spoilt, y, t->K * sizeof *y);
        loss_terms(t->loss, &t->leaf, i, 1, t->K, spoilt, false, &without);
        loss_terms(t->loss, &t->leaf, i, 1, t->K, y, true, &sums);
        CU_ASSERT_DOUBLE_EQUAL(sums.loss - 1000, value(t, i), 1e-6 + 1e-6 * fabs(value(t, i)));
        CU_ASSERT_EQUAL(sums.terms, counts ? 11 : 10);
        CU_ASSERT_EQUAL(memcmp(&without, &sums, sizeof sums), 0);
        for (size_t k = 0; k < t->K; k++) {
            double expected = slope(t, i, k), error = fabs((double)y[k] - expected);
            wrong += !(error <= 1e-3 * fabs(expected) + 1e-6) || (!counts && y[k] != 0);
        }
    }
    CU_ASSERT_EQUAL(wrong, 0);
    if (wrong > 0)
        printf("\n    %s of %zu outputs: %zu derivatives are wrong", t->loss->class->kind.name, t->K, wrong);
}

static void every_loss_has_the_value_and_derivative_of_its_formula(void)
{
    static const size_t widths[] = {2, 3, 10, 17, WIDEST};
    struct terms *t = memory_need(1, sizeof *t);
    for (size_t l = 0; l < COUNT(losses); l++)
        if (losses[l].class != &loss_softmax_cross_entropy) {
            draw(t, &losses[l], 1);
            check_terms(t);
        } else
            for (size_t k = 0; k < COUNT(widths); k++) {
                draw(t, &losses[l], widths[k]);
                check_terms(t);
            }
    memory_free(t);
}

/* Whole leaves, and parts of them as tiles give them: the same outputs, and sums to rounding. */
static void terms_in_parts_are_the_terms_of_the_whole(void)
{
    struct terms *whole = memory_need(2, sizeof *whole), *parts = whole + 1;
    for (size_t l = 0; l < COUNT(losses); l++) {
        size_t K = losses[l].class == &loss_softmax_cross_entropy ? 17 : 1;
        struct loss_sums sums = {0}, summed = {0};
        double expected = 0;
        draw(whole, &losses[l], K);
        draw(parts, &losses[l], K);
        loss_terms(&losses[l], &whole->leaf, 0, TERMS, K, whole->outputs, true, &sums);
        loss_terms(&losses[l], &parts->leaf, 0, 5, K, parts->outputs, true, &summed);
        loss_terms(&losses[l], &parts->leaf, 5, TERMS - 5, K, parts->outputs + 5 * K, true, &summed);
        for (size_t i = 0; i < TERMS; i++)
            expected += value(whole, i);
        CU_ASSERT_DOUBLE_EQUAL(sums.loss, expected, 1e-5 * expected);
        CU_ASSERT_EQUAL(memcmp(&sums, &summed, sizeof sums), 0);
        CU_ASSERT_EQUAL(memcmp(whole->outputs, parts->outputs, TERMS * K * sizeof(float)), 0);
        CU_ASSERT_EQUAL(sums.terms, K > 1 ? TERMS - TERMS / 4 : TERMS);
    }
    memory_free(whole);
}

/* Of term i with K outputs: with weights, the loss and its derivative are `weight` times what they are without; where
 * nothing is learned, nothing changes. */
static void check_weighted(const struct loss_spec *weighted, const struct terms *t, size_t i, double weight)
{
    struct loss_sums with = {0}, without = {0}, judged = {0};
    float learned[17], plain[17], spoilt[17];
    size_t wrong = 0;
    float *copies[] = {learned, plain, spoilt};
    for (size_t c = 0; c < COUNT(copies); c++)
        memcpy(copies[c], t->outputs + i * t->K, t->K * sizeof(float));
    loss_terms(weighted, &t->leaf, i, 1, t->K, learned, true, &with);
    loss_terms(t->loss, &t->leaf, i, 1, t->K, plain, true, &without);
    loss_terms(weighted, &t->leaf, i, 1, t->K, spoilt, false, &judged);
    CU_ASSERT_EQUAL(memcmp(&judged, &without, sizeof judged), 0);
    CU_ASSERT_DOUBLE_EQUAL(with.loss, weight * without.loss, 1e-12 * with.loss);
    CU_ASSERT(with.terms == without.terms && with.hits == without.hits && with.surprise == without.surprise);
    for (size_t k = 0; k < t->K; k++)
        wrong += learned[k] != (float)weight * plain[k];
    CU_ASSERT_EQUAL(wrong, 0);
}

static void a_term_counts_as_its_class_weighs_in_training_alone(void)
{
    double weights[17];
    struct terms *t = memory_need(1, sizeof *t);
    for (size_t k = 0; k < COUNT(weights); k++)
        weights[k] = k == 7 ? 0 : 0.3 + 0.7 * (double)k;
    for (size_t l = 0; l < COUNT(losses); l++) {
        struct loss_spec weighted = losses[l];
        bool is_binary = losses[l].class == &loss_binary_cross_entropy;
        if (!losses[l].class->has_weights)
            continue;
        weighted.class_weights = weights;
        weighted.class_weight_count = is_binary ? 2 : 17;
        draw(t, &losses[l], is_binary ? 1 : 17);
        t->leaf.labels = t->labels;
        t->leaf.targets = NULL;
        for (size_t i = 0; i < TERMS; i++) {
            t->labels[i] = is_binary ? (int32_t)(i % 2) : t->labels[i];
            check_weighted(&weighted, t, i, t->labels[i] == LEAF_IGNORED ? 1 : weights[t->labels[i]]);
        }
    }
    memory_free(t);
}

/* ---- hits ---- */

static struct loss_sums sums_of(const struct loss_spec *loss, size_t K, const float *y, int32_t label, float target)
{
    struct leaf leaf = {.rows = 1, .labels = K > 1 ? &label : NULL, .targets = K > 1 ? NULL : &target};
    struct loss_sums sums = {0};
    float outputs[8];
    memcpy(outputs, y, K * sizeof *y);
    loss_terms(loss, &leaf, 0, 1, K, outputs, false, &sums);
    return sums;
}

static void a_hit_is_a_label_with_the_first_of_the_largest_outputs(void)
{
    static const struct {
        float y[3];
        int32_t hit;
    } cases[] = {{{3, 1, 2}, 0}, {{1, 3, 2}, 1}, {{-3, -2, -1}, 2}, {{2, 2, 1}, 0},
                 {{1, 2, 2}, 1}, {{2, 1, 2}, 0}, {{5, 5, 5}, 0},    {{0, -0.0f, -1}, 0}};
    for (size_t l = 0; l < 2; l++)
        for (size_t i = 0; i < COUNT(cases); i++) {
            for (int32_t label = 0; label < 3; label++)
                CU_ASSERT_EQUAL(sums_of(&losses[l], 3, cases[i].y, label, 0).hits, label == cases[i].hit);
            CU_ASSERT_EQUAL(sums_of(&losses[l], 3, cases[i].y, LEAF_IGNORED, 0).hits, 0);
        }
}

static void a_binary_hit_is_the_right_side_of_0(void)
{
    static const float outputs[] = {-2, -0.001f, 0, 0.001f, 2}, targets[] = {0, 0.4f, 0.5f, 0.6f, 1};
    for (size_t l = 6; l < 8; l++)
        for (size_t i = 0; i < COUNT(outputs); i++)
            for (size_t t = 0; t < COUNT(targets); t++)
                CU_ASSERT_EQUAL(sums_of(&losses[l], 1, &outputs[i], 0, targets[t]).hits, (i > 2) == (t > 2));
    for (size_t l = 0; l < COUNT(losses); l++)
        CU_ASSERT_EQUAL(losses[l].class->has_hits, l < 2 || l >= 6);
    CU_ASSERT_EQUAL(sums_of(&losses[2], 1, outputs, 0, outputs[0]).hits, 0);
}

/* A regression on classes: the label's number is the target. */
static void labels_are_the_targets_of_losses_that_want_floats(void)
{
    for (size_t l = 2; l < COUNT(losses); l++)
        for (int32_t label = 0; label < 2; label++) {
            float y = 0.3f, with_label = y, with_target = y, target = (float)label;
            struct leaf labelled = {.rows = 1, .labels = &label}, targeted = {.rows = 1, .targets = &target};
            struct loss_sums a = {0}, b = {0};
            loss_terms(&losses[l], &labelled, 0, 1, 1, &with_label, true, &a);
            loss_terms(&losses[l], &targeted, 0, 1, 1, &with_target, true, &b);
            CU_ASSERT_EQUAL(memcmp(&a, &b, sizeof a), 0);
            CU_ASSERT_EQUAL(with_label, with_target);
            double exact = (double)y;
            CU_ASSERT_DOUBLE_EQUAL(a.loss, reference_term(&losses[l], 1, &exact, 0, label), 1e-6);
        }
}

/* ---- the ends of the range ---- */

static void the_loss_of_huge_outputs_is_finite(void)
{
    static const struct {
        float y[3];
        double losses[3];
    } cases[] = {{{100, -100, 0}, {0, 200, 100}},
                 {{1e30f, -1e30f, 0}, {0, 2e30, 1e30}},
                 {{-1e30f, 0, 1e30f}, {2e30, 1e30, 0}},
                 {{1.5e38f, -1.5e38f, -1.5e38f}, {0, 3e38, 3e38}},
                 {{FLT_MAX, FLT_MAX, 0}, {0.69314718, 0.69314718, (double)FLT_MAX}},
                 {{-1e30f, -1e30f, -1e30f}, {1.0986123, 1.0986123, 1.0986123}}};
    for (size_t i = 0; i < COUNT(cases); i++)
        for (int32_t label = 0; label < 3; label++) {
            struct leaf leaf = {.rows = 1, .labels = &label};
            struct loss_sums sums = {0};
            float y[3];
            memcpy(y, cases[i].y, sizeof y);
            loss_terms(&losses[0], &leaf, 0, 1, 3, y, true, &sums);
            CU_ASSERT_DOUBLE_EQUAL(sums.loss, cases[i].losses[label], 1e-6 * fmax(1, cases[i].losses[label]));
            if (!(fabs(sums.loss - cases[i].losses[label]) <= 1e-6 * fmax(1, cases[i].losses[label])))
                printf("\n    case %zu, label %d: %g and not %g", i, label, sums.loss, cases[i].losses[label]);
            for (size_t c = 0; c < 3; c++)
                CU_ASSERT_TRUE(fabsf(y[c]) <= 1);
            CU_ASSERT_DOUBLE_EQUAL((double)(y[0] + y[1] + y[2]), 0, 1e-6);
        }
}

static void the_binary_loss_of_huge_outputs_is_finite(void)
{
    static const float outputs[] = {-1e30f, -200, -100, -80, 0, 80, 100, 200, 1e30f}, targets[] = {0, 0.25f, 1};
    for (size_t i = 0; i < COUNT(outputs); i++)
        for (size_t t = 0; t < COUNT(targets); t++) {
            struct leaf leaf = {.rows = 1, .targets = (float[]){targets[t]}};
            struct loss_sums sums = {0};
            float y = outputs[i];
            double exact = (double)y, expected = reference_term(&losses[6], 1, &exact, 0, (double)targets[t]);
            loss_terms(&losses[6], &leaf, 0, 1, 1, &y, true, &sums);
            CU_ASSERT_DOUBLE_EQUAL(sums.loss, expected, 1e-6 * fmax(1e-6, expected));
            double sigmoid = exact >= 0 ? 1 / (1 + exp(-exact)) : exp(exact) / (1 + exp(exact));
            CU_ASSERT_DOUBLE_EQUAL((double)y, sigmoid - (double)targets[t], 1e-6);
        }
}

static void a_nan_output_makes_loss_and_gradient_nan(void)
{
    for (size_t l = 0; l < COUNT(losses); l++) {
        size_t K = losses[l].class == &loss_softmax_cross_entropy ? 3 : 1;
        for (size_t place = 0; place < K; place++)
            for (int32_t label = 0; label < (int32_t)K; label++) {
                int32_t labels[2] = {label, label};
                float targets[2] = {0.5f, 0.5f}, y[6] = {1, 2, 3, 1, 2, 3};
                struct leaf leaf = {.rows = 2, .labels = K > 1 ? labels : NULL, .targets = K > 1 ? NULL : targets};
                struct loss_sums sums = {0};
                y[place] = NAN;
                loss_terms(&losses[l], &leaf, 0, 2, K, y, true, &sums);
                CU_ASSERT_TRUE(isnan(sums.loss));
                CU_ASSERT_TRUE(sums.hits <= 1);
                for (size_t e = 0; e < 2 * K; e++)
                    CU_ASSERT_EQUAL(isnan(y[e]) != 0, e < K);
            }
    }
}

/* ---- what fits ---- */

static void check_refused(size_t l, struct shape out, struct leaf_form form, const char *words)
{
    struct error error = {0};
    CU_ASSERT_FALSE(loss_check(&losses[l], &out, &form, &error));
    CU_ASSERT_EQUAL(error.kind, ERROR_USAGE);
    bool told = strstr(error.text, words) != NULL;
    CU_ASSERT_TRUE(told);
    if (!told)
        printf("\n    \"%s\" does not say \"%s\"", error.text, words);
}

static void weights_that_do_not_fit_the_data_are_refused(void)
{
    static double weights[] = {1, 2, 3}, balanced = (double)LOSS_BALANCED;
    static const struct leaf_form digits = {.input = {1, {64}}, .classes = 10, .terms = 1};
    static const struct leaf_form text = {.input = {1, {8}}, .vocabulary = 65, .classes = 65, .terms = 8};
    static const struct leaf_form floats = {.input = {1, {64}}, .terms = 1, .most = 1};
    static const struct {
        const struct loss_class *class;
        const struct leaf_form *form;
        double *weights;
        size_t count;
        struct shape out;
        const char *words; /* NULL: they fit */
    } cases[] = {
        {&loss_softmax_cross_entropy,
         &digits,
         weights,
         3,
         {1, {10}},
         "class_weights: 3 weights, but the data has 10 classes: one for each"},
        {&loss_softmax_cross_entropy, &digits, weights, 1, {1, {10}}, "class_weights: 1 weight, but the data has 10"},
        {&loss_softmax_cross_entropy, &digits, &balanced, 1, {1, {10}}, NULL},
        {&loss_softmax_cross_entropy, &text, &balanced, 1, {2, {8, 65}}, "class_weights: balanced does not fit text"},
        {&loss_softmax_cross_entropy, &text, weights, 2, {2, {8, 65}}, "class_weights: 2 weights, but the data has 65"},
        {&loss_binary_cross_entropy, &floats, weights, 2, {1, {1}}, "class_weights: the targets are numbers"},
        {&loss_binary_cross_entropy, &floats, &balanced, 1, {1, {1}}, "class_weights: the targets are numbers"},
        {&loss_binary_cross_entropy, &digits, weights, 3, {1, {1}}, "3 weights, but the data has 10 classes"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct loss_spec loss = {
            .class = cases[i].class, .class_weights = cases[i].weights, .class_weight_count = cases[i].count};
        struct error error = {.text = ""};
        CU_ASSERT_EQUAL(loss_check(&loss, &cases[i].out, cases[i].form, &error), !cases[i].words);
        bool told = !cases[i].words || strstr(error.text, cases[i].words);
        CU_ASSERT_TRUE(told);
        if (!told)
            printf("\n    \"%s\" does not say \"%s\"", error.text, cases[i].words);
    }
}

static void outputs_that_do_not_fit_the_data_are_refused(void)
{
    static const struct leaf_form digits = {.input = {1, {64}}, .classes = 10, .terms = 1};
    static const struct leaf_form text = {.input = {1, {8}}, .vocabulary = 65, .classes = 65, .terms = 8};
    static const struct leaf_form floats = {.input = {1, {64}}, .terms = 3};
    static const struct leaf_form two = {.input = {1, {64}}, .classes = 2, .terms = 1};
    struct error error = {0};
    CU_ASSERT_TRUE(loss_check(&losses[0], &(struct shape){1, {10}}, &digits, &error));
    CU_ASSERT_TRUE(loss_check(&losses[0], &(struct shape){2, {8, 65}}, &text, &error));
    CU_ASSERT_TRUE(loss_check(&losses[2], &(struct shape){1, {1}}, &digits, &error));
    CU_ASSERT_TRUE(loss_check(&losses[6], &(struct shape){1, {1}}, &two, &error));
    for (size_t l = 2; l < COUNT(losses); l++)
        CU_ASSERT_TRUE(loss_check(&losses[l], &(struct shape){1, {3}}, &floats, &error));
    CU_ASSERT_EQUAL(error.kind, ERROR_NONE);
    check_refused(0, (struct shape){1, {9}}, digits, "9 outputs, but the data has 10 classes");
    check_refused(0, (struct shape){1, {1}}, digits, "the last layer has 1 output, but the data has 10 classes");
    check_refused(2, (struct shape){1, {1}}, floats, "the last layer has 1 output, but a sample has 3 targets");
    check_refused(0, (struct shape){1, {3}}, floats,
                  "float targets: choose mean_squared_error, l1, huber or binary_cross_entropy");
    check_refused(0, (struct shape){2, {8, 64}}, text, "8x64");
    check_refused(0, (struct shape){2, {7, 65}}, text, "7x65");
    check_refused(2, (struct shape){1, {2}}, floats, "2 outputs, but a sample has 3 targets");
    check_refused(2, (struct shape){1, {10}}, digits, "10 outputs, but a sample has 1 target:");
    check_refused(6, (struct shape){1, {1}}, digits, "two classes, but the data has 10");
    check_refused(3, (struct shape){2, {8, 1}}, text, "l1 does not fit text");
}

int main(void)
{
    static const struct test_case cases[] = {
        {"every loss has the value and derivative of its formula",
         every_loss_has_the_value_and_derivative_of_its_formula},
        {"terms in parts are the terms of the whole", terms_in_parts_are_the_terms_of_the_whole},
        {"a term counts as its class weighs, in training alone", a_term_counts_as_its_class_weighs_in_training_alone},
        {"a hit is a label with the first of the largest outputs",
         a_hit_is_a_label_with_the_first_of_the_largest_outputs},
        {"a binary hit is the right side of 0", a_binary_hit_is_the_right_side_of_0},
        {"labels are the targets of losses that want floats", labels_are_the_targets_of_losses_that_want_floats},
        {"the loss of huge outputs is finite", the_loss_of_huge_outputs_is_finite},
        {"the binary loss of huge outputs is finite", the_binary_loss_of_huge_outputs_is_finite},
        {"a NaN output makes loss and gradient NaN", a_nan_output_makes_loss_and_gradient_nan},
        {"weights that do not fit the data are refused", weights_that_do_not_fit_the_data_are_refused},
        {"outputs that do not fit the data are refused", outputs_that_do_not_fit_the_data_are_refused},
        {NULL, NULL},
    };
    return test_run("nn/loss", cases);
}
