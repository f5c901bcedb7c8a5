#include "model_support.h"
#include "nn/layers/conv3d.h"
#include "nn/layers/pool.h"
#include "weights/floats.h"
#include "weights/layout.h"

#include <string.h>

static struct error error;

static const struct layout_row *find(const struct layout *layout, const char *name)
{
    for (size_t r = 0; r < layout->count; r++)
        if (strcmp(layout->rows[r].name, name) == 0)
            return &layout->rows[r];
    printf("no row %s\n", name);
    CU_FAIL("a row is missing");
    return NULL;
}

/* A row and its shape, and which tensor it is. */
static const struct layout_row *assert_row(const struct layout *layout, const struct model *model, const char *name,
                                           const char *here, size_t dims, const size_t *shape)
{
    const struct layout_row *row = find(layout, name);
    if (!row)
        return NULL;
    CU_ASSERT_STRING_EQUAL(model->table.tensors[row->tensor].name, here);
    CU_ASSERT_EQUAL(row->dims, dims);
    CU_ASSERT_EQUAL(memcmp(row->shape, shape, dims * sizeof *shape), 0);
    size_t elements = 1;
    for (size_t d = 0; d < row->walk_dims; d++)
        elements *= row->sizes[d];
    CU_ASSERT_EQUAL(elements, model->table.tensors[row->tensor].count);
    return row;
}

/* The places, in the model's tensor, of the row's elements. */
static void walk(const struct layout_row *row, float *places)
{
    float numbers[4096];
    for (size_t i = 0; i < 4096; i++)
        numbers[i] = (float)i;
    floats_gather(row->walk_dims, row->sizes, row->strides, numbers, places);
}

static void keras_has_kernels_transposed_and_channels_last(void)
{
    struct model model;
    struct layout layout;
    float places[4096];
    describe_image_model(
        &model,
        (struct layer_spec[]){
            {.class = &layer_conv2d,
             .settings = &(struct conv2d){.filters = 3, .kernel = 3, .stride = 1, .bias = true, .init = INIT_DEFAULT}},
            {.class = &layer_batch_norm, .settings = &(struct batch_norm){.epsilon = 1e-5, .momentum = 0.1}},
            {.class = &layer_layer_norm, .settings = &(struct row_norm){.epsilon = 1e-5}},
            {.class = &layer_flatten},
            {.class = &layer_batch_norm, .settings = &(struct batch_norm){.epsilon = 1e-5, .momentum = 0.1}},
            {.class = &layer_dense, .settings = &(struct dense){.units = 5, .init = INIT_DEFAULT}},
            {.class = &layer_relu},
            {.class = &layer_layer_norm, .settings = &(struct row_norm){.epsilon = 1e-5}},
            {.class = &layer_dense, .settings = &(struct dense){.units = 4, .bias = true, .init = INIT_DEFAULT}}},
        9);
    CU_ASSERT_TRUE_FATAL(layout_keras(&layout, &model, &error));
    CU_ASSERT_EQUAL(layout.count, model.table.length);
    /* [3, 2, 3, 3] to [3, 3, 2, 3] */
    const struct layout_row *row = assert_row(&layout, &model, "layers/conv2d/vars/0", "0.conv2d.weight", 4,
                                              (size_t[]){3, 3, 2, 3});
    walk(row, places);
    for (size_t y = 0; y < 3; y++)
        for (size_t x = 0; x < 3; x++)
            for (size_t c = 0; c < 2; c++)
                for (size_t o = 0; o < 3; o++)
                    CU_ASSERT_EQUAL((size_t)places[((y * 3 + x) * 2 + c) * 3 + o], ((o * 2 + c) * 3 + y) * 3 + x);
    assert_row(&layout, &model, "layers/conv2d/vars/1", "0.conv2d.bias", 1, (size_t[]){3});
    assert_row(&layout, &model, "layers/batch_normalization/vars/3", "1.batch_norm.running_var", 1, (size_t[]){3});
    /* The image is [3, 4, 2]: [4, 2, 3] there. */
    row = assert_row(&layout, &model, "layers/layer_normalization/vars/1", "2.layer_norm.bias", 3, (size_t[]){4, 2, 3});
    float features[24];
    walk(row, features);
    for (size_t y = 0; y < 4; y++)
        for (size_t x = 0; x < 2; x++)
            for (size_t c = 0; c < 3; c++)
                CU_ASSERT_EQUAL((size_t)features[(y * 2 + x) * 3 + c], (c * 4 + y) * 2 + x);
    /* What counts its features is permuted likewise, up to the next dense. */
    row = assert_row(&layout, &model, "layers/batch_normalization_1/vars/2", "4.batch_norm.running_mean", 1,
                     (size_t[]){24});
    walk(row, places);
    CU_ASSERT_EQUAL(memcmp(places, features, sizeof features), 0);
    row = assert_row(&layout, &model, "layers/dense/vars/0", "5.dense.weight", 2, (size_t[]){24, 5});
    walk(row, places);
    for (size_t i = 0; i < 24; i++)
        for (size_t o = 0; o < 5; o++)
            CU_ASSERT_EQUAL((size_t)places[i * 5 + o], o * 24 + (size_t)features[i]);
    row = assert_row(&layout, &model, "layers/layer_normalization_1/vars/0", "7.layer_norm.weight", 1, (size_t[]){5});
    walk(row, places);
    for (size_t i = 0; i < 5; i++)
        CU_ASSERT_EQUAL((size_t)places[i], i);
    row = assert_row(&layout, &model, "layers/dense_1/vars/0", "8.dense.weight", 2, (size_t[]){5, 4});
    walk(row, places);
    for (size_t i = 0; i < 5; i++)
        for (size_t o = 0; o < 4; o++)
            CU_ASSERT_EQUAL((size_t)places[i * 4 + o], o * 5 + i);
    layout_release(&layout);
    model_release(&model);
}

