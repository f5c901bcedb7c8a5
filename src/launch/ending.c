#include "launch/ending.h"

#include <inttypes.h>
#include <string.h>

#define MPIRUN_LOST 205 /* ORTE_ERR_COMM_FAILURE, as the shell sees it */

static const char *const ending_words[] = {
    [ENDING_FINISHED] = "is finished",
    [ENDING_LEFT] = "has saved and left",
    [ENDING_PAUSED] = "pauses, as --stop-after says",
    [ENDING_FAILED] = "has failed",
    [ENDING_KILLED] = "was killed",
    [ENDING_NOT_BEGUN] = "has not begun",
    [ENDING_REFUSED] = "was refused",
};

const struct life *ending_last_life(const struct run_state *run)
{
    return run->lives.count > 0 ? &run->lives.items[run->lives.count - 1] : NULL;
}

/* What the codes of launchers mean that their documentation does not tell. */
static void tell_code(const char *launcher, int code, struct text *words)
{
    const char *slash = strrchr(launcher, '/'), *name = slash ? slash + 1 : launcher;
    if (code > 128 && sigabbrev_np(code - 128))
        text_append(words, " (%s has ended by SIG%s, its own or that of a rank)", name, sigabbrev_np(code - 128));
    else if (code == MPIRUN_LOST)
        text_append(words, " (%s has ended with %d: it has lost a node, or its daemon there)", name, code);
    else
        text_append(words, " (%s has ended with %d)", name, code);
}

void ending_tell(enum ending ending, const struct run_state *run, const char *launcher, int code, struct text *words)
{
    const struct life *life = ending_last_life(run);
    text_append(words, "%s", ending_words[ending]);
    if (life && ending == ENDING_LEFT)
        text_append(words, " (%s) at step %" PRIu64, life->end, life->reached);
    else if (life && ending == ENDING_FAILED)
        text_append(words, " at step %" PRIu64 ": %s", life->reached, reason_details(life->end));
    else if (ending == ENDING_KILLED || ending == ENDING_NOT_BEGUN)
        tell_code(launcher, code, words);
}

enum ending ending_judge(const struct run_state *run, size_t lives, int code)
{
    const struct life *life = ending_last_life(run);
    bool is_new = run->lives.count > lives;
    bool is_done = life && reason_finishes(life->reason);
    if (is_done && (is_new || code == 0)) /* a finished job that is started again has no new life */
        return ENDING_FINISHED;
    if (!is_new)
        return code == EXIT_USAGE ? ENDING_REFUSED : ENDING_NOT_BEGUN;
    if (!life->ended || life->reason == REASON_KILLED) /* as a checkpoint tells it, without a history */
        return ENDING_KILLED;
    if (life->reason == REASON_FAILED)
        return ENDING_FAILED;
    return life->reason == REASON_STOP_AFTER ? ENDING_PAUSED : ENDING_LEFT;
}

enum ending ending_of_refusal(enum error_kind kind, bool was_good)
{
    switch (kind) {
    case ERROR_BUSY:
        return ENDING_REFUSED;
    case ERROR_USAGE:
    case ERROR_NOT_FOUND:
    case ERROR_CORRUPT:
    case ERROR_VERSION:
    case ERROR_DENIED:
        return was_good ? ENDING_NOT_BEGUN : ENDING_REFUSED;
    default:
        return ENDING_NOT_BEGUN;
    }
}

size_t ending_futile(const struct run_state *run, size_t first, bool with_requeued)
{
    const struct lives *lives = &run->lives;
    size_t count = 0;
    for (size_t i = lives->count; i-- > first;) {
        const struct life *life = &lives->items[i];
        bool is_last = i + 1 == lives->count;
        bool is_ahead = !is_last && life[1].step > life->step; /* by copies on the nodes */
        bool is_good = life->ended && !life->interrupted;      /* ranks may outlive their launcher by a moment */
        if (is_good || life->step < run->saved || is_ahead)
            break;
        bool was_requeued = !life->ended && !is_last && life[1].restart > life->restart;
        count += with_requeued || !was_requeued;
    }
    return count;
}

bool ending_repeats(const struct run_state *run, size_t first)
{
    const struct life *life = ending_last_life(run);
    return ending_futile(run, first, false) >= 2 && life->reason == REASON_FAILED && !life->transient &&
           strcmp(life->end, life[-1].end) == 0;
}
