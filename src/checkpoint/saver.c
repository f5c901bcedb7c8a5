#include "checkpoint/saver.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/thread.h"
#include "base/timeline.h"
#include "base/watchdog.h"
#include "checkpoint/patience.h"
#include "checkpoint/proof.h"
#include "parallel/promise.h"

#include <math.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#define GAP_FORGET 0.9 /* of the longest gap, each look: once the process may have been stopped */

struct saver {
    const struct world *world;
    struct store *store;
    const struct exchange *exchange;
    struct saver_options options;
    struct agreement agreement;
    struct patience patience;
    struct snapshot snapshot;

    struct saver_work work;
    double limit_s; /* of this work */
    struct saver_result result;
    bool ok; /* this rank's verdict */
    struct error error;

    bool in_background;
    pthread_t thread;
    pthread_mutex_t mutex; /* of what follows; all else belongs to who has the turn: the thread while it is busy */
    pthread_cond_t change;
    bool busy, leaving;
    bool watching;  /* the thread waits for a look; else a look must not wake it, which would cost each of them */
    uint64_t looks; /* at the state, by training */
    double look_s;  /* when it was looked at last, or the saver was opened, */
    double gap_s;   /* and the longest time of late between two looks */
};

/* Local. What training has written to the file so far is on disk before the checkpoint is, which then does not know
 * more than it. If that fails the save goes on, and a warning says so. */
static bool sync_descriptor(int descriptor, struct error *error)
{
    return descriptor < 0 || fsync(descriptor) == 0 || error_errno(error, "cannot sync");
}

/* Collective over the savers. */
static bool commit_copies(struct saver *saver)
{
    double start = clock_seconds();
    bool ok = copies_save(saver->work.copies, &saver->agreement, &saver->snapshot, &saver->work.record,
                          &saver->patience, &saver->error);
    saver->result.commit = (struct commit){.write_ms = 1e3 * (clock_seconds() - start), .pruned = true};
    return ok;
}

/* Collective over the savers. */
static bool commit(struct saver *saver)
{
    struct error *error = &saver->error;
    struct snapshot *snapshot = &saver->snapshot;
    struct agreement *agreement = &saver->agreement;
    const struct saver_work *work = &saver->work;
    double patience_s = patience_of(&saver->patience, PATIENCE_DIGEST), start = clock_seconds();
    saver->result = (struct saver_result){.step = work->step};
    agreement_begin(agreement);
    snapshot_take(snapshot, &work->state, work->step);
    timeline_begin(MARK_DIGEST);
    bool ok = snapshot_digest(snapshot, agreement, patience_s, error);
    timeline_end();
    if (!ok)
        return false;
    size_t wrong;
    ok = exchange_check_replica(saver->exchange, work->replica, snapshot->digests[0], &wrong) ||
         proof_refuse_copy(&work->state, wrong, work->step, error);
    saver->result.synced = work->copies || sync_descriptor(work->descriptor, &saver->result.sync_error);
    patience_note(&saver->patience, PATIENCE_DIGEST, clock_seconds() - start);
    if (!agreement_agree(agreement, ok, patience_s, "the comparison of the nodes' parameters", NULL, error))
        return false;
    saver->result.fingerprint = snapshot->fingerprint;
    if (work->copies)
        return commit_copies(saver);
    store_follow(saver->store);
    return writer_commit(agreement, snapshot, &work->record, saver->store, &work->retention, &saver->patience,
                         &saver->result.commit, error);
}

/* With the lock. After a late rank: does training go on, so that only a disk hangs, or does a rank hang as a whole? */
static void watch_training(struct saver *saver)
{
    uint64_t looks = saver->looks;
    double left_s = 1 + patience_of(&saver->patience, PATIENCE_DIGEST) + 20 * saver->gap_s;
    saver->watching = true;
    /* In slices: of the time in which the process was stopped at most one counts. */
    for (; left_s > 0 && saver->looks == looks && !saver->leaving; left_s--) {
        struct timespec end = thread_end(1);
        int code = 0;
        while (saver->looks == looks && !saver->leaving && code == 0)
            code = pthread_cond_timedwait(&saver->change, &saver->mutex, &end);
    }
    saver->watching = false;
    if (saver->looks == looks && !saver->leaving)
        saver->options.lost(&saver->error);
}

