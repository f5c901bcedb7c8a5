/* Files that have a hidden name until they are whole: no two commands meet there. */
#include "base/file.h"
#include "base/hidden_file.h"
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool holds(const char *path, const char *words)
{
    struct error error = {0};
    char *bytes = NULL;
    size_t count = 0;
    bool same = file_read(path, &bytes, &count, &error) && count == strlen(words) && memcmp(bytes, words, count) == 0;
    free(bytes);
    return same;
}

static bool make(struct hidden_file *file, const char *path, const char *words, uint64_t *token)
{
    struct error error = {0};
    return hidden_file_make(file, path, token, &error) && file_write_at(file->descriptor, words, strlen(words), 0);
}

static void two_at_once_do_not_meet(void)
{
    struct error error = {0};
    struct hidden_file one, two, killed;
    uint64_t token[3];
    char path[4096];
    snprintf(path, sizeof path, "%s", test_path("out"));
    CU_ASSERT_TRUE(make(&one, path, "one", &token[0]) && make(&two, path, "two", &token[1]));
    CU_ASSERT_TRUE(make(&killed, path, "ki", &token[2]));
    CU_ASSERT_TRUE(hidden_file_publish(&one, path, &error));
    CU_ASSERT_TRUE(holds(path, "one"));
    CU_ASSERT_TRUE(hidden_file_publish(&two, path, &error));
    CU_ASSERT_TRUE(holds(path, "two"));
    CU_ASSERT_TRUE(holds(killed.path, "ki"));
    hidden_file_release(&one, true);
    hidden_file_release(&two, true);
    CU_ASSERT_TRUE(holds(path, "two"));
    snprintf(path, sizeof path, "%s", killed.path);
    hidden_file_release(&killed, true);
    CU_ASSERT_NOT_EQUAL(access(path, F_OK), 0);
}

static void another_file_under_the_hidden_name_is_neither_published_nor_removed(void)
{
    struct error error = {0};
    struct hidden_file file;
    uint64_t token;
    char path[4096], hidden[4096];
    snprintf(path, sizeof path, "%s", test_path("mine"));
    CU_ASSERT_TRUE(make(&file, path, "mine", &token));
    snprintf(hidden, sizeof hidden, "%s", file.path);
    CU_ASSERT_EQUAL(unlink(hidden), 0);
    CU_ASSERT_TRUE(file_replace(hidden, "theirs", 6, &error));
    CU_ASSERT_FALSE(hidden_file_publish(&file, path, &error));
    CU_ASSERT_EQUAL(error.kind, ERROR_IO);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "is not there any more: who has removed it?"));
    hidden_file_release(&file, true);
    CU_ASSERT_TRUE(holds(hidden, "theirs"));
    CU_ASSERT_NOT_EQUAL(access(path, F_OK), 0);
}

static void who_joins_has_the_same_file(void)
{
    struct error error = {0};
    struct hidden_file file, joined;
    uint64_t token;
    char path[4096];
    snprintf(path, sizeof path, "%s", test_path("joint"));
    CU_ASSERT_TRUE(make(&file, path, "ab", &token));
    CU_ASSERT_FALSE(hidden_file_join(&joined, path, token, hidden_file_number(&file) + 1, &error));
    CU_ASSERT_FALSE(hidden_file_join(&joined, path, token + 1, hidden_file_number(&file), &error));
    CU_ASSERT_TRUE(hidden_file_join(&joined, path, token, hidden_file_number(&file), &error));
    CU_ASSERT_TRUE(file_write_at(joined.descriptor, "c", 1, 2) && hidden_file_sync(&joined, path, &error));
    hidden_file_release(&joined, false);
    CU_ASSERT_TRUE(hidden_file_publish(&file, path, &error));
    CU_ASSERT_TRUE(holds(path, "abc"));
}

static void the_longest_name_has_a_hidden_one(void)
{
    struct error error = {0};
    struct hidden_file file;
    uint64_t token;
    char name[256], path[4096];
    memset(name, 'n', 255);
    name[255] = '\0';
    snprintf(path, sizeof path, "%s", test_path(name));
    CU_ASSERT_TRUE(make(&file, path, "x", &token) && hidden_file_publish(&file, path, &error));
    CU_ASSERT_TRUE(holds(path, "x"));
    snprintf(path, sizeof path, "%s", test_path("away/x"));
    CU_ASSERT_FALSE(hidden_file_make(&file, path, &token, &error));
    snprintf(path, sizeof path, "%s/", test_path("x"));
    CU_ASSERT_FALSE(hidden_file_make(&file, path, &token, &error));
    CU_ASSERT_EQUAL(error.kind, ERROR_USAGE);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"two at once do not meet", two_at_once_do_not_meet},
        {"another file under the hidden name is neither published nor removed",
         another_file_under_the_hidden_name_is_neither_published_nor_removed},
        {"who joins has the same file", who_joins_has_the_same_file},
        {"the longest name has a hidden one", the_longest_name_has_a_hidden_one},
        {NULL, NULL},
    };
    return test_run("base/hidden_file", cases);
}
