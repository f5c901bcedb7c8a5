/* The settings of SGD. */
#ifndef OPTIM_SGD_H
#define OPTIM_SGD_H

#include <stdbool.h>

struct sgd {
    double momentum; /* in [0, 1); 0: there is no velocity */
    bool nesterov;   /* needs momentum */
};

#endif
