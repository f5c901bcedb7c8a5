/* Two clocks: one for durations, one for people. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#define CLOCK_TEXT_BYTES 32

/* Local. Seconds on the monotonic clock of this node. Only differences mean something. */
double clock_seconds(void);

/* Local. Seconds since 1970-01-01 UTC: dates for people. Clocks are set (a machine begins in 1970 before it has asked
 * for the time): what lies between two dates is no duration, unless nothing better is known. */
int64_t clock_unix(void);

/* Local. The same, with its fraction. */
double clock_unix_exact(void);

/* Local. Whether what lies between two dates can be a duration: it is not negative, and at most a year. */
bool clock_is_plausible(double seconds);

/* Local. The number of the time since this machine was started: two stamps of clock_seconds can be compared if it is
 * the same. "" if the system does not tell. */
#define CLOCK_BOOT_BYTES 40
void clock_boot(char boot[CLOCK_BOOT_BYTES]);

/* Local. Writes a Unix time as 2026-11-22T22:27:14Z. */
void clock_text(int64_t unix_s, char text[CLOCK_TEXT_BYTES]);

/* Local. The same for a time that was read as a number; "unknown" if it is none. */
void clock_text_exact(double unix_s, char text[CLOCK_TEXT_BYTES]);

#endif
