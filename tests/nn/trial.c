#include "nn/trial.h"

#include "base/memory.h"
#include "base/rng.h"
#include "support/test.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

float trial_draw(const char *purpose, size_t index)
{
    return 2 * rng_uniform(rng_key(1, purpose), index) - 1;
}

/* ---- drawing ---- */

static void draw_params(struct bench *b)
{
    const struct tensor_table *table = &b->model.table;
    b->params = memory_need(table->count, sizeof(float));
    b->gradient = memory_need(table->count, sizeof(float));
    for (size_t i = 0; i < table->count; i++)
        b->gradient[i] = TRIAL_GAP;
    for (size_t t = 0; t < table->length; t++) {
        const struct tensor *tensor = &table->tensors[t];
        bool is_variance = tensor->role == TENSOR_STATISTIC && strstr(tensor->name, "running_var");
        for (size_t i = 0; i < tensor->count; i++) {
            float value = trial_draw(tensor->name, i);
            b->params[tensor->offset + i] = is_variance ? 1 + 0.5f * value : value;
            b->gradient[tensor->offset + i] = NAN;
        }
    }
}

static void draw_leaf(struct bench *b, const struct trial *trial)
{
    struct leaf *leaf = &b->model.leaf;
    const struct leaf_form *form = &trial->form;
    size_t I = shape_count(&form->input), T = form->terms;
    leaf->rows = trial->rows;
    leaf->first = trial->first;
    for (size_t i = 0; i < b->model.rows * I; i++) {
        bool used = i < trial->rows * I;
        if (leaf->tokens)
            leaf->tokens[i] = used ? (int32_t)(rng_permute(7, 1000003, i) % form->vocabulary) : INT32_MAX;
        else
            leaf->inputs[i] = used ? trial_draw("input", i) : NAN;
    }
    for (size_t i = 0; i < b->model.rows * T; i++) {
        bool used = i < trial->rows * T;
        int32_t label = leaf->labels ? (int32_t)(rng_permute(8, 1000003, i) % form->classes) : 0;
        if (leaf->labels)
            leaf->labels[i] = !used ? INT32_MAX : trial->ignores && i % 3 == 1 ? LEAF_IGNORED : label;
        else
            leaf->targets[i] = used ? (1 + trial_draw("target", i)) / 2 : NAN; /* in [0, 1): also for binary losses */
    }
}

/* A pass may rely on nothing that an earlier one has left. */
static void spoil(struct model *model)
{
    const struct layer *last = &model->layers[model->count - 1];
    for (size_t i = 0; i < model->plan.out_count; i++)
        memset(model->outs[i], 0xff, model->rows * model->plan.out_floats[i] * sizeof(float));
    for (size_t i = 0; i < model->plan.up_count; i++)
        memset(model->ups[i], 0xff, model->rows * model->plan.up_floats[i] * sizeof(float));
    for (size_t l = 0; l < model->count; l++)
        if (model->saved[l])
            memset(model->saved[l], 0xff, model->layers[l].saved * sizeof(float));
    if (model->turned)
        memset(model->turned, 0xff, model->rows * last->outputs * sizeof(float));
    memset(model->scratch, 0xff, model->scratch_floats * sizeof(float));
    memset(model->tile, 0xff, model->tile_rows * last->out.size[last->out.dims - 1] * sizeof(float));
}

bool bench_init(struct bench *bench, const struct trial *trial)
{
    struct error error = {0};
    struct loss_spec loss = trial->loss;
    if (!loss.class)
        loss.class = &loss_mean_squared_error;
    memset(bench, 0, sizeof *bench);
    if (!model_init(&bench->model, &trial->spec, &loss, &trial->form, trial->room ? trial->room : trial->rows, 3,
                    &error)) {
        printf("\n    refused: %s", error.text);
        return false;
    }
    draw_params(bench);
    draw_leaf(bench, trial);
    spoil(&bench->model);
    reference_init(&bench->reference, &bench->model, &trial->spec, bench->params, trial->step);
    return true;
}

