#include "train/session.h"

#include "base/digest.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/watchdog.h"
#include "checkpoint/passport.h"
#include "parallel/equality.h"
#include "train/best.h"
#include "train/environment.h"
#include "train/guard.h"
#include "train/length.h"
#include "train/resume.h"
#include "train/run_directory.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool session_agree(struct session *session, bool ok, const char *what, struct error *error)
{
    council_begin(&session->council);
    return council_agree(&session->council, ok, patience_of(&session->patience, PATIENCE_RESTORE), what, NULL, error);
}

/* Local. What can be said about the request before anything is opened. */
static bool check_ranks(const struct session *session, struct error *error)
{
    uint64_t batch = session->job->train.batch, microbatch = session->job->train.microbatch,
             leaves = batch / microbatch;
    return (uint64_t)session->world->size <= leaves ||
           error_set(error, ERROR_USAGE,
                     "%d ranks, but only %" PRIu64 " leaves (train.batch %" PRIu64 " / train.microbatch %" PRIu64
                     "): start at most %" PRIu64 " ranks, or make train.microbatch smaller",
                     session->world->size, leaves, batch, microbatch, leaves);
}

/* Collective. The second tier, if it is wanted. */
static bool open_copies(struct session *session, struct error *error)
{
    const struct job *job = session->job;
    return !job->copies.path || local_open(&session->local, session->world, job->copies.path, job->run,
                                           session->options->ranks_per_node, error);
}

/* Local. */
static bool open_datasets(struct session *session, struct error *error)
{
    const struct job *job = session->job;
    if (!dataset_open(&session->train, &job->data.train, NULL, error))
        return error_prefix(error, "data.train: ");
    if (job->data.validation.format == DATASET_NONE ||
        dataset_open(&session->validation, &job->data.validation, &session->train, error))
        return true;
    return error_prefix(error, "data.validation: ");
}

/* Collective. Each rank has read its own: nodes may have copies. */
static bool compare_data(const struct session *session, struct error *error)
{
    static const char advice[] = "Give all nodes the same files";
    struct text train, validation;
    text_init(&train);
    text_init(&validation);
    dataset_describe(&session->train, &train);
    dataset_describe(&session->validation, &validation);
    const struct equality_item items[] = {
        {"data.train", text_bytes(&train), advice, false},
        {"data.validation", text_bytes(&validation), advice, false},
    };
    bool ok = equality_check(session->world, items, sizeof items / sizeof *items, error);
    text_release(&train);
    text_release(&validation);
    return ok;
}

static bool open_data(struct session *session, struct error *error)
{
    const struct job *job = session->job;
    bool ok = open_datasets(session, error);
    session->patience.bytes = dataset_bytes(&session->train) + dataset_bytes(&session->validation);
    if (!session_agree(session, ok, "opening the data", error) || !compare_data(session, error))
        return false;
    session->sampler = (struct sampler){.seed = job->seed, .samples = session->train.count, .batch = job->train.batch};
    return length_steps(job, &session->sampler, &session->steps, error);
}

/* Whether training goes on while a checkpoint is written, on arrays of its own. */
static bool saves_beside(const struct session *session)
{
    return session->job->checkpoint.background && saver_can_have_thread();
}

/* The exchange in shared memory if the nodes have enough of it, else through messages. */
static bool open_exchange(struct session *session, size_t leaves, struct error *error)
{
    const struct world *world = session->world;
    size_t count = session->model.table.count, learned = session->model.table.learned;
    size_t copies = saves_beside(session) ? 2 : 1;
    node_open(&session->node, world, session->options->ranks_per_node);
    session->node_is_open = true;
    if (exchange_open(&session->exchange, world, &session->node, leaves, count, learned, copies, error))
        return true;
    if (!error_is_refused(error) || session->options->ranks_per_node == 1)
        return false;
    log_warn("%s: the ranks exchange messages instead, which is slower; more room in /dev/shm may help", error->text);
    error_clear(error);
    node_close(&session->node);
    node_open(&session->node, world, 1);
    return exchange_open(&session->exchange, world, &session->node, leaves, count, learned, copies, error);
}