/* Collective over the savers. The work, and this rank's verdict. */
static void run_work(struct saver *saver)
{
    timeline_begin(MARK_SAVE);
    saver->ok = commit(saver);
    timeline_end();
    saver->result.late = !saver->ok && saver->error.kind == ERROR_LATE;
    if (saver->agreement.broken && saver->options.lost)
        saver->options.lost(&saver->error);
    if (saver->result.late)
        saver->error.kind = ERROR_IO;
}

static void *thread(void *argument)
{
    struct saver *saver = argument;
    timeline_name_thread("saver");
    pthread_mutex_lock(&saver->mutex);
    for (;;) {
        while (!saver->busy && !saver->leaving)
            pthread_cond_wait(&saver->change, &saver->mutex);
        if (saver->leaving)
            break;
        pthread_mutex_unlock(&saver->mutex);
        run_work(saver);
        pthread_mutex_lock(&saver->mutex);
        saver->busy = false;
        if (saver->result.late && saver->options.lost)
            watch_training(saver);
    }
    pthread_mutex_unlock(&saver->mutex);
    return NULL;
}

bool saver_open(struct saver **opened, const struct world *world, struct store *store, const struct exchange *exchange,
                const struct state *state, const struct saver_options *options, struct error *error)
{
    PROMISE_EQUAL(world, options->background);
    PROMISE_EQUAL_REAL(world, options->timeout_s);
    struct saver *saver = memory_need(1, sizeof *saver);
    *saver = (struct saver){.world = world, .store = store, .exchange = exchange, .options = *options};
    saver->look_s = clock_seconds();
    saver->patience.fixed_s = options->timeout_s;
    saver->patience.bytes = (double)(state->shard.count * sizeof(float) * state->array_count);
    saver->patience.file_bytes = (double)(state->count * sizeof(float) * state->array_count);
    snapshot_init(&saver->snapshot, world, state);
    agreement_open(&saver->agreement, world);
    pthread_mutex_init(&saver->mutex, NULL);
    thread_init_condition(&saver->change);
    bool ok = true;
    if (options->background)
        saver->in_background = ok = thread_start(&saver->thread, thread, saver);
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
    agreement_close(&saver->agreement);
    snapshot_release(&saver->snapshot);
    record_release(&saver->work.record);
    memory_free(saver);
}

bool saver_can_have_thread(void)
{
    int level;
    MPI_Query_thread(&level);
    return level == MPI_THREAD_MULTIPLE;
}

bool saver_is_background(const struct saver *saver)
{
    return saver->in_background;
}

/* As of now: while the thread works, what it measures is its own. */
static double find_limit(const struct patience *patience)
{
    double limit_s = 0;
    for (enum patience_phase phase = 0; phase < PATIENCE_PHASES; phase++)
        limit_s += PATIENCE_ALL * patience_of(patience, phase);
    return limit_s;
}

void saver_begin(struct saver *saver, const struct saver_work *work)
{
    record_release(&saver->work.record);
    saver->work = *work;
    record_copy(&saver->work.record, &work->record);
    saver->limit_s = find_limit(&saver->patience);
    if (!saver->in_background) {
        watchdog_begin(saver->store->directory, saver->limit_s);
        run_work(saver);
        watchdog_end();
        return;
    }
    pthread_mutex_lock(&saver->mutex);
    saver->busy = true;
    pthread_cond_signal(&saver->change);
    pthread_mutex_unlock(&saver->mutex);
}

enum saver_state saver_look(struct saver *saver)
{
    double now = clock_seconds();
    pthread_mutex_lock(&saver->mutex);
    enum saver_state state = saver->busy ? SAVER_BUSY : saver->result.late ? SAVER_LATE : SAVER_IDLE;
    saver->gap_s = fmax(now - saver->look_s, GAP_FORGET * saver->gap_s);
    saver->look_s = now;
    saver->looks++;
    if (saver->watching)
        pthread_cond_signal(&saver->change);
    pthread_mutex_unlock(&saver->mutex);
    return state;
}

void saver_tell_late(struct saver *saver, struct error *error)
{
    *error = saver->error; /* the thread is done with it */
}

double saver_limit(const struct saver *saver)
{
    return saver->limit_s;
}

bool saver_take(struct saver *saver, struct saver_result *result, struct error *error)
{
    const struct world *world = saver->world;
    bool is_published = world_share_number(world, saver->ok);
    *error = saver->error;
    *result = saver->result;
    result->late = world_union(world, saver->result.late);
    /* What rank 0 has published is whole, since all have proven their parts before: it counts, also if somebody did not
     * wait for it. */
    return (is_published && !saver->work.copies) || world_agree(world, saver->ok, error);
}
