#include "data/dataset.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/guard.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/plural.h"

#include <inttypes.h>
#include <string.h>

#define EXCUSED_S 600.0 /* from one time that a file is told to be touched to the next */

/* The same bytes in another shape are other samples, whatever the format. */
static uint64_t digest_shape(uint64_t digest, const struct shape *shape)
{
    for (int i = 0; i < 3; i++)
        digest = digest_chain(digest, shape->size[i]);
    return shape->dims > 3 ? digest_chain(digest, shape->size[3]) : digest;
}

/* What the samples are, in a word. */
static const char *kind_of(const struct description *about)
{
    return about->vocabulary ? "text" : about->form.vocabulary > 0 ? "tokens" : "numbers";
}

bool dataset_inputs_fit(const struct dataset *dataset, const struct description *training, const char *name,
                        struct error *error)
{
    const struct leaf_form *form = &dataset->about.form, *train = &training->form;
    if ((form->vocabulary > 0) != (train->vocabulary > 0))
        return error_set(error, ERROR_USAGE, "%s holds %s, but the training data %s: both must be of one kind", name,
                         kind_of(&dataset->about), kind_of(training));
    if (shape_lies_as(&form->input, &train->input))
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
        return error_set(error, ERROR_USAGE, "%s holds %s, but the training data has %s: both must be of one kind%s",
                         name, form->classes ? "labels" : "float targets", train->classes ? "labels" : "float targets",
                         form->classes ? "" : "; labels are stored as integers, as NumPy's y.astype('int64') are");
    if (form->terms != train->terms)
        return error_set(error, ERROR_USAGE,
                         "%s holds %zu target%s a sample, but the training data %zu: both must be equal", name,
                         form->terms, plural(form->terms), train->terms);
    if (form->target.dims > 0 && train->target.dims > 0 &&
        memcmp(&form->target, &train->target, sizeof form->target) != 0) {
        char here[96], there[96];
        shape_text(&form->target, here, sizeof here);
        shape_text(&train->target, there, sizeof there);
        return error_set(error, ERROR_USAGE,
                         "%s holds %s of the shape %s a sample, but those of the training data have %s: both must be "
                         "equal",
                         name, form->classes ? "labels" : "targets", here, there);
    }
    return form->classes <= train->classes ||
           error_set(error, ERROR_USAGE, "%s have %zu classes, but the training data only %zu", name, form->classes,
                     train->classes);
}

const char *dataset_source(const struct dataset_spec *spec, bool targets)
{
    const struct dataset_class *class = spec->class;
    return class->source ? class->source(spec->settings, targets) : class->kind.name;
}

static bool fits(const struct dataset *dataset, const struct dataset_spec *spec, const struct description *train,
                 struct error *error)
{
    /* Files of another format may number their classes in another way. */
    if (strcmp(dataset->about.format, train->format) == 0 && dataset->about.label_offset != train->label_offset)
        return error_set(error, ERROR_USAGE,
                         "%s: label_offset is %" PRIu64 ", but that of the training data %" PRIu64
                         ": the classes would not be the same",
                         dataset_source(spec, true), dataset->about.label_offset, train->label_offset);
    return dataset_inputs_fit(dataset, train, dataset_source(spec, false), error) &&
           targets_fit(&dataset->about.form, &train->form, dataset_source(spec, true), error);
}

static bool refuse_no_format(struct error *error)
{
    struct text names;
    text_init(&names);
    const struct kind *const *kinds = dataset_registry.kinds;
    for (size_t i = 0; kinds[i]; i++)
        text_append(&names, "%s%s", i == 0 ? "" : kinds[i + 1] ? ", " : " or ", kinds[i]->name);
    error_set(error, ERROR_USAGE, "the dataset has no format: choose %s", text_bytes(&names));
    text_release(&names);
    return false;
}

bool dataset_open(struct dataset *dataset, const struct dataset_spec *spec, const struct description *train,
                  struct error *error)
{
    return dataset_open_with(dataset, spec, train, NULL, error);
}

