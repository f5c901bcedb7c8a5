/* The format digits: what a job file says about it. */
#ifndef DATA_DIGITS_H
#define DATA_DIGITS_H

#include <stdint.h>

struct digits_settings {
    uint64_t seed;  /* which endless sequence of digits */
    uint64_t first; /* the first sample that is used */
    uint64_t count; /* how many are used; 0: 60,000 */
    double mean;    /* byte b becomes (b / 255 - mean) / std, in double and rounded once */
    double std;     /* > 0 */
};

#endif
