/* A directory to try a job in, and that it is gone when the process is. */
#include "run/scratch.h"

#include "base/file.h"
#include "support/test.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct error error;

static void make_directory(const char *path)
{
    CU_ASSERT_TRUE(file_make_directories(path, &error));
}

static void write_file(const char *directory, const char *name)
{
    char path[2 * PATH_MAX];
    snprintf(path, sizeof path, "%.4000s/%.80s", directory, name);
    CU_ASSERT_TRUE(file_replace(path, "x", 1, &error));
}

/* Entries of a directory that begin with a dot; -1: it is not there. */
static int hidden(const char *directory)
{
    int count = 0;
    DIR *list = opendir(directory);
    for (const struct dirent *entry; list && (entry = readdir(list));)
        count += entry->d_name[0] == '.' && strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    if (list)
        closedir(list);
    return list ? count : -1;
}

static bool begin(struct scratch *scratch, const char *run)
{
    bool ok = scratch_prepare(scratch, &error) && scratch_make(scratch, run, &error);
    if (!ok)
        printf("    %s\n", error.text);
    CU_ASSERT_TRUE(ok);
    return ok;
}

static void it_lies_beside_the_run_and_goes(void)
{
    char place[PATH_MAX], run[PATH_MAX], below[PATH_MAX + 200];
    struct scratch scratch, other;
    snprintf(place, sizeof place, "%s", test_path("beside"));
    snprintf(run, sizeof run, "%.4000s/digits", place);
    make_directory(run);
    for (int with_slash = 0; with_slash < 2; with_slash++) {
        if (with_slash)
            strcat(run, "/");
        if (!begin(&scratch, run))
            return;
        CU_ASSERT_EQUAL(strncmp(strrchr(scratch.path, '/'), "/.digits.check-", 15), 0);
        CU_ASSERT_EQUAL(hidden(place), 1);
        snprintf(below, sizeof below, "%s/run/checkpoints/deeper", scratch.path);
        make_directory(below);
        write_file(below, "file");
        write_file(scratch.path, ".file");
        if (begin(&other, run)) { /* one that is in use stays */
            CU_ASSERT_EQUAL(hidden(place), 2);
            scratch_remove(&other);
        }
        CU_ASSERT_EQUAL(hidden(place), 1);
        scratch_remove(&scratch);
        scratch_remove(&scratch);
        CU_ASSERT_EQUAL(hidden(place), 0);
        CU_ASSERT_EQUAL(hidden(run), 0);
    }
}

static void a_run_that_is_not_there_has_a_place_too(void)
{
    char place[PATH_MAX], run[PATH_MAX];
    struct scratch scratch;
    snprintf(place, sizeof place, "%s", test_path("nothing"));
    make_directory(place);
    snprintf(run, sizeof run, "%.4000s/a/b/digits", place);
    if (!begin(&scratch, run))
        return;
    CU_ASSERT_EQUAL(hidden(place), 1);
    scratch_remove(&scratch);
    CU_ASSERT_EQUAL(hidden(place), 0);

    /* Behind a link it is where the link leads to. */
    char target[PATH_MAX];
    snprintf(target, sizeof target, "%.4000s/far/data", place);
    make_directory(target);
    snprintf(run, sizeof run, "%.4000s/link", place);
    CU_ASSERT_EQUAL(symlink(target, run), 0);
    if (!begin(&scratch, run))
        return;
    CU_ASSERT_EQUAL(hidden(place), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(scratch.path, "/far/.data.check-"));
    scratch_remove(&scratch);

    write_file(place, "file");
    snprintf(run, sizeof run, "%.4000s/file", place);
    CU_ASSERT_TRUE(scratch_prepare(&scratch, &error));
    CU_ASSERT_FALSE(scratch_make(&scratch, run, &error));
    CU_ASSERT_EQUAL(error.kind, ERROR_USAGE);
    scratch_remove(&scratch);
}

/* With what it has made below, before this process goes on. */
static void die_with_one(const char *run, char path[PATH_MAX])
{
    int ends[2];
    CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        struct scratch scratch;
        if (scratch_prepare(&scratch, &error) && scratch_make(&scratch, run, &error) &&
            write(ends[1], scratch.path, strlen(scratch.path) + 1) > 0)
            kill(getpid(), SIGKILL);
        _exit(1);
    }
    close(ends[1]);
    CU_ASSERT_TRUE(read(ends[0], path, PATH_MAX) > 0);
    close(ends[0]);
    waitpid(child, NULL, 0);
}

static void a_process_that_is_killed_leaves_nothing(void)
{
    char place[PATH_MAX], run[PATH_MAX], path[PATH_MAX];
    snprintf(place, sizeof place, "%s", test_path("killed"));
    snprintf(run, sizeof run, "%.4000s/digits", place);
    make_directory(place);
    die_with_one(run, path);
    for (int tries = 0; tries < 1000 && hidden(place) > 0; tries++)
        test_nap(0.01);
    CU_ASSERT_EQUAL(hidden(place), 0);
}

static void what_a_check_has_left_is_taken_away_and_nothing_else(void)
{
    static const struct {
        const char *name;
        bool has_lock, goes;
    } cases[] = {
        {".digits.check-0123456789abcdef", true, true},
        {".digits.check-fedcba9876543210", false, false},
        {".digits.check-0123", true, false},
        {".digits2.check-0123456789abcdef", true, false},
        {".digits.check-0123456789abcdeg", true, false},
        {"digits.check-0123456789abcdef", true, false},
    };
    char place[PATH_MAX], run[PATH_MAX], path[PATH_MAX + 100];
    struct scratch scratch;
    snprintf(place, sizeof place, "%s", test_path("left"));
    snprintf(run, sizeof run, "%.4000s/digits", place);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(path, sizeof path, "%s/%s", place, cases[i].name);
        make_directory(path);
        write_file(path, cases[i].has_lock ? "check.lock" : "mine");
    }
    if (!begin(&scratch, run))
        return;
    scratch_remove(&scratch);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(path, sizeof path, "%s/%s", place, cases[i].name);
        CU_ASSERT_EQUAL(access(path, F_OK) != 0, cases[i].goes);
    }
}

static const struct test_case cases[] = {
    {"it lies beside the run, and goes", it_lies_beside_the_run_and_goes},
    {"a run that is not there has a place, too", a_run_that_is_not_there_has_a_place_too},
    {"a process that is killed leaves nothing", a_process_that_is_killed_leaves_nothing},
    {"what a check has left is taken away, and nothing else", what_a_check_has_left_is_taken_away_and_nothing_else},
    {0},
};

int main(void)
{
    return test_run("run/scratch", cases);
}