void bench_release(struct bench *bench)
{
    memory_free(bench->params);
    memory_free(bench->gradient);
    reference_release(&bench->reference);
    model_release(&bench->model);
    memset(bench, 0, sizeof *bench);
}

size_t bench_nans(const struct bench *bench, size_t *gaps)
{
    const struct tensor_table *table = &bench->model.table;
    bool *inside = memory_need(table->count, sizeof *inside);
    size_t nans = 0;
    *gaps = 0;
    for (size_t t = 0; t < table->length; t++)
        memset(inside + table->tensors[t].offset, true, table->tensors[t].count);
    for (size_t e = 0; e < table->count; e++) {
        nans += inside[e] && isnan(bench->gradient[e]);
        *gaps += !inside[e] && bench->gradient[e] != TRIAL_GAP;
    }
    memory_free(inside);
    return nans;
}

/* ---- comparing ---- */

/* To 1e-5 of itself, or of what is usual beside it: a sum that happens to be nearly 0 is as inexact as its terms. */
static bool near(double value, double expected, double usual)
{
    return fabs(value - expected) <= 1e-5 * fmax(usual, fabs(expected));
}

static double root_mean_square(const double *values, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += values[i] * values[i];
    return sqrt(sum / (double)count);
}

/* The value of the loss with parameter `place` moved by h. */
static double moved(struct bench *b, size_t place, double h)
{
    double kept = b->reference.params[place];
    b->reference.params[place] = kept + h;
    double loss = reference_loss(&b->reference);
    b->reference.params[place] = kept;
    return loss;
}

/* The derivatives of one tensor, at `checked` of its elements. */
struct slopes {
    size_t checked;
    double *values; /* [checked] */
    double largest;
};

/* The k-th that is checked, of all, or evenly spread over them. */
static size_t element(const struct tensor *tensor, size_t checked, size_t k)
{
    return tensor->offset +
           (checked == tensor->count ? k : (size_t)((double)k * (double)tensor->count / (double)checked));
}

static struct slopes slopes_of(struct bench *b, const struct tensor *tensor, size_t most)
{
    const double h = 1e-5;
    struct slopes slopes = {.checked = most > 0 && tensor->count > most ? most : tensor->count};
    slopes.values = memory_need(slopes.checked, sizeof *slopes.values);
    for (size_t k = 0; k < slopes.checked; k++) {
        size_t place = element(tensor, slopes.checked, k);
        slopes.values[k] = (moved(b, place, h) - moved(b, place, -h)) / (2 * h);
        slopes.largest = fmax(slopes.largest, fabs(slopes.values[k]));
    }
    return slopes;
}

/* Relative error 1e-3, and float's own error for those that are nearly 0 beside the model's `largest`. */
static bool tensor_is_right(const struct bench *b, const struct tensor *tensor, const struct slopes *slopes,
                            double largest)
{
    size_t wrong = 0, first = 0;
    for (size_t k = slopes->checked; k-- > 0;) {
        double value = (double)b->gradient[element(tensor, slopes->checked, k)], slope = slopes->values[k];
        if (fabs(value - slope) <= 1e-3 * fabs(slope) + 1e-6 * largest)
            continue;
        wrong++;
        first = k;
    }
    if (wrong > 0)
        printf("\n    %s: %zu of %zu derivatives are wrong, the first (%zu) is %g and not %g", tensor->name, wrong,
               slopes->checked, element(tensor, slopes->checked, first) - tensor->offset,
               (double)b->gradient[element(tensor, slopes->checked, first)], slopes->values[first]);
    bool means_something = slopes->largest >= 1e-4 * largest;
    if (!means_something)
        printf("\n    %s: all derivatives are nearly 0, so that this checks nothing", tensor->name);
    return wrong == 0 && means_something;
}

