#include "train/continuation.h"

#include "base/log.h"
#include "base/memory.h"
#include "checkpoint/passport.h"
#include "job/length.h"
#include "train/restore.h"

#include <inttypes.h>
#include <string.h>

#define MODEL "/model/" /* where a checkpoint has the views of the model's tensors */

/* Local. The tensor of the model with this name, or NULL. */
static const struct tensor *find_here(const struct tensor_table *table, const char *name)
{
    for (size_t t = 0; t < table->length; t++)
        if (strcmp(table->tensors[t].name, name) == 0)
            return &table->tensors[t];
    return NULL;
}

/* Local. The view of the model's tensor with this name in a checkpoint, or NULL. */
static const struct reader_tensor *find_there(const struct reader_tensor *there, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strncmp(there[i].path, MODEL, strlen(MODEL)) == 0 && strcmp(there[i].path + strlen(MODEL), name) == 0)
            return &there[i];
    return NULL;
}

/* Local. Appends a line if the tensor differs; either may be NULL. */
static void compare_tensor(const char *name, const struct reader_tensor *there, const struct tensor *here,
                           struct text *differences)
{
    char saved[64] = "(none)", now[64] = "(none)";
    if (there)
        text_sizes(there->dims, there->shape, saved, sizeof saved);
    if (here)
        text_sizes(here->dims, here->shape, now, sizeof now);
    if (strcmp(saved, now) != 0)
        text_append(differences, "\n  tensor %s: %s in the checkpoint, %s here", name, saved, now);
}

/* Local. Appends a line for every tensor whose shape is not the same here and in the checkpoint. */
static bool compare_tensors(const struct session *session, const struct reader *reader, struct text *differences,
                            struct error *error)
{
    const struct tensor_table *table = &session->learner.model.table;
    struct reader_tensor *there;
    size_t count;
    if (!reader_list_tensors(reader, &there, &count, error))
        return false;
    for (size_t t = 0; t < table->length; t++)
        compare_tensor(table->tensors[t].name, find_there(there, count, table->tensors[t].name), &table->tensors[t],
                       differences);
    for (size_t i = 0; i < count; i++)
        if (strncmp(there[i].path, MODEL, strlen(MODEL)) == 0 && !find_here(table, there[i].path + strlen(MODEL)))
            compare_tensor(there[i].path + strlen(MODEL), &there[i], NULL, differences);
    memory_free(there);
    return true;
}

/* Local. Logs each line of a list of changes: a warning where the result is another one, else a note. */
static void log_changes(const char *what, const struct text *changes, bool always_matters)
{
    for (const char *line = text_bytes(changes); *line; line += strcspn(line, "\n") + 1) {
        size_t length = strcspn(line, "\n");
        bool matters = always_matters || memmem(line, length, JOB_CHANGES_RESULT, strlen(JOB_CHANGES_RESULT));
        (matters ? log_warn : log_info)("%s: %.*s", what, (int)length, line);
    }
}

/* Local. Appends a line for everything else in which the checkpoint is not of this job. */
static void compare_rest(const struct session *session, const struct record *record, struct text *differences)
{
    struct error other;
    if (!description_has_same_tokens(&session->data.train.about, record->data, &other))
        text_append(differences, "\n  data.train.tokenizer: the checkpoint differs: %s", other.text);
    else if (record->data_digest != session->data.train.digest)
        text_append(differences,
                    "\n  data.train: content with digest %016" PRIx64 " in the checkpoint, other content (%016" PRIx64
                    ") here: %s, or its targets, have changed since",
                    record->data_digest, session->data.train.digest, dataset_source(&session->job->data.train, false));
    if (!description_has_same_chunks(&session->data.train.about, record->data, &other))
        text_append(differences, "\n  data.train: %s", other.text);
    bool is_foreign = session->options->branch && !session->restore->is_branch &&
                      strncmp(record->origin ? record->origin : "", RECORD_BRANCH, strlen(RECORD_BRANCH)) != 0;
    if (is_foreign)
        text_append(differences, "\n  --branch %s: this run has a checkpoint of its own, and is no branch of another",
                    session->options->branch);
    if (record->step > session->steps && session->job->train.steps > 0)
        text_append(differences, "\n  train.steps: %" PRIu64 " are done in the checkpoint, %" PRIu64 " are wanted here",
                    record->step, session->steps);
    else if (record->step > session->steps)
        text_append(differences, "\n  train.epochs: %.2f are done in the checkpoint, %g are wanted here", record->epoch,
                    session->job->train.epochs);
}

