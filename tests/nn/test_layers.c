/* Layers on features, dropout, norms and residual connections against the second implementation; and what holds for
 * every layer's gradient. Images and sequences: test_layers_image.c, test_layers_sequence.c. */
#include "base/memory.h"
#include "nn/trial.h"
#include "support/test.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static void dense_is_right_on_features_sequences_and_images(void)
{
    struct trial trials[] = {
        {.spec = MODEL(DENSE(1)), .form = FEATURES(1, 1), .rows = 1},
        {.spec = MODEL(DENSE(5), DENSE(3)), .form = FEATURES(11, 3), .rows = 1},
        {.spec = MODEL(DENSE(17), DENSE(1)), .form = FEATURES(11, 1), .rows = 7, .room = 9},
        {.spec = MODEL(DENSE(16), DENSE(16)), .form = FEATURES(16, 16), .rows = 16},
        {.spec = MODEL(DENSE(5), DENSE(3)), .form = SEQUENCE(7, 4, 21), .rows = 3, .room = 5},
        {.spec = MODEL(DENSE(4), PLAIN(flatten), DENSE(3)), .form = SEQUENCE(5, 3, 3), .rows = 2},
        {.spec = MODEL(DENSE(5)), .form = IMAGE(2, 3, 5, 5), .rows = 4, .room = 5},
        {.spec = MODEL(PLAIN(flatten), DENSE(5)), .form = IMAGE(2, 3, 5, 5), .rows = 4},
        {.spec = MODEL(DENSE_ALONE(6), DENSE(3)), .form = FEATURES(5, 3), .rows = 4},
        {.spec = MODEL(DENSE(4), DENSE_ALONE(3)), .form = SEQUENCE(5, 3, 15), .rows = 2},
    };
    trials_pass(trials, COUNT(trials));
}

static void activations_are_right(void)
{
    struct trial trials[] = {
        {.spec = MODEL(DENSE(19), PLAIN(relu)), .form = FEATURES(11, 19), .rows = 7, .room = 8},
        {.spec = MODEL(DENSE(19), GELU(GELU_EXACT)), .form = FEATURES(11, 19), .rows = 7},
        {.spec = MODEL(DENSE(19), GELU(GELU_TANH)), .form = FEATURES(11, 19), .rows = 7},
        {.spec = MODEL(DENSE(19), PLAIN(tanh)), .form = FEATURES(11, 19), .rows = 7},
        {.spec = MODEL(DENSE(19), PLAIN(sigmoid)), .form = FEATURES(11, 19), .rows = 7},
        {.spec = MODEL(DENSE(19), PLAIN(silu)), .form = FEATURES(11, 19), .rows = 7},
        {.spec = MODEL(DENSE(5), PLAIN(silu), DENSE(2)), .form = SEQUENCE(3, 4, 6), .rows = 2, .room = 3},
        {.spec = MODEL(CONV2D(3, 1, 1, 0), GELU(GELU_EXACT)), .form = IMAGE(2, 3, 5, 45), .rows = 2},
        {.spec = MODEL(PLAIN(relu), DENSE(4), PLAIN(tanh), PLAIN(relu), PLAIN(sigmoid)),
         .form = FEATURES(5, 4),
         .rows = 3},
        {.spec = MODEL(DENSE(6), PLAIN(tanh), GELU(GELU_EXACT), PLAIN(relu), GELU(GELU_TANH), PLAIN(silu), DENSE(3)),
         .form = FEATURES(5, 3),
         .rows = 5},
    };
    trials_pass(trials, COUNT(trials));
}

