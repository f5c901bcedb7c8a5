#include "train/reference_models.h"

#include "nn/layers/batch_norm.h"
#include "nn/layers/concat.h"
#include "nn/layers/conv1d.h"
#include "nn/layers/conv2d.h"
#include "nn/layers/conv3d.h"
#include "nn/layers/dense.h"
#include "nn/layers/embedding.h"
#include "nn/layers/layers.h"
#include "nn/layers/lm_head.h"
#include "nn/layers/pool.h"
#include "nn/layers/position_embedding.h"
#include "nn/layers/row_norm.h"
#include "nn/layers/transformer.h"
#include "nn/layers/upsample.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

#define DENSE(n)                                                                                                       \
    {                                                                                                                  \
        .class = &layer_dense, .settings = &(struct dense)                                                             \
        {                                                                                                              \
            .units = (n), .bias = true, .init = INIT_DEFAULT                                                           \
        }                                                                                                              \
    }
#define RELU                                                                                                           \
    {                                                                                                                  \
        .class = &layer_relu                                                                                           \
    }
#define CONV(n, step, pads, has_bias)                                                                                  \
    {                                                                                                                  \
        .class = &layer_conv2d, .settings = &(struct conv2d)                                                           \
        {                                                                                                              \
            .filters = (n), .kernel = 3, .stride = (step), .padding = (pads), .bias = (has_bias), .init = INIT_DEFAULT \
        }                                                                                                              \
    }
#define BATCH_NORM                                                                                                     \
    {                                                                                                                  \
        .class = &layer_batch_norm, .settings = &(struct batch_norm)                                                   \
        {                                                                                                              \
            .epsilon = 1e-3, .momentum = 0.1                                                                           \
        }                                                                                                              \
    }

static struct layer_spec mlp_layers[] = {DENSE(16), RELU, DENSE(4)};

/* The convolutions before a batch norm have no bias: none could have a gradient, see is_without_gradient. Epsilon is so
 * large that it shows. */
static struct layer_spec cnn_layers[] = {CONV(4, 1, PADDING_SAME, false),
                                         BATCH_NORM,
                                         RELU,
                                         {.class = &layer_max_pool, .settings = &(struct pool){.size = 2, .stride = 2}},
                                         CONV(8, 1, PADDING_SAME, false),
                                         BATCH_NORM,
                                         RELU,
                                         CONV(6, 2, 1, true),
                                         RELU,
                                         {.class = &layer_global_avg_pool},
                                         DENSE(3)};

static struct layer_spec gpt_layers[] = {
    {.class = &layer_embedding, .settings = &(struct embedding){.width = 16, .init = INIT_GPT2}},
    {.class = &layer_position_embedding, .settings = &(struct position_embedding){.init = INIT_GPT2}},
    {.class = &layer_transformer,
     .settings =
         &(struct transformer){
             .blocks = 2, .heads = 2, .ratio = 4, .causal = true, .bias = true, .gelu = GELU_EXACT, .init = INIT_GPT2}},
    {.class = &layer_layer_norm, .settings = &(struct row_norm){.epsilon = 1e-3}},
    {.class = &layer_lm_head, .settings = &(struct lm_head){.tied = true, .init = INIT_GPT2}},
};

struct subject reference_mlp(void)
{
    return (struct subject){.name = "mlp",
                            .model = {.layers = mlp_layers, .count = COUNT(mlp_layers)},
                            .form = {.input = {.dims = 1, .size = {8}}, .classes = 4, .terms = 1},
                            .batch = 8};
}

struct subject reference_cnn(void)
{
    return (struct subject){.name = "cnn",
                            .model = {.layers = cnn_layers, .count = COUNT(cnn_layers)},
                            .form = {.input = {.dims = 3, .size = {1, 8, 8}}, .classes = 3, .terms = 1},
                            .batch = 8};
}

struct subject reference_gpt(void)
{
    return (struct subject){.name = "gpt",
                            .model = {.layers = gpt_layers, .count = COUNT(gpt_layers)},
                            .form = {.input = {.dims = 1, .size = {8}}, .vocabulary = 11, .classes = 11, .terms = 8},
                            .batch = 4};
}

