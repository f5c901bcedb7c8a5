#include "train/standardise.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/partition.h"
#include "base/watchdog.h"
#include "parallel/column_sums.h"
#include "train/restore.h"

#include <string.h>

#define CHUNK_MOST   256             /* samples of a chunk; chunks are items of the tree, so that this, ... */
#define CHUNK_FLOATS ((size_t)65536) /* ... and this, decide on the bits: they must not depend on the ranks */

/* Inputs or targets. */
struct half {
    struct shape shape; /* of a sample's */
    struct standard *standard;
    size_t columns; /* 0: not wanted */
    size_t offset;  /* of its sums in those of a chunk */
    float *first;   /* [columns] */
};

struct learning {
    struct session *session;
    struct half inputs, targets;
    size_t chunk, chunks; /* samples of a chunk; how many */
    struct leaf leaf;
    uint64_t *indices; /* [chunk] */
    struct column_sums sums;
};

static void init_half(struct half *half, struct shape shape, bool is_wanted, struct standard *standard)
{
    *half = (struct half){.shape = shape, .standard = standard, .columns = is_wanted ? standard_columns(&shape) : 0};
    half->first = memory_need(half->columns, sizeof *half->first);
}

/* Local. */
static bool init(struct learning *learning, struct session *session, struct error *error)
{
    struct dataset *train = &session->data.train;
    const struct leaf_form *form = &train->about.form;
    enum standardise_kind kind = session->job->data.standardise;
    size_t chunk = CHUNK_FLOATS / (shape_count(&form->input) + form->terms);
    *learning = (struct learning){.session = session};
    init_half(&learning->inputs, form->input, standardise_has_inputs(kind), &train->about.input_standard);
    init_half(&learning->targets, (struct shape){1, {form->terms}}, standardise_has_targets(kind),
              &train->about.target_standard);
    learning->targets.offset = 2 * learning->inputs.columns;
    learning->chunk = chunk < 1 ? 1 : chunk > CHUNK_MOST ? CHUNK_MOST : chunk;
    learning->chunks = (train->count + learning->chunk - 1) / learning->chunk;
    learning->indices = memory_need(learning->chunk, sizeof *learning->indices);
    return leaf_init(&learning->leaf, form, learning->chunk, error) &&
           column_sums_init(&learning->sums, session->world, learning->chunks,
                            learning->targets.offset + 2 * learning->targets.columns, error);
}

static void release(struct learning *learning)
{
    memory_free(learning->inputs.first);
    memory_free(learning->targets.first);
    memory_free(learning->indices);
    leaf_release(&learning->leaf);
    column_sums_release(&learning->sums);
}

static void read(struct learning *learning, size_t first, size_t count)
{
    for (size_t i = 0; i < count; i++)
        learning->indices[i] = first + i;
    watchdog_begin("the training data", 0);
    dataset_read(&learning->session->data.train, learning->indices, count, &learning->leaf);
    watchdog_end();
}

static void add(const struct half *half, const float *values, size_t count, double *sums)
{
    if (half->columns > 0)
        standard_add(&half->shape, values, count, half->first, sums + half->offset);
}

/* Local. This rank's chunks; all ranks shift by the same sample. */
static bool add_chunks(struct learning *learning, struct error *error)
{
    const struct world *world = learning->session->world;
    const struct dataset *train = &learning->session->data.train;
    size_t size = (size_t)world->size, rank = (size_t)world->rank;
    size_t begin = partition_first(learning->chunks, size, rank);
    size_t end = begin + partition_count(learning->chunks, size, rank);
    read(learning, 0, 1);
    if (learning->inputs.columns > 0)
        standard_refer(&learning->inputs.shape, learning->leaf.inputs, learning->inputs.first);
    if (learning->targets.columns > 0)
        standard_refer(&learning->targets.shape, learning->leaf.targets, learning->targets.first);
    for (size_t i = begin; i < end; i++) {
        size_t first = i * learning->chunk, left = train->count - first;
        read(learning, first, left < learning->chunk ? left : learning->chunk);
        double *sums = column_sums_next(&learning->sums);
        add(&learning->inputs, learning->leaf.inputs, learning->leaf.rows, sums);
        add(&learning->targets, learning->leaf.targets, learning->leaf.rows, sums);
        column_sums_add(&learning->sums);
    }
    return !dataset_failed(train, error) || error_prefix(error, "data.train: ");
}