bool dataset_open_with(struct dataset *dataset, const struct dataset_spec *spec, const struct description *train,
                       struct dataset_aid *aid, struct error *error)
{
    memset(dataset, 0, sizeof *dataset);
    if (!spec->class)
        return refuse_no_format(error);
    dataset->failure = memory_need(1, sizeof *dataset->failure);
    dataset->aid = aid;
    if (aid)
        dataset_ask(aid, spec, train);
    bool opened = spec->class->open(dataset, spec->settings, train, error);
    dataset->aid = NULL;
    if (!opened) {
        description_release(&dataset->about);
        memory_free(dataset->failure);
        memset(dataset, 0, sizeof *dataset);
        return false;
    }
    CHECK(dataset->count > 0 && shape_count(&dataset->about.form.input) > 0 && dataset->about.form.terms > 0,
          "a dataset that a format has opened holds something");
    dataset->class = spec->class;
    dataset->about.format = memory_text(spec->class->kind.name);
    dataset->about.mean = dataset->mean;
    dataset->about.std = dataset->std;
    dataset->stored = dataset->about.form.input;
    dataset->digest = digest_shape(dataset->digest, &dataset->stored);
    if (train && !fits(dataset, spec, train, error)) {
        dataset_close(dataset);
        return false;
    }
    if (train) {
        float least = dataset->about.form.least, most = dataset->about.form.most;
        dataset->about.form = train->form;
        dataset->about.form.least = least;
        dataset->about.form.most = most;
        dataset_standardise(dataset, train);
    }
    return true;
}

bool dataset_has_chunks(const struct dataset *dataset)
{
    return dataset->class->chunk_end && dataset->class->chunk_end(dataset, 0) > 0;
}

void dataset_read_as(struct dataset *dataset, const struct shape *input)
{
    CHECK(shape_lies_as(&dataset->about.form.input, input), "the same numbers in the same places");
    dataset->about.form.input = *input;
}

/* The sample behind the chunk that this one begins. */
static size_t chunk_end(const struct dataset *dataset, size_t index, uint64_t length)
{
    const struct dataset_class *class = dataset->class;
    size_t end = length == 0 && class->chunk_end ? class->chunk_end(dataset, index) : 0, left = dataset->count - index;
    if (end > index)
        return end < dataset->count ? end : dataset->count;
    length = length > 0 ? length : DATASET_CHUNK;
    return index + (length < left ? (size_t)length : left);
}

bool dataset_cut(struct dataset *dataset, uint64_t length, struct error *error)
{
    struct chunks *chunks = &dataset->share.chunks;
    CHECK(dataset->share.of == 0 && chunks->count == 0, "a dataset is cut once, and before it is split");
    for (size_t at = 0, end; at < dataset->count; at = end) {
        end = chunk_end(dataset, at, length);
        if (chunks->count == CHUNKS_MOST) {
            chunks_release(chunks);
            return error_set(error, ERROR_USAGE,
                             "%zu samples are more than %zu chunks: data.shuffle_chunk says how many samples make one",
                             dataset->count, CHUNKS_MOST);
        }
        chunks_add(chunks, at, end - at);
    }
    dataset->about.chunks = chunks_digest(chunks);
    return true;
}

bool dataset_split(struct dataset *dataset, uint64_t seed, double part, struct dataset *taken, struct error *error)
{
    struct share rest, own;
    CHECK(dataset->share.of == 0, "a dataset is split once");
    if (dataset->about.form.vocabulary > 0)
        return error_set(error, ERROR_USAGE, "the samples of a text overlap: give train and validation a part each");
    const struct chunks *all = &dataset->share.chunks;
    if (!(all->count > 0 ? share_cut_chunks(seed, all, part, &own, &rest, error)
                         : share_cut(seed, dataset->count, part, &own, &rest, error)))
        return false;
    share_release(&dataset->share);
    *taken = *dataset;
    taken->is_taken = true;
    taken->failure = memory_need(1, sizeof *taken->failure);
    description_copy(&taken->about, &dataset->about);
    struct dataset *const both[] = {taken, dataset};
    for (int i = 0; i < 2; i++) {
        both[i]->share = i == 0 ? own : rest;
        both[i]->count = (size_t)both[i]->share.count;
        both[i]->digest = share_digest(&both[i]->share, both[i]->digest);
    }
    return true;
}

