/* What limits the memory of a process, from files like those of the system. */
#include "base/memory_limit.h"
#include "base/memory_use.h"
#include "support/test.h"

#include "base/file.h"
#include "base/memory.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

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

static void expect_limit(const struct memory_limits *limits, size_t i, double bytes, const char *name)
{
    CU_ASSERT_TRUE_FATAL(i < limits->count);
    if (limits->items[i].bytes != bytes || strcmp(limits->items[i].name, name) != 0)
        printf("    %s: %.0f\n", limits->items[i].name, limits->items[i].bytes);
    CU_ASSERT_EQUAL(limits->items[i].bytes, bytes);
    CU_ASSERT_STRING_EQUAL(limits->items[i].name, name);
}

/* As a node of Slurm 24 with systemd has it. */
static void groups_of_version_2_count_from_the_process_to_the_top(void)
{
    char root[PATH_MAX];
    struct memory_limits limits = {0};
    snprintf(root, sizeof root, "%s", test_path("v2"));
    write_file(root, "/proc/meminfo",
               "MemTotal:       65536000 kB\nMemAvailable:   60000000 kB\nSwapTotal:             0 kB\n");
    write_file(root, "/proc/self/cgroup", "0::/system.slice/slurmstepd.scope/job_17/step_0/user/task_0\n");
    write_file(
        root, "/proc/self/mountinfo",
        "22 27 0:20 / /sys rw,nosuid,nodev,noexec,relatime shared:7 - sysfs sysfs rw\n"
        "29 22 0:26 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate\n");
    write_file(root, "/sys/fs/cgroup/system.slice/slurmstepd.scope/job_17/memory.max", "8589934592\n");
    write_file(root, "/sys/fs/cgroup/system.slice/slurmstepd.scope/job_17/memory.high", "max\n");
    write_file(root, "/sys/fs/cgroup/system.slice/slurmstepd.scope/job_17/step_0/user/task_0/memory.max", "max\n");
    write_file(root, "/sys/fs/cgroup/system.slice/slurmstepd.scope/job_17/step_0/user/task_0/memory.high",
               "2147483648\n");
    memory_limits_of_groups(&limits, root);
    CU_ASSERT_EQUAL(limits.count, 2);
    expect_limit(&limits, 0, 2147483648.0,
                 "memory.high of the control group /system.slice/slurmstepd.scope/job_17/step_0/user/task_0");
    CU_ASSERT_TRUE(limits.items[0].is_soft);
    expect_limit(&limits, 1, 8589934592.0, "memory.max of the control group /system.slice/slurmstepd.scope/job_17");
    CU_ASSERT_FALSE(limits.items[1].is_soft);
    CU_ASSERT_NOT_EQUAL(limits.items[0].group, limits.items[1].group);
    CU_ASSERT_EQUAL(limits.items[1].reach, MEMORY_GROUP);
}

/* As a container has it: its own group is mounted, and called so or called "/". */
static void a_container_sees_its_own_group(void)
{
    static const char *const called[] = {"0::/\n", "0::/kubepods/pod 1/abc\n", "0::/../other\n"};
    static const char *const tops[] = {"/", "/kubepods/pod\\0401/abc", "/"};
    for (size_t i = 0; i < 3; i++) {
        char root[PATH_MAX], line[200], name[20];
        struct memory_limits limits = {0};
        snprintf(name, sizeof name, "container%zu", i);
        snprintf(root, sizeof root, "%s", test_path(name));
        snprintf(line, sizeof line, "3 2 0:4 %s /sys/fs/cgroup\\040dir ro - cgroup2 cgroup ro\n", tops[i]);
        write_file(root, "/proc/self/cgroup", called[i]);
        write_file(root, "/proc/self/mountinfo", line);
        write_file(root, "/proc/meminfo", "SwapTotal:  1000 kB\n");
        write_file(root, "/sys/fs/cgroup dir/memory.max", "1000000\n");
        write_file(root, "/sys/fs/cgroup dir/memory.swap.max", "24000\n");
        memory_limits_of_groups(&limits, root);
        CU_ASSERT_EQUAL(limits.count, 1);
        expect_limit(&limits, 0, 1024000, "memory.max of the control group /");
    }
}

