#include "launch/supervision.h"

#include "base/check.h"

#include <math.h>
#include <stdio.h>

#define PAUSE_MOST_S 60.0
#define EXCUSED_MOST 30 /* half an hour */

#define IN(state) (UINT32_C(1) << STATE_##state)
#define SAME      STATE_COUNT

/* Where a launcher runs; where signals are heard. */
#define RUNNING       (IN(BEGINNING) | IN(WORKING) | IN(STOPPING))
#define RUNNING_ASKED (IN(BEGINNING_ASKED) | IN(WORKING_ASKED) | IN(STOPPING_ASKED))
#define HEARING       (RUNNING | IN(BETWEEN))
#define HEARING_ASKED (RUNNING_ASKED | IN(BETWEEN_ASKED))
#define HEARING_ALL   (HEARING | HEARING_ASKED)
#define HEARING_LATER (HEARING_ALL & ~IN(BEGINNING) & ~IN(BEGINNING_ASKED))
#define JUDGED        (IN(ENDED) | IN(ENDED_ASKED))

static const struct supervision_row table[] = {
    /* Another launch? */
    {IN(NEW) | IN(BETWEEN), EVENT_SENSE, STATE_STARTING, ACTION_LAUNCH},
    {IN(NEW) | IN(BETWEEN), EVENT_NO_TIME, STATE_LEAVING, ACTION_HAND_OVER},
    {IN(BETWEEN_ASKED), EVENT_SENSE, STATE_LEAVING, ACTION_HAND_OVER},
    {IN(BETWEEN_ASKED), EVENT_NO_TIME, STATE_LEAVING, ACTION_HAND_OVER},
    {IN(BETWEEN) | IN(BETWEEN_ASKED), EVENT_NO_SENSE, STATE_GAVE_UP, ACTION_NONE},
    {IN(BETWEEN) | IN(BETWEEN_ASKED), EVENT_PAUSE_OVER, SAME, ACTION_THINK_OVER},
    {IN(LEAVING), EVENT_HANDED_OVER, STATE_LEFT, ACTION_NONE},
    {IN(LEAVING), EVENT_NO_SENSE, STATE_GAVE_UP, ACTION_NONE},

    /* A launch begins. */
    {IN(STARTING), EVENT_LAUNCHED, STATE_BEGINNING, ACTION_WATCH},
    {IN(STARTING), EVENT_NO_LAUNCH, STATE_REFUSED, ACTION_NONE},
    {IN(BEGINNING), EVENT_AT_WORK, STATE_WORKING, ACTION_NONE},
    {IN(BEGINNING_ASKED), EVENT_AT_WORK, STATE_WORKING_ASKED, ACTION_ASK_AGAIN},
    {HEARING_LATER, EVENT_AT_WORK, SAME, ACTION_NONE},
    {IN(BEGINNING), EVENT_LIVED, STATE_WORKING, ACTION_NONE},
    {IN(BEGINNING_ASKED), EVENT_LIVED, STATE_WORKING_ASKED, ACTION_NONE},

    /* It does not begin, or not end. */
    {IN(BEGINNING), EVENT_SLOW, STATE_STOPPING, ACTION_STOP},
    {IN(BEGINNING_ASKED), EVENT_SLOW, STATE_STOPPING_ASKED, ACTION_STOP},
    {IN(WORKING), EVENT_SILENT, STATE_STOPPING, ACTION_STOP},
    {IN(WORKING_ASKED), EVENT_SILENT, STATE_STOPPING_ASKED, ACTION_STOP},
    {IN(STOPPING) | IN(STOPPING_ASKED), EVENT_STAYS, SAME, ACTION_KILL},
    {RUNNING_ASKED, EVENT_LAST_CALL, SAME, ACTION_REQUEUE_SOON},

    /* Wishes. They reach a launcher that runs, whatever is seen of the job, which is never new enough to hold one back:
     * but for a warning of a limit that the job knows. */
    {IN(BEGINNING), EVENT_ASKED, STATE_BEGINNING_ASKED, ACTION_PASS_ON},
    {IN(WORKING), EVENT_ASKED, STATE_WORKING_ASKED, ACTION_PASS_ON},
    {IN(STOPPING), EVENT_ASKED, STATE_STOPPING_ASKED, ACTION_PASS_ON},
    {IN(BETWEEN), EVENT_ASKED, STATE_BETWEEN_ASKED, ACTION_PASS_ON},
    {HEARING_ASKED, EVENT_ASKED, SAME, ACTION_PASS_ON},
    {HEARING_ASKED, EVENT_INSISTED, SAME, ACTION_TERMINATE},
    {HEARING_ALL, EVENT_SAVE, SAME, ACTION_PASS_ON},
    {HEARING_LATER, EVENT_LIMIT, SAME, ACTION_EXPLAIN},

    /* It ends. Where the run directory was moved, a start would begin at step 0. */
    {RUNNING, EVENT_GONE, STATE_ENDED, ACTION_JUDGE},
    {RUNNING_ASKED, EVENT_GONE, STATE_ENDED_ASKED, ACTION_JUDGE},
    {JUDGED, EVENT_FINISHED, STATE_FINISHED, ACTION_NONE},
    {JUDGED, EVENT_SAVED, STATE_LEAVING, ACTION_HAND_OVER},
    {JUDGED, EVENT_PAUSED, STATE_LEFT, ACTION_NONE}, /* on purpose: somebody will start it again */
    {JUDGED, EVENT_REFUSED, STATE_REFUSED, ACTION_NONE},
    {JUDGED | IN(STARTING), EVENT_MOVED, STATE_LEFT, ACTION_NONE},
    {IN(ENDED), EVENT_FAILED, STATE_BETWEEN, ACTION_PAUSE},
    {IN(ENDED), EVENT_KILLED, STATE_BETWEEN, ACTION_PAUSE},
    {IN(ENDED) | IN(STARTING), EVENT_NOT_BEGUN, STATE_BETWEEN, ACTION_PAUSE},
    {IN(ENDED) | IN(STARTING), EVENT_EXCUSED, STATE_BETWEEN, ACTION_PAUSE},
    {IN(ENDED_ASKED), EVENT_FAILED, STATE_BETWEEN_ASKED, ACTION_PAUSE},
    {IN(ENDED_ASKED), EVENT_KILLED, STATE_BETWEEN_ASKED, ACTION_PAUSE},
    {IN(ENDED_ASKED), EVENT_NOT_BEGUN, STATE_BETWEEN_ASKED, ACTION_PAUSE},
    {IN(ENDED_ASKED), EVENT_EXCUSED, STATE_BETWEEN_ASKED, ACTION_PAUSE},
};

