/* Inputs and targets in two IDX files, as MNIST is published. */
#include "data/idx.h"

#include "base/digest.h"
#include "base/memory.h"
#include "data/array_files.h"
#include "data/content.h"
#include "data/formats.h"
#include "data/idx_file.h"

#include <string.h>

/* Where the files lie may change: the digest of their content is compared when they are opened. */
static const struct option_row rows[] = {
    {"images",
     "path of the inputs: unsigned bytes b, which become b / 255, or integers or floats, which stay as they are; "
     "features [N, F], images [N, height, width] or [N, channels, height, width], or volumes [N, channels, depth, "
     "height, width]",
     FIELD(struct idx_settings, images), .path = PATH_READ, .optional = true, .resume = RESUME_FREE},
    {"inputs", "the same as images, for inputs that are none: one of the two is required",
     FIELD(struct idx_settings, inputs), .path = PATH_READ, .optional = true, .resume = RESUME_FREE},
    {"labels",
     "path of the labels, integers [N] or one a pixel [N, height, width], or of the targets of a regression, "
     "floats [N, ...]",
     FIELD(struct idx_settings, labels), .path = PATH_READ, .resume = RESUME_FREE},
    {"transpose", "whether the images are stored column by column, as those of EMNIST: height and width change places",
     FIELD(struct idx_settings, transpose), DEFAULT("false")},
    ARRAY_ROWS,
    {0},
};

struct idx {
    struct array_files files; /* first: array_files.h */
    bool transpose;
    float *image; /* [height, width] as it is stored */
};

static bool check(const void *given, const char **key, struct error *error)
{
    const struct idx_settings *settings = given;
    *key = "images";
    if (!settings->images && !settings->inputs)
        return error_set(error, ERROR_USAGE, "missing; allowed: a text (inputs is another name of this key)");
    *key = "inputs";
    if (settings->images && settings->inputs)
        return error_set(error, ERROR_USAGE, "images stands here, too, which is the same key: leave one of them out");
    return array_data_check(settings, key, error);
}

static void idx_close(struct dataset *dataset)
{
    struct idx *idx = dataset->self;
    array_files_close(&idx->files);
    memory_free(idx->image);
    memory_free(idx);
}

/* Bytes, and then float32, came first: their digests name no types, which with the shape, and so the number of samples,
 * say nothing new. */
static uint64_t join(const struct array_data *data, uint64_t x, uint64_t y)
{
    const struct idx *idx = (const struct idx *)(const void *)data;
    enum array_type inputs = data->x.type, targets = data->y.type;
    uint64_t digest = digest_chain(x, y);
    if (inputs == ARRAY_F32)
        digest = digest_chain(digest, sizeof(float));
    bool as_ever = (inputs == ARRAY_SHARE || inputs == ARRAY_F32) && (targets == ARRAY_U8 || targets == ARRAY_F32) &&
                   data->y.dims <= 2 && data->labels.offset == 0 && !idx->transpose;
    if (as_ever)
        return digest;
    digest = digest_chain(digest_chain(digest, inputs), targets);
    return digest_chain(digest_chain(digest, (uint64_t)data->labels.offset), idx->transpose);
}

/* The shape of the samples is that of the files. */
static bool turn(struct dataset *dataset, struct error *error)
{
    struct idx *idx = dataset->self;
    struct shape *shape = &dataset->about.form.input;
    if (shape->dims != 3)
        return error_set(error, ERROR_USAGE, "transpose is for images, but %s holds %zu features a sample",
                         idx->files.data.x.name, shape->size[0]);
    if (dataset->about.form.target.dims > 0)
        return error_set(error, ERROR_USAGE, "transpose does not turn %s, whose samples have several dimensions, too",
                         idx->files.data.y.name);
    size_t height = shape->size[1];
    shape->size[1] = shape->size[2];
    shape->size[2] = height;
    idx->image = memory_alloc(shape->size[1] * shape->size[2], sizeof *idx->image, "an image", error);
    return idx->image;
}

static const char *idx_source(const void *given, bool targets)
{
    const struct idx_settings *settings = given;
    return targets ? settings->labels : settings->images ? settings->images : settings->inputs;
}

/* Images could be labels of pixels. */
static bool are_two(const char *images, const char *labels, struct error *error)
{
    return strcmp(images, labels) != 0 ||
           error_set(error, ERROR_USAGE, "%s is named for the images, and for the labels: they are two files", images);
}

static bool idx_open(struct dataset *dataset, const void *given, const struct description *train, struct error *error)
{
    const struct idx_settings *settings = given;
    struct idx *idx = memory_need(1, sizeof *idx);
    const struct array_file x = {idx_source(settings, false), "images", idx_file_inputs};
    const struct array_file y = {settings->labels, "labels", idx_file_targets};
    dataset->self = idx;
    idx->transpose = settings->transpose;
    idx->files.data.join = join;
    bool ok = array_files_open(dataset, "idx", "an IDX file", &x, &y, error) && are_two(x.path, y.path, error) &&
              array_data_open(dataset, &settings->samples, train, error) && (!idx->transpose || turn(dataset, error));
    if (!ok)
        idx_close(dataset);
    return ok;
}

static bool idx_open_inputs(struct dataset *dataset, const char *path, const void *like,
                            const struct description *train, struct error *error)
{
    const struct idx_settings *settings = like;
    const struct array_file x = {path, "images", idx_file_inputs};
    struct idx *idx = memory_need(1, sizeof *idx);
    dataset->self = idx;
    idx->transpose = settings && settings->transpose;
    bool ok = array_files_open(dataset, "idx", "an IDX file", &x, NULL, error) &&
              array_data_open_inputs(dataset, settings ? &settings->samples : NULL, train, error) &&
              (!idx->transpose || turn(dataset, error));
    if (!ok)
        idx_close(dataset);
    return ok;
}

static bool idx_read(const struct dataset *dataset, size_t index, struct leaf *leaf, size_t row, struct error *error)
{
    const struct idx *idx = dataset->self;
    const struct shape *shape = &dataset->about.form.input;
    if (!array_data_read(dataset, index, leaf, row, error))
        return false;
    if (!idx->transpose)
        return true;
    size_t height = shape->size[1], width = shape->size[2];
    for (size_t c = 0; c < shape->size[0]; c++) {
        float *image = leaf->inputs + (row * shape->size[0] + c) * height * width;
        memcpy(idx->image, image, height * width * sizeof *image);
        for (size_t y = 0; y < height; y++)
            for (size_t x = 0; x < width; x++)
                image[y * width + x] = idx->image[x * height + y];
    }
    return true;
}

static enum recognition idx_knows(const uint8_t *bytes, size_t count)
{
    bool is_one = content_begins(bytes, count, "\0\0", 2) && count >= 4 && bytes[2] >= 0x08 && bytes[2] <= 0x0E &&
                  bytes[3] >= 1 && bytes[3] <= 5;
    return is_one ? FORMAT_YES : FORMAT_NO;
}

const struct dataset_class dataset_idx = {
    KIND_OF("idx", "IDX files as MNIST is published, plain or gzip, with labels or with float targets",
            struct idx_settings, rows),
    .kind.check = check,
    .open = idx_open,
    .recalls = true,
    .knows = idx_knows,
    .survey = survey_idx,
    .survey_most = 2,
    .open_inputs = idx_open_inputs,
    .close = idx_close,
    .read = idx_read,
    .digest = array_data_digest,
    .source = idx_source,
};
