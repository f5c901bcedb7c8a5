/* The life of a supervised job: every cell of its table, every way through it, and the counts. */
#include "launch/supervision.h"

#include "support/test.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* ---- the table once more, as a grid ---- */

/* One letter for each state, in their order; small: asked to leave. */
static const char states[STATE_COUNT + 1] = "NSBbWwTtEePpLFXGR";

static const char actions[ACTION_COUNT] = {
    [ACTION_NONE] = '-',      [ACTION_THINK_OVER] = '?',   [ACTION_LAUNCH] = 'l',    [ACTION_WATCH] = 'w',
    [ACTION_JUDGE] = 'j',     [ACTION_PAUSE] = 'p',        [ACTION_HAND_OVER] = 'h', [ACTION_PASS_ON] = 'o',
    [ACTION_ASK_AGAIN] = 'a', [ACTION_EXPLAIN] = 'e',      [ACTION_TERMINATE] = 't', [ACTION_STOP] = 's',
    [ACTION_KILL] = 'k',      [ACTION_REQUEUE_SOON] = 'r',
};

/* In each cell the next state and the action; "..": it cannot happen there. Nothing happens when all is over. */
static const struct {
    const char *cells;
    enum supervision_event event;
} grid[] = {
    /* N  S  B  b  W  w  T  t  E  e  P  p  L */
    {"Sl .. .. .. .. .. .. .. .. .. Sl Lh ..", EVENT_SENSE},
    {".. .. .. .. .. .. .. .. .. .. G- G- G-", EVENT_NO_SENSE},
    {"Lh .. .. .. .. .. .. .. .. .. Lh Lh ..", EVENT_NO_TIME},
    {".. .. .. .. .. .. .. .. .. .. P? p? ..", EVENT_PAUSE_OVER},
    {".. Bw .. .. .. .. .. .. .. .. .. .. ..", EVENT_LAUNCHED},
    {".. R- .. .. .. .. .. .. .. .. .. .. ..", EVENT_NO_LAUNCH},
    {".. .. W- wa W- w- T- t- .. .. P- p- ..", EVENT_AT_WORK},
    {".. .. W- w- .. .. .. .. .. .. .. .. ..", EVENT_LIVED},
    {".. .. Ts ts .. .. .. .. .. .. .. .. ..", EVENT_SLOW},
    {".. .. .. .. Ts ts .. .. .. .. .. .. ..", EVENT_SILENT},
    {".. .. .. .. .. .. Tk tk .. .. .. .. ..", EVENT_STAYS},
    {".. .. .. br .. wr .. tr .. .. .. .. ..", EVENT_LAST_CALL},
    {".. .. Ej ej Ej ej Ej ej .. .. .. .. ..", EVENT_GONE},
    {".. .. bo bo wo wo to to .. .. po po ..", EVENT_ASKED},
    {".. .. .. bt .. wt .. tt .. .. .. pt ..", EVENT_INSISTED},
    {".. .. Bo bo Wo wo To to .. .. Po po ..", EVENT_SAVE},
    {".. .. .. .. We we Te te .. .. Pe pe ..", EVENT_LIMIT},
    {".. .. .. .. .. .. .. .. F- F- .. .. ..", EVENT_FINISHED},
    {".. .. .. .. .. .. .. .. Lh Lh .. .. ..", EVENT_SAVED},
    {".. .. .. .. .. .. .. .. X- X- .. .. ..", EVENT_PAUSED},
    {".. .. .. .. .. .. .. .. Pp pp .. .. ..", EVENT_FAILED},
    {".. .. .. .. .. .. .. .. Pp pp .. .. ..", EVENT_KILLED},
    {".. Pp .. .. .. .. .. .. Pp pp .. .. ..", EVENT_NOT_BEGUN},
    {".. Pp .. .. .. .. .. .. Pp pp .. .. ..", EVENT_EXCUSED},
    {".. .. .. .. .. .. .. .. R- R- .. .. ..", EVENT_REFUSED},
    {".. X- .. .. .. .. .. .. X- X- .. .. ..", EVENT_MOVED},
    {".. .. .. .. .. .. .. .. .. .. .. .. X-", EVENT_HANDED_OVER},
};

