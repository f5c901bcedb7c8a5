#include "data/formats.h"
#include "data/idx.h"
#include "data/text_format.h"
#include "support/test.h"

#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef __SANITIZE_ADDRESS__ /* which has a mmap of its own */
/* Cuts this file off when it has been mapped, as others could at that instant. */
static const char *cut_off;
static int mapped_before; /* files */

void *mmap(void *address, size_t count, int protection, int flags, int descriptor, off_t offset)
{
    void *place = (void *)syscall(SYS_mmap, address, count, protection, flags, descriptor, offset);
    if (cut_off && descriptor >= 0 && mapped_before-- == 0)
        CU_ASSERT_EQUAL(truncate(cut_off, 0), 0);
    return place;
}
#endif

/* More than a page of each, so that a file can lose whole ones. */
enum { COUNT = 9000, WIDTH = 8, CLASSES = 10 };

struct fixture {
    char images[PATH_MAX], labels[PATH_MAX];
    struct idx_settings settings;
    struct dataset_spec spec;
    struct dataset dataset;
    struct leaf leaf;
};

static void put(uint8_t *bytes, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        bytes[i] = (uint8_t)(value >> (24 - 8 * i));
}

static void write_file(const char *path, const uint8_t *bytes, size_t count)
{
    FILE *file = fopen(path, "wb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_EQUAL(fwrite(bytes, 1, count, file), count);
    CU_ASSERT_EQUAL(fclose(file), 0);
}

/* In place, as others would: it is the same file, and only these bytes are others. */
static void overwrite(const char *path, size_t offset, const void *bytes, size_t count)
{
    int fd = open(path, O_WRONLY);
    CU_ASSERT_EQUAL(pwrite(fd, bytes, count, (off_t)offset), (ssize_t)count);
    close(fd);
}

/* A time of its own, whatever the clock of the file system is. */
static void set_time(const char *path, time_t time)
{
    struct timespec times[2] = {{.tv_sec = time}, {.tv_sec = time}};
    CU_ASSERT_EQUAL(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void write_bytes(const char *images, const char *labels)
{
    static uint8_t bytes[12 + COUNT * WIDTH], classes[8 + COUNT];
    put(bytes, 0x00000802);
    put(bytes + 4, COUNT);
    put(bytes + 8, WIDTH);
    put(classes, 0x00000801);
    put(classes + 4, COUNT);
    for (size_t i = 0; i < COUNT * WIDTH; i++)
        bytes[12 + i] = (uint8_t)(i % 251);
    for (size_t i = 0; i < COUNT; i++)
        classes[8 + i] = (uint8_t)(i % CLASSES);
    write_file(images, bytes, sizeof bytes);
    write_file(labels, classes, sizeof classes);
}

static void write_floats(const char *images, const char *labels)
{
    static uint8_t bytes[12 + 4 * COUNT * WIDTH], targets[8 + 4 * COUNT];
    put(bytes, 0x00000D02);
    put(bytes + 4, COUNT);
    put(bytes + 8, WIDTH);
    put(targets, 0x00000D01);
    put(targets + 4, COUNT);
    for (size_t i = 0; i < COUNT * WIDTH; i++)
        put(bytes + 12 + 4 * i, 0x3F800000); /* 1 */
    for (size_t i = 0; i < COUNT; i++)
        put(targets + 8 + 4 * i, i % 2 ? 0x3F800000 : 0); /* 1 or 0 */
    write_file(images, bytes, sizeof bytes);
    write_file(labels, targets, sizeof targets);
}

static void begin(struct fixture *fixture, void (*write)(const char *images, const char *labels))
{
    struct error error;
    memset(fixture, 0, sizeof *fixture);
    snprintf(fixture->images, PATH_MAX, "%s", test_path("images"));
    snprintf(fixture->labels, PATH_MAX, "%s", test_path("labels"));
    write(fixture->images, fixture->labels);
    set_time(fixture->images, 1000000);
    set_time(fixture->labels, 1000000);
    fixture->settings = (struct idx_settings){
        .samples = {.part = {0, 1}, .std = 1}, .images = fixture->images, .labels = fixture->labels};
    fixture->spec = (struct dataset_spec){&dataset_idx, &fixture->settings};
    CU_ASSERT_FATAL(dataset_open(&fixture->dataset, &fixture->spec, NULL, &error));
    CU_ASSERT_FATAL(leaf_init(&fixture->leaf, &fixture->dataset.about.form, 2, &error));
}

static void end(struct fixture *fixture)
{
    leaf_release(&fixture->leaf);
    dataset_close(&fixture->dataset);
}

static bool reads(struct fixture *fixture, uint64_t first, uint64_t second)
{
    struct error error;
    dataset_read(&fixture->dataset, (uint64_t[]){first, second}, 2, &fixture->leaf);
    return !dataset_failed(&fixture->dataset, &error);
}

/* A look, and a second reading if it leaves something open. */
static bool is_same(struct dataset *dataset, struct error *error)
{
    return dataset_look(dataset, error) && dataset_prove(dataset, error);
}

/* The error of the reads so far. */
static void expect_failure(struct fixture *fixture, const char *path, const char *words)
{
    struct error error = {0};
    CU_ASSERT_TRUE(dataset_failed(&fixture->dataset, &error));
    CU_ASSERT_EQUAL(error.kind, ERROR_CORRUPT);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, path));
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, words));
    if (!strstr(error.text, words))
        printf("%s\n", error.text);
}

