#include "model_support.h"
#include "nn/layers/conv1d.h"
#include "nn/layers/conv3d.h"
#include "nn/layers/pool.h"
#include "nn/layers/upsample.h"
#include "weights/layout.h"
#include "weights/probabilities.h"
#include "weights/torch_program.h"

#include <string.h>

static struct error error;

/* The layout's names, a line each, with the model's own: "0.weight 0.conv2d.weight". */
static void list(const struct layout *layout, const struct model *model, struct text *names)
{
    for (size_t r = 0; r < layout->count; r++)
        text_append(names, "%s %s%s\n", layout->rows[r].name, model->table.tensors[layout->rows[r].tensor].name,
                    layout->rows[r].repeats ? " again" : "");
}

/* Releases the model. */
static void assert_torch(struct model *model, const char *modules, const char *names)
{
    struct layout layout;
    struct text told, listed;
    text_init(&told);
    text_init(&listed);
    CU_ASSERT_TRUE_FATAL(layout_torch(&layout, model, &told, &error));
    list(&layout, model, &listed);
    if (strcmp(text_bytes(&told), modules) != 0 || strcmp(text_bytes(&listed), names) != 0)
        printf("%s%s", text_bytes(&told), text_bytes(&listed));
    CU_ASSERT_STRING_EQUAL(text_bytes(&told), modules);
    CU_ASSERT_STRING_EQUAL(text_bytes(&listed), names);
    text_release(&told);
    text_release(&listed);
    layout_release(&layout);
    model_release(model);
}

static void places_count_modules_without_tensors_and_what_torch_wants_besides(void)
{
    struct model model;
    struct conv2d same = {.filters = 3, .kernel = 3, .stride = 2, .padding = PADDING_SAME, .init = INIT_DEFAULT};
    struct conv2d wide = {.filters = 3, .kernel = 3, .stride = 1, .padding = 1, .bias = true, .init = INIT_DEFAULT};
    describe_image_model(
        &model,
        (struct layer_spec[]){
            {.class = &layer_conv2d, .settings = &same},
            {.class = &layer_batch_norm, .settings = &(struct batch_norm){0.5, 1e-3}},
            {.class = &layer_conv2d, .settings = &wide},
            {.class = &layer_gelu, .settings = &(struct gelu){GELU_TANH}},
            {.class = &layer_max_pool, .settings = &(struct pool){.size = 2, .stride = 1}},
            {.class = &layer_upsample, .settings = &(struct upsample){2, UPSAMPLE_LINEAR}, .name = (char[]){"a"}},
            {.class = &layer_dropout, .settings = &(struct dropout){.rate = 0.25}},
            {.class = &layer_dense, .settings = &(struct dense){.units = 4, .init = INIT_DEFAULT}}},
        8);
    assert_torch(&model,
                 "    nn.ZeroPad2d((0, 1, 0, 1)),\n"
                 "    nn.Conv2d(2, 3, 3, stride=2, padding=0, bias=False),\n"
                 "    nn.BatchNorm2d(3, eps=0.001, momentum=0.5),\n"
                 "    nn.Conv2d(3, 3, 3, stride=1, padding=1, bias=True),\n"
                 "    nn.GELU(approximate=\"tanh\"),\n"
                 "    nn.MaxPool2d(2, 1),\n"
                 "    nn.Upsample(scale_factor=2, mode=\"bilinear\"),\n"
                 "    nn.Dropout(0.25),\n"
                 "    nn.Flatten(),\n"
                 "    nn.Linear(24, 4, bias=False),\n",
                 "1.weight 0.conv2d.weight\n"
                 "2.weight 1.batch_norm.weight\n"
                 "2.bias 1.batch_norm.bias\n"
                 "2.running_mean 1.batch_norm.running_mean\n"
                 "2.running_var 1.batch_norm.running_var\n"
                 "3.weight 2.conv2d.weight\n"
                 "3.bias 2.conv2d.bias\n"
                 "9.weight 7.dense.weight\n");
}