/* What the table says, in the letters of the grid. */
static void cell(enum supervision_state state, enum supervision_event event, char letters[3])
{
    const struct supervision_row *row = supervision_find(state, event);
    enum supervision_state next = row && row->next != STATE_COUNT ? row->next : state;
    letters[0] = row ? states[next] : '.';
    letters[1] = row ? actions[row->action] : '.';
    letters[2] = '\0';
}

static void every_cell_is_as_it_is_meant(void)
{
    CU_ASSERT_EQUAL(COUNT(grid), EVENT_COUNT);
    for (size_t i = 0; i < COUNT(grid); i++)
        for (enum supervision_state state = 0; state < STATE_COUNT; state++) {
            char found[3];
            const char *meant = state <= STATE_LEAVING ? grid[i].cells + (size_t)3 * state : "..";
            cell(state, grid[i].event, found);
            if (strncmp(found, meant, 2) != 0)
                printf("state %c, event %d: %s, not %.2s\n", states[state], grid[i].event, found, meant);
            CU_ASSERT_EQUAL(strncmp(found, meant, 2), 0);
        }
}

static void a_step_does_what_the_cell_says(void)
{
    for (size_t i = 0; i < COUNT(grid); i++)
        for (enum supervision_state state = 0; state <= STATE_LEAVING; state++) {
            const char *meant = grid[i].cells + (size_t)3 * state;
            struct supervision supervision = {.state = state, .launches = 1};
            if (*meant == '.')
                continue;
            CU_ASSERT_EQUAL(actions[supervision_step(&supervision, grid[i].event)], meant[1]);
            CU_ASSERT_EQUAL(states[supervision.state], meant[0]);
            CU_ASSERT_EQUAL(supervision_is_asked(&supervision), meant[0] >= 'a');
        }
}

static void what_cannot_happen_is_a_bug(void)
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        struct supervision supervision;
        fclose(stderr);
        supervision_init(&supervision);
        supervision_step(&supervision, EVENT_GONE); /* without a launch */
        _exit(0);
    }
    int status = 0;
    CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
    CU_ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

/* ---- every way ---- */

/* What an action that takes its time may end with, in which states (in letters): the promise of launch.c and
 * supervisor.c. */
#define BIT(event) (1u << EVENT_##event)
#define HEARD      (BIT(AT_WORK) | BIT(ASKED) | BIT(SAVE))
static const struct {
    enum supervision_action action;
    const char *states;
    unsigned events;
} ends[] = {
    {ACTION_THINK_OVER, "NPp", BIT(SENSE) | BIT(NO_TIME)},
    {ACTION_THINK_OVER, "Pp", BIT(NO_SENSE)},
    {ACTION_LAUNCH, "S", BIT(LAUNCHED) | BIT(NO_LAUNCH) | BIT(NOT_BEGUN) | BIT(EXCUSED) | BIT(MOVED)},
    {ACTION_WATCH, "BbWwTt", BIT(GONE)},
    {ACTION_JUDGE, "Ee", BIT(FINISHED) | BIT(SAVED) | BIT(PAUSED) | BIT(FAILED) | BIT(KILLED)},
    {ACTION_JUDGE, "Ee", BIT(NOT_BEGUN) | BIT(EXCUSED) | BIT(REFUSED) | BIT(MOVED)},
    {ACTION_PAUSE, "Pp", BIT(PAUSE_OVER)},
    {ACTION_HAND_OVER, "L", BIT(HANDED_OVER) | BIT(NO_SENSE)},
    /* And what may happen while it goes on. */
    {ACTION_THINK_OVER, "Pp", HEARD | BIT(LIMIT)},
    {ACTION_THINK_OVER, "p", BIT(INSISTED)},
    {ACTION_PAUSE, "Pp", HEARD | BIT(LIMIT)},
    {ACTION_PAUSE, "p", BIT(INSISTED)},
    {ACTION_WATCH, "BbWwTt", HEARD},
    {ACTION_WATCH, "WwTt", BIT(LIMIT)},
    {ACTION_WATCH, "bwt", BIT(INSISTED) | BIT(LAST_CALL)},
    {ACTION_WATCH, "Bb", BIT(LIVED) | BIT(SLOW)},
    {ACTION_WATCH, "Ww", BIT(SILENT)},
    {ACTION_WATCH, "Tt", BIT(STAYS)},
};

