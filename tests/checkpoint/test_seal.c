/* The seal of small files that hold nothing but bytes: what it covers, and what it says. */
#include "checkpoint/seal.h"

#include "base/digest.h"
#include "base/file.h"
#include "checkpoint/record.h"
#include "h5/h5.h"
#include "support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define COUNT 1600

static struct error error;
static const struct seal_range ranges[] = {{1300, 290}, {600, 100}, {700, 50}}; /* in any order; two of them touch */

/* A file of random bytes behind 512 zeros, and its seal; `bytes` are those of the sealed file. */
static const char *make_file(unsigned char bytes[COUNT])
{
    const char *path = test_path("sealed");
    for (size_t i = 0; i < COUNT; i++)
        bytes[i] = i < SEAL_BYTES ? 0 : (unsigned char)(i * 131 + (i >> 8));
    char *content;
    size_t count = 0;
    CU_ASSERT_TRUE(file_replace(path, bytes, COUNT, &error));
    CU_ASSERT_TRUE(seal_write(path, ranges, 3, &error));
    CU_ASSERT_TRUE(file_read(path, &content, &count, &error));
    CU_ASSERT_EQUAL(count, COUNT);
    CU_ASSERT_EQUAL(memcmp(content + SEAL_BYTES, bytes + SEAL_BYTES, COUNT - SEAL_BYTES), 0);
    memcpy(bytes, content, COUNT);
    free(content);
    return path;
}

static bool takes_nothing; /* the disk, of what is to be written at a place */

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t offset)
{
    return takes_nothing ? 0 : syscall(SYS_pwrite64, fd, bytes, count, offset);
}

static void put(const char *path, const void *bytes, size_t count)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    CU_ASSERT_EQUAL(write(fd, bytes, count), (ssize_t)count);
    close(fd);
}

static bool prove(const char *path, struct seal *seal)
{
    int fd;
    bool ok = seal_open(path, seal, &fd, &error);
    CU_ASSERT_EQUAL(ok, fd >= 0);
    if (ok)
        close(fd);
    return ok;
}

static bool is_proven(const char *path)
{
    struct seal seal;
    return prove(path, &seal);
}

/* Whether the check says that the file is not what it should be, and this about it, behind its path. */
static bool is_refused(const char *path, const char *words)
{
    return !is_proven(path) && error.kind == ERROR_CORRUPT && strncmp(error.text, path, strlen(path)) == 0 &&
           strstr(error.text, words) != NULL;
}

static void a_sealed_file_is_proven_and_its_ranges_known(void)
{
    unsigned char bytes[COUNT];
    struct seal seal;
    const char *path = make_file(bytes);
    CU_ASSERT_TRUE(prove(path, &seal));
    CU_ASSERT_EQUAL(seal.count, 3);
    CU_ASSERT_EQUAL(seal.ranges[0].offset, 600);
    CU_ASSERT_EQUAL(seal.ranges[1].offset, 700);
    CU_ASSERT_EQUAL(seal.ranges[1].bytes, 50);
    CU_ASSERT_EQUAL(seal.ranges[2].offset, 1300);
    CU_ASSERT_EQUAL(seal.ranges[2].bytes, 290);
    CU_ASSERT_TRUE(seal_write(path, ranges, 3, &error)); /* again: the same bytes */
    char *again;
    size_t count;
    CU_ASSERT_TRUE(file_read(path, &again, &count, &error));
    CU_ASSERT_EQUAL(memcmp(again, bytes, COUNT), 0);
    free(again);
}

static uint64_t number_at(const unsigned char *bytes, size_t place)
{
    uint64_t number = 0;
    for (size_t i = 8; i-- > 0;)
        number = number << 8 | bytes[place + i];
    return number;
}

