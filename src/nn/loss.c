#include "nn/loss.h"

#include "base/plural.h"
#include "base/registry.h"
#include "base/rows.h"
#include "nn/kernels/vector.h"

#include <math.h>
#include <string.h>

static bool check_weights(const struct loss_spec *spec, const struct leaf_form *form, struct error *error)
{
    if (spec->class_weight_count == 0)
        return true;
    if (form->classes == 0)
        return error_set(error, ERROR_USAGE,
                         "class_weights: the targets are numbers, which have no classes: take it away");
    if (loss_is_balanced(spec))
        return form->vocabulary == 0 ||
               error_set(error, ERROR_USAGE,
                         "class_weights: balanced does not fit text: a weight for each token, or none");
    return spec->class_weight_count == form->classes ||
           error_set(error, ERROR_USAGE, "class_weights: %zu weight%s, but the data has %zu classes: one for each",
                     spec->class_weight_count, spec->class_weight_count == 1 ? "" : "s", form->classes);
}

/* "a, b or c": the losses of one output a term, which float targets can have. */
static void append_point_losses(struct text *words)
{
    const char *last = NULL;
    for (const struct kind *const *kind = loss_registry.kinds; *kind; kind++) {
        if (!((const struct loss_class *)*kind)->point)
            continue;
        if (last)
            text_append(words, "%s%s", words->length > 0 ? ", " : "", last);
        last = (*kind)->name;
    }
    if (last)
        text_append(words, "%s%s", words->length > 0 ? " or " : "", last);
}

bool loss_check_targets(const struct loss_spec *spec, const struct leaf_form *form, struct error *error)
{
    struct text losses;
    if (!spec->class->ranks_classes || form->classes > 0)
        return true;
    text_init(&losses);
    append_point_losses(&losses);
    error_set(error, ERROR_USAGE, "loss: %s wants class labels, but the data has float targets: choose %s",
              spec->class->kind.name, text_bytes(&losses));
    text_release(&losses);
    return false;
}

bool loss_check(const struct loss_spec *spec, const struct shape *out, const struct leaf_form *form,
                struct error *error)
{
    const struct loss_class *class = spec->class;
    size_t outputs = shape_count(out);
    if (class->point && form->classes > 0 && form->vocabulary > 0)
        return error_set(error, ERROR_USAGE, "loss: %s does not fit text: choose softmax_cross_entropy",
                         class->kind.name);
    if (class->point && !class->has_hits && form->ignores)
        return error_set(
            error, ERROR_USAGE,
            "loss: %s takes labels as numbers, of which none stands for no class: leave ignore_label out, or "
            "choose softmax_cross_entropy",
            class->kind.name);
    if (!check_weights(spec, form, error) || !loss_check_targets(spec, form, error) ||
        (class->check && !class->check(spec, out, form, error)))
        return false;
    return !class->point || outputs == form->terms ||
           error_set(
               error, ERROR_USAGE,
               "model: the last layer has %zu output%s, but a sample has %zu target%s: let it end with {layer: dense, "
               "units: %zu}",
               outputs, plural(outputs), form->terms, plural(form->terms), form->terms);
}

/* Whether the sides of an output [channels, sides] are those of the targets, which may have ones in front of them. */
static bool sides_fit(const struct shape *out, const struct shape *target)
{
    size_t sides = out->dims - 1, spare = target->dims > sides ? target->dims - sides : 0;
    for (size_t d = 0; d < spare; d++)
        if (target->size[d] != 1)
            return false;
    return target->dims == 0 || (target->dims == sides + spare &&
                                 memcmp(target->size + spare, out->size + 1, sides * sizeof *out->size) == 0);
}

bool loss_has_planes(const struct shape *out, const struct leaf_form *form)
{
    return form->terms > 1 && out->dims > 2 && out->size[0] == form->classes &&
           shape_count(out) == form->terms * form->classes && sides_fit(out, &form->target);
}

static void point_term(const struct loss_spec *spec, float target, double weight, float *y, bool gradient,
                       struct loss_sums *sums)
{
    struct loss_point point = spec->class->point(spec, *y, target);
    sums->loss += weight * (double)point.value;
    sums->hits += spec->class->has_hits && (*y > 0) == (target > 0.5f) && !isnan(*y);
    sums->terms += 1;
    if (gradient)
        *y = (float)weight * point.slope;
}

void loss_terms(const struct loss_spec *spec, const struct leaf *leaf, size_t first_term, size_t n, size_t width,
                float *outputs, bool gradient, struct loss_sums *sums)
{
    if (!spec->class->point) {
        spec->class->terms(spec, leaf, first_term, n, width, outputs, gradient, sums);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        size_t term = first_term + i;
        if (leaf->labels && leaf->labels[term] == LEAF_IGNORED) {
            outputs[i * width] = 0;
            continue;
        }
        float target = leaf->targets ? leaf->targets[term] : (float)leaf->labels[term];
        double weight = gradient && spec->class_weights ? spec->class_weights[leaf->labels[term]] : 1;
        point_term(spec, target, weight, outputs + i * width, gradient, sums);
    }
}

