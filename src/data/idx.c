/* Samples and labels in two IDX files, as MNIST is published; regression as float32 files of the same format. */
#include "base/digest.h"
#include "base/guard.h"
#include "base/memory.h"
#include "data/dataset.h"
#include "data/idx_file.h"

#include <inttypes.h>
#include <math.h>

struct idx {
    struct idx_file images, labels;
    const uint8_t *inputs;  /* [count, width], the used ones; floats big-endian, aligned to nothing */
    const uint8_t *targets; /* [count, T], so too: classes as bytes, or floats */
    uint64_t first;         /* the number of the first used sample in the files */
};

/* The part [first, first + count) that the spec wants of the samples that are there. */
static bool choose(const struct dataset_spec *spec, size_t there, size_t *count, struct error *error)
{
    if (spec->first >= there)
        return error_set(error, ERROR_USAGE, "first is %" PRIu64 ", but %s holds only %zu images", spec->first,
                         spec->images, there);
    uint64_t rest = there - spec->first;
    if (spec->count > rest)
        return error_set(error, ERROR_USAGE,
                         "count is %" PRIu64 ", but from image %" PRIu64 " on %s holds only %" PRIu64, spec->count,
                         spec->first, spec->images, rest);
    *count = (size_t)(spec->count ? spec->count : rest);
    return true;
}

/* In double, and rounded once. */
static float normalise(float value, double mean, double std)
{
    return (float)(((double)value - mean) / std);
}

/* No used number may be NaN or infinite, nor become so. `elements` are those of the used samples. */
static bool check_finite(const struct idx_file *file, const char *path, const uint8_t *elements, uint64_t first,
                         size_t count, double mean, double std, struct error *error)
{
    for (size_t i = 0; i < count * file->width; i++) {
        float value = idx_float(elements + i * sizeof value);
        if (isfinite(normalise(value, mean, std)))
            continue;
        uint64_t sample = first + i / file->width;
        size_t place = i % file->width;
        if (!isfinite(value))
            return error_set(error, ERROR_CORRUPT,
                             "%s: sample %" PRIu64 ", value %zu is %s (both counted from 0): repair it, or leave the "
                             "sample out with first and count",
                             path, sample, place,
                             isnan(value) ? "nan"
                             : value < 0  ? "-inf"
                                          : "inf");
        return error_set(error, ERROR_USAGE,
                         "%s: sample %" PRIu64 ", value %zu is %g: with mean %g and std %g it goes beyond a float",
                         path, sample, place, (double)value, mean, std);
    }
    return true;
}

static void find_range(const uint8_t *targets, size_t count, struct leaf_form *form)
{
    form->least = form->most = idx_float(targets);
    for (size_t i = 1; i < count; i++) {
        float target = idx_float(targets + i * sizeof target);
        form->least = target < form->least ? target : form->least;
        form->most = target > form->most ? target : form->most;
    }
}

/* 1 + the largest label of the whole file, so that all parts of it have the same classes. */
static size_t count_classes(const struct idx_file *labels)
{
    size_t classes = 2;
    for (size_t i = 0; i < labels->size[0]; i++)
        if (labels->elements[i] >= classes)
            classes = (size_t)labels->elements[i] + 1;
    return classes;
}

/* Validation labels are below the training data's classes. */
static bool check_labels(const uint8_t *labels, const struct dataset_spec *spec, size_t count, size_t classes,
                         struct error *error)
{
    for (size_t i = 0; i < count; i++)
        if (labels[i] >= classes)
            return error_set(error, ERROR_USAGE,
                             "%s: sample %" PRIu64 " (counted from 0) has label %d, but the training data has only %zu "
                             "classes, 0 to %zu",
                             spec->labels, spec->first + i, labels[i], classes, classes - 1);
    return true;
}

static struct shape input_shape(const struct idx_file *images)
{
    const size_t *size = images->size;
    switch (images->dimensions) {
    case 2:
        return (struct shape){1, {size[1]}};
    case 3:
        return (struct shape){3, {1, size[1], size[2]}};
    default:
        return (struct shape){3, {size[1], size[2], size[3]}};
    }
}

static void idx_close(struct dataset *dataset)
{
    struct idx *idx = dataset->self;
    idx_file_close(&idx->images);
    idx_file_close(&idx->labels);
    memory_free(idx);
}

static uint64_t idx_digest(const struct dataset *dataset)
{
    const struct idx *idx = dataset->self;
    const struct idx_file *images = &idx->images, *labels = &idx->labels;
    uint64_t digest = digest_chain(digest_bytes(idx->inputs, dataset->count * images->width * images->element_bytes),
                                   digest_bytes(idx->targets, dataset->count * labels->width * labels->element_bytes));
    /* With the shape, which dataset_open adds, the type tells how many samples these bytes are, and so what kind of
     * labels. Bytes came first: their digests do not name a type. */
    return images->floats ? digest_chain(digest, images->element_bytes) : digest;
}

struct scan {
    struct dataset *dataset;
    const struct dataset_spec *spec;
    const struct dataset *train;
    struct error *error;
    bool ok;
};

