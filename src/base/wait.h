/* A wait in naps, with a limit. Time in which the process was stopped (a job that is suspended as a whole) does not
 * count: then the limit is put off, so that nobody is taken for late by somebody who was not there either. */
#ifndef BASE_WAIT_H
#define BASE_WAIT_H

#include <stdbool.h>

struct wait {
    double end_s, looked_s;
    long nap_ns;
};

/* Local. One of `limit_s` seconds from now on. */
struct wait wait_begin(double limit_s);

/* Local. Whether the time is over; to be asked before each nap. */
bool wait_is_over(struct wait *wait);

/* Local. Short at first, for those who are nearly there; then longer, up to 2 ms. */
void wait_nap(struct wait *wait);

/* Local. Something has moved: naps are short again. */
void wait_wake(struct wait *wait);

#endif
