/* Layers on sequences and text, and last layers in tiles, against the second implementation. */
#include "nn/trial.h"
#include "support/test.h"

#include <math.h>

#define CROSS_ENTROPY                                                                                                  \
    {                                                                                                                  \
        .class = &loss_softmax_cross_entropy                                                                           \
    }

static void embeddings_are_right(void)
{
    struct trial trials[] = {
        {.spec = MODEL(EMBEDDING(4)), .form = TOKENS(5, 7, 20), .rows = 3, .room = 4},
        {.spec = MODEL(EMBEDDING(5), POSITION_EMBEDDING), .form = TOKENS(6, 3, 30), .rows = 3, .room = 4},
        {.spec = MODEL(EMBEDDING(19), POSITION_EMBEDDING, DENSE(2)), .form = TOKENS(3, 50, 6), .rows = 4},
        {.spec = MODEL(DENSE(4), POSITION_EMBEDDING, PLAIN(tanh), DENSE(2)), .form = SEQUENCE(5, 3, 10), .rows = 2},
        {.spec = MODEL(POSITION_EMBEDDING, DENSE(2)), .form = SEQUENCE(5, 3, 10), .rows = 2},
        {.spec = MODEL(EMBEDDING(4), RESIDUAL(POSITION_EMBEDDING, PLAIN(relu))), .form = TOKENS(5, 7, 20), .rows = 2},
    };
    /* Tokens that do not occur have the derivative 0: not all of what is checked is checked in vain. */
    trials_pass(trials, COUNT(trials));
}

static void attention_is_right_with_any_heads_and_length(void)
{
    struct trial trials[] = {
        {.spec = MODEL(DENSE(4), ATTENTION(1, false, 0)), .form = SEQUENCE(3, 3, 12), .rows = 2, .room = 3},
        {.spec = MODEL(DENSE(4), ATTENTION(2, true, 0)), .form = SEQUENCE(5, 3, 20), .rows = 2, .room = 3},
        {.spec = MODEL(DENSE(6), ATTENTION(3, false, 0), DENSE(2)), .form = SEQUENCE(7, 3, 14), .rows = 2},
        {.spec = MODEL(DENSE(6), ATTENTION(6, true, 0), DENSE(2)), .form = SEQUENCE(17, 3, 34), .rows = 2},
        {.spec = MODEL(DENSE(6), ATTENTION(2, true, 0.25), DENSE(2)),
         .form = SEQUENCE(5, 3, 10),
         .rows = 2,
         .first = 9,
         .step = 2},
        {.spec = MODEL(ATTENTION(1, true, 0), DENSE(2)), .form = SEQUENCE(4, 3, 8), .rows = 2},
        {.spec = MODEL(DENSE(4), LAYER(attention, .heads = 2, .causal = true, .init = INIT_DEFAULT)),
         .form = SEQUENCE(4, 3, 16),
         .rows = 2},
        /* On both sides of the widths of tiles. */
        {.spec = MODEL(DENSE(4), ATTENTION(2, true, 0)), .form = SEQUENCE(64, 3, 256), .rows = 1, .most = 20},
        {.spec = MODEL(DENSE(4), ATTENTION(2, true, 0)), .form = SEQUENCE(65, 3, 260), .rows = 2, .most = 20},
        {.spec = MODEL(DENSE(4), ATTENTION(2, false, 0)), .form = SEQUENCE(65, 3, 260), .rows = 2, .most = 20},
        {.spec = MODEL(DENSE(4), ATTENTION(1, true, 0)), .form = SEQUENCE(131, 3, 524), .rows = 2, .most = 12},
        {.spec = MODEL(DENSE(4), ATTENTION(1, false, 0)), .form = SEQUENCE(259, 3, 1036), .rows = 1, .most = 6},
        {.spec = MODEL(DENSE(4), ATTENTION(1, true, 0)), .form = SEQUENCE(259, 3, 1036), .rows = 1, .most = 6},
    };
    trials_pass(trials, COUNT(trials));
}

/* Only the values matter: queries and keys have the derivative 0. */
static void attention_of_one_position_is_its_value(void)
{
    struct trial trial = {
        .spec = MODEL(DENSE(4), ATTENTION(2, true, 0), DENSE(2)), .form = SEQUENCE(1, 3, 2), .rows = 3};
    trials_pass(&trial, 1);
}