static void volumes_and_sequences_are_padded_and_turned(void)
{
    struct model model;
    struct conv3d same = {.filters = 3, .kernel = 3, .stride = 2, .padding = PADDING_SAME, .init = INIT_DEFAULT};
    struct conv3d wide = {.filters = 2, .kernel = 3, .stride = 1, .padding = 1, .bias = true, .init = INIT_DEFAULT};
    describe_image_model(
        &model,
        (struct layer_spec[]){{.class = &layer_conv3d, .settings = &same},
                              {.class = &layer_batch_norm, .settings = &(struct batch_norm){0.5, 1e-3}},
                              {.class = &layer_upsample, .settings = &(struct upsample){2, UPSAMPLE_LINEAR}},
                              {.class = &layer_layer_norm, .settings = &(struct row_norm){1e-5}},
                              {.class = &layer_conv3d, .settings = &wide},
                              {.class = &layer_avg_pool, .settings = &(struct pool){.size = 2, .stride = 1}},
                              {.class = &layer_dense, .settings = &(struct dense){.units = 4, .init = INIT_DEFAULT}}},
        7);
    assert_torch(&model,
                 "    nn.Unflatten(1, (1, 2)),\n"
                 "    nn.ConstantPad3d((0, 1, 0, 1, 0, 1), 0.0),\n"
                 "    nn.Conv3d(1, 3, 3, stride=2, padding=0, bias=False),\n"
                 "    nn.BatchNorm3d(3, eps=0.001, momentum=0.5),\n"
                 "    nn.Upsample(scale_factor=2, mode=\"trilinear\"),\n"
                 "    nn.LayerNorm((3, 2, 6, 4), eps=1e-05),\n"
                 "    nn.Conv3d(3, 2, 3, stride=1, padding=1, bias=True),\n"
                 "    nn.AvgPool3d(2, 1),\n"
                 "    nn.Flatten(),\n"
                 "    nn.Linear(30, 4, bias=False),\n",
                 "2.weight 0.conv3d.weight\n"
                 "3.weight 1.batch_norm.weight\n"
                 "3.bias 1.batch_norm.bias\n"
                 "3.running_mean 1.batch_norm.running_mean\n"
                 "3.running_var 1.batch_norm.running_var\n"
                 "5.weight 3.layer_norm.weight\n"
                 "5.bias 3.layer_norm.bias\n"
                 "6.weight 4.conv3d.weight\n"
                 "6.bias 4.conv3d.bias\n"
                 "9.weight 6.dense.weight\n");
    struct conv1d even = {.filters = 3, .kernel = 4, .stride = 1, .padding = PADDING_SAME, .init = INIT_DEFAULT};
    struct conv1d odd = {.filters = 4, .kernel = 3, .stride = 1, .padding = PADDING_SAME, .init = INIT_DEFAULT};
    describe_image_model(&model,
                         (struct layer_spec[]){
                             {.class = &layer_flatten},
                             {.class = &layer_conv1d, .settings = &even},
                             {.class = &layer_conv1d, .settings = &odd},
                             {.class = &layer_global_avg_pool},
                         },
                         4);
    assert_torch(&model,
                 "    nn.Flatten(),\n"
                 "    nn.Unflatten(1, (48, 1)),\n"
                 "    nn.ConstantPad2d((0, 0, 1, 2), 0.0),\n"
                 "    SequenceConv(1, 3, 4, stride=1, padding=0, bias=False),\n"
                 "    SequenceConv(3, 4, 3, stride=1, padding=1, bias=False),\n"
                 "    Mean(),\n",
                 "3.weight 1.conv1d.weight\n"
                 "4.weight 2.conv1d.weight\n");
}