void supervision_init(struct supervision *supervision)
{
    *supervision = (struct supervision){.state = STATE_NEW};
}

const struct supervision_row *supervision_find(enum supervision_state state, enum supervision_event event)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (table[i].event == event && table[i].states >> state & 1)
            return &table[i];
    return NULL;
}

static void count(struct supervision *supervision, enum supervision_event event)
{
    switch (event) {
    case EVENT_AT_WORK:
    case EVENT_LIVED:
        supervision->worked = supervision->launches;
        break;
    case EVENT_SLOW:
        supervision->slow++;
        break;
    case EVENT_EXCUSED:
        supervision->excused += supervision->excused < EXCUSED_MOST;
        supervision->not_begun++;
        break;
    case EVENT_NOT_BEGUN:
        supervision->not_begun++;
        break;
    case EVENT_FINISHED:
    case EVENT_SAVED:
    case EVENT_PAUSED:
    case EVENT_FAILED:
    case EVENT_KILLED:
    case EVENT_REFUSED:
        supervision->not_begun = supervision->excused = supervision->slow = 0;
        break;
    default:
        break;
    }
}

enum supervision_action supervision_step(struct supervision *supervision, enum supervision_event event)
{
    char why[80];
    const struct supervision_row *row = supervision_find(supervision->state, event);
    snprintf(why, sizeof why, "event %d cannot happen in state %d (launch/supervision.h)", event, supervision->state);
    CHECK(row, why);
    count(supervision, event);
    supervision->launches += row->action == ACTION_LAUNCH;
    if (row->next != SAME)
        supervision->state = row->next;
    return row->action;
}

bool supervision_is_over(const struct supervision *supervision)
{
    return supervision->state >= STATE_FINISHED;
}

bool supervision_is_asked(const struct supervision *supervision)
{
    return (HEARING_ASKED | IN(ENDED_ASKED)) >> supervision->state & 1;
}

bool supervision_has_worked(const struct supervision *supervision)
{
    return supervision->worked > 0 && supervision->worked == supervision->launches;
}

bool supervision_is(const struct supervision *supervision, enum supervision_state state)
{
    return supervision->state == state + supervision_is_asked(supervision);
}

int supervision_launches(const struct supervision *supervision, size_t futile)
{
    return (int)futile + supervision->not_begun - supervision->excused;
}

bool supervision_may_go_on(const struct supervision *supervision, size_t futile, int restarts)
{
    return supervision_launches(supervision, futile) < restarts;
}

double supervision_pause_s(const struct supervision *supervision, size_t futile)
{
    int launches = (int)futile + supervision->not_begun; /* also those that do not count */
    return launches == 0 ? 0 : fmin(PAUSE_MOST_S, ldexp(1, launches - 1));
}

double supervision_limit_s(const struct supervision *supervision, double limit_s, double most_s)
{
    return fmin(ldexp(limit_s, supervision->slow), fmax(limit_s, most_s));
}

bool supervision_goes_round(const struct supervision *supervision, uint64_t requeues, int restarts)
{
    return supervision->not_begun > 0 && requeues >= (uint64_t)restarts;
}
