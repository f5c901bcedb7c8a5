/* The format of data, where nobody has said it. */
#include "data/csv_settings.h"
#include "data/folder.h"
#include "data/hdf5.h"
#include "data/idx.h"
#include "data/npy.h"
#include "data/npz.h"
#include "data/recognise.h"
#include "data/text_format.h"
#include "data/tokens.h"
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

#define FILES 13

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
    {"recognise.tok", "\1\0\2\0\3\0\4\0", 8},
    {"recognise.dat", "\1\0\2\0\3\0\4\0", 8},
    {"recognise.lat", "caf\351 au lait et th\351\n", 20},
    {"recognise.tab", "ville,prix\nNi\350vre,3\n", 20},
    {"recognise.nc", "CDF\2\0\0\0\0....", 12},
    {"recognise.not", "", 0},
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
        {{{"path", "context"}, {"recognise.tok", "8"}, 2}, "tokens", NULL},
        {{{"path", "context"}, {"recognise.dat", "8"}, 2},
         NULL,
         "known by its content: if it holds tokens: format: tokens"},
        {{{"path", "context"}, {"recognise.lat", "8"}, 2}, NULL, "it is a text, but not in UTF-8: iconv"},
        {{{"path", "context"}, {"recognise.nc", "8"}, 2}, NULL, "it is a NetCDF-3 file: nccopy"},
        {{{"path", "context", "type"}, {"recognise.dat", "8", "uint32"}, 3}, "tokens", NULL}, /* no other has these */
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
        {"recognise.tok", "tokens", NULL},
        {"recognise.dat", NULL,
         "recognise.dat is of no format that is known by its content: if it holds tokens: format: tokens"},
        {"recognise.lat", NULL,
         "recognise.lat is of no format that is known by its content: it is a text, but not in UTF-8: iconv -f LATIN1 "
         "-t UTF-8 OLD >NEW, if it is Latin-1"},
        {"recognise.tab", NULL,
         "recognise.tab is of no format that is known by its content: it is a text, but not in UTF-8: iconv -f LATIN1 "
         "-t UTF-8 OLD >NEW, if it is Latin-1"},
        {"recognise.nc", NULL,
         "recognise.nc is of no format that is known by its content: it is a NetCDF-3 file: nccopy -k nc4 OLD NEW "
         "makes NetCDF-4 of it"},
        {"recognise.not", NULL, "recognise.not is of no format that is known by its content: it is empty"},
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

/* How each format is told to read a file. */
static bool opens(const struct dataset_class *class, char *path, struct error *error)
{
    char target[] = "b", *targets[] = {target}, x[] = "x", y[] = "y", other[] = "kinds.idx", comma[] = ",";
    const struct array_settings samples = {.part = {0, 1}, .std = 1, .ignore_label = ARRAY_IGNORES_NONE};
    const struct npy_settings npy = {samples, path, other};
    const struct npz_settings npz = {samples, path, x, y};
    const struct hdf5_settings hdf5 = {samples, path, x, y};
    const struct idx_settings idx = {.samples = samples, .images = path, .labels = other};
    const struct csv_settings csv = {.path = path,
                                     .targets = targets,
                                     .target_count = 1,
                                     .header = true,
                                     .separator = comma,
                                     .missing = CSV_NONE,
                                     .part = {0, 1}};
    const struct folder_settings folder = {.path = path, .size = 8, .channels = 1, .part = {0, 1}, .std = 1};
    const struct tokens_settings tokens = {.path = path, .context = 2, .part = {0, 1}, .type = TOKEN_AUTO};
    const struct text_format_settings text = {.path = path, .context = 2, .part = {0, 1}};
    const struct {
        const char *name;
        const void *settings;
    } all[] = {{"npy", &npy}, {"npz", &npz},       {"hdf5", &hdf5},     {"idx", &idx},
               {"csv", &csv}, {"folder", &folder}, {"tokens", &tokens}, {"text", &text}};
    struct dataset dataset;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (strcmp(class->kind.name, all[i].name) == 0) {
            const struct dataset_spec spec = {.class = class, .settings = (void *)(uintptr_t)all[i].settings};
            bool ok = dataset_open(&dataset, &spec, NULL, error);
            dataset_close(&dataset);
            return ok;
        }
    CU_FAIL("a format that nobody tries here");
    return true;
}

#define IDX_OF_BYTES "\0\0\010\2\0\0\0\1\0\0\0\3abc"

static void each_format_says_what_a_file_of_another_is(void)
{
    static const struct {
        const char *path, *bytes; /* NULL: a directory */
        size_t count;
        const char *formats, *words; /* formats that may take it; what the others say */
    } kinds[] = {
        {"kinds.npy", "\223NUMPY\1\0v.", 10, "npy", "NumPy file"},
        {"kinds.npz", "PK\3\4\24\0..", 8, "npz", "format: npz"},
        {"kinds.h5", "\211HDF\r\n\032\n....", 12, "hdf5", "HDF5 file"},
        {"kinds.idx", IDX_OF_BYTES, sizeof IDX_OF_BYTES - 1, "idx", "format: idx"},
        {"kinds.i32", "\0\0\014\1\0\0\0\1\0\0\0\7", 12, "idx", "format: idx"},
        {"kinds.csv", "a,b,c\n1,2,3\n4,5,6\n1,2,3\n4,5,6\n1,2,3\n4,5,6\n1,2,3\n4,5,6\n1,2,3\n4,5,6\n1,2,3\n4,5,6\n", 78,
         "csv text", "format: csv"},
        {"kinds.txt",
         "Whoever would say what all this is about and who could read it\nhas to look at the whole of it.\n", 95,
         "text", "format: text"},
        {"kinds.bin", "\1\0\2\0\3\0\4\0", 8, "tokens", "format: tokens"},
        {"kinds.llm", "\210\330\064\1\1\0\0\0", 8, "tokens", "format: tokens"},
        {"kinds.png", "\211PNG\r\n\032\n", 8, "", "image"},
        {"kinds.jpg", "\377\330\377\340\0\20JF", 8, "", "image"},
        {"kinds", NULL, 0, "folder", "format: folder"},
    };
    struct candidates all;
    candidates_all(&all);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        char path[16];
        snprintf(path, sizeof path, "%s", kinds[i].path);
        if (kinds[i].bytes)
            put(path, kinds[i].bytes, kinds[i].count);
        else
            CU_ASSERT_EQUAL(mkdir(path, 0700), 0);
        for (size_t c = 0; c < all.count; c++) {
            const char *name = all.classes[c]->kind.name;
            struct error error = {0};
            if (strstr(kinds[i].formats, name))
                continue;
            bool told = !opens(all.classes[c], path, &error) && strstr(error.text, kinds[i].words) &&
                        strstr(error.text, path);
            if (!told)
                printf("    %s as %s: %s\n", path, name, error.text);
            CU_ASSERT_TRUE(told);
        }
        remove(path);
    }
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
    static const struct test_case cases[] = {
        {"keys tell, and else the file", keys_tell_and_else_the_file},
        {"a name decides where bytes do not", a_name_decides_where_bytes_do_not},
        {"each format says what a file of another is", each_format_says_what_a_file_of_another_is},
        {"what cannot be read is an error", what_cannot_be_read_is_an_error},
        {NULL, NULL}};
    return test_run("data/recognise", cases);
}
