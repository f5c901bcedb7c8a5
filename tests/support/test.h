/* CUnit in one call. A test program is a table of cases and `return test_run("layer/module", cases);`. */
#ifndef SUPPORT_TEST_H
#define SUPPORT_TEST_H

#include <CUnit/CUnit.h>

struct test_case {
    const char *name; /* a sentence */
    void (*run)(void);
};

/* Runs the cases up to the one with run == NULL. Returns the exit code: 0 if every assertion held and at least one was
 * made, else 1. Every failed assertion is printed with file and line. */
int test_run(const char *suite, const struct test_case *cases);

/* The two halves of test_run: the cases, and the removal of the temporary directory. */
int test_run_cases(const char *suite, const struct test_case *cases);
void test_clean(void);

/* A path inside this test's private temporary directory (made at first use, removed at the end of test_run).
 * The result is valid until the fourth next call. */
const char *test_path(const char *name);

/* Sleeps. */
void test_nap(double seconds);

#endif
