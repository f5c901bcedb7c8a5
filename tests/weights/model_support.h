/* Models for the tests of layouts and matches. */
#ifndef MODEL_SUPPORT_H
#define MODEL_SUPPORT_H

#include "base/memory.h"
#include "nn/model.h"
#include "support/test.h"

static const struct loss_spec support_loss = {.kind = LOSS_SOFTMAX_CROSS_ENTROPY};

/* How weights begin does not matter here. */
static inline void begin_somehow(struct layer_spec *layers, size_t count)
{
    for (size_t i = 0; i < count; i++)
        layers[i].init = INIT_DEFAULT;
}

/* Layers over images of 2 x 6 x 4, in 4 classes; the last layer makes features. */
static inline void describe_image_model(struct model *model, struct layer_spec *layers, size_t count)
{
    struct error error = {0};
    begin_somehow(layers, count);
    struct leaf_form form = {.input = {3, {2, 6, 4}}, .classes = 4, .terms = 1};
    bool ok = model_describe(model, &(struct model_spec){layers, count}, &support_loss, &form, 4, 1, &error);
    CU_ASSERT_TRUE(ok);
    if (!ok)
        printf("%s\n", error.text);
}

/* Layers over 5 tokens of 7. */
static inline void describe_text_model(struct model *model, struct layer_spec *layers, size_t count)
{
    struct error error = {0};
    begin_somehow(layers, count);
    struct leaf_form form = {.input = {1, {5}}, .vocabulary = 7, .classes = 7, .terms = 5};
    bool ok = model_describe(model, &(struct model_spec){layers, count}, &support_loss, &form, 4, 1, &error);
    CU_ASSERT_TRUE(ok);
    if (!ok)
        printf("%s\n", error.text);
}

/* A small GPT-2; `tied` and `bias` as its layers say. */
static inline void describe_gpt(struct model *model, bool tied, bool bias)
{
    describe_text_model(model,
                        (struct layer_spec[]){{.kind = LAYER_EMBEDDING, .width = 6},
                                              {.kind = LAYER_POSITION_EMBEDDING},
                                              {.kind = LAYER_DROPOUT, .rate = 0.1},
                                              {.kind = LAYER_TRANSFORMER,
                                               .blocks = 2,
                                               .heads = 2,
                                               .ratio = 4,
                                               .rate = 0.1,
                                               .causal = true,
                                               .bias = bias,
                                               .form = GELU_TANH},
                                              {.kind = LAYER_LAYER_NORM, .epsilon = 1e-5},
                                              {.kind = LAYER_LM_HEAD, .tied = tied}},
                        6);
}

#endif
