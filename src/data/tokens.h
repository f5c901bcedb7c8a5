/* The format tokens: what a job file says about it. */
#ifndef DATA_TOKENS_H
#define DATA_TOKENS_H

#include "data/token_files.h"

#include <stdint.h>

struct tokens_settings {
    char *path;          /* of the file, or a pattern for several (base/pattern.h), one behind the other */
    uint64_t context;    /* T, tokens of a sample; >= 1 */
    uint64_t vocabulary; /* tokens are below it; 0: 1 + the largest of all files, or that of the training data */
    double part[2];      /* of the n tokens of all files, those from floor(n part[0]) to before floor(n part[1]) are
                            used; 0 <= [0] < [1] <= 1 */
    enum token_type type;
};

#endif
