#include "base/file.h"
#include "base/rng.h"
#include "export/c_layers.h"
#include "export/c_source.h"
#include "nn/layers/attention.h"
#include "nn/layers/concat.h"
#include "nn/layers/conv1d.h"
#include "nn/layers/conv3d.h"
#include "nn/layers/pool.h"
#include "nn/layers/repeat.h"
#include "nn/layers/upsample.h"
#include "weights/model_support.h"

#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOLERANCE 1e-5f

static struct error error;

/* Numbers around 0, or where variances are among them, around 1. */
static float *make_params(const struct model *model)
{
    float *params = memory_need(model->table.count, sizeof *params);
    for (size_t t = 0; t < model->table.length; t++) {
        const struct tensor *tensor = &model->table.tensors[t];
        for (size_t i = 0; i < tensor->count; i++) {
            uint32_t dice[4];
            rng_words(rng_key(7, tensor->name), i, 0, dice);
            float around = (float)dice[0] / 4294967296.0f - 0.5f;
            params[tensor->offset + i] = tensor->init == TENSOR_CONSTANT ? 1 + 0.5f * around : around;
        }
    }
    return params;
}

/* The file, compiled as strictly as promised, and opened. */
static void *compile(const char *name, const struct text *file)
{
    char command[3000], source[1000], library[1010];
    snprintf(source, sizeof source, "%s", test_path(name));
    snprintf(library, sizeof library, "%s.so", source);
    CU_ASSERT_TRUE_FATAL(file_replace(source, file->bytes, file->length, &error));
    snprintf(command, sizeof command,
             "cc -std=c99 -O1 -Wall -Wextra -pedantic -Werror -shared -fPIC -x c '%s' -o '%s' -lm", source, library);
    CU_ASSERT_EQUAL_FATAL(system(command), 0);
    void *opened = dlopen(library, RTLD_NOW);
    CU_ASSERT_PTR_NOT_NULL_FATAL(opened);
    return opened;
}

static void fill_leaf(struct model *model)
{
    model->leaf.rows = model->rows;
    for (size_t i = 0; model->leaf.inputs && i < model->rows * shape_count(&model->form.input); i++)
        model->leaf.inputs[i] = sinf((float)i);
    for (size_t i = 0; model->leaf.tokens && i < model->rows * model->form.input.size[0]; i++)
        model->leaf.tokens[i] = (int32_t)(i * i % model->form.vocabulary);
    for (size_t i = 0; i < model->rows * model->terms; i++)
        model->leaf.labels[i] = 0;
}

/* Keeps the outputs of a leaf behind each other. */
static void keep(void *context, const struct leaf *leaf, size_t first_term, size_t n, size_t width,
                 const float *outputs)
{
    (void)leaf;
    memcpy((float *)context + first_term * width, outputs, n * width * sizeof *outputs);
}

/* Whether the file's function says the same of each sample as the model. */
static void assert_predicts(struct model *model, const float *params, const char *name)
{
    struct export_request request = {.model = model, .params = params, .name = name, .origin = "a test"};
    struct text file;
    struct loss_sums sums;
    union {
        void *object;
        void (*function)(const void *x, float *y);
    } predict;
    size_t outputs = model->layers[model->count - 1].outputs, inputs = shape_count(&model->form.input);
    text_init(&file);
    error_clear(&error);
    bool ok = c_source(&request, &file, &error);
    if (!ok)
        printf("%s\n", error.text);
    CU_ASSERT_TRUE_FATAL(ok);
    void *library = compile(name, &file);
    predict.object = dlsym(library, "a_model_predict");
    CU_ASSERT_PTR_NOT_NULL_FATAL(predict.object);
    fill_leaf(model);
    float *y = memory_need(outputs, sizeof *y), *expected = memory_need(model->rows * outputs, sizeof *expected);
    model_evaluate_leaf(model, params, &sums, &(struct output_watch){keep, expected});
    for (size_t row = 0; row < model->rows; row++) {
        predict.function(model->leaf.tokens ? (const void *)(model->leaf.tokens + row * inputs)
                                            : (const void *)(model->leaf.inputs + row * inputs),
                         y);
        for (size_t o = 0; o < outputs; o++)
            CU_ASSERT_TRUE(fabsf(y[o] - expected[row * outputs + o]) <=
                           TOLERANCE * (1 + fabsf(expected[row * outputs + o])));
    }
    dlclose(library);
    memory_free(y);
    memory_free(expected);
    text_release(&file);
}

