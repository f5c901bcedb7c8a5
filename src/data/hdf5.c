/* Inputs and targets in HDF5 files, as h5py, MATLAB or NetCDF-4 write them: two datasets of numbers, in one file or in
 * many. */
#include "data/hdf5.h"

#include "base/memory.h"
#include "base/pattern.h"
#include "base/text.h"
#include "data/formats.h"
#include "data/hdf5_file.h"

#include <string.h>

/* Where the files lie, how many they are, and what the datasets are called may change: the digest of the content is
 * compared when they are opened. */
static const struct option_row rows[] = {
    {"path",
     "path of the file, HDF5 or NetCDF-4, or a pattern as '*.h5', in quotes, for several, read one behind the other in "
     "the order of their names",
     FIELD(struct hdf5_settings, path), .path = PATH_READ, .resume = RESUME_FREE},
    {"x",
     "name of the inputs in it, as train/x: numbers [N], features [N, F], images [N, height, width] or [N, channels, "
     "height, width], or volumes [N, channels, depth, height, width]",
     FIELD(struct hdf5_settings, x), DEFAULT("x"), .resume = RESUME_FREE},
    {"y",
     "name of the labels in it, integers [N] or one a pixel [N, height, width], or of the targets of a regression, "
     "floats [N, ...]",
     FIELD(struct hdf5_settings, y), DEFAULT("y"), .resume = RESUME_FREE},
    ARRAY_ROWS,
    {0},
};

/* One dataset of all files, one behind the other. */
struct joined {
    const struct hdf5_file *files;
    size_t file_count, which; /* of HDF5_ARRAYS */
    char *name;
    struct chunk_cache cache; /* of those that are in chunks */
};

struct hdf5 {
    struct array_data data;  /* first: array_data.h */
    struct hdf5_file *files; /* [count], their `watched` in a list */
    size_t count;
    struct joined joined[HDF5_ARRAYS];
};

static void hdf5_close(struct dataset *dataset)
{
    struct hdf5 *hdf5 = dataset->self;
    for (size_t i = 0; i < hdf5->count; i++)
        hdf5_file_close(&hdf5->files[i]);
    for (size_t a = 0; a < HDF5_ARRAYS; a++) {
        chunk_cache_release(&hdf5->joined[a].cache);
        memory_free(hdf5->joined[a].name);
    }
    memory_free(hdf5->files);
    memory_free(hdf5);
}

/* ---- many files as one array ---- */

/* The file that a row is in. */
static const struct hdf5_dataset *dataset_of(const struct joined *joined, size_t row)
{
    size_t low = 0, high = joined->file_count; /* it is in one of [low, high) */
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (joined->files[middle].dataset[joined->which].first <= row)
            low = middle;
        else
            high = middle;
    }
    return &joined->files[low].dataset[joined->which];
}

static bool find_rows(const struct array *array, size_t first, size_t count, struct array_rows *found,
                      struct error *error)
{
    struct joined *joined = array->self;
    const struct hdf5_dataset *dataset = dataset_of(joined, first);
    size_t within = first - dataset->first, rest = dataset->array.size[0] - within;
    count = count < rest ? count : rest;
    if (dataset->array.elements)
        return array_rows(&dataset->array, within, count, found, error);
    const uint8_t *bytes = chunk_cache_rows(&joined->cache, (struct chunked *)(uintptr_t)&dataset->chunked, within,
                                            &count, error);
    *found = (struct array_rows){&dataset->array, bytes, within, count};
    return bytes;
}

/* All files hold the same kind of rows. */
static bool agree(const struct array *array, const struct array *first, struct error *error)
{
    char here[160], there[160];
    if (array->type != first->type || array->big_endian != first->big_endian || array->is_scaled != first->is_scaled)
        return error_set(
            error, ERROR_CORRUPT, "%s holds %s%s%s, but %s %s%s%s: files that belong together are of one type",
            array->name, array_type_name(array->type), array->big_endian ? " (big-endian)" : "",
            array->is_scaled ? " with scale_factor or add_offset" : "", first->name, array_type_name(first->type),
            first->big_endian ? " (big-endian)" : "", first->is_scaled ? " with scale_factor or add_offset" : "");
    if (array->dims == first->dims &&
        memcmp(array->size + 1, first->size + 1, (array->dims - 1) * sizeof *array->size) == 0)
        return true;
    array_shape_text(array, here, sizeof here);
    array_shape_text(first, there, sizeof there);
    return error_set(error, ERROR_CORRUPT,
                     "%s has the shape %s, but %s %s: files that belong together differ in the first axis alone",
                     array->name, here, first->name, there);
}

