#include "base/fault.h"
#include "support/test.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum outcome { SURVIVED, KILLED, STOPPED, REFUSED, SOMETHING_ELSE };

/* What becomes of a process with this LOCKSTEP_FAULT (NULL: unset) that comes to `point` in `step` as `rank`. A child,
 * because the choice is made once a process and may end it. */
static enum outcome outcome(const char *value, int rank, enum fault_point point, uint64_t step)
{
    pid_t child = fork();
    if (child == 0) {
        struct error error = {0};
        int null = open("/dev/null", O_WRONLY);
        dup2(null, STDERR_FILENO);
        if (value)
            setenv("LOCKSTEP_FAULT", value, 1);
        else
            unsetenv("LOCKSTEP_FAULT");
        if (!fault_init(rank, &error))
            _exit(error.kind == ERROR_USAGE && strstr(error.text, value ? value : "") ? REFUSED : SOMETHING_ELSE);
        fault_at(point, step);
        _exit(SURVIVED);
    }
    int status = 0;
    if (child < 0 || waitpid(child, &status, WUNTRACED) != child)
        return SOMETHING_ELSE;
    if (WIFSTOPPED(status)) {
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        return WSTOPSIG(status) == SIGSTOP ? STOPPED : SOMETHING_ELSE;
    }
    if (WIFSIGNALED(status))
        return WTERMSIG(status) == SIGKILL ? KILLED : SOMETHING_ELSE;
    return WIFEXITED(status) && WEXITSTATUS(status) == REFUSED ? REFUSED
           : WIFEXITED(status) && WEXITSTATUS(status) == 0     ? SURVIVED
                                                               : SOMETHING_ELSE;
}

static void nothing_happens_without_it(void)
{
    for (enum fault_point point = 0; point < FAULT_POINTS; point++) {
        CU_ASSERT_EQUAL(outcome(NULL, 0, point, 1), SURVIVED);
        CU_ASSERT_EQUAL(outcome("", 0, point, 1), SURVIVED);
    }
}

static void each_named_point_kills_there_and_nowhere_else(void)
{
    for (enum fault_point chosen = 0; chosen < FAULT_POINTS; chosen++)
        for (enum fault_point point = 0; point < FAULT_POINTS; point++)
            CU_ASSERT_EQUAL(outcome(fault_points[chosen], 0, point, 5), point == chosen ? KILLED : SURVIVED);
}

static void a_process_is_stopped_on_request(void)
{
    CU_ASSERT_EQUAL(outcome("renamed,signal=stop", 0, FAULT_RENAMED, 1), STOPPED);
    CU_ASSERT_EQUAL(outcome("renamed,step=2,signal=stop,rank=1", 1, FAULT_RENAMED, 2), STOPPED);
    CU_ASSERT_EQUAL(outcome("renamed,step=2,signal=stop,rank=1", 1, FAULT_RENAMED, 3), SURVIVED);
    CU_ASSERT_EQUAL(outcome("renamed,signal=kill", 0, FAULT_RENAMED, 1), KILLED);
    CU_ASSERT_EQUAL(outcome("renamed,signal=hup", 0, FAULT_RENAMED, 1), REFUSED);
}

static void names_are_all_there_and_different(void)
{
    for (int i = 0; i < FAULT_POINTS; i++) {
        CU_ASSERT_PTR_NOT_NULL(fault_points[i]);
        for (int j = 0; fault_points[i] && j < i; j++)
            CU_ASSERT_STRING_NOT_EQUAL(fault_points[i], fault_points[j]);
    }
}

static void a_step_limits_it(void)
{
    CU_ASSERT_EQUAL(outcome("renamed,step=20", 0, FAULT_RENAMED, 19), SURVIVED);
    CU_ASSERT_EQUAL(outcome("renamed,step=20", 0, FAULT_RENAMED, 20), KILLED);
    CU_ASSERT_EQUAL(outcome("renamed,step=20", 0, FAULT_RENAMED, 21), SURVIVED);
    CU_ASSERT_EQUAL(outcome("renamed,step=20", 0, FAULT_COMMITTED, 20), SURVIVED);
    CU_ASSERT_EQUAL(outcome("renamed,step=0", 0, FAULT_RENAMED, 20), KILLED);
}

