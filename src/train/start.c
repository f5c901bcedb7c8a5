#include "train/start.h"

#include "base/log.h"
#include "base/memory.h"
#include "base/watchdog.h"
#include "job/length.h"
#include "policy/best.h"
#include "policy/guard.h"
#include "train/class_weights.h"
#include "train/inflation.h"
#include "train/keep_every.h"
#include "train/life.h"
#include "train/looks.h"
#include "train/memory_room.h"
#include "train/ranks.h"
#include "train/restore.h"
#include "train/resume.h"
#include "train/run_directory.h"
#include "train/standardise.h"

#include <inttypes.h>
#include <math.h>

/* Collective. The second tier, if it is wanted. */
static bool open_copies(struct session *session, struct error *error)
{
    const struct job *job = session->job;
    return !job->copies.path || copies_open(&session->saving.copies, session->world, job->copies.path, job->run,
                                            session->options->ranks_per_node, error);
}

static bool open_data(struct session *session, struct error *error)
{
    const struct job *job = session->job;
    struct looks looks;
    struct inflation inflation = {0};
    if (!looks_bring(session, &looks, error) || !inflation_begin(session, &inflation, error)) {
        looks_release(&looks);
        return false;
    }
    looks.aid.train.inflated = looks.aid.validation.inflated = &inflation.table;
    bool ok = looks_open_data(session, &looks, error);
    bool is_late = !ok && error->kind == ERROR_LATE;
    session->restore->patience.bytes = dataset_bytes(&session->data.train) + dataset_bytes(&session->data.validation);
    ok = !is_late && restore_agree(session->restore, ok, "opening the data", error);
    inflation_end(&inflation);
    ok = ok && ranks_compare_data(session, error);
    if (ok)
        looks_keep(session, &looks);
    looks_release(&looks);
    if (!ok)
        return false;
    if (!length_sampler(job, session->data.train.count, &session->data.sampler, error))
        return false;
    if (session->data.train.share.chunks.count > 0)
        sampler_keep_chunks(&session->data.sampler, &session->data.train.share.chunks, job->data.shuffle_window);
    return length_steps(job, &session->data.sampler, &session->steps, error);
}

/* Whether training goes on while a checkpoint is written, on arrays of its own. */
static bool saves_beside(const struct session *session)
{
    return session->job->checkpoint.background && saver_can_have_thread();
}

#define TARGETS_LARGE 100.0f /* learning rates are made for outputs of about 1 */

/* Local. Steps on such targets are so large, or loss so slow to fall, that it looks like a fault of the program. */
static void warn_of_large_targets(const struct session *session)
{
    const struct leaf_form *form = &session->data.train.about.form;
    float size = fmaxf(fabsf(form->least), fabsf(form->most));
    if (form->classes == 0 && size > TARGETS_LARGE && !standardise_has_targets(session->job->data.standardise))
        log_warn("data.train: targets lie between %g and %g, and a model begins with outputs of about 1: "
                 "data.standardise: targets (or both) scales them, and metrics keep their units",
                 (double)form->least, (double)form->most);
}

#define SHARE_NEAR 0.1 /* of the wanted share */

/* Local. Large chunks can make a share of whole ones that nobody has meant. */
static void warn_of_share(const struct session *session)
{
    const struct dataset *validation = &session->data.validation, *train = &session->data.train;
    double wanted = session->job->data.split.validation;
    double taken = (double)validation->count / (double)(validation->count + train->count);
    if (wanted > 0 && validation->share.chunks.count > 0 && fabs(taken - wanted) > SHARE_NEAR * wanted)
        log_warn("data.split.validation: %g is wanted, but %.3g of the samples are taken: data.shuffle: chunks takes "
                 "whole chunks, and a smaller data.shuffle_chunk (here %" PRIu64 "%s) comes nearer",
                 wanted, taken, session->job->data.shuffle_chunk,
                 session->job->data.shuffle_chunk > 0 ? "" : ": as they are stored");
}

/* Local. What cannot be known before data and model are there. */
static bool check_job_with_data(const struct session *session, struct error *error)
{
    const struct job *job = session->job;
    const struct layer *last = &session->learner.model.layers[session->learner.model.count - 1];
    double warmup = length_of_schedule(&job->schedule, &session->data.sampler, job->schedule.warmup);
    if (job->schedule.horizon == 0 && warmup > (double)session->steps)
        log_warn("schedule.warmup: %g %s are %.0f steps, but the job has %" PRIu64
                 ": the learning rate never reaches its peak",
                 job->schedule.warmup, schedule_units[job->schedule.unit], warmup, session->steps);
    warn_of_large_targets(session);
    warn_of_share(session);
    for (size_t l = 0; l < session->learner.model.count; l++)
        if (session->data.train.about.form.vocabulary > 0 && session->learner.model.layers[l].sees_ahead) {
            log_warn("model: %s is not causal: it sees the %s that it has to predict",
                     session->learner.model.layers[l].name,
                     session->data.train.about.vocabulary ? "characters" : "tokens");
            break;
        }
    if (session->data.validation.count > 0 &&
        !loss_check(&job->loss, &last->out, &session->data.validation.about.form, error))
        return error_prefix(error, "data.validation: ");
    if (session->data.validation.count > 0 && job->validate.every > 0 &&
        !metric_check(job->validate.metric, job->loss.class, &session->data.train.about.form, error))
        return error_prefix(error, "validate.metric: ");
    return update_check_groups(&job->optimizer, &session->learner.model.table, error);
}

