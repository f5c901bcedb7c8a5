#include "data/array_data.h"

#include "base/digest.h"
#include "base/guard.h"
#include "base/log.h"
#include "base/plural.h"
#include "data/array_numbers.h"
#include "data/levels.h"
#include "data/part.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define BYTES 256
#define AT_ONCE                                                                                                        \
    ((size_t)1 << 20) /* bytes of rows that are looked at: they are still in a cache when they are digested */

const struct option_word array_ignore_words[] = {{"none", ARRAY_IGNORES_NONE},
                                                 {"0", ARRAY_IGNORES_ZERO},
                                                 {"-1", ARRAY_IGNORES_MINUS},
                                                 {"-100", ARRAY_IGNORES_TORCH},
                                                 {0}};

bool array_data_check(const void *given, const char **key, struct error *error)
{
    const struct array_settings *settings = given;
    *key = "part";
    return part_check(settings->part, error);
}

/* ---- shapes ---- */

static bool set_input(const struct array *x, struct shape *input, struct error *error)
{
    const size_t *size = x->size;
    char shape[160];
    switch (x->dims) {
    case 1:
        *input = (struct shape){1, {1}};
        return true;
    case 2:
        *input = (struct shape){1, {size[1]}};
        return true;
    case 3:
        *input = (struct shape){3, {1, size[1], size[2]}};
        return true;
    case 4:
        *input = (struct shape){3, {size[1], size[2], size[3]}};
        return true;
    case 5:
        *input = (struct shape){4, {size[1], size[2], size[3], size[4]}};
        return true;
    default:
        array_shape_text(x, shape, sizeof shape);
        return error_set(error, ERROR_USAGE,
                         "%s has the shape %s: inputs are [N, features], [N, height, width], [N, channels, height, "
                         "width] or [N, channels, depth, height, width]; reshape it",
                         x->name, shape);
    }
}

/* Whether integers of several a sample can be labels: of a field, or of the positions of a sequence. */
static bool has_places(const struct array *x, const struct array *y)
{
    bool is_sequence = x->dims == 3 || (x->dims == 4 && x->size[1] == 1);
    return x->dims > 2 && (y->dims > 2 || (is_sequence && x->size[x->dims - 2] == y->width));
}

/* Whether y can be what the settings say, x's samples being N. */
static bool check_targets(const struct array_data *data, const struct array_settings *settings, struct error *error)
{
    const struct array *x = &data->x, *y = &data->y;
    if (x->size[0] != y->size[0])
        return error_set(error, ERROR_CORRUPT,
                         "%s holds %zu sample%s, but %s targets of %zu: they do not belong together", x->name,
                         x->size[0], plural(x->size[0]), y->name, y->size[0]);
    bool floats = array_has_floats(y);
    char shape[160];
    array_shape_text(y, shape, sizeof shape);
    if (!floats && y->width > 1 && !has_places(x, y))
        return error_set(error, ERROR_USAGE,
                         "%s holds integers (%s) of the shape %s: labels are one integer a sample, [N], or one a "
                         "pixel, [N, height, width]; for targets of a regression store floats",
                         y->name, array_type_name(y->type), shape);
    if (floats && (settings->classes > 0 || settings->label_offset > 0 || settings->ignore_label != ARRAY_IGNORES_NONE))
        return error_set(
            error, ERROR_USAGE,
            "%s holds floats (%s), which are targets of a regression: classes, label_offset and ignore_label "
            "are for labels, which are integers; store labels as such",
            y->name, array_type_name(y->type));
    return true;
}

/* ---- the look at all that is used ---- */

struct scan {
    struct dataset *dataset;
    const struct array_settings *settings;
    const struct description *train;
    struct error *error;
    struct digest_stream *stream; /* of an array that lies in one piece, while it is gone through */
    bool lacks_first;             /* no label is the first of the classes that were counted */
    bool ok;
};

static void tell_lack(const struct array_data *data, size_t classes)
{
    log_warn("%s: no label is %" PRId64 ", the first of the %zu classes; label_offset is for labels that begin at 1",
             data->y.name, data->labels.offset, classes);
}

