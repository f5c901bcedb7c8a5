/* Layers on volumes, and losses of each place of an image or a volume, against the second implementation. */
#include "nn/trial.h"
#include "support/test.h"

#include <string.h>

/* A layer in front, so that the second one's input gradient is checked: it is what the first one's is made of. */
static void conv3d_is_right_with_any_kernel_stride_and_padding(void)
{
    struct trial trials[] = {
        {.spec = MODEL(CONV3D(3, 2, 1, 0), CONV3D(2, 2, 1, 0)), .form = VOLUME(2, 3, 4, 5, 12), .rows = 3, .room = 4},
        {.spec = MODEL(CONV3D(3, 1, 1, 0), CONV3D(2, 1, 1, 0)), .form = VOLUME(2, 2, 3, 4, 48), .rows = 2, .room = 3},
        {.spec = MODEL(CONV3D(2, 1, 2, 0), CONV3D(2, 1, 2, 0)), .form = VOLUME(2, 5, 3, 6, 8), .rows = 2},
        {.spec = MODEL(CONV3D(2, 3, 1, 1), CONV3D(2, 3, 2, 1)), .form = VOLUME(1, 3, 4, 5, 24), .rows = 2},
        {.spec = MODEL(CONV3D(2, 2, 1, PADDING_SAME), CONV3D(1, 3, 2, PADDING_SAME)),
         .form = VOLUME(2, 3, 2, 5, 6),
         .rows = 2},
        {.spec = MODEL(CONV3D(2, 4, 1, PADDING_SAME), CONV3D(1, 2, 3, PADDING_SAME)),
         .form = VOLUME(1, 4, 3, 5, 4),
         .rows = 2},
        /* All of it under one kernel; a kernel larger than it; voxels that no window reaches. */
        {.spec = MODEL(CONV3D(2, 1, 1, 0), CONV3D(3, 3, 1, 0)), .form = VOLUME(2, 3, 3, 3, 3), .rows = 2},
        {.spec = MODEL(CONV3D(2, 3, 1, 3), CONV3D(1, 5, 2, 1)), .form = VOLUME(1, 1, 2, 1, 8), .rows = 2},
        {.spec = MODEL(CONV3D(1, 1, 1, 0), CONV3D(2, 2, 3, 0)), .form = VOLUME(1, 4, 7, 3, 4), .rows = 2},
        /* Columns in several tiles, which overlap in the gradient. */
        {.spec = MODEL(CONV3D(40, 1, 1, 0), CONV3D(1, 4, 1, PADDING_SAME)),
         .form = VOLUME(1, 5, 9, 7, 315),
         .rows = 1,
         .most = 3},
        /* An image as a volume of one channel. */
        {.spec = MODEL(CONV3D(2, 2, 1, 0), CONV3D(2, 2, 1, 0)), .form = IMAGE(3, 4, 5, 12), .rows = 2},
        {.spec = MODEL(LAYER(conv3d, .filters = 2, .kernel = 2, .stride = 1, .init = INIT_DEFAULT), DENSE(2)),
         .form = VOLUME(2, 2, 3, 2, 2),
         .rows = 2},
    };
    trials_pass(trials, COUNT(trials));
}

static void pools_and_upsample_are_right_in_volumes(void)
{
    struct trial trials[] = {
        {.spec = MODEL(CONV3D(2, 1, 1, 0), POOL(max_pool, 2, 0)), .form = VOLUME(1, 4, 5, 6, 24), .rows = 2, .room = 3},
        {.spec = MODEL(CONV3D(2, 1, 1, 0), POOL(avg_pool, 2, 0)), .form = VOLUME(1, 4, 5, 6, 24), .rows = 2, .room = 3},
        {.spec = MODEL(CONV3D(2, 1, 1, 0), POOL(max_pool, 3, 1)), .form = VOLUME(1, 4, 5, 4, 24), .rows = 2},
        {.spec = MODEL(CONV3D(2, 1, 1, 0), POOL(avg_pool, 3, 1)), .form = VOLUME(1, 4, 5, 4, 24), .rows = 2},
        {.spec = MODEL(CONV3D(1, 1, 1, 0), POOL(max_pool, 2, 3)), .form = VOLUME(2, 5, 6, 8, 12), .rows = 2},
        {.spec = MODEL(CONV3D(1, 1, 1, 0), POOL(avg_pool, 2, 3)), .form = VOLUME(2, 5, 6, 8, 12), .rows = 2},
        {.spec = MODEL(CONV3D(3, 1, 1, 0), PLAIN(global_avg_pool)), .form = VOLUME(2, 2, 3, 4, 3), .rows = 2},
        {.spec = MODEL(CONV3D(2, 1, 1, 0), UPSAMPLE(2, UPSAMPLE_NEAREST)), .form = VOLUME(1, 2, 3, 2, 192), .rows = 2},
        {.spec = MODEL(CONV3D(1, 1, 1, 0), UPSAMPLE(2, UPSAMPLE_LINEAR)), .form = VOLUME(1, 2, 3, 5, 240), .rows = 2},
        {.spec = MODEL(CONV3D(1, 1, 1, 0), UPSAMPLE(3, UPSAMPLE_LINEAR), PLAIN(relu), CONV3D(1, 2, 3, 0)),
         .form = VOLUME(2, 2, 1, 3, 6),
         .rows = 2},
    };
    trials_pass(trials, COUNT(trials));
}

