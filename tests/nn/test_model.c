/* What models are made of, what they refuse, and what a leaf's pass costs. What holds of the pass: test_model_pass.c.
 */
#include "nn/model.h"

#include "base/memory.h"
#include "base/text.h"
#include "nn/model_build.h"
#include "nn/reading.h"
#include "nn/trial.h"
#include "support/test.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

#define CROSS_ENTROPY                                                                                                  \
    {                                                                                                                  \
        .class = &loss_softmax_cross_entropy                                                                           \
    }
#define GPT(is_tied)                                                                                                   \
    MODEL(EMBEDDING(6), POSITION_EMBEDDING, TRANSFORMER(2, 2, true, 0), NORM(layer_norm), LM_HEAD(is_tied))

/* ---- tensors ---- */

struct expected {
    const char *name, *shape;
    enum tensor_role role;
};

static void check_tensors(const struct trial *trial, const struct expected *expected, size_t count)
{
    struct bench b;
    CU_ASSERT_TRUE_FATAL(bench_init(&b, trial));
    CU_ASSERT_EQUAL(b.model.table.length, count);
    for (size_t t = 0; t < count && t < b.model.table.length; t++) {
        const struct tensor *tensor = &b.model.table.tensors[t];
        char shape[64];
        text_sizes(tensor->dims, tensor->shape, shape, sizeof shape);
        CU_ASSERT_STRING_EQUAL(tensor->name, expected[t].name);
        CU_ASSERT_STRING_EQUAL(shape, expected[t].shape);
        CU_ASSERT_EQUAL(tensor->role, expected[t].role);
        if (strcmp(tensor->name, expected[t].name) != 0)
            printf("\n    %s and not %s", tensor->name, expected[t].name);
    }
    bench_release(&b);
    bench_release(&b);
}

static void a_transformers_tensors_have_their_names_shapes_and_roles(void)
{
    static const struct expected expected[] = {
        {"0.embedding.weight", "11x6", TENSOR_EMBEDDING},
        {"1.position_embedding.weight", "7x6", TENSOR_EMBEDDING},
        {"2.transformer.0.norm1.weight", "6", TENSOR_NORM},
        {"2.transformer.0.norm1.bias", "6", TENSOR_NORM},
        {"2.transformer.0.attention.qkv.weight", "18x6", TENSOR_WEIGHT},
        {"2.transformer.0.attention.qkv.bias", "18", TENSOR_BIAS},
        {"2.transformer.0.attention.proj.weight", "6x6", TENSOR_WEIGHT},
        {"2.transformer.0.attention.proj.bias", "6", TENSOR_BIAS},
        {"2.transformer.0.norm2.weight", "6", TENSOR_NORM},
        {"2.transformer.0.norm2.bias", "6", TENSOR_NORM},
        {"2.transformer.0.up.weight", "12x6", TENSOR_WEIGHT},
        {"2.transformer.0.up.bias", "12", TENSOR_BIAS},
        {"2.transformer.0.down.weight", "6x12", TENSOR_WEIGHT},
        {"2.transformer.0.down.bias", "6", TENSOR_BIAS},
        {"3.layer_norm.weight", "6", TENSOR_NORM},
        {"3.layer_norm.bias", "6", TENSOR_NORM},
        {"4.lm_head.weight", "11x6", TENSOR_WEIGHT},
    };
    struct trial trial = {
        .spec = MODEL(EMBEDDING(6), POSITION_EMBEDDING, TRANSFORMER(1, 2, true, 0), NORM(layer_norm), LM_HEAD(false)),
        .form = TEXT(7, 11),
        .loss = CROSS_ENTROPY,
        .rows = 2};
    check_tensors(&trial, expected, COUNT(expected));
    ((struct lm_head *)trial.spec.layers[4].settings)->tied = true;
    check_tensors(&trial, expected, COUNT(expected) - 1);
}

