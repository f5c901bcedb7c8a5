/* Layers on images, and batch_norm everywhere, against the second implementation. */
#include "nn/trial.h"
#include "support/test.h"

#include <string.h>

/* A layer in front, so that the second one's input gradient is checked: it is what the first one's is made of. */
static void conv2d_is_right_with_any_kernel_stride_and_padding(void)
{
    struct trial trials[] = {
        {.spec = MODEL(CONV2D(3, 3, 1, 0), CONV2D(2, 3, 1, 0)), .form = IMAGE(2, 7, 9, 30), .rows = 3, .room = 4},
        {.spec = MODEL(CONV2D(3, 1, 1, 0), CONV2D(2, 1, 1, 0)), .form = IMAGE(2, 3, 5, 30), .rows = 3, .room = 4},
        {.spec = MODEL(CONV2D(3, 1, 2, 0), CONV2D(2, 1, 2, 0)), .form = IMAGE(2, 7, 9, 12), .rows = 3},
        {.spec = MODEL(CONV2D(3, 3, 1, 1), CONV2D(2, 5, 1, 2)), .form = IMAGE(1, 5, 6, 60), .rows = 2},
        {.spec = MODEL(CONV2D(3, 3, 2, 1), CONV2D(2, 3, 2, 1)), .form = IMAGE(2, 8, 9, 12), .rows = 2},
        {.spec = MODEL(CONV2D(3, 2, 1, 0), CONV2D(2, 2, 2, 1)), .form = IMAGE(2, 5, 7, 24), .rows = 2},
        {.spec = MODEL(CONV2D(3, 3, 1, PADDING_SAME), CONV2D(2, 2, 1, PADDING_SAME)),
         .form = IMAGE(2, 5, 4, 40),
         .rows = 2},
        {.spec = MODEL(CONV2D(3, 4, 1, PADDING_SAME), CONV2D(2, 4, 2, PADDING_SAME)),
         .form = IMAGE(1, 7, 5, 24),
         .rows = 2},
        {.spec = MODEL(CONV2D(3, 3, 2, PADDING_SAME), CONV2D(2, 3, 3, PADDING_SAME)),
         .form = IMAGE(1, 8, 7, 8),
         .rows = 2},
        {.spec = MODEL(CONV2D(2, 2, 3, PADDING_SAME), CONV2D(2, 1, 3, PADDING_SAME)),
         .form = IMAGE(1, 8, 7, 2),
         .rows = 2},
        /* All of the image under one kernel; zeros that reach further than the kernel's centre; more filters than a
         * vector has lanes; pixels that no window reaches. */
        {.spec = MODEL(CONV2D(3, 3, 1, 0), CONV2D(4, 4, 1, 0)), .form = IMAGE(2, 6, 6, 4), .rows = 3},
        {.spec = MODEL(CONV2D(2, 3, 1, 3), CONV2D(2, 3, 2, 2)), .form = IMAGE(1, 2, 3, 40), .rows = 2},
        {.spec = MODEL(CONV2D(19, 2, 1, 0), CONV2D(1, 2, 1, 0)), .form = IMAGE(3, 4, 5, 6), .rows = 2},
        {.spec = MODEL(CONV2D(2, 1, 1, 0), CONV2D(2, 2, 3, 0)), .form = IMAGE(1, 7, 6, 8), .rows = 2},
        {.spec = MODEL(CONV2D_ALONE(3, 3), CONV2D_ALONE(2, 1)), .form = IMAGE(2, 4, 5, 12), .rows = 2},
        /* A kernel larger than the image. */
        {.spec = MODEL(CONV2D(2, 7, 1, PADDING_SAME), CONV2D(2, 7, 2, PADDING_SAME)),
         .form = IMAGE(1, 3, 2, 4),
         .rows = 2},
        {.spec = MODEL(CONV2D(2, 3, 1, 5), CONV2D(1, 6, 1, PADDING_SAME)), .form = IMAGE(1, 2, 1, 90), .rows = 3},
        /* Columns in several tiles: of a large image's rows, which overlap in its gradient, and of many samples. */
        {.spec = MODEL(CONV2D(64, 1, 1, 0), CONV2D(2, 5, 1, 2)), .form = IMAGE(1, 17, 15, 510), .rows = 2, .most = 8},
        {.spec = MODEL(CONV2D(64, 1, 1, 0), CONV2D(2, 6, 2, PADDING_SAME)),
         .form = IMAGE(1, 33, 31, 544),
         .rows = 2,
         .most = 4},
        {.spec = MODEL(CONV2D(2, 3, 1, 1), PLAIN(relu), CONV2D(1, 3, 2, 1)), .form = IMAGE(1, 4, 4, 4), .rows = 65},
        {.spec = MODEL(CONV2D(2, 3, 1, 1), PLAIN(relu), CONV2D(2, 3, 1, 1)), .form = IMAGE(1, 28, 28, 1568), .rows = 3},
    };
    trials_pass(trials, COUNT(trials));
}