_Static_assert(STATE_DIMS == TENSOR_DIMS, "a checkpoint has room for every tensor's shape");
_Static_assert(STATE_ARRAYS >= OPTIMIZER_MOMENTS + 2, "and for the parameters, all moments and the average");
_Static_assert(TENSOR_ALIGN == STATE_ALIGN, "a checkpoint knows what may lie between tensors");
_Static_assert(TENSOR_STATISTICS_ALIGN == EXCHANGE_BLOCK, "the norm is taken by blocks, without the statistics");

/* The state's arrays are those in use. */
static void point_state(struct session *session)
{
    struct state *state = &session->state;
    size_t a = 0;
    state->arrays[a++].values = session->used.params;
    for (size_t k = 0; k < OPTIMIZER_MOMENTS && session->used.moments[k]; k++)
        state->arrays[a++].values = session->used.moments[k];
    if (session->used.average)
        state->arrays[a++].values = session->used.average;
}

/* The learned arrays by name, and the tensors in them. */
static void describe_state(struct session *session, const char *const *moments)
{
    const struct tensor_table *table = &session->model.table;
    struct state *state = &session->state;
    session->tensors = memory_need(table->length, sizeof *session->tensors);
    for (size_t t = 0; t < table->length; t++) {
        const struct tensor *tensor = &table->tensors[t];
        session->tensors[t] = (struct state_tensor){
            .name = tensor->name, .dims = tensor->dims, .offset = tensor->offset};
        memcpy(session->tensors[t].shape, tensor->shape, sizeof tensor->shape);
    }
    *state = (struct state){
        .count = table->count, .shard = session->shard, .tensors = session->tensors, .tensor_count = table->length};
    state->arrays[state->array_count++].name = "params";
    for (size_t k = 0; moments[k]; k++)
        state->arrays[state->array_count++].name = moments[k];
    if (session->used.average)
        state->arrays[state->array_count++].name = "ema";
    point_state(session);
}

void session_turn(struct session *session)
{
    struct update_arrays left = session->used;
    session->used = session->other;
    session->other = left;
    exchange_turn(session->exchange);
    point_state(session);
}

/* Local. The arrays of this rank's shard, but for the parameters. */
static bool allocate_arrays(const struct session *session, const char *const *moments, struct update_arrays *arrays,
                            struct error *error)
{
    for (size_t k = 0; moments[k]; k++)
        if (!(arrays->moments[k] = memory_alloc(session->shard.count, sizeof(float), "the optimizer's moments", error)))
            return false;
    if (session->job->ema > 0)
        arrays->average = memory_alloc(session->shard.count, sizeof(float), "the average of the weights", error);
    return session->job->ema == 0 || arrays->average;
}

static void release_arrays(struct update_arrays *arrays)
{
    for (size_t k = 0; k < OPTIMIZER_MOMENTS; k++)
        memory_free(arrays->moments[k]);
    memory_free(arrays->average);
}

/* Local. Everything that is allocated for the loop, but for the exchange. */
static bool allocate(struct session *session, size_t leaves, struct error *error)
{
    const struct job *job = session->job;
    const char *const *moments = optimizer_classes[job->optimizer.kind]->moments(&job->optimizer);
    if (!allocate_arrays(session, moments, &session->used, error))
        return false;
    session->used.params = exchange_params(session->exchange) + session->shard.first;
    if (saves_beside(session)) {
        if (!allocate_arrays(session, moments, &session->other, error))
            return false;
        session->other.params = exchange_other_params(session->exchange) + session->shard.first;
    }
    session->indices = memory_need(job->train.microbatch, sizeof *session->indices);
    describe_state(session, moments);
    update_init(&session->update, session->world, &job->optimizer, &session->model.table, session->shard);
    return tally_init(&session->tally, session->world, leaves, 1, error) &&
           (session->validation.count == 0 ||
            evaluator_init(&session->evaluator, session->world, &session->validation, job->train.microbatch, error));
}