/* Those of an action in a state. */
static unsigned ends_of(enum supervision_action action, enum supervision_state state)
{
    unsigned events = 0;
    for (size_t i = 0; i < COUNT(ends); i++)
        if (ends[i].action == action && strchr(ends[i].states, states[state]))
            events |= ends[i].events;
    return events;
}

/* What was come to: states, and the action that goes on; cells that were used. */
static bool reached[STATE_COUNT][ACTION_COUNT], used[STATE_COUNT][EVENT_COUNT];

static bool takes_its_time(enum supervision_action action)
{
    return action >= ACTION_THINK_OVER && action <= ACTION_HAND_OVER;
}

static void go_everywhere_from(enum supervision_state state, enum supervision_action action)
{
    if (reached[state][action] || state > STATE_LEAVING)
        return;
    reached[state][action] = true;
    CU_ASSERT_NOT_EQUAL(ends_of(action, state), 0);
    for (enum supervision_event event = 0; event < EVENT_COUNT; event++) {
        if (!(ends_of(action, state) >> event & 1))
            continue;
        used[state][event] = true;
        if (!supervision_find(state, event))
            continue;
        struct supervision supervision = {.state = state, .launches = 1};
        enum supervision_action next = supervision_step(&supervision, event);
        go_everywhere_from(supervision.state, takes_its_time(next) ? next : action);
    }
}

static void all_that_can_happen_is_settled_and_all_that_is_settled_can_happen(void)
{
    go_everywhere_from(STATE_NEW, ACTION_THINK_OVER);
    for (enum supervision_state state = 0; state < STATE_COUNT; state++)
        for (enum supervision_event event = 0; event < EVENT_COUNT; event++) {
            if (used[state][event] != !!supervision_find(state, event))
                printf("state %c, event %d: it %s happen\n", states[state], event,
                       used[state][event] ? "can" : "cannot");
            CU_ASSERT_EQUAL(used[state][event], !!supervision_find(state, event));
        }
}

static void an_end_of_an_action_leads_to_the_next_and_what_happens_meanwhile_to_none(void)
{
    for (enum supervision_state state = 0; state < STATE_COUNT; state++)
        for (enum supervision_event event = 0; event < EVENT_COUNT; event++) {
            const struct supervision_row *row = supervision_find(state, event);
            bool is_end = event < EVENT_AT_WORK || event == EVENT_GONE || event > EVENT_LIMIT;
            bool is_over = row && row->next >= STATE_FINISHED && row->next != STATE_COUNT;
            CU_ASSERT_TRUE(!row || takes_its_time(row->action) == (is_end && !is_over));
        }
}

/* ---- lives that are typical ---- */

struct stage {
    enum supervision_event event;
    enum supervision_action action;
    char state;
};

#define BEGINS                                                                                                         \
    {EVENT_SENSE, ACTION_LAUNCH, 'S'},                                                                                 \
    {                                                                                                                  \
        EVENT_LAUNCHED, ACTION_WATCH, 'B'                                                                              \
    }
#define WORKS                                                                                                          \
    BEGINS,                                                                                                            \
    {                                                                                                                  \
        EVENT_AT_WORK, ACTION_NONE, 'W'                                                                                \
    }

static void follow(struct supervision *supervision, const struct stage *stages, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        CU_ASSERT_EQUAL(supervision_step(supervision, stages[i].event), stages[i].action);
        CU_ASSERT_EQUAL(states[supervision->state], stages[i].state);
    }
}

#define FOLLOW(supervision, ...)                                                                                       \
    follow(supervision, (const struct stage[]){__VA_ARGS__},                                                           \
           sizeof((const struct stage[]){__VA_ARGS__}) / sizeof(struct stage))

static struct supervision anew(void)
{
    struct supervision supervision;
    supervision_init(&supervision);
    return supervision;
}

static void a_job_is_finished(void)
{
    struct supervision supervision = anew();
    FOLLOW(&supervision, WORKS);
    CU_ASSERT_FALSE(supervision_is_over(&supervision));
    FOLLOW(&supervision, {EVENT_GONE, ACTION_JUDGE, 'E'}, {EVENT_FINISHED, ACTION_NONE, 'F'});
    CU_ASSERT_TRUE(supervision_is_over(&supervision));
    CU_ASSERT_EQUAL(supervision.launches, 1);
}