/* How many there are, if that does not hang on the labels; else 0. */
static size_t known_classes(const struct scan *scan)
{
    size_t known = scan->train && scan->train->form.vocabulary == 0 ? scan->train->form.classes : 0;
    return scan->settings->classes ? (size_t)scan->settings->classes : known;
}

/* Of the whole file, so that all parts of it have the same classes. */
static bool count_classes(struct scan *scan)
{
    struct array_data *data = scan->dataset->self;
    struct array_labels_odd odd = {0};
    bool ok = array_labels_count(&data->labels, &data->y, &odd, scan->dataset->about.form.hint, scan->error);
    scan->dataset->about.form.classes = data->labels.classes;
    scan->lacks_first = odd.lacks_first;
    if (ok && odd.is_void && !data->labels.ignores && !data->gaps) /* whoever only looks says it otherwise */
        log_warn("%s: a label is 255, but the others go to %" PRId64
                 ": it counts as a class, of %zu; if it stands for none: ignore_label: 255",
                 data->y.name, odd.before_void, data->labels.classes);
    return ok;
}

static bool set_classes(struct scan *scan)
{
    struct leaf_form *form = &scan->dataset->about.form;
    struct array_data *data = scan->dataset->self;
    form->classes = data->labels.classes = known_classes(scan);
    return form->classes > 0 || count_classes(scan);
}

/* Those of all samples that are used. */
static bool check_labels(const struct scan *scan, const struct array_rows *rows)
{
    const struct array_data *data = scan->dataset->self;
    return array_labels_check(&data->labels, rows, scan->error);
}

static bool check_input_rows(const struct scan *scan, const struct array_rows *rows)
{
    const struct array_data *data = scan->dataset->self;
    if (data->has_levels && rows->array->missing_count == 0 && array_find_infinite(data->levels, BYTES) == BYTES)
        return true;
    if (data->gaps) {
        array_count_gaps(rows, scan->settings->mean, scan->settings->std, NULL, NULL, data->gaps);
        return true;
    }
    return array_check_numbers(rows, scan->settings->mean, scan->settings->std, NULL, NULL, scan->error);
}

static bool check_target_rows(const struct scan *scan, const struct array_rows *rows)
{
    struct leaf_form *form = &scan->dataset->about.form;
    const struct array_data *data = scan->dataset->self;
    if (data->gaps) {
        array_count_gaps(rows, 0, 1, &form->least, &form->most, data->gaps);
        return true;
    }
    return array_check_numbers(rows, 0, 1, &form->least, &form->most, scan->error);
}

/* Adds rows to the digest of their array: that of all its bytes, if they lie in one piece. Else each row has one: how
 * they lie is no part of it. */
static void digest_rows(const struct array *array, const struct array_rows *rows, struct digest_stream *stream,
                        uint64_t *digest)
{
    const struct array *part = rows->array;
    const double packing[] = {part->scale, part->offset};
    uint64_t packed = part->is_scaled ? digest_bytes(packing, sizeof packing) : 0;
    if (stream)
        digest_add(stream, rows->bytes, rows->count * array->row_bytes);
    else
        for (size_t i = 0; i < rows->count; i++)
            *digest = digest_chain(*digest,
                                   digest_bytes(rows->bytes + i * array->row_bytes, array->row_bytes) ^ packed);
}

typedef bool check_rows(const struct scan *scan, const struct array_rows *rows);

/* Ends the digest that a scan was at, if it was; also behind a hole in the file. */
static uint64_t end_stream(struct scan *scan)
{
    uint64_t digest = scan->stream ? digest_close(scan->stream) : 0;
    scan->stream = NULL;
    return digest;
}

/* Goes once through the used rows of x or y, checks them (NULL: does not), and sets their digest. A file may be larger
 * than memory: what is checked is digested before it is gone again. */
