/* What gzip has made is inflated once, and others see the very bytes; or each for itself. And every format reads it. */
#include "data/formats.h"
#include "data/inflated.h"
#include "data/text_format.h"
#include "data/tokens_fixture.h"
#include "support/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

enum { COUNT = 3 << 20 };

static void pack(const char *path, const void *bytes, unsigned count)
{
    gzFile file = gzopen(path, "wb1");
    CU_ASSERT_FATAL(file && gzwrite(file, bytes, count) == (int)count);
    CU_ASSERT_FATAL(gzclose(file) == Z_OK);
}

static uint8_t *numbers(void)
{
    static uint8_t bytes[COUNT];
    for (size_t i = 0; i < COUNT; i++)
        bytes[i] = (uint8_t)(i * i >> 7);
    return bytes;
}

struct packed {
    char path[PATH_MAX];
    struct inflated_table table;
    struct stat info;
};

static void packed_init(struct packed *packed)
{
    *packed = (struct packed){.table = {0}};
    snprintf(packed->path, PATH_MAX, "%s", test_path("numbers.gz"));
    pack(packed->path, numbers(), COUNT);
    CU_ASSERT_FATAL(stat(packed->path, &packed->info) == 0);
    inflated_add(&packed->table, packed->path);
}

static void packed_release(struct packed *packed)
{
    inflated_hide(&packed->table);
    inflated_release(&packed->table);
}

/* Whether the bytes are right; and in *is_shared whether they are those of the table. */
static bool opens(const struct packed *packed, bool *is_shared)
{
    struct inflated inflated;
    struct error error;
    bool ok = inflated_open(&inflated, packed->path, &packed->info, &packed->table, &error);
    *is_shared = ok && inflated.is_shared;
    ok = ok && inflated.count == COUNT && memcmp(inflated.bytes, numbers(), COUNT) == 0 && inflated.bytes[COUNT] == 0;
    inflated_close(&inflated);
    return ok;
}