static void a_job_that_is_preempted_at_work_is_handed_over(void)
{
    struct supervision supervision = anew();
    FOLLOW(&supervision, WORKS, {EVENT_ASKED, ACTION_PASS_ON, 'w'}, {EVENT_GONE, ACTION_JUDGE, 'e'},
           {EVENT_SAVED, ACTION_HAND_OVER, 'L'}, {EVENT_HANDED_OVER, ACTION_NONE, 'X'});
    supervision = anew(); /* it is killed before it has saved */
    FOLLOW(&supervision, WORKS, {EVENT_ASKED, ACTION_PASS_ON, 'w'}, {EVENT_LAST_CALL, ACTION_REQUEUE_SOON, 'w'},
           {EVENT_GONE, ACTION_JUDGE, 'e'}, {EVENT_KILLED, ACTION_PAUSE, 'p'},
           {EVENT_PAUSE_OVER, ACTION_THINK_OVER, 'p'}, {EVENT_SENSE, ACTION_HAND_OVER, 'L'},
           {EVENT_NO_SENSE, ACTION_NONE, 'G'});
}

static void a_wish_before_the_job_has_begun_is_told_again_when_it_is_at_work(void)
{
    struct supervision supervision = anew();
    FOLLOW(&supervision, BEGINS, {EVENT_ASKED, ACTION_PASS_ON, 'b'}, {EVENT_AT_WORK, ACTION_ASK_AGAIN, 'w'},
           {EVENT_SAVE, ACTION_PASS_ON, 'w'}, {EVENT_AT_WORK, ACTION_NONE, 'w'}, {EVENT_GONE, ACTION_JUDGE, 'e'},
           {EVENT_SAVED, ACTION_HAND_OVER, 'L'});
    supervision = anew(); /* it never begins */
    FOLLOW(&supervision, BEGINS, {EVENT_ASKED, ACTION_PASS_ON, 'b'}, {EVENT_SLOW, ACTION_STOP, 't'},
           {EVENT_GONE, ACTION_JUDGE, 'e'}, {EVENT_NOT_BEGUN, ACTION_PAUSE, 'p'},
           {EVENT_PAUSE_OVER, ACTION_THINK_OVER, 'p'}, {EVENT_SENSE, ACTION_HAND_OVER, 'L'});
    CU_ASSERT_EQUAL(supervision.launches, 1);
}

static void who_presses_ctrl_c_twice_does_not_wait(void)
{
    struct supervision supervision = anew();
    FOLLOW(&supervision, WORKS, {EVENT_ASKED, ACTION_PASS_ON, 'w'}, {EVENT_INSISTED, ACTION_TERMINATE, 'w'},
           {EVENT_GONE, ACTION_JUDGE, 'e'}, {EVENT_KILLED, ACTION_PAUSE, 'p'});
}

static void a_wish_in_a_pause_ends_the_launches(void)
{
    struct supervision supervision = anew();
    FOLLOW(&supervision, WORKS, {EVENT_GONE, ACTION_JUDGE, 'E'}, {EVENT_KILLED, ACTION_PAUSE, 'P'});
    CU_ASSERT_FALSE(supervision_is_asked(&supervision));
    FOLLOW(&supervision, {EVENT_ASKED, ACTION_PASS_ON, 'p'});
    CU_ASSERT_TRUE(supervision_is_asked(&supervision));
    FOLLOW(&supervision, {EVENT_PAUSE_OVER, ACTION_THINK_OVER, 'p'}, {EVENT_SENSE, ACTION_HAND_OVER, 'L'});
    CU_ASSERT_EQUAL(supervision.launches, 1);
}

static void a_launcher_that_hangs_at_its_end_is_ended(void)
{
    struct supervision supervision = anew();
    FOLLOW(&supervision, WORKS, {EVENT_SILENT, ACTION_STOP, 'T'}, {EVENT_STAYS, ACTION_KILL, 'T'},
           {EVENT_GONE, ACTION_JUDGE, 'E'}, {EVENT_FINISHED, ACTION_NONE, 'F'});
    supervision = anew(); /* a life between two looks */
    FOLLOW(&supervision, BEGINS, {EVENT_LIVED, ACTION_NONE, 'W'}, {EVENT_SILENT, ACTION_STOP, 'T'},
           {EVENT_ASKED, ACTION_PASS_ON, 't'}, {EVENT_GONE, ACTION_JUDGE, 'e'}, {EVENT_SAVED, ACTION_HAND_OVER, 'L'});
}

