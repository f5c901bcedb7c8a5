/* The format idx: what a job file says about it. */
#ifndef DATA_IDX_H
#define DATA_IDX_H

#include "data/array_data.h"

struct idx_settings {
    struct array_settings samples; /* of the inputs unsigned bytes b are the numbers b / 255 */
    char *images, *inputs;         /* path of the inputs, [N, F] features or images [N, height, width] or [N, channels,
                                      height, width]; one of them */
    char *labels;                  /* path of the targets: integers [N] are labels, floats [N, ...] */
    bool transpose;                /* images are stored with height and width the other way round */
};

#endif