/* x or y of all files. */
static bool join(struct hdf5 *hdf5, size_t which, const char *path, const char *name, struct error *error)
{
    struct joined *joined = &hdf5->joined[which];
    struct array *array = which == 0 ? &hdf5->data.x : &hdf5->data.y;
    struct chunked **chunked = memory_need(hdf5->count, sizeof *chunked);
    size_t chunked_count = 0, bytes;
    struct text words;
    bool ok = true;
    text_init(&words);
    text_append(&words, "%s (%s)", path, name);
    *joined = (struct joined){
        .files = hdf5->files, .file_count = hdf5->count, .which = which, .name = memory_text(text_bytes(&words))};
    text_release(&words);
    *array = hdf5->files[0].dataset[which].array;
    array->size[0] = 0;
    for (size_t i = 0; ok && i < hdf5->count; i++) {
        struct hdf5_dataset *dataset = &hdf5->files[i].dataset[which];
        dataset->first = array->size[0];
        array->size[0] += dataset->array.size[0];
        if (!dataset->array.elements)
            chunked[chunked_count++] = &dataset->chunked;
        ok = agree(&dataset->array, &hdf5->files[0].dataset[which].array, error);
    }
    array->name = joined->name;
    array->elements = NULL;
    array->find = find_rows;
    array->self = joined;
    ok = ok && array_measure(array, &bytes, error) &&
         (chunked_count == 0 || chunk_cache_init(&joined->cache, chunked, chunked_count, error));
    memory_free(chunked);
    return ok;
}

/* ---- opening ---- */

/* y NULL: inputs alone. */
static bool open_files(const struct dataset *dataset, const char *path, const char *x, const char *y,
                       struct error *error)
{
    struct hdf5 *hdf5 = dataset->self;
    const char *const names[HDF5_ARRAYS] = {x, y};
    struct pattern pattern;
    if (!pattern_find(&pattern, path, error))
        return false;
    bool ok = true;
    hdf5->files = memory_need(pattern.count, sizeof *hdf5->files);
    hdf5->count = pattern.count;
    for (size_t i = 0; ok && i < pattern.count; i++) {
        ok = hdf5_file_open(&hdf5->files[i], pattern.paths[i], names, dataset_inflated(dataset), error);
        if (i > 0)
            hdf5->files[i - 1].content.watched.next = &hdf5->files[i].content.watched;
    }
    pattern_release(&pattern);
    return ok;
}

static bool hdf5_open(struct dataset *dataset, const void *given, const struct description *train, struct error *error)
{
    const struct hdf5_settings *settings = given;
    if (!settings->path || !*settings->path)
        return error_set(error, ERROR_USAGE, "a dataset of format hdf5 needs the path of its file");
    if (!settings->x || !*settings->x || !settings->y || !*settings->y)
        return error_set(error, ERROR_USAGE, "a dataset of format hdf5 needs the names of x and y in its file");
    struct hdf5 *hdf5 = memory_need(1, sizeof *hdf5);
    dataset->self = hdf5;
    bool ok = open_files(dataset, settings->path, settings->x, settings->y, error) &&
              join(hdf5, 0, settings->path, settings->x, error) && join(hdf5, 1, settings->path, settings->y, error);
    dataset->files = hdf5->files ? &hdf5->files[0].content.watched : NULL;
    ok = ok && array_data_open(dataset, &settings->samples, train, error);
    if (!ok)
        hdf5_close(dataset);
    return ok;
}

static bool hdf5_open_inputs(struct dataset *dataset, const char *path, const void *like,
                             const struct description *train, struct error *error)
{
    const struct hdf5_settings *settings = like;
    const char *x = settings ? settings->x : "x";
    struct hdf5 *hdf5 = memory_need(1, sizeof *hdf5);
    dataset->self = hdf5;
    bool ok = open_files(dataset, path, x, NULL, error) && join(hdf5, 0, path, x, error);
    dataset->files = hdf5->files ? &hdf5->files[0].content.watched : NULL;
    ok = ok && array_data_open_inputs(dataset, settings ? &settings->samples : NULL, train, error);
    if (!ok)
        hdf5_close(dataset);
    return ok;
}

/* Of the inputs, or else of the targets, where these are stored in chunks. */
static size_t hdf5_chunk_end(const struct dataset *dataset, size_t index)
{
    const struct hdf5 *hdf5 = dataset->self;
    size_t row = hdf5->data.first + index;
    for (size_t a = 0; a < HDF5_ARRAYS; a++) {
        const struct hdf5_dataset *part = dataset_of(&hdf5->joined[a], row);
        size_t chunk = part->about.chunk[0], count = part->array.size[0];
        if (part->about.storage != H5_ARRAY_CHUNKED)
            continue;
        size_t end = ((row - part->first) / chunk + 1) * chunk;
        return part->first + (end < count ? end : count) - hdf5->data.first;
    }
    return 0;
}

static const char *hdf5_source(const void *given, bool targets)
{
    const struct hdf5_settings *settings = given;
    (void)targets;
    return settings->path;
}

static enum recognition hdf5_knows(const uint8_t *bytes, size_t count)
{
    return bytes && hdf5_file_knows(bytes, count) ? FORMAT_YES : FORMAT_NO;
}

const struct dataset_class dataset_hdf5 = {
    KIND_OF("hdf5", "datasets of HDF5 or NetCDF-4 files, inputs and labels or float targets", struct hdf5_settings,
            rows),
    .kind.check = array_data_check,
    .open = hdf5_open,
    .knows = hdf5_knows,
    .survey = survey_hdf5,
    .joins = true,
    .open_inputs = hdf5_open_inputs,
    .close = hdf5_close,
    .read = array_data_read,
    .chunk_end = hdf5_chunk_end,
    .digest = array_data_digest,
    .source = hdf5_source,
};
