#include "train/benchmark.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/partition.h"
#include "nn/kernels/threaded.h"
#include "policy/flags.h"
#include "train/save.h"
#include "train/start.h"
#include "train/timeline_file.h"
#include "train/trainer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WARM   3     /* steps, of which the first one's products are recorded */
#define EVENTS 65536 /* of a thread, if a step has not more */

bool benchmark_has_phase(enum timeline_mark mark)
{
    return mark >= MARK_SAMPLES && mark <= MARK_BOUNDARY;
}

void benchmark_release(struct benchmark *benchmark)
{
    memory_free(benchmark->layers);
    recorder_release(&benchmark->recorder);
    memset(benchmark, 0, sizeof *benchmark);
}

/* ---- the numbers of a step ---- */

/* Columns of a step: seconds of all of it, of its phases, and of each layer forward and backward. */
enum { COLUMN_STEP = TIMELINE_MARK_COUNT, COLUMN_REST, COLUMN_LAYERS };

struct timing {
    size_t layers, columns;
    double *steps;  /* [timed, columns] */
    double *passes; /* [2, layers] of the last step */
    size_t timed;
    uint64_t seen; /* events of this thread */
};

static size_t column_of(const struct timing *timing, enum timeline_mark mark, size_t layer)
{
    return COLUMN_LAYERS + (mark == MARK_BACKWARD ? timing->layers : 0) + layer;
}

/* What a step has marked. The marks inside it end before it does, those behind it follow. */
static void take_step(struct timing *timing)
{
    struct timeline_track track = timeline_track(0);
    double *step = timing->steps + timing->timed++ * timing->columns, begin_s = 0, end_s = 0;
    bool is_behind = false;
    memset(timing->passes, 0, 2 * timing->layers * sizeof *timing->passes);
    for (; timing->seen < track.count; timing->seen++) {
        const struct timeline_event *event = timeline_event(&track, timing->seen);
        double seconds = event->end_s - event->begin_s;
        bool follows = event->mark == MARK_METRICS || event->mark == MARK_BOUNDARY;
        if (event->mark == MARK_STEP) {
            begin_s = event->begin_s;
            is_behind = true;
        }
        if (!benchmark_has_phase(event->mark) || is_behind != follows)
            continue;
        step[event->mark] += seconds;
        step[COLUMN_REST] -= seconds;
        end_s = event->end_s;
        if (event->part < timing->layers) {
            size_t column = column_of(timing, event->mark, event->part);
            step[column] += seconds;
            timing->passes[column - COLUMN_LAYERS]++;
        }
    }
    step[COLUMN_STEP] = end_s - begin_s;
    step[COLUMN_REST] += end_s - begin_s;
}

/* Marks of a step at most. */
static size_t count_marks(const struct model *model, size_t leaves)
{
    const struct layer *last = &model->layers[model->count - 1];
    size_t positions = last->outputs / last->out.size[last->out.dims - 1];
    size_t tiles = model->tile_rows > 0 ? model->rows * positions / model->tile_rows + 1 : 1;
    return leaves * (2 * model->count + 3 * tiles + 8) + 64;
}

/* ---- steps ---- */

/* Collective. What the products of a step are is found out in one that is not timed. */
static bool warm_up(struct session *session, struct progress *progress, struct recorder *recorder, struct error *error)
{
    struct model *model = &session->learner.model;
    unsigned flags = 0;
    recorder_init(recorder, model->compute);
    model->compute = &recorder->compute;
    bool ok = trainer_step(session, progress, &flags, error);
    model->compute = recorder->base;
    for (size_t i = 1; ok && i < WARM; i++)
        ok = trainer_step(session, progress, &flags, error);
    return ok;
}

/* Collective. */
static bool time_steps(struct session *session, struct progress *progress, size_t count, struct timing *timing,
                       struct error *error)
{
    unsigned flags = 0;
    for (size_t i = 0; i < count && !(flags & LEAVE_ALL); i++) {
        timing->seen = timeline_track(0).count;
        if (!trainer_step(session, progress, &flags, error))
            return false;
        take_step(timing);
    }
    return true;
}