static void transformers_are_right(void)
{
    struct trial trials[] = {
        {.spec = MODEL(DENSE(4), TRANSFORMER(1, 2, true, 0)), .form = SEQUENCE(5, 3, 20), .rows = 2, .room = 3},
        {.spec = MODEL(DENSE(6), TRANSFORMER(2, 3, false, 0), NORM(layer_norm), DENSE(2)),
         .form = SEQUENCE(3, 3, 6),
         .rows = 2},
        {.spec = MODEL(DENSE(4), TRANSFORMER(2, 1, true, 0.25), DENSE(2)),
         .form = SEQUENCE(3, 3, 6),
         .rows = 2,
         .first = 11,
         .step = 5},
        {.spec = MODEL(DENSE(5), LAYER(transformer, .blocks = 1, .heads = 1, .ratio = 1.5, .gelu = GELU_TANH,
                                       .init = INIT_DEFAULT)),
         .form = SEQUENCE(4, 3, 20),
         .rows = 2},
        {.spec = MODEL(TRANSFORMER(1, 1, false, 0), DENSE(2)), .form = SEQUENCE(4, 3, 8), .rows = 2},
    };
    trials_pass(trials, COUNT(trials));
}

#define GPT(is_tied, r)                                                                                                \
    MODEL(EMBEDDING(6), POSITION_EMBEDDING, DROPOUT(r), TRANSFORMER(2, 2, true, r), NORM(layer_norm), LM_HEAD(is_tied))

static void language_models_are_right_tied_and_untied(void)
{
    struct trial trials[] = {
        {.spec = MODEL(EMBEDDING(4), LM_HEAD(true)), .form = TEXT(5, 7), .loss = CROSS_ENTROPY, .rows = 3, .room = 4},
        {.spec = MODEL(EMBEDDING(4), LM_HEAD(false)), .form = TEXT(5, 7), .loss = CROSS_ENTROPY, .rows = 3, .room = 4},
        {.spec = MODEL(EMBEDDING(4), LAYER(lm_head, .tied = true, .bias = true, .init = INIT_DEFAULT)),
         .form = TEXT(5, 7),
         .loss = CROSS_ENTROPY,
         .rows = 2,
         .ignores = true},
        {.spec = MODEL(EMBEDDING(4), LAYER(lm_head, .bias = true, .init = INIT_DEFAULT)),
         .form = TEXT(5, 7),
         .loss = CROSS_ENTROPY,
         .rows = 2},
        {.spec = MODEL(EMBEDDING(4), DENSE(7)), .form = TEXT(5, 7), .loss = CROSS_ENTROPY, .rows = 2, .ignores = true},
        {.spec = GPT(true, 0), .form = TEXT(7, 11), .loss = CROSS_ENTROPY, .rows = 2, .room = 3},
        {.spec = GPT(false, 0), .form = TEXT(7, 11), .loss = CROSS_ENTROPY, .rows = 2, .ignores = true},
        {.spec = GPT(true, 0.25),
         .form = TEXT(5, 11),
         .loss = {.class = &loss_softmax_cross_entropy, .label_smoothing = 0.1},
         .rows = 2,
         .first = 6,
         .step = 3},
        /* Three that share one weight. */
        {.spec = MODEL(EMBEDDING(4), LM_HEAD(true), PLAIN(tanh), LM_HEAD(true)),
         .form = TEXT(5, 4),
         .loss = CROSS_ENTROPY,
         .rows = 2},
        /* A last layer that is no product, with labels. */
        {.spec = MODEL(EMBEDDING(7), PLAIN(tanh)),
         .form = TEXT(5, 7),
         .loss = CROSS_ENTROPY,
         .rows = 2,
         .ignores = true},
    };
    trials_pass(trials, COUNT(trials));
}