/* The image as a volume of one channel, [2, 6, 4]. */
static void keras_has_channels_last_in_volumes_too(void)
{
    struct model model;
    struct layout layout;
    float places[4096];
    describe_image_model(
        &model,
        (struct layer_spec[]){
            {.class = &layer_conv3d,
             .settings = &(struct conv3d){.filters = 3, .kernel = 2, .stride = 1, .init = INIT_DEFAULT}},
            {.class = &layer_layer_norm, .settings = &(struct row_norm){.epsilon = 1e-5}},
            {.class = &layer_conv3d,
             .settings = &(
                 struct conv3d){.filters = 2, .kernel = 2, .stride = 1, .padding = PADDING_SAME, .init = INIT_DEFAULT}},
            {.class = &layer_dense, .settings = &(struct dense){.units = 4, .init = INIT_DEFAULT}}},
        4);
    CU_ASSERT_TRUE_FATAL(layout_keras(&layout, &model, &error));
    walk(assert_row(&layout, &model, "layers/conv3d_1/vars/0", "2.conv3d.weight", 5, (size_t[]){2, 2, 2, 3, 2}),
         places);
    for (size_t tap = 0; tap < 8; tap++)
        for (size_t c = 0; c < 3; c++)
            for (size_t o = 0; o < 2; o++)
                CU_ASSERT_EQUAL((size_t)places[(tap * 3 + c) * 2 + o], (o * 3 + c) * 8 + tap);
    /* [3, 1, 5, 3], and then two channels of it */
    walk(assert_row(&layout, &model, "layers/layer_normalization/vars/0", "1.layer_norm.weight", 4,
                    (size_t[]){1, 5, 3, 3}),
         places);
    for (size_t i = 0; i < 45; i++)
        CU_ASSERT_EQUAL((size_t)places[i], i % 3 * 15 + i / 3);
    walk(assert_row(&layout, &model, "layers/dense/vars/0", "3.dense.weight", 2, (size_t[]){30, 4}), places);
    for (size_t i = 0; i < 30; i++)
        CU_ASSERT_EQUAL((size_t)places[i * 4 + 1], 30 + i % 2 * 15 + i / 2);
    layout_release(&layout);
    model_release(&model);
}