/* ---- what is made of them ---- */

static int compare(const void *a, const void *b)
{
    double x = **(const double *const *)a, y = **(const double *const *)b;
    return (x > y) - (x < y);
}

/* Collective. The mean of each column, on each rank over the same steps: the middle half on rank 0. Returns how many
 * these are. */
static size_t find_means(const struct world *world, const struct timing *timing, double *means)
{
    const double **order = memory_need(timing->timed, sizeof *order);
    bool *counts = memory_need(timing->timed, sizeof *counts);
    size_t out = timing->timed / 4, counted = timing->timed - 2 * out;
    for (size_t i = 0; i < timing->timed; i++)
        order[i] = timing->steps + i * timing->columns + COLUMN_STEP;
    qsort(order, timing->timed, sizeof *order, compare);
    for (size_t i = out; i < timing->timed - out; i++)
        counts[(size_t)(order[i] - timing->steps) / timing->columns] = true;
    world_share(world, counts, timing->timed * sizeof *counts);
    for (size_t i = 0; i < timing->timed; i++)
        for (size_t c = 0; counts[i] && c < timing->columns; c++)
            means[c] += timing->steps[i * timing->columns + c] / (double)counted;
    memory_free(order);
    memory_free(counts);
    return counted;
}

static struct benchmark_pass pass_of(const struct machine *machine, const struct work *work, double samples,
                                     double passes, struct spread seconds)
{
    struct benchmark_pass pass = {.seconds = seconds,
                                  .passes = passes,
                                  .flops = samples * work->flops,
                                  .bytes = samples * work->bytes + passes * work->pass_bytes};
    double compute_s = pass.flops / machine->flops.own, memory_s = pass.bytes / machine->memory.own;
    pass.is_bound_by_memory = memory_s > compute_s;
    pass.bound_s = fmax(compute_s, memory_s);
    return pass;
}

/* Local, rank 0's work. `own`: samples of its leaves. */
static void tell_layers(const struct model *model, const struct timing *timing, double own,
                        const struct spread *columns, struct benchmark *benchmark)
{
    benchmark->layer_count = model->count;
    benchmark->layers = memory_need(model->count, sizeof *benchmark->layers);
    for (size_t l = 0; l < model->count; l++) {
        struct benchmark_layer *layer = &benchmark->layers[l];
        struct layer_work work = model_layer_work(model, l);
        snprintf(layer->name, sizeof layer->name, "%s", model->layers[l].name);
        layer->forward = pass_of(&benchmark->machine, &work.forward, own, timing->passes[l],
                                 columns[column_of(timing, MARK_FORWARD, l)]);
        layer->backward = pass_of(&benchmark->machine, &work.backward, own, timing->passes[timing->layers + l],
                                  columns[column_of(timing, MARK_BACKWARD, l)]);
    }
}

/* Local. What the saver's thread was busy with. */
static void tell_saves(struct benchmark *benchmark)
{
    for (size_t t = 0; t < timeline_track_count(); t++) {
        struct timeline_track track = timeline_track(t);
        for (uint64_t i = track.count - track.kept; i < track.count; i++) {
            const struct timeline_event *event = timeline_event(&track, i);
            benchmark->saves += event->mark == MARK_SAVE;
            if (event->mark >= MARK_SAVE && event->mark <= MARK_PRUNE)
                benchmark->saving[event->mark] += event->end_s - event->begin_s;
        }
    }
    for (size_t mark = 0; mark < TIMELINE_MARK_COUNT && benchmark->saves > 0; mark++)
        benchmark->saving[mark] /= (double)benchmark->saves;
}

