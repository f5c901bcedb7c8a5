#include "nn/loss.h"

#include "nn/kernels/vector.h"

#include <math.h>
#include <string.h>

const char *const loss_names[] = {
    [LOSS_SOFTMAX_CROSS_ENTROPY] = "softmax_cross_entropy",
    [LOSS_MEAN_SQUARED_ERROR] = "mean_squared_error",
    [LOSS_L1] = "l1",
    [LOSS_HUBER] = "huber",
    [LOSS_BINARY_CROSS_ENTROPY] = "binary_cross_entropy",
    NULL,
};

bool loss_has_hits(const struct loss_spec *spec)
{
    return spec->kind == LOSS_SOFTMAX_CROSS_ENTROPY || spec->kind == LOSS_BINARY_CROSS_ENTROPY;
}

/* Softmax wants one output a class, at each of the terms. */
static bool check_softmax(const struct shape *out, const struct leaf_form *form, struct error *error)
{
    char shape[64];
    shape_text(out, shape, sizeof shape);
    if (form->classes == 0)
        return error_set(error, ERROR_USAGE,
                         "loss: softmax_cross_entropy wants class labels, but the data has float targets: choose "
                         "mean_squared_error, l1, huber or binary_cross_entropy");
    if (shape_count(out) == form->terms * form->classes && out->size[out->dims - 1] == form->classes)
        return true;
    if (shape_count(out) == form->terms * form->classes)
        return error_set(
            error, ERROR_USAGE,
            "model: it gives %s, which are as many outputs as the data has classes, but not in one row: let "
            "it end with {layer: flatten}",
            shape);
    if (form->terms > 1)
        return error_set(error, ERROR_USAGE,
                         "model: it gives %s, but the data wants %zu positions of %zu classes: let it end with "
                         "{layer: lm_head} or {layer: dense, units: %zu}",
                         shape, form->terms, form->classes, form->classes);
    return error_set(
        error, ERROR_USAGE,
        "model: the last layer has %s outputs, but the data has %zu classes: let it end with {layer: dense, "
        "units: %zu}",
        shape, form->classes, form->classes);
}

bool loss_check(const struct loss_spec *spec, const struct shape *out, const struct leaf_form *form,
                struct error *error)
{
    size_t outputs = shape_count(out);
    if (spec->kind == LOSS_SOFTMAX_CROSS_ENTROPY)
        return check_softmax(out, form, error);
    if (form->classes > 0 && form->vocabulary > 0)
        return error_set(error, ERROR_USAGE, "loss: %s does not fit text: choose softmax_cross_entropy",
                         loss_names[spec->kind]);
    if (form->classes > 2 && spec->kind == LOSS_BINARY_CROSS_ENTROPY)
        return error_set(error, ERROR_USAGE,
                         "loss: binary_cross_entropy wants two classes, but the data has %zu: choose "
                         "softmax_cross_entropy",
                         form->classes);
    if (form->classes == 0 && spec->kind == LOSS_BINARY_CROSS_ENTROPY && (form->least < 0 || form->most > 1))
        return error_set(error, ERROR_USAGE,
                         "loss: binary_cross_entropy wants targets from 0 to 1, but the data's go from %g to %g",
                         (double)form->least, (double)form->most);
    return outputs == form->terms ||
           error_set(
               error, ERROR_USAGE,
               "model: the last layer has %zu outputs, but a sample has %zu target%s: let it end with {layer: dense, "
               "units: %zu}",
               outputs, form->terms, form->terms == 1 ? "" : "s", form->terms);
}

/* ---- softmax cross-entropy ---- */

/* One term, z [K]: -sum_k target_k log softmax(z)_k. */
static void softmax_term(double smoothing, int32_t label, size_t K, float *z, bool gradient, struct loss_sums *sums)
{
    if (label == LEAF_IGNORED) {
        if (gradient)
            memset(z, 0, K * sizeof *z);
        return;
    }
    size_t l = (size_t)label, largest = vector_argmax(K, z);
    double off = smoothing / (double)K, on = 1 - smoothing + off;
    double top = (double)z[largest], own = (double)z[l];
    double mean = smoothing > 0 ? (double)vector_sum(K, z) / (double)K : 0;
    vector_softmax(K, 1, z, z);
    /* log sum exp(z) = top - log p of the largest: exact also if all logits are huge. */
    float log_p;
    vector_log(1, &z[largest], &log_p);
    sums->loss += (1 - smoothing) * (top - own) + (smoothing > 0 ? smoothing * (top - mean) : 0) - (double)log_p;
    sums->hits += largest == l && !isnan(log_p);
    sums->terms += 1;
    if (!gradient)
        return;
    float p = z[l];
    if (smoothing > 0)
        vector_affine(K, 1, (float)-off, z, z);
    z[l] = (float)((double)p - on);
}

/* ---- losses of one output a term ---- */

/* Value and derivative at the output y for the target t. */
struct point {
    float value, slope;
};

static struct point squared_error(float y, float t)
{
    float d = y - t;
    return (struct point){d * d, 2 * d};
}

/* NaN goes through, so that a diverged step is seen. */
static float sign(float d)
{
    return d > 0 ? 1 : d < 0 ? -1 : d;
}

static struct point absolute_error(float y, float t)
{
    float d = y - t;
    return (struct point){fabsf(d), sign(d)};
}

static struct point huber(float y, float t, float delta)
{
    float d = y - t, size = fabsf(d);
    if (size > delta)
        return (struct point){delta * (size - 0.5f * delta), delta * sign(d)};
    return (struct point){0.5f * d * d, d};
}

/* -t log s(y) - (1 - t) log(1 - s(y)) = max(y, 0) - y t + log(1 + exp(-|y|)), which does not overflow. */
static struct point binary_cross_entropy(float y, float t)
{
    float size = -fabsf(y), e, log1, s;
    vector_exp(1, &size, &e);
    float sum = 1 + e;
    vector_log(1, &sum, &log1);
    s = y >= 0 ? 1 / sum : e / sum;
    float positive = y <= 0 ? 0 : y;
    return (struct point){positive - y * t + log1, s - t};
}

static struct point at(const struct loss_spec *spec, float y, float t)
{
    switch (spec->kind) {
    case LOSS_L1:
        return absolute_error(y, t);
    case LOSS_HUBER:
        return huber(y, t, (float)spec->delta);
    case LOSS_BINARY_CROSS_ENTROPY:
        return binary_cross_entropy(y, (float)((double)t * (1 - spec->label_smoothing) + 0.5 * spec->label_smoothing));
    default:
        return squared_error(y, t);
    }
}

static void float_term(const struct loss_spec *spec, float target, float *y, bool gradient, struct loss_sums *sums)
{
    struct point point = at(spec, *y, target);
    sums->loss += (double)point.value;
    sums->hits += loss_has_hits(spec) && (*y > 0) == (target > 0.5f) && !isnan(*y);
    sums->terms += 1;
    if (gradient)
        *y = point.slope;
}

void loss_terms(const struct loss_spec *spec, const struct leaf *leaf, size_t first_term, size_t n, size_t width,
                float *outputs, bool gradient, struct loss_sums *sums)
{
    for (size_t i = 0; i < n; i++) {
        size_t term = first_term + i;
        float *y = outputs + i * width;
        if (spec->kind == LOSS_SOFTMAX_CROSS_ENTROPY)
            softmax_term(spec->label_smoothing, leaf->labels[term], width, y, gradient, sums);
        else
            float_term(spec, leaf->targets ? leaf->targets[term] : (float)leaf->labels[term], y, gradient, sums);
    }
}