static void relu_keeps_nan_and_is_0_with_derivative_0_at_0(void)
{
    /* 37 of them, so that vector bodies and tails both meet each. */
    static const float values[] = {NAN, -NAN, INFINITY, -INFINITY, 0, -0.0f, FLT_TRUE_MIN, -FLT_TRUE_MIN, FLT_MAX, -1};
    static const float rectified[] = {NAN, NAN, INFINITY, 0, 0, 0, FLT_TRUE_MIN, 0, FLT_MAX, 0};
    enum { N = 37, KINDS = COUNT(values) };
    struct layer layer = {.class = &layer_relu, .inputs = N, .outputs = N};
    struct leaf leaf = {.rows = 1};
    struct pass pass = {.leaf = &leaf, .training = true};
    float x[N], y[N], dy[N], dx[N];
    for (size_t i = 0; i < N; i++) {
        x[i] = values[i % KINDS];
        dy[i] = (float)i + 1;
    }
    layer_relu.forward(&layer, &pass, x, y, NULL);
    layer_relu.backward(&layer, &pass, x, y, NULL, dy, dx);
    for (size_t i = 0; i < N; i++) {
        float expected = rectified[i % KINDS];
        CU_ASSERT_TRUE(isnan(expected) ? isnan(y[i]) : y[i] == expected && !signbit(y[i]));
        CU_ASSERT_EQUAL(dx[i], isnan(expected) || expected > 0 ? dy[i] : 0);
    }
    for (size_t i = 0; i < N; i++)
        dy[i] = NAN; /* a NaN from above passes where the input was positive */
    layer_relu.backward(&layer, &pass, x, y, NULL, dy, dx);
    CU_ASSERT_TRUE(isnan(dx[2]) && isnan(dx[6]) && isnan(dx[8]) && isnan(dx[0]));
}

/* What is appended may be overwritten no more before it is, and its gradient is the sum of all that have read it. */
static void concat_is_right_wherever_the_other_layer_is(void)
{
    struct trial trials[] = {
        {.spec = MODEL(DENSE(5), PLAIN_NAMED("a", tanh), DENSE(4), CONCAT("a"), DENSE(3)),
         .form = FEATURES(4, 3),
         .rows = 3,
         .room = 4},
        {.spec = MODEL(DENSE(5), PLAIN_NAMED("a", tanh), CONCAT("a"), DENSE(3)), .form = FEATURES(4, 3), .rows = 3},
        {.spec = MODEL(DENSE(5), PLAIN_NAMED("a", tanh), DENSE(2), CONCAT("a")), .form = FEATURES(4, 7), .rows = 3},
        /* Two that read one, one that reads two, one that nobody reads. */
        {.spec = MODEL(DENSE(3), PLAIN_NAMED("a", tanh), DENSE(4), PLAIN_NAMED("b", relu), CONCAT("a"), CONCAT("b"),
                       DENSE(2), CONCAT("a"), PLAIN_NAMED("c", tanh), DENSE(2)),
         .form = FEATURES(4, 2),
         .rows = 5},
        /* Of the inputs themselves, behind which nothing learns. */
        {.spec = MODEL(PLAIN_NAMED("in", flatten), DENSE(4), PLAIN(tanh), CONCAT("in"), DENSE(2)),
         .form = FEATURES(4, 2),
         .rows = 3},
        {.spec = MODEL(PLAIN_NAMED("in", tanh), DENSE(4), PLAIN(tanh), CONCAT("in"), DENSE(2)),
         .form = FEATURES(4, 2),
         .rows = 3},
        /* Sequences; images, of which parts are in place. */
        {.spec = MODEL(DENSE(3), PLAIN_NAMED("a", silu), DENSE(4), CONCAT("a"), DENSE(2)),
         .form = SEQUENCE(3, 2, 6),
         .rows = 2},
        {.spec = MODEL(CONV2D(2, 3, 1, 1), PLAIN_NAMED("a", relu), POOL(max_pool, 2, 2), CONV2D(3, 3, 1, 1),
                       PLAIN_NAMED("b", relu), POOL(max_pool, 2, 2), CONV2D(4, 3, 1, 1), PLAIN(relu),
                       UPSAMPLE(2, UPSAMPLE_LINEAR), CONCAT("b"), CONV2D(3, 3, 1, 1), PLAIN(relu),
                       UPSAMPLE(2, UPSAMPLE_NEAREST), CONCAT("a"), CONV2D(1, 1, 1, 0)),
         .form = IMAGE(1, 8, 8, 64),
         .rows = 3,
         .room = 4},
        /* In, around and across residual connections. */
        {.spec = MODEL(NAMED("a", dense, .units = 3, .bias = true, .init = INIT_DEFAULT),
                       RESIDUAL(PLAIN(tanh), CONCAT("a"), DENSE(3)), PLAIN(silu), DENSE(2)),
         .form = FEATURES(4, 2),
         .rows = 3},
        {.spec = MODEL(DENSE(3), RESIDUAL(PLAIN_NAMED("a", tanh), DENSE(3), CONCAT("a"), DENSE(3)), DENSE(2)),
         .form = FEATURES(4, 2),
         .rows = 3},
        {.spec = MODEL(DENSE(3), RESIDUAL(PLAIN(tanh), PLAIN_NAMED("a", relu)), DENSE(2)),
         .form = FEATURES(4, 2),
         .rows = 3},
        {.spec = MODEL(
             DENSE(3),
             {.class = &layer_residual, .settings = &(struct residual){LAYERS_OF(PLAIN(tanh))}, .name = (char[]){"a"}},
             RESIDUAL(DENSE(3)), CONCAT("a"), RESIDUAL(PLAIN(tanh)), DENSE(2)),
         .form = FEATURES(4, 2),
         .rows = 3},
        {.spec = MODEL(DENSE(3), REPEAT(PLAIN_NAMED("a", tanh), DENSE(2), CONCAT("a"), DENSE(3)), DENSE(2)),
         .form = FEATURES(4, 2),
         .rows = 3},
    };
    trials_pass(trials, COUNT(trials));
}