static void tensors_of_compositions_are_named_after_their_place(void)
{
    static const struct expected expected[] = {
        {"0.conv2d.weight", "4x2x3x3", TENSOR_WEIGHT},
        {"0.conv2d.bias", "4", TENSOR_BIAS},
        {"1.residual.0.conv2d.weight", "4x4x1x1", TENSOR_WEIGHT},
        {"1.residual.0.conv2d.bias", "4", TENSOR_BIAS},
        {"1.residual.1.residual.1.batch_norm.weight", "4", TENSOR_NORM},
        {"1.residual.1.residual.1.batch_norm.bias", "4", TENSOR_NORM},
        {"1.residual.1.residual.1.batch_norm.running_mean", "4", TENSOR_STATISTIC},
        {"1.residual.1.residual.1.batch_norm.running_var", "4", TENSOR_STATISTIC},
        {"2.repeat.0.1.dense.weight", "3x80", TENSOR_WEIGHT},
        {"2.repeat.0.1.dense.bias", "3", TENSOR_BIAS},
        {"2.repeat.1.1.dense.weight", "3x3", TENSOR_WEIGHT},
        {"2.repeat.1.1.dense.bias", "3", TENSOR_BIAS},
    };
    struct trial trial = {.spec = MODEL(CONV2D(4, 3, 1, PADDING_SAME),
                                        RESIDUAL(CONV2D(4, 1, 1, 0), RESIDUAL(PLAIN(relu), BATCH_NORM)),
                                        REPEAT(PLAIN(flatten), DENSE(3))),
                          .form = IMAGE(2, 4, 5, 3),
                          .rows = 2};
    check_tensors(&trial, expected, COUNT(expected));
}

static const struct tensor *find(const struct model *model, const char *name)
{
    for (size_t t = 0; t < model->table.length; t++)
        if (strcmp(model->table.tensors[t].name, name) == 0)
            return &model->table.tensors[t];
    CU_FAIL_FATAL("no such tensor");
    return NULL;
}

/* A. Radford et al. 2019, section 2.3: what adds to the residual stream begins smaller, the more blocks there are. */
static void residual_projections_of_gpt2_begin_smaller(void)
{
    static const struct {
        const char *name;
        double deviation;
    } cases[] = {
        {"0.embedding.weight", 0.02},
        {"1.position_embedding.weight", 0.02},
        {"2.transformer.1.attention.qkv.weight", 0.02},
        {"2.transformer.0.attention.proj.weight", 0.01},
        {"2.transformer.1.attention.proj.weight", 0.01},
        {"2.transformer.1.up.weight", 0.02},
        {"2.transformer.1.down.weight", 0.01},
    };
    struct trial trial = {.spec = GPT(true), .form = TEXT(7, 11), .loss = CROSS_ENTROPY, .rows = 2};
    struct bench b;
    CU_ASSERT_TRUE_FATAL(bench_init(&b, &trial));
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct tensor *tensor = find(&b.model, cases[i].name);
        CU_ASSERT_EQUAL(tensor->init, TENSOR_NORMAL);
        CU_ASSERT_DOUBLE_EQUAL((double)tensor->scale, cases[i].deviation, 1e-8);
    }
    CU_ASSERT_EQUAL(find(&b.model, "2.transformer.0.norm1.weight")->scale, 1);
    CU_ASSERT_EQUAL(find(&b.model, "2.transformer.0.norm1.bias")->scale, 0);
    bench_release(&b);
}

static void batch_norm_begins_with_the_identity_and_its_momentum(void)
{
    struct trial trial = {.spec = MODEL(DENSE(4), BATCH_NORM), .form = FEATURES(3, 4), .rows = 2};
    struct bench b;
    ((struct batch_norm *)trial.spec.layers[1].settings)->momentum = 0.25;
    CU_ASSERT_TRUE_FATAL(bench_init(&b, &trial));
    CU_ASSERT_EQUAL(find(&b.model, "1.batch_norm.weight")->scale, 1);
    CU_ASSERT_EQUAL(find(&b.model, "1.batch_norm.bias")->scale, 0);
    CU_ASSERT_EQUAL(find(&b.model, "1.batch_norm.running_mean")->scale, 0);
    CU_ASSERT_EQUAL(find(&b.model, "1.batch_norm.running_var")->scale, 1);
    CU_ASSERT_EQUAL(find(&b.model, "1.batch_norm.running_mean")->momentum, 0.25f);
    CU_ASSERT_EQUAL(find(&b.model, "1.batch_norm.running_var")->momentum, 0.25f);
    bench_release(&b);
}

/* ---- memory ---- */

