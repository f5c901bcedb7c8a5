/* The format npz: what a job file says about it. */
#ifndef DATA_NPZ_H
#define DATA_NPZ_H

#include "data/array_data.h"

struct npz_settings {
    struct array_settings samples;
    char *path;  /* of the archive */
    char *x, *y; /* names of the members that are inputs and targets, without .npy */
};

#endif