static bool go_through(const struct dataset *dataset, const struct array *array, check_rows *check, struct scan *scan,
                       uint64_t *digest)
{
    const struct array_data *data = dataset->self;
    size_t end = data->first + dataset->count, most = AT_ONCE / array->row_bytes + 1;
    struct array_rows rows;
    bool ok = true;
    *digest = 0;
    scan->stream = array->elements ? digest_open() : NULL;
    for (size_t at = data->first; ok && at < end; at += rows.count) {
        ok = array_rows(array, at, end - at < most ? end - at : most, &rows, scan->error) &&
             (!check || check(scan, &rows));
        if (ok)
            digest_rows(array, &rows, scan->stream, digest);
    }
    uint64_t whole = end_stream(scan);
    *digest = array->elements ? whole : *digest;
    return ok;
}

/* Types and byte orders tell what the bytes are; the shape of the inputs, which dataset_open adds, how many samples. */
static uint64_t join(const struct array_data *data, uint64_t x, uint64_t y)
{
    if (data->labels.ignores) /* labels have another meaning */
        y = digest_chain(y, (uint64_t)data->labels.ignored);
    if (data->join)
        return data->join(data, x, y);
    uint64_t digest = digest_chain(digest_chain(0, x), (uint64_t)data->x.type << 1 | data->x.big_endian);
    digest = digest_chain(digest_chain(digest, y), (uint64_t)data->y.type << 1 | data->y.big_endian);
    return digest_chain(digest, (uint64_t)data->labels.offset);
}

/* Guarded: all that reads the samples at the start. */
static void scan_samples(void *context)
{
    struct scan *scan = context;
    struct dataset *dataset = scan->dataset;
    const struct array_data *data = dataset->self;
    bool floats = array_has_floats(&data->y);
    dataset->about.form.least = floats ? INFINITY : 0;
    dataset->about.form.most = floats ? -INFINITY : 0;
    uint64_t x = 0, y = 0;
    scan->ok = (floats || set_classes(scan)) && go_through(dataset, &data->x, check_input_rows, scan, &x) &&
               go_through(dataset, &data->y, floats ? check_target_rows : check_labels, scan, &y);
    dataset->digest = join(data, x, y);
}

/* ---- what an earlier start has found ---- */

static uint64_t digest_layout(uint64_t digest, const struct array *array)
{
    digest = digest_chain(digest, (uint64_t)array->type << 1 | array->big_endian);
    digest = digest_chain(digest, digest_bytes(array->size, array->dims * sizeof *array->size));
    const double packing[] = {array->scale, array->offset};
    if (array->is_scaled)
        digest = digest_chain(digest, digest_bytes(packing, sizeof packing));
    return digest_chain(digest, digest_bytes(array->missing, array->missing_count * sizeof *array->missing));
}

/* Whether a look at these data can have found that. */
static bool is_possible(const struct scan *scan, const struct look_found *found)
{
    const struct array_data *data = scan->dataset->self;
    if (array_has_floats(&data->y))
        return found->kinds == 0 && found->least <= found->most;
    size_t known = known_classes(scan);
    return known > 0 ? found->kinds == known : found->kinds >= 2 && found->kinds <= ARRAY_CLASSES_MOST;
}

static bool recall(struct scan *scan)
{
    struct dataset *dataset = scan->dataset;
    struct leaf_form *form = &dataset->about.form;
    struct array_data *data = dataset->self;
    struct look_found found;
    if (!dataset_recall(dataset, digest_layout(digest_layout(0, &data->x), &data->y), &found) ||
        !is_possible(scan, &found))
        return false;
    dataset->digest = found.digest;
    form->classes = data->labels.classes = (size_t)found.kinds;
    form->least = found.least;
    form->most = found.most;
    scan->lacks_first = found.lacks_first;
    return true;
}

static bool look_at_all(struct scan *scan)
{
    struct dataset *dataset = scan->dataset;
    const struct leaf_form *form = &dataset->about.form;
    const void *where;
    bool is_there = guard_run(scan_samples, scan, &where);
    end_stream(scan);
    if (!is_there)
        return dataset_refuse_hole(dataset, where, scan->error);
    const struct look_found found = {dataset->digest, form->classes, scan->lacks_first, form->least, form->most};
    if (scan->ok)
        dataset_note(dataset, &found);
    return scan->ok;
}

