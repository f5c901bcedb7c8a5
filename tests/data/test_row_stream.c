/* Rows that come through a pipe: each is given when it is whole, with the header before it, whatever pieces they come
 * in. */
#include "data/row_stream.h"

#include "support/test.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COUNT(a)    (sizeof(a) / sizeof *(a))
#define PIECES_MOST 4

/* What is written before a call, and what that gives; the last one is what comes at the end. given "": only the header
 * (or nothing) is there, which the table refuses; NULL: nothing more. */
struct trial {
    bool has_header;
    struct {
        const char *written, *given;
        size_t line;
    } pieces[PIECES_MOST];
    const char *last;
};

/* Standard input becomes a pipe; what writes there. */
static int begin(int *was)
{
    int ends[2];
    CU_ASSERT_FATAL(pipe(ends) == 0);
    *was = dup(STDIN_FILENO);
    dup2(ends[0], STDIN_FILENO);
    close(ends[0]);
    return ends[1];
}

static void expect(struct row_stream *stream, bool has_header, const char *given, size_t line)
{
    const struct row_form form = {',', has_header};
    struct error error;
    char *text;
    size_t bytes, found;
    CU_ASSERT_FATAL(row_stream_next(stream, &form, &text, &bytes, &found, &error));
    CU_ASSERT((text != NULL) == (given != NULL));
    if (text && given) {
        CU_ASSERT_STRING_EQUAL(text, given);
        CU_ASSERT_EQUAL(bytes, strlen(text));
        CU_ASSERT(line == 0 || found == line);
    }
    free(text);
}

static void run(const struct trial *trial)
{
    struct row_stream stream = {.all = false};
    int was, to = begin(&was);
    for (size_t i = 0; i < PIECES_MOST && trial->pieces[i].written; i++) {
        size_t length = strlen(trial->pieces[i].written);
        CU_ASSERT(write(to, trial->pieces[i].written, length) == (ssize_t)length);
        expect(&stream, trial->has_header, trial->pieces[i].given, trial->pieces[i].line);
    }
    close(to);
    expect(&stream, trial->has_header, trial->last, 0);
    if (trial->last)
        expect(&stream, trial->has_header, NULL, 0);
    row_stream_release(&stream);
    dup2(was, STDIN_FILENO);
    close(was);
}

static void rows_are_given_when_they_are_whole(void)
{
    static const struct trial trials[] = {
        {true, {{"a,b\n1,2\n", "a,b\n1,2\n", 2}, {"3,4\n5,6\n", "a,b\n3,4\n5,6\n", 3}}, NULL},
        {true, {{"a,b\n1,2\n3", "a,b\n1,2\n", 2}, {",4\n5,", "a,b\n3,4\n", 3}}, "a,b\n5,"},
        {false, {{"1,2\n3,4", "1,2\n", 1}, {"5\n", "3,45\n", 2}}, NULL},
        {true,
         {{"a,\"b\n\"\n\"1\n\n\",2\n\"3\n", "a,\"b\n\"\n\"1\n\n\",2\n", 3}, {"\",4\n", "a,\"b\n\"\n\"3\n\",4\n", 6}},
         NULL},
        {true, {{"a\n1\"\n\"2\"\n\"3\"", "a\n1\"\n\"2\"\n", 2}, {"\"4\"\n", "a\n\"3\"\"4\"\n", 4}}, NULL},
        {true, {{"a\r\n1\r\n2\r", "a\r\n1\r\n", 2}, {"\n", "a\r\n2\r\n", 3}}, NULL},
        {true, {{"a\r1\r2\r", "a\r1\r", 2}, {"3\r", "a\r2\r", 3}}, "a\r3\r"},
        {true, {{"\xEF\xBB\xBF\"a\"\n1\n", "\xEF\xBB\xBF\"a\"\n1\n", 2}, {"2\n", "\xEF\xBB\xBF\"a\"\n2\n", 3}}, NULL},
        /* Blank lines are none behind the last row, and errors before another. */
        {true, {{"a,b\n1,2\n\n\n", "a,b\n1,2\n", 2}, {"3,4\n", "a,b\n\n\n3,4\n", 3}}, NULL},
        {true, {{"a,b\n1,2\n\n\n", "a,b\n1,2\n", 2}}, NULL},
        /* What never will be a row is given at once, for its words. */
        {true, {{"a,b\n1,2\n\"3\"4,5\n", "a,b\n1,2\n\"3\"4,5\n", 2}}, NULL},
    };
    for (size_t i = 0; i < COUNT(trials); i++)
        run(&trials[i]);
}

static void the_end_gives_what_is_left(void)
{
    static const struct {
        const char *written, *given;
    } cases[] = {{"", ""},    {"a,b", "a,b"}, {"a,b\n", "a,b\n"}, {"a,b\n\n", "a,b\n"}, {"a\n\"1", "a\n\"1"},
                 {"\n\n", ""}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct row_stream stream = {.all = i % 2};
        int was, to = begin(&was);
        CU_ASSERT(write(to, cases[i].written, strlen(cases[i].written)) == (ssize_t)strlen(cases[i].written));
        close(to);
        expect(&stream, true, cases[i].given, 0);
        row_stream_release(&stream);
        dup2(was, STDIN_FILENO);
        close(was);
    }
}

static void all_rows_can_be_given_at_once(void)
{
    struct row_stream stream = {.all = true};
    int was, to = begin(&was);
    CU_ASSERT(write(to, "a\n1\n2\n3\n\n", 9) == 9);
    close(to);
    expect(&stream, true, "a\n1\n2\n3\n", 2);
    expect(&stream, true, NULL, 0);
    row_stream_release(&stream);
    dup2(was, STDIN_FILENO);
    close(was);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"rows are given when they are whole", rows_are_given_when_they_are_whole},
        {"the end gives what is left", the_end_gives_what_is_left},
        {"all rows can be given at once", all_rows_can_be_given_at_once},
        {NULL, NULL},
    };
    return test_run("data/row_stream", cases);
}
