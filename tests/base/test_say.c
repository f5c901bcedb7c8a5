#include "base/log.h"
#include "base/say.h"
#include "support/test.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What `print` writes to a stream, up to 4 kB. */
static const char *printed(FILE *stream, void (*print)(void))
{
    static char words[4096];
    FILE *file = tmpfile();
    fflush(stream);
    int kept = dup(fileno(stream));
    dup2(fileno(file), fileno(stream));
    print();
    fflush(stream);
    dup2(kept, fileno(stream));
    close(kept);
    rewind(file);
    words[fread(words, 1, sizeof words - 1, file)] = '\0';
    fclose(file);
    return words;
}

static void print_lines(void)
{
    say("\ntitle\n\n");
    say("%s", "");
    say("\n");
    say("step %d, %s", 7, "a\nb");
    say(": %s\n", "x\n\n");
    say("100 %%\n");
}

static void line_breaks_are_those_of_the_format(void)
{
    CU_ASSERT_STRING_EQUAL(printed(stdout, print_lines), "\ntitle\n\n\nstep 7, a\\nb: x\\n\\n\n100 %\n");
}

static void print_wrong(void)
{
    say_error("lockstep: %s\n", "no:\n  a: \x1b[31m\nlockstep: yes");
    say_error("\nusage: %s\n\n", "x");
}

static void a_message_goes_on_where_it_is_indented(void)
{
    CU_ASSERT_STRING_EQUAL(printed(stderr, print_wrong),
                           "lockstep: no:\n  a: \\x1b[31m\\nlockstep: yes\n\nusage: x\n\n");
}

static void print_log(void)
{
    log_info("resumed from %s", "a\x1b[2J");
    log_warn("%s", "b\nwarning: c\r\xc2\x9b");
}

#define TIME (sizeof "2026-11-30T01:16:20Z" - 1)

static void the_log_is_as_harmless(void)
{
    static const char first[] = " resumed from a\\x1b[2J\n", second[] = " warning: b\\nwarning: c\\x0d\\u009b\n";
    const char *lines = printed(stderr, print_log);
    CU_ASSERT_EQUAL_FATAL(strlen(lines), 2 * TIME + strlen(first) + strlen(second));
    CU_ASSERT_NSTRING_EQUAL(lines + TIME, first, strlen(first)); /* behind the time of day */
    CU_ASSERT_STRING_EQUAL(lines + TIME + strlen(first) + TIME, second);
}

static void print_long(void)
{
    log_info("%0*d", 4000, 1);
}

static void a_long_line_stays_whole(void)
{
    CU_ASSERT_EQUAL(strlen(printed(stderr, print_long)), TIME + 1 + 4001);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"line breaks are those of the format", line_breaks_are_those_of_the_format},
        {"a message goes on where it is indented", a_message_goes_on_where_it_is_indented},
        {"the log is as harmless", the_log_is_as_harmless},
        {"a long line stays whole", a_long_line_stays_whole},
        {NULL, NULL},
    };
    return test_run("base/say", cases);
}