static void a_failure_that_repeats_is_given_up(void)
{
    struct supervision supervision = anew();
    FOLLOW(&supervision, WORKS, {EVENT_GONE, ACTION_JUDGE, 'E'}, {EVENT_FAILED, ACTION_PAUSE, 'P'},
           {EVENT_PAUSE_OVER, ACTION_THINK_OVER, 'P'}, WORKS, {EVENT_GONE, ACTION_JUDGE, 'E'},
           {EVENT_FAILED, ACTION_PAUSE, 'P'}, {EVENT_PAUSE_OVER, ACTION_THINK_OVER, 'P'},
           {EVENT_NO_SENSE, ACTION_NONE, 'G'});
    CU_ASSERT_EQUAL(supervision.launches, 2);
}

static void a_job_that_is_refused_or_moved_or_pauses_is_not_started_again(void)
{
    struct supervision supervision = anew();
    FOLLOW(&supervision, {EVENT_SENSE, ACTION_LAUNCH, 'S'}, {EVENT_NO_LAUNCH, ACTION_NONE, 'R'});
    supervision = anew();
    FOLLOW(&supervision, BEGINS, {EVENT_GONE, ACTION_JUDGE, 'E'}, {EVENT_REFUSED, ACTION_NONE, 'R'});
    supervision = anew();
    FOLLOW(&supervision, WORKS, {EVENT_GONE, ACTION_JUDGE, 'E'}, {EVENT_MOVED, ACTION_NONE, 'X'});
    supervision = anew();
    FOLLOW(&supervision, WORKS, {EVENT_GONE, ACTION_JUDGE, 'E'}, {EVENT_PAUSED, ACTION_NONE, 'X'});
}

static void a_batch_job_that_is_ending_is_handed_over_at_once(void)
{
    struct supervision supervision = anew();
    FOLLOW(&supervision, {EVENT_NO_TIME, ACTION_HAND_OVER, 'L'}, {EVENT_HANDED_OVER, ACTION_NONE, 'X'});
    supervision = anew();
    FOLLOW(&supervision, WORKS, {EVENT_LIMIT, ACTION_EXPLAIN, 'W'}, {EVENT_GONE, ACTION_JUDGE, 'E'},
           {EVENT_KILLED, ACTION_PAUSE, 'P'}, {EVENT_LIMIT, ACTION_EXPLAIN, 'P'},
           {EVENT_PAUSE_OVER, ACTION_THINK_OVER, 'P'}, {EVENT_NO_TIME, ACTION_HAND_OVER, 'L'});
}

/* ---- counts ---- */

/* A launch that has ended so, and all until the next one is thought over. */
static void launch_once(struct supervision *supervision, bool works, enum supervision_event end)
{
    FOLLOW(supervision, BEGINS);
    if (works)
        supervision_step(supervision, EVENT_AT_WORK);
    else if (end == EVENT_NOT_BEGUN)
        supervision_step(supervision, EVENT_SLOW);
    FOLLOW(supervision, {EVENT_GONE, ACTION_JUDGE, 'E'}, {end, ACTION_PAUSE, 'P'},
           {EVENT_PAUSE_OVER, ACTION_THINK_OVER, 'P'});
}

static void a_launch_that_was_too_slow_lets_the_next_take_twice_as_long(void)
{
    struct supervision supervision = anew();
    CU_ASSERT_EQUAL(supervision_limit_s(&supervision, 100, 600), 100);
    launch_once(&supervision, false, EVENT_NOT_BEGUN);
    CU_ASSERT_EQUAL(supervision_limit_s(&supervision, 100, 600), 200);
    launch_once(&supervision, false, EVENT_NOT_BEGUN);
    CU_ASSERT_EQUAL(supervision_limit_s(&supervision, 100, 600), 400);
    CU_ASSERT_EQUAL(supervision_limit_s(&supervision, 200, 600), 600);
    CU_ASSERT_EQUAL(supervision_limit_s(&supervision, 700, 600), 700);
    CU_ASSERT_EQUAL(supervision_limit_s(&supervision, 0, 600), 0);
    launch_once(&supervision, false, EVENT_EXCUSED); /* not in time, and not late either: it ended by itself */
    CU_ASSERT_EQUAL(supervision_limit_s(&supervision, 100, 600), 400);
    launch_once(&supervision, true, EVENT_KILLED);
    CU_ASSERT_EQUAL(supervision_limit_s(&supervision, 100, 600), 100);
    CU_ASSERT_EQUAL(supervision.not_begun, 0);
}

