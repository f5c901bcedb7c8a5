/* The format of data, where nobody has said it. */
#include "data/recognise.h"
#include "support/test.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void put(const char *path, const char *bytes, size_t count)
{
    FILE *file = fopen(path, "wb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_EQUAL(fwrite(bytes, 1, count, file), count);
    CU_ASSERT_EQUAL(fclose(file), 0);
}

#define FILES 7

static const struct {
    const char *path, *bytes;
    size_t count;
} files[FILES] = {
    {"recognise.h5", "\211HDF\r\n\032\n....", 12},
    {"recognise.npz", "PK\3\4....", 8},
    {"recognise.bin", "\1\0\2\0\3\0\4\0", 8},
    {"recognise.txt", "a,b\n1,2\n", 8},
    {"recognise.csv", "a,b\n1,2\n", 8},
    {"recognise", "a,b\n1,2\n", 8},
    {"recognise.nix", "\0\1", 2},
};

static void put_all(void)
{
    for (size_t i = 0; i < FILES; i++)
        put(files[i].path, files[i].bytes, files[i].count);
}

static void remove_all(void)
{
    for (size_t i = 0; i < FILES; i++)
        unlink(files[i].path);
}

static void keys_tell_and_else_the_file(void)
{
    static const struct {
        struct option_given given;
        const char *format, *words; /* one of them */
    } cases[] = {
        {{{"x", "y"}, {"a", "b"}, 2}, "npy", NULL},
        {{{"images", "labels", "count"}, {"a", "b", "3"}, 3}, "idx", NULL},
        {{{"path", "targets"}, {"nowhere", NULL}, 2}, "csv", NULL},
        {{{"path"}, {"recognise.h5"}, 1}, "hdf5", NULL},
        {{{"path"}, {"recognise.npz"}, 1}, "npz", NULL},
        {{{"path"}, {"recognise.n?z"}, 1}, "npz", NULL},
        {{{"path", "size"}, {".", "28"}, 2}, "folder", NULL},
        {{{"path"}, {"."}, 1}, "folder", NULL},
        {{{"context", "path"}, {"8", "recognise.txt"}, 2}, "text", NULL},
        {{{"path", "context"}, {"recognise", "8"}, 2}, "text", NULL},
        {{{"path", "context"}, {"recognise.bin", "8"}, 2}, "tokens", NULL},
        {{{NULL}, {NULL}, 0}, NULL, "missing"},
        {{{"count"}, {"10"}, 1}, NULL, "missing, and no format has just these keys"},
        {{{"path", "target"}, {"recognise.csv", "b"}, 2}, NULL, "recognise.csv looks like format: csv"},
        {{{"path"}, {"nowhere.h5"}, 1}, NULL, "nowhere.h5"},
        {{{"path"}, {"recognise.bin"}, 1}, NULL, "looks like format: tokens"},
    };
    put_all();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error error = {0};
        const struct kind *kind = recognise_keys(&cases[i].given, &error);
        bool ok = cases[i].format ? kind && strcmp(kind->name, cases[i].format) == 0
                                  : !kind && strstr(error.text, cases[i].words);
        if (!ok)
            printf("    case %zu: %s\n", i, kind ? kind->name : error.text);
        CU_ASSERT_TRUE(ok);
    }
    remove_all();
}

static void a_name_decides_where_bytes_do_not(void)
{
    static const struct {
        const char *path, *format, *words;
    } cases[] = {
        {"recognise.txt", "text", NULL},
        {"recognise.csv", "csv", NULL},
        {"recognise.bin", "tokens", NULL},
        {"recognise", NULL, "recognise may be of format text or csv: say which"},
    };
    put_all();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct candidates candidates;
        struct error error = {0};
        candidates_all(&candidates);
        CU_ASSERT_TRUE(candidates_look(&candidates, cases[i].path, &error));
        CU_ASSERT_FALSE(candidates.are_sure);
        const struct dataset_class *class = candidates_one(&candidates, cases[i].path, &error);
        if (cases[i].format) {
            CU_ASSERT_PTR_NOT_NULL_FATAL(class);
            CU_ASSERT_STRING_EQUAL(class->kind.name, cases[i].format);
        } else {
            CU_ASSERT_PTR_NULL(class);
            CU_ASSERT_STRING_EQUAL(error.text, cases[i].words);
        }
    }
    remove_all();
}

static void what_cannot_be_read_is_an_error(void)
{
    struct candidates candidates;
    struct error error;
    CU_ASSERT_EQUAL_FATAL(mkfifo("recognise.pipe", 0600), 0);
    candidates_all(&candidates);
    CU_ASSERT_FALSE(candidates_look(&candidates, "recognise.pipe", &error)); /* and nobody waits for it */
    CU_ASSERT_EQUAL(error.kind, ERROR_USAGE);
    unlink("recognise.pipe");
    CU_ASSERT_FALSE(candidates_look(&candidates, "recognise.none", &error));
    CU_ASSERT_EQUAL(error.kind, ERROR_NOT_FOUND);
}

int main(void)
{
    static const struct test_case cases[] = {{"keys tell, and else the file", keys_tell_and_else_the_file},
                                             {"a name decides where bytes do not", a_name_decides_where_bytes_do_not},
                                             {"what cannot be read is an error", what_cannot_be_read_is_an_error},
                                             {NULL, NULL}};
    return test_run("data/recognise", cases);
}
