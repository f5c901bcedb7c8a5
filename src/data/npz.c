/* Inputs and targets in one file of NumPy's, as numpy.savez and numpy.savez_compressed write them: a zip archive with a
 * .npy file for each array. */
#include "data/npz.h"

#include "base/memory.h"
#include "base/text.h"
#include "data/archive.h"
#include "data/formats.h"
#include "data/npy_array.h"

#include <string.h>

#define SUFFIX ".npy"

/* Where the file lies, and what its members are called, may change: the digest of the content is compared when it is
 * opened. */
static const struct option_row rows[] = {
    {"path", "path of the archive, as numpy.savez or numpy.savez_compressed writes it",
     FIELD(struct npz_settings, path), .path = PATH_READ, .resume = RESUME_FREE},
    {"x",
     "name of the inputs in it: numbers [N], features [N, F], images [N, height, width] or [N, channels, height, "
     "width], or volumes [N, channels, depth, height, width]",
     FIELD(struct npz_settings, x), DEFAULT("x"), .resume = RESUME_FREE},
    {"y",
     "name of the labels in it, integers [N] or one a pixel [N, height, width], or of the targets of a regression, "
     "floats [N, ...]",
     FIELD(struct npz_settings, y), DEFAULT("y"), .resume = RESUME_FREE},
    ARRAY_ROWS,
    {0},
};

struct npz {
    struct array_data data; /* first: array_data.h */
    struct content content;
    char *name[2];     /* of x and y, for messages: "file.npz (x.npy)" */
    uint8_t *owned[2]; /* what was inflated of them */
};

static void npz_close(struct dataset *dataset)
{
    struct npz *npz = dataset->self;
    content_close(&npz->content);
    for (int i = 0; i < 2; i++) {
        memory_free(npz->name[i]);
        memory_free(npz->owned[i]);
    }
    memory_free(npz);
}

/* A member on its way to an array. */
struct parsing {
    const struct content *content;
    const char *member; /* "x.npy" */
    const char *name;
    struct archive_member found;
    const uint8_t *bytes; /* [found.bytes] */
    struct array *array;
    struct error *error;
    bool ok;
};

static void find(void *context)
{
    struct parsing *parsing = context;
    const struct content *content = parsing->content;
    parsing->ok = archive_find(content->bytes, content->count, content->watched.path, parsing->member, &parsing->found,
                               parsing->error);
}

static void parse(void *context)
{
    struct parsing *parsing = context;
    parsing->ok = npy_array_read(parsing->array, parsing->name, parsing->bytes, parsing->found.bytes, parsing->error);
}

static bool open_array(struct npz *npz, int which, const char *key, struct error *error)
{
    const struct content *content = &npz->content;
    struct text member, name;
    text_init(&member);
    text_init(&name);
    text_append(&member, "%s%s", key, SUFFIX);
    text_append(&name, "%s (%s)", content->watched.path, text_bytes(&member));
    npz->name[which] = memory_text(text_bytes(&name));
    struct parsing parsing = {.content = content,
                              .member = text_bytes(&member),
                              .name = npz->name[which],
                              .array = which == 0 ? &npz->data.x : &npz->data.y,
                              .error = error};
    bool ok = content_guard(content, find, &parsing, error) && parsing.ok &&
              archive_take(content, &parsing.found, parsing.name, &parsing.bytes, &npz->owned[which], error) &&
              content_guard(content, parse, &parsing, error) && parsing.ok;
    text_release(&member);
    text_release(&name);
    return ok;
}

static bool npz_open(struct dataset *dataset, const void *given, const struct description *train, struct error *error)
{
    const struct npz_settings *settings = given;
    if (!settings->path || !*settings->path)
        return error_set(error, ERROR_USAGE, "a dataset of format npz needs the path of its archive");
    struct npz *npz = memory_need(1, sizeof *npz);
    dataset->self = npz;
    dataset->files = &npz->content.watched;
    bool ok = content_open(&npz->content, settings->path, "an archive of NumPy's", dataset_inflated(dataset), error) &&
              open_array(npz, 0, settings->x, error) && open_array(npz, 1, settings->y, error);
    if (ok && npz->owned[0] && npz->owned[1])
        content_leave(&npz->content); /* all that is used is in memory */
    ok = ok && array_data_open(dataset, &settings->samples, train, error);
    if (!ok)
        npz_close(dataset);
    return ok;
}

/* A zip archive; that it holds arrays, the look for x will tell. */
static bool npz_open_inputs(struct dataset *dataset, const char *path, const void *like,
                            const struct description *train, struct error *error)
{
    const struct npz_settings *settings = like;
    struct npz *npz = memory_need(1, sizeof *npz);
    dataset->self = npz;
    dataset->files = &npz->content.watched;
    bool ok = content_open(&npz->content, path, "an archive of NumPy's", dataset_inflated(dataset), error) &&
              open_array(npz, 0, settings ? settings->x : "x", error) &&
              array_data_open_inputs(dataset, settings ? &settings->samples : NULL, train, error);
    if (!ok)
        npz_close(dataset);
    return ok;
}

static const char *npz_source(const void *given, bool targets)
{
    const struct npz_settings *settings = given;
    (void)targets;
    return settings->path;
}

static enum recognition npz_knows(const uint8_t *bytes, size_t count)
{
    return content_begins(bytes, count, "PK\3\4", 4) ? FORMAT_YES : FORMAT_NO;
}

const struct dataset_class dataset_npz = {
    KIND_OF("npz", "arrays of NumPy's in one file, inputs and labels or float targets", struct npz_settings, rows),
    .kind.check = array_data_check,
    .open = npz_open,
    .recalls = true,
    .knows = npz_knows,
    .survey = survey_npz,
    .open_inputs = npz_open_inputs,
    .close = npz_close,
    .read = array_data_read,
    .digest = array_data_digest,
    .source = npz_source,
};
