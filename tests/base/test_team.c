/* Threads that share loops: on fewer cores than threads, too. */
#include "base/team.h"

#include "base/clock.h"
#include "support/test.h"

#include <dirent.h>
#include <fenv.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST = 8, PARTS = 300 };

static struct team *open_team(size_t threads)
{
    struct team *team;
    struct error error;
    CU_ASSERT_TRUE_FATAL(team_open(&team, threads, &error));
    CU_ASSERT_EQUAL(team_threads(team), threads);
    return team;
}

/* What a loop's parts leave behind. */
struct traces {
    unsigned done[PARTS]; /* how often each was done: plain memory, which a part has for itself */
    atomic_bool busy[MOST];
    atomic_size_t wrong;
};

static void leave_trace(void *context, size_t i, size_t thread)
{
    struct traces *traces = context;
    if (thread >= MOST || atomic_exchange(&traces->busy[thread], true))
        atomic_fetch_add(&traces->wrong, 1);
    traces->done[i]++;
    atomic_store(&traces->busy[thread], false);
}

static void each_part_is_done_once_by_one_thread(void)
{
    for (size_t threads = 1; threads <= MOST; threads++) {
        struct team *team = open_team(threads);
        for (size_t parts = 0, round = 0; round < 600; round++, parts = (parts * 7 + 1) % PARTS) {
            struct traces traces = {0};
            size_t missing = 0;
            team_run(team, parts, leave_trace, &traces);
            for (size_t i = 0; i < PARTS; i++)
                missing += traces.done[i] != (i < parts);
            CU_ASSERT_EQUAL(missing, 0);
            CU_ASSERT_EQUAL(traces.wrong, 0);
        }
        team_close(team);
    }
}

static void add_one(void *context, size_t i, size_t thread)
{
    (void)thread;
    ((unsigned *)context)[i * 16]++;
}

/* Each loop reads what the one before it has written, perhaps in another thread. */
static void loops_follow_each_other(void)
{
    for (size_t threads = 2; threads <= MOST; threads *= 2) {
        enum { LOOPS = 5000 };
        struct team *team = open_team(threads);
        unsigned sums[MOST * 16] = {0};
        size_t wrong = 0;
        for (unsigned loop = 0; loop < LOOPS; loop++) {
            team_run(team, threads, add_one, sums);
            for (size_t i = 0; i < threads; i++)
                wrong += sums[i * 16] != loop + 1;
        }
        CU_ASSERT_EQUAL(wrong, 0);
        team_close(team);
    }
}

static void wait_in_part(void *context, size_t i, size_t thread)
{
    ((size_t *)context)[i] = thread;
    test_nap(0.05);
}

/* After a pause, in which they have gone to sleep, they come all the same; and the caller goes to sleep over the last.
 */
static void threads_that_sleep_wake_up(void)
{
    struct team *team = open_team(4);
    for (int round = 0; round < 4; round++) {
        size_t by[4];
        unsigned seen = 0;
        test_nap(0.02);
        double start = clock_seconds();
        team_run(team, 4, wait_in_part, by);
        CU_ASSERT_TRUE(clock_seconds() - start < 0.15); /* one after the other: 0.2 s */
        for (size_t i = 0; i < 4; i++)
            seen |= 1u << by[i];
        CU_ASSERT_TRUE((seen & (seen - 1)) != 0);
    }
    team_close(team);
}

static void hold_first_up(void *context, size_t i, size_t thread)
{
    atomic_size_t *others = context;
    (void)thread;
    if (i > 0)
        atomic_fetch_add(others, 1);
    else
        for (int nap = 0; nap < 2000 && atomic_load(others) < 9; nap++)
            test_nap(0.001);
    CU_ASSERT_TRUE(i > 0 || atomic_load(others) == 9);
}

/* Also those parts that were meant for the thread that is. */
static void who_is_held_up_does_not_hold_up_others(void)
{
    struct team *team = open_team(2);
    atomic_size_t others = 0;
    team_run(team, 10, hold_first_up, &others);
    CU_ASSERT_EQUAL(others, 9);
    team_close(team);
}

