#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "support/test.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DISK_BYTES = 1 << 20 };

/* Whether the file holds exactly these words. */
static bool holds(const char *path, const char *words)
{
    struct error error = {0};
    char *bytes = NULL;
    size_t count = 0;
    if (!file_read(path, &bytes, &count, &error))
        return false;
    bool same = count == strlen(words) && memcmp(bytes, words, count) == 0;
    free(bytes);
    return same;
}

/* How many names a directory holds, . and .. left out; -1 if it cannot be read. */
static int names_in(const char *path)
{
    DIR *directory = opendir(path);
    int names = -2;
    if (!directory)
        return -1;
    while (readdir(directory))
        names++;
    closedir(directory);
    return names;
}

static bool replace_by_words(const char *path, const char *words)
{
    struct error error = {0};
    return file_replace(path, words, strlen(words), &error);
}

static bool make_directory(const char *path)
{
    struct error error = {0};
    return file_make_directories(path, &error);
}

/* A small private disk at `path`; false and a printed reason if this process may not mount. The mount is seen by no
 * other process and ends with this one. */
static bool mount_disk(const char *path)
{
    if (geteuid() != 0 || !make_directory(path) || unshare(CLONE_NEWNS) ||
        mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) || mount("none", path, "tmpfs", 0, "size=1m")) {
        printf("(skipped: a small disk cannot be mounted: %s) ", geteuid() ? "not root" : strerror(errno));
        return false;
    }
    return true;
}

/* What a disk may answer to a read or write at a place: a signal came first, fewer bytes, or none, or a reason; a zero
 * is the end, and from there on it answers as it is. */
struct answer {
    ssize_t most;
    int reason;
};
static const struct answer *answers;

static ssize_t answer_with(long call, int fd, void *bytes, size_t count, off_t offset)
{
    if (answers && answers->most != 0) {
        const struct answer *is = answers++;
        errno = is->reason;
        if (is->most < 0)
            return is->reason ? -1 : 0;
        count = (size_t)is->most;
    }
    return syscall(call, fd, bytes, count, offset);
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t offset)
{
    return answer_with(SYS_pwrite64, fd, (void *)bytes, count, offset);
}

ssize_t pread(int fd, void *bytes, size_t count, off_t offset)
{
    return answer_with(SYS_pread64, fd, bytes, count, offset);
}

static void what_is_asked_for_at_a_place_comes_in_any_number_of_parts(void)
{
    char there[16] = "";
    int fd = open(test_path("places"), O_RDWR | O_CREAT | O_TRUNC, 0600);
    answers = (const struct answer[]){{-1, EINTR}, {3, 0}, {1, 0}, {-1, EINTR}, {0, 0}};
    CU_ASSERT_TRUE(file_write_at(fd, "abcdefgh", 8, 5));
    answers = (const struct answer[]){{2, 0}, {-1, EINTR}, {1, 0}, {0, 0}};
    CU_ASSERT_EQUAL(file_read_at(fd, there, 8, 5), 8);
    CU_ASSERT_EQUAL(memcmp(there, "abcdefgh", 8), 0);
    CU_ASSERT_EQUAL(file_read_at(fd, there, 8, 9), 4); /* to the end */
    CU_ASSERT_EQUAL(file_read_at(fd, there, 8, 13), 0);
    CU_ASSERT_EQUAL(file_read_at(fd, there, 8, 100), 0);
    CU_ASSERT_TRUE(file_write_at(fd, "", 0, 7));
    CU_ASSERT_EQUAL(lseek(fd, 0, SEEK_CUR), 0);
    answers = (const struct answer[]){{2, 0}, {-1, EIO}, {0, 0}};
    CU_ASSERT_EQUAL(file_read_at(fd, there, 8, 5), -1);
    CU_ASSERT_EQUAL(errno, EIO);
    answers = NULL;
    close(fd);
}

static void a_write_of_which_nothing_is_taken_is_an_input_output_error(void)
{
    struct error error = {0};
    int fd = open(test_path("none"), O_RDWR | O_CREAT | O_TRUNC, 0600);
    answers = (const struct answer[]){{2, 0}, {-1, 0}, {0, 0}};
    CU_ASSERT_FALSE(file_write_at(fd, "abcdefgh", 8, 0));
    CU_ASSERT_EQUAL(errno, EIO);
    answers = (const struct answer[]){{2, 0}, {-1, ENOSPC}, {0, 0}};
    CU_ASSERT_FALSE(file_write_at(fd, "abcdefgh", 8, 0));
    CU_ASSERT_EQUAL(errno, ENOSPC);
    answers = (const struct answer[]){{-1, 0}, {0, 0}};
    CU_ASSERT_FALSE(file_replace(test_path("none"), "abcdefgh", 8, &error));
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, strerror(EIO)));
    answers = NULL;
    close(fd);
}

