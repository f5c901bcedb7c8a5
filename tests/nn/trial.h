/* A small model with drawn parameters and data, run once, against the second implementation (reference.h). */
#ifndef TESTS_NN_TRIAL_H
#define TESTS_NN_TRIAL_H

#include "nn/layers/attention.h"
#include "nn/layers/batch_norm.h"
#include "nn/layers/concat.h"
#include "nn/layers/conv1d.h"
#include "nn/layers/conv2d.h"
#include "nn/layers/conv3d.h"
#include "nn/layers/dense.h"
#include "nn/layers/dropout.h"
#include "nn/layers/embedding.h"
#include "nn/layers/gelu.h"
#include "nn/layers/group_norm.h"
#include "nn/layers/layers.h"
#include "nn/layers/lm_head.h"
#include "nn/layers/pool.h"
#include "nn/layers/position_embedding.h"
#include "nn/layers/repeat.h"
#include "nn/layers/residual.h"
#include "nn/layers/row_norm.h"
#include "nn/layers/transformer.h"
#include "nn/layers/upsample.h"
#include "nn/reference.h"

struct trial {
    struct model_spec spec;
    struct loss_spec loss; /* no class: mean_squared_error */
    struct leaf_form form;
    size_t rows;    /* M */
    size_t room;    /* rows of a leaf at most; 0: M */
    uint64_t first; /* place of the first row in the batch */
    uint64_t step;
    size_t most;  /* elements of a tensor that are checked one by one; 0: all */
    bool ignores; /* every third label is LEAF_IGNORED */
};

/* clang-format off */
/* The layers of a model, or of a composition. */
#define LAYERS_OF(...) \
    (struct layer_spec[]){__VA_ARGS__}, sizeof((struct layer_spec[]){__VA_ARGS__}) / sizeof(struct layer_spec)
#define MODEL(...)     {LAYERS_OF(__VA_ARGS__), .gemm = GEMM_LOCKSTEP}

/* One layer each; what a macro does not set is zero, or as given behind its number. */
#define PLAIN(name)         {.class = &layer_##name}
#define LAYER(name, ...)    {.class = &layer_##name, .settings = &(struct name){__VA_ARGS__}}
#define NAMED(words, kind, ...) \
    {.class = &layer_##kind, .settings = &(struct kind){__VA_ARGS__}, .name = (char[]){words}}
#define PLAIN_NAMED(words, kind) {.class = &layer_##kind, .name = (char[]){words}}
#define CONCAT(words)       LAYER(concat, .with = (char[]){words})
#define POOL(name, k, s)    {.class = &layer_##name, .settings = &(struct pool){.size = (k), .stride = (s)}}
#define UPSAMPLE(f, how)    LAYER(upsample, .factor = (f), .mode = (how))
#define NORM(name)          {.class = &layer_##name, .settings = &(struct row_norm){.epsilon = 1e-5}}
#define BATCH_NORM          LAYER(batch_norm, .epsilon = 1e-5, .momentum = 0.1)
#define GROUP_NORM(g)       LAYER(group_norm, .epsilon = 1e-5, .groups = (g))
#define DENSE(n)            LAYER(dense, .units = (n), .bias = true, .init = INIT_DEFAULT)
#define DENSE_ALONE(n)      LAYER(dense, .units = (n), .init = INIT_DEFAULT)
#define CONV2D(f, k, s, p)  LAYER(conv2d, .filters = (f), .kernel = (k), .stride = (s), .padding = (p), .bias = true, \
                                  .init = INIT_DEFAULT)
#define CONV1D(f, k, s, p)  LAYER(conv1d, .filters = (f), .kernel = (k), .stride = (s), .padding = (p), .bias = true, \
                                  .init = INIT_DEFAULT)
#define CONV3D(f, k, s, p)  LAYER(conv3d, .filters = (f), .kernel = (k), .stride = (s), .padding = (p), .bias = true, \
                                  .init = INIT_DEFAULT)