static void a_rank_chooses_who_dies(void)
{
    CU_ASSERT_EQUAL(outcome("renamed", 1, FAULT_RENAMED, 1), SURVIVED);
    CU_ASSERT_EQUAL(outcome("renamed,rank=1", 1, FAULT_RENAMED, 1), KILLED);
    CU_ASSERT_EQUAL(outcome("renamed,rank=1", 0, FAULT_RENAMED, 1), SURVIVED);
    CU_ASSERT_EQUAL(outcome("renamed,step=3,rank=2", 2, FAULT_RENAMED, 3), KILLED);
    CU_ASSERT_EQUAL(outcome("renamed,rank=2,step=3", 2, FAULT_RENAMED, 3), KILLED);
    CU_ASSERT_EQUAL(outcome("renamed,rank=2,step=3", 2, FAULT_RENAMED, 4), SURVIVED);
}

/* A family like mpirun's: this process is the parent, `rank` the one that comes to the point, `other` its sibling. */
static void who_dies(const char *value, enum outcome rank_expected, bool other_dies)
{
    pid_t other = fork();
    if (other == 0)
        for (;;)
            pause();
    CU_ASSERT_EQUAL(outcome(value, 0, FAULT_RENAMED, 1), rank_expected);
    kill(other, SIGTERM);
    int status = 0;
    CU_ASSERT_EQUAL(waitpid(other, &status, 0), other);
    CU_ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == (other_dies ? SIGKILL : SIGTERM));
}

static void all_ranks_die_if_all_are_named(void)
{
    who_dies("renamed", KILLED, false);
    who_dies("renamed,who=rank", KILLED, false);
    who_dies("renamed,who=all,rank=0", KILLED, true);
    who_dies("renamed,who=all,rank=1", SURVIVED, false);
}

static void only_a_parent_that_is_mpirun_dies_in_its_place(void)
{
    who_dies("renamed,who=mpirun", SURVIVED, false);
}

static void what_does_not_parse_is_refused_on_every_rank(void)
{
    static const char *const values[] = {
        "nowhere",           "rename",
        "renamedd",          "Renamed",
        " renamed",          "renamed,",
        "renamed,,rank=1",   "renamed,step",
        "renamed,step=",     "renamed,step=x",
        "renamed,step=5x",   "renamed,rank=",
        "renamed,who=",      "renamed,who=nobody",
        "renamed,who=allx",  "renamed,who=mpirunx",
        "renamed,who=rank,", "renamed,rank=1 ",
        "renamed;step=5",    "renamed,node=1",
        ",step=5",           "step=5",
    };
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        CU_ASSERT_EQUAL(outcome(values[i], 0, FAULT_RENAMED, 5), REFUSED);
        CU_ASSERT_EQUAL(outcome(values[i], 3, FAULT_RENAMED, 5), REFUSED);
    }
}

int main(void)
{
    static const struct test_case cases[] = {
        {"nothing happens without LOCKSTEP_FAULT", nothing_happens_without_it},
        {"each named point kills there and nowhere else", each_named_point_kills_there_and_nowhere_else},
        {"a process is stopped on request", a_process_is_stopped_on_request},
        {"the names are all there and different", names_are_all_there_and_different},
        {"a step limits it to that step", a_step_limits_it},
        {"a rank chooses who dies, rank 0 if none is named", a_rank_chooses_who_dies},
        {"all ranks of the node die if all are named", all_ranks_die_if_all_are_named},
        {"a parent that is not mpirun is left alone", only_a_parent_that_is_mpirun_dies_in_its_place},
        {"what does not parse is a usage error on every rank", what_does_not_parse_is_refused_on_every_rank},
        {NULL, NULL},
    };
    return test_run("base/fault", cases);
}