static void a_dense_layer_flattens_an_image_by_itself(void)
{
    struct model model;
    struct layout layout;
    float places[4096];
    describe_image_model(
        &model,
        (struct layer_spec[]){{.class = &layer_dense, .settings = &(struct dense){.units = 4, .init = INIT_DEFAULT}}},
        1);
    CU_ASSERT_TRUE_FATAL(layout_keras(&layout, &model, &error));
    walk(assert_row(&layout, &model, "layers/dense/vars/0", "0.dense.weight", 2, (size_t[]){48, 4}), places);
    for (size_t y = 0; y < 6; y++)
        for (size_t x = 0; x < 4; x++)
            for (size_t c = 0; c < 2; c++)
                CU_ASSERT_EQUAL((size_t)places[((y * 4 + x) * 2 + c) * 4 + 1], 48 + (c * 6 + y) * 4 + x);
    layout_release(&layout);
    model_release(&model);
}

static void assert_no_keras(struct model *model, const char *words)
{
    struct layout layout;
    error_clear(&error);
    CU_ASSERT_FALSE(layout_keras(&layout, model, &error));
    CU_ASSERT_EQUAL(error.kind, ERROR_USAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, words));
    layout_release(&layout);
    model_release(model);
}

static void layers_without_a_counterpart_in_keras_are_named(void)
{
    struct model model;
    describe_gpt(&model, true, true);
    assert_no_keras(&model, "1.position_embedding: ");
    struct layer_spec inner = {.class = &layer_relu};
    struct layer_spec residual = {.class = &layer_residual,
                                  .settings = &(struct residual){.layers = &inner, .count = 1}};
    describe_image_model(
        &model,
        (struct layer_spec[]){residual,
                              {.class = &layer_dense, .settings = &(struct dense){.units = 4, .init = INIT_DEFAULT}}},
        2);
    assert_no_keras(&model, "0.residual.fork: a residual connection");
    describe_text_model(
        &model,
        (struct layer_spec[]){
            {.class = &layer_embedding, .settings = &(struct embedding){.width = 6, .init = INIT_DEFAULT}},
            {.class = &layer_lm_head, .settings = &(struct lm_head){.tied = true, .init = INIT_DEFAULT}}},
        2);
    assert_no_keras(&model, "1.lm_head: ");
    describe_image_model(
        &model,
        (struct layer_spec[]){
            {.class = &layer_flatten},
            {.class = &layer_group_norm, .settings = &(struct group_norm){.groups = 2, .epsilon = 1e-5}},
            {.class = &layer_dense, .settings = &(struct dense){.units = 4, .init = INIT_DEFAULT}}},
        3);
    assert_no_keras(&model, "1.group_norm: ");
}

/* Features from the last to the first: it learns nothing, but what is behind it learns others. */
static bool build_turned(struct layer *layer, struct tensor_table *table, struct error *unused)
{
    (void)table, (void)unused;
    layer->out = layer->in;
    return true;
}

static void forward_turned(const struct layer *layer, const struct pass *pass, const float *x, float *y, float *saved)
{
    (void)saved;
    for (size_t row = 0; row < pass->leaf->rows; row++)
        for (size_t i = 0; i < layer->inputs; i++)
            y[row * layer->inputs + i] = x[(row + 1) * layer->inputs - 1 - i];
}

static void backward_turned(const struct layer *layer, const struct pass *pass, const float *x, const float *y,
                            const float *saved, const float *dy, float *dx)
{
    (void)x, (void)y, (void)saved;
    if (dx)
        forward_turned(layer, pass, dy, dx, NULL);
}

static const struct layer_class layer_turned = {
    .kind = {.name = "turned", .help = "the last value first"},
    .build = build_turned,
    .forward = forward_turned,
    .backward = backward_turned,
};

/* Nobody knows what it does to the order of the features. */
static void an_own_layer_is_refused_by_keras_also_without_tensors(void)
{
    struct model model;
    describe_image_model(
        &model,
        (struct layer_spec[]){{.class = &layer_dense, .settings = &(struct dense){.units = 6, .init = INIT_DEFAULT}},
                              {.class = &layer_turned},
                              {.class = &layer_dense, .settings = &(struct dense){.units = 4, .init = INIT_DEFAULT}}},
        3);
    assert_no_keras(&model, "1.turned: turned has no counterpart in a Sequential model of Keras");
}

