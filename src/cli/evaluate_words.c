#include "cli/evaluate_words.h"

#include "base/option.h"
#include "base/plural.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define TABLE_MOST  20 /* classes whose whole confusion is printed */
#define ERRORS_MOST 10 /* of more classes: what is taken for what most often */
#define NAME_COLUMN 14
#define NAME_SHOWN  64

/* What the data call a class. */
static void class_name(const struct trained *trained, size_t class, char *name, size_t bytes)
{
    const struct description *about = &trained->saved.about;
    const struct categories *names = description_classes(about);
    if (names && class < names->count)
        snprintf(name, bytes, "%s", names->names[class]);
    else
        snprintf(name, bytes, "%" PRIu64, class + about->label_offset);
}

static void class_shown(const struct trained *trained, size_t class, char *shown, size_t bytes)
{
    char name[256];
    class_name(trained, class, name, sizeof name);
    option_show(name, shown, bytes);
}

static double share(uint64_t part, uint64_t whole)
{
    return whole > 0 ? (double)part / (double)whole : (double)NAN;
}

static double f1_of(const struct class_counts *counts)
{
    return share(2 * counts->hits, counts->labelled + counts->predicted);
}

/* ---- for people ---- */

static void append_metrics(const struct evaluate_report *report, struct text *words)
{
    for (int m = METRIC_LOSS; m < METRIC_KINDS; m++) {
        char value[METRIC_TEXT];
        if (!report->evaluation.fits[m])
            continue;
        metric_text((enum metric_kind)m, report->evaluation.values[m], value);
        bool none = m == METRIC_R2 && report->evaluation.is_constant;
        text_append(words, "%-12s %s\n", metric_name((uint64_t)m), none ? "- (the targets are all the same)" : value);
    }
}

static void append_share(struct text *words, double value)
{
    if (isnan(value))
        text_append(words, " %9s", "-");
    else
        text_append(words, " %9.4f", value);
}

static void append_classes(const struct trained *trained, const struct evaluate_report *report, struct text *words)
{
    char name[NAME_SHOWN];
    text_append(words, "\n%-*s %9s %9s %9s %9s\n", NAME_COLUMN, "class", "precision", "recall", "f1", "labels");
    for (size_t k = 0; k < report->classes; k++) {
        const struct class_counts *counts = &report->counts[k];
        class_shown(trained, k, name, sizeof name);
        text_append(words, "%-*s", NAME_COLUMN, name);
        append_share(words, share(counts->hits, counts->predicted));
        append_share(words, share(counts->hits, counts->labelled));
        append_share(words, f1_of(counts));
        text_append(words, " %9" PRIu64 "\n", counts->labelled);
    }
}

static void append_table(const struct trained *trained, const struct evaluate_report *report, struct text *words)
{
    size_t K = report->classes;
    char name[NAME_SHOWN];
    int width = 7;
    for (size_t k = 0; k < K; k++) {
        class_shown(trained, k, name, sizeof name);
        width = (int)strlen(name) > width ? (int)strlen(name) : width;
    }
    width = width < NAME_COLUMN ? width : NAME_COLUMN;
    text_append(words, "\n%-*s", NAME_COLUMN, "label\\predicted");
    for (size_t k = 0; k < K; k++) {
        class_shown(trained, k, name, sizeof name);
        text_append(words, " %*.*s", width, width, name);
    }
    text_append(words, "\n");
    for (size_t label = 0; label < K; label++) {
        class_shown(trained, label, name, sizeof name);
        text_append(words, "%-*.*s ", NAME_COLUMN, NAME_COLUMN, name);
        for (size_t k = 0; k < K; k++)
            text_append(words, " %*" PRIu64, width, report->confusion[label * K + k]);
        text_append(words, "\n");
    }
}

/* The largest number beside the diagonal that is smaller than `below`, or equal and behind the place `after`. */
static size_t next_error(const struct evaluate_report *report, uint64_t below, size_t after)
{
    size_t K = report->classes, found = K * K;
    for (size_t i = 0; i < K * K; i++) {
        uint64_t count = report->confusion[i];
        bool is_left = count < below || (count == below && i > after);
        if (i / K != i % K && count > 0 && is_left && (found == K * K || count > report->confusion[found]))
            found = i;
    }
    return found;
}

static void append_errors(const struct trained *trained, const struct evaluate_report *report, struct text *words)
{
    size_t K = report->classes, place = 0;
    uint64_t below = UINT64_MAX;
    char label[NAME_SHOWN], predicted[NAME_SHOWN];
    text_append(words, "\nmost often mistaken\n");
    for (int n = 0; n < ERRORS_MOST && (place = next_error(report, below, place)) < K * K; n++) {
        below = report->confusion[place];
        class_shown(trained, place / K, label, sizeof label);
        class_shown(trained, place % K, predicted, sizeof predicted);
        text_append(words, "%9" PRIu64 " times %s for %s\n", below, label, predicted);
    }
}