static void norms_and_compositions_are_right_in_volumes(void)
{
    struct trial trials[] = {
        {.spec = MODEL(LAYER(conv3d, .filters = 3, .kernel = 2, .stride = 1, .init = INIT_DEFAULT), BATCH_NORM,
                       PLAIN(relu), CONV3D(2, 1, 1, 0)),
         .form = VOLUME(2, 3, 2, 4, 12),
         .rows = 3,
         .room = 4},
        {.spec = MODEL(CONV3D(4, 2, 1, 0), GROUP_NORM(2)), .form = VOLUME(1, 2, 3, 4, 24), .rows = 2},
        {.spec = MODEL(CONV3D(2, 1, 1, 0), NORM(layer_norm), DENSE(2)), .form = VOLUME(1, 2, 3, 2, 2), .rows = 2},
        {.spec = MODEL(CONV3D(2, 1, 1, 0), NORM(rms_norm), DENSE(2)), .form = VOLUME(1, 2, 3, 2, 2), .rows = 2},
        {.spec = MODEL(CONV3D(2, 1, 1, 0), RESIDUAL(CONV3D(2, 3, 1, 1), PLAIN(tanh)), PLAIN(flatten), DENSE(2)),
         .form = VOLUME(1, 2, 3, 2, 2),
         .rows = 2},
        {.spec = MODEL(NAMED("a", conv3d, .filters = 2, .kernel = 1, .stride = 1, .init = INIT_DEFAULT),
                       POOL(avg_pool, 2, 0), CONV3D(3, 1, 1, 0), UPSAMPLE(2, UPSAMPLE_LINEAR), CONCAT("a"),
                       CONV3D(1, 3, 1, 1)),
         .form = VOLUME(1, 2, 4, 2, 16),
         .rows = 2},
        {.spec = MODEL(CONV3D(2, 1, 1, 0), DROPOUT(0.5)), .form = VOLUME(1, 2, 3, 2, 24), .rows = 2, .step = 3},
    };
    trials_pass(trials, COUNT(trials));
}

static void a_label_a_pixel_or_voxel_or_position_is_a_term(void)
{
    struct loss_spec softmax = {.class = &loss_softmax_cross_entropy};
    struct loss_spec smoothed = {.class = &loss_softmax_cross_entropy, .label_smoothing = 0.2};
    struct loss_spec binary = {.class = &loss_binary_cross_entropy};
    struct leaf_form pixels = {.input = {3, {2, 4, 5}}, .classes = 3, .terms = 20, .target = {2, {4, 5}}};
    struct leaf_form voxels = {.input = {4, {1, 2, 3, 4}}, .classes = 3, .terms = 24, .target = {4, {1, 2, 3, 4}}};
    struct leaf_form flags = {.input = {3, {1, 3, 4}}, .classes = 2, .terms = 12, .target = {2, {3, 4}}};
    struct leaf_form positions = {.input = {2, {6, 2}}, .classes = 3, .terms = 6};
    struct trial trials[] = {
        {.spec = MODEL(CONV2D(4, 3, 1, 1), PLAIN(relu), CONV2D(3, 1, 1, 0)),
         .loss = softmax,
         .form = pixels,
         .rows = 3,
         .room = 4},
        {.spec = MODEL(CONV2D(4, 3, 1, 1), PLAIN(tanh), CONV2D(3, 3, 1, 1)),
         .loss = smoothed,
         .form = pixels,
         .rows = 2,
         .ignores = true},
        {.spec = MODEL(CONV2D_ALONE(3, 1), BATCH_NORM), .loss = softmax, .form = pixels, .rows = 2, .ignores = true},
        {.spec = MODEL(CONV3D(2, 3, 1, 1), PLAIN(relu), CONV3D(3, 1, 1, 0)),
         .loss = softmax,
         .form = voxels,
         .rows = 2,
         .ignores = true},
        {.spec = MODEL(CONV2D(2, 3, 1, 1), CONV2D(1, 1, 1, 0)),
         .loss = binary,
         .form = flags,
         .rows = 2,
         .ignores = true},
        {.spec = MODEL(CONV1D(4, 3, 1, 1), PLAIN(relu), DENSE(3)), .loss = softmax, .form = positions, .rows = 2},
        {.spec = MODEL(CONV1D(3, 3, 1, 1)), .loss = smoothed, .form = positions, .rows = 2, .ignores = true},
    };
    trials_pass(trials, COUNT(trials));
}

