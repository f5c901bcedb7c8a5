/* The format idx: what a job file says about it. */
#ifndef DATA_IDX_H
#define DATA_IDX_H

#include <stdint.h>

struct idx_settings {
    char *images;   /* path of the input file: bytes (type 0x08) or big-endian float32 (0x0D), [N, F] features or images
                       [N, height, width] or [N, channels, height, width] */
    char *labels;   /* path of the label file: bytes [N], or float32 [N] or [N, K] for regression targets */
    uint64_t first; /* the first sample that is used */
    uint64_t count; /* how many are used; 0: all that are there */
    double mean;    /* byte b becomes (b / 255 - mean) / std, a float x (x - mean) / std, in double and rounded once;
                       float targets stay as they are */
    double std;     /* > 0 */
};

#endif