size_t dataset_shared_bytes(const struct dataset *dataset, const struct dataset_readers *readers)
{
    return dataset->class->shared_bytes ? dataset->class->shared_bytes(dataset, readers) : 0;
}

uint64_t dataset_shared_layout(const struct dataset *dataset, const struct dataset_readers *readers)
{
    return dataset->class->shared_layout ? dataset->class->shared_layout(dataset, readers) : 0;
}

void dataset_share_memory(struct dataset *dataset, const struct dataset_readers *readers, void *memory)
{
    CHECK(dataset->class->share_memory, "there is something to share");
    dataset->class->share_memory(dataset, readers, memory);
}

uint64_t dataset_unpacked(const struct dataset *dataset)
{
    return dataset->class->unpacked ? dataset->class->unpacked(dataset) : 0;
}

/* As its format knows it: with all samples that this has opened, in the shape that it has given them. */
static struct dataset whole_of(const struct dataset *dataset)
{
    struct dataset whole = *dataset;
    whole.about.form.input = dataset->stored;
    if (dataset->share.of > 0)
        whole.count = (size_t)dataset->share.of;
    return whole;
}

char *dataset_name_of(const struct dataset *dataset, size_t index)
{
    const struct dataset_class *class = dataset->class;
    CHECK(index < dataset->count, "a sample must lie in the dataset");
    return class->name_of ? class->name_of(dataset, (size_t)share_sample(&dataset->share, index)) : NULL;
}

void dataset_standardise(struct dataset *dataset, const struct description *train)
{
    description_standardise(&dataset->about, train);
}

void dataset_describe(const struct dataset *dataset, struct text *words)
{
    const struct leaf_form *form = &dataset->about.form;
    text_append(words, "%zu sample%s", dataset->count, plural(dataset->count));
    if (form->vocabulary > 0)
        text_append(words, dataset->about.vocabulary ? ", %zu different characters" : ", %zu tokens in the vocabulary",
                    form->vocabulary);
    else if (form->classes > 0)
        text_append(words, ", %zu classes", form->classes);
    text_append(words, ", digest %016" PRIx64, dataset->digest);
    if (dataset->share.chunks.count > 0)
        text_append(words, ", in %zu chunks (%016" PRIx64 ")", dataset->share.chunks.count, dataset->about.chunks);
}

void dataset_close(struct dataset *dataset)
{
    if (dataset->class && !dataset->is_taken)
        dataset->class->close(dataset);
    description_release(&dataset->about);
    share_release(&dataset->share);
    memory_free(dataset->failure);
    memset(dataset, 0, sizeof *dataset);
}

/* The file that is mapped at this place. */
static const struct watched *find_file(const struct dataset *dataset, const void *where)
{
    for (const struct watched *file = dataset->files; file; file = file->next) {
        const char *begin = file->bytes;
        if (begin && (const char *)where >= begin && (const char *)where < begin + file->count)
            return file;
    }
    return NULL;
}

bool dataset_refuse_hole(const struct dataset *dataset, const void *where, struct error *error)
{
    const struct watched *file = find_file(dataset, where);
    CHECK(file, "a bus error that is not of the data");
    return watched_refuse(file, error);
}

struct reading {
    const struct dataset *dataset;
    const uint64_t *indices;
    size_t n;
    struct leaf *leaf;
    bool ok;
};

static void read_rows(void *context)
{
    struct reading *reading = context;
    const struct dataset whole = whole_of(reading->dataset);
    reading->ok = true;
    for (size_t i = 0; reading->ok && i < reading->n; i++) {
        size_t sample = (size_t)share_sample(&whole.share, reading->indices[i]);
        reading->ok = whole.class->read(&whole, sample, reading->leaf, i, whole.failure);
    }
}

static void clear(const struct dataset *dataset, struct leaf *leaf, size_t n)
{
    size_t inputs = n * shape_count(&dataset->about.form.input), terms = n * dataset->about.form.terms;
    if (leaf->inputs)
        memset(leaf->inputs, 0, inputs * sizeof *leaf->inputs);
    if (leaf->tokens)
        memset(leaf->tokens, 0, inputs * sizeof *leaf->tokens);
    if (leaf->labels)
        memset(leaf->labels, 0, terms * sizeof *leaf->labels);
    if (leaf->targets)
        memset(leaf->targets, 0, terms * sizeof *leaf->targets);
}

