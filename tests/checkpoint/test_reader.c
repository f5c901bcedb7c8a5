/* What is damaged, cut off or of somebody else is refused, and says why. Rank 0 plays with the files; the others have
 * their part in making them. */
#include "checkpoint/file_support.h"
#include "checkpoint/reader.h"
#include "checkpoint/record_h5.h"
#include "checkpoint/seal.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void flip_bit(const char *path, long offset)
{
    unsigned char byte;
    int fd = open(path, O_RDWR);
    CU_ASSERT_EQUAL(pread(fd, &byte, 1, offset), 1);
    byte ^= 4;
    CU_ASSERT_EQUAL(pwrite(fd, &byte, 1, offset), 1);
    close(fd);
}

/* Seals a file again that was changed on purpose, so that what lies behind the seal is looked at. */
static void reseal(const char *path)
{
    struct seal_range ranges[3];
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    char array[64];
    CU_ASSERT(file >= 0);
    for (size_t a = 0; a < 3; a++) {
        snprintf(array, sizeof array, "/state/%s", names[a]);
        CU_ASSERT_TRUE(h5_place(file, array, &ranges[a].offset, &ranges[a].bytes, &error));
    }
    h5_close(file);
    CU_ASSERT_TRUE(seal_write(path, ranges, 3, &error));
}

/* Whether the file is refused for this reason. */
static bool is_refused(const char *path, enum error_kind kind, const char *reason)
{
    struct reader reader;
    bool opened = reader_open(&reader, path, &error);
    reader_close(&reader);
    return !opened && error.kind == kind && strncmp(error.text, path, strlen(path)) == 0 &&
           strstr(error.text, reason) != NULL;
}

static void a_flipped_bit_is_found_and_its_block_named(void)
{
    char path[PATH_MAX];
    struct reader reader;
    make_one("flip", path);
    if (world.rank != 0)
        return;
    flip_bit(path, offset_of(path, "/state/adamw.m", 2 * EXCHANGE_BLOCK + 9));
    CU_ASSERT_TRUE(reader_open(&reader, path, &error));
    CU_ASSERT_FALSE(reader_verify(&reader, &error));
    CU_ASSERT_EQUAL(error.kind, ERROR_CORRUPT);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "/state/adamw.m: block 2 (elements 8192 to 12287) fails its digest"));
    float values[EXCHANGE_BLOCK];
    CU_ASSERT_TRUE(reader_load(&reader, 1, EXCHANGE_BLOCK, EXCHANGE_BLOCK, values, &error)); /* others are still good */
    CU_ASSERT_FALSE(reader_load(&reader, 1, 2 * EXCHANGE_BLOCK, EXCHANGE_BLOCK, values, &error));
    CU_ASSERT_EQUAL(reader.blocks, 7); /* shared by several readers: the one that has block 2 finds it */
    CU_ASSERT_TRUE(reader_verify_part(&reader, 0, 2, &error));
    CU_ASSERT_FALSE(reader_verify_part(&reader, 2, 1, &error));
    CU_ASSERT_TRUE(reader_verify_part(&reader, 3, 4, &error));
    CU_ASSERT_TRUE(reader_verify_part(&reader, 2, 0, &error));
    reader_close(&reader);
}

static void a_flipped_digest_breaks_the_seal_and_does_not_fit_the_fingerprint(void)
{
    char path[PATH_MAX];
    make_one("digest", path);
    if (world.rank != 0)
        return;
    flip_bit(path, offset_of(path, "/digest/params", 0));
    CU_ASSERT_TRUE(is_refused(path, ERROR_CORRUPT, "fails the digest of its seal"));
    reseal(path);
    CU_ASSERT_TRUE(is_refused(path, ERROR_CORRUPT, "do not fit its fingerprint"));
}