/* This layout is in files on users' disks. */
static void the_seal_lies_in_the_file_as_its_contract_says(void)
{
    unsigned char bytes[COUNT], outside[COUNT];
    make_file(bytes);
    CU_ASSERT_EQUAL(memcmp(bytes, "lockstep seal 1\nA checkpoint of lockstep.", 41), 0);
    CU_ASSERT_EQUAL(number_at(bytes, 128), COUNT);
    CU_ASSERT_EQUAL(number_at(bytes, 136), 3);
    CU_ASSERT_EQUAL(number_at(bytes, 144), 600);
    CU_ASSERT_EQUAL(number_at(bytes, 152), 100);
    CU_ASSERT_EQUAL(number_at(bytes, 144 + 2 * 16), 1300);
    uint64_t digest = number_at(bytes, 504);
    memset(bytes + 504, 0, 8);
    size_t count = 0;
    for (size_t i = 0; i < COUNT; i++)
        if (i < 600 || (i >= 750 && i < 1300) || i >= 1590)
            outside[count++] = bytes[i];
    CU_ASSERT_EQUAL(digest, digest_bytes(outside, count));
    CU_ASSERT_EQUAL(digest, 0x161aab889f58a99cu);
}

static void every_flipped_bit_outside_the_ranges_is_found(void)
{
    unsigned char bytes[COUNT];
    const char *path = make_file(bytes);
    int fd = open(path, O_WRONLY);
    for (size_t place = 0; place < COUNT; place++) {
        bool inside = (place >= 600 && place < 750) || (place >= 1300 && place < 1590);
        size_t wrong = 0;
        for (unsigned bit = 0; bit < 8; bit++) {
            unsigned char flipped = (unsigned char)(bytes[place] ^ 1u << bit);
            wrong += pwrite(fd, &flipped, 1, (off_t)place) != 1;
            wrong += inside ? !is_proven(path) : !is_refused(path, "");
        }
        CU_ASSERT_EQUAL(wrong, 0);
        CU_ASSERT_EQUAL(pwrite(fd, &bytes[place], 1, (off_t)place), 1);
    }
    close(fd);
    CU_ASSERT_TRUE(is_proven(path));
}

static void every_other_length_is_found(void)
{
    unsigned char bytes[COUNT + 700] = {0};
    const char *path = make_file(bytes);
    for (size_t length = 0; length < sizeof bytes; length++) {
        put(path, bytes, length);
        if (length < 16)
            CU_ASSERT_TRUE(is_refused(path, "not a lockstep checkpoint"));
        if (length >= 16 && length < COUNT)
            CU_ASSERT_TRUE(is_refused(path, "truncated"));
        if (length > COUNT)
            CU_ASSERT_TRUE(is_refused(path, "too long: it was sealed with 1600 bytes and has "));
    }
}

/* Writes the file with one number of its seal changed, and the digest that a seal without ranges would have. */
static const char *forge(unsigned char bytes[COUNT], size_t place, uint64_t value)
{
    const char *path = test_path("forged");
    for (size_t i = 0; i < 8; i++)
        bytes[place + i] = (unsigned char)(value >> 8 * i);
    memset(bytes + 504, 0, 8);
    uint64_t digest = digest_bytes(bytes, COUNT);
    for (size_t i = 0; i < 8; i++)
        bytes[504 + i] = (unsigned char)(digest >> 8 * i);
    put(path, bytes, COUNT);
    return path;
}

static void ranges_that_cannot_be_are_refused(void)
{
    unsigned char bytes[COUNT];
    static const struct {
        size_t place;
        uint64_t value;
    } changes[] = {
        {136, 0},               /* no range: the digest is right */
        {136, 17},              /* more than there is room for */
        {136, UINT64_MAX},      /* */
        {144, 511},             /* begins in the seal */
        {144, UINT64_MAX - 10}, /* ends beyond the largest number */
        {152, 101},             /* overlaps the second */
        {152, UINT64_MAX},      /* */
        {144 + 32, 1311},       /* the last ends beyond the file */
    };
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        make_file(bytes);
        CU_ASSERT_TRUE(is_refused(forge(bytes, changes[i].place, changes[i].value), "its seal is damaged"));
    }
    make_file(bytes);
    const struct seal_range wrong = {400, 300};
    CU_ASSERT_FALSE(seal_write(test_path("sealed"), &wrong, 1, &error));
    CU_ASSERT_FALSE(seal_write(test_path("absent"), ranges, 3, &error));
    CU_ASSERT_EQUAL(error.kind, ERROR_NOT_FOUND);
}