/* Rows are what the format has read. */
static void standardise(const struct description *about, struct leaf *leaf, size_t n)
{
    const struct shape targets = {1, {about->form.terms}};
    if (about->input_standard.columns > 0)
        standard_apply(&about->input_standard, &about->form.input, leaf->inputs, n);
    if (about->target_standard.columns > 0)
        standard_apply(&about->target_standard, &targets, leaf->targets, n);
}

void dataset_read(const struct dataset *dataset, const uint64_t *indices, size_t n, struct leaf *leaf)
{
    struct reading reading = {.dataset = dataset, .indices = indices, .n = n, .leaf = leaf};
    const void *where;
    for (size_t i = 0; i < n; i++)
        CHECK(indices[i] < dataset->count, "a sample must lie in the dataset");
    bool ok = dataset->failure->kind == ERROR_NONE;
    if (ok)
        ok = guard_run(read_rows, &reading, &where) ? reading.ok
                                                    : dataset_refuse_hole(dataset, where, dataset->failure);
    if (ok)
        standardise(&dataset->about, leaf, n);
    else
        clear(dataset, leaf, n);
    leaf->rows = n;
}

bool dataset_failed(const struct dataset *dataset, struct error *error)
{
    if (!dataset->failure || dataset->failure->kind == ERROR_NONE)
        return false;
    *error = *dataset->failure;
    return true;
}

struct digesting {
    const struct dataset *dataset;
    uint64_t digest;
};

static void digest(void *context)
{
    struct digesting *digesting = context;
    const struct dataset whole = whole_of(digesting->dataset);
    digesting->digest = whole.class->digest(&whole);
}

/* Whether the content is what it was when the dataset was opened. */
static bool has_same_content(const struct dataset *dataset, struct watched *file, struct error *error)
{
    struct digesting digesting = {.dataset = dataset};
    const void *where;
    if (!guard_run(digest, &digesting, &where))
        return dataset_refuse_hole(dataset, where, error);
    uint64_t found = digest_shape(digesting.digest, &dataset->stored);
    if (share_digest(&dataset->share, found) != dataset->digest)
        return error_set(error, ERROR_CORRUPT,
                         "%s was changed while it was in use: it has other content than at the start", file->path);
    double now_s = clock_seconds();
    if (!file->told && (file->excused_s == 0 || now_s - file->excused_s >= EXCUSED_S)) {
        log_info("%s was touched, or written anew, with the same content", file->path);
        file->excused_s = now_s;
    }
    return true;
}

/* Those that the dataset itself looks after. */
static struct watched *own_files(const struct dataset *dataset)
{
    return dataset->is_taken ? NULL : dataset->files;
}

bool dataset_look(struct dataset *dataset, struct error *error)
{
    for (struct watched *file = own_files(dataset); file; file = file->next) {
        switch (watched_look(file)) {
        case WATCHED_SAME:
            break;
        case WATCHED_LEFT:
            log_warn("%s is not the file any more that this run has read: it goes on with what it has read, but the "
                     "next start may find something else",
                     file->path);
            break;
        case WATCHED_SHORT:
            return watched_refuse(file, error);
        case WATCHED_UNKNOWN:
            return error_errno(error, "cannot look at %s any more", file->path);
        }
    }
    return true;
}

bool dataset_is_touched(const struct dataset *dataset)
{
    bool touched = false;
    for (const struct watched *file = own_files(dataset); file; file = file->next)
        touched = touched || file->touched;
    return touched;
}

bool dataset_is_written(const struct dataset *dataset)
{
    bool written = false;
    for (const struct watched *file = own_files(dataset); file; file = file->next)
        written = written || file->written;
    return written;
}

bool dataset_prove(struct dataset *dataset, struct error *error)
{
    struct watched *touched = NULL;
    for (struct watched *file = own_files(dataset); file; file = file->next) {
        touched = file->touched ? file : touched;
        file->touched = file->written = false;
    }
    return !touched || has_same_content(dataset, touched, error);
}