static void pools_are_right_also_with_windows_that_overlap(void)
{
    struct trial trials[] = {
        {.spec = MODEL(CONV2D(2, 2, 1, 0), POOL(max_pool, 2, 0)), .form = IMAGE(1, 7, 9, 24), .rows = 3, .room = 4},
        {.spec = MODEL(CONV2D(2, 2, 1, 0), POOL(avg_pool, 2, 0)), .form = IMAGE(1, 7, 9, 24), .rows = 3, .room = 4},
        {.spec = MODEL(CONV2D(2, 1, 1, 0), POOL(max_pool, 2, 2)), .form = IMAGE(1, 7, 9, 24), .rows = 3},
        {.spec = MODEL(CONV2D(2, 1, 1, 0), POOL(avg_pool, 2, 2)), .form = IMAGE(1, 7, 9, 24), .rows = 3},
        {.spec = MODEL(CONV2D(2, 1, 1, 0), POOL(max_pool, 3, 1)), .form = IMAGE(1, 5, 6, 24), .rows = 3},
        {.spec = MODEL(CONV2D(2, 1, 1, 0), POOL(avg_pool, 3, 1)), .form = IMAGE(1, 5, 6, 24), .rows = 3},
        {.spec = MODEL(CONV2D(2, 1, 1, 0), POOL(max_pool, 3, 2), DENSE(2)), .form = IMAGE(1, 7, 8, 2), .rows = 2},
        {.spec = MODEL(CONV2D(2, 1, 1, 0), POOL(avg_pool, 3, 2), DENSE(2)), .form = IMAGE(1, 7, 8, 2), .rows = 2},
        {.spec = MODEL(CONV2D(2, 1, 1, 0), POOL(max_pool, 2, 3), DENSE(2)), .form = IMAGE(1, 7, 8, 2), .rows = 2},
        {.spec = MODEL(CONV2D(2, 1, 1, 0), POOL(avg_pool, 2, 3), DENSE(2)), .form = IMAGE(1, 7, 8, 2), .rows = 2},
        {.spec = MODEL(CONV2D(2, 1, 1, 0), POOL(max_pool, 5, 0), DENSE(2)), .form = IMAGE(1, 5, 5, 2), .rows = 2},
        /* Planes that are pooled in parts. */
        {.spec = MODEL(CONV2D(2, 1, 1, 0), POOL(max_pool, 2, 2)), .form = IMAGE(1, 41, 61, 1200), .rows = 2},
        {.spec = MODEL(CONV2D(1, 1, 1, 0), POOL(max_pool, 3, 1)), .form = IMAGE(1, 41, 61, 2301), .rows = 2},
        {.spec = MODEL(CONV2D(1, 1, 1, 0), POOL(avg_pool, 3, 1)), .form = IMAGE(1, 41, 61, 2301), .rows = 2},
        {.spec = MODEL(CONV2D(2, 1, 1, 0), PLAIN(global_avg_pool), DENSE(2)),
         .form = IMAGE(1, 3, 5, 2),
         .rows = 2,
         .room = 3},
        {.spec = MODEL(CONV2D(3, 1, 1, 0), PLAIN(global_avg_pool)), .form = IMAGE(1, 3, 5, 3), .rows = 2},
        {.spec = MODEL(DENSE(4), PLAIN(global_avg_pool), DENSE(2)), .form = SEQUENCE(5, 3, 2), .rows = 2, .room = 3},
        {.spec = MODEL(CONV2D(2, 2, 1, 0), PLAIN(flatten), PLAIN(tanh), DENSE(2)),
         .form = IMAGE(1, 3, 5, 2),
         .rows = 2},
    };
    trials_pass(trials, COUNT(trials));
}

