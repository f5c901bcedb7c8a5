#include "data/dataset.h"

#include "base/check.h"
#include "base/digest.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

const char *const dataset_formats[] = {
    [DATASET_IDX] = "idx", [DATASET_DIGITS] = "digits", [DATASET_TEXT] = "text", [DATASET_TEXT + 1] = NULL};

static const struct dataset_class *const classes[] = {
    [DATASET_IDX] = &dataset_idx,
    [DATASET_DIGITS] = &dataset_digits,
    [DATASET_TEXT] = &dataset_text,
};

/* The same bytes in another shape are other samples, whatever the format. */
static uint64_t digest_shape(uint64_t digest, const struct shape *shape)
{
    for (int i = 0; i < 3; i++)
        digest = digest_chain(digest, shape->size[i]);
    return digest;
}

static bool set_levels(struct dataset *dataset, const struct dataset_spec *spec, struct error *error)
{
    if (!isfinite(spec->mean) || !isfinite(spec->std) || spec->std <= 0)
        return error_set(error, ERROR_USAGE, "the dataset has mean %g and std %g: both must be finite, std above 0",
                         spec->mean, spec->std);
    dataset->mean = spec->mean;
    dataset->std = spec->std;
    for (int b = 0; b < 256; b++)
        dataset->level[b] = (float)((b / 255.0 - spec->mean) / spec->std);
    return true;
}

/* Whether a model for the training data can read samples of `form` (`name`: where they come from). */
static bool inputs_fit(const struct leaf_form *form, const struct leaf_form *train, const char *name,
                       struct error *error)
{
    if ((form->vocabulary > 0) != (train->vocabulary > 0))
        return error_set(error, ERROR_USAGE, "%s holds %s, but the training data %s: both must be of one kind", name,
                         form->vocabulary ? "text" : "numbers", train->vocabulary ? "text" : "numbers");
    if (memcmp(&form->input, &train->input, sizeof form->input) == 0)
        return true;
    char here[96], there[96];
    shape_text(&form->input, here, sizeof here);
    shape_text(&train->input, there, sizeof there);
    return error_set(error, ERROR_USAGE,
                     "samples of %s have the shape %s, but those of the training data %s: both must be equal", name,
                     here, there);
}

/* Whether what it says about them can be judged. */
static bool targets_fit(const struct leaf_form *form, const struct leaf_form *train, const char *name,
                        struct error *error)
{
    if ((form->classes > 0) != (train->classes > 0))
        return error_set(error, ERROR_USAGE, "%s holds %s, but the training data has %s: both must be of one kind",
                         name, form->classes ? "labels" : "float targets", train->classes ? "labels" : "float targets");
    if (form->terms != train->terms)
        return error_set(error, ERROR_USAGE,
                         "%s holds %zu targets a sample, but the training data %zu: both must be equal", name,
                         form->terms, train->terms);
    return form->classes <= train->classes ||
           error_set(error, ERROR_USAGE, "%s have %zu classes, but the training data only %zu", name, form->classes,
                     train->classes);
}

static bool fits(const struct dataset *dataset, const struct dataset_spec *spec, const struct dataset *train,
                 struct error *error)
{
    const char *inputs = "the digits", *targets = "the digits";
    if (spec->format == DATASET_IDX) {
        inputs = spec->images;
        targets = spec->labels;
    } else if (spec->format == DATASET_TEXT) {
        inputs = targets = spec->path;
    }
    return inputs_fit(&dataset->form, &train->form, inputs, error) &&
           targets_fit(&dataset->form, &train->form, targets, error);
}

bool dataset_open(struct dataset *dataset, const struct dataset_spec *spec, const struct dataset *train,
                  struct error *error)
{
    memset(dataset, 0, sizeof *dataset);
    size_t format = (size_t)spec->format;
    if (format >= sizeof classes / sizeof *classes || !classes[format])
        return error_set(error, ERROR_USAGE, "the dataset has no format: choose idx, digits or text");
    if (format != DATASET_TEXT && !set_levels(dataset, spec, error))
        return false;
    if (!classes[format]->open(dataset, spec, train, error)) {
        memset(dataset, 0, sizeof *dataset);
        return false;
    }
    dataset->class = classes[format];
    dataset->digest = digest_shape(dataset->digest, &dataset->form.input);
    if (train && !fits(dataset, spec, train, error)) {
        dataset_close(dataset);
        return false;
    }
    if (train) {
        float least = dataset->form.least, most = dataset->form.most;
        dataset->form = train->form;
        dataset->form.least = least;
        dataset->form.most = most;
    }
    return true;
}

void dataset_describe(const struct dataset *dataset, struct text *words)
{
    const struct leaf_form *form = &dataset->form;
    text_append(words, "%zu samples", dataset->count);
    if (form->vocabulary > 0)
        text_append(words, ", %zu different characters", form->vocabulary);
    else if (form->classes > 0)
        text_append(words, ", %zu classes", form->classes);
    text_append(words, ", digest %016" PRIx64, dataset->digest);
}

void dataset_close(struct dataset *dataset)
{
    if (dataset->class)
        dataset->class->close(dataset);
    memset(dataset, 0, sizeof *dataset);
}

void dataset_read(const struct dataset *dataset, const uint64_t *indices, size_t n, struct leaf *leaf)
{
    for (size_t i = 0; i < n; i++) {
        CHECK(indices[i] < dataset->count, "a sample must lie in the dataset");
        dataset->class->read(dataset, (size_t)indices[i], leaf, i);
    }
    leaf->rows = n;
}
