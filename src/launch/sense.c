#include "launch/sense.h"

#include "launch/ending.h"
#include "run/environment.h"

#include <string.h>

/* The first of the newest lives that belong to this batch job, also before a requeue. */
static size_t first_of_ours(const struct run_state *run)
{
    size_t first = run->lives.count;
    while (first > 0 && *run->lives.items[first - 1].job &&
           strcmp(run->lives.items[first - 1].job, environment_batch_job()) == 0)
        first--;
    return first;
}

void sense_init(struct sense *sense, const struct supervision *supervision, const struct run_state *run,
                bool was_requeued, int restarts)
{
    *sense = (struct sense){.supervision = supervision,
                            .run = run,
                            .was_requeued = was_requeued,
                            .restarts = restarts,
                            .first = was_requeued ? first_of_ours(run) : run->lives.count};
}

void sense_hear(struct sense *sense, const struct error *told)
{
    if (told)
        sense->told = *told;
    else
        error_clear(&sense->told);
}

bool sense_is_ours(const struct sense *sense)
{
    return first_of_ours(sense->run) < sense->run->lives.count;
}

bool sense_was_good(const struct sense *sense, size_t lives)
{
    const struct supervision *supervision = sense->supervision;
    /* A start has the lock of its run before it is through: that of this launch may be refused all the same. */
    bool has_worked = supervision->worked > 0 && supervision->worked < supervision->launches;
    return has_worked || lives > sense->first || sense->was_requeued;
}

size_t sense_futile(const struct sense *sense)
{
    return ending_futile(sense->run, sense->first, false);
}

/* The error says what was tried. False. */
static bool give_up(const struct sense *sense, int launches, struct error *error)
{
    const struct life *life = ending_last_life(sense->run);
    if (sense->supervision->not_begun > 0 || !life)
        return error_set(error, ERROR_STATE,
                         "%d launches in a row without a newer checkpoint (--restarts), the last: the job has not "
                         "begun%s%s",
                         launches, *sense->told.text ? ": " : ". What its launcher says stands above",
                         sense->told.text);
    return error_set(error, ERROR_STATE,
                     "%d launches in a row without a newer checkpoint (--restarts), the last: %s. If it comes to none "
                     "before it is killed, checkpoint.every: auto may help",
                     launches, life->end);
}

bool sense_goes_on(const struct sense *sense, struct error *error)
{
    size_t futile = sense_futile(sense);
    if (ending_repeats(sense->run, sense->first))
        return error_set(error, ERROR_STATE, "the same failure twice, and no newer checkpoint: %s",
                         ending_last_life(sense->run)->end);
    return supervision_may_go_on(sense->supervision, futile, sense->restarts) ||
           give_up(sense, supervision_launches(sense->supervision, futile), error);
}

bool sense_comes_back(const struct sense *sense, bool is_preempted, struct error *error)
{
    int launches = (int)ending_futile(sense->run, sense->first, true);
    return is_preempted || launches < sense->restarts || give_up(sense, launches, error);
}

/* How often the batch job was requeued since it has last come to a life: one whose start takes longer than the time
 * that it is given would go round for ever. */
static uint64_t vain_requeues(const struct sense *sense)
{
    return environment_restarts() - (sense_is_ours(sense) ? ending_last_life(sense->run)->restart : 0);
}

bool sense_begins(const struct sense *sense, struct error *error)
{
    return !supervision_goes_round(sense->supervision, vain_requeues(sense), sense->restarts) ||
           error_set(error, ERROR_STATE,
                     "requeued %d times (--restarts), and the job has never begun its work: it needs more time for a "
                     "start",
                     (int)vain_requeues(sense));
}