/* Its mask is computed again by the second implementation, from the seed, the step, the name and the place. */
static void dropout_is_right_at_any_step_and_place_in_the_batch(void)
{
    struct trial trials[] = {
        {.spec = MODEL(DENSE(21), DROPOUT(0.5), DENSE(3)), .form = FEATURES(5, 3), .rows = 6, .room = 8},
        {.spec = MODEL(DENSE(21), DROPOUT(0.25)), .form = FEATURES(5, 21), .rows = 6, .first = 13, .step = 7},
        {.spec = MODEL(DENSE(9), DROPOUT(0.1), PLAIN(relu), DROPOUT(0.9), DENSE(3)),
         .form = FEATURES(5, 3),
         .rows = 16,
         .first = 5000000001,
         .step = 1000000007},
        {.spec = MODEL(DENSE(9), DROPOUT(0)), .form = FEATURES(5, 9), .rows = 4},
        {.spec = MODEL(DROPOUT(0.5), DENSE(3)), .form = FEATURES(33, 3), .rows = 5, .first = 1},
        {.spec = MODEL(DENSE(4), DROPOUT(0.25), DENSE(2)), .form = SEQUENCE(5, 3, 10), .rows = 3, .first = 3},
        {.spec = MODEL(CONV2D(2, 1, 1, 0), DROPOUT(0.25)), .form = IMAGE(1, 3, 5, 30), .rows = 3, .first = 3},
    };
    trials_pass(trials, COUNT(trials));
}

static void layer_norm_and_rms_norm_are_right(void)
{
    struct trial trials[] = {
        {.spec = MODEL(DENSE(19), NORM(layer_norm)), .form = FEATURES(5, 19), .rows = 6, .room = 7},
        {.spec = MODEL(DENSE(19), NORM(rms_norm)), .form = FEATURES(5, 19), .rows = 6, .room = 7},
        {.spec = MODEL(DENSE(3), NORM(layer_norm), DENSE(3)), .form = FEATURES(5, 3), .rows = 3},
        {.spec = MODEL(DENSE(2), NORM(rms_norm), DENSE(3)), .form = FEATURES(5, 3), .rows = 3},
        {.spec = MODEL(DENSE(16), {.class = &layer_layer_norm, .settings = &(struct row_norm){.epsilon = 0.5}}),
         .form = FEATURES(5, 16),
         .rows = 3},
        {.spec = MODEL(DENSE(16), {.class = &layer_rms_norm, .settings = &(struct row_norm){.epsilon = 0.5}}),
         .form = FEATURES(5, 16),
         .rows = 3},
        {.spec = MODEL(DENSE(7), NORM(layer_norm), DENSE(2)), .form = SEQUENCE(5, 3, 10), .rows = 3},
        {.spec = MODEL(DENSE(7), NORM(rms_norm)), .form = SEQUENCE(5, 3, 35), .rows = 3},
        {.spec = MODEL(CONV2D(2, 1, 1, 0), NORM(layer_norm)), .form = IMAGE(1, 3, 5, 30), .rows = 3},
        {.spec = MODEL(CONV2D(2, 1, 1, 0), NORM(rms_norm)), .form = IMAGE(1, 3, 5, 30), .rows = 3},
        {.spec = MODEL(NORM(layer_norm), DENSE(3)), .form = FEATURES(5, 3), .rows = 3},
    };
    trials_pass(trials, COUNT(trials));
}