static void what_lies_in_a_hole_is_not_stored(void)
{
    enum { BLOCK = 1 << 16 };
    char bytes[100] = "x";
    int fd = open(test_path("holes"), O_RDWR | O_CREAT | O_TRUNC, 0600);
    CU_ASSERT_EQUAL(file_stored_between(fd, 0, 100), 0); /* behind the end */
    CU_ASSERT_TRUE(file_write_at(fd, bytes, 100, 0));
    CU_ASSERT_TRUE(file_write_at(fd, bytes, 100, 4 * BLOCK));
    CU_ASSERT_EQUAL(ftruncate(fd, (off_t)1 << 40), 0);
    uint64_t all = file_stored_between(fd, 0, (uint64_t)1 << 40);
    if (all == (uint64_t)1 << 40) {
        printf("(skipped: holes are not known here) ");
    } else {
        CU_ASSERT(all >= 200 && all <= 2 * BLOCK);
        CU_ASSERT_EQUAL(file_stored_between(fd, 2 * BLOCK, 3 * BLOCK), 0);
        CU_ASSERT_EQUAL(file_stored_between(fd, 4 * BLOCK, 4 * BLOCK + 100), 100);
        CU_ASSERT_EQUAL(file_stored_between(fd, 4 * BLOCK - 50, 4 * BLOCK + 100), 100);
    }
    CU_ASSERT_EQUAL(file_stored_between(fd, 10, 10), 0);
    CU_ASSERT_EQUAL(file_stored_between(fd, 10, 60), 50);
    close(fd);
    int ends[2]; /* of what has no holes */
    CU_ASSERT_EQUAL(pipe(ends), 0);
    CU_ASSERT_EQUAL(file_stored_between(ends[0], 10, 60), 50);
    close(ends[0]);
    close(ends[1]);
}

static void directories_are_made_as_deep_as_needed(void)
{
    CU_ASSERT_TRUE(make_directory(test_path("a/b/c")));
    CU_ASSERT_TRUE(make_directory(test_path("a/b/c")));
    CU_ASSERT_TRUE(make_directory(test_path("a//d/")));
    CU_ASSERT_EQUAL(names_in(test_path("a/b")), 1);
    CU_ASSERT_EQUAL(names_in(test_path("a")), 2);
}

static void a_file_in_the_way_of_a_directory_is_named(void)
{
    struct error error = {0};
    CU_ASSERT_TRUE(replace_by_words(test_path("in-the-way"), "words"));
    CU_ASSERT_FALSE(file_make_directories(test_path("in-the-way"), &error));
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "in-the-way"));
    CU_ASSERT_FALSE(file_make_directories(test_path("in-the-way/below"), &error));
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "in-the-way"));
    CU_ASSERT_TRUE(holds(test_path("in-the-way"), "words"));
}

static void an_empty_or_overlong_path_is_refused(void)
{
    struct error error = {0};
    char path[10000];
    memset(path, 'x', sizeof path);
    path[sizeof path - 1] = '\0';
    CU_ASSERT_FALSE(file_make_directories("", &error));
    CU_ASSERT_FALSE(file_make_directories(path, &error));
    CU_ASSERT_FALSE(file_replace(path, "words", 5, &error));
}

static void a_missing_file_is_not_found(void)
{
    struct error error = {0};
    char *bytes = NULL;
    size_t count = 0;
    CU_ASSERT_FALSE(file_read(test_path("missing"), &bytes, &count, &error));
    CU_ASSERT_EQUAL(error.kind, ERROR_NOT_FOUND);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "missing: No such file or directory"));
    CU_ASSERT_PTR_NULL(bytes);
    CU_ASSERT_FALSE(file_sync(test_path("missing"), &error));
    CU_ASSERT_EQUAL(error.kind, ERROR_NOT_FOUND);
    CU_ASSERT_FALSE(file_reserve(test_path("missing"), 1, &error));
    CU_ASSERT_EQUAL(error.kind, ERROR_NOT_FOUND);
    CU_ASSERT_FALSE(file_replace(test_path("missing/file"), "words", 5, &error));
    CU_ASSERT_EQUAL(error.kind, ERROR_NOT_FOUND);
}

