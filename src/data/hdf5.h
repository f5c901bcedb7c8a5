/* The format hdf5: what a job file says about it. */
#ifndef DATA_HDF5_H
#define DATA_HDF5_H

#include "data/array_data.h"

struct hdf5_settings {
    struct array_settings samples;
    char *path;  /* of the file, or a pattern (base/pattern.h) */
    char *x, *y; /* names of the datasets that are inputs and targets */
};

#endif