/* Bytes of a pass through a model of `rows` rows; 0, with words: refused. */
static size_t bytes_of(const struct trial *trial, size_t *ups)
{
    struct model model;
    struct error error = {0};
    struct loss_spec loss = trial->loss;
    if (!loss.class)
        loss.class = &loss_mean_squared_error;
    if (!model_describe(&model, &trial->spec, &loss, &trial->form, trial->rows, 1, &error)) {
        printf("\n    refused: %s", error.text);
        return 0;
    }
    size_t bytes = model_bytes(&model);
    *ups = model.plan.up_count;
    model_release(&model);
    return bytes;
}

static void activations_overwrite_outputs_that_nobody_needs(void)
{
    enum { M = 32, W = 256, LAYERS_WITH_WEIGHTS = 4 };
    struct trial trial = {.spec = MODEL(DENSE(W), PLAIN(relu), DROPOUT(0.5), DENSE(W), PLAIN(relu), DENSE(W),
                                        PLAIN(tanh), DENSE(W), PLAIN(relu)),
                          .form = FEATURES(W, W),
                          .rows = M};
    size_t ups = 0, bytes = bytes_of(&trial, &ups), row = M * W * sizeof(float);
    /* One output for each layer with weights, one more behind the relu whose output is read while dropout changes it,
     * and two gradients. */
    CU_ASSERT_TRUE(bytes > 0);
    CU_ASSERT_TRUE(bytes <= (LAYERS_WITH_WEIGHTS + 1 + 2) * row);
    CU_ASSERT_TRUE(ups <= 2);
    if (bytes > (LAYERS_WITH_WEIGHTS + 1 + 2) * row)
        printf("\n    %g outputs", (double)bytes / (double)row);
}

/* Ten connections one behind the other need no more gradients than one. */
static void gradients_of_outputs_share_a_handful_of_buffers(void)
{
    struct trial deep = {.spec = MODEL(DENSE(64), REPEAT(RESIDUAL(NORM(layer_norm), DENSE(64), PLAIN(relu)))),
                         .form = FEATURES(64, 64),
                         .rows = 16};
    size_t two = 0, ten = 0, bytes_2 = bytes_of(&deep, &two);
    ((struct repeat *)deep.spec.layers[1].settings)->times = 10;
    size_t bytes_10 = bytes_of(&deep, &ten), row = 16 * 64 * sizeof(float);
    CU_ASSERT_TRUE(two > 0 && two <= 3);
    CU_ASSERT_EQUAL(two, ten);
    /* A connection's own: what norm and dense read, what relu gave, the sum, and the norm's mean and scale of a row. */
    CU_ASSERT_TRUE(bytes_10 - bytes_2 <= 8 * (4 * row + 2 * 16 * sizeof(float) + 256));
}

static void memory_of_attention_grows_with_the_positions_not_their_square(void)
{
    enum { M = 4, HEADS = 8, C = 32 };
    size_t ups, bytes[2];
    for (size_t i = 0; i < 2; i++) {
        size_t T = 512 << i;
        struct trial trial = {.spec = MODEL(ATTENTION(HEADS, true, 0), DENSE(1)), .form = SEQUENCE(T, C, T), .rows = M};
        bytes[i] = bytes_of(&trial, &ups);
        CU_ASSERT_TRUE(bytes[i] > 0 && bytes[i] < M * HEADS * T * T * sizeof(float) / 8);
    }
    CU_ASSERT_TRUE((double)bytes[1] < 2.1 * (double)bytes[0]);
}

static void outputs_for_a_large_vocabulary_never_exist_as_a_whole(void)
{
    enum { M = 8, T = 256, V = 50000 };
    struct trial trial = {
        .spec = MODEL(EMBEDDING(8), LM_HEAD(true)), .form = TEXT(T, V), .loss = CROSS_ENTROPY, .rows = M};
    size_t ups, bytes = bytes_of(&trial, &ups), all = (size_t)M * T * V * sizeof(float);
    CU_ASSERT_TRUE(bytes > 0 && bytes < all / 20);
}

/* ---- what does not fit ---- */

