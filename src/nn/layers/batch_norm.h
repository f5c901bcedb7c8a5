/* The settings of batch_norm. */
#ifndef NN_LAYERS_BATCH_NORM_H
#define NN_LAYERS_BATCH_NORM_H

struct batch_norm {
    double momentum; /* weight of the new statistics, in (0, 1] */
    double epsilon;  /* added to the variance */
};

#endif
