/* Of K outputs a term with one label: -sum_k target_k log softmax(z)_k, the target being 1 for the label and 0 for the
 * others, both smoothed. */
#include "base/plural.h"
#include "base/rows.h"
#include "nn/kernels/vector.h"
#include "nn/loss.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define CLASSES_TEXT (LEAF_HINT + 60)

/* "9 classes (label 8 is first at ...)": to follow a label that is none would train a wrong model. */
static void describe_classes(const struct leaf_form *form, char text[CLASSES_TEXT])
{
    const char *hint = form->hint;
    snprintf(text, CLASSES_TEXT, "%zu classes%s%s%s", form->classes, *hint ? " (" : "", hint, *hint ? ")" : "");
}

/* What a model for labels of pixels, or of positions, has to end with. */
static bool refuse_terms(const struct shape *out, const char *shape, const struct leaf_form *form, struct error *error)
{
    size_t K = form->classes;
    char target[96], classes[CLASSES_TEXT];
    describe_classes(form, classes);
    shape_text(&form->target, target, sizeof target);
    if (form->target.dims > 0)
        return error_set(error, ERROR_USAGE,
                         "model: it gives %s, but a sample has %s labels of %s: let it end with {layer: %s, "
                         "filters: %zu, kernel: 1} at sides as long as theirs (targets of a regression are floats)",
                         shape, target, classes, out->dims == 4 ? "conv3d" : "conv2d", K);
    return error_set(error, ERROR_USAGE,
                     "model: it gives %s, but the data wants %zu positions of %s: let it end with {layer: "
                     "lm_head} or {layer: dense, units: %zu}",
                     shape, form->terms, classes, K);
}

/* It wants one output a class, at each of the terms. */
static bool check(const struct loss_spec *spec, const struct shape *out, const struct leaf_form *form,
                  struct error *error)
{
    (void)spec;
    char shape[96], classes[CLASSES_TEXT];
    shape_text(out, shape, sizeof shape);
    describe_classes(form, classes);
    bool enough = shape_count(out) == form->terms * form->classes;
    if (loss_has_planes(out, form) ||
        (enough && out->size[out->dims - 1] == form->classes && (form->terms == 1 || out->dims == 2)))
        return true;
    if (form->terms > 1)
        return refuse_terms(out, shape, form, error);
    if (enough)
        return error_set(
            error, ERROR_USAGE,
            "model: it gives %s, which are as many outputs as the data has classes, but not in one row: let "
            "it end with {layer: flatten}",
            shape);
    return error_set(
        error, ERROR_USAGE,
        "model: the last layer has %s output%s, but the data has %s: let it end with {layer: dense, units: %zu}", shape,
        plural(shape_count(out)), classes, form->classes);
}

/* One term, z [K]. weights [K]; NULL: 1. */
static void term(double smoothing, const double *weights, int32_t label, size_t K, float *z, bool gradient,
                 struct loss_sums *sums)
{
    if (label == LEAF_IGNORED) {
        if (gradient)
            memset(z, 0, K * sizeof *z);
        return;
    }
    size_t l = (size_t)label, largest = vector_argmax(K, z);
    double off = smoothing / (double)K, on = 1 - smoothing + off;
    double weight = weights ? weights[l] : 1;
    double top = (double)z[largest], own = (double)z[l];
    double mean = smoothing > 0 ? (double)vector_sum(K, z) / (double)K : 0;
    vector_softmax(K, 1, z, z);
    /* log sum exp(z) = top - log p of the largest: exact also if all logits are huge. */
    float log_p;
    vector_log(1, &z[largest], &log_p);
    sums->loss += weight *
                  ((1 - smoothing) * (top - own) + (smoothing > 0 ? smoothing * (top - mean) : 0) - (double)log_p);
    sums->hits += largest == l && !isnan(log_p);
    sums->terms += 1;
    sums->surprise += top - own - (double)log_p;
    if (!gradient)
        return;
    float p = z[l];
    if (smoothing > 0)
        vector_affine(K, 1, (float)-off, z, z);
    z[l] = (float)((double)p - on);
    if (weights)
        vector_affine(K, (float)weight, 0, z, z);
}

static void terms(const struct loss_spec *spec, const struct leaf *leaf, size_t first_term, size_t n, size_t width,
                  float *outputs, bool gradient, struct loss_sums *sums)
{
    const double *weights = gradient ? spec->class_weights : NULL;
    for (size_t i = 0; i < n; i++)
        term(spec->label_smoothing, weights, leaf->labels[first_term + i], width, outputs + i * width, gradient, sums);
}

const struct loss_class loss_softmax_cross_entropy = {
    PLAIN_KIND("softmax_cross_entropy", "of one output a class, with the softmax of them as probabilities"),
    .has_hits = true,
    .has_smoothing = true,
    .has_weights = true,
    .ranks_classes = true,
    .has_surprise = true,
    .check = check,
    .terms = terms,
};