static void take_rounding(void *context, size_t i, size_t thread)
{
    (void)thread;
    ((int *)context)[i] = fegetround();
    test_nap(0.01);
}

static void threads_round_as_their_caller_does(void)
{
    int rounding[4] = {0};
    fesetround(FE_UPWARD);
    struct team *team = open_team(4);
    fesetround(FE_TONEAREST);
    team_run(team, 4, take_rounding, rounding);
    team_close(team);
    size_t upward = 0;
    for (size_t i = 0; i < 4; i++)
        upward += rounding[i] == FE_UPWARD;
    CU_ASSERT_TRUE(upward > 0 && upward < 4); /* the caller has changed its own since */
}

static pthread_t caller;
static volatile sig_atomic_t came, astray;

static void note(int number)
{
    (void)number;
    came++;
    astray += !pthread_equal(pthread_self(), caller);
}

static void signals_are_for_the_caller(void)
{
    struct sigaction action = {.sa_handler = note}, before;
    caller = pthread_self();
    sigaction(SIGTERM, &action, &before);
    struct team *team = open_team(4);
    for (int i = 0; i < 200; i++) {
        struct traces traces = {0};
        kill(getpid(), SIGTERM);
        team_run(team, PARTS, leave_trace, &traces);
    }
    team_close(team);
    sigaction(SIGTERM, &before, NULL);
    CU_ASSERT_TRUE(came > 0);
    CU_ASSERT_EQUAL(astray, 0);
}

static size_t threads_alive(void)
{
    size_t count = 0;
    DIR *tasks = opendir("/proc/self/task");
    for (struct dirent *entry; tasks && (entry = readdir(tasks));)
        count += entry->d_name[0] != '.';
    if (tasks)
        closedir(tasks);
    return count;
}

static void nothing_stays_when_it_is_closed(void)
{
    size_t before = threads_alive();
    struct team *team = open_team(5);
    CU_ASSERT_EQUAL(threads_alive(), before + 4);
    team_close(team);
    CU_ASSERT_EQUAL(threads_alive(), before);
    team_close(NULL);
    CU_ASSERT_EQUAL(team_threads(NULL), 1);
}

/* A child has the caller alone, and may end as it likes. */
static void a_fork_between_two_loops_harms_nobody(void)
{
    struct team *team = open_team(3);
    struct traces traces = {0};
    int status = -1;
    team_run(team, PARTS, leave_trace, &traces);
    pid_t child = fork();
    if (child == 0)
        _exit(7);
    waitpid(child, &status, 0);
    CU_ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    team_run(team, PARTS, leave_trace, &traces);
    CU_ASSERT_EQUAL(traces.done[PARTS - 1], 2);
    team_close(team);
}

/* In a child, which has no more memory for stacks. */
static void where_the_system_has_no_more_threads_it_says_so(void)
{
    int status = -1;
    pid_t child = fork();
    if (child == 0) {
        struct rlimit limit = {(rlim_t)100 << 20, (rlim_t)100 << 20};
        struct team *team;
        struct error error;
        setrlimit(RLIMIT_AS, &limit);
        bool ok = team_open(&team, TEAM_THREADS_MOST, &error);
        _exit(!ok && !team && strstr(error.text, " of 1024 that compute") ? 7 : 8);
    }
    waitpid(child, &status, 0);
#ifndef __SANITIZE_ADDRESS__ /* which needs terabytes of addresses */
    CU_ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 7);
#endif
}

int main(void)
{
    const struct test_case cases[] = {
        {"each part is done once, by one thread", each_part_is_done_once_by_one_thread},
        {"loops follow each other", loops_follow_each_other},
        {"threads that sleep wake up", threads_that_sleep_wake_up},
        {"who is held up does not hold up others", who_is_held_up_does_not_hold_up_others},
        {"threads round as their caller does", threads_round_as_their_caller_does},
        {"signals are for the caller", signals_are_for_the_caller},
        {"nothing stays when it is closed", nothing_stays_when_it_is_closed},
        {"a fork between two loops harms nobody", a_fork_between_two_loops_harms_nobody},
        {"where the system has no more threads it says so", where_the_system_has_no_more_threads_it_says_so},
        {0},
    };
    return test_run("base/team", cases);
}