static void our_layers_without_tensors_are_left_out_for_keras(void)
{
    struct model model;
    struct layout layout;
    struct pool half = {.size = 2}, same = {.size = 1};
    describe_image_model(
        &model,
        (struct layer_spec[]){{.class = &layer_relu},
                              {.class = &layer_gelu, .settings = &(struct gelu){.form = GELU_EXACT}},
                              {.class = &layer_max_pool, .settings = &half},
                              {.class = &layer_tanh},
                              {.class = &layer_avg_pool, .settings = &same},
                              {.class = &layer_sigmoid},
                              {.class = &layer_global_avg_pool},
                              {.class = &layer_silu},
                              {.class = &layer_flatten},
                              {.class = &layer_dropout, .settings = &(struct dropout){.rate = 0.5}},
                              {.class = &layer_dense, .settings = &(struct dense){.units = 4, .init = INIT_DEFAULT}}},
        11);
    CU_ASSERT_TRUE_FATAL(layout_keras(&layout, &model, &error));
    CU_ASSERT_EQUAL(layout.count, 1);
    assert_row(&layout, &model, "layers/dense/vars/0", "10.dense.weight", 2, (size_t[]){2, 4});
    layout_release(&layout);
    model_release(&model);
}

static void an_untied_head_is_a_dense_layer_in_keras(void)
{
    struct model model;
    struct layout layout;
    describe_text_model(
        &model,
        (struct layer_spec[]){
            {.class = &layer_embedding, .settings = &(struct embedding){.width = 6, .init = INIT_DEFAULT}},
            {.class = &layer_dense, .settings = &(struct dense){.units = 6, .init = INIT_DEFAULT}},
            {.class = &layer_lm_head, .settings = &(struct lm_head){.bias = true, .init = INIT_DEFAULT}}},
        3);
    CU_ASSERT_TRUE_FATAL(layout_keras(&layout, &model, &error));
    assert_row(&layout, &model, "layers/embedding/vars/0", "0.embedding.weight", 2, (size_t[]){7, 6});
    assert_row(&layout, &model, "layers/dense/vars/0", "1.dense.weight", 2, (size_t[]){6, 6});
    assert_row(&layout, &model, "layers/dense_1/vars/0", "2.lm_head.weight", 2, (size_t[]){6, 7});
    assert_row(&layout, &model, "layers/dense_1/vars/1", "2.lm_head.bias", 1, (size_t[]){7});
    layout_release(&layout);
    model_release(&model);
}

static void gpt2_has_names_and_transposed_products(void)
{
    struct model model;
    struct layout layout;
    float places[4096];
    describe_gpt(&model, true, true);
    CU_ASSERT_TRUE_FATAL(layout_gpt2(&layout, &model));
    CU_ASSERT_EQUAL(layout.count, model.table.length + 1);
    assert_row(&layout, &model, "transformer.wte.weight", "0.embedding.weight", 2, (size_t[]){7, 6});
    assert_row(&layout, &model, "transformer.wpe.weight", "1.position_embedding.weight", 2, (size_t[]){5, 6});
    assert_row(&layout, &model, "transformer.h.1.ln_1.bias", "3.transformer.1.norm1.bias", 1, (size_t[]){6});
    assert_row(&layout, &model, "transformer.h.1.ln_2.weight", "3.transformer.1.norm2.weight", 1, (size_t[]){6});
    walk(assert_row(&layout, &model, "transformer.h.0.attn.c_attn.weight", "3.transformer.0.attention.qkv.weight", 2,
                    (size_t[]){6, 18}),
         places);
    for (size_t i = 0; i < 6; i++)
        for (size_t o = 0; o < 18; o++)
            CU_ASSERT_EQUAL((size_t)places[i * 18 + o], o * 6 + i);
    assert_row(&layout, &model, "transformer.h.0.attn.c_attn.bias", "3.transformer.0.attention.qkv.bias", 1,
               (size_t[]){18});
    assert_row(&layout, &model, "transformer.h.1.attn.c_proj.weight", "3.transformer.1.attention.proj.weight", 2,
               (size_t[]){6, 6});
    assert_row(&layout, &model, "transformer.h.0.mlp.c_fc.weight", "3.transformer.0.up.weight", 2, (size_t[]){6, 24});
    assert_row(&layout, &model, "transformer.h.0.mlp.c_proj.weight", "3.transformer.0.down.weight", 2,
               (size_t[]){24, 6});
    assert_row(&layout, &model, "transformer.ln_f.weight", "4.layer_norm.weight", 1, (size_t[]){6});
    const struct layout_row *head = assert_row(&layout, &model, "lm_head.weight", "0.embedding.weight", 2,
                                               (size_t[]){7, 6});
    CU_ASSERT_TRUE(head && head->repeats);
    CU_ASSERT_TRUE(layout.ignores("h.3.attn.bias") && !layout.ignores("h.3.attn.c_attn.bias"));
    layout_release(&layout);
    model_release(&model);

    describe_gpt(&model, false, false);
    CU_ASSERT_TRUE_FATAL(layout_gpt2(&layout, &model));
    CU_ASSERT_EQUAL(layout.count, model.table.length);
    head = assert_row(&layout, &model, "lm_head.weight", "5.lm_head.weight", 2, (size_t[]){7, 6});
    CU_ASSERT_TRUE(head && !head->repeats);
    layout_release(&layout);
    model_release(&model);
}

