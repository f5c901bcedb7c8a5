#include "base/limit.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/resource.h>

static const struct {
    int number;
    int limit;
    const char *what, *option;
    bool in_bytes;
} limits[] = {
    {EFBIG, RLIMIT_FSIZE, "the size of a file", "-f", true},      {EMFILE, RLIMIT_NOFILE, "open files", "-n", false},
    {ENOMEM, RLIMIT_AS, "a process's memory", "-v", true},        {ENOMEM, RLIMIT_DATA, "a process's data", "-d", true},
    {EAGAIN, RLIMIT_NPROC, "processes and threads", "-u", false},
};

void limit_words(int number, char words[LIMIT_WORDS])
{
    struct rlimit limit;
    *words = '\0';
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        if (limits[i].number != number || getrlimit((__rlimit_resource_t)limits[i].limit, &limit) ||
            limit.rlim_cur == RLIM_INFINITY)
            continue;
        double value = (double)limit.rlim_cur;
        snprintf(words, LIMIT_WORDS,
                 limits[i].in_bytes ? " (the limit of %s is %.1f MB: ulimit %s)"
                                    : " (the limit of %s is %.0f: ulimit %s)",
                 limits[i].what, limits[i].in_bytes ? value / 1e6 : value, limits[i].option);
        return;
    }
}

double limit_file_bytes(void)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_FSIZE, &limit) || limit.rlim_cur == RLIM_INFINITY ? INFINITY : (double)limit.rlim_cur;
}
