/* Layers on volumes, against the second implementation. */
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

static bool is_refused(const struct trial *trial, const char *words)
{
    struct loss_spec loss = {.class = &loss_mean_squared_error};
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
        {{.spec = MODEL(CONV3D(2, 1, 1, 0)), .form = FEATURES(5, 1)},
         "it needs a volume (channels x depth x height x width), but its input is 5 (features)"},
        {{.spec = MODEL(CONV3D(2, 1, 1, 0), UPSAMPLE(1000, UPSAMPLE_NEAREST), UPSAMPLE(1000, UPSAMPLE_NEAREST)),
          .form = VOLUME(1, 900, 900, 900, 1)},
         "more than BLAS can count"},
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
        {"what does not fit is told", what_does_not_fit_is_told},
        {NULL, NULL},
    };
    return test_run("nn/layers_volume", cases);
}