/* The connection must find what went in, whatever overwrote its buffer; and the gradient of its end as well. */
static void residual_connections_are_right(void)
{
    struct trial trials[] = {
        {.spec = MODEL(DENSE(6), RESIDUAL(DENSE(6))), .form = FEATURES(5, 6), .rows = 4},
        {.spec = MODEL(DENSE(6), RESIDUAL(PLAIN(relu), DENSE(6)), DENSE(3)),
         .form = FEATURES(5, 3),
         .rows = 4,
         .room = 5},
        {.spec = MODEL(DENSE(6), PLAIN(tanh), RESIDUAL(PLAIN(tanh), PLAIN(relu), DENSE(6), PLAIN(relu)), PLAIN(relu),
                       DENSE(3)),
         .form = FEATURES(5, 3),
         .rows = 4},
        /* Nothing but layers that work in place. */
        {.spec = MODEL(DENSE(6), RESIDUAL(PLAIN(sigmoid)), RESIDUAL(PLAIN(relu), DROPOUT(0.25))),
         .form = FEATURES(5, 6),
         .rows = 4},
        /* It begins with the data itself. */
        {.spec = MODEL(RESIDUAL(DENSE(5)), DENSE(2)), .form = FEATURES(5, 2), .rows = 4},
        {.spec = MODEL(RESIDUAL(PLAIN(relu), DENSE(5)), DENSE(2)), .form = FEATURES(5, 2), .rows = 4},
        {.spec = MODEL(RESIDUAL(PLAIN(tanh)), DENSE(2)), .form = FEATURES(5, 2), .rows = 4},
        {.spec = MODEL(DENSE(6), RESIDUAL(NORM(layer_norm), DENSE(9), GELU(GELU_EXACT), DENSE(6)), NORM(rms_norm)),
         .form = SEQUENCE(3, 4, 18),
         .rows = 2},
    };
    trials_pass(trials, COUNT(trials));
}

static void nested_and_repeated_layers_are_right(void)
{
    struct trial trials[] = {
        {.spec = MODEL(DENSE(6), RESIDUAL(DENSE(4), RESIDUAL(PLAIN(relu), DENSE(4), PLAIN(tanh)), DENSE(6)), DENSE(3)),
         .form = FEATURES(5, 3),
         .rows = 4},
        /* Two connections that begin at the same place, that end at the same place, and both. */
        {.spec = MODEL(DENSE(6), RESIDUAL(RESIDUAL(PLAIN(relu)), DENSE(6))), .form = FEATURES(5, 6), .rows = 4},
        {.spec = MODEL(DENSE(6), RESIDUAL(DENSE(6), RESIDUAL(PLAIN(relu)))), .form = FEATURES(5, 6), .rows = 4},
        {.spec = MODEL(DENSE(6), RESIDUAL(RESIDUAL(DENSE(6), PLAIN(relu))), DENSE(2)),
         .form = FEATURES(5, 2),
         .rows = 4},
        {.spec = MODEL(RESIDUAL(RESIDUAL(RESIDUAL(PLAIN(sigmoid)))), DENSE(2)), .form = FEATURES(5, 2), .rows = 4},
        {.spec = MODEL(DENSE(4), REPEAT(DENSE(5), PLAIN(relu)), DENSE(3)), .form = FEATURES(5, 3), .rows = 4},
        {.spec = MODEL(DENSE(6), REPEAT(RESIDUAL(NORM(layer_norm), DENSE(6), DROPOUT(0.25))), DENSE(3)),
         .form = FEATURES(5, 3),
         .rows = 4},
        {.spec = MODEL(REPEAT(RESIDUAL(REPEAT(PLAIN(tanh), DENSE(5)), PLAIN(relu)))),
         .form = FEATURES(5, 5),
         .rows = 3},
    };
    trials_pass(trials, COUNT(trials));
}

