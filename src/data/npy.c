/* Inputs and targets in two files of NumPy's, as numpy.save writes them. */
#include "data/npy.h"

#include "base/memory.h"
#include "base/npy_header.h"
#include "data/array_files.h"
#include "data/formats.h"
#include "data/npy_array.h"

/* Where the files lie may change: the digest of their content is compared when they are opened. */
static const struct option_row rows[] = {
    {"x",
     "path of the inputs: numbers [N], features [N, F], images [N, height, width] or [N, channels, height, width], or "
     "volumes [N, channels, depth, height, width]",
     FIELD(struct npy_settings, x), .path = PATH_READ, .resume = RESUME_FREE},
    {"y",
     "path of the labels, integers [N] or one a pixel [N, height, width], or of the targets of a regression, "
     "floats [N, ...]",
     FIELD(struct npy_settings, y), .path = PATH_READ, .resume = RESUME_FREE},
    ARRAY_ROWS,
    {0},
};

static void npy_close(struct dataset *dataset)
{
    array_files_close(dataset->self);
    memory_free(dataset->self);
}

static bool npy_open(struct dataset *dataset, const void *given, const struct description *train, struct error *error)
{
    const struct npy_settings *settings = given;
    const struct array_file x = {settings->x, "x", npy_array_read}, y = {settings->y, "y", npy_array_read};
    dataset->self = memory_need(1, sizeof(struct array_files));
    bool ok = array_files_open(dataset, "npy", "a NumPy file", &x, &y, error) &&
              array_data_open(dataset, &settings->samples, train, error);
    if (!ok)
        npy_close(dataset);
    return ok;
}

static enum recognition npy_knows(const uint8_t *bytes, size_t count)
{
    return bytes && npy_header_begins(bytes, count) ? FORMAT_YES : FORMAT_NO;
}

static bool npy_open_inputs(struct dataset *dataset, const char *path, const void *like,
                            const struct description *train, struct error *error)
{
    const struct npy_settings *settings = like;
    const struct array_file x = {path, "x", npy_array_read};
    dataset->self = memory_need(1, sizeof(struct array_files));
    bool ok = array_files_open(dataset, "npy", "a NumPy file", &x, NULL, error) &&
              array_data_open_inputs(dataset, settings ? &settings->samples : NULL, train, error);
    if (!ok)
        npy_close(dataset);
    return ok;
}

static const char *npy_source(const void *given, bool targets)
{
    const struct npy_settings *settings = given;
    return targets ? settings->y : settings->x;
}

const struct dataset_class dataset_npy = {
    KIND_OF("npy", "arrays of NumPy's, one file of inputs and one of labels or float targets", struct npy_settings,
            rows),
    .kind.check = array_data_check,
    .open = npy_open,
    .recalls = true,
    .knows = npy_knows,
    .survey = survey_npy,
    .survey_most = 2,
    .open_inputs = npy_open_inputs,
    .close = npy_close,
    .read = array_data_read,
    .digest = array_data_digest,
    .source = npy_source,
};