static void a_seal_that_fits_another_file_is_refused(void)
{
    char path[PATH_MAX];
    struct reader reader;
    make_one("seal", path);
    if (world.rank != 0)
        return;
    reseal(path); /* as it was */
    CU_ASSERT_TRUE(reader_open(&reader, path, &error));
    CU_ASSERT_TRUE(reader.sealed);
    reader_close(&reader);
    struct seal_range ranges[3];
    uint64_t bytes = COUNT * sizeof(float);
    for (size_t a = 0; a < 3; a++)
        ranges[a] = (struct seal_range){(uint64_t)offset_of(path, "/state/params", 0) + a * (bytes / 3), bytes / 3};
    CU_ASSERT_TRUE(seal_write(path, ranges, 3, &error)); /* proves too much, which is no harm, but no seal of ours */
    CU_ASSERT_TRUE(is_refused(path, ERROR_CORRUPT, "its seal does not fit its arrays"));
    ranges[0] = (struct seal_range){SEAL_BYTES, 64};
    CU_ASSERT_TRUE(seal_write(path, ranges, 1, &error)); /* leaves a part unproven: that of the record */
    CU_ASSERT_TRUE(is_refused(path, ERROR_CORRUPT, "format version 5 without the image of its record"));
    ranges[0] = (struct seal_range){(uint64_t)offset_of(path, "/digest/params", 0), 16};
    CU_ASSERT_TRUE(seal_write(path, ranges, 1, &error));
    CU_ASSERT_TRUE(is_refused(path, ERROR_CORRUPT, "its seal does not fit its arrays"));
}

/* As somebody would do it who wants to keep only what is HDF5 (h5unjam). */
static void without_its_seal_a_file_is_refused(void)
{
    char path[PATH_MAX], *content;
    size_t count, block = 512;
    make_one("unsealed", path);
    if (world.rank != 0)
        return;
    CU_ASSERT_TRUE(file_read(path, &content, &count, &error));
    while (block < count && memcmp(content + block, "\211HDF", 4) != 0)
        block *= 2;
    CU_ASSERT(block < count);
    CU_ASSERT_TRUE(file_replace(path, content + block, count - block, &error));
    CU_ASSERT_TRUE(is_refused(path, ERROR_CORRUPT, "format version 5 without the image of its record"));
    free(content);
}

static void no_length_of_a_truncated_file_passes(void)
{
    char path[PATH_MAX];
    struct reader reader;
    make_one("truncated", path);
    if (world.rank != 0)
        return;
    long bytes = 0;
    char *content;
    size_t count;
    CU_ASSERT_TRUE(file_read(path, &content, &count, &error));
    bytes = (long)count;
    for (long length = bytes - 1; length > 0; length -= bytes / 13) {
        CU_ASSERT_EQUAL(truncate(path, length), 0);
        bool passes = reader_open(&reader, path, &error) && reader_verify(&reader, &error);
        CU_ASSERT_FALSE(passes);
        CU_ASSERT_EQUAL(error.kind, ERROR_CORRUPT);
        reader_close(&reader);
    }
    free(content);
}

/* Puts a number over one of the file's, and seals it again. */
static void forge(const char *path, long offset, uint64_t number)
{
    int fd = open(path, O_RDWR);
    CU_ASSERT_EQUAL(pwrite(fd, &number, sizeof number, offset), (ssize_t)sizeof number);
    close(fd);
    reseal(path);
}

#define IN_IMAGE(place) (RECORD_IMAGE_AT + (place)) /* as record_image.h has it */

static void strange_files_are_told_apart(void)
{
    char path[PATH_MAX];
    make_one("strange", path);
    if (world.rank != 0)
        return;
    const char *nothing = test_path("strange/nothing.h5"), *words = test_path("strange/words.h5");
    CU_ASSERT_FALSE(reader_open(&(struct reader){0}, nothing, &error));
    CU_ASSERT_EQUAL(error.kind, ERROR_NOT_FOUND);
    CU_ASSERT_TRUE(file_replace(words, "hello", 5, &error));
    CU_ASSERT_TRUE(is_refused(words, ERROR_CORRUPT, "not a lockstep checkpoint"));

    forge(path, IN_IMAGE(24), 3);
    CU_ASSERT_TRUE(is_refused(path, ERROR_CORRUPT, "format version 3"));
    forge(path, IN_IMAGE(24), 999);
    CU_ASSERT_TRUE(is_refused(path, ERROR_VERSION, "format version 999"));
    forge(path, IN_IMAGE(24), RECORD_VERSION);
    forge(path, IN_IMAGE(32), 0);
    CU_ASSERT_TRUE(is_refused(path, ERROR_CORRUPT, "no commit record"));
    forge(path, IN_IMAGE(32), 1);
    forge(path, IN_IMAGE(48), 0); /* the step */
    CU_ASSERT_TRUE(is_refused(path, ERROR_CORRUPT, "'sampler_step' of its record is beyond"));
    forge(path, IN_IMAGE(48), 91);
    CU_ASSERT_TRUE(is_refused(path, ERROR_CORRUPT, "do not fit its fingerprint"));
    forge(path, IN_IMAGE(48), 90);
    forge(path, IN_IMAGE(16), UINT64_MAX);
    CU_ASSERT_TRUE(is_refused(path, ERROR_CORRUPT, "as long as it says"));
}