/* The first 512 bytes of a file of 4 TB, of which no disk has more. */
static void a_hole_outside_the_ranges_is_refused_and_not_read(void)
{
    unsigned char bytes[COUNT] = {0};
    make_file(bytes);
    const char *path = forge(bytes, 128, (uint64_t)4 << 40);
    if (truncate(path, (off_t)4 << 40)) {
        printf("(skipped: no file of 4 TB can be made) ");
        return;
    }
    alarm(20);
    CU_ASSERT_TRUE(is_refused(path, "its seal is damaged"));
    alarm(0);
    CU_ASSERT_EQUAL(truncate(path, 0), 0);
}

static void other_files_are_told_apart(void)
{
    struct seal seal = {.count = 5};
    const char *path = test_path("other");
    put(path, "\211HDF\r\n\032\nand so on", 17);
    CU_ASSERT_TRUE(prove(path, &seal)); /* for HDF5 to say what it is */
    CU_ASSERT_EQUAL(seal.count, 0);
    put(path, "\211HDF\n\032\nand so on", 16);
    CU_ASSERT_TRUE(is_refused(path, "neither a seal nor HDF5's signature"));
    put(path, "", 0);
    CU_ASSERT_TRUE(is_refused(path, "not a lockstep checkpoint"));
    const char *pipe = test_path("pipe"), *absent = test_path("absent");
    CU_ASSERT_EQUAL(mkfifo(pipe, 0600), 0);
    CU_ASSERT_TRUE(is_refused(pipe, "not a file")); /* and does not wait for one who writes into it */
    CU_ASSERT_TRUE(is_refused("/", "not a file, but a directory"));
    CU_ASSERT_FALSE(is_proven(absent));
    CU_ASSERT_EQUAL(error.kind, ERROR_NOT_FOUND);
}

static void a_seal_that_the_disk_does_not_take_is_an_input_output_error(void)
{
    unsigned char bytes[COUNT];
    const char *path = make_file(bytes);
    takes_nothing = true;
    errno = ENOENT; /* of some call before */
    CU_ASSERT_FALSE(seal_write(path, ranges, 3, &error));
    CU_ASSERT_EQUAL(error.kind, ERROR_IO);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, strerror(EIO)));
    takes_nothing = false;
}

/* An HDF5 file with this attribute, as the versions 1 and 2 were. */
static const char *make_hdf5(const char *format)
{
    const char *path = test_path("old.h5");
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    CU_ASSERT_TRUE(!format || h5_put_text(file, "format", format, &error));
    h5_close(file);
    return path;
}

static void our_files_are_known(void)
{
    unsigned char bytes[COUNT];
    const char *path = make_file(bytes);
    h5_init();
    CU_ASSERT_TRUE(seal_is_ours(path));
    put(path, bytes, 100); /* damaged, but ours */
    CU_ASSERT_TRUE(seal_is_ours(path));
    put(path, "lockstep seal", 13);
    CU_ASSERT_FALSE(seal_is_ours(path));
    put(path, "step 1", 6);
    CU_ASSERT_FALSE(seal_is_ours(path));
    CU_ASSERT_FALSE(seal_is_ours(test_path("absent")));
    CU_ASSERT_TRUE(seal_is_ours(make_hdf5(RECORD_FORMAT)));
    CU_ASSERT_FALSE(seal_is_ours(make_hdf5("another program's")));
    CU_ASSERT_FALSE(seal_is_ours(make_hdf5(NULL)));
    h5_release();
}

int main(void)
{
    static const struct test_case cases[] = {
        {"a sealed file is proven, and its ranges are known", a_sealed_file_is_proven_and_its_ranges_known},
        {"the seal lies in the file as its contract says", the_seal_lies_in_the_file_as_its_contract_says},
        {"every flipped bit outside the ranges is found", every_flipped_bit_outside_the_ranges_is_found},
        {"every other length is found", every_other_length_is_found},
        {"ranges that cannot be are refused", ranges_that_cannot_be_are_refused},
        {"a hole outside the ranges is refused, and not read", a_hole_outside_the_ranges_is_refused_and_not_read},
        {"other files are told apart", other_files_are_told_apart},
        {"a seal that the disk does not take is an input/output error",
         a_seal_that_the_disk_does_not_take_is_an_input_output_error},
        {"our files are known", our_files_are_known},
        {NULL, NULL},
    };
    return test_run("checkpoint/seal", cases);
}
