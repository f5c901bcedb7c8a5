#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

static int rank_of_process = 0;
static bool progress_shown = false;

void log_init(int rank)
{
    rank_of_process = rank;
}

int log_rank(void)
{
    return rank_of_process;
}

bool log_is_terminal(void)
{
    return isatty(STDERR_FILENO) == 1;
}

/* One write a line, so that lines of several processes do not mix. */
static void write_line(const char *start, const char *format, va_list args, const char *end)
{
    char line[4096];
    if (rank_of_process != 0)
        return;
    vsnprintf(line, sizeof line, format, args);
    fprintf(stderr, "%s%s%s%s", progress_shown ? "\r\033[K" : "", start, line, end);
    fflush(stderr);
    progress_shown = false;
}

void log_info(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    write_line("", format, args, "\n");
    va_end(args);
}

void log_warn(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    write_line("warning: ", format, args, "\n");
    va_end(args);
}

void log_progress(const char *format, ...)
{
    if (!log_is_terminal())
        return;
    va_list args;
    va_start(args, format);
    write_line("", format, args, "");
    va_end(args);
    progress_shown = rank_of_process == 0;
}