/* Local. Everything that is allocated for the loop, but for what the exchange has. */
static bool allocate(struct session *session, struct error *error)
{
    const struct job *job = session->job;
    struct training_data *data = &session->data;
    struct learner *learner = &session->learner;
    augmenter_init(&data->augmenter, &job->data.augment, job->seed, &data->train.about);
    return learner_allocate(learner, session->world, job, saves_beside(session), error) &&
           prefetch_open(&data->ahead, &learner->model.form, learner->model.rows, "the training data", error) &&
           (data->validation.count == 0 ||
            evaluator_init(&session->evaluator, session->world, &data->validation, &learner->model, NULL, error));
}

/* Local. What they are hangs on the training data, and is told with its file. */
static bool check_targets(const struct session *session, struct error *error)
{
    struct text words;
    const struct job *job = session->job;
    const struct dataset *train = &session->data.train;
    if (loss_check_targets(&job->loss, &train->about.form, error))
        return true;
    text_init(&words);
    text_append(&words, "%s", error->text);
    dataset_tell_targets(train, &job->data.train, &words);
    error_set(error, error->kind, "%s", text_bytes(&words));
    text_release(&words);
    return false;
}

static bool build(struct session *session, struct error *error)
{
    const struct world *world = session->world;
    const struct job *job = session->job;
    struct learner *learner = &session->learner;
    bool two_sets = saves_beside(session);
    bool ok = check_targets(session, error) && learner_init(learner, job, &session->data.train.about.form, error) &&
              check_job_with_data(session, error);
    if (!world_agree(world, ok, error))
        return false;
    struct memory_plan plan = memory_plan_make(job, &learner->model, two_sets, (size_t)world->size,
                                               (size_t)world->rank);
    if (!memory_room_check(world, &plan, error) ||
        !learner_connect(learner, world, job, two_sets, session->options->ranks_per_node, error))
        return false;
    session->restore->patience.bytes = (double)learner->shard.count * sizeof(float) * STATE_ARRAYS;
    size_t most = (size_t)session->restore->patience.bytes * (two_sets ? 2 : 1) +
                  2 * leaf_bytes(&learner->model.form, learner->model.rows); /* that are read ahead */
    return world_agree_memory(world, allocate(session, error), most, error);
}

/* Collective. From here on ranks unpack what they read for each other. */
static bool share_data(struct session *session)
{
    data_memory_open(&session->data_memory, session->world, &session->learner.node, session->job, &session->data.train);
    return true;
}

/* Collective. Last of all: from here on HDF5 belongs to the saver. */
static bool open_saver(struct session *session, struct error *error)
{
    const struct job *job = session->job;
    const struct saver_options options = {
        .background = saves_beside(session), .timeout_s = job->checkpoint.timeout, .lost = session->options->lost};
    if (!saver_open(&session->saving.saver, session->world, &session->store, session->learner.exchange,
                    &session->learner.state, &options, error))
        return false;
    if (job->checkpoint.background && !options.background)
        log_warn("this MPI has no MPI_THREAD_MULTIPLE: training stands still while a checkpoint is written, and nobody "
                 "watches over ranks that hang");
    return true;
}

/* Collective. Forgets the best models that have no checkpoint. */
static bool look_for_best(struct session *session, struct error *error)
{
    struct history *history = &session->record.history;
    bool found[HISTORY_BEST + HISTORY_SPARE] = {false};
    if (session->world->rank == 0)
        best_find(&session->store, history, found);
    if (!restore_agree(session->restore, true, "looking for the best models", error))
        return false;
    world_share(session->world, found, sizeof found);
    best_look(session->job, found, history);
    return true;
}

/* Collective. First of all: what follows can hang. */
static bool open_watch(struct session *session, struct error *error)
{
    double limit_s = session->job->heartbeat;
    void (*lost)(const struct error *error) = session->options->lost;
    struct watchdog_limits limits;
    session_limits(session, true, &limits);
    if (!lost)
        return true;
    if (limit_s == 0) {
        watchdog_limit(&limits);
        return true;
    }
    bool ok = watchdog_open(&limits, lost, error);
    return world_agree(session->world, ok, error) &&
           heartbeat_open(&session->heartbeat, session->world, limit_s, lost, error);
}

bool start_session(struct session *session, const struct world *world, const struct job *job,
                   const struct session_options *options, struct error *error)
{
    struct restore *restore = memory_need(1, sizeof *restore);
    *session = (struct session){.world = world, .job = job, .options = options, .restore = restore, .held.lock = -1};
    directory_init(&session->held.directory);
    metrics_init(&session->metrics);
    restore_open(restore, world, job->checkpoint.timeout);
    history_log_init(&session->history_log);
    bool ok = ranks_compare(session, error) && open_watch(session, error) && ranks_check(session, error) &&
              run_directory_take(session, error) && deadline_open(&session->deadline, world, error) &&
              open_copies(session, error) && open_data(session, error) && build(session, error) &&
              share_data(session) && resume(session, error) && standardise_session(session, error) &&
              class_weights_session(session, error);
    if (ok) {
        guard_prepare(job, &session->record.history);
        best_prepare(job, &session->data.validation, &session->record.history);
        ok = look_for_best(session, error) && keep_every_begin(session, error) && life_begin(session, error) &&
             open_saver(session, error);
    }
    if (!ok && error->kind == ERROR_LATE) /* closing is a thing of all ranks, and who hangs may still be at work */
        return false;
    restore_close(restore);
    memory_free(restore);
    session->restore = NULL;
    session_watch_meetings(session, !ok);
    if (!ok)
        session_close(session);
    return ok;
}
