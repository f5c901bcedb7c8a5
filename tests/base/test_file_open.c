/* Opening for writing: what somebody else has planted under a name stays as it is. */
#include "base/file.h"
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool put(const char *path, const char *words)
{
    struct error error = {0};
    return file_replace(path, words, strlen(words), &error);
}

static bool holds(const char *path, const char *words)
{
    struct error error = {0};
    char *bytes = NULL;
    size_t count = 0;
    bool same = file_read(path, &bytes, &count, &error) && count == strlen(words) && memcmp(bytes, words, count) == 0;
    free(bytes);
    return same;
}

static bool open_and_write(const char *path, enum file_use use, struct error *error)
{
    int fd;
    *error = (struct error){0};
    return file_open(path, use, &fd, error) && write(fd, "x", 1) == 1 && file_close(fd);
}

static void links_are_not_followed(void)
{
    static const enum file_use looking[] = {FILE_APPEND, FILE_CHANGE, FILE_LOCK};
    struct error error;
    CU_ASSERT_TRUE(put(test_path("victim"), "precious"));
    CU_ASSERT_EQUAL(symlink("victim", test_path("link")), 0);
    CU_ASSERT_EQUAL(symlink("absent", test_path("dangling")), 0);
    for (size_t i = 0; i < 3; i++) {
        CU_ASSERT_FALSE(open_and_write(test_path("link"), looking[i], &error));
        CU_ASSERT_EQUAL(error.kind, ERROR_USAGE);
        CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "link is a symbolic link"));
        CU_ASSERT_FALSE(open_and_write(test_path("dangling"), looking[i], &error));
    }
    CU_ASSERT_FALSE(open_and_write(test_path("link"), FILE_MARK, &error));
    CU_ASSERT_EQUAL(error.kind, ERROR_BUSY);
    int lock = -1;
    CU_ASSERT_FALSE(file_lock(test_path("dangling"), 0, &lock, &error));
    CU_ASSERT_NOT_EQUAL(access(test_path("absent"), F_OK), 0);
    CU_ASSERT_TRUE(holds(test_path("victim"), "precious"));
}

static void a_new_file_takes_the_place_of_what_was_planted(void)
{
    struct error error;
    struct stat info;
    CU_ASSERT_TRUE(put(test_path("stays"), "precious"));
    CU_ASSERT_EQUAL(symlink("stays", test_path("new")), 0);
    CU_ASSERT_TRUE(open_and_write(test_path("new"), FILE_NEW, &error));
    CU_ASSERT_TRUE(lstat(test_path("new"), &info) == 0 && S_ISREG(info.st_mode) && info.st_size == 1);
    CU_ASSERT_EQUAL(symlink("stays", test_path(".replaced.partial")), 0);
    CU_ASSERT_EQUAL(symlink("stays", test_path("replaced")), 0);
    CU_ASSERT_TRUE(put(test_path("replaced"), "words"));
    CU_ASSERT_TRUE(holds(test_path("replaced"), "words"));
    CU_ASSERT_EQUAL(link(test_path("stays"), test_path("hard")), 0);
    CU_ASSERT_TRUE(open_and_write(test_path("hard"), FILE_PRIVATE, &error));
    CU_ASSERT_TRUE(stat(test_path("hard"), &info) == 0 && (info.st_mode & 077) == 0);
    CU_ASSERT_TRUE(holds(test_path("stays"), "precious"));
}

static void what_is_no_file_of_ours_is_refused(void)
{
    struct error error;
    char *bytes;
    size_t count;
    CU_ASSERT_TRUE(put(test_path("two"), "precious"));
    CU_ASSERT_EQUAL(link(test_path("two"), test_path("names")), 0);
    CU_ASSERT_FALSE(open_and_write(test_path("names"), FILE_APPEND, &error));
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "has 2 names"));
    CU_ASSERT_TRUE(holds(test_path("two"), "precious"));
    CU_ASSERT_EQUAL(mkfifo(test_path("pipe"), 0600), 0); /* and nobody waits for its other end */
    CU_ASSERT_FALSE(open_and_write(test_path("pipe"), FILE_APPEND, &error));
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "pipe is not a file"));
    CU_ASSERT_FALSE(file_read_own(test_path("pipe"), 100, &bytes, &count, &error));
    CU_ASSERT_EQUAL(error.kind, ERROR_USAGE);
    CU_ASSERT_EQUAL(symlink("two", test_path("to-two")), 0);
    CU_ASSERT_FALSE(file_read_own(test_path("to-two"), 100, &bytes, &count, &error));
    CU_ASSERT_FALSE(file_read_own(test_path("nothing"), 100, &bytes, &count, &error));
    CU_ASSERT_EQUAL(error.kind, ERROR_NOT_FOUND);
    CU_ASSERT_TRUE(file_read_own(test_path("two"), 8, &bytes, &count, &error));
    free(bytes);
    CU_ASSERT_FALSE(file_read_own(test_path("two"), 7, &bytes, &count, &error));
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "two is longer than such a file gets"));
    static const char *const no_notes[] = {"two", "to-two", "pipe", "nothing", "long"};
    CU_ASSERT_TRUE(put(test_path("long"), "") && truncate(test_path("long"), (off_t)1 << 42) == 0);
    for (size_t i = 0; i < 5; i++) {
        CU_ASSERT_FALSE(file_read_note(test_path(no_notes[i]), &bytes, &count, &error));
        CU_ASSERT_EQUAL(error.kind, i == 3 ? ERROR_NOT_FOUND : ERROR_USAGE);
    }
    CU_ASSERT_TRUE(put(test_path("note"), "words") && file_read_note(test_path("note"), &bytes, &count, &error));
    CU_ASSERT_EQUAL(count, 5);
    free(bytes);
    CU_ASSERT_EQUAL(mkdir(test_path("folder"), 0700), 0);
    CU_ASSERT_FALSE(open_and_write(test_path("folder"), FILE_APPEND, &error));
    CU_ASSERT_FALSE(open_and_write(test_path("folder"), FILE_NEW, &error));
}