static void only_what_is_a_gpt2_is_one(void)
{
    struct layer_spec layers[] = {
        {.class = &layer_embedding, .settings = &(struct embedding){.width = 6, .init = INIT_DEFAULT}},
        {.class = &layer_position_embedding, .settings = &(struct position_embedding){.init = INIT_DEFAULT}},
        {.class = &layer_transformer,
         .settings =
             &(struct transformer){
                 .blocks = 1, .heads = 2, .ratio = 2, .causal = true, .gelu = GELU_EXACT, .init = INIT_DEFAULT}},
        {.class = &layer_layer_norm, .settings = &(struct row_norm){.epsilon = 1e-5}},
        {.class = &layer_lm_head, .settings = &(struct lm_head){.init = INIT_DEFAULT}}};
    struct transformer seeing = {
        .blocks = 1, .heads = 2, .ratio = 2, .gelu = GELU_EXACT, .init = INIT_DEFAULT}; /* what it has to predict */
    struct lm_head with_bias = {.bias = true, .init = INIT_DEFAULT};
    struct dense dense = {.units = 6, .init = INIT_DEFAULT};
    struct model model;
    struct layout layout;
    describe_text_model(&model, layers, 5);
    CU_ASSERT_TRUE(layout_gpt2(&layout, &model));
    layout_release(&layout);
    model_release(&model);
    for (size_t change = 0; change < 5; change++) {
        struct layer_spec other[5];
        memcpy(other, layers, sizeof other);
        if (change == 0)
            other[1] = (struct layer_spec){.class = &layer_relu};
        if (change == 1)
            other[2].settings = &seeing;
        if (change == 2)
            other[2] = (struct layer_spec){.class = &layer_dense, .settings = &dense};
        if (change == 3)
            other[3].class = &layer_rms_norm;
        if (change == 4)
            other[4].settings = &with_bias;
        describe_text_model(&model, other, 5);
        CU_ASSERT_FALSE(layout_gpt2(&layout, &model));
        CU_ASSERT_PTR_NULL(layout.rows);
        model_release(&model);
    }
}

int main(void)
{
    static const struct test_case cases[] = {
        {"Keras has kernels transposed, and channels last", keras_has_kernels_transposed_and_channels_last},
        {"Keras has channels last in volumes, too", keras_has_channels_last_in_volumes_too},
        {"a dense layer flattens an image by itself", a_dense_layer_flattens_an_image_by_itself},
        {"layers without a counterpart in Keras are named", layers_without_a_counterpart_in_keras_are_named},
        {"an own layer is refused by Keras, also without tensors",
         an_own_layer_is_refused_by_keras_also_without_tensors},
        {"our layers without tensors are left out for Keras", our_layers_without_tensors_are_left_out_for_keras},
        {"an untied head is a dense layer in Keras", an_untied_head_is_a_dense_layer_in_keras},
        {"GPT-2 has names and transposed products", gpt2_has_names_and_transposed_products},
        {"only what is a GPT-2 is one", only_what_is_a_gpt2_is_one},
        {0}};
    return test_run("weights/layout", cases);
}
