#include "nn/metric.h"

#include "base/real.h"

#include <stdio.h>

typedef bool fits(const struct loss_class *loss, const struct leaf_form *form);
typedef double value(const struct metric_totals *totals);

/* ---- what they fit ---- */

static bool fits_all(const struct loss_class *loss, const struct leaf_form *form)
{
    (void)loss, (void)form;
    return true;
}

static bool fits_hits(const struct loss_class *loss, const struct leaf_form *form)
{
    (void)form;
    return loss->has_hits;
}

static bool fits_top5(const struct loss_class *loss, const struct leaf_form *form)
{
    return loss->ranks_classes && (!form || form->classes > 5);
}

static bool fits_f1(const struct loss_class *loss, const struct leaf_form *form)
{
    return (loss->ranks_classes || (loss->point && loss->has_hits)) && (!form || form->vocabulary == 0);
}

static bool fits_regression(const struct loss_class *loss, const struct leaf_form *form)
{
    (void)form;
    return loss->point && !loss->has_hits;
}

static bool fits_perplexity(const struct loss_class *loss, const struct leaf_form *form)
{
    return loss->has_surprise && (!form || form->vocabulary > 0);
}

/* ---- how they follow from sums ---- */

static double mean(const struct metric_totals *totals, enum metric_sum sum)
{
    return totals->sums[sum] / totals->sums[SUM_TERMS];
}

static double loss(const struct metric_totals *totals)
{
    return mean(totals, SUM_LOSS);
}

static double accuracy(const struct metric_totals *totals)
{
    return mean(totals, SUM_HITS);
}

static double top5(const struct metric_totals *totals)
{
    return mean(totals, SUM_TOP5);
}

static double f1(const struct metric_totals *totals)
{
    double sum = 0, classes = 0;
    for (const struct class_counts *class = totals->counts; class < totals->counts + totals->classes; class ++) {
        if (class->labelled + class->predicted == 0)
            continue;
        sum += 2 * (double)class->hits / (double)(class->labelled + class->predicted);
        classes++;
    }
    return sum / classes;
}

static double mae(const struct metric_totals *totals)
{
    return mean(totals, SUM_ABSOLUTE);
}

static double rmse(const struct metric_totals *totals)
{
    return sqrt(mean(totals, SUM_SQUARED));
}

static double r2(const struct metric_totals *totals)
{
    return totals->spread > 0 ? 1 - totals->sums[SUM_SQUARED] / totals->spread : (double)NAN;
}

static double perplexity(const struct metric_totals *totals)
{
    return real_exp(mean(totals, SUM_SURPRISE));
}

/* ---- all of them ---- */

static const struct metric {
    fits *fits;
    value *value;
    const char *wants; /* of the data */
    bool is_less_better;
    bool is_near_one; /* a share, or like one: of interest are its decimals */
} metrics[METRIC_KINDS] = {
    [METRIC_LOSS] = {fits_all, loss, .is_less_better = true, .is_near_one = true},
    [METRIC_ACCURACY] = {fits_hits, accuracy, .is_near_one = true},
    [METRIC_TOP5] = {fits_top5, top5, "more than five classes", .is_near_one = true},
    [METRIC_F1] = {fits_f1, f1, "classes that are no tokens", .is_near_one = true},
    [METRIC_MAE] = {fits_regression, mae, .is_less_better = true},
    [METRIC_RMSE] = {fits_regression, rmse, .is_less_better = true},
    [METRIC_R2] = {fits_regression, r2, .is_near_one = true},
    [METRIC_PERPLEXITY] = {fits_perplexity, perplexity, "tokens", .is_less_better = true},
};

const char *const metric_names[METRIC_KINDS + 1] = {
    [METRIC_LOSS] = "loss", [METRIC_ACCURACY] = "accuracy", [METRIC_TOP5] = "top5", [METRIC_F1] = "f1",
    [METRIC_MAE] = "mae",   [METRIC_RMSE] = "rmse",         [METRIC_R2] = "r2",     [METRIC_PERPLEXITY] = "perplexity",
};

const char *metric_name(uint64_t number)
{
    return number > METRIC_NONE && number < METRIC_KINDS ? metric_names[number] : "metric";
}

bool metric_is_less_better(enum metric_kind metric)
{
    return metrics[metric].is_less_better;
}

bool metric_fits(enum metric_kind metric, const struct loss_class *class, const struct leaf_form *form)
{
    return metrics[metric].fits(class, form);
}

void metric_append_fitting(struct text *words, const struct loss_class *class, const struct leaf_form *form)
{
    for (enum metric_kind metric = METRIC_LOSS, found = 0; metric < METRIC_KINDS; metric++)
        if (metric_fits(metric, class, form))
            text_append(words, "%s%s", found++ ? ", " : "", metric_names[metric]);
}

bool metric_check(enum metric_kind metric, const struct loss_class *class, const struct leaf_form *form,
                  struct error *error)
{
    if (metric_fits(metric, class, form))
        return true;
    struct text names;
    text_init(&names);
    metric_append_fitting(&names, class, form);
    if (!metric_fits(metric, class, NULL))
        error_set(error, ERROR_USAGE, "there is no %s with loss: %s; allowed: %s", metric_names[metric],
                  class->kind.name, text_bytes(&names));
    else
        error_set(error, ERROR_USAGE, "%s wants %s, which this data does not have; allowed: %s", metric_names[metric],
                  metrics[metric].wants, text_bytes(&names));
    text_release(&names);
    return false;
}

double metric_value(enum metric_kind metric, const struct metric_totals *totals)
{
    double result = metrics[metric].value(totals);
    return isnan(result) ? (double)NAN : result; /* its sign would be printed */
}

void metric_text(enum metric_kind metric, double number, char text[METRIC_TEXT])
{
    double size = fabs(number);
    bool is_small = size > 0 && size < 0.01, is_plain = metrics[metric].is_near_one && !is_small && size < 1e5;
    snprintf(text, METRIC_TEXT, is_plain ? "%.4f" : is_small ? "%.3g" : "%.5g", number);
}