static void assert_predicts_layers(const struct layer_spec *layers, size_t count, bool tokens)
{
    struct leaf_form images = {.input = {3, {2, 6, 4}}, .classes = 4, .terms = 1};
    struct leaf_form texts = {.input = {1, {5}}, .vocabulary = 7, .classes = 7, .terms = 5};
    struct model_spec spec = {.layers = (struct layer_spec *)layers, .count = count};
    struct model model;
    error_clear(&error);
    bool ok = model_init(&model, &spec, &support_loss, tokens ? &texts : &images, 3, 1, &error);
    if (!ok)
        printf("%s\n", error.text);
    CU_ASSERT_TRUE_FATAL(ok);
    float *params = make_params(&model);
    assert_predicts(&model, params, "a model");
    memory_free(params);
    model_release(&model);
}

static void layers_of_images_and_features_are_the_same_in_c(void)
{
    struct conv2d same = {.filters = 6, .kernel = 4, .stride = 2, .padding = PADDING_SAME, .init = INIT_DEFAULT};
    struct conv2d wide = {.filters = 6, .kernel = 3, .stride = 1, .padding = 1, .bias = true, .init = INIT_DEFAULT};
    struct conv2d wider = {.filters = 6, .kernel = 2, .stride = 1, .padding = 2, .init = INIT_DEFAULT};
    struct row_norm norm = {.epsilon = 1e-5};
    struct layer_spec innermost[] = {{.class = &layer_rms_norm, .settings = &norm},
                                     {.class = &layer_tanh, .settings = NULL}};
    struct layer_spec inner[] = {
        {.class = &layer_group_norm, .settings = &(struct group_norm){.groups = 3, .epsilon = 1e-5}},
        {.class = &layer_conv2d, .settings = &wide},
        {.class = &layer_silu, .settings = NULL},
        {.class = &layer_residual, .settings = &(struct residual){innermost, 2}}};
    struct layer_spec again[] = {{.class = &layer_conv2d, .settings = &wider},
                                 {.class = &layer_gelu, .settings = &(struct gelu){GELU_EXACT}}};
    assert_predicts_layers(
        (struct layer_spec[]){
            {.class = &layer_relu, .settings = NULL},
            {.class = &layer_conv2d, .settings = &same},
            {.class = &layer_batch_norm, .settings = &(struct batch_norm){0.1, 1e-5}},
            {.class = &layer_residual, .settings = &(struct residual){inner, 4}},
            {.class = &layer_repeat, .settings = &(struct repeat){.times = 2, .layers = again, .count = 2}},
            {.class = &layer_max_pool, .settings = &(struct pool){.size = 2, .stride = 1}},
            {.class = &layer_layer_norm, .settings = &norm},
            {.class = &layer_gelu, .settings = &(struct gelu){GELU_TANH}},
            {.class = &layer_avg_pool, .settings = &(struct pool){.size = 3, .stride = 2}},
            {.class = &layer_flatten, .settings = NULL},
            {.class = &layer_dense, .settings = &(struct dense){.units = 12, .bias = true, .init = INIT_DEFAULT}},
            {.class = &layer_dropout, .settings = &(struct dropout){.rate = 0.5}},
            {.class = &layer_rms_norm, .settings = &norm},
            {.class = &layer_group_norm, .settings = &(struct group_norm){.groups = 4, .epsilon = 1e-5}},
            {.class = &layer_batch_norm, .settings = &(struct batch_norm){0.1, 1e-5}},
            {.class = &layer_layer_norm, .settings = &norm},
            {.class = &layer_dense, .settings = &(struct dense){.units = 4, .init = INIT_DEFAULT}},
            {.class = &layer_sigmoid, .settings = NULL}},
        18, false);
    assert_predicts_layers(
        (struct layer_spec[]){
            {.class = &layer_conv2d,
             .settings = &(
                 struct conv2d){.filters = 4, .kernel = 3, .stride = 2, .padding = PADDING_SAME, .init = INIT_DEFAULT}},
            {.class = &layer_global_avg_pool, .settings = NULL}},
        2, false);
}