static void upsample_is_right_in_both_modes(void)
{
    struct trial trials[] = {
        {.spec = MODEL(CONV2D(2, 2, 1, 0), UPSAMPLE(2, UPSAMPLE_NEAREST)), .form = IMAGE(1, 3, 5, 64), .rows = 2},
        {.spec = MODEL(CONV2D(2, 2, 1, 0), UPSAMPLE(2, UPSAMPLE_LINEAR)),
         .form = IMAGE(1, 3, 5, 64),
         .rows = 2,
         .room = 3},
        {.spec = MODEL(CONV2D(2, 1, 1, 0), UPSAMPLE(3, UPSAMPLE_LINEAR)), .form = IMAGE(1, 1, 4, 72), .rows = 3},
        {.spec = MODEL(CONV2D(1, 1, 1, 0), UPSAMPLE(4, UPSAMPLE_LINEAR)), .form = IMAGE(2, 7, 6, 672), .rows = 2},
        {.spec = MODEL(CONV2D(2, 1, 1, 0), UPSAMPLE(1, UPSAMPLE_LINEAR)), .form = IMAGE(1, 2, 2, 8), .rows = 2},
        {.spec = MODEL(CONV2D(2, 1, 1, 0), UPSAMPLE(2, UPSAMPLE_LINEAR), PLAIN(relu), CONV2D(1, 3, 2, 1)),
         .form = IMAGE(1, 2, 1, 2),
         .rows = 2},
        {.spec = MODEL(DENSE(3), UPSAMPLE(2, UPSAMPLE_NEAREST), DENSE(2)), .form = SEQUENCE(4, 2, 16), .rows = 3},
        {.spec = MODEL(DENSE(1), UPSAMPLE(3, UPSAMPLE_NEAREST)), .form = SEQUENCE(5, 2, 15), .rows = 2},
        {.spec = MODEL(DENSE(1), UPSAMPLE(3, UPSAMPLE_LINEAR)), .form = SEQUENCE(6, 2, 18), .rows = 2},
        {.spec = MODEL(DENSE(3), UPSAMPLE(2, UPSAMPLE_LINEAR)), .form = SEQUENCE(1, 2, 6), .rows = 2},
        {.spec = MODEL(DENSE(5), UPSAMPLE(5, UPSAMPLE_LINEAR), DENSE(2)), .form = SEQUENCE(3, 2, 30), .rows = 2},
    };
    trials_pass(trials, COUNT(trials));
}

/* Training: statistics of the leaf; they, times the leaf's terms, in place of a gradient. Evaluation: the running ones.
 * Nothing in front has a bias: its shift would be undone, so that its derivative is 0, and tells nothing. */