/* ---- losses of one output a term ---- */

static struct loss_point squared_error(const struct loss_spec *spec, float y, float t)
{
    (void)spec;
    float d = y - t;
    return (struct loss_point){d * d, 2 * d};
}

const struct loss_class loss_mean_squared_error = {
    PLAIN_KIND("mean_squared_error", "(y - t)^2"),
    .point = squared_error,
};

/* NaN goes through, so that a diverged step is seen. */
static float sign(float d)
{
    return d > 0 ? 1 : d < 0 ? -1 : d;
}

static struct loss_point absolute_error(const struct loss_spec *spec, float y, float t)
{
    (void)spec;
    float d = y - t;
    return (struct loss_point){fabsf(d), sign(d)};
}

const struct loss_class loss_l1 = {
    PLAIN_KIND("l1", "|y - t|"),
    .point = absolute_error,
};

static struct loss_point huber(const struct loss_spec *spec, float y, float t)
{
    float delta = (float)spec->delta, d = y - t, size = fabsf(d);
    if (size > delta)
        return (struct loss_point){delta * (size - 0.5f * delta), delta * sign(d)};
    return (struct loss_point){0.5f * d * d, d};
}

const struct loss_class loss_huber = {
    PLAIN_KIND("huber", "(y - t)^2 / 2 up to |y - t| = d, d (|y - t| - d / 2) beyond, d being `huber_delta`"),
    .has_delta = true,
    .point = huber,
};

/* -t log s(y) - (1 - t) log(1 - s(y)) = max(y, 0) - y t + log(1 + exp(-|y|)), which does not overflow. */
static struct loss_point binary_cross_entropy(const struct loss_spec *spec, float y, float target)
{
    float t = (float)((double)target * (1 - spec->label_smoothing) + 0.5 * spec->label_smoothing);
    float size = -fabsf(y), e, log1, s;
    vector_exp(1, &size, &e);
    float sum = 1 + e;
    vector_log(1, &sum, &log1);
    s = y >= 0 ? 1 / sum : e / sum;
    float positive = y <= 0 ? 0 : y;
    return (struct loss_point){positive - y * t + log1, s - t};
}

static bool check_binary(const struct loss_spec *spec, const struct shape *out, const struct leaf_form *form,
                         struct error *error)
{
    (void)spec, (void)out;
    if (form->classes > 2)
        return error_set(error, ERROR_USAGE,
                         "loss: binary_cross_entropy wants two classes, but the data has %zu%s%s%s: choose "
                         "softmax_cross_entropy",
                         form->classes, *form->hint ? " (" : "", form->hint, *form->hint ? ")" : "");
    if (form->classes == 0 && (form->least < 0 || form->most > 1))
        return error_set(error, ERROR_USAGE,
                         "loss: binary_cross_entropy wants targets from 0 to 1, but the data's go from %g to %g",
                         (double)form->least, (double)form->most);
    return true;
}

const struct loss_class loss_binary_cross_entropy = {
    PLAIN_KIND("binary_cross_entropy", "of logits y with targets t from 0 to 1"),
    .has_hits = true,
    .has_smoothing = true,
    .has_weights = true,
    .point = binary_cross_entropy,
    .check = check_binary,
};

/* ---- all of them ---- */

bool loss_register(const struct loss_class *class, struct error *error)
{
    const char *name = class->kind.name ? class->kind.name : "''";
    if (!class->point && !class->terms)
        return error_set(error, ERROR_USAGE, "loss %s: it has neither point nor terms", name);
    if (class->point && class->terms)
        return error_set(error, ERROR_USAGE, "loss %s: it has point and terms: only one of them would be asked", name);
    if (class->terms && !class->check)
        return error_set(error, ERROR_USAGE,
                         "loss %s: it has terms, but no check that each term has equally many outputs", name);
    for (const struct option_row *key = class->kind.keys; key && key->name; key++)
        if (key->type == OPTION_LIST)
            return error_set(error, ERROR_USAGE, "loss %s: the key %s is a list of sections: only values are possible",
                             name, key->name);
    return registry_add(&loss_registry, &class->kind, error);
}

struct registry loss_registry = {
    .role = "loss",
    .keys = loss_rows,
    .kinds = {&loss_softmax_cross_entropy.kind, &loss_mean_squared_error.kind, &loss_l1.kind, &loss_huber.kind,
              &loss_binary_cross_entropy.kind},
};

const struct option_row loss_rows[] = {
    {"name", "what is minimised", KIND(struct loss_spec, class, settings, &loss_registry),
     DEFAULT("softmax_cross_entropy")},
    KIND_KEYS,
    {0},
};