/* Only root can give a file away. */
static void a_file_of_another_user_is_refused_unless_the_directory_is_theirs(void)
{
    struct error error;
    CU_ASSERT_TRUE(put(test_path("theirs"), "precious"));
    if (geteuid() != 0 || chown(test_path("theirs"), 12345, 12345))
        return;
    char *bytes;
    size_t count;
    CU_ASSERT_FALSE(open_and_write(test_path("theirs"), FILE_APPEND, &error));
    CU_ASSERT_FALSE(file_read_note(test_path("theirs"), &bytes, &count, &error));
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "belongs to another user (12345): it is not used"));
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "belongs to another user (12345)"));
    CU_ASSERT_TRUE(holds(test_path("theirs"), "precious"));
    CU_ASSERT_TRUE(mkdir(test_path("of-them"), 0777) == 0 && chown(test_path("of-them"), 12345, 12345) == 0);
    CU_ASSERT_TRUE(put(test_path("of-them/file"), "words"));
    CU_ASSERT_EQUAL(chown(test_path("of-them/file"), 12345, 12345), 0);
    CU_ASSERT_TRUE(open_and_write(test_path("of-them/file"), FILE_APPEND, &error));
}

static void a_link_on_the_way_is_the_users_own(void)
{
    struct error error;
    CU_ASSERT_EQUAL(mkdir(test_path("scratch"), 0700), 0);
    CU_ASSERT_EQUAL(symlink("scratch", test_path("run")), 0);
    CU_ASSERT_TRUE(open_and_write(test_path("run/file"), FILE_APPEND, &error));
    CU_ASSERT_TRUE(file_make_directories(test_path("run"), &error));
    CU_ASSERT_TRUE(file_make_directories(test_path("run/below"), &error));
    CU_ASSERT_TRUE(holds(test_path("scratch/file"), "x"));
}

static void a_name_through_a_handle_survives_a_move(void)
{
    struct error error;
    char name[PATH_MAX];
    int fd;
    CU_ASSERT_TRUE(file_open(test_path("handle"), FILE_NEW, &fd, &error));
    file_name_of(fd, test_path("handle"), name);
    CU_ASSERT_TRUE(file_rename(test_path("handle"), test_path("elsewhere"), &error));
    CU_ASSERT_TRUE(write(fd, "words", 5) == 5);
    CU_ASSERT_TRUE(holds(name, "words"));
    CU_ASSERT_FALSE(file_rename(test_path("handle"), test_path("elsewhere"), &error));
    CU_ASSERT_TRUE(file_close(fd));
    CU_ASSERT_TRUE(file_remove(test_path("elsewhere"), &error));
    CU_ASSERT_TRUE(file_remove(test_path("elsewhere"), &error));
}

static bool make(const char *name, enum file_owner owner, struct error *error)
{
    int made, opened;
    bool ok = file_make_directory(test_path(name), owner, &made, error);
    bool again = file_open_directory(test_path(name), owner, &opened, error);
    CU_ASSERT_EQUAL(again, ok);
    if (ok)
        close(made);
    if (again)
        close(opened);
    return ok;
}