static void launches_in_a_row_count_until_one_comes_to_a_life(void)
{
    static const enum supervision_event lives[] = {EVENT_FAILED, EVENT_KILLED};
    struct supervision supervision = anew();
    for (size_t i = 0; i < COUNT(lives); i++) {
        CU_ASSERT_TRUE(supervision_may_go_on(&supervision, 0, 2));
        launch_once(&supervision, false, EVENT_NOT_BEGUN);
        CU_ASSERT_EQUAL(supervision_launches(&supervision, 3), 4);
        CU_ASSERT_TRUE(supervision_may_go_on(&supervision, 0, 2));
        CU_ASSERT_FALSE(supervision_may_go_on(&supervision, 1, 2));
        launch_once(&supervision, true, EVENT_NOT_BEGUN); /* it has the lock, and then no life */
        CU_ASSERT_FALSE(supervision_may_go_on(&supervision, 0, 2));
        launch_once(&supervision, true, lives[i]);
        CU_ASSERT_EQUAL(supervision_launches(&supervision, 0), 0);
    }
    CU_ASSERT_EQUAL(supervision.launches, 6);
}

static void ends_after_which_none_follows_reset_the_counts_as_well(void)
{
    static const enum supervision_event last[] = {EVENT_FINISHED, EVENT_SAVED, EVENT_PAUSED, EVENT_REFUSED};
    for (size_t i = 0; i < COUNT(last); i++) {
        struct supervision supervision = {.state = STATE_ENDED, .launches = 3, .not_begun = 2, .excused = 1, .slow = 2};
        supervision_step(&supervision, last[i]);
        CU_ASSERT_EQUAL(supervision.not_begun + supervision.excused + supervision.slow, 0);
        CU_ASSERT_FALSE(supervision_goes_round(&supervision, 9, 2));
    }
    struct supervision supervision = {.state = STATE_ENDED, .launches = 3, .not_begun = 2};
    supervision_step(&supervision, EVENT_MOVED); /* what it has come to is not known */
    CU_ASSERT_EQUAL(supervision.not_begun, 2);
}

static void what_passes_is_excused_thirty_times_and_paused_after(void)
{
    struct supervision supervision = anew();
    for (int i = 0; i < 30; i++) {
        launch_once(&supervision, false, EVENT_EXCUSED);
        CU_ASSERT_TRUE(supervision_may_go_on(&supervision, 0, 1));
        CU_ASSERT_EQUAL(supervision_pause_s(&supervision, 0), i < 6 ? 1 << i : 60);
    }
    launch_once(&supervision, false, EVENT_EXCUSED);
    CU_ASSERT_FALSE(supervision_may_go_on(&supervision, 0, 1));
    CU_ASSERT_EQUAL(supervision_launches(&supervision, 0), 1);
    launch_once(&supervision, true, EVENT_KILLED);
    CU_ASSERT_EQUAL(supervision.excused, 0);
    CU_ASSERT_EQUAL(supervision_pause_s(&supervision, 0), 0); /* after progress, at once */
    CU_ASSERT_EQUAL(supervision_pause_s(&supervision, 1), 1);
    CU_ASSERT_EQUAL(supervision_pause_s(&supervision, 5000), 60);
}

static void a_launcher_that_cannot_be_started_for_a_while_counts(void)
{
    struct supervision supervision = anew();
    launch_once(&supervision, true, EVENT_KILLED);
    FOLLOW(&supervision, {EVENT_SENSE, ACTION_LAUNCH, 'S'}, {EVENT_NOT_BEGUN, ACTION_PAUSE, 'P'},
           {EVENT_PAUSE_OVER, ACTION_THINK_OVER, 'P'}, {EVENT_SENSE, ACTION_LAUNCH, 'S'},
           {EVENT_EXCUSED, ACTION_PAUSE, 'P'});
    CU_ASSERT_EQUAL(supervision.launches, 3);
    CU_ASSERT_EQUAL(supervision.not_begun, 2);
    CU_ASSERT_EQUAL(supervision_launches(&supervision, 0), 1);
}

