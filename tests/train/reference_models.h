/* The models whose numbers PyTorch has given (tests/golden/reference/make_reference.py), as ours. */
#ifndef TESTS_TRAIN_REFERENCE_MODELS_H
#define TESTS_TRAIN_REFERENCE_MODELS_H

#include "nn/model.h"

struct subject {
    const char *name; /* of its files */
    struct model_spec model;
    struct leaf_form form;
    size_t batch;
    bool few_recipes; /* only momentum and adamw */
    bool ignores;     /* some labels do not count */
};

/* Local. Borrowed. */
struct subject reference_mlp(void);
struct subject reference_cnn(void);
struct subject reference_gpt(void);
struct subject reference_sequence(void);
struct subject reference_unet(void);
struct subject reference_volume(void);

#endif