/* As Slurm 22.05 has it on a machine with systemd's hybrid hierarchy. */
static void groups_of_version_1_count_beside_an_empty_version_2(void)
{
    char root[PATH_MAX];
    struct memory_limits limits = {0};
    snprintf(root, sizeof root, "%s", test_path("v1"));
    write_file(root, "/proc/meminfo", "SwapTotal:       2048 kB\n");
    write_file(root, "/proc/self/cgroup", "12:cpu,cpuacct:/\n4:memory:/slurm/uid_1000/job_5\n1:name=systemd:/\n0::/\n");
    write_file(root, "/proc/self/mountinfo",
               "26 25 0:23 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
               "30 25 0:27 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
               "33 25 0:30 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n");
    write_file(root, "/sys/fs/cgroup/unified/cgroup.procs", "");
    write_file(root, "/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
    write_file(root, "/sys/fs/cgroup/memory/slurm/uid_1000/memory.limit_in_bytes", "4000000000\n");
    write_file(root, "/sys/fs/cgroup/memory/slurm/uid_1000/job_5/memory.limit_in_bytes", "1000000000\n");
    write_file(root, "/sys/fs/cgroup/memory/slurm/uid_1000/job_5/memory.memsw.limit_in_bytes", "1001000000\n");
    memory_limits_of_groups(&limits, root);
    CU_ASSERT_EQUAL(limits.count, 2);
    expect_limit(&limits, 0, 1001000000.0, "memory.limit_in_bytes of the control group /slurm/uid_1000/job_5");
    expect_limit(&limits, 1, 4000000000.0 + 2048 * 1024.0,
                 "memory.limit_in_bytes of the control group /slurm/uid_1000");

    /* Without nesting a group does not count those below. */
    limits.count = 0;
    write_file(root, "/sys/fs/cgroup/memory/slurm/uid_1000/memory.use_hierarchy", "0\n");
    memory_limits_of_groups(&limits, root);
    CU_ASSERT_EQUAL(limits.count, 1);
}

static void what_cannot_be_read_is_no_limit(void)
{
    static const char *const groups[] = {"", "0:", "0::", "::/a", "0::/a/b", "4:memory:/a\n0::/a\n", "\n\n"};
    static const char *const mounts[] = {"",
                                         "1 2 3",
                                         "1 2 0:3 / /m rw - cgroup2",
                                         "1 2 0:3 / /m rw - cgroup c rw,memory\n",
                                         "- - - - -",
                                         "1 2 0:3 \\ \\1 rw - cgroup2 c rw\n",
                                         "\n \n"};
    char root[PATH_MAX];
    snprintf(root, sizeof root, "%s", test_path("odd"));
    struct memory_limits limits = {0};
    memory_limits_of_groups(&limits, root);
    memory_limits_of_machine(&limits, root);
    for (size_t g = 0; g < sizeof groups / sizeof *groups; g++)
        for (size_t m = 0; m < sizeof mounts / sizeof *mounts; m++) {
            write_file(root, "/proc/self/cgroup", groups[g]);
            write_file(root, "/proc/self/mountinfo", mounts[m]);
            write_file(root, "/proc/meminfo", "MemAvailable: much\n");
            write_file(root, "/m/a/memory.max", "many\n");
            memory_limits_of_groups(&limits, root);
            memory_limits_of_machine(&limits, root);
        }
    CU_ASSERT_EQUAL(limits.count, 0);
}

static void a_machine_has_what_is_available_and_what_zfs_gives_back(void)
{
    static const char name[] = "what this machine has left (MemAvailable, SwapFree)";
    char root[PATH_MAX];
    struct memory_limits limits = {0};
    snprintf(root, sizeof root, "%s", test_path("machine"));
    write_file(root, "/proc/meminfo", "MemTotal: 9 kB\nMemAvailable:    1000 kB\nSwapTotal: 7 kB\nSwapFree:  24 kB\n");
    memory_limits_of_machine(&limits, root);
    expect_limit(&limits, 0, 1024 * 1024.0, name);
    write_file(root, "/proc/spl/kstat/zfs/arcstats",
               "13 1 0x01 147 39984 3 4\nname    type data\nhits    4    77\nc_min    4    1000\nsize    4    3000\n");
    memory_limits_of_machine(&limits, root);
    expect_limit(&limits, 1, 1024 * 1024.0 + 2000, name);
    write_file(root, "/proc/spl/kstat/zfs/arcstats", "c_min    4    1000\nsize    4    300\n");
    memory_limits_of_machine(&limits, root);
    expect_limit(&limits, 2, 1024 * 1024.0, name);
    write_file(root, "/proc/meminfo", "MemAvailable:    0 kB\n");
    memory_limits_of_machine(&limits, root);
    CU_ASSERT_EQUAL(limits.count, 3);
}

static void slurm_was_asked_for_memory(void)
{
    static const struct {
        const char *per_node, *per_cpu, *cpus;
        double bytes; /* 0: no limit */
    } cases[] = {
        {"4096", NULL, "8", 4294967296.0},
        {"0", NULL, "8", 0},
        {NULL, "1024", "16(x2),8", 17179869184.0},
        {NULL, "1024", "8,16(x3)", 17179869184.0},
        {NULL, "1024", NULL, 0},
        {NULL, NULL, "8", 0},
        {"", "", "", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct memory_limits limits = {0};
        memory_limits_of_slurm(&limits, cases[i].per_node, cases[i].per_cpu, cases[i].cpus);
        CU_ASSERT_EQUAL(limits.count, cases[i].bytes > 0);
        CU_ASSERT(limits.count == 0 ||
                  (limits.items[0].bytes == cases[i].bytes && limits.items[0].reach == MEMORY_NODE));
    }
}

static void the_limits_of_this_process_are_found(void)
{
    struct memory_limits limits;
    struct rlimit before, less;
    CU_ASSERT_EQUAL(getrlimit(RLIMIT_DATA, &before), 0);
    less = (struct rlimit){.rlim_cur = 77000000000000, .rlim_max = before.rlim_max};
    CU_ASSERT_EQUAL(setrlimit(RLIMIT_DATA, &less), 0);
    memory_limits_find(&limits);
    CU_ASSERT_EQUAL(setrlimit(RLIMIT_DATA, &before), 0);
    CU_ASSERT_TRUE(limits.count >= 2); /* the machine has one */
    expect_limit(&limits, 0, 77000000000000.0, "the limit of a process's data (ulimit -d)");
    CU_ASSERT_EQUAL(limits.items[0].reach, MEMORY_OWN);
    CU_ASSERT_TRUE(limits.present > 100000);
}

static void what_this_process_has_is_counted(void)
{
    enum { BYTES = 40000000 };
    struct memory_use before, with, after;
    memory_use_look(&before, true);
    void *memory = memory_need(BYTES, 1);
    memory_use_look(&with, true);
    memory_free(memory);
    memory_use_look(&after, true);
    CU_ASSERT_TRUE(with.own >= before.own + 0.9 * BYTES && with.peak >= with.own);
#ifndef __SANITIZE_ADDRESS__ /* which gives nothing back */
    CU_ASSERT_TRUE(after.own < with.own - 0.9 * BYTES);
#endif

    memory_use_read("VmHWM:\t  300 kB\nRssAnon:\t  100 kB\nRssFile:\t   70 kB\nRssShmem:\t   90 kB\n",
                    "00400000-7ffe rollup\nPss_Shmem:   30 kB\n", &with);
    CU_ASSERT(with.peak == 307200 && with.own == 102400 && with.files == 71680 && with.shared == 30720);
    memory_use_read("RssShmem:\t   90 kB\n", "", &with);
    CU_ASSERT(with.peak == 0 && with.own == 0 && with.shared == 92160);
}

static const struct test_case cases[] = {
    {"groups of version 2 count from the process to the top", groups_of_version_2_count_from_the_process_to_the_top},
    {"a container sees its own group", a_container_sees_its_own_group},
    {"groups of version 1 count beside an empty version 2", groups_of_version_1_count_beside_an_empty_version_2},
    {"what cannot be read is no limit", what_cannot_be_read_is_no_limit},
    {"a machine has what is available, and what ZFS gives back",
     a_machine_has_what_is_available_and_what_zfs_gives_back},
    {"Slurm was asked for memory", slurm_was_asked_for_memory},
    {"the limits of this process are found", the_limits_of_this_process_are_found},
    {"what this process has is counted", what_this_process_has_is_counted},
    {0},
};

int main(void)
{
    return test_run("base/memory_limit", cases);
}
