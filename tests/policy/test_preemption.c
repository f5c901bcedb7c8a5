/* What each signal does to a process that trains. Real signals, each to a child of its own. */
#include "policy/preemption.h"

#include "support/test.h"

#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NOTHING = 40, GO_ON, ELSE };
#define LEAVE(signal) (128 + (signal))

/* What the flags say, as an exit code. */
static int verdict(int signal, const char *name)
{
    unsigned flags = preemption_flags();
    if (flags == 0)
        return NOTHING;
    if (!(flags & LEAVE_ALL))
        return preemption_flags() == 0 ? GO_ON : ELSE;
    bool is_told = preemption_flags() == flags && strcmp(preemption_reason(flags), name) == 0;
    return (flags & LEAVE_SIGNALS) == flags && is_told ? LEAVE(signal) : ELSE;
}

/* Sends it to a child that watches; what has become of that. */
static int after(int signal_number, const char *name, void (*before)(int))
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        setpgid(0, 0); /* SIGTSTP does nothing in an orphaned group, as the test's own may be */
        signal(signal_number, before);
        preemption_watch();
        raise(signal_number);
        _exit(verdict(signal_number, name));
    }
    waitpid(child, &status, WUNTRACED);
    if (WIFSTOPPED(status)) {
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        return -WSTOPSIG(status);
    }
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static void a_wish_to_leave_is_told_with_its_name(void)
{
    static const struct {
        int signal;
        const char *name;
    } wishes[] = {{SIGTERM, "SIGTERM"}, {SIGUSR1, "SIGUSR1"}, {SIGUSR2, "SIGUSR2"}, {SIGINT, "SIGINT"},
                  {SIGHUP, "SIGHUP"},   {SIGXCPU, "SIGXCPU"}, {SIGPWR, "SIGPWR"}};
    for (size_t i = 0; i < sizeof wishes / sizeof *wishes; i++)
        CU_ASSERT_EQUAL(after(wishes[i].signal, wishes[i].name, SIG_DFL), LEAVE(wishes[i].signal));
    CU_ASSERT_EQUAL(after(SIGALRM, "SIGALRM", SIG_DFL), GO_ON);
}

static void what_only_tells_of_a_failed_write_ends_nobody(void)
{
    CU_ASSERT_EQUAL(after(SIGXFSZ, "", SIG_DFL), NOTHING);
    CU_ASSERT_EQUAL(after(SIGPIPE, "", SIG_DFL), NOTHING);
    CU_ASSERT_EQUAL(after(SIGTTOU, "", SIG_DFL), NOTHING);
}

static void a_hangup_that_was_ignored_stays_ignored(void)
{
    CU_ASSERT_EQUAL(after(SIGHUP, "SIGHUP", SIG_IGN), NOTHING);
    CU_ASSERT_EQUAL(after(SIGTERM, "SIGTERM", SIG_IGN), LEAVE(SIGTERM));
}

static void the_others_are_as_they_come(void)
{
    CU_ASSERT_EQUAL(after(SIGQUIT, "", SIG_DFL), -SIGQUIT);
    CU_ASSERT_EQUAL(after(SIGPROF, "", SIG_DFL), -SIGPROF);
    CU_ASSERT_EQUAL(after(SIGTSTP, "", SIG_DFL), -SIGTSTP);
}

static void a_limit_of_cpu_time_warns_before_it_kills(void)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        struct rlimit limit = {.rlim_cur = 1000, .rlim_max = 1000};
        setrlimit(RLIMIT_CPU, &limit);
        preemption_watch();
        bool ok = getrlimit(RLIMIT_CPU, &limit) == 0 && limit.rlim_cur == 970 && limit.rlim_max == 1000;
        limit = (struct rlimit){.rlim_cur = 20, .rlim_max = 1000};
        setrlimit(RLIMIT_CPU, &limit);
        preemption_watch();
        _exit(ok && getrlimit(RLIMIT_CPU, &limit) == 0 && limit.rlim_cur == 20 ? 0 : 1);
    }
    waitpid(child, &status, 0);
    CU_ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(void)
{
    const struct test_case cases[] = {
        {"a wish to leave is told with its name", a_wish_to_leave_is_told_with_its_name},
        {"what only tells of a failed write ends nobody", what_only_tells_of_a_failed_write_ends_nobody},
        {"a hangup that was ignored stays ignored", a_hangup_that_was_ignored_stays_ignored},
        {"the others are as they come", the_others_are_as_they_come},
        {"a limit of CPU time warns before it kills", a_limit_of_cpu_time_warns_before_it_kills},
        {0},
    };
    return test_run("policy/preemption", cases);
}