static void layers_of_sequences_are_the_same_in_c(void)
{
    struct transformer blocks = {
        .blocks = 1, .heads = 2, .ratio = 2, .causal = true, .bias = true, .gelu = GELU_TANH, .init = INIT_DEFAULT};
    struct attention seeing = {.heads = 3, .init = INIT_DEFAULT};
    struct layer_spec attention = {.class = &layer_attention, .settings = &seeing};
    assert_predicts_layers(
        (struct layer_spec[]){
            {.class = &layer_embedding, .settings = &(struct embedding){.width = 6, .init = INIT_DEFAULT}},
            {.class = &layer_position_embedding, .settings = &(struct position_embedding){.init = INIT_DEFAULT}},
            {.class = &layer_transformer, .settings = &blocks},
            {.class = &layer_batch_norm, .settings = &(struct batch_norm){0.1, 1e-5}},
            {.class = &layer_residual, .settings = &(struct residual){&attention, 1}},
            {.class = &layer_layer_norm, .settings = &(struct row_norm){.epsilon = 1e-5}},
            {.class = &layer_lm_head, .settings = &(struct lm_head){.tied = true, .bias = true, .init = INIT_DEFAULT}},
            {.class = &layer_tanh, .settings = NULL}},
        8, true);
}

static void what_is_appended_later_and_made_larger_is_the_same_in_c(void)
{
    struct conv2d conv2d = {.filters = 3, .kernel = 3, .stride = 1, .padding = 1, .init = INIT_DEFAULT};
    for (enum upsample_mode mode = UPSAMPLE_NEAREST; mode <= UPSAMPLE_LINEAR; mode++)
        assert_predicts_layers(
            (struct layer_spec[]){
                {.class = &layer_conv2d, .settings = &conv2d, .name = (char[]){"early"}},
                {.class = &layer_relu},
                {.class = &layer_max_pool, .settings = &(struct pool){.size = 2, .stride = 2}},
                {.class = &layer_upsample, .settings = &(struct upsample){2, mode}},
                {.class = &layer_concat, .settings = &(struct concat){(char[]){"early"}}},
                {.class = &layer_tanh},
                {.class = &layer_dense, .settings = &(struct dense){.units = 4, .init = INIT_DEFAULT}}},
            7, false);
}

static void a_first_layer_does_not_write_over_the_caller_s_input(void)
{
    struct layer_spec inner[] = {{.class = &layer_tanh, .settings = NULL}};
    assert_predicts_layers(
        (struct layer_spec[]){{.class = &layer_residual, .settings = &(struct residual){inner, 1}},
                              {.class = &layer_flatten, .settings = NULL},
                              {.class = &layer_dense, .settings = &(struct dense){.units = 4, .init = INIT_DEFAULT}},
                              {.class = &layer_relu, .settings = NULL}},
        4, false);
}

/* Of one layer whose outputs are its inputs. */
static void assert_outputs(const struct loss_spec *loss, const float expected[2])
{
    struct leaf_form form = {.input = {1, {2}}, .classes = 2, .terms = 1, .least = 0, .most = 1};
    struct layer_spec layer = {.class = &layer_dense, .settings = &(struct dense){.units = 2, .init = INIT_DEFAULT}};
    struct model model;
    struct text file;
    float x[2] = {1, 2}, y[2];
    union {
        void *object;
        void (*function)(const float *x, float *y);
    } predict;
    if (loss->class == &loss_binary_cross_entropy)
        form.classes = 0, form.terms = 2;
    CU_ASSERT_TRUE_FATAL(
        model_describe(&model, &(struct model_spec){.layers = &layer, .count = 1}, loss, &form, 1, 1, &error));
    float *params = memory_need(model.table.count, sizeof *params);
    params[0] = params[3] = 1;
    text_init(&file);
    CU_ASSERT_TRUE_FATAL(c_source(
        &(struct export_request){.model = &model, .params = params, .softmax = true, .name = "3 x", .origin = "*/"},
        &file, &error));
    void *library = compile("probabilities.c", &file);
    predict.object = dlsym(library, "m3_x_predict");
    CU_ASSERT_PTR_NOT_NULL_FATAL(predict.object);
    predict.function(x, y);
    for (size_t o = 0; o < 2; o++)
        CU_ASSERT_DOUBLE_EQUAL(y[o], expected[o], 1e-6);
    dlclose(library);
    text_release(&file);
    memory_free(params);
    model_release(&model);
}

static void probabilities_are_those_of_the_loss(void)
{
    float e = expf(1);
    assert_outputs(&support_loss, (float[]){1 / (1 + e), e / (1 + e)});
    assert_outputs(&(struct loss_spec){.class = &loss_binary_cross_entropy},
                   (float[]){1 / (1 + expf(-1)), 1 / (1 + expf(-2))});
}

static void numbers_are_constants_of_c(void)
{
    static const double numbers[] = {1, -0.5, 1e-30, (double)NAN, INFINITY, -INFINITY};
    struct text words;
    text_init(&words);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        c_number(&words, numbers[i]);
        text_append(&words, " ");
    }
    CU_ASSERT_STRING_EQUAL(text_bytes(&words), "1.0f -0.5f 1e-30f NAN INFINITY -INFINITY ");
    text_release(&words);
}