static void a_label_beyond_the_classes_is_an_error_when_it_is_read(void)
{
    struct fixture fixture;
    uint8_t label = CLASSES;
    begin(&fixture, write_bytes);
    CU_ASSERT_TRUE(reads(&fixture, 3, 19));
    CU_ASSERT(fixture.leaf.labels[0] == 3 && fixture.leaf.labels[1] == 9);
    overwrite(fixture.labels, 8 + 19, &label, 1);
    CU_ASSERT_TRUE(reads(&fixture, 3, 4));
    CU_ASSERT_FALSE(reads(&fixture, 3, 19));
    expect_failure(&fixture, fixture.labels, "sample 19, value 0 (both counted from 0) is 10");
    CU_ASSERT(fixture.leaf.labels[0] == 0 && fixture.leaf.labels[1] == 0 && fixture.leaf.rows == 2);
    CU_ASSERT_FALSE(reads(&fixture, 3, 4)); /* the first error stays */
    end(&fixture);
}

static void a_number_that_is_not_finite_is_an_error_when_it_is_read(void)
{
    struct fixture fixture;
    uint8_t nan[4] = {0x7F, 0xC0, 0, 0};
    begin(&fixture, write_floats);
    CU_ASSERT_TRUE(reads(&fixture, 5, 6));
    overwrite(fixture.images, 12 + 4 * (6 * WIDTH + 2), nan, 4);
    CU_ASSERT_FALSE(reads(&fixture, 5, 6));
    expect_failure(&fixture, fixture.images, "sample 6, value 2 (both counted from 0) is nan");
    CU_ASSERT_EQUAL(fixture.leaf.inputs[WIDTH + 2], 0.0f);
    end(&fixture);
}

static void a_target_beyond_the_range_is_an_error_when_it_is_read(void)
{
    static const uint32_t strangers[] = {0x40000000, 0xBF800000, 0x7FC00000}; /* 2, -1, NaN */
    for (size_t i = 0; i < 3; i++) {
        struct fixture fixture;
        uint8_t target[4];
        begin(&fixture, write_floats);
        put(target, strangers[i]);
        overwrite(fixture.labels, 8 + 4 * 7, target, 4);
        CU_ASSERT_FALSE(reads(&fixture, 6, 7));
        expect_failure(&fixture, fixture.labels, "sample 7, value 0");
        end(&fixture);
    }
}

static void a_file_that_has_become_shorter_is_an_error_with_its_name(void)
{
    for (int labels = 0; labels <= 1; labels++) {
        struct fixture fixture;
        struct error error;
        begin(&fixture, write_bytes);
        const char *path = labels ? fixture.labels : fixture.images;
        CU_ASSERT_EQUAL(truncate(path, 100), 0);
        CU_ASSERT_FALSE(reads(&fixture, 1, COUNT - 1));
        expect_failure(&fixture, path, "has become shorter while it was in use: 100 bytes");
        CU_ASSERT_FALSE(is_same(&fixture.dataset, &error));
        CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "has become shorter"));
        end(&fixture);
    }
}

static void a_file_that_becomes_shorter_while_it_is_opened_is_an_error(void)
{
#ifndef __SANITIZE_ADDRESS__
    struct fixture fixture;
    struct dataset again;
    struct error error = {0};
    begin(&fixture, write_bytes);
    cut_off = fixture.labels;
    mapped_before = 1; /* the images */
    CU_ASSERT_FALSE(dataset_open(&again, &fixture.spec, NULL, &error));
    cut_off = NULL;
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, fixture.labels));
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "has become shorter"));
    end(&fixture);
#endif
}

