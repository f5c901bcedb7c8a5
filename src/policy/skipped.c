#include "policy/skipped.h"

#include "policy/best.h"
#include "policy/cadence.h"
#include "policy/flags.h"

const struct skipped_rule skipped_rules[] = {
    {SAVE_EVERY, SKIPPED_WAITS, "every"},
    {SAVE_MINUTES, SKIPPED_WAITS, "minutes"},
    {SAVE_AUTO, SKIPPED_WAITS, "every: auto"},
    {SAVE_AT, SKIPPED_WAITS, "at"},
    {SAVE_VALIDATION, SKIPPED_WAITS, "on_validation"},
    /* What is saved in its place is pinned. */
    {SAVE_KEEP, SKIPPED_WAITS, "keep_every"},
    {SAVE_SIGNAL, SKIPPED_WAITS, "SIGALRM"},
    {SAVE_FILE, SKIPPED_WAITS, "RUN/save"},
    {SAVE_RETRY, SKIPPED_WAITS, "after a failed save"},
    /* A state that validates among the best is not spoilt. */
    {SAVE_BEST, SKIPPED_SAVES, "best"},
    {LEAVE_ALL, SKIPPED_SAVES, "signals to leave, an end that is known, --stop-after"},
    /* If the loss of the last step is not finite, only after it was seen that this was the step's fault. */
    {SAVE_END, SKIPPED_SAVES, "the last step, early stopping"},
    {SAVE_COPIES, SKIPPED_DROPS, "copies on the nodes"},
};
const size_t skipped_rule_count = sizeof skipped_rules / sizeof *skipped_rules;

unsigned skipped_select(unsigned reasons, enum skipped_deed deed)
{
    unsigned selected = 0;
    for (size_t i = 0; i < skipped_rule_count; i++)
        if (skipped_rules[i].deed == deed)
            selected |= reasons & skipped_rules[i].reasons;
    return selected;
}

static bool is_kept_as_best(const struct job *job, const struct history *history, uint64_t step)
{
    for (size_t i = 0; i < history->best_count && i < best_kept(job); i++)
        if (history->best[i].step == step)
            return true;
    return false;
}

bool skipped_is_sound(const struct job *job, const struct history *history, uint64_t step)
{
    return history->skipped_row == 0 || is_kept_as_best(job, history, step);
}

unsigned skipped_waiting(const struct job *job, const struct history *history, uint64_t step, uint64_t every_validation)
{
    unsigned waiting = 0;
    uint64_t row = history->skipped_row < step ? history->skipped_row : step;
    for (uint64_t s = step - row + 1; row > 0 && s <= step; s++) {
        waiting |= cadence_due_at(job, s);
        if (job->checkpoint.on_validation && every_validation > 0 && s % every_validation == 0)
            waiting |= SAVE_VALIDATION;
        if (is_kept_as_best(job, history, s))
            waiting = 0;
    }
    return skipped_select(waiting, SKIPPED_WAITS);
}