static bool is_refused(const struct trial *trial, const char *words)
{
    struct loss_spec loss = trial->loss.class ? trial->loss : (struct loss_spec){.class = &loss_mean_squared_error};
    struct model model;
    struct error error;
    if (model_init(&model, &trial->spec, &loss, &trial->form, 1, 1, &error)) {
        model_release(&model);
        return false;
    }
    if (!strstr(error.text, words))
        printf("\n    %s", error.text);
    return strstr(error.text, words);
}

static void what_does_not_fit_is_told(void)
{
    const struct {
        struct trial trial;
        const char *words;
    } cases[] = {
        {{.spec = MODEL(CONV3D(2, 3, 1, 0)), .form = VOLUME(1, 2, 5, 5, 1)},
         "0.conv3d (conv3d): a kernel of 3x3x3 does not fit into its input of 1x2x5x5 (channels x depth x height x"},
        {{.spec = MODEL(POOL(max_pool, 3, 0), DENSE(1)), .form = VOLUME(1, 2, 5, 5, 1)},
         "a window of 3x3, as deep, does not fit into its input of 1x2x5x5"},
        {{.spec = MODEL(CONV2D(2, 3, 1, 0)), .form = VOLUME(1, 2, 5, 5, 1)},
         "it needs an image (channels x height x width), but its input is 1x2x5x5 (channels x depth x height x width): "
         "a volume wants conv3d"},
        {{.spec = MODEL(POOL(max_pool, 2, 0), DENSE(1)), .form = {.input = {2, {8, 3}}, .terms = 1}},
         "but its input is 8x3 (positions x channels): a sequence is made shorter by conv1d with a stride"},
        {{.spec = MODEL(CONV2D(2, 3, 1, 0)), .form = {.input = {2, {8, 3}}, .terms = 1}},
         "but its input is 8x3 (positions x channels): a sequence wants conv1d"},
        {{.spec = MODEL(CONV3D(2, 1, 1, 0)), .form = FEATURES(5, 1)},
         "it needs a volume (channels x depth x height x width), but its input is 5 (features)"},
        {{.spec = MODEL(CONV3D(2, 1, 1, 0), UPSAMPLE(1000, UPSAMPLE_NEAREST), UPSAMPLE(1000, UPSAMPLE_NEAREST)),
          .form = VOLUME(1, 900, 900, 900, 1)},
         "more than products can count"},
        {{.spec = MODEL(CONV2D(3, 3, 1, 1), POOL(max_pool, 2, 0)),
          .loss = {.class = &loss_softmax_cross_entropy},
          .form = {.input = {3, {1, 4, 4}}, .classes = 3, .terms = 16, .target = {2, {4, 4}}}},
         "model: it gives 3x2x2, but a sample has 4x4 labels of 3 classes: let it end with {layer: conv2d, filters: 3, "
         "kernel: 1} at sides as long as theirs"},
        {{.spec = MODEL(CONV2D(3, 1, 1, 0)),
          .loss = {.class = &loss_softmax_cross_entropy},
          .form = {.input = {3, {1, 2, 8}}, .classes = 3, .terms = 16, .target = {2, {4, 4}}}},
         "model: it gives 3x2x8, but a sample has 4x4 labels of 3 classes"},
        {{.spec = MODEL(CONV2D(1, 1, 1, 0)),
          .form = {.input = {3, {1, 2, 2}}, .classes = 3, .terms = 4, .ignores = true}},
         "loss: mean_squared_error takes labels as numbers, of which none stands for no class"},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        CU_ASSERT_TRUE(is_refused(&cases[i].trial, cases[i].words));
}

int main(void)
{
    static const struct test_case cases[] = {
        {"conv3d is right with any kernel, stride and padding", conv3d_is_right_with_any_kernel_stride_and_padding},
        {"pools and upsample are right in volumes", pools_and_upsample_are_right_in_volumes},
        {"norms and compositions are right in volumes", norms_and_compositions_are_right_in_volumes},
        {"a label a pixel, voxel or position is a term", a_label_a_pixel_or_voxel_or_position_is_a_term},
        {"what does not fit is told", what_does_not_fit_is_told},
        {NULL, NULL},
    };
    return test_run("nn/layers_volume", cases);
}
