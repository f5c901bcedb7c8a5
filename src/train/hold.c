#include "train/hold.h"

#include "base/clock.h"
#include "base/limit.h"
#include "base/log.h"
#include "base/watchdog.h"
#include "checkpoint/layout.h"
#include "policy/cadence.h"
#include "policy/flags.h"
#include "policy/preemption.h"
#include "train/save.h"

#include <math.h>
#include <stdint.h>
#include <time.h>

#define LOOK_NS (50 * 1000 * 1000L) /* between two looks at the clock, at signals and at RUN/save */

struct hold {
    unsigned flags;  /* with which the job ends */
    double begun_s;  /* the first try */
    double pause_s;  /* to the next try */
    double well_s;   /* when the disk was found well after a failed try, and ever since; 0: it is not */
    uint64_t needed; /* bytes of a checkpoint */
};

double hold_limit(const struct deadline *deadline, unsigned flags, double begun_s, double write_s)
{
    double limit_s = deadline->end_s - write_s - DEADLINE_LEAVE_S;
    /* Who says "now" does not mean the end of the job's time, unless a warning has told when that is. */
    if ((flags & LEAVE_SIGNALS) && !deadline->warned)
        return fmin(limit_s, begun_s + HOLD_HURRY_S);
    return limit_s;
}

/* Rank 0's work. */
static double limit_of(const struct session *session, const struct hold *hold)
{
    return hold_limit(&session->deadline, hold->flags, hold->begun_s, cadence_write(&session->cadence));
}

static void begin(const struct session *session, unsigned flags, struct hold *hold)
{
    *hold = (struct hold){.flags = flags,
                          .begun_s = clock_seconds(),
                          .pause_s = 1,
                          .needed = layout_bytes(&session->learner.state, &session->store)};
}

/* Rank 0's words after a try: all of them after the first. */
static void tell(const struct session *session, const struct hold *hold, bool is_first, const struct error *error)
{
    char needed[TEXT_AMOUNT];
    struct text words;
    if (session->world->rank != 0)
        return;
    text_init(&words);
    text_amount(hold->needed, needed);
    text_append(&words, "%s", error->text);
    if (is_first) {
        double left_s = limit_of(session, hold) - clock_seconds();
        text_append(&words, ". The state is held, and saved as soon as there is room for %s in %s, ", needed,
                    session->store.directory);
        if (isfinite(left_s)) {
            text_append(&words, "within ");
            text_append_seconds(&words, fmax(0, left_s));
        } else {
            text_append(&words, "however long that takes, or until the job is asked to leave");
        }
    }
    text_append(&words, "; trying again in %g s", hold->pause_s);
    log_warn("%s", text_bytes(&words));
    text_release(&words);
}

/* What this rank knows; try_s is when the next try comes by itself. For the saver also the sign that the job lives. */
static unsigned look(struct session *session, const struct hold *hold, double try_s)
{
    double now_s = clock_seconds();
    unsigned own = preemption_flags() & ~(hold->flags & LEAVE_ALL);
    saver_look(session->saving.saver);
    if (session->world->rank != 0)
        return own;
    deadline_look(&session->deadline, session->job->run, false, now_s);
    own |= (cadence_flags(&session->cadence, now_s) & SAVE_FILE) | deadline_announced(&session->deadline);
    return own | (now_s >= try_s ? HOLD_IS_DUE : 0) | (now_s >= limit_of(session, hold) ? HOLD_IS_OVER : 0);
}

/* Collective. Waits for the next try. Whether it is the last. */
static bool await_try(struct session *session, struct hold *hold)
{
    double try_s = clock_seconds() + hold->pause_s;
    hold->pause_s = fmin(2 * hold->pause_s, HOLD_PAUSE_S);
    for (;;) {
        unsigned all = world_union(session->world, look(session, hold, try_s));
        unsigned asked = deadline_weigh(&session->deadline, all & (LEAVE_ALL | END_IS_ANNOUNCED), clock_seconds());
        if ((asked & LEAVE_SIGNALS) || (all & HOLD_IS_OVER))
            return true;
        if (all & (HOLD_IS_DUE | SAVE_SIGNAL | SAVE_FILE))
            return false;
        nanosleep(&(struct timespec){.tv_nsec = LOOK_NS}, NULL);
    }
}

/* Local. Whether the disk takes what this rank gives it, and has room. */
static bool disk_is_well(const struct session *session, const struct hold *hold, const struct error *failure)
{
    const struct store *store = &session->store;
    watchdog_begin(store->directory, 0);
    bool ok = failure->kind != ERROR_FULL && store_free_bytes(store) >= hold->needed &&
              store_takes_files(store, session->world->rank);
    watchdog_end();
    return ok;
}

/* Collective. Whether waiting helps nothing: a process must not write such a file, or the data are not what they were;
 * or the disk is well on all ranks, and was half a minute ago: then a process cannot save (an allocation that failed
 * inside HDF5 leaves it unable to make any file), which a start cures. */
static bool is_hopeless(const struct session *session, struct hold *hold, const struct error *failure)
{
    enum { HOPELESS = 1, SICK = 2, EARLY = 4 };
    double now_s = clock_seconds();
    unsigned own = disk_is_well(session, hold, failure) ? 0 : SICK;
    if ((double)hold->needed > limit_file_bytes() || (session->data.watch.wrong & DATA_IS_WRONG))
        own |= HOPELESS;
    if (session->world->rank == 0 && (hold->well_s == 0 || now_s - hold->well_s < HOLD_PROOF_S))
        own |= EARLY;
    unsigned all = world_union(session->world, own);
    if (all & SICK)
        hold->well_s = 0;
    else if (hold->well_s == 0)
        hold->well_s = now_s;
    return (all & HOPELESS) || !(all & (SICK | EARLY));
}

bool hold_save_last(struct session *session, unsigned flags, const char *why, struct error *error)
{
    struct hold hold;
    begin(session, flags, &hold);
    for (bool is_first = true, is_last = false;; is_first = false) {
        if (save_last(session, why, error))
            return true;
        if (error->kind == ERROR_MEMORY || error->kind == ERROR_LATE || is_hopeless(session, &hold, error))
            return false;
        if (is_last)
            break;
        tell(session, &hold, is_first, error);
        is_last = await_try(session, &hold);
    }
    error->kind = ERROR_AGAIN;
    return false;
}