static bool derivatives_are_right(struct bench *b, size_t most)
{
    const struct tensor_table *table = &b->model.table;
    struct slopes *slopes = memory_need(table->length, sizeof *slopes);
    double largest = 0;
    bool right = true;
    for (size_t t = 0; t < table->length; t++)
        if (table->tensors[t].role != TENSOR_STATISTIC) {
            slopes[t] = slopes_of(b, &table->tensors[t], most);
            largest = fmax(largest, slopes[t].largest);
        }
    for (size_t t = 0; t < table->length; t++)
        if (table->tensors[t].role != TENSOR_STATISTIC)
            right = tensor_is_right(b, &table->tensors[t], &slopes[t], largest) && right;
    for (size_t t = 0; t < table->length; t++)
        memory_free(slopes[t].values);
    memory_free(slopes);
    return right;
}

/* What stands in place of a statistic's gradient: its value in this leaf, times the leaf's share of the divisor. */
static bool statistics_are_right(const struct bench *b)
{
    const struct tensor_table *table = &b->model.table;
    double share = (double)(b->model.leaf.rows * b->model.form.terms);
    size_t wrong = 0;
    for (size_t t = 0; t < table->length; t++)
        for (size_t i = 0; table->tensors[t].role == TENSOR_STATISTIC && i < table->tensors[t].count; i++) {
            size_t place = table->tensors[t].offset + i;
            wrong += !near((double)b->gradient[place] / share, b->reference.statistics[place], 1);
        }
    if (wrong > 0)
        printf("\n    %zu statistics are wrong", wrong);
    return wrong == 0;
}

/* Outputs, where they exist as a whole after a pass, and sums. */
static bool values_are_right(const struct bench *b, const struct loss_sums *sums)
{
    const struct model *model = &b->model;
    struct shape shape;
    double *expected = reference_outputs(&b->reference, &shape);
    struct loss_sums right = reference_sums(&b->reference, expected);
    size_t y = model->plan.steps[model->count - 1].y, wrong = 0, count = model->leaf.rows * shape_count(&shape);
    double usual = root_mean_square(expected, count);
    for (size_t e = 0; y != PLAN_NONE && model->tile_rows == 0 && e < count; e++)
        wrong += !near((double)model->outs[y][e], expected[e], usual);
    bool ok = wrong == 0 && fabs(sums->loss - right.loss) <= 1e-5 * fabs(right.loss) && sums->hits == right.hits &&
              fabs(sums->surprise - right.surprise) <= 1e-5 * fabs(right.surprise) && sums->terms == right.terms &&
              memcmp(&shape, &model->layers[model->count - 1].out, sizeof shape) == 0;
    if (!ok)
        printf("\n    %s: %zu of %zu outputs are wrong; loss %.8g, hits %g, terms %g and not %.8g, %g, %g",
               b->reference.training ? "training" : "evaluation", wrong, count, sums->loss, sums->hits, sums->terms,
               right.loss, right.hits, right.terms);
    memory_free(expected);
    return ok;
}

bool trial_passes(const struct trial *trial)
{
    struct bench b;
    struct loss_sums sums = {NAN, NAN, NAN, NAN};
    if (!bench_init(&b, trial))
        return false;
    model_train_leaf(&b.model, b.params, trial->step, b.gradient, &sums, NULL);
    b.reference.training = true;
    bool ok = values_are_right(&b, &sums);
    size_t gaps, nans = bench_nans(&b, &gaps);
    if (nans + gaps > 0)
        printf("\n    %zu elements of the gradient are NaN, %zu between tensors were written", nans, gaps);
    ok = statistics_are_right(&b) && derivatives_are_right(&b, trial->most) && nans + gaps == 0 && ok;
    spoil(&b.model);
    model_evaluate_leaf(&b.model, b.params, &sums, NULL);
    b.reference.training = false;
    ok = values_are_right(&b, &sums) && ok;
    bench_release(&b);
    return ok;
}

void trials_pass(const struct trial *trials, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bool passes = trial_passes(&trials[i]);
        CU_ASSERT_TRUE(passes);
        if (!passes)
            printf("\n    in trial %zu of these\n", i);
    }
}