/* Local. Returns how many columns are constant. */
static size_t finish(const struct half *half, const double *sums, size_t samples)
{
    if (half->columns == 0)
        return 0;
    standard_init(half->standard, half->columns);
    return standard_learn(half->standard, &half->shape, half->first, sums + half->offset, samples);
}

/* Local. The numbers of a category are 0 or 1, and stay so. */
static void leave_categories(struct description *about)
{
    for (size_t i = 0, at = 0; i < about->input_count && about->input_standard.columns > 0; i++) {
        size_t width = about->inputs[i].is_category ? about->inputs[i].values.count : 1;
        for (size_t c = at; about->inputs[i].is_category && c < at + width; c++)
            standard_leave(&about->input_standard, c);
        at += width;
    }
}

static void tell(const struct learning *learning, size_t constant, double begun_s)
{
    log_info("standardised by the means and deviations of the training data: %zu columns of inputs, %zu of targets, "
             "%zu constant; learned in %.1f s",
             learning->inputs.columns, learning->targets.columns, constant, clock_seconds() - begun_s);
}

/* Local, rank 0's work. Weights that were trained on other scales meet the scales of this job's data. */
static void compare_with_weights(const struct session *session)
{
    const struct description *about = &session->data.train.about;
    struct description there = {0};
    struct error unreadable;
    if (session->world->rank != 0 || !session->options->init_from)
        return;
    if (session->restore->weights_data && !description_read(&there, session->restore->weights_data, &unreadable))
        log_warn("--init-from %s: %s", session->options->init_from, unreadable.text);
    bool was = there.input_standard.columns + there.target_standard.columns > 0;
    bool is = about->input_standard.columns + about->target_standard.columns > 0;
    if (!standard_equals(&there.input_standard, &about->input_standard) ||
        !standard_equals(&there.target_standard, &about->target_standard))
        log_warn("--init-from %s: %s; %s: its weights have not seen such numbers", session->options->init_from,
                 was ? "its data were standardised with other means and deviations"
                     : "does not tell that its data were standardised",
                 is ? "this job takes those of its own data" : "this job does not standardise");
    description_release(&there);
}

/* Collective. */
static bool learn(struct session *session, struct error *error)
{
    struct learning learning;
    struct dataset *train = &session->data.train;
    double begun_s = clock_seconds();
    session->restore->patience.bytes = dataset_bytes(train);
    bool ok = world_agree(session->world, init(&learning, session, error), error) &&
              restore_agree(session->restore, add_chunks(&learning, error), "learning what to standardise with", error);
    if (ok) {
        const double *sums = column_sums_share(&learning.sums);
        size_t constant = finish(&learning.inputs, sums, train->count) + finish(&learning.targets, sums, train->count);
        leave_categories(&train->about);
        tell(&learning, constant, begun_s);
        compare_with_weights(session);
    }
    release(&learning);
    return ok;
}

/* Local. What the checkpoint tells of the training data, whose digest is that of these. */
static bool take(struct session *session, struct error *error)
{
    struct description saved;
    struct dataset *train = &session->data.train;
    if (!description_read(&saved, session->record.data, error))
        return error_prefix(error, "the checkpoint: ");
    bool fits = memcmp(&saved.form.input, &train->about.form.input, sizeof saved.form.input) == 0 &&
                saved.form.terms == train->about.form.terms && saved.form.vocabulary == train->about.form.vocabulary &&
                saved.form.classes == train->about.form.classes &&
                description_is_standardised(&saved, session->job->data.standardise);
    if (fits)
        dataset_standardise(train, &saved);
    description_release(&saved);
    return fits || error_set(error, ERROR_CORRUPT, "the checkpoint does not tell what its data were standardised with");
}

bool standardise_session(struct session *session, struct error *error)
{
    bool goes_on = session->record.data && *session->record.data;
    if (!standardise_has_inputs(session->job->data.standardise) &&
        !standardise_has_targets(session->job->data.standardise)) {
        if (!goes_on)
            compare_with_weights(session);
        return true;
    }
    if (goes_on ? !world_agree(session->world, take(session, error), error) : !learn(session, error))
        return false;
    if (session->data.validation.count > 0)
        dataset_standardise(&session->data.validation, &session->data.train.about);
    return true;
}
