/* The settings of dropout. */
#ifndef NN_LAYERS_DROPOUT_H
#define NN_LAYERS_DROPOUT_H

struct dropout {
    double rate; /* share that is dropped, in [0, 1) */
};

#endif
