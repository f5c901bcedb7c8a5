#include "train/class_weights.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/partition.h"
#include "base/watchdog.h"
#include "train/restore.h"

#include <inttypes.h>

#define CHUNK_FLOATS ((size_t)65536) /* that are read at once, about, ... */
#define CHUNK_MOST   256             /* ... in so many samples at most */

/* Local. Counts the labels of this rank's share of the samples. */
static bool count_share(const struct session *session, struct leaf *leaf, size_t rows, uint64_t *indices,
                        uint64_t *counts, struct error *error)
{
    const struct dataset *train = &session->data.train;
    size_t size = (size_t)session->world->size, rank = (size_t)session->world->rank;
    size_t next = partition_first(train->count, size, rank), end = partition_first(train->count, size, rank + 1);
    for (size_t n; next < end && !dataset_failed(train, error); next += n) {
        n = end - next < rows ? end - next : rows;
        for (size_t i = 0; i < n; i++)
            indices[i] = next + i;
        watchdog_begin("the training data", 0);
        dataset_read(train, indices, n, leaf);
        watchdog_end();
        for (size_t term = 0; term < n * train->about.form.terms; term++)
            if (leaf->labels[term] != LEAF_IGNORED)
                counts[leaf->labels[term]]++;
    }
    return !dataset_failed(train, error) || error_prefix(error, "data.train: ");
}

/* Collective. */
static bool count(struct session *session, struct error *error)
{
    struct description *about = &session->data.train.about;
    size_t floats = shape_count(&about->form.input) + about->form.terms;
    size_t rows = floats < CHUNK_FLOATS / CHUNK_MOST ? CHUNK_MOST : 1 + CHUNK_FLOATS / floats;
    uint64_t *indices = memory_need(rows, sizeof *indices);
    uint64_t *counts = memory_need(about->form.classes, sizeof *counts);
    struct leaf leaf = {0};
    session->restore->patience.bytes = dataset_bytes(&session->data.train);
    bool ok = world_agree(session->world, leaf_init(&leaf, &about->form, rows, error), error) &&
              restore_agree(session->restore, count_share(session, &leaf, rows, indices, counts, error),
                            "counting the samples of each class", error);
    if (ok) {
        world_sum(session->world, counts, about->form.classes);
        description_count(about, counts);
    }
    leaf_release(&leaf);
    memory_free(counts);
    memory_free(indices);
    return ok;
}

/* Local. What the checkpoint tells of the training data, whose digest is that of these. */
static bool take(struct session *session, struct error *error)
{
    struct description saved, *about = &session->data.train.about;
    if (!description_read(&saved, session->record.data, error))
        return error_prefix(error, "the checkpoint: ");
    bool fits = saved.class_counts && saved.form.classes == about->form.classes;
    if (fits)
        description_count(about, saved.class_counts);
    description_release(&saved);
    return fits || error_set(error, ERROR_CORRUPT, "the checkpoint does not tell how many samples each class has");
}

#define CLASSES_TOLD 10 /* one by one, at most */

/* Local. */
static void tell(const struct description *about, const double *weights)
{
    const struct categories *names = description_classes(about);
    struct text line;
    text_init(&line);
    for (size_t c = 0; c < about->form.classes; c++)
        text_append(&line, "%s%.3g for class %zu%s%s%s, of %" PRIu64 " labels", c > 0 ? "; " : "", weights[c], c,
                    names ? " (" : "", names ? names->names[c] : "", names ? ")" : "", about->class_counts[c]);
    log_info("class_weights: balanced: %s", text_bytes(&line));
    text_release(&line);
}

/* Local. */
static void weigh(struct session *session)
{
    const struct description *about = &session->data.train.about;
    const uint64_t *counts = about->class_counts;
    size_t classes = about->form.classes, present = 0, rarest = 0, most = 0;
    uint64_t total = 0;
    double *weights = memory_need(classes, sizeof *weights);
    for (size_t c = 0; c < classes; c++) {
        total += counts[c];
        present += counts[c] > 0;
        rarest = counts[c] > 0 && (counts[rarest] == 0 || counts[c] < counts[rarest]) ? c : rarest;
        most = counts[c] > counts[most] ? c : most;
    }
    for (size_t c = 0; c < classes; c++)
        weights[c] = counts[c] > 0 ? (double)total / ((double)present * (double)counts[c]) : 1;
    model_weigh(&session->learner.model, weights);
    if (classes <= CLASSES_TOLD)
        tell(about, weights);
    else
        log_info("class_weights: balanced: from %.3g for class %zu, of %" PRIu64
                 " labels, to %.3g for class %zu, of %" PRIu64,
                 weights[most], most, counts[most], weights[rarest], rarest, counts[rarest]);
    if (present < classes)
        log_info("%zu of %zu classes do not come in the training data", classes - present, classes);
    memory_free(weights);
}

bool class_weights_session(struct session *session, struct error *error)
{
    bool goes_on = session->record.data && *session->record.data;
    if (!loss_is_balanced(&session->job->loss))
        return true;
    if (goes_on ? !world_agree(session->world, take(session, error), error) : !count(session, error))
        return false;
    weigh(session);
    return true;
}