static void a_layer_of_a_program_s_own_is_refused_by_name(void)
{
    struct model model;
    struct text file;
    text_init(&file);
    describe_image_model(
        &model,
        (struct layer_spec[]){{.class = &layer_own, .settings = NULL},
                              {.class = &layer_dense, .settings = &(struct dense){.units = 4, .init = INIT_DEFAULT}}},
        2);
    CU_ASSERT_FALSE(c_source(&(struct export_request){.model = &model, .name = "a", .origin = ""}, &file, &error));
    CU_ASSERT_EQUAL(error.kind, ERROR_USAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "0.own: "));
    CU_ASSERT_EQUAL(file.length, 0);
    model_release(&model);
}

/* The image as a volume of one channel, 2 x 6 x 4. */
static void layers_of_volumes_are_the_same_in_c(void)
{
    struct conv3d same = {.filters = 6, .kernel = 2, .stride = 1, .padding = PADDING_SAME, .init = INIT_DEFAULT};
    struct conv3d wide = {.filters = 4, .kernel = 3, .stride = 2, .padding = 1, .bias = true, .init = INIT_DEFAULT};
    for (enum upsample_mode mode = UPSAMPLE_NEAREST; mode <= UPSAMPLE_LINEAR; mode++)
        assert_predicts_layers(
            (struct layer_spec[]){
                {.class = &layer_conv3d, .settings = &same, .name = (char[]){"early"}},
                {.class = &layer_batch_norm, .settings = &(struct batch_norm){0.1, 1e-5}},
                {.class = &layer_max_pool, .settings = &(struct pool){.size = 2, .stride = 2}},
                {.class = &layer_upsample, .settings = &(struct upsample){2, mode}},
                {.class = &layer_concat, .settings = &(struct concat){(char[]){"early"}}},
                {.class = &layer_group_norm, .settings = &(struct group_norm){.groups = 3, .epsilon = 1e-5}},
                {.class = &layer_avg_pool, .settings = &(struct pool){.size = 2, .stride = 1}},
                {.class = &layer_conv3d, .settings = &wide},
                {.class = &layer_layer_norm, .settings = &(struct row_norm){.epsilon = 1e-5}},
                {.class = &layer_rms_norm, .settings = &(struct row_norm){.epsilon = 1e-5}},
                {.class = &layer_global_avg_pool}},
            11, false);
}

static void convolutions_of_sequences_are_the_same_in_c(void)
{
    struct conv1d same = {.filters = 6, .kernel = 4, .stride = 1, .padding = PADDING_SAME, .init = INIT_DEFAULT};
    struct conv1d wide = {.filters = 3, .kernel = 3, .stride = 2, .padding = 3, .bias = true, .init = INIT_DEFAULT};
    assert_predicts_layers(
        (struct layer_spec[]){
            {.class = &layer_embedding, .settings = &(struct embedding){.width = 4, .init = INIT_DEFAULT}},
            {.class = &layer_conv1d, .settings = &same},
            {.class = &layer_lm_head, .settings = &(struct lm_head){.init = INIT_DEFAULT}}},
        3, true);
    assert_predicts_layers(
        (struct layer_spec[]){{.class = &layer_flatten},
                              {.class = &layer_conv1d, .settings = &same},
                              {.class = &layer_conv1d, .settings = &wide},
                              {.class = &layer_flatten},
                              {.class = &layer_dense, .settings = &(struct dense){.units = 4, .init = INIT_DEFAULT}}},
        5, false);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"layers of images and features are the same in C", layers_of_images_and_features_are_the_same_in_c},
        {"layers of sequences are the same in C", layers_of_sequences_are_the_same_in_c},
        {"what is appended later and made larger is the same in C",
         what_is_appended_later_and_made_larger_is_the_same_in_c},
        {"layers of volumes are the same in C", layers_of_volumes_are_the_same_in_c},
        {"convolutions of sequences are the same in C", convolutions_of_sequences_are_the_same_in_c},
        {"a first layer does not write over the caller's input", a_first_layer_does_not_write_over_the_caller_s_input},
        {"probabilities are those of the loss", probabilities_are_those_of_the_loss},
        {"numbers are constants of C", numbers_are_constants_of_c},
        {"a layer of a program's own is refused by name", a_layer_of_a_program_s_own_is_refused_by_name},
        {0}};
    return test_run("export/c_source", cases);
}
