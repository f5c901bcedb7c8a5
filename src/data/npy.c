/* Inputs and targets in two files of NumPy's, as numpy.save writes them. */
#include "data/npy.h"

#include "base/memory.h"
#include "data/content.h"
#include "data/formats.h"
#include "data/npy_array.h"

#include <string.h>

/* Where the files lie may change: the digest of their content is compared when they are opened. */
static const struct option_row rows[] = {
    {"x",
     "path of the inputs: numbers [N], features [N, F], or images [N, height, width] or [N, channels, height, width]",
     FIELD(struct npy_settings, x), .path = PATH_READ, .resume = RESUME_FREE},
    {"y", "path of the labels, integers [N], or of the targets of a regression, floats [N, ...]",
     FIELD(struct npy_settings, y), .path = PATH_READ, .resume = RESUME_FREE},
    ARRAY_ROWS,
    {0},
};

struct npy {
    struct array_data data; /* first: array_data.h */
    struct content x, y;
};

static void npy_close(struct dataset *dataset)
{
    struct npy *npy = dataset->self;
    content_close(&npy->x);
    content_close(&npy->y);
    memory_free(npy);
}

struct parsing {
    struct array *array;
    const struct content *content;
    struct error *error;
    bool ok;
};

static void parse_mapped(void *context)
{
    struct parsing *parsing = context;
    const struct content *content = parsing->content;
    parsing->ok = npy_array_read(parsing->array, content->watched.path, content->bytes, content->count, parsing->error);
}

static bool open_array(struct array *array, struct content *content, const char *path, const char *key,
                       struct error *error)
{
    if (!path || !*path)
        return error_set(error, ERROR_USAGE, "a dataset of format npy needs the path of its %s", key);
    struct parsing parsing = {.array = array, .content = content, .error = error};
    return content_open(content, path, "a NumPy file", error) &&
           content_guard(content, parse_mapped, &parsing, error) && parsing.ok;
}

static bool npy_open(struct dataset *dataset, const void *given, const struct description *train, struct error *error)
{
    const struct npy_settings *settings = given;
    struct npy *npy = memory_need(1, sizeof *npy);
    dataset->self = npy;
    dataset->files = &npy->x.watched;
    bool ok = open_array(&npy->data.x, &npy->x, settings->x, "x", error) &&
              open_array(&npy->data.y, &npy->y, settings->y, "y", error);
    npy->x.watched.next = &npy->y.watched;
    ok = ok && array_data_open(dataset, &settings->samples, train, error);
    if (!ok)
        npy_close(dataset);
    return ok;
}

static bool npy_knows(const uint8_t *bytes, size_t count)
{
    return count >= 6 && memcmp(bytes, "\223NUMPY", 6) == 0;
}

static bool npy_open_inputs(struct dataset *dataset, const char *path, const void *like,
                            const struct description *train, struct error *error)
{
    const struct npy_settings *settings = like;
    struct npy *npy = memory_need(1, sizeof *npy);
    (void)train;
    dataset->self = npy;
    dataset->files = &npy->x.watched;
    bool ok = open_array(&npy->data.x, &npy->x, path, "x", error) &&
              array_data_open_inputs(dataset, settings ? &settings->samples : NULL, error);
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
    .knows = npy_knows,
    .open_inputs = npy_open_inputs,
    .close = npy_close,
    .read = array_data_read,
    .digest = array_data_digest,
    .source = npy_source,
};
