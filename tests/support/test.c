#include "support/test.h"

#include <CUnit/Basic.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static char directory[PATH_MAX] = "";

const char *test_path(const char *name)
{
    static char paths[4][PATH_MAX];
    static unsigned next = 0;
    if (!directory[0]) {
        const char *parent = getenv("TMPDIR");
        snprintf(directory, sizeof directory, "%s/lockstep-test-XXXXXX", parent ? parent : "/tmp");
        if (!mkdtemp(directory)) {
            perror(directory);
            exit(1);
        }
    }
    char *path = paths[next++ % 4];
    snprintf(path, PATH_MAX, "%.3000s/%.500s", directory, name);
    return path;
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
    (void)info, (void)kind, (void)walk;
    return remove(path);
}

int test_run_cases(const char *suite, const struct test_case *cases)
{
    if (CU_initialize_registry() != CUE_SUCCESS)
        return 1;
    CU_pSuite registered = CU_add_suite(suite, NULL, NULL);
    for (; cases->run; cases++)
        if (!registered || !CU_add_test(registered, cases->name, cases->run))
            return 1;
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    int failed = CU_get_number_of_failures() > 0 || CU_get_number_of_asserts() == 0;
    CU_cleanup_registry();
    return failed;
}

void test_clean(void)
{
    if (directory[0])
        nftw(directory, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    directory[0] = '\0';
}

int test_run(const char *suite, const struct test_case *cases)
{
    int failed = test_run_cases(suite, cases);
    test_clean();
    return failed;
}

void test_nap(double seconds)
{
    struct timespec time = {.tv_sec = (time_t)seconds, .tv_nsec = (long)(1e9 * (seconds - (double)(time_t)seconds))};
    nanosleep(&time, NULL);
}