/* Outputs so wide that they are made in several tiles, of which the last is ragged. */
static void last_layers_made_in_tiles_are_right(void)
{
    enum { V = 5003 };
    struct trial trials[] = {
        {.spec = MODEL(EMBEDDING(3), PLAIN(tanh), LM_HEAD(true)),
         .form = TEXT(29, V),
         .loss = CROSS_ENTROPY,
         .rows = 5,
         .room = 6,
         .most = 12},
        {.spec = MODEL(EMBEDDING(3), PLAIN(tanh), LM_HEAD(false)),
         .form = TEXT(29, V),
         .loss = CROSS_ENTROPY,
         .rows = 5,
         .most = 12,
         .ignores = true},
        {.spec = MODEL(EMBEDDING(3), LM_HEAD(true)),
         .form = TEXT(29, V),
         .loss = {.class = &loss_softmax_cross_entropy, .label_smoothing = 0.1},
         .rows = 5,
         .most = 12},
        {.spec = MODEL(DENSE(3), PLAIN(relu), DENSE(V)),
         .form = {.input = {1, {4}}, .classes = V, .terms = 1},
         .loss = CROSS_ENTROPY,
         .rows = 131,
         .most = 12},
        {.spec = MODEL(DENSE(3), PLAIN(relu), DENSE(V)), .form = FEATURES(4, V), .rows = 131, .most = 12},
        {.spec = MODEL(DENSE(V)), .form = FEATURES(4, V), .rows = 131, .most = 12},
    };
    for (size_t i = 0; i < COUNT(trials); i++) {
        struct bench b;
        CU_ASSERT_TRUE_FATAL(bench_init(&b, &trials[i]));
        CU_ASSERT_TRUE(b.model.tile_rows > 0 &&
                       2 * b.model.tile_rows <
                           trials[i].rows * (trials[i].form.classes > 0 ? trials[i].form.terms : 1));
        bench_release(&b);
    }
    trials_pass(trials, COUNT(trials));
}

static void conv1d_is_right_with_any_kernel_stride_and_padding(void)
{
    struct trial trials[] = {
        {.spec = MODEL(CONV1D(3, 3, 1, 0), CONV1D(2, 2, 1, 0)), .form = SEQUENCE(7, 2, 8), .rows = 3, .room = 4},
        {.spec = MODEL(CONV1D(3, 1, 1, 0), CONV1D(2, 1, 2, 0)), .form = SEQUENCE(5, 2, 6), .rows = 2},
        {.spec = MODEL(CONV1D(3, 3, 1, 1), CONV1D(2, 3, 2, 2)), .form = SEQUENCE(6, 2, 8), .rows = 2},
        {.spec = MODEL(CONV1D(3, 4, 1, PADDING_SAME), PLAIN(tanh), CONV1D(2, 5, 3, PADDING_SAME)),
         .form = SEQUENCE(8, 1, 6),
         .rows = 2},
        {.spec = MODEL(CONV1D(2, 5, 1, 5), CONV1D(1, 9, 1, PADDING_SAME), DENSE(2)),
         .form = SEQUENCE(2, 3, 16),
         .rows = 2},
        {.spec = MODEL(LAYER(conv1d, .filters = 2, .kernel = 2, .stride = 1, .init = INIT_DEFAULT), DENSE(2)),
         .form = SEQUENCE(4, 3, 6),
         .rows = 2},
        {.spec = MODEL(CONV1D(2, 3, 1, 1), DENSE(2)), .form = FEATURES(5, 10), .rows = 2},
        {.spec = MODEL(CONV1D(2, 3, 1, 1), DENSE(2)), .form = IMAGE(1, 5, 3, 10), .rows = 2},
        /* Rows in several tiles, of one sample each, and of several. */
        {.spec = MODEL(DENSE(64), CONV1D(2, 7, 1, PADDING_SAME)), .form = SEQUENCE(600, 1, 1200), .rows = 3, .most = 4},
        {.spec = MODEL(DENSE(64), CONV1D(2, 7, 1, PADDING_SAME)), .form = SEQUENCE(150, 1, 300), .rows = 7, .most = 4},
    };
    trials_pass(trials, COUNT(trials));
}

int main(void)
{
    static const struct test_case cases[] = {
        {"embeddings are right", embeddings_are_right},
        {"attention is right with any heads and length", attention_is_right_with_any_heads_and_length},
        {"attention of one position is its value", attention_of_one_position_is_its_value},
        {"transformers are right", transformers_are_right},
        {"language models are right, tied and untied", language_models_are_right_tied_and_untied},
        {"last layers made in tiles are right", last_layers_made_in_tiles_are_right},
        {"conv1d is right with any kernel, stride and padding", conv1d_is_right_with_any_kernel_stride_and_padding},
        {NULL, NULL},
    };
    return test_run("nn/layers_sequence", cases);
}
