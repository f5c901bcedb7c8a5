#include "checkpoint/saver.h"

#include "base/clock.h"
#include "base/memory.h"
#include "checkpoint/patience.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct saver {
    const struct world *world;
    const struct store *store;
    const struct exchange *exchange;
    struct saver_options options;
    struct council council;
    struct patience patience;
    struct snapshot snapshot;

    struct saver_work work;
    struct saver_result result;
    bool ok; /* this rank's verdict */
    struct error error;

    bool in_background;
    pthread_t thread;
    pthread_mutex_t mutex; /* of what follows; all else belongs to who has the turn: the thread while it is busy */
    pthread_cond_t change;
    bool busy, leaving;
    bool taken; /* the verdict is known to training */
};

/* Local. What training has written to the file so far is on disk: a checkpoint never knows more than it. */
static bool sync_descriptor(const struct saver *saver, struct error *error)
{
    return saver->work.descriptor < 0 || fsync(saver->work.descriptor) == 0 ||
           error_errno(error, "cannot sync the metrics");
}

/* Collective over the savers. */
static bool save_copies(struct saver *saver)
{
    double start = clock_seconds();
    bool ok = local_save(saver->work.local, &saver->council, &saver->snapshot, &saver->work.record, &saver->patience,
                         &saver->error);
    saver->result.commit = (struct commit){.write_ms = 1e3 * (clock_seconds() - start), .pruned = true};
    return ok;
}

/* Collective over the savers. */
static bool save(struct saver *saver)
{
    struct error *error = &saver->error;
    struct snapshot *snapshot = &saver->snapshot;
    struct council *council = &saver->council;
    const struct saver_work *work = &saver->work;
    double patience_s = patience_of(&saver->patience, PATIENCE_DIGEST), start = clock_seconds();
    saver->result = (struct saver_result){.step = work->step};
    council_begin(council);
    snapshot_take(snapshot, &work->state, work->step);
    if (!snapshot_digest(snapshot, council, patience_s, error))
        return false;
    bool ok = exchange_check_replica(saver->exchange, work->replica, snapshot->digests[0], error) &&
              (work->local || sync_descriptor(saver, error));
    patience_note(&saver->patience, PATIENCE_DIGEST, clock_seconds() - start);
    if (!council_agree(council, ok, patience_s, "the comparison of the nodes' parameters", NULL, error))
        return false;
    saver->result.fingerprint = snapshot->fingerprint;
    if (work->local)
        return save_copies(saver);
    return writer_commit(council, snapshot, &work->record, saver->store, work->keep, work->best, &saver->patience,
                         &saver->result.commit, error);
}

/* With the lock. After a late rank: does training go on, so that only a disk was slow, or does a rank hang as a whole?
 * It takes the verdict within a step if it goes on. */
static void watch_training(struct saver *saver)
{
    struct timespec end;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += 1 + (time_t)patience_of(&saver->patience, PATIENCE_DIGEST);
    int code = 0;
    while (!saver->taken && !saver->leaving && code == 0)
        code = pthread_cond_timedwait(&saver->change, &saver->mutex, &end);
    if (code == ETIMEDOUT)
        saver->options.lost(&saver->error);
}

static void *thread(void *argument)
{
    struct saver *saver = argument;
    pthread_mutex_lock(&saver->mutex);
    for (;;) {
        while (!saver->busy && !saver->leaving)
            pthread_cond_wait(&saver->change, &saver->mutex);
        if (saver->leaving)
            break;
        pthread_mutex_unlock(&saver->mutex);
        saver->ok = save(saver);
        pthread_mutex_lock(&saver->mutex);
        saver->busy = false;
        if (!saver->ok && saver->error.kind == ERROR_LATE && saver->options.lost)
            watch_training(saver);
    }
    pthread_mutex_unlock(&saver->mutex);
    return NULL;
}

/* Signals are for the thread that trains: here they would only interrupt system calls. */
static bool start_thread(struct saver *saver)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool ok = pthread_create(&saver->thread, NULL, thread, saver) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return ok;
}

bool saver_open(struct saver **opened, const struct world *world, const struct store *store,
                const struct exchange *exchange, const struct state *state, const struct saver_options *options,
                struct error *error)
{
    struct saver *saver = memory_need(1, sizeof *saver);
    int level;
    *saver = (struct saver){.world = world, .store = store, .exchange = exchange, .options = *options};
    saver->patience.fixed_s = options->timeout_s;
    saver->patience.bytes = (double)(state->shard.count * sizeof(float) * state->array_count);
    snapshot_init(&saver->snapshot, world, state);
    council_open(&saver->council, world);
    pthread_mutex_init(&saver->mutex, NULL);
    pthread_cond_init(&saver->change, NULL);
    MPI_Query_thread(&level);
    bool ok = true;
    if (options->background && level == MPI_THREAD_MULTIPLE)
        saver->in_background = ok = start_thread(saver);
    if (!ok)
        error_set(error, ERROR_IO, "cannot start the thread that saves; checkpoint.background: false does without");
    ok = world_agree(world, ok, error);
    *opened = saver;
    if (!ok) {
        saver_close(saver);
        *opened = NULL;
    }
    return ok;
}

void saver_close(struct saver *saver)
{
    if (!saver)
        return;
    if (saver->in_background) {
        pthread_mutex_lock(&saver->mutex);
        saver->leaving = true;
        pthread_cond_signal(&saver->change);
        pthread_mutex_unlock(&saver->mutex);
        pthread_join(saver->thread, NULL);
    }
    pthread_cond_destroy(&saver->change);
    pthread_mutex_destroy(&saver->mutex);
    council_close(&saver->council);
    snapshot_release(&saver->snapshot);
    record_release(&saver->work.record);
    memory_free(saver);
}

bool saver_is_background(const struct saver *saver)
{
    return saver->in_background;
}

void saver_begin(struct saver *saver, const struct saver_work *work)
{
    record_release(&saver->work.record);
    saver->work = *work;
    record_copy(&saver->work.record, &work->record);
    if (!saver->in_background) {
        saver->ok = save(saver);
        return;
    }
    pthread_mutex_lock(&saver->mutex);
    saver->busy = true;
    saver->taken = false;
    pthread_cond_signal(&saver->change);
    pthread_mutex_unlock(&saver->mutex);
}

bool saver_is_busy(const struct saver *saver)
{
    struct saver *locked = (struct saver *)saver;
    pthread_mutex_lock(&locked->mutex);
    bool busy = saver->busy;
    pthread_mutex_unlock(&locked->mutex);
    return busy;
}

bool saver_wait(struct saver *saver, struct error *error)
{
    double patience_s = 30;
    for (enum patience_phase phase = 0; phase < PATIENCE_PHASES; phase++)
        patience_s += 3 * patience_of(&saver->patience, phase);
    double end = clock_seconds() + patience_s;
    while (saver_is_busy(saver)) {
        if (clock_seconds() >= end)
            return error_set(error, ERROR_LATE, "rank %d: the save of step %llu hangs since %.0f s", saver->world->rank,
                             (unsigned long long)saver->work.step, patience_s);
        usleep(200);
    }
    return true;
}

bool saver_take(struct saver *saver, struct saver_result *result, struct error *error)
{
    *error = saver->error;
    *result = saver->result;
    bool ok = world_agree(saver->world, saver->ok, error);
    pthread_mutex_lock(&saver->mutex);
    saver->taken = true;
    pthread_cond_signal(&saver->change);
    pthread_mutex_unlock(&saver->mutex);
    return ok;
}