static void a_directory_cannot_be_read_as_a_file(void)
{
    struct error error = {0};
    char *bytes = NULL;
    size_t count = 0;
    CU_ASSERT_TRUE(make_directory(test_path("directory")));
    CU_ASSERT_FALSE(file_read(test_path("directory"), &bytes, &count, &error));
    CU_ASSERT_EQUAL(error.kind, ERROR_USAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "directory: Is a directory"));
}

static void files_of_all_sizes_come_back_as_written(void)
{
    static const size_t sizes[] = {0, 1, 65534, 65535, 65536, 65537, 3000000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct error error = {0};
        char *bytes = NULL, *written = memory_need(sizes[i], 1);
        size_t count = 77;
        for (size_t j = 0; j < sizes[i]; j++)
            written[j] = (char)(j * 7 % 251);
        CU_ASSERT_TRUE(file_replace(test_path("sizes"), written, sizes[i], &error));
        CU_ASSERT_TRUE(file_read(test_path("sizes"), &bytes, &count, &error));
        CU_ASSERT_EQUAL(count, sizes[i]);
        CU_ASSERT_TRUE(bytes && count == sizes[i] && memcmp(bytes, written, count) == 0 && bytes[count] == '\0');
        free(bytes);
        memory_free(written);
    }
}

static void replacing_leaves_the_new_file_alone(void)
{
    CU_ASSERT_TRUE(make_directory(test_path("replace")));
    CU_ASSERT_TRUE(replace_by_words(test_path("replace/file"), "the old words"));
    CU_ASSERT_TRUE(replace_by_words(test_path("replace/file"), "new"));
    CU_ASSERT_TRUE(holds(test_path("replace/file"), "new"));
    CU_ASSERT_EQUAL(names_in(test_path("replace")), 1);
}

static void a_name_without_a_directory_is_in_the_working_directory(void)
{
    struct error error = {0};
    char *before = getcwd(NULL, 0);
    CU_ASSERT_TRUE(make_directory(test_path("working")));
    CU_ASSERT_EQUAL(chdir(test_path("working")), 0);
    CU_ASSERT_TRUE(replace_by_words("file", "words"));
    CU_ASSERT_TRUE(file_sync("file", &error));
    CU_ASSERT_TRUE(file_sync_parent("file", &error));
    CU_ASSERT_EQUAL(before ? chdir(before) : -1, 0);
    free(before);
    CU_ASSERT_TRUE(holds(test_path("working/file"), "words"));
}

static void a_failed_rename_leaves_nothing_behind(void)
{
    struct error error = {0};
    CU_ASSERT_TRUE(make_directory(test_path("rename/file/full")));
    CU_ASSERT_FALSE(file_replace(test_path("rename/file"), "new", 3, &error));
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "cannot rename"));
    CU_ASSERT_EQUAL(names_in(test_path("rename")), 1);
}

/* Bigger than allowed fails midway like a full disk, and needs no mount. */
static void a_write_that_fails_midway_keeps_the_old_file(void)
{
    static const char words[100000];
    struct error error = {0};
    struct rlimit before, small;
    CU_ASSERT_TRUE(make_directory(test_path("midway")));
    CU_ASSERT_TRUE(replace_by_words(test_path("midway/file"), "old"));
    getrlimit(RLIMIT_FSIZE, &before);
    small = before;
    small.rlim_cur = 50000;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    bool replaced = file_replace(test_path("midway/file"), words, sizeof words, &error);
    setrlimit(RLIMIT_FSIZE, &before);
    CU_ASSERT_FALSE(replaced);
    CU_ASSERT_EQUAL(error.kind, ERROR_IO);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "midway/file: File too large"));
    CU_ASSERT_TRUE(holds(test_path("midway/file"), "old"));
    CU_ASSERT_EQUAL(names_in(test_path("midway")), 1);
}

static void a_full_disk_keeps_the_old_file(void)
{
    static const char words[2 * DISK_BYTES];
    struct error error = {0};
    if (!mount_disk(test_path("full")))
        return;
    CU_ASSERT_TRUE(replace_by_words(test_path("full/file"), "old"));
    CU_ASSERT_FALSE(file_replace(test_path("full/file"), words, sizeof words, &error));
    CU_ASSERT_EQUAL(error.kind, ERROR_FULL);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "full/file: No space left on device"));
    CU_ASSERT_TRUE(holds(test_path("full/file"), "old"));
    CU_ASSERT_EQUAL(names_in(test_path("full")), 1);
    CU_ASSERT_EQUAL(umount(test_path("full")), 0);
}