/* Of bytes there are only so many: a table is faster than two divisions. */
static void set_levels(struct array_data *data)
{
    uint8_t bytes[BYTES];
    for (size_t b = 0; b < BYTES; b++)
        bytes[b] = (uint8_t)b;
    data->has_levels = data->x.elements && array_type_bytes(data->x.type) == 1;
    if (data->has_levels)
        array_floats(&(struct array_rows){.array = &data->x, .bytes = bytes, .count = 1}, 0, BYTES, data->mean,
                     data->std, data->levels);
}

/* Of more than one dimension: [N, T] says no more than T. */
static struct shape target_of(const struct array *y)
{
    struct shape target = {0};
    if (y->dims > 2 && y->dims - 1 <= SHAPE_DIMS) {
        target.dims = y->dims - 1;
        memcpy(target.size, y->size + 1, target.dims * sizeof *target.size);
    }
    return target;
}

bool array_data_open(struct dataset *dataset, const struct array_settings *settings, const struct description *train,
                     struct error *error)
{
    struct array_data *data = dataset->self;
    const struct array *x = &data->x, *y = &data->y;
    if (!levels_check(settings->mean, settings->std, error) || !set_input(x, &dataset->about.form.input, error) ||
        !check_targets(data, settings, error) ||
        !part_choose(settings->part, settings->first, settings->count, x->size[0], x->name, &data->first,
                     &dataset->count, error))
        return false;
    data->mean = dataset->mean = settings->mean;
    data->std = dataset->std = settings->std;
    data->labels.offset = (int64_t)settings->label_offset;
    data->labels.is_given = settings->classes > 0;
    dataset->about.label_offset = settings->label_offset;
    data->labels.ignores = settings->ignore_label != ARRAY_IGNORES_NONE && !array_has_floats(y);
    data->labels.ignored = settings->ignore_label == ARRAY_IGNORES_MINUS   ? -1
                           : settings->ignore_label == ARRAY_IGNORES_TORCH ? -100
                           : settings->ignore_label == ARRAY_IGNORES_ZERO  ? 0
                                                                           : (int64_t)settings->ignore_label;
    data->gaps = dataset->aid ? dataset->aid->gaps : NULL;
    set_levels(data);
    dataset->about.form.terms = y->width;
    dataset->about.form.target = target_of(y);
    dataset->about.form.ignores = data->labels.ignores;
    dataset->sample_bytes = x->row_bytes + y->row_bytes;
    struct scan scan = {.dataset = dataset, .settings = settings, .train = train, .error = error};
    if (!recall(&scan) && !look_at_all(&scan))
        return false;
    if (data->gaps)
        data->gaps->lacks_first = scan.lacks_first;
    else if (scan.lacks_first)
        tell_lack(data, dataset->about.form.classes);
    return true;
}

/* Guarded. */
static void scan_inputs(void *context)
{
    struct scan *scan = context;
    struct dataset *dataset = scan->dataset;
    const struct array_data *data = dataset->self;
    scan->ok = go_through(dataset, &data->x, check_input_rows, scan, &dataset->digest);
}

/* Formats of images make bytes / 255 of bytes; others leave them as they are. */
static bool check_bytes(const struct array *x, const struct description *train, struct error *error)
{
    bool are_shares = strcmp(train->format, "idx") == 0 || strcmp(train->format, "folder") == 0;
    return !are_shares || x->type != ARRAY_U8 || x->is_scaled ||
           error_set(
               error, ERROR_USAGE,
               "%s holds bytes, which stay as they are, but the training data, of the format %s, were bytes / 255: "
               "store floats, b / 255",
               x->name, train->format);
}

