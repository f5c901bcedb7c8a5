/* Inputs and targets in HDF5 files, as h5py, MATLAB or NetCDF-4 write them: two datasets of numbers, in one file or in
 * many. */
#include "data/hdf5.h"

#include "base/digest.h"
#include "base/memory.h"
#include "base/pattern.h"
#include "base/text.h"
#include "data/formats.h"
#include "data/hdf5_joined.h"

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

struct hdf5 {
    struct array_data data;  /* first: array_data.h */
    struct hdf5_file *files; /* [count], their `watched` in a list */
    size_t count;
    struct hdf5_joined joined[HDF5_ARRAYS];
};

static void hdf5_close(struct dataset *dataset)
{
    struct hdf5 *hdf5 = dataset->self;
    for (size_t i = 0; i < hdf5->count; i++)
        hdf5_file_close(&hdf5->files[i]);
    for (size_t a = 0; a < HDF5_ARRAYS; a++)
        hdf5_joined_release(&hdf5->joined[a]);
    memory_free(hdf5->files);
    memory_free(hdf5);
}

/* ---- opening ---- */

/* x or y of all files. */
static bool join(struct hdf5 *hdf5, size_t which, const char *path, const char *name, struct error *error)
{
    return hdf5_joined_init(&hdf5->joined[which], hdf5->files, hdf5->count, which, path, name,
                            which == 0 ? &hdf5->data.x : &hdf5->data.y, error);
}

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

/* ---- chunks ---- */

/* Of the inputs, or else of the targets, where these are stored in chunks. */
static size_t hdf5_chunk_end(const struct dataset *dataset, size_t index)
{
    const struct hdf5 *hdf5 = dataset->self;
    size_t row = hdf5->data.first + index, end = 0;
    for (size_t a = 0; end == 0 && a < HDF5_ARRAYS; a++)
        end = hdf5_joined_chunk_end(&hdf5->joined[a], row);
    return end > 0 ? end - hdf5->data.first : 0;
}

static size_t slots_of(const struct dataset *dataset, size_t which, const struct dataset_readers *readers)
{
    const struct hdf5 *hdf5 = dataset->self;
    return hdf5_joined_slots(&hdf5->joined[which], &dataset->share.chunks, hdf5->data.first, readers);
}

static size_t hdf5_shared_bytes(const struct dataset *dataset, const struct dataset_readers *readers)
{
    const struct hdf5 *hdf5 = dataset->self;
    size_t bytes = 0;
    for (size_t a = 0; a < HDF5_ARRAYS; a++)
        if (hdf5->joined[a].cache.bands > 0)
            bytes += chunk_cache_bytes(&hdf5->joined[a].cache, slots_of(dataset, a, readers));
    return bytes;
}

static uint64_t hdf5_shared_layout(const struct dataset *dataset, const struct dataset_readers *readers)
{
    const struct hdf5 *hdf5 = dataset->self;
    uint64_t layout = 0;
    for (size_t a = 0; a < HDF5_ARRAYS; a++) {
        size_t slots = hdf5->joined[a].cache.bands > 0 ? slots_of(dataset, a, readers) : 0;
        layout = digest_chain(digest_chain(layout, slots), hdf5_joined_layout(&hdf5->joined[a]));
    }
    return layout;
}

static void hdf5_share_memory(struct dataset *dataset, const struct dataset_readers *readers, void *memory)
{
    struct hdf5 *hdf5 = dataset->self;
    uint8_t *at = memory;
    for (size_t a = 0; a < HDF5_ARRAYS; a++) {
        struct chunk_cache *cache = &hdf5->joined[a].cache;
        size_t slots = cache->bands > 0 ? slots_of(dataset, a, readers) : 0;
        if (slots == 0)
            continue;
        chunk_cache_share(cache, at, slots);
        at += chunk_cache_bytes(cache, slots);
    }
}

static uint64_t hdf5_unpacked(const struct dataset *dataset)
{
    const struct hdf5 *hdf5 = dataset->self;
    return chunk_cache_unpacked(&hdf5->joined[0].cache) + chunk_cache_unpacked(&hdf5->joined[1].cache);
}

/* What is kept is no proof of what the files hold. */
static uint64_t hdf5_digest(const struct dataset *dataset)
{
    struct hdf5 *hdf5 = dataset->self;
    for (size_t a = 0; a < HDF5_ARRAYS; a++)
        chunk_cache_set_apart(&hdf5->joined[a].cache, true);
    uint64_t digest = array_data_digest(dataset);
    for (size_t a = 0; a < HDF5_ARRAYS; a++)
        chunk_cache_set_apart(&hdf5->joined[a].cache, false);
    return digest;
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
    .recalls = true,
    .knows = hdf5_knows,
    .survey = survey_hdf5,
    .joins = true,
    .open_inputs = hdf5_open_inputs,
    .close = hdf5_close,
    .read = array_data_read,
    .chunk_end = hdf5_chunk_end,
    .shared_bytes = hdf5_shared_bytes,
    .shared_layout = hdf5_shared_layout,
    .share_memory = hdf5_share_memory,
    .unpacked = hdf5_unpacked,
    .digest = hdf5_digest,
    .source = hdf5_source,
};
