#include "base/error.h"
#include "support/test.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static bool starts_with(const char *text, const char *head)
{
    return strncmp(text, head, strlen(head)) == 0;
}

static bool ends_with(const char *text, const char *tail)
{
    size_t length = strlen(text), tail_length = strlen(tail);
    return length >= tail_length && strcmp(text + length - tail_length, tail) == 0;
}

/* `length` times the letter x. */
static const char *long_words(char *buffer, size_t length)
{
    memset(buffer, 'x', length);
    buffer[length] = '\0';
    return buffer;
}

static void setting_writes_kind_and_words(void)
{
    struct error error = {0};
    CU_ASSERT_FALSE(error_set(&error, ERROR_CORRUPT, "block %d of %s", 7, "params"));
    CU_ASSERT_EQUAL(error.kind, ERROR_CORRUPT);
    CU_ASSERT_STRING_EQUAL(error.text, "block 7 of params");
    error_clear(&error);
    CU_ASSERT_EQUAL(error.kind, ERROR_NONE);
    CU_ASSERT_STRING_EQUAL(error.text, "");
}

static void errno_puts_the_reason_behind(void)
{
    struct error error = {0};
    errno = ENOSPC;
    CU_ASSERT_FALSE(error_errno(&error, "cannot write %s", "a file"));
    CU_ASSERT_STRING_EQUAL(error.text, "cannot write a file: No space left on device");
    CU_ASSERT_EQUAL(error.kind, ERROR_FULL);
}

static void errno_knows_what_is_not_there_and_what_cannot_be(void)
{
    static const struct {
        int number;
        enum error_kind kind;
    } cases[] = {{ENOENT, ERROR_NOT_FOUND},   {ENOTDIR, ERROR_NOT_FOUND}, {EISDIR, ERROR_USAGE}, {ELOOP, ERROR_USAGE},
                 {ENAMETOOLONG, ERROR_USAGE}, {EACCES, ERROR_DENIED},     {EPERM, ERROR_DENIED}, {EIO, ERROR_IO},
                 {ENOSPC, ERROR_FULL},        {EROFS, ERROR_IO},          {ESTALE, ERROR_IO},    {EDQUOT, ERROR_FULL}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error error = {0};
        errno = cases[i].number;
        CU_ASSERT_FALSE(error_errno(&error, "words"));
        CU_ASSERT_EQUAL(error.kind, cases[i].kind);
    }
}

static void a_prefix_goes_in_front_and_the_kind_stays(void)
{
    struct error error = {0};
    error_set(&error, ERROR_VERSION, "format 9");
    CU_ASSERT_FALSE(error_prefix(&error, "%s: ", "step-1.h5"));
    CU_ASSERT_FALSE(error_prefix(&error, "rank %d: ", 3));
    CU_ASSERT_STRING_EQUAL(error.text, "rank 3: step-1.h5: format 9");
    CU_ASSERT_EQUAL(error.kind, ERROR_VERSION);
}

static void the_words_of_an_error_may_go_into_it_again(void)
{
    struct error error = {0};
    error_set(&error, ERROR_CORRUPT, "the digest differs");
    error_set(&error, ERROR_CORRUPT, "none is valid: %s", error.text);
    CU_ASSERT_STRING_EQUAL(error.text, "none is valid: the digest differs");
    error_prefix(&error, "(%s) ", error.text);
    CU_ASSERT_STRING_EQUAL(error.text, "(none is valid: the digest differs) none is valid: the digest differs");
    errno = EIO;
    error_errno(&error, "%s", "cannot read");
    errno = ENOENT;
    error_errno(&error, "and then %s", error.text);
    CU_ASSERT_STRING_EQUAL(error.text, "and then cannot read: Input/output error: No such file or directory");
}

static void overlong_words_are_cut_at_the_end(void)
{
    char buffer[4001];
    struct error error = {0};
    error_set(&error, ERROR_USAGE, "begin %s", long_words(buffer, 4000));
    CU_ASSERT_EQUAL(strlen(error.text), sizeof error.text - 1);
    CU_ASSERT_TRUE(starts_with(error.text, "begin xxx"));
}

