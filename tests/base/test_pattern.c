#include "base/pattern.h"
#include "support/test.h"

#include <limits.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void make(const char *name)
{
    FILE *file = fopen(test_path(name), "wb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_EQUAL(fclose(file), 0);
}

/* Whether the path finds exactly these names, in one text with a blank behind each. */
static bool finds(const char *path, const char *names)
{
    struct pattern pattern;
    struct error error = {0};
    char found[1000] = "", own[PATH_MAX];
    snprintf(own, sizeof own, "%s", test_path(path));
    if (!pattern_find(&pattern, own, &error)) {
        CU_ASSERT_EQUAL(error.kind, ERROR_NOT_FOUND);
        CU_ASSERT(strstr(error.text, "no file matches") && strstr(error.text, own));
        return !*names;
    }
    for (size_t i = 0; i < pattern.count; i++) {
        strcat(found, strrchr(pattern.paths[i], '/') + 1);
        strcat(found, " ");
    }
    bool ok = pattern.count > 0 && strcmp(found, names) == 0;
    if (!ok)
        printf("%s: %s\n", path, found);
    pattern_release(&pattern);
    pattern_release(&pattern);
    return ok;
}

static void names_are_found_in_the_order_of_their_bytes(void)
{
    static const char *const names[] = {"b.bin", "B.bin", "a10.bin", "a9.bin", "a_.bin", ".hidden.bin", "c.txt"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        make(names[i]);
    (void)setlocale(LC_ALL, "C.UTF-8"); /* whatever it is */
    CU_ASSERT(finds("*.bin", "B.bin a10.bin a9.bin a_.bin b.bin "));
    CU_ASSERT(finds("a?.bin", "a9.bin a_.bin "));
    CU_ASSERT(finds("[a-b].*", "b.bin "));
    CU_ASSERT(finds("{a,b}.bin", "{a,b}.bin ")); /* no braces: a name, and there is no such file */
    CU_ASSERT(finds("d*.bin", ""));
    CU_ASSERT(finds("none.bin", "none.bin ")); /* whoever opens it will say so */
}

static void a_name_that_is_there_is_no_pattern(void)
{
    make("x1");
    make("x[1]");
    make("x*");
    CU_ASSERT(finds("x[1]", "x[1] "));
    CU_ASSERT(finds("x*", "x* "));
    CU_ASSERT(finds("x?", "x* x1 "));
}

static void a_directory_that_cannot_be_read_hides_nothing(void)
{
    struct pattern pattern;
    struct error error = {0};
    char path[PATH_MAX];
    if (geteuid() == 0) /* who may read everything */
        return;
    snprintf(path, sizeof path, "%s", test_path("closed"));
    CU_ASSERT_EQUAL(mkdir(path, 0), 0);
    strcat(path, "/*.bin");
    CU_ASSERT_FALSE(pattern_find(&pattern, path, &error));
    CU_ASSERT_EQUAL(error.kind, ERROR_DENIED);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, path));
}

int main(void)
{
    static const struct test_case cases[] = {
        {"names are found in the order of their bytes", names_are_found_in_the_order_of_their_bytes},
        {"a name that is there is no pattern", a_name_that_is_there_is_no_pattern},
        {"a directory that cannot be read hides nothing", a_directory_that_cannot_be_read_hides_nothing},
        {NULL, NULL},
    };
    return test_run("base/pattern", cases);
}