static void another_process_maps_what_one_has_inflated(void)
{
    struct packed packed;
    packed_init(&packed);
    CU_ASSERT_FATAL(packed.table.count == 1 && packed.table.files[0].count == COUNT);
    bool is_shared;
    CU_ASSERT(opens(&packed, &is_shared) && is_shared);
    int status;
    pid_t child = fork();
    if (child == 0) {
        for (int fd = 3; fd < 64; fd++)
            close(fd); /* what it inherits is not how it comes by the bytes */
        _exit(opens(&packed, &is_shared) && is_shared ? 0 : 1);
    }
    CU_ASSERT(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    inflated_add(&packed.table, packed.path);
    CU_ASSERT(packed.table.count == 1); /* once */
    CU_ASSERT(inflated_packed(packed.path) == (uint64_t)packed.info.st_size);
    packed_release(&packed);
}

static void bytes_stay_when_nobody_shows_them_any_more(void)
{
    struct packed packed;
    struct inflated inflated;
    struct error error;
    packed_init(&packed);
    CU_ASSERT_FATAL(inflated_open(&inflated, packed.path, &packed.info, &packed.table, &error) && inflated.is_shared);
    inflated_hide(&packed.table);
    CU_ASSERT(memcmp(inflated.bytes, numbers(), COUNT) == 0);
    inflated_close(&inflated);
    bool is_shared;
    CU_ASSERT(opens(&packed, &is_shared) && !is_shared); /* for itself */
    inflated_release(&packed.table);
}

static void nobody_can_write_to_them(void)
{
    struct packed packed;
    packed_init(&packed);
    int fd = packed.table.files[0].descriptor;
    CU_ASSERT(pwrite(fd, "x", 1, 0) < 0 && ftruncate(fd, 1) < 0);
    packed_release(&packed);
}

static void what_is_not_the_same_is_inflated_anew(void)
{
    struct packed packed;
    bool is_shared;
    packed_init(&packed);
    struct inflated_file *file = &packed.table.files[0], right = *file;
    file->memory_inode++; /* that number is another process's */
    CU_ASSERT(opens(&packed, &is_shared) && !is_shared);
    *file = right;
    file->process = 0x7ffffff0;
    CU_ASSERT(opens(&packed, &is_shared) && !is_shared);
    *file = right;
    packed.info.st_mtim.tv_nsec ^= 1; /* the file was written since */
    CU_ASSERT(opens(&packed, &is_shared) && !is_shared);
    packed_release(&packed);
}

static void what_cannot_be_inflated_is_left_out(void)
{
    char path[PATH_MAX];
    struct inflated_table table = {0};
    struct inflated inflated;
    struct error error;
    struct stat info;
    snprintf(path, sizeof path, "%s", test_path("cut.gz"));
    pack(path, numbers(), COUNT);
    CU_ASSERT(truncate(path, 1000) == 0 && stat(path, &info) == 0);
    inflated_add(&table, path);
    inflated_add(&table, test_path("absent.gz"));
    write_bytes(test_path("plain"), "plain", 5);
    inflated_add(&table, test_path("plain"));
    inflated_add(&table, "/dev/null");
    CU_ASSERT(table.count == 0);
    CU_ASSERT_FALSE(inflated_open(&inflated, path, &info, &table, &error));
    CU_ASSERT(error.kind == ERROR_CORRUPT && strstr(error.text, "its gzip data breaks off"));
    inflated_release(&table);
}

static void a_pattern_is_of_all_its_files(void)
{
    struct inflated_table table = {0};
    char path[PATH_MAX];
    pack(test_path("part-1.bin.gz"), "\1\0\2\0", 4);
    pack(test_path("part-2.bin.gz"), "\3\0", 2);
    snprintf(path, sizeof path, "%s", test_path("part-*.gz"));
    inflated_add(&table, path);
    CU_ASSERT(table.count == 2 && table.files[0].count == 4 && table.files[1].count == 2);
    inflated_hide(&table);
    inflated_release(&table);
}

/* ---- formats ---- */

/* Opens with a table and without. */
static struct dataset opened(const struct dataset_spec *spec, const struct inflated_table *table)
{
    struct dataset dataset;
    struct dataset_aid aid = {.inflated = table};
    struct error error;
    bool ok = dataset_open_with(&dataset, spec, NULL, &aid, &error);
    if (!ok)
        printf("%s\n", error.text);
    CU_ASSERT_FATAL(ok);
    look_release(&aid.look);
    return dataset;
}

static void expect_same(const struct dataset_spec *spec, const char *packed, uint64_t digest)
{
    struct inflated_table table = {0};
    inflated_add(&table, packed);
    CU_ASSERT(table.count == 1);
    for (int i = 0; i < 2; i++) {
        struct dataset dataset = opened(spec, i ? &table : NULL);
        CU_ASSERT(dataset.digest == digest);
        CU_ASSERT(!dataset_is_touched(&dataset));
        dataset_close(&dataset);
    }
    inflated_hide(&table);
    inflated_release(&table);
}

static void texts_are_read(void)
{
    static const char words[] = "The quick brown fox jumps over the lazy dog, and once more, as texts go on.";
    char plain[PATH_MAX], packed[PATH_MAX];
    struct text_format_settings settings = {.path = plain, .context = 8, .part = {0, 1}};
    const struct dataset_spec spec = {&dataset_text, &settings};
    snprintf(plain, sizeof plain, "%s", test_path("words.txt"));
    snprintf(packed, sizeof packed, "%s", test_path("words.txt.gz"));
    write_bytes(plain, words, sizeof words - 1);
    pack(packed, words, sizeof words - 1);
    struct dataset dataset = opened(&spec, NULL);
    uint64_t digest = dataset.digest;
    dataset_close(&dataset);
    settings.path = packed;
    expect_same(&spec, packed, digest);
}

static void tokens_are_read(void)
{
    struct tokens_fixture fixture;
    uint8_t bytes[1024 + 2 * 100];
    tokens_fixture_init(&fixture, "tokens.bin", 8);
    for (int magic = 0; magic < 2; magic++) {
        write_tokens(fixture.path, magic ? GPT2 : 0, 2, 7, 3, 100);
        struct dataset dataset = tokens_fixture_opened(&fixture, NULL);
        uint64_t digest = dataset.digest;
        size_t vocabulary = dataset.about.form.vocabulary;
        dataset_close(&dataset);
        int fd = open(fixture.path, O_RDONLY);
        ssize_t count = read(fd, bytes, sizeof bytes);
        close(fd);
        struct tokens_fixture packed;
        tokens_fixture_init(&packed, "tokens.bin.gz", 8);
        pack(packed.path, bytes, (unsigned)count);
        const struct dataset_spec spec = {&dataset_tokens, &packed.settings};
        expect_same(&spec, packed.path, digest);
        dataset = tokens_fixture_opened(&packed, NULL);
        CU_ASSERT(dataset.about.form.vocabulary == vocabulary && vocabulary == 7 + 3 * 99 + 1);
        dataset_close(&dataset);
    }
}

int main(void)
{
    static const struct test_case cases[] = {
        {"another process maps what one has inflated", another_process_maps_what_one_has_inflated},
        {"bytes stay when nobody shows them any more", bytes_stay_when_nobody_shows_them_any_more},
        {"nobody can write to them", nobody_can_write_to_them},
        {"what is not the same is inflated anew", what_is_not_the_same_is_inflated_anew},
        {"what cannot be inflated is left out", what_cannot_be_inflated_is_left_out},
        {"a pattern is of all its files", a_pattern_is_of_all_its_files},
        {"texts are read", texts_are_read},
        {"tokens are read", tokens_are_read},
        {0},
    };
    return test_run("data/inflated", cases);
}