/* ---- NaN ---- */

/* A step that has met a NaN must be seen as such, in the loss and in the gradient of every tensor. */
static void a_nan_input_makes_loss_and_every_tensors_gradient_nan(void)
{
    struct trial trials[] = {
        {.spec = MODEL(DENSE(9), PLAIN(relu), DENSE(3)), .form = FEATURES(5, 3), .rows = 4},
        {.spec = MODEL(DENSE(9), BATCH_NORM, PLAIN(relu), RESIDUAL(PLAIN(tanh), DENSE(9)), DENSE(3)),
         .form = FEATURES(5, 3),
         .rows = 4},
        {.spec = MODEL(CONV2D(3, 3, 1, 1), GROUP_NORM(1), PLAIN(relu), POOL(max_pool, 2, 2), CONV2D(2, 2, 1, 0),
                       PLAIN(global_avg_pool), DENSE(3)),
         .form = IMAGE(1, 6, 6, 3),
         .rows = 2},
        {.spec = MODEL(CONV2D(3, 3, 1, PADDING_SAME), BATCH_NORM, PLAIN(silu), POOL(avg_pool, 2, 2), DENSE(3)),
         .form = IMAGE(1, 6, 6, 3),
         .rows = 2},
        {.spec = MODEL(DENSE(6), TRANSFORMER(1, 2, false, 0), NORM(rms_norm), DENSE(2)),
         .form = SEQUENCE(5, 3, 10),
         .rows = 2},
    };
    for (size_t i = 0; i < COUNT(trials); i++)
        for (size_t place = 0; place < trials[i].rows * shape_count(&trials[i].form.input); place++) {
            struct bench b;
            struct loss_sums sums = {0};
            CU_ASSERT_TRUE_FATAL(bench_init(&b, &trials[i]));
            memset(b.gradient, 0, b.model.table.count * sizeof *b.gradient);
            b.model.leaf.inputs[place] = NAN;
            model_train_leaf(&b.model, b.params, 0, b.gradient, &sums, NULL);
            CU_ASSERT_TRUE(isnan(sums.loss));
            for (size_t t = 0; t < b.model.table.length; t++) {
                size_t nans = 0;
                for (size_t e = 0; e < b.model.table.tensors[t].count; e++)
                    nans += isnan(b.gradient[b.model.table.tensors[t].offset + e]) != 0;
                CU_ASSERT_NOT_EQUAL(nans, 0);
                if (nans == 0)
                    printf("\n    model %zu, NaN at %zu: %s has none", i, place, b.model.table.tensors[t].name);
            }
            bench_release(&b);
        }
}

int main(void)
{
    static const struct test_case cases[] = {
        {"dense is right on features, sequences and images", dense_is_right_on_features_sequences_and_images},
        {"activations are right", activations_are_right},
        {"relu keeps NaN, and is 0 with derivative 0 at 0", relu_keeps_nan_and_is_0_with_derivative_0_at_0},
        {"concat is right wherever the other layer is", concat_is_right_wherever_the_other_layer_is},
        {"dropout is right at any step and place in the batch", dropout_is_right_at_any_step_and_place_in_the_batch},
        {"layer norm and RMS norm are right", layer_norm_and_rms_norm_are_right},
        {"residual connections are right", residual_connections_are_right},
        {"nested and repeated layers are right", nested_and_repeated_layers_are_right},
        {"a NaN input makes the loss and every tensor's gradient NaN",
         a_nan_input_makes_loss_and_every_tensors_gradient_nan},
        {NULL, NULL},
    };
    return test_run("nn/layers", cases);
}
