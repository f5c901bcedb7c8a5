#include "data/sample_facts.h"

#include "base/memory.h"
#include "base/plural.h"
#include "base/utf8.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#define LOOKED_AT       20000 /* samples, ... */
#define BYTES_MOST      2e8   /* ... or so many bytes of inputs */
#define FIRST           3
#define NUMBERS_TOLD    8
#define CHARACTERS_TOLD 24
#define WHOLE_MOST      20 /* different targets that may well be labels, ... */
#define EACH_LEAST      5  /* ... if there are so many samples of each */
#define CLASSES_TOLD    20

static void tell_numbers(struct text *line, const float *numbers, const int32_t *whole, size_t n)
{
    for (size_t i = 0; i < n && i < NUMBERS_TOLD; i++) {
        if (whole)
            text_append(line, " %" PRId32, whole[i]);
        else
            text_append(line, " %.5g", (double)numbers[i]);
    }
    text_append(line, "%s", n > NUMBERS_TOLD ? " ..." : "");
}

/* As they are stored. */
static void tell_labels(struct text *line, const int32_t *labels, size_t n, uint64_t offset)
{
    for (size_t i = 0; i < n && i < NUMBERS_TOLD; i++)
        if (labels[i] == LEAF_IGNORED)
            text_append(line, " (none)");
        else
            text_append(line, " %" PRIu64, (uint64_t)labels[i] + offset);
    text_append(line, "%s", n > NUMBERS_TOLD ? " ..." : "");
}

/* The characters that tokens stand for. */
static void tell_characters(struct text *line, const char *vocabulary, const int32_t *tokens, size_t n)
{
    struct text all;
    text_init(&all);
    for (size_t i = 0; i < n && i < CHARACTERS_TOLD; i++) {
        const char *at = vocabulary, *end = vocabulary + strlen(vocabulary);
        size_t length = utf8_decode(at, (size_t)(end - at), &(uint32_t){0});
        for (int32_t c = 0; c < tokens[i] && length > 0; c++) {
            at += length;
            length = utf8_decode(at, (size_t)(end - at), &(uint32_t){0});
        }
        text_append_bytes(&all, at, length);
    }
    text_append(line, " '");
    text_append_shown(line, text_bytes(&all), all.length, BREAKS_NONE);
    text_append(line, "'%s", n > CHARACTERS_TOLD ? " ..." : "");
    text_release(&all);
}

static void tell_sample(struct text *lines, size_t index, const struct description *about, const struct leaf *leaf)
{
    const struct leaf_form *form = &about->form;
    size_t width = shape_count(&form->input);
    text_append(lines, "  sample %zu:", index);
    if (about->vocabulary && leaf->tokens)
        tell_characters(lines, about->vocabulary, leaf->tokens, width);
    else
        tell_numbers(lines, leaf->inputs, leaf->tokens, width);
    text_append(lines, " ->");
    if (about->vocabulary && leaf->tokens)
        tell_characters(lines, about->vocabulary, leaf->labels, form->terms);
    else if (leaf->labels && form->vocabulary == 0)
        tell_labels(lines, leaf->labels, form->terms, about->label_offset);
    else
        tell_numbers(lines, leaf->targets, leaf->labels, form->terms);
    text_append(lines, "\n");
}

/* What has been seen of the inputs so far. */
struct inputs {
    float *first; /* [width] of the first sample; NULL: they are tokens */
    bool *varies; /* [width] */
    size_t width;
};

static void take_inputs(struct sample_facts *facts, struct inputs *inputs, const float *input)
{
    for (size_t i = 0; i < inputs->width; i++) {
        double value = (double)input[i];
        bool is_number = isfinite(value);
        facts->low = is_number && value < facts->low ? value : facts->low;
        facts->high = is_number && value > facts->high ? value : facts->high;
        if (facts->looked_at == 0)
            inputs->first[i] = input[i];
        inputs->varies[i] = inputs->varies[i] || !is_number || input[i] < inputs->first[i] ||
                            input[i] > inputs->first[i];
    }
}

static void count_constants(struct sample_facts *facts, const struct inputs *inputs)
{
    for (size_t i = inputs->width; i > 0; i--)
        if (!inputs->varies[i - 1]) {
            facts->constants++;
            facts->constant = i - 1;
        }
}

static size_t samples_to_look_at(const struct dataset *dataset)
{
    double bytes = (double)shape_count(&dataset->about.form.input) * sizeof(float);
    size_t most = BYTES_MOST / bytes < LOOKED_AT ? (size_t)(BYTES_MOST / bytes) + 1 : LOOKED_AT;
    return dataset->count < most ? dataset->count : most;
}

static bool take_all(struct sample_facts *facts, const struct dataset *dataset, struct inputs *inputs,
                     struct leaf *leaf, struct error *error)
{
    const struct leaf_form *form = &dataset->about.form;
    size_t n = samples_to_look_at(dataset);
    for (size_t i = 0; i < n; i++) {
        uint64_t index = i < FIRST || n == dataset->count ? i
                                                          : (uint64_t)((double)i / (double)n * (double)dataset->count);
        dataset_read(dataset, &index, 1, leaf);
        if (dataset_failed(dataset, error))
            return false;
        if (i < FIRST)
            tell_sample(&facts->first, (size_t)index, &dataset->about, leaf);
        if (inputs->first)
            take_inputs(facts, inputs, leaf->inputs);
        for (size_t t = 0; form->classes == 0 && t < form->terms; t++)
            facts->has_fractions = facts->has_fractions || leaf->targets[t] < floorf(leaf->targets[t]) ||
                                   leaf->targets[t] > floorf(leaf->targets[t]);
        for (size_t t = 0; facts->of_class && t < form->terms; t++)
            if (leaf->labels[t] != LEAF_IGNORED)
                facts->of_class[leaf->labels[t]]++;
        facts->looked_at++;
    }
    return true;
}