/* A layer of its kind, and a name for it. */
#define LAYER(kind, ...)                                                                                               \
    {                                                                                                                  \
        .class = &layer_##kind, .settings = &(struct kind)                                                             \
        {                                                                                                              \
            __VA_ARGS__                                                                                                \
        }                                                                                                              \
    }
#define NAMED(kind, words)                                                                                             \
    {                                                                                                                  \
        .class = &layer_##kind, .name = (char[])                                                                       \
        {                                                                                                              \
            words                                                                                                      \
        }                                                                                                              \
    }
#define POOL(kind, k, step)                                                                                            \
    {                                                                                                                  \
        .class = &layer_##kind, .settings = &(struct pool)                                                             \
        {                                                                                                              \
            .size = (k), .stride = (step)                                                                              \
        }                                                                                                              \
    }
#define FILTERS(kind, n, k, step, pads, has_bias)                                                                      \
    LAYER(kind, .filters = (n), .kernel = (k), .stride = (step), .padding = (pads), .bias = (has_bias),                \
          .init = INIT_DEFAULT)

static struct layer_spec sequence_layers[] = {FILTERS(conv1d, 6, 4, 1, PADDING_SAME, true),
                                              {.class = &layer_tanh},
                                              FILTERS(conv1d, 5, 3, 2, 1, true),
                                              {.class = &layer_silu},
                                              FILTERS(conv1d, 4, 2, 1, 0, false),
                                              LAYER(upsample, .factor = 3, .mode = UPSAMPLE_LINEAR),
                                              {.class = &layer_global_avg_pool},
                                              DENSE(4)};

static struct layer_spec unet_layers[] = {FILTERS(conv2d, 4, 3, 1, PADDING_SAME, true),
                                          NAMED(silu, "fine"),
                                          POOL(max_pool, 2, 2),
                                          FILTERS(conv2d, 6, 3, 1, PADDING_SAME, true),
                                          NAMED(silu, "coarse"),
                                          POOL(max_pool, 2, 2),
                                          FILTERS(conv2d, 6, 3, 1, 1, true),
                                          {.class = &layer_tanh},
                                          LAYER(upsample, .factor = 2, .mode = UPSAMPLE_LINEAR),
                                          LAYER(concat, .with = (char[]){"coarse"}),
                                          FILTERS(conv2d, 4, 3, 1, 1, true),
                                          {.class = &layer_silu},
                                          LAYER(upsample, .factor = 2, .mode = UPSAMPLE_NEAREST),
                                          LAYER(concat, .with = (char[]){"fine"}),
                                          FILTERS(conv2d, 3, 1, 1, 0, true)};

static struct layer_spec volume_layers[] = {FILTERS(conv3d, 4, 3, 1, PADDING_SAME, false),
                                            BATCH_NORM,
                                            NAMED(tanh, "fine"),
                                            POOL(max_pool, 2, 2),
                                            FILTERS(conv3d, 5, 2, 1, 1, true),
                                            {.class = &layer_silu},
                                            POOL(avg_pool, 2, 1),
                                            LAYER(upsample, .factor = 2, .mode = UPSAMPLE_LINEAR),
                                            LAYER(concat, .with = (char[]){"fine"}),
                                            FILTERS(conv3d, 3, 1, 1, 0, true)};

struct subject reference_sequence(void)
{
    return (struct subject){.name = "sequence",
                            .model = {.layers = sequence_layers, .count = COUNT(sequence_layers)},
                            .form = {.input = {.dims = 2, .size = {12, 3}}, .classes = 4, .terms = 1},
                            .batch = 8,
                            .few_recipes = true};
}

struct subject reference_unet(void)
{
    return (struct subject){
        .name = "unet",
        .model = {.layers = unet_layers, .count = COUNT(unet_layers)},
        .form = {.input = {.dims = 3, .size = {2, 8, 8}}, .classes = 3, .terms = 64, .target = {2, {8, 8}}},
        .batch = 4,
        .few_recipes = true};
}

struct subject reference_volume(void)
{
    return (struct subject){
        .name = "volume",
        .model = {.layers = volume_layers, .count = COUNT(volume_layers)},
        .form = {.input = {.dims = 4, .size = {1, 4, 6, 4}}, .classes = 3, .terms = 96, .target = {3, {4, 6, 4}}},
        .batch = 4,
        .few_recipes = true,
        .ignores = true};
}