/* Root may write wherever it wants, except to a disk that is mounted read-only. */
static void a_read_only_directory_keeps_the_old_file(void)
{
    struct error error = {0};
    char *path = memory_text(test_path("read-only"));
    if (geteuid() == 0 && !mount_disk(path)) {
        memory_free(path);
        return;
    }
    CU_ASSERT_TRUE(make_directory(path));
    CU_ASSERT_TRUE(replace_by_words(test_path("read-only/file"), "old"));
    CU_ASSERT_EQUAL(geteuid() ? chmod(path, 0555) : mount(NULL, path, NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
    CU_ASSERT_FALSE(file_replace(test_path("read-only/file"), "new", 3, &error));
    CU_ASSERT_EQUAL(error.kind, ERROR_IO);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "read-only/"));
    CU_ASSERT_FALSE(file_make_directories(test_path("read-only/below"), &error));
    CU_ASSERT_TRUE(make_directory(path));
    CU_ASSERT_TRUE(holds(test_path("read-only/file"), "old"));
    CU_ASSERT_EQUAL(names_in(path), 1);
    CU_ASSERT_EQUAL(geteuid() ? chmod(path, 0755) : umount(path), 0);
    memory_free(path);
}

static void reserving_grows_a_file_and_keeps_its_contents(void)
{
    struct error error = {0};
    struct stat info = {0};
    char *bytes = NULL;
    size_t count = 0;
    CU_ASSERT_TRUE(replace_by_words(test_path("reserved"), "words"));
    CU_ASSERT_TRUE(file_reserve(test_path("reserved"), 100000, &error));
    CU_ASSERT_EQUAL(stat(test_path("reserved"), &info), 0);
    CU_ASSERT_EQUAL(info.st_size, 100000);
    CU_ASSERT_TRUE(info.st_blocks * 512 >= 100000);
    CU_ASSERT_TRUE(file_reserve(test_path("reserved"), 10, &error));
    CU_ASSERT_TRUE(file_read(test_path("reserved"), &bytes, &count, &error));
    CU_ASSERT_EQUAL(count, 100000);
    CU_ASSERT_TRUE(bytes && memcmp(bytes, "words\0\0", 7) == 0);
    free(bytes);
}

static void a_reservation_beyond_the_disk_fails_with_words(void)
{
    struct error error = {0};
    if (!mount_disk(test_path("small")))
        return;
    CU_ASSERT_TRUE(replace_by_words(test_path("small/file"), "words"));
    CU_ASSERT_TRUE(file_free_bytes(test_path("small")) > 0);
    CU_ASSERT_TRUE(file_free_bytes(test_path("small")) < DISK_BYTES);
    CU_ASSERT_TRUE(file_reserve(test_path("small/file"), DISK_BYTES / 2, &error));
    CU_ASSERT_FALSE(file_reserve(test_path("small/file"), 4 * DISK_BYTES, &error));
    CU_ASSERT_EQUAL(error.kind, ERROR_FULL);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "cannot reserve 4.2 MB for "));
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "small/file (0.5 MB are free): No space left on device"));
    CU_ASSERT_EQUAL(umount(test_path("small")), 0);
    CU_ASSERT_EQUAL(file_free_bytes(test_path("small/no such file")), UINT64_MAX);
}

/* A child that holds the lock on `path`, and releases it by its end after hold_s seconds. Returns when it has the lock.
 */
static pid_t start_holder(const char *path, double hold_s)
{
    int ready[2];
    char told = 'n';
    if (pipe(ready))
        return -1;
    pid_t child = fork();
    if (child == 0) {
        struct error error = {0};
        int lock = -1;
        told = file_lock(path, 0, &lock, &error) ? 'y' : 'n';
        if (write(ready[1], &told, 1) == 1)
            usleep((useconds_t)(hold_s * 1e6));
        _exit(0);
    }
    close(ready[1]);
    if (read(ready[0], &told, 1) != 1 || told != 'y')
        CU_FAIL("the other process did not get the lock");
    close(ready[0]);
    return child;
}

static void a_lock_excludes_until_its_holder_is_killed(void)
{
    struct error error = {0};
    int lock = -1;
    pid_t holder = start_holder(test_path("lock"), 60);
    CU_ASSERT_FALSE(file_lock(test_path("lock"), 0, &lock, &error));
    CU_ASSERT_EQUAL(error.kind, ERROR_BUSY);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "lock is locked by another process"));
    CU_ASSERT_TRUE(file_is_locked(test_path("lock"))); /* which takes nothing and changes nothing */
    CU_ASSERT_FALSE(file_is_locked(test_path("no lock")));
    CU_ASSERT_TRUE(holder > 0 && kill(holder, SIGKILL) == 0 && waitpid(holder, NULL, 0) == holder);
    CU_ASSERT_FALSE(file_is_locked(test_path("lock")));
    CU_ASSERT_TRUE(file_lock(test_path("lock"), 0, &lock, &error));
    close(lock);
}