static void overlong_words_do_not_push_the_reason_out(void)
{
    char buffer[4001];
    const size_t room = sizeof((struct error *)0)->text;
    for (size_t length = room - 100; length <= 4000; length = length < room + 5 ? length + 1 : length + 500) {
        struct error error = {0};
        errno = ENOSPC;
        error_errno(&error, "begin %s", long_words(buffer, length));
        CU_ASSERT_TRUE(starts_with(error.text, "begin xxx"));
        CU_ASSERT_TRUE(ends_with(error.text, "xxx: No space left on device"));
        CU_ASSERT_TRUE(strlen(error.text) < room);
    }
}

static void an_overlong_prefix_leaves_room_for_the_error(void)
{
    char buffer[4001];
    struct error error = {0};
    error_set(&error, ERROR_IO, "the disk is full");
    error_prefix(&error, "rank 3: %s", long_words(buffer, 4000));
    CU_ASSERT_TRUE(starts_with(error.text, "rank 3: xxx"));
    CU_ASSERT_TRUE(ends_with(error.text, "xxxthe disk is full"));
}

static void a_prefix_before_overlong_words_cuts_those(void)
{
    char buffer[4001];
    struct error error = {0};
    error_set(&error, ERROR_IO, "%s", long_words(buffer, 4000));
    error_prefix(&error, "rank 3: ");
    CU_ASSERT_EQUAL(strlen(error.text), sizeof error.text - 1);
    CU_ASSERT_TRUE(starts_with(error.text, "rank 3: xxx"));
}

static void each_kind_has_its_exit_code_and_its_word(void)
{
    const enum exit_code codes[] = {
        [ERROR_NONE] = EXIT_FAILED,   [ERROR_USAGE] = EXIT_USAGE,   [ERROR_NOT_FOUND] = EXIT_USAGE,
        [ERROR_CORRUPT] = EXIT_USAGE, [ERROR_VERSION] = EXIT_USAGE, [ERROR_IO] = EXIT_FAILED,
        [ERROR_BUSY] = EXIT_USAGE,    [ERROR_LATE] = EXIT_SAVED,    [ERROR_STATE] = EXIT_FAILED,
        [ERROR_AGAIN] = EXIT_SAVED,   [ERROR_FULL] = EXIT_FAILED,   [ERROR_DENIED] = EXIT_USAGE};
    for (size_t kind = 0; kind < sizeof codes / sizeof *codes; kind++) {
        CU_ASSERT_EQUAL(error_exit_code((enum error_kind)kind), codes[kind]);
        CU_ASSERT_EQUAL(error_kind_of(error_kind_word((enum error_kind)kind)), (enum error_kind)kind);
    }
    CU_ASSERT_EQUAL(error_kind_of("another"), ERROR_NONE);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"setting an error writes kind and words, clearing forgets both", setting_writes_kind_and_words},
        {"error_errno puts the system's reason behind the words", errno_puts_the_reason_behind},
        {"error_errno tells what is not there from what is refused", errno_knows_what_is_not_there_and_what_cannot_be},
        {"a prefix goes in front and the kind stays", a_prefix_goes_in_front_and_the_kind_stays},
        {"the words of an error may go into it again", the_words_of_an_error_may_go_into_it_again},
        {"overlong words are cut at the end", overlong_words_are_cut_at_the_end},
        {"overlong words do not push the system's reason out", overlong_words_do_not_push_the_reason_out},
        {"an overlong prefix leaves room for the error", an_overlong_prefix_leaves_room_for_the_error},
        {"a prefix before overlong words cuts those", a_prefix_before_overlong_words_cuts_those},
        {"each kind has its exit code and its word", each_kind_has_its_exit_code_and_its_word},
        {NULL, NULL},
    };
    return test_run("base/error", cases);
}