static void batch_norm_is_right_in_training_and_evaluation(void)
{
    struct trial trials[] = {
        {.spec = MODEL(CONV2D_ALONE(3, 2), BATCH_NORM), .form = IMAGE(2, 4, 5, 36), .rows = 3, .room = 5},
        {.spec = MODEL(CONV2D_ALONE(3, 2), BATCH_NORM, PLAIN(relu), CONV2D(2, 2, 1, 0)),
         .form = IMAGE(2, 4, 5, 12),
         .rows = 3},
        {.spec = MODEL(CONV2D_ALONE(2, 1), BATCH_NORM, DENSE(2)), .form = IMAGE(1, 3, 5, 2), .rows = 1},
        {.spec = MODEL(DENSE_ALONE(19), BATCH_NORM), .form = FEATURES(5, 19), .rows = 7, .room = 9},
        {.spec = MODEL(DENSE_ALONE(5), BATCH_NORM, PLAIN(tanh), DENSE(3)), .form = FEATURES(5, 3), .rows = 33},
        {.spec = MODEL(DENSE_ALONE(5), BATCH_NORM, DENSE(3)), .form = SEQUENCE(4, 3, 12), .rows = 3, .room = 5},
        {.spec = MODEL(DENSE_ALONE(19), LAYER(batch_norm, .epsilon = 0.5, .momentum = 0.9)),
         .form = SEQUENCE(4, 3, 76),
         .rows = 3},
        {.spec = MODEL(BATCH_NORM, DENSE(2)), .form = FEATURES(5, 2), .rows = 4},
        {.spec = MODEL(BATCH_NORM, CONV2D(2, 2, 1, 0)), .form = IMAGE(2, 3, 4, 12), .rows = 4},
        {.spec = MODEL(CONV2D_ALONE(3, 1), RESIDUAL(BATCH_NORM, PLAIN(relu), CONV2D_ALONE(3, 1)), BATCH_NORM,
                       PLAIN(relu), PLAIN(global_avg_pool), DENSE(2)),
         .form = IMAGE(2, 4, 3, 2),
         .rows = 3},
    };
    trials_pass(trials, COUNT(trials));
}

static void group_norm_is_right(void)
{
    struct trial trials[] = {
        {.spec = MODEL(CONV2D(6, 2, 1, 0), GROUP_NORM(3)), .form = IMAGE(2, 4, 5, 72), .rows = 3, .room = 4},
        {.spec = MODEL(CONV2D(4, 1, 1, 0), GROUP_NORM(1), DENSE(2)), .form = IMAGE(2, 3, 3, 2), .rows = 2},
        {.spec = MODEL(CONV2D_ALONE(4, 1), GROUP_NORM(4), DENSE(2)), .form = IMAGE(2, 3, 3, 2), .rows = 2},
        {.spec = MODEL(DENSE(18), GROUP_NORM(2), DENSE(2)), .form = FEATURES(5, 2), .rows = 3},
        {.spec = MODEL(DENSE(18), LAYER(group_norm, .epsilon = 0.5, .groups = 6)), .form = FEATURES(5, 18), .rows = 3},
    };
    trials_pass(trials, COUNT(trials));
}

static void one_value_has_no_variance(void)
{
    struct trial trial = {.spec = MODEL(DENSE(4), BATCH_NORM, DENSE(2)), .form = FEATURES(5, 2), .rows = 1};
    struct loss_spec loss = {.class = &loss_mean_squared_error};
    struct model model;
    struct error error;
    CU_ASSERT_FALSE(model_init(&model, &trial.spec, &loss, &trial.form, 1, 1, &error));
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "1.batch_norm"));
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "microbatch"));
    CU_ASSERT_TRUE(model_init(&model, &trial.spec, &loss, &trial.form, 2, 1, &error));
    model_release(&model);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"conv2d is right with any kernel, stride and padding", conv2d_is_right_with_any_kernel_stride_and_padding},
        {"pools are right, also with windows that overlap", pools_are_right_also_with_windows_that_overlap},
        {"upsample is right in both modes", upsample_is_right_in_both_modes},
        {"batch norm is right in training and evaluation", batch_norm_is_right_in_training_and_evaluation},
        {"group norm is right", group_norm_is_right},
        {"one value has no variance", one_value_has_no_variance},
        {NULL, NULL},
    };
    return test_run("nn/layers_image", cases);
}