/* Local. What cannot be known before data and model are there. */
static bool check_job_with_data(const struct session *session, struct error *error)
{
    const struct job *job = session->job;
    const struct layer *last = &session->model.layers[session->model.count - 1];
    double warmup = length_of_schedule(&job->schedule, &session->sampler, job->schedule.warmup);
    if (job->schedule.horizon == 0 && warmup > (double)session->steps)
        log_warn("schedule.warmup: %g %s are %.0f steps, but the job has %" PRIu64
                 ": the learning rate never reaches its peak",
                 job->schedule.warmup, schedule_units[job->schedule.unit], warmup, session->steps);
    for (size_t l = 0; l < session->model.count; l++)
        if (session->train.form.vocabulary > 0 && session->model.layers[l].spec.kind == LAYER_ATTEND &&
            !session->model.layers[l].spec.causal) {
            log_warn("model: %s is not causal: it sees the characters that it has to predict",
                     session->model.layers[l].name);
            break;
        }
    if (session->validation.count > 0 && !loss_check(&job->loss, &last->out, &session->validation.form, error))
        return error_prefix(error, "data.validation: ");
    return update_check_groups(&job->optimizer, &session->model.table, error);
}

static bool build(struct session *session, struct error *error)
{
    const struct job *job = session->job;
    size_t leaves = job->train.batch / job->train.microbatch;
    bool ok = model_init(&session->model, &job->model, &job->loss, &session->train.form, job->train.microbatch,
                         job->seed, error);
    ok = ok && check_job_with_data(session, error);
    if (!world_agree(session->world, ok, error) || !open_exchange(session, leaves, error))
        return false;
    session->shard = exchange_shard(session->model.table.count, session->world->size, session->world->rank);
    session->patience.bytes = (double)session->shard.count * sizeof(float) * STATE_ARRAYS;
    size_t most = (size_t)session->patience.bytes * (saves_beside(session) ? 2 : 1);
    return world_agree_memory(session->world, allocate(session, leaves, error), most, error);
}

#define PASSPORT_LINES 16

/* Collective. What all ranks have to have in common before any of it is used, and the passport of all. Nodes of two
 * generations are two sets of kernels: then the bits depend on which rank runs where, and nothing but a warning can be
 * done about it. */
static bool compare_ranks(struct session *session, struct error *error)
{
    static const char rounding[] = "The bits depend on which rank runs where, and training continues to rounding";
    struct equality_item items[PASSPORT_LINES + 3];
    struct text passport, variables, job;
    size_t count = 0;
    text_init(&passport);
    text_init(&variables);
    text_init(&job);
    environment_passport(&passport);
    environment_variables(&variables);
    job_write(session->job, &job);
    char digest[40];
    snprintf(digest, sizeof digest, "digest %016" PRIx64, digest_bytes(job.bytes, job.length));
    items[count++] = (struct equality_item){"run", session->job->run, "All ranks write into one directory", false};
    items[count++] = (struct equality_item){"the job", digest, "Start all ranks alike", false};
    char *lines = memory_text(text_bytes(&passport)), *rest = lines;
    for (char *line; (line = strsep(&rest, "\n")) && *line && count < PASSPORT_LINES + 2;) {
        char *key = strsep(&line, ":");
        items[count++] = (struct equality_item){key, line ? line + strspn(line, " ") : "", rounding, true};
    }
    items[count++] = (struct equality_item){"the environment", text_bytes(&variables), rounding, true};
    bool ok = equality_check(session->world, items, count, error);
    char **all = world_gather_texts(session->world, text_bytes(&passport));
    passport_merge(all, (size_t)session->world->size, &session->passport);
    memory_free(all);
    memory_free(lines);
    text_release(&passport);
    text_release(&variables);
    text_release(&job);
    return ok;
}

