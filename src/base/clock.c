#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define PLAUSIBLE_S (366 * 86400.0)

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

bool clock_is_plausible(double seconds)
{
    return seconds >= 0 && seconds <= PLAUSIBLE_S;
}

void clock_boot(char boot[CLOCK_BOOT_BYTES])
{
    *boot = '\0';
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
    if (!file)
        return;
    if (!fgets(boot, CLOCK_BOOT_BYTES, file))
        *boot = '\0';
    boot[strcspn(boot, "\n")] = '\0';
    fclose(file);
}

void clock_text_exact(double unix_s, char text[CLOCK_TEXT_BYTES])
{
    if (unix_s > -0x1p62 && unix_s < 0x1p62)
        clock_text((int64_t)unix_s, text);
    else
        snprintf(text, CLOCK_TEXT_BYTES, "unknown");
}

void clock_text(int64_t unix_s, char text[CLOCK_TEXT_BYTES])
{
    time_t time = (time_t)unix_s;
    struct tm parts;
    /* The time may come from a file: any number is possible, but not every number is a date. */
    if (!gmtime_r(&time, &parts) || strftime(text, CLOCK_TEXT_BYTES, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
        snprintf(text, CLOCK_TEXT_BYTES, "unknown");
}