static void what_is_as_it_was_looks_so(void)
{
    struct fixture fixture;
    struct error error;
    begin(&fixture, write_bytes);
    CU_ASSERT_TRUE(is_same(&fixture.dataset, &error));
    CU_ASSERT_FALSE(dataset_is_touched(&fixture.dataset));
    CU_ASSERT_EQUAL(chmod(fixture.labels, 0400), 0);
    CU_ASSERT_TRUE(dataset_look(&fixture.dataset, &error));
    CU_ASSERT_TRUE(dataset_is_touched(&fixture.dataset));
    CU_ASSERT_FALSE(dataset_is_written(&fixture.dataset));
    CU_ASSERT_TRUE(is_same(&fixture.dataset, &error));
    end(&fixture);
}

/* Both shares of a dataset have digests of their own, and the first one looks after the files of both. */
static void a_share_is_proven_by_the_whole_file(void)
{
    struct fixture fixture;
    struct dataset taken;
    struct error error = {0};
    uint8_t label = 5;
    begin(&fixture, write_bytes);
    CU_ASSERT_TRUE_FATAL(dataset_split(&fixture.dataset, 1, 0.25, &taken, &error));
    set_time(fixture.labels, 2000000);
    CU_ASSERT_TRUE(is_same(&taken, &error));
    CU_ASSERT_TRUE(dataset_look(&fixture.dataset, &error));
    CU_ASSERT_TRUE(dataset_is_touched(&fixture.dataset) && !dataset_is_touched(&taken));
    CU_ASSERT_TRUE(is_same(&fixture.dataset, &error));
    overwrite(fixture.labels, 8 + 19, &label, 1);
    CU_ASSERT_FALSE(is_same(&fixture.dataset, &error));
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "has other content than at the start"));
    dataset_close(&taken);
    end(&fixture);
}

/* The digest is of the shape that the file has. */
static void what_is_read_in_another_shape_is_proven(void)
{
    struct fixture fixture;
    struct error error = {0};
    uint8_t label = 5;
    begin(&fixture, write_bytes);
    uint64_t digest = fixture.dataset.digest;
    dataset_read_as(&fixture.dataset, &(struct shape){2, {1, WIDTH}});
    CU_ASSERT(fixture.dataset.about.form.input.dims == 2 && fixture.dataset.digest == digest);
    set_time(fixture.labels, 2000000);
    CU_ASSERT_TRUE(is_same(&fixture.dataset, &error));
    overwrite(fixture.labels, 8 + 19, &label, 1);
    set_time(fixture.labels, 3000000);
    CU_ASSERT_FALSE(is_same(&fixture.dataset, &error));
    end(&fixture);
}

/* As rsync and cp -p do: neither size nor time of the file tell. */
static void a_change_whose_time_was_put_back_is_seen(void)
{
    struct fixture fixture;
    struct error error;
    uint8_t label = 5;
    begin(&fixture, write_bytes);
    overwrite(fixture.labels, 8 + 19, &label, 1);
    set_time(fixture.labels, 1000000);
    CU_ASSERT_FALSE(is_same(&fixture.dataset, &error));
    end(&fixture);
}

/* A look costs next to nothing; who has no time to read everything again can put that off. */
static void what_was_touched_stays_so_until_it_is_proven(void)
{
    struct fixture fixture;
    struct error error;
    uint8_t label = 5;
    begin(&fixture, write_bytes);
    set_time(fixture.labels, 2000000);
    overwrite(fixture.labels, 8 + 19, &label, 1);
    for (int i = 0; i < 2; i++) {
        CU_ASSERT_TRUE(dataset_look(&fixture.dataset, &error));
        CU_ASSERT_TRUE(dataset_is_touched(&fixture.dataset));
        CU_ASSERT_TRUE(dataset_is_written(&fixture.dataset));
    }
    CU_ASSERT_EQUAL(rename(fixture.images, test_path("away")), 0);
    CU_ASSERT_TRUE(dataset_look(&fixture.dataset, &error));
    CU_ASSERT_FALSE(dataset_prove(&fixture.dataset, &error));
    CU_ASSERT_FALSE(dataset_is_touched(&fixture.dataset));
    end(&fixture);
}

/* The time that a second reading may take is counted from these. */
static void bytes_are_counted_not_numbers(void)
{
    struct fixture fixture;
    begin(&fixture, write_bytes);
    CU_ASSERT_EQUAL(dataset_bytes(&fixture.dataset), COUNT * (WIDTH + 1));
    end(&fixture);
    begin(&fixture, write_floats);
    CU_ASSERT_EQUAL(dataset_bytes(&fixture.dataset), COUNT * (WIDTH + 1) * sizeof(float));
    end(&fixture);
}