static void a_batch_job_that_never_begins_does_not_go_round_for_ever(void)
{
    struct supervision supervision = anew();
    CU_ASSERT_FALSE(supervision_goes_round(&supervision, 9, 2)); /* nothing was tried here */
    launch_once(&supervision, false, EVENT_NOT_BEGUN);
    CU_ASSERT_FALSE(supervision_goes_round(&supervision, 1, 2));
    CU_ASSERT_TRUE(supervision_goes_round(&supervision, 2, 2));
}

static void it_is_known_in_which_launch_the_job_was_at_work(void)
{
    struct supervision supervision = anew();
    CU_ASSERT_FALSE(supervision_has_worked(&supervision));
    FOLLOW(&supervision, BEGINS);
    CU_ASSERT_FALSE(supervision_has_worked(&supervision));
    CU_ASSERT_TRUE(supervision_is(&supervision, STATE_BEGINNING));
    FOLLOW(&supervision, {EVENT_ASKED, ACTION_PASS_ON, 'b'});
    CU_ASSERT_TRUE(supervision_is(&supervision, STATE_BEGINNING));
    supervision = anew();
    launch_once(&supervision, true, EVENT_KILLED);
    CU_ASSERT_TRUE(supervision_has_worked(&supervision)); /* in the pause after it, too */
    FOLLOW(&supervision, BEGINS);
    CU_ASSERT_FALSE(supervision_has_worked(&supervision));
    CU_ASSERT_EQUAL(supervision.worked, 1);
    FOLLOW(&supervision, {EVENT_GONE, ACTION_JUDGE, 'E'}, {EVENT_NOT_BEGUN, ACTION_PAUSE, 'P'},
           {EVENT_AT_WORK, ACTION_NONE, 'P'}); /* ranks that have outlived their launcher */
    CU_ASSERT_EQUAL(supervision.worked, 2);
    FOLLOW(&supervision, {EVENT_PAUSE_OVER, ACTION_THINK_OVER, 'P'}, BEGINS, {EVENT_LIVED, ACTION_NONE, 'W'});
    CU_ASSERT_EQUAL(supervision.worked, 3);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"every cell is as it is meant", every_cell_is_as_it_is_meant},
        {"a step does what the cell says", a_step_does_what_the_cell_says},
        {"what cannot happen is a bug", what_cannot_happen_is_a_bug},
        {"all that can happen is settled, and all that is settled can happen",
         all_that_can_happen_is_settled_and_all_that_is_settled_can_happen},
        {"an end of an action leads to the next, and what happens meanwhile to none",
         an_end_of_an_action_leads_to_the_next_and_what_happens_meanwhile_to_none},
        {"a job is finished", a_job_is_finished},
        {"a job that is preempted at work is handed over", a_job_that_is_preempted_at_work_is_handed_over},
        {"a wish before the job has begun is told again when it is at work",
         a_wish_before_the_job_has_begun_is_told_again_when_it_is_at_work},
        {"who presses Ctrl-C twice does not wait", who_presses_ctrl_c_twice_does_not_wait},
        {"a wish in a pause ends the launches", a_wish_in_a_pause_ends_the_launches},
        {"a launcher that hangs at its end is ended", a_launcher_that_hangs_at_its_end_is_ended},
        {"a failure that repeats is given up", a_failure_that_repeats_is_given_up},
        {"a job that is refused, or moved, or pauses is not started again",
         a_job_that_is_refused_or_moved_or_pauses_is_not_started_again},
        {"a batch job that is ending is handed over at once", a_batch_job_that_is_ending_is_handed_over_at_once},
        {"a launch that was too slow lets the next take twice as long",
         a_launch_that_was_too_slow_lets_the_next_take_twice_as_long},
        {"launches in a row count until one comes to a life", launches_in_a_row_count_until_one_comes_to_a_life},
        {"ends after which none follows reset the counts as well",
         ends_after_which_none_follows_reset_the_counts_as_well},
        {"what passes is excused thirty times, and paused after", what_passes_is_excused_thirty_times_and_paused_after},
        {"a launcher that cannot be started for a while counts", a_launcher_that_cannot_be_started_for_a_while_counts},
        {"a batch job that never begins does not go round for ever",
         a_batch_job_that_never_begins_does_not_go_round_for_ever},
        {"it is known in which launch the job was at work", it_is_known_in_which_launch_the_job_was_at_work},
        {0},
    };
    return test_run("launch/supervision", cases);
}
