#include "base/clock.h"

#include <stdio.h>
#include <time.h>

double clock_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

int64_t clock_unix(void)
{
    return (int64_t)time(NULL);
}

double clock_unix_exact(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

void clock_text(int64_t unix_s, char text[CLOCK_TEXT_BYTES])
{
    time_t time = (time_t)unix_s;
    struct tm parts;
    /* The time may come from a file: any number is possible, but not every number is a date. */
    if (!gmtime_r(&time, &parts) || strftime(text, CLOCK_TEXT_BYTES, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
        snprintf(text, CLOCK_TEXT_BYTES, "unknown");
}