/* Where a number stands in the image of the record; -1: nowhere, or twice. */
static long place_of(const char *path, uint64_t number)
{
    char *content;
    size_t count;
    long place = -1;
    CU_ASSERT_TRUE(file_read(path, &content, &count, &error));
    for (size_t at = RECORD_IMAGE_AT; at + 8 <= count && at < 65536; at += 8)
        if (memcmp(content + at, &number, sizeof number) == 0)
            place = place < 0 ? (long)at : -1;
    free(content);
    return place;
}

/* Nobody has stored them, so that they are no measure of what is to be read. */
static void digests_in_a_hole_are_refused(void)
{
    char path[PATH_MAX];
    struct stat info;
    make_one("hole", path);
    if (world.rank != 0)
        return;
    CU_ASSERT_EQUAL(stat(path, &info), 0);
    uint64_t hole = ((uint64_t)info.st_size + 65535) / 65536 * 65536;
    CU_ASSERT_EQUAL(truncate(path, (off_t)hole + 65536), 0);
    forge(path, place_of(path, (uint64_t)offset_of(path, "/digest/params", 0)), hole);
    int fd = open(path, O_RDONLY);
    bool is_known = file_stored_between(fd, hole, hole + 4096) == 0;
    close(fd);
    CU_ASSERT_TRUE(is_refused(path, ERROR_CORRUPT,
                              is_known ? "it has a hole where its digests should be" : "do not fit its fingerprint"));
}

/* A list of all views would take a multiple of what the file has. */
static void more_tensors_than_there_can_be_views_are_refused(void)
{
    enum { MANY = 100000 };
    char path[PATH_MAX], *image, *bytes;
    struct reader reader;
    size_t length;
    make_one("many", path);
    if (world.rank != 0 || !reader_open(&reader, path, &error))
        return;
    char(*words)[16] = memory_need(MANY, sizeof *words);
    struct state_tensor *many = memory_need(MANY, sizeof *many);
    for (size_t t = 0; t < MANY; t++) {
        snprintf(words[t], sizeof words[t], "%zu", t);
        many[t] = (struct state_tensor){.name = words[t], .dims = 1, .shape = {1}, .offset = t};
    }
    struct record_layout layout = {.count = MANY, .array_count = 3, .tensors = many, .tensor_count = MANY};
    struct seal_range ranges[3];
    size_t floats = (size_t)8 << 20, each = MANY * sizeof(float) + 4096;
    for (size_t a = 0; a < 3; a++) {
        ranges[a] = (struct seal_range){floats + a * each, MANY * sizeof(float)};
        layout.arrays[a] = (struct record_array){names[a], ranges[a].offset, floats + 3 * each + a * 4096};
    }
    record_image_make(&reader.record, true, &layout, &image, &length);
    CU_ASSERT(RECORD_IMAGE_AT + length < floats);
    size_t count = floats + 3 * each + 3 * 4096;
    bytes = memory_need(count, 1);
    memset(bytes, 'x', count);
    memcpy(bytes + RECORD_IMAGE_AT, image, length);
    CU_ASSERT_TRUE(file_replace(path, bytes, count, &error));
    CU_ASSERT_TRUE(seal_write(path, ranges, 3, &error));
    CU_ASSERT_TRUE(is_refused(path, ERROR_CORRUPT, "more tensors than the file has room for"));
    memory_free(bytes);
    memory_free(image);
    memory_free(many);
    memory_free(words);
    reader_close(&reader);
}