static void append_worst(const struct trained *trained, const struct evaluate_report *report, struct text *words)
{
    bool has_classes = trained->saved.model.form.classes > 0;
    text_append(words, "\n%-*s %12s  %s\n", NAME_COLUMN, "worst sample", "loss",
                trained->saved.model.terms > 1 ? ""
                : has_classes                  ? "label, predicted"
                                               : "target, predicted");
    for (size_t i = 0; i < report->worst_count; i++) {
        const struct evaluate_sample *sample = &report->worst[i];
        char label[NAME_SHOWN], predicted[NAME_SHOWN];
        text_append(words, "%-*" PRIu64 " %12.6g", NAME_COLUMN, sample->index, sample->loss);
        if (trained->saved.model.terms == 1 && has_classes) {
            class_shown(trained, (size_t)sample->label, label, sizeof label);
            class_shown(trained, (size_t)sample->predicted, predicted, sizeof predicted);
            text_append(words, "  %s, %s", label, predicted);
        } else if (trained->saved.model.terms == 1) {
            text_append(words, "  %.6g, %.6g", sample->label, sample->predicted);
        }
        if (report->worst_names[i]) {
            text_append(words, "  ");
            text_append_shown(words, report->worst_names[i], strlen(report->worst_names[i]), BREAKS_NONE);
        }
        text_append(words, "\n");
    }
}

void evaluate_words(const struct trained *trained, const struct evaluate_report *report, struct text *words)
{
    text_append(words, "%s, step %" PRIu64 ": %zu sample%s of %s\n\n", trained->path, trained->step, report->samples,
                plural(report->samples), report->name);
    append_metrics(report, words);
    if (report->classes > 0)
        append_classes(trained, report, words);
    if (report->confusion && report->classes <= TABLE_MOST)
        append_table(trained, report, words);
    else if (report->confusion)
        append_errors(trained, report, words);
    append_worst(trained, report, words);
}

/* ---- JSON ---- */

static void append_number(struct text *json, const char *key, double value)
{
    if (isfinite(value))
        text_append(json, ",\"%s\":%.9g", key, value);
    else
        text_append(json, ",\"%s\":null", key);
}

static void append_class(const struct trained *trained, const char *key, size_t class, struct text *json)
{
    char name[256];
    class_name(trained, class, name, sizeof name);
    text_append(json, "\"%s\":", key);
    text_append_json(json, name);
}

static void append_json_classes(const struct trained *trained, const struct evaluate_report *report, struct text *json)
{
    size_t K = report->classes;
    text_append(json, ",\"classes\":[");
    for (size_t k = 0; k < K; k++) {
        const struct class_counts *counts = &report->counts[k];
        text_append(json, k > 0 ? ",{" : "{");
        append_class(trained, "name", k, json);
        append_number(json, "precision", share(counts->hits, counts->predicted));
        append_number(json, "recall", share(counts->hits, counts->labelled));
        append_number(json, "f1", f1_of(counts));
        text_append(json, ",\"labels\":%" PRIu64 "}", counts->labelled);
    }
    text_append(json, "]");
    for (size_t i = 0; report->confusion && i < K * K; i++)
        text_append(json, "%s%" PRIu64 "%s",
                    i == 0       ? ",\"confusion\":[["
                    : i % K == 0 ? ",["
                                 : ",",
                    report->confusion[i],
                    i == K * K - 1   ? "]]"
                    : i % K == K - 1 ? "]"
                                     : "");
}

static void append_json_worst(const struct trained *trained, const struct evaluate_report *report, struct text *json)
{
    text_append(json, ",\"worst\":[");
    for (size_t i = 0; i < report->worst_count; i++) {
        const struct evaluate_sample *sample = &report->worst[i];
        text_append(json, "%s{\"sample\":%" PRIu64, i > 0 ? "," : "", sample->index);
        if (report->worst_names[i]) {
            text_append(json, ",\"name\":");
            text_append_json(json, report->worst_names[i]);
        }
        append_number(json, "loss", sample->loss);
        if (trained->saved.model.terms == 1 && trained->saved.model.form.classes > 0) {
            text_append(json, ",");
            append_class(trained, "label", (size_t)sample->label, json);
            text_append(json, ",");
            append_class(trained, "predicted", (size_t)sample->predicted, json);
        } else if (trained->saved.model.terms == 1) {
            append_number(json, "target", sample->label);
            append_number(json, "predicted", sample->predicted);
        }
        text_append(json, "}");
    }
    text_append(json, "]");
}

void evaluate_json(const struct trained *trained, const struct evaluate_report *report, struct text *json)
{
    text_append(json, "{\"checkpoint\":");
    text_append_json(json, trained->path);
    text_append(json, ",\"step\":%" PRIu64 ",\"data\":\"%s\",\"samples\":%zu", trained->step, report->name,
                report->samples);
    for (int m = METRIC_LOSS; m < METRIC_KINDS; m++)
        if (report->evaluation.fits[m])
            append_number(json, metric_name((uint64_t)m), report->evaluation.values[m]);
    if (report->classes > 0)
        append_json_classes(trained, report, json);
    append_json_worst(trained, report, json);
    text_append(json, "}\n");
}