bool array_data_open_inputs(struct dataset *dataset, const struct array_settings *settings,
                            const struct description *train, struct error *error)
{
    struct array_data *data = dataset->self;
    const struct array_settings other = {.mean = train->mean, .std = train->std > 0 ? train->std : 1};
    struct scan scan = {.dataset = dataset, .settings = settings ? settings : &other, .error = error};
    const void *where;
    if (!set_input(&data->x, &dataset->about.form.input, error) || (!settings && !check_bytes(&data->x, train, error)))
        return false;
    data->mean = dataset->mean = scan.settings->mean;
    data->std = dataset->std = scan.settings->std;
    dataset->count = data->x.size[0];
    dataset->sample_bytes = data->x.row_bytes;
    bool is_there = guard_run(scan_inputs, &scan, &where);
    end_stream(&scan);
    return is_there ? scan.ok : dataset_refuse_hole(dataset, where, error);
}

/* What cannot be read has another digest than it had. */
uint64_t array_data_digest(const struct dataset *dataset)
{
    const struct array_data *data = dataset->self;
    uint64_t x, y;
    struct error error;
    struct scan scan = {.error = &error};
    bool ok = go_through(dataset, &data->x, NULL, &scan, &x) && go_through(dataset, &data->y, NULL, &scan, &y);
    return ok ? join(data, x, y) : ~dataset->digest;
}

/* ---- reading ---- */

/* Another number than this could be was there when the file was opened. */
static bool refuse_value(const struct array_rows *rows, size_t value, struct error *error)
{
    return error_set(error, ERROR_CORRUPT,
                     "%s: sample %zu, value %zu (both counted from 0) is %g, which it cannot have been when the file "
                     "was opened: it was changed while it was in use",
                     rows->array->name, rows->first, value, array_number(rows, value));
}

static bool read_inputs(const struct dataset *dataset, size_t sample, float *inputs, struct error *error)
{
    const struct array_data *data = dataset->self;
    const size_t width = data->x.width;
    struct array_rows rows;
    if (!array_rows(&data->x, sample, 1, &rows, error))
        return false;
    if (data->has_levels)
        for (size_t i = 0; i < width; i++)
            inputs[i] = data->levels[rows.bytes[i]];
    else if (data->gaps)
        array_floats_or_nan(&rows, width, data->mean, data->std, inputs);
    else
        array_floats(&rows, 0, width, data->mean, data->std, inputs);
    if (data->gaps)
        return true;
    size_t place = array_find_infinite(inputs, width);
    return place == width || refuse_value(&rows, place, error);
}

static bool read_targets(const struct dataset *dataset, const struct array_rows *rows, float *targets,
                         struct error *error)
{
    const struct array_data *data = dataset->self;
    size_t width = rows->array->width;
    if (data->gaps) {
        array_floats_or_nan(rows, width, 0, 1, targets);
        return true;
    }
    array_floats(rows, 0, width, 0, 1, targets);
    for (size_t t = 0; t < width; t++)
        if (!(targets[t] >= dataset->about.form.least && targets[t] <= dataset->about.form.most))
            return refuse_value(rows, t, error);
    return true;
}

static bool read_labels(const struct dataset *dataset, const struct array_rows *rows, int32_t *labels,
                        struct error *error)
{
    const struct array_data *data = dataset->self;
    size_t place = array_labels_read(&data->labels, rows, labels);
    return place == rows->array->width || refuse_value(rows, place, error);
}

bool array_data_read(const struct dataset *dataset, size_t index, struct leaf *leaf, size_t row, struct error *error)
{
    const struct array_data *data = dataset->self;
    const struct array *x = &data->x, *y = &data->y;
    size_t sample = data->first + index;
    struct array_rows rows;
    if (!read_inputs(dataset, sample, leaf->inputs + row * x->width, error))
        return false;
    if (y->dims == 0) /* the inputs alone are wanted */
        return true;
    if (!array_rows(y, sample, 1, &rows, error))
        return false;
    return array_has_floats(y) ? read_targets(dataset, &rows, leaf->targets + row * y->width, error)
                               : read_labels(dataset, &rows, leaf->labels + row * y->width, error);
}
