#include "train/rehearsal.h"

#include "base/clock.h"
#include "base/limit.h"
#include "base/memory.h"
#include "checkpoint/layout.h"
#include "parallel/node.h"
#include "policy/flags.h"
#include "train/progress.h"
#include "train/save.h"
#include "train/start.h"
#include "train/step.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define STEPS_LEAST 3 /* that are timed, behind the first, if there are so many and none takes long */
#define STEPS_MOST  200
#define STEPS_S     1.0  /* until that, for short ones, ... */
#define LONG_S      30.0 /* ... and no more than this, for long ones */
#define PROBE       2    /* chunks of validation data a rank, by which it is judged how long all take */
#define VALIDATE_S  20.0 /* all of them, if they take no longer; else a part that takes half of it */
#define PATIENCE_S  600.0

/* Collective. Rank 0's number on all ranks: what hangs on a clock has to be equal. */
static double share(const struct world *world, double number)
{
    world_share(world, &number, sizeof number);
    return number;
}

static double larger(double a, double b)
{
    return a > b ? a : b;
}

static void note_memory(struct rehearsal *rehearsal)
{
    struct memory_use now, *most = &rehearsal->most;
    memory_use_look(&now, false);
    *most = (struct memory_use){.own = larger(most->own, now.own),
                                .shared = larger(most->shared, now.shared),
                                .files = larger(most->files, now.files),
                                .peak = larger(most->peak, now.peak)};
}

/* ---- steps ---- */

