/* The cores of a process: lists as the kernel writes them, quotas from files like those of the system, who works there.
 */
#include "base/cores.h"
#include "support/test.h"

#include "base/file.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* A file below a root that begins empty. */
static void write_file(const char *root, const char *name, const char *text)
{
    char path[PATH_MAX], parent[PATH_MAX];
    struct error error;
    snprintf(path, sizeof path, "%s%s", root, name);
    file_parent(path, parent);
    CU_ASSERT_TRUE(file_make_directories(parent, &error));
    CU_ASSERT_TRUE(file_replace(path, text, strlen(text), &error));
}

static void a_list_is_read_as_it_was_written(void)
{
    static const char *const lists[] = {"", "0", "3", "0-3", "0-1,4,6-9", "0,2,4", "1023"};
    static const char *const wrong[] = {"a", "3-1", "1024", "0-", "0;1", "-1", "1-2-3"};
    cpu_set_t cores;
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        struct text text;
        text_init(&text);
        CU_ASSERT_TRUE(cores_read(lists[i], &cores));
        cores_append(&cores, &text);
        CU_ASSERT_STRING_EQUAL(text_bytes(&text), lists[i]);
        text_release(&text);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        CU_ASSERT_FALSE(cores_read(wrong[i], &cores));
}

static void a_part_is_within_the_whole_and_not_the_other_way(void)
{
    cpu_set_t part, whole;
    CU_ASSERT_TRUE(cores_read("2,5", &part) && cores_read("0-5", &whole));
    CU_ASSERT_TRUE(cores_are_within(&part, &whole));
    CU_ASSERT_TRUE(cores_are_within(&part, &part));
    CU_ASSERT_FALSE(cores_are_within(&whole, &part));
}

static void groups_of_both_versions_tell_how_long_they_were_held(void)
{
    const char *root = test_path("held");
    CU_ASSERT_EQUAL(cores_held_s(root), 0);
    write_file(root, "/proc/self/cgroup", "12:memory:/a\n4:cpu,cpuacct:/job/step\n0::/b/c\n");
    CU_ASSERT_EQUAL(cores_held_s(root), 0);
    write_file(root, "/sys/fs/cgroup/cpu/job/cpu.stat", "nr_periods 9\nnr_throttled 3\nthrottled_time 1500000000\n");
    CU_ASSERT_EQUAL(cores_held_s(root), 1.5); /* of the group above */
    write_file(root, "/sys/fs/cgroup/b/c/cpu.stat", "usage_usec 8\nnr_throttled 3\nthrottled_usec 2500000\n");
    CU_ASSERT_EQUAL(cores_held_s(root), 2.5);
    write_file(root, "/sys/fs/cgroup/cpu.stat", "throttled_usec 500000\n");
    CU_ASSERT_EQUAL(cores_held_s(root), 2.5);
}

static void what_a_thread_has_waited_for_only_grows(void)
{
    struct cores_wait first, second;
    if (!cores_wait_now(&first)) /* a kernel that does not count */
        return;
    CU_ASSERT_TRUE(cores_wait_now(&second));
    CU_ASSERT_TRUE(second.now_s >= first.now_s && second.ready_s >= first.ready_s && second.held_s >= first.held_s);
}

/* A process that works on this core, and was not started by our parent. */
static pid_t start_worker(const cpu_set_t *core)
{
    pid_t pid = fork();
    if (pid == 0) {
        sched_setaffinity(0, sizeof *core, core);
        alarm(30);
        for (volatile unsigned i = 0;; i++)
            ;
    }
    return pid;
}

static void who_works_on_a_core_is_found(void)
{
    cpu_set_t own, core;
    pid_t pid = 0;
    char name[17] = "";
    int first = 0;
    CU_ASSERT_EQUAL_FATAL(sched_getaffinity(0, sizeof own, &own), 0);
    while (!CPU_ISSET((size_t)first, &own))
        first++;
    CPU_ZERO(&core);
    CPU_SET((size_t)first, &core);
    pid_t worker = start_worker(&core);
    CU_ASSERT_TRUE_FATAL(worker > 0);
    CU_ASSERT_TRUE(cores_busy_process(&core, &pid, name));
    CU_ASSERT_TRUE(pid > 0 && pid != getpid() && *name);
    kill(worker, SIGKILL);
    waitpid(worker, NULL, 0);
}

static const struct test_case cases[] = {
    {"a list is read as it was written", a_list_is_read_as_it_was_written},
    {"a part is within the whole, and not the other way", a_part_is_within_the_whole_and_not_the_other_way},
    {"groups of both versions tell how long they were held", groups_of_both_versions_tell_how_long_they_were_held},
    {"what a thread has waited for only grows", what_a_thread_has_waited_for_only_grows},
    {"who works on a core is found", who_works_on_a_core_is_found},
    {0},
};

int main(void)
{
    return test_run("base/cores", cases);
}