#define CONV2D_ALONE(f, k)  LAYER(conv2d, .filters = (f), .kernel = (k), .stride = 1, .init = INIT_DEFAULT)
#define GELU(how)           LAYER(gelu, .form = (how))
#define DROPOUT(r)          LAYER(dropout, .rate = (r))
#define RESIDUAL(...)       {.class = &layer_residual, .settings = &(struct residual){LAYERS_OF(__VA_ARGS__)}}
#define REPEAT(...)         {.class = &layer_repeat, .settings = &(struct repeat){2, LAYERS_OF(__VA_ARGS__)}}
#define EMBEDDING(c)        LAYER(embedding, .width = (c), .init = INIT_GPT2)
#define POSITION_EMBEDDING  LAYER(position_embedding, .init = INIT_GPT2)
#define ATTENTION(h, is_causal, r) \
    LAYER(attention, .heads = (h), .causal = (is_causal), .dropout = (r), .bias = true, .init = INIT_DEFAULT)
#define TRANSFORMER(b, h, is_causal, r) \
    LAYER(transformer, .blocks = (b), .heads = (h), .causal = (is_causal), .dropout = (r), .ratio = 2, .bias = true, \
          .gelu = GELU_EXACT, .init = INIT_GPT2)
#define LM_HEAD(is_tied)    LAYER(lm_head, .tied = (is_tied), .init = INIT_DEFAULT)
/* clang-format on */

/* The data: inputs of floats with float targets, one for each of the model's outputs. */
#define FEATURES(n, outputs)                                                                                           \
    {                                                                                                                  \
        .input = {1, {(n)}}, .terms = (outputs)                                                                        \
    }
#define SEQUENCE(t, c, outputs)                                                                                        \
    {                                                                                                                  \
        .input = {2, {(t), (c)}}, .terms = (outputs)                                                                   \
    }
#define IMAGE(c, h, w, outputs)                                                                                        \
    {                                                                                                                  \
        .input = {3, {(c), (h), (w)}}, .terms = (outputs)                                                              \
    }
#define VOLUME(c, d, h, w, outputs)                                                                                    \
    {                                                                                                                  \
        .input = {4, {(c), (d), (h), (w)}}, .terms = (outputs)                                                         \
    }
#define TOKENS(t, v, outputs)                                                                                          \
    {                                                                                                                  \
        .input = {1, {(t)}}, .vocabulary = (v), .terms = (outputs)                                                     \
    }
/* Text: each position's label is a token. */
#define TEXT(t, v)                                                                                                     \
    {                                                                                                                  \
        .input = {1, {(t)}}, .vocabulary = (v), .classes = (v), .terms = (t)                                           \
    }

struct bench {
    struct model model;
    struct reference reference;
    float *params, *gradient;
};

/* Local. What a test puts into the gaps of a gradient, to find it there again. */
#define TRIAL_GAP 12345.0f

/* Local. Draws parameters and data. The gradient is NaN, with TRIAL_GAP between tensors; the model's own memory, and
 * what the leaf has behind its rows, is NaN (labels and tokens: INT32_MAX). False, with words printed: the model was
 * refused. Release accepts a released bench. */
bool bench_init(struct bench *bench, const struct trial *trial);
void bench_release(struct bench *bench);

/* Local. Trains one leaf and compares everything: outputs, where they exist as a whole; sums; every derivative; the
 * statistics; and that gaps are untouched. Then evaluates the leaf and compares outputs and sums. Prints what is wrong.
 */
bool trial_passes(const struct trial *trial);

/* The same of several, as assertions; says which fails. */
void trials_pass(const struct trial *trials, size_t count);
#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Local. The elements of the gradient in tensors that are NaN; *gaps: those outside that are no longer TRIAL_GAP. */
size_t bench_nans(const struct bench *bench, size_t *gaps);

/* Local. Uniform in [-1, 1). */
float trial_draw(const char *purpose, size_t index);

#endif