static bool time_step(struct session *session, double *seconds, struct error *error)
{
    struct step_numbers numbers;
    unsigned flags = 0;
    double start = clock_seconds();
    bool ok = step_make(session, &numbers, &flags, error);
    *seconds = clock_seconds() - start;
    return ok;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Collective. The first step is slower: memory and caches are new. If it is the only one, it counts. */
static bool time_steps(struct session *session, struct rehearsal *rehearsal, struct error *error)
{
    double seconds[STEPS_MOST], sum = 0;
    size_t count = 0;
    if (!time_step(session, &seconds[0], error))
        return false;
    rehearsal->parts.start_s = environment_age_s();
    note_memory(rehearsal);
    session->data.waited_s = 0;
    for (bool goes_on = session->step < session->steps; goes_on;) {
        if (!time_step(session, &seconds[count], error))
            return false;
        sum += seconds[count++];
        bool is_enough = (count >= STEPS_LEAST && sum >= STEPS_S) || sum >= LONG_S || count == STEPS_MOST;
        goes_on = share(session->world, is_enough) == 0 && session->step < session->steps;
    }
    rehearsal->timed = count > 0 ? count : 1;
    rehearsal->wait_s = session->data.waited_s / (double)rehearsal->timed;
    qsort(seconds, rehearsal->timed, sizeof *seconds, compare);
    rehearsal->parts.step_s = seconds[rehearsal->timed / 2];
    note_memory(rehearsal);
    return true;
}

/* ---- validation ---- */

/* Collective. The first `count` samples of the validation data. */
static bool time_samples(struct session *session, size_t count, double *seconds, struct error *error)
{
    struct dataset part = session->data.validation; /* borrowed: never closed */
    struct evaluator evaluator;
    struct evaluation evaluation;
    struct learner *learner = &session->learner;
    part.count = count;
    bool ok = evaluator_init(&evaluator, session->world, &part, &learner->model, NULL, error);
    if (!world_agree(session->world, ok, error)) {
        evaluator_release(&evaluator);
        return false;
    }
    training_data_rest(&session->data);
    double start = clock_seconds();
    ok = evaluator_run(&evaluator, &learner->model, learner_params(learner), &evaluation); /* nobody gives it up */
    *seconds = share(session->world, clock_seconds() - start);
    evaluator_release(&evaluator);
    return ok;
}

/* Collective. All of it, or of a long one a part that tells as much. */
static bool time_validation(struct session *session, struct rehearsal *rehearsal, struct error *error)
{
    size_t all = session->data.validation.count, chunk = session->learner.model.rows;
    size_t round = chunk * (size_t)session->world->size, count = PROBE * round;
    double seconds = 0;
    count = count < all ? count : all;
    rehearsal->parts.validates = all > 0;
    rehearsal->validation = all;
    if (all == 0 || session->job->validate.every == 0)
        return true;
    if (!time_samples(session, count, &seconds, error))
        return false;
    double whole_s = seconds * (double)all / (double)count;
    if (count < all) {
        double part = whole_s <= VALIDATE_S ? 1 : VALIDATE_S / 2 / whole_s;
        size_t rounds = (size_t)(part * (double)all / (double)round) + 1;
        count = part < 1 && rounds * round < all ? rounds * round : all;
        if (!time_samples(session, count, &seconds, error))
            return false;
    }
    rehearsal->validated = count;
    rehearsal->parts.validation_s = seconds * (double)all / (double)count;
    note_memory(rehearsal);
    return true;
}

/* ---- saving and coming back ---- */

/* Collective. Rank 0's look at the disk. Whether there is room for one. */
static bool look_at_disk(struct session *session, struct rehearsal *rehearsal)
{
    uint64_t needed = layout_bytes(&session->learner.state, &session->store);
    uint64_t room = session->world->rank == 0 ? store_free_bytes(&session->store) : 0;
    rehearsal->parts.checkpoint_bytes = needed;
    rehearsal->disk_bytes = room == UINT64_MAX ? INFINITY : (double)room;
    bool is_large = session->world->rank == 0 && (room < needed || (double)needed > limit_file_bytes());
    return world_union(session->world, is_large) == 0;
}

/* Local, rank 0's: what the file has come to be. */
static void measure_file(struct session *session, struct rehearsal *rehearsal)
{
    char path[PATH_MAX];
    struct stat info;
    store_path(&session->store, session->saving.saved_step, path);
    if (session->world->rank == 0 && stat(path, &info) == 0)
        rehearsal->parts.checkpoint_bytes = (uint64_t)info.st_size;
}

/* Collective. A save, with a step beside it, if it lets one be made. */
static bool time_save(struct session *session, struct rehearsal *rehearsal, struct error *error)
{
    double seconds, start = clock_seconds();
    uint64_t step = session->step;
    error_clear(error);
    if (!save_begin(session, SAVE_EVERY, error) ||
        (session->saving.now.runs && session->step < session->steps && !time_step(session, &seconds, error)))
        return false;
    note_memory(rehearsal);
    if (!save_finish(session, error))
        return false;
    if (session->saving.saved_step != step) /* training would go on, and try again */
        return error_prefix(error, "a save has failed: ");
    struct forecast_parts *parts = &rehearsal->parts;
    const struct cadence *cadence = &session->cadence;
    parts->write_s = cadence->samples > 0 ? cadence_write(cadence) : clock_seconds() - start;
    parts->stall_s = cadence->samples > 0 ? cadence_stall(cadence) : 0;
    parts->period_s = cadence_is_auto(cadence) ? cadence_period(cadence, clock_seconds()) : 0;
    rehearsal->fingerprint = session->record.fingerprint;
    rehearsal->is_saved = true;
    measure_file(session, rehearsal);
    return true;
}

/* Collective. Whether what is in memory is what was saved. */
static bool compare_state(struct session *session, uint64_t saved, struct error *error)
{
    struct snapshot snapshot;
    struct agreement agreement;
    snapshot_init(&snapshot, session->world, &session->learner.state);
    snapshot_take(&snapshot, &session->learner.state, session->step);
    agreement_open(&agreement, session->world);
    agreement_begin(&agreement);
    bool ok = snapshot_digest(&snapshot, &agreement, PATIENCE_S, error);
    if (ok && (snapshot.fingerprint != saved || session->record.fingerprint != saved))
        ok = error_set(error, ERROR_STATE,
                       "what was read back is not what was saved: fingerprint %016" PRIx64 " instead of %016" PRIx64,
                       snapshot.fingerprint, saved);
    if (ok || error->kind != ERROR_LATE)
        agreement_close(&agreement);
    snapshot_release(&snapshot);
    return ok;
}

/* ---- memory ---- */

/* Collective. Of each kind the most that any rank had; and what leaves least of all ranks, on rank 0. */
static void gather_memory(const struct world *world, double node_bytes, struct rehearsal *rehearsal)
{
    struct memory_use *most = &rehearsal->most;
    double own[] = {most->own, most->shared, most->files, most->peak, node_bytes};
    enum { NUMBERS = sizeof own / sizeof *own };
    double *all = memory_need((size_t)world->size, sizeof own);
    struct memory_room *rooms = memory_need((size_t)world->size, sizeof *rooms);
    world_gather(world, own, sizeof own, all);
    world_gather(world, &rehearsal->least, sizeof *rooms, rooms);
    for (int r = 0; world->rank == 0 && r < world->size; r++) {
        for (size_t i = 0; i < NUMBERS; i++)
            own[i] = larger(own[i], all[(size_t)r * NUMBERS + i]);
        if (rooms[r].needed * rehearsal->least.limit.bytes > rehearsal->least.needed * rooms[r].limit.bytes)
            rehearsal->least = rooms[r];
    }
    *most = (struct memory_use){.own = own[0], .shared = own[1], .files = own[2], .peak = own[3]};
    rehearsal->node_bytes = own[4];
    memory_free(all);
    memory_free(rooms);
}

/* Collective. What the ranks had at most, beside what their limits were before they had it. */
static void weigh_memory(const struct world *world, const struct memory_limits *limits, struct rehearsal *rehearsal)
{
    struct memory_room rooms[MEMORY_LIMITS];
    struct memory_limits all = {.present = limits->present};
    struct memory_claim claim = {.own = rehearsal->most.own, .shared = rehearsal->most.shared};
    /* The first one is there to add up. */
    memory_limits_add(&all, &(struct memory_limit){.reach = MEMORY_NODE, .bytes = INFINITY});
    for (size_t i = 0; i < limits->count; i++)
        memory_limits_add(&all, &limits->items[i]);
    memory_room_weigh(world, &all, &claim, rooms);
    rehearsal->room_count = all.count - 1;
    memcpy(rehearsal->rooms, rooms + 1, rehearsal->room_count * sizeof *rooms);
    const struct memory_room *least = memory_room_least(rehearsal->rooms, rehearsal->room_count);
    rehearsal->least = least ? *least : (struct memory_room){.limit.bytes = INFINITY};
    gather_memory(world, rooms[0].needed, rehearsal);
}

/* ---- */

/* Collective. The first life: all but the resume. */
static bool try_out(struct session *session, struct rehearsal *rehearsal, struct error *error)
{
    const struct sampler *sampler = &session->data.sampler;
    rehearsal->parts.steps = session->steps;
    rehearsal->parts.epoch_steps = (double)sampler->samples / (double)sampler->batch;
    rehearsal->batch = sampler->batch;
    rehearsal->nodes = session->learner.node.count;
    return time_steps(session, rehearsal, error) && time_validation(session, rehearsal, error) &&
           (!look_at_disk(session, rehearsal) || time_save(session, rehearsal, error));
}

/* Collective. The second life. */
static bool come_back(const struct world *world, const struct job *job, const struct session_options *options,
                      struct session *session, struct rehearsal *rehearsal, struct error *error)
{
    double start = clock_seconds();
    if (!start_session(session, world, job, options, error))
        return false;
    rehearsal->resume_s = clock_seconds() - start;
    note_memory(rehearsal);
    bool ok = compare_state(session, rehearsal->fingerprint, error);
    if (ok || error->kind != ERROR_LATE)
        session_close(session);
    return ok;
}

bool rehearsal_run(const struct world *world, const struct job *job, struct rehearsal *rehearsal, struct error *error)
{
    const struct session_options options = {.key = ""};
    struct session *session = memory_need(1, sizeof *session);
    struct memory_limits limits;
    *rehearsal = (struct rehearsal){0};
    memory_limits_find(&limits);
    bool ok = start_session(session, world, job, &options, error);
    if (ok) {
        ok = try_out(session, rehearsal, error);
        if (!ok && error->kind == ERROR_LATE)
            return false; /* the saver's thread may still be at work with it */
        session_close(session);
    }
    if (ok && rehearsal->is_saved)
        ok = come_back(world, job, &options, session, rehearsal, error);
    if (!ok && error->kind == ERROR_LATE)
        return false;
    memory_free(session);
    if (ok)
        weigh_memory(world, &limits, rehearsal);
    return ok;
}
