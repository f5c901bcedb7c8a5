/* The format npy: what a job file says about it. */
#ifndef DATA_NPY_H
#define DATA_NPY_H

#include "data/array_data.h"

struct npy_settings {
    struct array_settings samples;
    char *x, *y; /* paths of the inputs and of the targets */
};

#endif