static bool check_samples(const struct scan *scan)
{
    struct dataset *dataset = scan->dataset;
    const struct dataset_spec *spec = scan->spec;
    const struct idx *idx = dataset->self;
    const struct idx_file *images = &idx->images, *labels = &idx->labels;
    size_t count = dataset->count;
    if (images->floats &&
        !check_finite(images, spec->images, idx->inputs, spec->first, count, spec->mean, spec->std, scan->error))
        return false;
    if (labels->floats) {
        if (!check_finite(labels, spec->labels, idx->targets, spec->first, count, 0, 1, scan->error))
            return false;
        find_range(idx->targets, count * labels->width, &dataset->form);
        return true;
    }
    size_t known = scan->train && scan->train->form.vocabulary == 0 ? scan->train->form.classes : 0;
    dataset->form.classes = known ? known : count_classes(labels);
    return check_labels(idx->targets, spec, count, dataset->form.classes, scan->error);
}

/* Guarded: all that reads the samples at the start. */
static void scan_samples(void *context)
{
    struct scan *scan = context;
    scan->ok = check_samples(scan);
    if (scan->ok)
        scan->dataset->digest = idx_digest(scan->dataset);
}

static bool idx_open(struct dataset *dataset, const struct dataset_spec *spec, const struct dataset *train,
                     struct error *error)
{
    struct idx *idx = memory_need(1, sizeof *idx);
    struct idx_file *images = &idx->images, *labels = &idx->labels;
    dataset->self = idx;
    if (!idx_file_open(images, IDX_IMAGES, spec->images, error) ||
        !idx_file_open(labels, IDX_LABELS, spec->labels, error))
        goto failed;
    if (images->size[0] != labels->size[0]) {
        error_set(error, ERROR_CORRUPT, "%s holds %zu images, but %s holds %zu labels: they do not belong together",
                  spec->images, images->size[0], spec->labels, labels->size[0]);
        goto failed;
    }
    if (!choose(spec, images->size[0], &dataset->count, error))
        goto failed;

    dataset->form.input = input_shape(images);
    dataset->form.terms = labels->width;
    dataset->sample_bytes = images->width * images->element_bytes + labels->width * labels->element_bytes;
    idx->first = spec->first;
    idx->inputs = images->elements + spec->first * images->width * images->element_bytes;
    idx->targets = labels->elements + spec->first * labels->width * labels->element_bytes;
    dataset->files[0] = &images->watched;
    dataset->files[1] = &labels->watched;
    struct scan scan = {.dataset = dataset, .spec = spec, .train = train, .error = error};
    const void *where;
    if (guard_run(scan_samples, &scan, &where) ? scan.ok : dataset_refuse_hole(dataset, where, error))
        return true;
failed:
    idx_close(dataset);
    return false;
}

/* Another number than this could be was there when the file was opened. */
static bool refuse_value(const struct idx_file *file, uint64_t sample, size_t place, double value, struct error *error)
{
    return error_set(error, ERROR_CORRUPT,
                     "%s: sample %" PRIu64
                     ", value %zu (both counted from 0) is %g, which it cannot have been when the "
                     "file was opened: it was changed while it was in use",
                     file->watched.path, sample, place, value);
}

/* The floats of a sample: whether all that were finite still are. Bits, not comparisons: so it costs next to nothing.
 */
static bool read_floats(const struct dataset *dataset, const uint8_t *from, size_t width, float *input)
{
    uint32_t most = 0;
    for (size_t x = 0; x < width; x++) {
        float value = normalise(idx_float(from + x * sizeof value), dataset->mean, dataset->std);
        uint32_t bits;
        memcpy(&bits, &value, sizeof bits);
        bits &= 0x7FFFFFFF;
        most = bits > most ? bits : most;
        input[x] = value;
    }
    return most < 0x7F800000;
}

static bool read_targets(const struct dataset *dataset, size_t index, float *targets, struct error *error)
{
    const struct idx *idx = dataset->self;
    size_t terms = idx->labels.width;
    const uint8_t *from = idx->targets + index * terms * sizeof *targets;
    for (size_t t = 0; t < terms; t++) {
        targets[t] = idx_float(from + t * sizeof *targets);
        if (!(targets[t] >= dataset->form.least && targets[t] <= dataset->form.most))
            return refuse_value(&idx->labels, idx->first + index, t, (double)targets[t], error);
    }
    return true;
}

static bool idx_read(const struct dataset *dataset, size_t index, struct leaf *leaf, size_t row, struct error *error)
{
    const struct idx *idx = dataset->self;
    size_t width = idx->images.width;
    const uint8_t *from = idx->inputs + index * width * idx->images.element_bytes;
    float *input = leaf->inputs + row * width;
    if (!idx->images.floats) {
        for (size_t x = 0; x < width; x++)
            input[x] = dataset->level[from[x]];
    } else if (!read_floats(dataset, from, width, input)) {
        size_t x = 0;
        while (x + 1 < width && isfinite(input[x]))
            x++;
        return refuse_value(&idx->images, idx->first + index, x, (double)idx_float(from + x * sizeof *input), error);
    }
    if (idx->labels.floats)
        return read_targets(dataset, index, leaf->targets + row * idx->labels.width, error);
    uint8_t label = idx->targets[index];
    leaf->labels[row] = label;
    return label < dataset->form.classes || refuse_value(&idx->labels, idx->first + index, 0, label, error);
}

const struct dataset_class dataset_idx = {.open = idx_open, .close = idx_close, .read = idx_read, .digest = idx_digest};
