/* Initial weights, by the names that they have elsewhere. The numbers themselves are drawn by tensor_table_fill, keyed
 * by (seed, tensor, index). */
#ifndef NN_INITIALISATION_H
#define NN_INITIALISATION_H

#include "nn/tensor.h"

enum init_kind {
    INIT_NONE = 0,
    INIT_DEFAULT, /* uniform within 1 / sqrt(fan_in): the weights of PyTorch's Linear and Conv2d (its biases, too;
                     ours begin at zero); variance 1 / (3 fan_in) */
    INIT_KAIMING_UNIFORM, /* K. He et al., "Delving deep into rectifiers", ICCV 2015, equation 10: variance 2 / fan_in
                           */
    INIT_KAIMING_NORMAL,
    INIT_XAVIER_UNIFORM, /* X. Glorot, Y. Bengio, AISTATS 2010, equation 16: variance 2 / (fan_in + fan_out) */
    INIT_XAVIER_NORMAL,
    INIT_LECUN_UNIFORM, /* variance 1 / fan_in */
    INIT_LECUN_NORMAL,
    INIT_GPT2, /* normal, standard deviation 0.02 (residual projections: / sqrt(2 blocks), see transformer.c) */
    INIT_ZEROS,
};

/* By kind, as in job files; [0] NULL, NULL behind the last. */
extern const char *const init_names[];

/* Local. Sets init and scale of a tensor with these fans (numbers of inputs and outputs that one weight is one of),
 * multiplied by `factor`. */
void initialise(struct tensor *tensor, enum init_kind kind, size_t fan_in, size_t fan_out, double factor);

#endif
