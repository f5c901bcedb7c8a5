#include "policy/best.h"

#include "base/digest.h"
#include "base/log.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

bool best_is_lower(const struct job *job)
{
    enum metric_mode mode = job->validate.mode;
    return mode == MODE_MIN || (mode != MODE_MAX && metric_is_less_better(job->validate.metric));
}

/* By how much `value` is better than `than`. */
static double gain(const struct job *job, double value, double than)
{
    return best_is_lower(job) ? than - value : value - than;
}

static void remove_at(struct history *history, size_t place)
{
    history->best_count--;
    memmove(&history->best[place], &history->best[place + 1], (history->best_count - place) * sizeof history->best[0]);
}

/* Returns its place. */
static size_t insert(const struct job *job, struct history *history, double value, uint64_t step)
{
    size_t place = 0;
    while (place < history->best_count && gain(job, value, history->best[place].value) <= 0)
        place++;
    if (place >= history->best_most)
        return place;
    if (history->best_count == history->best_most + HISTORY_SPARE)
        history->best_count--;
    memmove(&history->best[place + 1], &history->best[place], (history->best_count - place) * sizeof history->best[0]);
    history->best[place] = (struct history_best){.value = value, .step = step};
    history->best_count++;
    return place;
}

bool best_is_regular(const struct job *job, uint64_t step)
{
    return job->validate.every > 0 && step % job->validate.every == 0;
}

static void have_patience(const struct job *job, struct history *history, double value)
{
    double than = history->reference;
    if (!isnan(value) && (isnan(than) || gain(job, value, than) > job->early_stopping.min_delta)) {
        history->reference = value;
        history->stale = 0;
    } else {
        history->stale++;
    }
}

size_t best_consider(const struct job *job, struct history *history, const struct evaluation *evaluation, uint64_t step)
{
    double value = evaluation->values[job->validate.metric];
    history->validated_step = step;
    if (best_is_regular(job, step))
        have_patience(job, history, value);
    size_t place = isnan(value) ? SIZE_MAX : insert(job, history, value, step);
    return place < history->best_most ? place + 1 : 0;
}

size_t best_kept(const struct job *job)
{
    if (job->checkpoint.best == CHECKPOINT_BEST_AUTO)
        return job_has_validation(job) && job->validate.every > 0 ? 1 : 0;
    return job->checkpoint.best == 0 && job->early_stopping.patience > 0 ? 1 : job->checkpoint.best;
}

bool best_is_late(const struct job *job, const struct history *history)
{
    return job->early_stopping.patience > 0 && history->stale >= job->early_stopping.patience;
}

static uint64_t yardstick(const struct job *job, const struct dataset *validation)
{
    uint64_t digest = digest_chain(1, (uint64_t)job->validate.metric);
    digest = digest_chain(digest, validation->digest);
    digest = digest_chain(digest, digest_bytes(&validation->mean, sizeof validation->mean));
    digest = digest_chain(digest, digest_bytes(&validation->std, sizeof validation->std));
    digest = digest_chain(digest, job->validate.ema);
    /* Only the unnatural order is told: without a mode, jobs had this digest before there were modes. */
    bool natural = best_is_lower(job) == metric_is_less_better(job->validate.metric);
    return natural ? digest : digest_chain(digest, (uint64_t)job->validate.mode);
}

void best_prepare(const struct job *job, const struct dataset *validation, struct history *history)
{
    uint64_t now = validation->count > 0 ? yardstick(job, validation) : 0;
    size_t kept = best_kept(job);
    history->best_most = kept > 0 ? kept : 1;
    if (history->yardstick == now)
        return;
    if (history->best_count > 0)
        log_warn("validations are measured otherwise than before: the search for the best begins anew");
    history->best_count = 0;
    history->yardstick = now;
    history->metric = (uint64_t)job->validate.metric;
    history->reference = (double)NAN;
    history->stale = 0;
    history->plateau_step = 0;
    history->plateau_stale = 0;
}

void best_find(const struct store *store, const struct history *history, bool found[HISTORY_BEST + HISTORY_SPARE])
{
    for (size_t i = 0; i < history->best_count; i++) {
        char path[PATH_MAX];
        store_path(store, history->best[i].step, path);
        found[i] = access(path, R_OK) == 0;
    }
}

void best_look(const struct job *job, const bool *found, struct history *history)
{
    size_t place = 0, count = best_kept(job) > 0 ? history->best_count : 0;
    for (size_t i = 0; i < count; i++) {
        if (found[i]) {
            place++;
            continue;
        }
        if (place < history->best_most)
            log_warn("%s so far, of step %" PRIu64 ", has no checkpoint: worse ones may take its place",
                     history->best_most == 1 ? "the best model" : "one of the best models", history->best[place].step);
        remove_at(history, place);
    }
    if (history->best_count > history->best_most)
        history->best_count = history->best_most;
}

void best_retain(const struct job *job, const struct history *history, struct retention *retention)
{
    size_t kept = best_kept(job) > 0 ? history->best_most : 0;
    /* What is saved at a skipped step may be spoilt: it must not push out good ones (skipped.h). */
    *retention = (struct retention){.newest = history->skipped_row > 0 ? SIZE_MAX : job->checkpoint.keep,
                                    .every = job->checkpoint.keep_every};
    while (retention->best_count < kept && retention->best_count < history->best_count) {
        retention->best[retention->best_count] = history->best[retention->best_count].step;
        retention->best_count++;
    }
}

void best_forget(struct history *history, uint64_t step)
{
    for (size_t i = 0; i < history->best_count; i++)
        if (history->best[i].step == step) {
            remove_at(history, i);
            return;
        }
}

void best_settle(struct history *history, const struct retention *retention)
{
    for (size_t i = history->best_most; i < history->best_count;) {
        bool stays = false;
        for (size_t k = 0; k < retention->best_count; k++)
            stays = stays || retention->best[k] == history->best[i].step;
        if (stays)
            i++;
        else
            remove_at(history, i);
    }
}