/* Local. Which samples come next, and with which step the job ends: both hang on the batches so far. */
static bool take_position(struct session *session, const struct record *record, const struct job *saved,
                          struct error *error)
{
    struct sampler *sampler = &session->data.sampler;
    const struct job *job = session->job;
    if (job->data.last == LAST_DROP && saved->data.last == LAST_DROP && saved->train.batch != job->train.batch)
        return error_set(error, ERROR_USAGE,
                         "train.batch: %" PRIu64 " in the checkpoint, %" PRIu64
                         " here: with data.last: drop it decides how long an epoch is, and cannot change",
                         saved->train.batch, job->train.batch);
    sampler->batch = saved->train.batch;
    sampler->first_step = record->history.sampler_step;
    sampler->first_sample = record->history.sampler_sample;
    sampler_change_batch(sampler, record->step, job->train.batch);
    return length_steps(job, sampler, &session->steps, error);
}

bool continuation_check(struct session *session, const char *name, const struct record *record,
                        const struct reader *reader, struct text *changes, struct text *remark, struct error *error)
{
    struct job saved;
    struct text more;
    if (!job_parse_saved(&saved, "the checkpoint's job", record->job, NULL, 0, error))
        return error_prefix(error, "%s: ", name);
    if (!take_position(session, record, &saved, error)) {
        job_release(&saved);
        return false;
    }
    text_init(&more);
    length_explain(&saved, session->job, remark);
    bool same_job = job_continues(&saved, session->job, &session->options->allowed, changes, error);
    struct error unreadable;
    /* The tensors of the same job are the same: the views are looked at only for the words of a refusal. In a file
     * without a seal (reader->sealed) nothing proves them, and a damaged one can lead HDF5 1.10 round for ever. */
    bool ok = same_job || !reader || compare_tensors(session, reader, &more, &unreadable);
    compare_rest(session, record, &more);
    if (!ok)
        *error = unreadable;
    else if (!same_job || more.length > 0)
        ok = error_set(error, ERROR_USAGE, "%s: %s%s\n  %s", name,
                       same_job ? "this job contradicts the checkpoint:" : error->text, text_bytes(&more),
                       session->restore->is_branch ? "To begin a new job with its weights alone: --init-from"
                                                   : "To start anew: another run:, or --fresh --overwrite");
    text_release(&more);
    session->restore->kept_every = saved.checkpoint.keep_every;
    job_release(&saved);
    return ok;
}

void continuation_take(struct session *session, struct record *record, const struct text *job_changes,
                       const struct text *remark)
{
    struct text changes;
    text_init(&changes);
    log_changes("changed on resume", job_changes, false);
    if (remark->length > 0)
        log_warn("%s", text_bytes(remark));
    passport_compare(record->passport, text_bytes(&session->restore->passport), &changes);
    log_changes("passport changed, training continues to rounding, not to the bit", &changes, true);
    text_release(&changes);
    record_release(&session->record);
    session->record = *record;
    *record = (struct record){0};
    session->step = session->record.step;
    session->loss = session->record.loss;
    session->record.history.sampler_step = session->data.sampler.first_step;
    session->record.history.sampler_sample = session->data.sampler.first_sample;
    text_append(&session->restore->changes, "%s", text_bytes(job_changes));
}