static void a_file_that_was_written_anew_is_told_by_its_content(void)
{
    struct fixture fixture;
    struct error error;
    uint8_t label = 5;
    begin(&fixture, write_bytes);
    write_bytes(fixture.images, fixture.labels); /* the same again */
    CU_ASSERT_TRUE(is_same(&fixture.dataset, &error));
    CU_ASSERT_TRUE(is_same(&fixture.dataset, &error));
    overwrite(fixture.labels, 8 + 19, &label, 1); /* a label that could be */
    set_time(fixture.labels, 2000000);
    CU_ASSERT_TRUE(reads(&fixture, 3, 19));
    CU_ASSERT_FALSE(is_same(&fixture.dataset, &error));
    CU_ASSERT_EQUAL(error.kind, ERROR_CORRUPT);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "was changed while it was in use"));
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, fixture.labels));
    end(&fixture);
}

static void a_file_that_was_replaced_or_removed_is_read_on(void)
{
    struct fixture fixture;
    struct error error;
    begin(&fixture, write_bytes);
    write_floats(test_path("new"), test_path("unused"));
    CU_ASSERT_EQUAL(rename(test_path("new"), fixture.images), 0);
    CU_ASSERT_EQUAL(unlink(fixture.labels), 0);
    CU_ASSERT_TRUE(is_same(&fixture.dataset, &error));
    CU_ASSERT_TRUE(reads(&fixture, 3, 19));
    CU_ASSERT_EQUAL(fixture.leaf.labels[1], 9);
    CU_ASSERT_TRUE(is_same(&fixture.dataset, &error));
    end(&fixture);
}

/* What was appended is not read, but the next start would. */
static void a_file_that_grows_is_told_and_may_shrink_back(void)
{
    struct fixture fixture;
    struct error error;
    begin(&fixture, write_bytes);
    struct stat status;
    CU_ASSERT_EQUAL_FATAL(stat(fixture.images, &status), 0);
    overwrite(fixture.images, (size_t)status.st_size, "more", 4);
    CU_ASSERT_TRUE(dataset_look(&fixture.dataset, &error));
    CU_ASSERT_TRUE(fixture.dataset.files->told);
    CU_ASSERT_TRUE(dataset_prove(&fixture.dataset, &error));
    CU_ASSERT_EQUAL(truncate(fixture.images, status.st_size), 0);
    CU_ASSERT_TRUE(is_same(&fixture.dataset, &error));
    CU_ASSERT_TRUE(reads(&fixture, 3, 19));
    CU_ASSERT_EQUAL(truncate(fixture.images, status.st_size - 1), 0);
    CU_ASSERT_FALSE(dataset_look(&fixture.dataset, &error));
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "has become shorter"));
    end(&fixture);
}

/* It was read as a whole: whatever becomes of the file, this run is not touched. */
static void a_text_is_not_read_again(void)
{
    struct dataset dataset;
    struct error error;
    const char *path = test_path("text");
    write_file(path, (const uint8_t *)"it is all the same", 18);
    struct text_format_settings settings = {.path = (char *)path, .context = 4, .part = {0, 1}};
    CU_ASSERT_FATAL(dataset_open(&dataset, &(struct dataset_spec){&dataset_text, &settings}, NULL, &error));
    write_file(path, (const uint8_t *)"quite another", 13);
    CU_ASSERT_TRUE(is_same(&dataset, &error));
    CU_ASSERT_TRUE(is_same(&dataset, &error));
    dataset_close(&dataset);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"a label beyond the classes is an error when it is read",
         a_label_beyond_the_classes_is_an_error_when_it_is_read},
        {"a number that is not finite is an error when it is read",
         a_number_that_is_not_finite_is_an_error_when_it_is_read},
        {"a target beyond the range is an error when it is read",
         a_target_beyond_the_range_is_an_error_when_it_is_read},
        {"a file that has become shorter is an error with its name",
         a_file_that_has_become_shorter_is_an_error_with_its_name},
        {"a file that becomes shorter while it is opened is an error",
         a_file_that_becomes_shorter_while_it_is_opened_is_an_error},
        {"what is as it was looks so", what_is_as_it_was_looks_so},
        {"a change whose time was put back is seen", a_change_whose_time_was_put_back_is_seen},
        {"what was touched stays so until it is proven", what_was_touched_stays_so_until_it_is_proven},
        {"bytes are counted, not numbers", bytes_are_counted_not_numbers},
        {"a file that was written anew is told by its content", a_file_that_was_written_anew_is_told_by_its_content},
        {"a file that was replaced or removed is read on", a_file_that_was_replaced_or_removed_is_read_on},
        {"a file that grows is told, and may shrink back", a_file_that_grows_is_told_and_may_shrink_back},
        {"a text is not read again", a_text_is_not_read_again},
        {"what is read in another shape is proven", what_is_read_in_another_shape_is_proven},
        {"a share is proven by the whole file", a_share_is_proven_by_the_whole_file},
        {NULL, NULL},
    };
    return test_run("data/changing", cases);
}