static void a_private_directory_is_nobody_elses(void)
{
    struct error error;
    struct stat info;
    int fd;
    CU_ASSERT_FALSE(file_open_directory(test_path("deep/below/own"), FILE_MINE, &fd, &error));
    CU_ASSERT_EQUAL(error.kind, ERROR_NOT_FOUND);
    CU_ASSERT_TRUE(make("deep/below/own", FILE_MINE, &error));
    CU_ASSERT_TRUE(make("deep/below/own", FILE_MINE, &error));
    CU_ASSERT_TRUE(stat(test_path("deep/below/own"), &info) == 0 && (info.st_mode & 0777) == 0700);
    CU_ASSERT_EQUAL(symlink("own", test_path("deep/below/link")), 0);
    CU_ASSERT_FALSE(make("deep/below/link", FILE_MINE, &error));
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "link is a symbolic link, and has to be a directory of this user alone"));
    CU_ASSERT_EQUAL(chmod(test_path("deep/below/own"), 0777), 0);
    CU_ASSERT_FALSE(make("deep/below/own", FILE_MINE, &error));
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "others may write, and has to be a directory of this user alone"));
    if (geteuid() != 0 || chmod(test_path("deep/below/own"), 0700) || chown(test_path("deep/below/own"), 12345, 12345))
        return;
    CU_ASSERT_FALSE(make("deep/below/own", FILE_MINE, &error));
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "belongs to another user (12345)"));
}

static void a_directory_of_ours_is_no_link(void)
{
    struct error error;
    CU_ASSERT_TRUE(make("shared/kept", FILE_OURS, &error));
    CU_ASSERT_EQUAL(mkdir(test_path("shared/elsewhere"), 0777), 0);
    CU_ASSERT_EQUAL(symlink("elsewhere", test_path("shared/planted")), 0);
    CU_ASSERT_FALSE(make("shared/planted", FILE_OURS, &error));
    CU_ASSERT_EQUAL(error.kind, ERROR_USAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "planted is a symbolic link: remove it"));
    CU_ASSERT_TRUE(put(test_path("shared/file"), ""));
    CU_ASSERT_FALSE(make("shared/file", FILE_OURS, &error));
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "file is not a directory"));
    CU_ASSERT_EQUAL(symlink("shared", test_path("users-own")), 0);
    CU_ASSERT_TRUE(make("users-own/kept", FILE_OURS, &error));
    if (geteuid() != 0 || chown(test_path("shared/kept"), 12345, 12345))
        return;
    CU_ASSERT_FALSE(make("shared/kept", FILE_OURS, &error));
    CU_ASSERT_EQUAL(chown(test_path("shared"), 12345, 12345), 0); /* a run of theirs */
    CU_ASSERT_TRUE(make("shared/kept", FILE_OURS, &error));
}

static void what_is_done_in_a_held_directory_is_done_there(void)
{
    struct error error;
    char *bytes;
    size_t count;
    int held;
    CU_ASSERT_TRUE_FATAL(file_make_directory(test_path("held"), FILE_MINE, &held, &error));
    CU_ASSERT_EQUAL(rename(test_path("held"), test_path("away")), 0);
    CU_ASSERT_EQUAL(mkdir(test_path("other"), 0777), 0);
    CU_ASSERT_EQUAL(symlink("other", test_path("held")), 0);
    CU_ASSERT_TRUE(file_replace_in(held, test_path("held/a"), "words", 5, &error));
    CU_ASSERT_TRUE(file_rename_in(held, test_path("held/a"), test_path("held/b"), &error));
    CU_ASSERT_FALSE(file_rename_in(held, test_path("held/a"), test_path("held/b"), &error));
    CU_ASSERT_TRUE_FATAL(file_read_note_in(held, test_path("held/b"), &bytes, &count, &error));
    CU_ASSERT_STRING_EQUAL(bytes, "words");
    free(bytes);
    CU_ASSERT_TRUE(holds(test_path("away/b"), "words"));
    CU_ASSERT_TRUE(file_remove_in(held, test_path("held/b"), &error));
    CU_ASSERT_TRUE(file_remove_in(held, test_path("held/b"), &error));
    CU_ASSERT_EQUAL(rmdir(test_path("other")), 0); /* empty */
    CU_ASSERT_EQUAL(rmdir(test_path("away")), 0);
    close(held);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"links are not followed", links_are_not_followed},
        {"a new file takes the place of what was planted", a_new_file_takes_the_place_of_what_was_planted},
        {"what is no file of ours is refused", what_is_no_file_of_ours_is_refused},
        {"a file of another user is refused, unless the directory is theirs",
         a_file_of_another_user_is_refused_unless_the_directory_is_theirs},
        {"a link on the way is the user's own", a_link_on_the_way_is_the_users_own},
        {"a name through a handle survives a move", a_name_through_a_handle_survives_a_move},
        {"a private directory is nobody else's", a_private_directory_is_nobody_elses},
        {"a directory of ours is no link", a_directory_of_ours_is_no_link},
        {"what is done in a held directory is done there", what_is_done_in_a_held_directory_is_done_there},
        {NULL, NULL},
    };
    return test_run("base/file_open", cases);
}