/* Collective. Last of all: from here on HDF5 belongs to the saver. */
static bool open_saver(struct session *session, struct error *error)
{
    const struct job *job = session->job;
    const struct saver_options options = {
        .background = saves_beside(session), .timeout_s = job->checkpoint.timeout, .lost = session->options->lost};
    if (!saver_open(&session->saver, session->world, &session->store, session->exchange, &session->state, &options,
                    error))
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
    if (!session_agree(session, true, "looking for the best models", error))
        return false;
    world_share(session->world, found, sizeof found);
    best_look(session->job, found, history);
    return true;
}

/* Local. Who watches over the calls of a disk, and, at the start and at the end, over meetings; heartbeat: 0 takes both
 * away, also from the start so far. */
static struct watchdog_limits watch_limits(const struct session *session, bool over_meetings)
{
    double limit_s = session->job->heartbeat;
    return (struct watchdog_limits){.call_s = limit_s,
                                    .meeting_s = limit_s > 0 && over_meetings ? session->options->meeting_s : 0};
}

/* Local. In training ranks wait for each other as long as the slowest needs for its part: that has no limit. */
static void watch_meetings(const struct session *session, bool over_meetings)
{
    const struct watchdog_limits limits = watch_limits(session, over_meetings);
    if (session->options->lost)
        watchdog_limit(&limits);
}

/* Collective. First of all: what follows can hang. */
static bool open_watch(struct session *session, struct error *error)
{
    double limit_s = session->job->heartbeat;
    void (*lost)(const struct error *error) = session->options->lost;
    const struct watchdog_limits limits = watch_limits(session, true);
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

bool session_open(struct session *session, const struct world *world, const struct job *job,
                  const struct session_options *options, struct error *error)
{
    *session = (struct session){
        .world = world, .job = job, .options = options, .lock = -1, .patience.fixed_s = job->checkpoint.timeout};
    directory_init(&session->run);
    metrics_init(&session->metrics);
    council_open(&session->council, world);
    chronicle_init(&session->chronicle);
    bool ok = compare_ranks(session, error) && open_watch(session, error) && check_ranks(session, error) &&
              run_directory_take(session, error) && deadline_open(&session->deadline, world, error) &&
              open_copies(session, error) && open_data(session, error) && build(session, error) &&
              resume(session, error);
    if (ok) {
        guard_prepare(job, &session->record.history);
        best_prepare(job, &session->validation, &session->record.history);
        ok = look_for_best(session, error) && run_directory_begin(session, error) && open_saver(session, error);
    }
    watch_meetings(session, !ok);
    if (!ok && error->kind != ERROR_LATE) /* closing is a thing of all ranks */
        session_close(session);
    return ok;
}

void session_close(struct session *session)
{
    if (!session->world)
        return;
    watch_meetings(session, true);
    watchdog_begin_meeting("the savers take leave of each other", 0, false);
    saver_close(session->saver);
    local_close(&session->local);
    council_close(&session->council);
    watchdog_end();
    watchdog_begin(session->store.directory, 0);
    metrics_close(&session->metrics);
    chronicle_close(&session->chronicle);
    watchdog_end();
    cadence_release(&session->cadence);
    evaluator_release(&session->evaluator);
    tally_release(&session->tally);
    watchdog_begin_meeting("the shared memory of each node is given back (MPI_Win_free)", 0, false);
    exchange_close(session->exchange);
    if (session->node_is_open)
        node_close(&session->node);
    watchdog_end();
    release_arrays(&session->used);
    release_arrays(&session->other);
    update_release(&session->update);
    memory_free(session->tensors);
    memory_free(session->indices);
    model_release(&session->model);
    dataset_close(&session->train);
    dataset_close(&session->validation);
    record_release(&session->record);
    text_release(&session->passport);
    text_release(&session->changes);
    watchdog_begin("the lock of the run directory", 0);
    if (session->lock >= 0)
        close(session->lock);
    directory_close(&session->run);
    watchdog_end();
    heartbeat_close(session->heartbeat);
    memset(session, 0, sizeof *session);
}
