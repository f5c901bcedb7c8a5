/* Two clocks: one for durations, one for people. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

#define CLOCK_TEXT_BYTES 32

/* Local. Seconds on the monotonic clock of this node. Only differences mean something. */
double clock_seconds(void);

/* Local. Seconds since 1970-01-01 UTC. */
int64_t clock_unix(void);

/* Local. The same, with its fraction. */
double clock_unix_exact(void);

/* Local. Writes a Unix time as 2026-11-22T22:27:14Z. */
void clock_text(int64_t unix_s, char text[CLOCK_TEXT_BYTES]);

#endif
