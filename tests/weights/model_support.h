/* Models for the tests of layouts and matches. */
#ifndef MODEL_SUPPORT_H
#define MODEL_SUPPORT_H

#include "base/memory.h"
#include "nn/layers/batch_norm.h"
#include "nn/layers/conv2d.h"
#include "nn/layers/dense.h"
#include "nn/layers/dropout.h"
#include "nn/layers/embedding.h"
#include "nn/layers/gelu.h"
#include "nn/layers/group_norm.h"
#include "nn/layers/layers.h"
#include "nn/layers/lm_head.h"
#include "nn/layers/position_embedding.h"
#include "nn/layers/residual.h"
#include "nn/layers/row_norm.h"
#include "nn/layers/transformer.h"
#include "nn/model.h"
#include "support/test.h"

static const struct loss_spec support_loss = {.class = &loss_softmax_cross_entropy};

/* A layer that a program might add, of which no format knows anything. */
static inline bool build_own(struct layer *layer, struct tensor_table *table, struct error *unused)
{
    (void)table, (void)unused;
    layer->out = layer->in;
    return true;
}

static const struct layer_class layer_own = {.kind = {.name = "own", .help = "as it is"}, .build = build_own};

/* Layers over images of 2 x 6 x 4, in 4 classes; the last layer makes features. */
static inline void describe_image_model(struct model *model, struct layer_spec *layers, size_t count)
{
    struct error error = {0};
    struct leaf_form form = {.input = {3, {2, 6, 4}}, .classes = 4, .terms = 1};
    bool ok = model_describe(model, &(struct model_spec){.layers = layers, .count = count}, &support_loss, &form, 4, 1, &error);
    CU_ASSERT_TRUE(ok);
    if (!ok)
        printf("%s\n", error.text);
}

/* Layers over 5 tokens of 7. */
static inline void describe_text_model(struct model *model, struct layer_spec *layers, size_t count)
{
    struct error error = {0};
    struct leaf_form form = {.input = {1, {5}}, .vocabulary = 7, .classes = 7, .terms = 5};
    bool ok = model_describe(model, &(struct model_spec){.layers = layers, .count = count}, &support_loss, &form, 4, 1, &error);
    CU_ASSERT_TRUE(ok);
    if (!ok)
        printf("%s\n", error.text);
}

/* A small GPT-2; `tied` and `bias` as its layers say. */
static inline void describe_gpt(struct model *model, bool tied, bool bias)
{
    describe_text_model(
        model,
        (struct layer_spec[]){
            {.class = &layer_embedding, .settings = &(struct embedding){.width = 6, .init = INIT_DEFAULT}},
            {.class = &layer_position_embedding, .settings = &(struct position_embedding){.init = INIT_DEFAULT}},
            {.class = &layer_dropout, .settings = &(struct dropout){.rate = 0.1}},
            {.class = &layer_transformer,
             .settings = &(struct transformer){.blocks = 2,
                                               .heads = 2,
                                               .ratio = 4,
                                               .dropout = 0.1,
                                               .causal = true,
                                               .bias = bias,
                                               .gelu = GELU_TANH,
                                               .init = INIT_DEFAULT}},
            {.class = &layer_layer_norm, .settings = &(struct row_norm){.epsilon = 1e-5}},
            {.class = &layer_lm_head, .settings = &(struct lm_head){.tied = tied, .init = INIT_DEFAULT}}},
        6);
}

#endif