bool sample_facts_take(struct sample_facts *facts, const struct dataset *dataset, struct error *error)
{
    const struct leaf_form *form = &dataset->about.form;
    struct inputs inputs = {.width = form->vocabulary > 0 ? 0 : shape_count(&form->input)};
    struct leaf leaf;
    *facts = (struct sample_facts){.low = INFINITY, .high = -INFINITY};
    if (!leaf_init(&leaf, form, 1, error))
        return false;
    if (form->vocabulary == 0) {
        inputs.first = memory_need(inputs.width, sizeof *inputs.first);
        inputs.varies = memory_need(inputs.width, sizeof *inputs.varies);
    }
    if (form->vocabulary == 0 && form->classes > 0)
        facts->of_class = memory_need(form->classes, sizeof *facts->of_class);
    bool ok = take_all(facts, dataset, &inputs, &leaf, error);
    if (ok && form->input.dims == 1 && facts->looked_at > 1)
        count_constants(facts, &inputs);
    while (ok && facts->of_class && facts->offset + 1 < form->classes && facts->of_class[facts->offset] == 0)
        facts->offset++;
    if (facts->looked_at < dataset->count) /* others may be there */
        facts->offset = 0;
    memory_free(inputs.first);
    memory_free(inputs.varies);
    leaf_release(&leaf);
    return ok;
}

void sample_facts_release(struct sample_facts *facts)
{
    memory_free(facts->of_class);
    text_release(&facts->first);
    *facts = (struct sample_facts){0};
}

/* ---- in words ---- */

static void tell_classes(const struct sample_facts *facts, const struct description *about, struct survey *survey)
{
    const struct categories *names = description_classes(about);
    struct text words;
    size_t told = 0, empty = 0;
    text_init(&words);
    for (size_t c = 0; c < about->form.classes; c++) {
        empty += facts->of_class[c] == 0;
        if (facts->of_class[c] == 0 || told == CLASSES_TOLD)
            continue;
        told++;
        if (names)
            text_append(&words, "%s%.40s: %zu", told > 1 ? ", " : "", names->names[c], facts->of_class[c]);
        else
            text_append(&words, "%s%" PRIu64 ": %zu", told > 1 ? ", " : "", c + about->label_offset,
                        facts->of_class[c]);
    }
    survey_tell(survey, "  %s of each class: %s%s", about->form.terms > 1 ? "labels" : "samples", text_bytes(&words),
                told == CLASSES_TOLD ? ", ..." : "");
    if (empty > 0 && facts->looked_at > 1)
        survey_wonder(survey, "%zu of %zu classes %s no sample", empty, about->form.classes,
                      empty == 1 ? "has" : "have");
    if (about->form.classes == 256 && facts->of_class[255] > 0 && facts->of_class[254] == 0)
        survey_wonder(survey, "label 255 is there, but 254 is not: does it stand for no class, as ignore_label: 255 "
                              "says?");
    text_release(&words);
}

/* Whether float targets may well be labels that were stored so. */
static bool seem_labels(const struct sample_facts *facts, const struct leaf_form *form)
{
    double range = (double)form->most - (double)form->least;
    return form->classes == 0 && form->terms == 1 && !facts->has_fractions && (form->least >= 0) && range >= 1 &&
           range < WHOLE_MOST && (double)facts->looked_at >= EACH_LEAST * (range + 1);
}

void sample_facts_tell(const struct sample_facts *facts, const struct dataset *dataset, struct survey *survey)
{
    const struct leaf_form *form = &dataset->about.form;
    char shape[96];
    struct text words;
    text_init(&words);
    shape_text(&form->input, shape, sizeof shape);
    text_append(&words, "%zu sample%s of %s %s", dataset->count, plural(dataset->count), shape,
                form->vocabulary > 0 ? "token" : "number");
    text_append(&words, "%s", plural(shape_count(&form->input)));
    if (form->vocabulary > 0)
        text_append(&words, ", of a vocabulary of %zu", form->vocabulary);
    else
        text_append(&words, " from %.6g to %.6g", facts->low, facts->high);
    if (form->vocabulary == 0 && form->classes > 0 && form->terms > 1)
        text_append(&words, ", with %zu labels each, of %zu classes", form->terms, form->classes);
    else if (form->vocabulary == 0 && form->classes > 0)
        text_append(&words, ", with labels of %zu classes", form->classes);
    if (form->classes == 0)
        text_append(&words, ", with %zu target%s from %.6g to %.6g", form->terms, plural(form->terms),
                    (double)form->least, (double)form->most);
    survey_tell(survey, "%s%s", text_bytes(&words),
                facts->looked_at < dataset->count && form->vocabulary == 0 ? ", as far as looked at" : "");
    text_release(&words);
    if (facts->of_class)
        tell_classes(facts, &dataset->about, survey);
    text_append(&survey->facts, "%s", text_bytes(&facts->first));
    if (form->classes == 0 && form->least >= form->most)
        survey_wonder(survey, "all targets are the same number: there is nothing to learn");
    if (seem_labels(facts, form))
        survey_wonder(survey, "all targets are whole, from %.6g to %.6g: if they are labels, %s", (double)form->least,
                      (double)form->most, dataset_as_labels(dataset));
    if (facts->constants > 0 && dataset->about.input_count == 0)
        survey_wonder(survey, "%zu of %zu input%s %s constant: the first is number %zu, counted from 0",
                      facts->constants, shape_count(&form->input), plural(shape_count(&form->input)),
                      facts->constants == 1 ? "is" : "are", facts->constant);
}