/* Somebody has put it there in the place of the file that is being written. */
static void no_commit_goes_through_a_link(void)
{
    char path[PATH_MAX], link[PATH_MAX + 8], *before, *after;
    size_t count, still;
    make_one("link", path);
    if (world.rank != 0)
        return;
    snprintf(link, sizeof link, "%s.link", path);
    CU_ASSERT_EQUAL(symlink(path, link), 0);
    CU_ASSERT_TRUE(file_read(path, &before, &count, &error));
    CU_ASSERT_FALSE(record_h5_finish(link, 1, &error));
    CU_ASSERT_EQUAL(error.kind, ERROR_USAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "is a symbolic link"));
    CU_ASSERT_TRUE(file_read(path, &after, &still, &error));
    CU_ASSERT_TRUE(still == count && memcmp(before, after, count) == 0);
    free(before);
    free(after);
}

/* Changes what HDF5 has of it, and not the record, and seals it again. */
static bool is_proven(const char *path, void (*change)(hid_t file), const char *reason)
{
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    struct reader reader;
    CU_ASSERT(file >= 0);
    change(file);
    h5_close(file);
    reseal(path);
    bool opened = reader_open(&reader, path, &error) && reader_verify(&reader, &error);
    CU_ASSERT_TRUE(opened); /* what lockstep reads is what it was */
    bool proven = opened && reader_prove_views(&reader, &error);
    reader_close(&reader);
    return proven ? reason == NULL : reason && error.kind == ERROR_CORRUPT && strstr(error.text, reason) != NULL;
}

static void change_nothing(hid_t file)
{
    (void)file;
}

static void change_step(hid_t file)
{
    H5Adelete(file, "step");
    CU_ASSERT_TRUE(h5_put_number(file, "step", 4, &error));
}

static void add_attribute(hid_t file)
{
    CU_ASSERT_TRUE(h5_put_number(file, "step", 90, &error) || h5_put_number(file, "steps", 3, &error));
}

static void restore_step(hid_t file)
{
    H5Adelete(file, "steps");
    H5Adelete(file, "step");
    CU_ASSERT_TRUE(h5_put_number(file, "step", 90, &error));
}

static void swap_views(hid_t file)
{
    H5Lmove(file, "/model/0.dense.bias", file, "/b", H5P_DEFAULT, H5P_DEFAULT);
    H5Lmove(file, "/optimizer/adamw.m/0.dense.bias", file, "/model/0.dense.bias", H5P_DEFAULT, H5P_DEFAULT);
    H5Lmove(file, "/b", file, "/optimizer/adamw.m/0.dense.bias", H5P_DEFAULT, H5P_DEFAULT);
}

static void drop_view(hid_t file)
{
    swap_views(file);
    H5Ldelete(file, "/model/0.dense.weight", H5P_DEFAULT);
}

static void what_others_find_is_proven_apart(void)
{
    char path[PATH_MAX];
    make_one("views", path);
    if (world.rank != 0)
        return;
    CU_ASSERT_TRUE(is_proven(path, change_nothing, NULL));
    CU_ASSERT_TRUE(is_proven(path, change_step, "attribute 'step' is not what its record says"));
    CU_ASSERT_TRUE(is_proven(path, add_attribute, "attribute 'step'"));
    CU_ASSERT_TRUE(is_proven(path, restore_step, NULL));
    CU_ASSERT_TRUE(is_proven(path, swap_views, "/model/0.dense.bias is not the view of its part of /state/params"));
    CU_ASSERT_TRUE(is_proven(path, drop_view, "/model holds 1 objects, not 2"));
}

int main(int argc, char **argv)
{
    const struct test_case cases[] = {
        {"a world opens", opening},
        {"a flipped bit is found and its block named", a_flipped_bit_is_found_and_its_block_named},
        {"a flipped digest breaks the seal, and does not fit the fingerprint",
         a_flipped_digest_breaks_the_seal_and_does_not_fit_the_fingerprint},
        {"a seal that fits another file is refused", a_seal_that_fits_another_file_is_refused},
        {"without its seal a file is refused", without_its_seal_a_file_is_refused},
        {"no length of a truncated file passes", no_length_of_a_truncated_file_passes},
        {"strange files are told apart", strange_files_are_told_apart},
        {"digests in a hole are refused", digests_in_a_hole_are_refused},
        {"more tensors than there can be views are refused", more_tensors_than_there_can_be_views_are_refused},
        {"no commit goes through a link", no_commit_goes_through_a_link},
        {"what other programs find is proven apart", what_others_find_is_proven_apart},
        {"a world closes", closing},
        {0},
    };
    return test_mpi_run(&argc, &argv, "checkpoint/reader", cases);
}