static void a_lock_is_waited_for_no_longer_than_asked(void)
{
    struct error error = {0};
    int lock = -1;
    pid_t holder = start_holder(test_path("wait"), 1.0);
    double begin = clock_seconds();
    CU_ASSERT_FALSE(file_lock(test_path("wait"), 0.2, &lock, &error));
    CU_ASSERT_TRUE(clock_seconds() - begin >= 0.2);
    CU_ASSERT_TRUE(file_lock(test_path("wait"), 60, &lock, &error));
    CU_ASSERT_TRUE(clock_seconds() - begin < 50);
    CU_ASSERT_EQUAL(waitpid(holder, NULL, 0), holder);
    close(lock);
}

/* Who waits for a lock whose file is deleted meanwhile must not get that one: others lock the new one. */
static void the_lock_of_a_deleted_file_is_none(void)
{
    struct error error = {0};
    struct stat held, found;
    int lock = -1;
    pid_t holder = start_holder(test_path("gone"), 0.7), remover = fork();
    if (remover == 0) {
        usleep(200000);
        _exit(unlink(test_path("gone")) != 0);
    }
    CU_ASSERT_TRUE(file_lock(test_path("gone"), 60, &lock, &error));
    CU_ASSERT_TRUE(fstat(lock, &held) == 0 && stat(test_path("gone"), &found) == 0 && held.st_ino == found.st_ino);
    CU_ASSERT_TRUE(waitpid(holder, NULL, 0) == holder && waitpid(remover, NULL, 0) == remover);
    close(lock);
}

static void closing_the_descriptor_releases_the_lock(void)
{
    struct error error = {0};
    int first = -1, second = -1;
    CU_ASSERT_TRUE(file_lock(test_path("close"), 0, &first, &error));
    CU_ASSERT_FALSE(file_lock(test_path("close"), 0, &second, &error));
    close(first);
    CU_ASSERT_TRUE(file_lock(test_path("close"), 0, &second, &error));
    close(second);
    CU_ASSERT_FALSE(file_lock(test_path("no such directory/lock"), 60, &second, &error));
    CU_ASSERT_EQUAL(error.kind, ERROR_NOT_FOUND);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"directories are made as deep as needed", directories_are_made_as_deep_as_needed},
        {"a file in the way of a directory is named", a_file_in_the_way_of_a_directory_is_named},
        {"an empty or overlong path is refused", an_empty_or_overlong_path_is_refused},
        {"a missing file is not found", a_missing_file_is_not_found},
        {"a directory cannot be read as a file", a_directory_cannot_be_read_as_a_file},
        {"files of all sizes come back as written", files_of_all_sizes_come_back_as_written},
        {"what is asked for at a place comes in any number of parts",
         what_is_asked_for_at_a_place_comes_in_any_number_of_parts},
        {"a write of which nothing is taken is an input/output error",
         a_write_of_which_nothing_is_taken_is_an_input_output_error},
        {"what lies in a hole is not stored", what_lies_in_a_hole_is_not_stored},
        {"replacing leaves the new file alone", replacing_leaves_the_new_file_alone},
        {"a name without a directory is in the working directory",
         a_name_without_a_directory_is_in_the_working_directory},
        {"a failed rename leaves nothing behind", a_failed_rename_leaves_nothing_behind},
        {"a write that fails midway keeps the old file", a_write_that_fails_midway_keeps_the_old_file},
        {"a full disk keeps the old file", a_full_disk_keeps_the_old_file},
        {"a read-only directory keeps the old file", a_read_only_directory_keeps_the_old_file},
        {"reserving grows a file and keeps its contents", reserving_grows_a_file_and_keeps_its_contents},
        {"a reservation beyond the disk fails with words", a_reservation_beyond_the_disk_fails_with_words},
        {"a lock excludes others until its holder is killed", a_lock_excludes_until_its_holder_is_killed},
        {"a lock is waited for no longer than asked", a_lock_is_waited_for_no_longer_than_asked},
        {"the lock of a deleted file is none", the_lock_of_a_deleted_file_is_none},
        {"closing the descriptor releases the lock", closing_the_descriptor_releases_the_lock},
        {NULL, NULL},
    };
    return test_run("base/file", cases);
}