static void residual_connections_are_sequentials_of_their_own(void)
{
    struct model model;
    struct layer_spec inner[] = {
        {.class = &layer_relu}, {.class = &layer_dense, .settings = &(struct dense){.units = 6, .init = INIT_DEFAULT}}};
    struct layer_spec outer[] = {
        {.class = &layer_rms_norm, .settings = &(struct row_norm){.epsilon = 1e-5}},
        {.class = &layer_residual, .settings = &(struct residual){.layers = inner, .count = 2}}};
    describe_text_model(
        &model,
        (struct layer_spec[]){
            {.class = &layer_embedding, .settings = &(struct embedding){.width = 6, .init = INIT_DEFAULT}},
            {.class = &layer_residual, .settings = &(struct residual){.layers = outer, .count = 2}},
            {.class = &layer_lm_head, .settings = &(struct lm_head){.tied = true, .bias = true, .init = INIT_DEFAULT}}},
        3);
    assert_torch(&model,
                 "    nn.Embedding(7, 6),\n"
                 "    Residual(\n"
                 "        RMSNorm(6, eps=1e-05),\n"
                 "        Residual(\n"
                 "            nn.ReLU(),\n"
                 "            nn.Linear(6, 6, bias=False),\n"
                 "        ),\n"
                 "    ),\n"
                 "    nn.Linear(6, 7),\n",
                 "0.weight 0.embedding.weight\n"
                 "1.0.weight 1.residual.0.rms_norm.weight\n"
                 "1.1.1.weight 1.residual.1.residual.1.dense.weight\n"
                 "2.weight 0.embedding.weight again\n"
                 "2.bias 2.lm_head.bias\n");
}

static void the_program_has_the_classes_that_it_needs_and_no_others(void)
{
    struct text modules, program;
    text_init(&modules);
    text_init(&program);
    text_append(&modules, "    Residual(\n        RMSNorm(6, eps=1e-05),\n    ),\n    nn.LayerNorm(6),\n");
    torch_program(&modules, "a \"b\"", &program);
    const char *lines = text_bytes(&program);
    CU_ASSERT_PTR_NOT_NULL(strstr(lines, "class Residual(nn.Sequential):\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(lines, "class RMSNorm(nn.Module):\n"));
    CU_ASSERT_PTR_NULL(strstr(lines, "class Mean"));
    CU_ASSERT_PTR_NOT_NULL(strstr(lines, "model = nn.Sequential(\n    Residual(\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(lines, ")\nmodel.load_state_dict(load_file(\"a \\\"b\\\"\"))\n"));
    text_release(&modules);
    text_release(&program);
}

static void probabilities_are_those_of_the_loss(void)
{
    struct model model;
    struct text modules;
    struct layer_spec layers[] = {
        {.class = &layer_dense, .settings = &(struct dense){.units = 4, .init = INIT_DEFAULT}}};
    text_init(&modules);
    describe_image_model(&model, layers, 1);
    CU_ASSERT_TRUE(torch_softmax(&model, &modules, &error));
    CU_ASSERT_STRING_EQUAL(text_bytes(&modules), "    nn.Softmax(-1),\n");
    model.loss.class = &loss_l1;
    CU_ASSERT_FALSE(torch_softmax(&model, &modules, &error));
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "the loss l1 are no logits"));
    text_release(&modules);
    model_release(&model);
}

static void a_layer_of_a_program_s_own_is_refused_by_name(void)
{
    struct model model;
    struct layout layout;
    describe_image_model(
        &model,
        (struct layer_spec[]){{.class = &layer_own},
                              {.class = &layer_dense, .settings = &(struct dense){.units = 4, .init = INIT_DEFAULT}}},
        2);
    CU_ASSERT_FALSE(layout_torch(&layout, &model, NULL, &error));
    CU_ASSERT_EQUAL(error.kind, ERROR_USAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "0.own: "));
    CU_ASSERT_PTR_NULL(layout.rows);
    model_release(&model);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"places count modules without tensors, and what torch wants besides",
         places_count_modules_without_tensors_and_what_torch_wants_besides},
        {"volumes and sequences are padded and turned", volumes_and_sequences_are_padded_and_turned},
        {"residual connections are Sequentials of their own", residual_connections_are_sequentials_of_their_own},
        {"the program has the classes that it needs, and no others",
         the_program_has_the_classes_that_it_needs_and_no_others},
        {"probabilities are those of the loss", probabilities_are_those_of_the_loss},
        {"a layer of a program's own is refused by name", a_layer_of_a_program_s_own_is_refused_by_name},
        {0}};
    return test_run("weights/layout_torch", cases);
}
