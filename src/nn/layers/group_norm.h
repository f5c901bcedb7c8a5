/* The settings of group_norm. */
#ifndef NN_LAYERS_GROUP_NORM_H
#define NN_LAYERS_GROUP_NORM_H

#include <stdint.h>

struct group_norm {
    uint64_t groups;
    double epsilon; /* added to the variance */
};

#endif