static void check_refused(const struct trial *trial, const char *place, const char *words)
{
    struct model model;
    struct error error = {0};
    struct loss_spec loss = trial->loss;
    if (!loss.class)
        loss.class = &loss_mean_squared_error;
    CU_ASSERT_FALSE(model_init(&model, &trial->spec, &loss, &trial->form, 2, 1, &error));
    CU_ASSERT_EQUAL(error.kind, ERROR_USAGE);
    bool told = strncmp(error.text, "model: ", 7) == 0 && strstr(error.text, place) && strstr(error.text, words);
    CU_ASSERT_TRUE(told);
    if (!told)
        printf("\n    \"%s\" does not say \"%s\" and \"%s\"", error.text, place, words);
    model_release(&model); /* after failure nothing is held, and release is fine */
}

static void layers_that_do_not_fit_are_refused_by_name(void)
{
    struct {
        struct trial trial;
        const char *place, *words;
    } cases[] = {
        {{.spec = MODEL(DENSE(3), CONV2D(2, 3, 1, 0)), .form = FEATURES(5, 3)}, "1.conv2d", "image"},
        {{.spec = MODEL(CONV2D(2, 6, 1, 0)), .form = IMAGE(1, 5, 5, 3)}, "0.conv2d", "6x6"},
        {{.spec = MODEL(DENSE(3), POOL(max_pool, 2, 0)), .form = FEATURES(5, 3)}, "1.max_pool", "image"},
        {{.spec = MODEL(POOL(max_pool, 6, 0), DENSE(3)), .form = IMAGE(1, 5, 7, 3)}, "0.max_pool", "6x6"},
        {{.spec = MODEL(DENSE(3), POOL(avg_pool, 2, 0)), .form = SEQUENCE(5, 3, 3)}, "1.avg_pool", "image"},
        {{.spec = MODEL(POOL(avg_pool, 8, 1), DENSE(3)), .form = IMAGE(1, 5, 7, 3)}, "0.avg_pool", "8x8"},
        {{.spec = MODEL(DENSE(3), PLAIN(global_avg_pool)), .form = FEATURES(5, 3)}, "1.global_avg_pool", "3 features"},
        {{.spec = MODEL(CONV2D(6, 1, 1, 0), GROUP_NORM(4)), .form = IMAGE(1, 5, 5, 3)}, "1.group_norm", "6 channels"},
        {{.spec = MODEL(DENSE(6), GROUP_NORM(2)), .form = SEQUENCE(5, 3, 3)}, "1.group_norm", "layer_norm"},
        {{.spec = MODEL(DENSE(3), POSITION_EMBEDDING), .form = FEATURES(5, 3)}, "1.position_embedding", "sequence"},
        {{.spec = MODEL(DENSE(3), EMBEDDING(4)), .form = FEATURES(5, 3)}, "1.embedding", "tokens"},
        {{.spec = MODEL(EMBEDDING(4), EMBEDDING(4)), .form = TEXT(5, 7), .loss = CROSS_ENTROPY},
         "1.embedding",
         "first"},
        {{.spec = MODEL(DENSE(3)), .form = TOKENS(5, 7, 3)}, "0.dense", "embedding"},
        {{.spec = MODEL(PLAIN(relu), DENSE(3)), .form = TOKENS(5, 7, 3)}, "0.relu", "embedding"},
        {{.spec = MODEL(TRANSFORMER(1, 1, true, 0)), .form = TOKENS(5, 7, 3)}, "0.transformer", "embedding"},
        {{.spec = MODEL(DENSE(4), ATTENTION(2, true, 0)), .form = FEATURES(5, 4)}, "1.attention", "sequence"},
        {{.spec = MODEL(DENSE(4), ATTENTION(3, true, 0)), .form = SEQUENCE(5, 4, 20)}, "1.attention", "3 heads"},
        {{.spec = MODEL(DENSE(4), TRANSFORMER(2, 3, true, 0)), .form = SEQUENCE(5, 4, 20)},
         "1.transformer.0.attention",
         "3 heads"},
        {{.spec = MODEL(DENSE(4), TRANSFORMER(2, 2, true, 0)), .form = FEATURES(5, 4)}, "1.transformer", "sequence"},
        {{.spec = MODEL(DENSE(4), LM_HEAD(false)), .form = SEQUENCE(5, 4, 20)}, "1.lm_head", "no vocabulary"},
        {{.spec = MODEL(DENSE(4), LM_HEAD(true)), .form = SEQUENCE(5, 4, 20)}, "1.lm_head", "no vocabulary"},
        {{.spec = MODEL(EMBEDDING(4), DENSE(5), LM_HEAD(true)), .form = TEXT(5, 7), .loss = CROSS_ENTROPY},
         "2.lm_head",
         "0.embedding.weight is 7x4"},
        {{.spec = MODEL(EMBEDDING(4), PLAIN(flatten), LM_HEAD(false)), .form = TEXT(5, 7), .loss = CROSS_ENTROPY},
         "2.lm_head",
         "sequence"},
        {{.spec = MODEL(DENSE(4), RESIDUAL(DENSE(5))), .form = FEATURES(5, 5)},
         "1.residual",
         "cannot be added to the 4"},
        {{.spec = MODEL(DENSE(4), RESIDUAL(PLAIN(relu), CONV2D(2, 3, 1, 0))), .form = FEATURES(5, 5)},
         "1.residual.1.conv2d",
         "image"},
        {{.spec = MODEL(CONV2D(2, 3, 1, 0), REPEAT(RESIDUAL(CONV2D(3, 1, 1, 0)))), .form = IMAGE(1, 5, 5, 3)},
         "1.repeat.0.0.residual",
         "cannot be added"},
        {{.spec = MODEL(CONV2D(2, 3, 1, 0), REPEAT(POOL(max_pool, 2, 0))), .form = IMAGE(1, 5, 5, 3)},
         "1.repeat.1.0.max_pool",
         "2x2"},
        {{.spec = MODEL(PLAIN_NAMED("a", tanh), PLAIN_NAMED("b", relu), DENSE(5), CONCAT("c")), .form = FEATURES(5, 5)},
         "3.concat",
         "no layer in front of it is called c; those that are called something: a, b."},
        {{.spec = MODEL(DENSE(5), CONCAT("c")), .form = FEATURES(5, 5)}, "1.concat", "something: none. (Names in"},
        {{.spec = MODEL(RESIDUAL(PLAIN_NAMED("a", tanh), DENSE(5)), CONCAT("a")), .form = FEATURES(5, 5)},
         "1.concat",
         "known only there"},
        {{.spec = MODEL(PLAIN_NAMED("a", tanh), PLAIN_NAMED("a", tanh), DENSE(5)), .form = FEATURES(5, 5)},
         "",
         "two layers are called a"},
        {{.spec = MODEL(PLAIN_NAMED("a", tanh), RESIDUAL(PLAIN_NAMED("a", tanh), DENSE(5))), .form = FEATURES(5, 5)},
         "",
         "two layers are called a"},
        {{.spec = MODEL(PLAIN_NAMED("a", tanh), POOL(max_pool, 2, 0), UPSAMPLE(2, UPSAMPLE_NEAREST), CONCAT("a")),
          .form = IMAGE(1, 5, 6, 5)},
         "3.concat",
         "its input is 1x4x6, and the earlier output is 1x5x6: only the channels may differ"},
        {{.spec = MODEL(PLAIN_NAMED("a", tanh), PLAIN(flatten), CONCAT("a")), .form = IMAGE(1, 5, 6, 5)},
         "2.concat",
         "only the channels may differ"},
        {{.spec = MODEL(PLAIN(relu), PLAIN(flatten)), .form = FEATURES(5, 5)}, "", "to learn"},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        check_refused(&cases[i].trial, cases[i].place, cases[i].words);
}

static void outputs_that_do_not_fit_the_data_are_refused(void)
{
    struct trial cases[] = {
        {.spec = MODEL(DENSE(17), PLAIN(relu), DENSE(9)),
         .form = {.input = {1, {64}}, .classes = 10, .terms = 1},
         .loss = CROSS_ENTROPY},
        {.spec = MODEL(EMBEDDING(4), DENSE(6)), .form = TEXT(5, 7), .loss = CROSS_ENTROPY},
        {.spec = MODEL(DENSE(17), PLAIN(relu), DENSE(4)), .form = FEATURES(5, 3)},
    };
    check_refused(&cases[0], "9 outputs", "10 classes");
    check_refused(&cases[1], "5x6", "5 positions of 7 classes");
    check_refused(&cases[2], "4 outputs", "3 targets");
}

/* Names and recursion have an end, and it is told before either is reached. */
static void compositions_nested_too_deep_are_refused(void)
{
    enum { DEPTH = MODEL_DEPTH + 1 };
    struct layer_spec nested[DEPTH + 1] = {PLAIN(relu)};
    struct residual settings[DEPTH + 1];
    for (size_t depth = 1; depth <= DEPTH; depth++) {
        settings[depth] = (struct residual){&nested[depth - 1], 1};
        nested[depth] = (struct layer_spec){.class = &layer_residual, .settings = &settings[depth]};
    }
    struct trial trial = {.spec = {&nested[DEPTH], 1}, .form = FEATURES(5, 5)};
    check_refused(&trial, "0.residual", "too deep");
}

static void inputs_are_what_the_first_layers_read(void)
{
    struct layer_spec relu = PLAIN(relu), conv1d = CONV1D(2, 2, 1, 0), conv2d = CONV2D(2, 2, 1, 0),
                      conv3d = CONV3D(2, 2, 1, 0), dense = DENSE(4), group_norm = GROUP_NORM(1),
                      residual = RESIDUAL(conv1d), repeat = REPEAT(relu, conv3d), flatten = PLAIN(flatten);
    const struct shape grey = {3, {1, 8, 6}}, sequence = {2, {8, 6}}, grey_volume = {4, {1, 1, 8, 6}};
    const struct shape image = {3, {4, 8, 6}}, volume = {4, {1, 4, 8, 6}}, features = {1, {8}};
    const struct {
        struct model_spec spec;
        struct shape input, read;
    } cases[] = {
        {MODEL(conv1d, dense), grey, sequence},
        {MODEL(relu, conv1d, conv2d), grey, sequence},
        {MODEL(relu, residual, dense), grey, sequence},
        {MODEL(conv1d), sequence, sequence},
        {MODEL(conv1d), features, features},
        {MODEL(conv1d), image, image},
        {MODEL(conv2d, conv1d), grey, grey},
        {MODEL(group_norm, conv1d), grey, grey},
        {MODEL(dense, conv1d), grey, grey},
        {MODEL(flatten, conv3d), image, image},
        {MODEL(relu, dense), grey, grey},
        {MODEL(conv3d, dense), image, volume},
        {MODEL(conv3d), grey, grey_volume},
        {MODEL(group_norm, repeat), image, volume},
        {MODEL(conv2d, conv3d), image, image},
        {MODEL(conv3d), volume, volume},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct shape read = model_reads(&cases[i].spec, &cases[i].input);
        CU_ASSERT_EQUAL(memcmp(&read, &cases[i].read, sizeof read), 0);
        if (memcmp(&read, &cases[i].read, sizeof read) != 0)
            printf("\n    case %zu: %zu dimensions", i, read.dims);
    }
}

int main(void)
{
    static const struct test_case cases[] = {
        {"a transformer's tensors have their names, shapes and roles",
         a_transformers_tensors_have_their_names_shapes_and_roles},
        {"tensors of compositions are named after their place", tensors_of_compositions_are_named_after_their_place},
        {"residual projections of GPT-2 begin smaller", residual_projections_of_gpt2_begin_smaller},
        {"batch norm begins with the identity and its momentum", batch_norm_begins_with_the_identity_and_its_momentum},
        {"activations overwrite outputs that nobody needs", activations_overwrite_outputs_that_nobody_needs},
        {"gradients of outputs share a handful of buffers", gradients_of_outputs_share_a_handful_of_buffers},
        {"memory of attention grows with the positions, not their square",
         memory_of_attention_grows_with_the_positions_not_their_square},
        {"outputs for a large vocabulary never exist as a whole",
         outputs_for_a_large_vocabulary_never_exist_as_a_whole},
        {"layers that do not fit are refused by name", layers_that_do_not_fit_are_refused_by_name},
        {"outputs that do not fit the data are refused", outputs_that_do_not_fit_the_data_are_refused},
        {"inputs are what the first layers read", inputs_are_what_the_first_layers_read},
        {"compositions nested too deep are refused", compositions_nested_too_deep_are_refused},
        {NULL, NULL},
    };
    return test_run("nn/model", cases);
}
