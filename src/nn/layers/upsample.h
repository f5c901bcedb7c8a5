/* The settings of upsample. */
#ifndef NN_LAYERS_UPSAMPLE_H
#define NN_LAYERS_UPSAMPLE_H

#include <stdint.h>

enum upsample_mode {
    UPSAMPLE_NONE = 0,
    UPSAMPLE_NEAREST,
    UPSAMPLE_LINEAR, /* in each dimension: bilinear of an image */
};

/* By mode, as in job files; [0] NULL, NULL behind the last. */
extern const char *const upsample_modes[];

struct upsample {
    uint64_t factor; /* of each side */
    enum upsample_mode mode;
};

#endif
