/* Samples and labels in two IDX files, as MNIST is published; regression as float32 files of the same format. */
#include "data/idx.h"

#include "base/digest.h"
#include "base/guard.h"
#include "base/memory.h"
#include "base/rows.h"
#include "data/formats.h"
#include "data/idx_file.h"
#include "data/levels.h"

#include <inttypes.h>
#include <math.h>

/* Where the files lie may change: the digest of their content is compared when they are opened. */
static const struct option_row rows[] = {
    {"images",
     "path of the inputs: bytes, or big-endian float32; features [N, F], or images [N, height, width] or [N, channels, "
     "height, width]",
     FIELD(struct idx_settings, images), .path = PATH_READ, .resume = RESUME_FREE},
    {"labels", "path of the labels, bytes [N], or of the targets of a regression, float32 [N] or [N, K]",
     FIELD(struct idx_settings, labels), .path = PATH_READ, .resume = RESUME_FREE},
    {"first", "the first sample that is used, counted from 0", FIELD(struct idx_settings, first), ANY_FROM(0),
     DEFAULT("0")},
    {"count", "how many samples are used; 0 for all that are there", FIELD(struct idx_settings, count), ANY_FROM(0),
     DEFAULT("0")},
    {"mean", "what is subtracted from each number of the inputs, a byte b being b / 255",
     FIELD(struct idx_settings, mean), REAL(-INFINITY, INFINITY), DEFAULT("0")},
    {"std", "what each number of the inputs is divided by after that", FIELD(struct idx_settings, std), POSITIVE,
     DEFAULT("1")},
    {0},
};

struct idx {
    struct idx_file images, labels;
    struct levels levels;
    const uint8_t *inputs;  /* [count, width], the used ones; floats big-endian, aligned to nothing */
    const uint8_t *targets; /* [count, T], so too: classes as bytes, or floats */
    uint64_t first;         /* the number of the first used sample in the files */
};

/* The part [first, first + count) that the settings want of the samples that are there. */
static bool choose(const struct idx_settings *settings, size_t there, size_t *count, struct error *error)
{
    if (settings->first >= there)
        return error_set(error, ERROR_USAGE, "first is %" PRIu64 ", but %s holds only %zu images", settings->first,
                         settings->images, there);
    uint64_t rest = there - settings->first;
    if (settings->count > rest)
        return error_set(error, ERROR_USAGE,
                         "count is %" PRIu64 ", but from image %" PRIu64 " on %s holds only %" PRIu64, settings->count,
                         settings->first, settings->images, rest);
    *count = (size_t)(settings->count ? settings->count : rest);
    return true;
}

/* Of targets: they stay as they are. */
static const struct levels untouched = {.mean = 0, .std = 1};