/* Collective. */
static void conclude(const struct session *session, const struct timing *timing, struct benchmark *benchmark)
{
    const struct world *world = session->world;
    const struct job *job = session->job;
    const struct model *model = &session->learner.model;
    double *means = memory_need(timing->columns, sizeof *means);
    struct spread *columns = memory_need(timing->columns, sizeof *columns);
    benchmark->steps = timing->timed;
    benchmark->batch = job->train.batch;
    benchmark->microbatch = job->train.microbatch;
    benchmark->leaves = job->train.batch / job->train.microbatch;
    benchmark->parameters = tensor_table_elements(&model->table, false);
    benchmark->tokens = model->form.vocabulary > 0 ? (double)model->terms : 0;
    benchmark->flops = (double)job->train.batch * model_flops(model);
    benchmark->counted = find_means(world, timing, means);
    spread_find(world, means, timing->columns, columns);
    size_t own = partition_count(benchmark->leaves, (size_t)world->size, 0) * benchmark->microbatch;
    if (world->rank == 0)
        tell_layers(model, timing, (double)own, columns, benchmark);
    memcpy(benchmark->phases, columns, sizeof benchmark->phases);
    benchmark->step_s = columns[COLUMN_STEP];
    benchmark->rest_s = columns[COLUMN_REST];
    tell_saves(benchmark);
    memory_free(means);
    memory_free(columns);
}

/* ---- the whole ---- */

/* Nothing but the steps, and what was asked for. */
static void quieten(struct job *job, uint64_t save_every)
{
    job->checkpoint.every = save_every;
    job->checkpoint.minutes = 0;
    job->checkpoint.at_count = 0;
    job->checkpoint.on_validation = false;
    job->checkpoint.keep_every = 0;
    job->copies.every = 0;
    job->validate.every = 0;
    job->log.every = JOB_STEPS_MOST;
}

/* Collective. The steps of an open session. */
static bool measure(struct session *session, const struct benchmark_request *request, struct benchmark *benchmark,
                    struct error *error)
{
    const struct world *world = session->world;
    const struct model *model = &session->learner.model;
    struct timing timing = {.layers = model->count, .columns = COLUMN_LAYERS + 2 * model->count};
    struct progress progress = {0};
    size_t leaves = session->job->train.batch / session->job->train.microbatch / (size_t)world->size + 1;
    size_t marks = count_marks(model, leaves);
    if (session->steps < WARM + request->steps + 1) /* the last one of a job is validated and saved */
        session->steps = WARM + request->steps + 1;
    session->pause = pause_begin(&session->options->stop_after, &session->data.sampler, session->step, clock_seconds());
    timing.steps = memory_need(request->steps * timing.columns, sizeof *timing.steps);
    timing.passes = memory_need(2 * timing.layers, sizeof *timing.passes);
    timeline_open(marks > EVENTS ? marks : EVENTS);
    bool ok = warm_up(session, &progress, &benchmark->recorder, error) &&
              time_steps(session, &progress, request->steps, &timing, error) && save_finish(session, error);
    training_data_rest(&session->data);
    if (ok) {
        machine_measure_peak(world, &benchmark->machine);
        conclude(session, &timing, benchmark);
        ok = !request->trace || timeline_file_write(world, request->trace, model, error);
    }
    memory_free(timing.steps);
    memory_free(timing.passes);
    return ok;
}

bool benchmark_run(const struct world *world, struct job *job, const struct benchmark_request *request,
                   struct benchmark *benchmark, struct error *error)
{
    const struct session_options options = {.key = ""};
    memset(benchmark, 0, sizeof *benchmark);
    if (request->trace && !timeline_file_check(world, request->trace, error))
        return false;
    struct session *session = memory_need(1, sizeof *session);
    quieten(job, request->save_every);
    timeline_name_thread("trainer");
    machine_measure(world, threads_of(job->model.threads), &benchmark->machine);
    bool ok = start_session(session, world, job, &options, error);
    if (ok) {
        ok = measure(session, request, benchmark, error);
        if (!ok && error->kind == ERROR_LATE)
            return false; /* the saver's thread may still be at work with it */
        session_close(session);
        timeline_close();
    }
    if (!ok && error->kind == ERROR_LATE)
        return false;
    memory_free(session);
    return ok;
}
