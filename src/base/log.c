#include "base/log.h"

#include "base/clock.h"
#include "base/rank.h"
#include "base/text.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static bool to_terminal = false;
static bool progress_shown = false;

/* mpirun gives its ranks a pipe as standard error and copies what comes out to its own: look at the parent's. */
static bool parent_has_terminal(void)
{
    char path[64];
    if (!getenv("OMPI_COMM_WORLD_RANK"))
        return false;
    snprintf(path, sizeof path, "/proc/%ld/fd/2", (long)getppid());
    int fd = open(path, O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    bool is_terminal = fd >= 0 && isatty(fd) == 1;
    if (fd >= 0)
        close(fd);
    return is_terminal;
}

void log_init(int rank)
{
    rank_set(rank);
    to_terminal = isatty(STDERR_FILENO) == 1 || parent_has_terminal();
}

bool log_is_terminal(void)
{
    return to_terminal;
}

/* One write a line, so that lines of several processes do not mix; nor do those of the threads of one. */
static void write_line(const char *start, const char *format, va_list args, const char *end)
{
    bool is_progress = *end == '\0';
    struct text words, line;
    char now[CLOCK_TEXT_BYTES] = "";
    if (rank_get() != 0)
        return;
    if (!is_progress)
        clock_text(clock_unix(), now);
    text_init(&words);
    text_init(&line);
    text_append_list(&words, format, args);
    text_append_shown(&line, text_bytes(&words), words.length, BREAKS_INDENTED);
    flockfile(stderr);
    fprintf(stderr, "%s%s%s%s%s%s", progress_shown ? "\r\033[K" : "", now, is_progress ? "" : " ", start,
            text_bytes(&line), end);
    fflush(stderr);
    progress_shown = is_progress;
    funlockfile(stderr);
    text_release(&words);
    text_release(&line);
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
    /* Ten times a second is as much as anybody reads. */
    static double shown_s = 0;
    double now_s = clock_seconds();
    if (!log_is_terminal() || now_s - shown_s < 0.1)
        return;
    shown_s = now_s;
    va_list args;
    va_start(args, format);
    write_line("", format, args, "");
    va_end(args);
}