/* No used number may be NaN or infinite, nor become so. `elements` are those of the used samples. */
static bool check_finite(const struct idx_file *file, const char *path, const uint8_t *elements, uint64_t first,
                         size_t count, const struct levels *levels, struct error *error)
{
    for (size_t i = 0; i < count * file->width; i++) {
        float value = idx_float(elements + i * sizeof value);
        if (isfinite(levels_normalise(levels, value)))
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
                         path, sample, place, (double)value, levels->mean, levels->std);
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
static bool check_labels(const uint8_t *labels, const struct idx_settings *settings, size_t count, size_t classes,
                         struct error *error)
{
    for (size_t i = 0; i < count; i++)
        if (labels[i] >= classes)
            return error_set(error, ERROR_USAGE,
                             "%s: sample %" PRIu64 " (counted from 0) has label %d, but the training data has only %zu "
                             "classes, 0 to %zu",
                             settings->labels, settings->first + i, labels[i], classes, classes - 1);
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
    const struct idx_settings *settings;
    const struct description *train;
    struct error *error;
    bool ok;
};

static bool check_samples(const struct scan *scan)
{
    struct dataset *dataset = scan->dataset;
    const struct idx_settings *settings = scan->settings;
    const struct idx *idx = dataset->self;
    const struct idx_file *images = &idx->images, *labels = &idx->labels;
    size_t count = dataset->count;
    if (images->floats &&
        !check_finite(images, settings->images, idx->inputs, settings->first, count, &idx->levels, scan->error))
        return false;
    if (labels->floats) {
        if (!check_finite(labels, settings->labels, idx->targets, settings->first, count, &untouched, scan->error))
            return false;
        find_range(idx->targets, count * labels->width, &dataset->about.form);
        return true;
    }
    size_t known = scan->train && scan->train->form.vocabulary == 0 ? scan->train->form.classes : 0;
    dataset->about.form.classes = known ? known : count_classes(labels);
    return check_labels(idx->targets, settings, count, dataset->about.form.classes, scan->error);
}

/* Guarded: all that reads the samples at the start. */
static void scan_samples(void *context)
{
    struct scan *scan = context;
    scan->ok = check_samples(scan);
    if (scan->ok)
        scan->dataset->digest = idx_digest(scan->dataset);
}

static bool idx_open(struct dataset *dataset, const void *given, const struct description *train, struct error *error)
{
    const struct idx_settings *settings = given;
    struct idx *idx = memory_need(1, sizeof *idx);
    struct idx_file *images = &idx->images, *labels = &idx->labels;
    dataset->self = idx;
    if (!levels_set(&idx->levels, settings->mean, settings->std, error) ||
        !idx_file_open(images, IDX_IMAGES, settings->images, error) ||
        !idx_file_open(labels, IDX_LABELS, settings->labels, error))
        goto failed;
    if (images->size[0] != labels->size[0]) {
        error_set(error, ERROR_CORRUPT, "%s holds %zu images, but %s holds %zu labels: they do not belong together",
                  settings->images, images->size[0], settings->labels, labels->size[0]);
        goto failed;
    }
    if (!choose(settings, images->size[0], &dataset->count, error))
        goto failed;

    dataset->about.form.input = input_shape(images);
    dataset->about.form.terms = labels->width;
    dataset->mean = settings->mean;
    dataset->std = settings->std;
    dataset->sample_bytes = images->width * images->element_bytes + labels->width * labels->element_bytes;
    idx->first = settings->first;
    idx->inputs = images->elements + settings->first * images->width * images->element_bytes;
    idx->targets = labels->elements + settings->first * labels->width * labels->element_bytes;
    dataset->files = &images->content.watched;
    images->content.watched.next = &labels->content.watched;
    struct scan scan = {.dataset = dataset, .settings = settings, .train = train, .error = error};
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
                     file->content.watched.path, sample, place, value);
}

/* The floats of a sample: whether all that were finite still are. Bits, not comparisons: so it costs next to nothing.
 */
static bool read_floats(const struct levels *levels, const uint8_t *from, size_t width, float *input)
{
    uint32_t most = 0;
    for (size_t x = 0; x < width; x++) {
        float value = levels_normalise(levels, idx_float(from + x * sizeof value));
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
        if (!(targets[t] >= dataset->about.form.least && targets[t] <= dataset->about.form.most))
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
            input[x] = idx->levels.level[from[x]];
    } else if (!read_floats(&idx->levels, from, width, input)) {
        size_t x = 0;
        while (x + 1 < width && isfinite(input[x]))
            x++;
        return refuse_value(&idx->images, idx->first + index, x, (double)idx_float(from + x * sizeof *input), error);
    }
    if (idx->labels.floats)
        return read_targets(dataset, index, leaf->targets + row * idx->labels.width, error);
    uint8_t label = idx->targets[index];
    leaf->labels[row] = label;
    return label < dataset->about.form.classes || refuse_value(&idx->labels, idx->first + index, 0, label, error);
}

static const char *idx_source(const void *given, bool targets)
{
    const struct idx_settings *settings = given;
    return targets ? settings->labels : settings->images;
}

const struct dataset_class dataset_idx = {
    KIND_OF("idx", "IDX files as MNIST is published, plain or gzip, with labels or with float targets",
            struct idx_settings, rows),
    .open = idx_open,
    .close = idx_close,
    .read = idx_read,
    .digest = idx_digest,
    .source = idx_source,
};
