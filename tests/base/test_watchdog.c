/* What watches over calls that may not return, and waits that have a limit: both leave out the time in which the
 * process is stopped. Real stops: a child of the test stops itself, and the test lets it go on. */
#include "base/watchdog.h"

#include "base/clock.h"
#include "base/wait.h"
#include "support/test.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CALM = 0, BARKED = 42, ELSE = 1 };

static void bark(const struct error *error)
{
    bool ok = error->kind == ERROR_LATE && strstr(error->text, "the shelf on ") && strstr(error->text, "for 0.5 s");
    _exit(ok ? BARKED : ELSE);
}

/* Runs it in a child, whose exit code it returns; if the child stops, it goes on after `stopped_s`. */
static int in_a_child(int (*run)(void), double stopped_s)
{
    int status;
    pid_t child = fork();
    if (child == 0)
        _exit(run());
    waitpid(child, &status, WUNTRACED);
    if (WIFSTOPPED(status)) {
        test_nap(stopped_s);
        kill(child, SIGCONT);
        waitpid(child, &status, 0);
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool open_dog(double limit_s)
{
    struct error error;
    return watchdog_open(&(struct watchdog_limits){.call_s = limit_s, .meeting_s = 1}, bark, &error);
}

static int hang(void)
{
    if (!open_dog(0.5))
        return ELSE;
    watchdog_begin("the shelf", 0);
    watchdog_begin("a book on it", 0);
    watchdog_end();
    test_nap(5);
    return CALM;
}

static int hang_with_leave(void)
{
    if (!open_dog(0.5))
        return ELSE;
    watchdog_begin("the shelf", 30);
    test_nap(1.2);
    watchdog_end();
    watchdog_close();
    return CALM;
}

static void bark_at_meeting(const struct error *error)
{
    bool ok = error->kind == ERROR_LATE && strstr(error->text, "dinner: on ") && strstr(error->text, " rank ");
    _exit(ok ? BARKED : ELSE);
}

/* Whether it barks at a meeting of this length, with these limits. */
static int meet(double meeting_s, double extra_s, bool is_alone, double seconds)
{
    struct error error;
    if (!watchdog_open(&(struct watchdog_limits){.meeting_s = 60}, bark, &error) ||
        !watchdog_open(&(struct watchdog_limits){.meeting_s = meeting_s}, bark_at_meeting, &error))
        return ELSE;
    watchdog_begin_meeting("dinner", extra_s, is_alone);
    test_nap(seconds);
    watchdog_end();
    watchdog_begin("a disk that nobody watches", 0);
    test_nap(0.3);
    watchdog_end();
    watchdog_close();
    return CALM;
}

static int meet_for_ever(void)
{
    return meet(1, 0, false, 10);
}

static int meet_alone(void)
{
    return meet(60, -58, true, 10);
}

static int meet_with_leave(void)
{
    return meet(1, 60, false, 2);
}

static int meet_unwatched(void)
{
    return meet(0, 1, false, 2);
}

static int work(void)
{
    if (!open_dog(0.5))
        return ELSE;
    for (double end = clock_seconds() + 1.2; clock_seconds() < end;) {
        watchdog_begin("the shelf", 0);
        watchdog_begin("a book on it", 0);
        watchdog_end();
        test_nap(0.1);
        watchdog_end();
    }
    test_nap(1.2);
    watchdog_close();
    watchdog_begin("the shelf", 0);
    test_nap(1.2);
    watchdog_end();
    return CALM;
}

static int stop_in_a_call(void)
{
    if (!open_dog(0.5))
        return ELSE;
    watchdog_begin("the shelf", 0);
    raise(SIGSTOP);
    test_nap(0.1);
    watchdog_end();
    watchdog_close();
    return CALM;
}

static int stop_in_a_wait(void)
{
    struct wait wait = wait_begin(1);
    double start = clock_seconds();
    wait_nap(&wait);
    raise(SIGSTOP); /* for longer than the limit */
    while (!wait_is_over(&wait))
        wait_nap(&wait);
    double took = clock_seconds() - start;
    return took > 2.4 && took < 10 ? CALM : ELSE;
}

static void a_call_that_does_not_return_ends_the_process(void)
{
    CU_ASSERT_EQUAL(in_a_child(hang, 0), BARKED);
}

static void a_meeting_that_does_not_end_ends_the_process(void)
{
    CU_ASSERT_EQUAL(in_a_child(meet_for_ever, 0), BARKED);
    CU_ASSERT_EQUAL(in_a_child(meet_alone, 0), BARKED);
    CU_ASSERT_EQUAL(in_a_child(meet_with_leave, 0), CALM);
    CU_ASSERT_EQUAL(in_a_child(meet_unwatched, 0), CALM);
}

static void who_has_leave_may_take_longer(void)
{
    CU_ASSERT_EQUAL(in_a_child(hang_with_leave, 0), CALM);
}

static void many_short_calls_are_not_a_long_one(void)
{
    CU_ASSERT_EQUAL(in_a_child(work, 0), CALM);
}

static void the_time_in_which_it_was_stopped_does_not_count(void)
{
    CU_ASSERT_EQUAL(in_a_child(stop_in_a_call, 1.5), CALM);
    CU_ASSERT_EQUAL(in_a_child(stop_in_a_wait, 1.5), CALM);
}

static void a_wait_ends_in_time(void)
{
    struct wait wait = wait_begin(0.2);
    double start = clock_seconds();
    while (!wait_is_over(&wait))
        wait_nap(&wait);
    double took = clock_seconds() - start;
    CU_ASSERT(took >= 0.2 && took < 5);
}

int main(void)
{
    const struct test_case cases[] = {
        {"a call that does not return ends the process", a_call_that_does_not_return_ends_the_process},
        {"a meeting that does not end ends the process", a_meeting_that_does_not_end_ends_the_process},
        {"who has leave may take longer", who_has_leave_may_take_longer},
        {"many short calls are not a long one", many_short_calls_are_not_a_long_one},
        {"the time in which it was stopped does not count", the_time_in_which_it_was_stopped_does_not_count},
        {"a wait ends in time", a_wait_ends_in_time},
        {0},
    };
    return test_run("base/watchdog", cases);
}
