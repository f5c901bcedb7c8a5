#include "h5/h5.h"
#include "match_support.h"
#include "weights/convert.h"

static struct error error;

static void names_of_gpt2_are_known_with_and_without_their_prefix(void)
{
    struct model model;
    struct layout layout;
    describe_gpt(&model, true, true);
    CU_ASSERT_TRUE_FATAL(layout_gpt2(&layout, &model));
    for (size_t i = 0; i < 2; i++) {
        struct weights_file file;
        struct match match;
        write_model(&model, &layout, i ? &weights_npz : &weights_safetensors, test_path("gpt"), SIZE_MAX,
                    i ? "transformer." : "");
        CU_ASSERT_TRUE_FATAL(weights_open(&file, test_path("gpt"), false, &error));
        CU_ASSERT_TRUE_FATAL(match_init(&match, &file, &model, "abcdefg", &error));
        CU_ASSERT_STRING_EQUAL(match.layout.name, "gpt2");
        assert_all_loaded(&match);
        match_release(&match);
        match_release(&match);
        weights_close(&file);
    }
    layout_release(&layout);
    model_release(&model);
}

static void our_own_names_and_those_of_keras_are_known(void)
{
    struct model model;
    struct layout layout;
    for (size_t i = 0; i < 2; i++) {
        struct weights_file file;
        struct match match;
        describe_image_model(
            &model,
            (struct layer_spec[]){
                {.class = &layer_conv2d,
                 .settings = &(struct conv2d){.filters = 3, .kernel = 3, .stride = 2, .init = INIT_DEFAULT}},
                {.class = &layer_batch_norm, .settings = &(struct batch_norm){.epsilon = 1e-5, .momentum = 0.1}},
                {.class = &layer_dense, .settings = &(struct dense){.units = 4, .bias = true, .init = INIT_DEFAULT}}},
            3);
        if (i == 0)
            layout_lockstep(&layout, &model);
        else
            CU_ASSERT_TRUE_FATAL(layout_keras(&layout, &model, &error));
        write_model(&model, &layout, i ? &weights_keras : &weights_npz, test_path("image"), SIZE_MAX, "");
        CU_ASSERT_TRUE_FATAL(weights_open(&file, test_path("image"), false, &error));
        CU_ASSERT_TRUE_FATAL(match_init(&match, &file, &model, NULL, &error));
        assert_all_loaded(&match);
        match_release(&match);
        weights_close(&file);
        layout_release(&layout);
        model_release(&model);
    }
}

static void what_is_missing_extra_or_of_a_wrong_shape_is_listed(void)
{
    struct model model, other;
    struct layout layout;
    struct weights_file file;
    struct match match;
    describe_gpt(&model, false, true);
    describe_gpt(&other, true, false);
    layout_lockstep(&layout, &model);
    write_model(&model, &layout, &weights_safetensors, test_path("part"), 1, "");
    CU_ASSERT_TRUE_FATAL(weights_open(&file, test_path("part"), false, &error));
    CU_ASSERT_TRUE_FATAL(match_init(&match, &file, &other, NULL, &error));
    CU_ASSERT_FALSE(match_check(&match, false, &error));
    CU_ASSERT_EQUAL(error.kind, ERROR_USAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "missing: 1.position_embedding.weight"));
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "extra: 3.transformer.0.attention.qkv.bias"));
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "... and 1 more extra"));
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "--partial"));
    CU_ASSERT_TRUE(match_check(&match, true, &error));
    CU_ASSERT_FALSE(match_has(&match, 1));
    CU_ASSERT_TRUE(match_has(&match, 0));
    match_release(&match);
    weights_close(&file);

    struct weights weights;
    weights_init(&weights);
    add_tensor(&weights, "0.embedding.weight", 2, (size_t[]){6, 7}, 0);
    CU_ASSERT_TRUE_FATAL(weights_write(&weights_npz, test_path("wrong"), &weights, &error));
    weights_release(&weights);
    CU_ASSERT_TRUE_FATAL(weights_open(&file, test_path("wrong"), false, &error));
    CU_ASSERT_TRUE_FATAL(match_init(&match, &file, &model, NULL, &error));
    CU_ASSERT_FALSE(match_check(&match, true, &error));
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "0.embedding.weight: 6x7 in the file, 7x6 here"));
    match_release(&match);
    weights_close(&file);
    layout_release(&layout);
    model_release(&other);
    model_release(&model);
}

static void a_file_of_which_nothing_fits_is_refused_even_in_part(void)
{
    struct model model;
    struct weights weights;
    struct weights_file file;
    struct match match;
    describe_gpt(&model, true, true);
    weights_init(&weights);
    for (size_t i = 0; i < 2; i++) {
        CU_ASSERT_TRUE_FATAL(weights_write(&weights_safetensors, test_path("none"), &weights, &error));
        CU_ASSERT_TRUE_FATAL(weights_open(&file, test_path("none"), false, &error));
        CU_ASSERT_FALSE(match_init(&match, &file, &model, NULL, &error));
        CU_ASSERT_EQUAL(error.kind, ERROR_USAGE);
        weights_close(&file);
        add_tensor(&weights, "somebody else's", 1, (size_t[]){1}, 0);
    }
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "somebody else's"));
    weights_release(&weights);
    model_release(&model);
}

static void another_vocabulary_is_refused(void)
{
    struct model model;
    struct layout layout;
    struct weights_file file;
    struct match match;
    describe_gpt(&model, true, true);
    layout_lockstep(&layout, &model);
    write_model(&model, &layout, &weights_safetensors, test_path("words"), SIZE_MAX, "");
    CU_ASSERT_TRUE_FATAL(weights_open(&file, test_path("words"), false, &error));
    CU_ASSERT_FALSE(match_init(&match, &file, &model, "abcdxfg", &error));
    CU_ASSERT_EQUAL(error.kind, ERROR_USAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "vocabulary"));
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "character 5"));
    weights_close(&file);
    layout_release(&layout);
    model_release(&model);
}

/* GPT-2 with a head of its own, of which a model with a tied one gets to know. */
static void a_second_copy_must_be_equal(void)
{
    struct model model;
    struct layout layout;
    struct weights weights;
    struct weights_file file;
    struct match match;
    float values[1024];
    describe_gpt(&model, true, true);
    CU_ASSERT_TRUE_FATAL(layout_gpt2(&layout, &model));
    weights_init(&weights);
    add_tensor(&weights, "wte.weight", 2, (size_t[]){7, 6}, 1);
    add_tensor(&weights, "lm_head.weight", 2, (size_t[]){7, 6}, 1);
    for (size_t i = 0; i < 2; i++) {
        CU_ASSERT_TRUE_FATAL(weights_write(&weights_safetensors, test_path("tied"), &weights, &error));
        CU_ASSERT_TRUE_FATAL(weights_open(&file, test_path("tied"), false, &error));
        CU_ASSERT_TRUE_FATAL(match_init(&match, &file, &model, NULL, &error));
        CU_ASSERT_EQUAL(match_load(&match, 0, values, &error), i == 0);
        match_release(&match);
        weights_close(&file);
        weights.tensors[1].values[41] = -1;
    }
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "tied: false"));
    weights_release(&weights);
    layout_release(&layout);
    model_release(&model);
}

static void converting_there_and_back_changes_nothing(void)
{
    struct model model;
    struct layout own, gpt2;
    struct weights there, back;
    struct weights_file file;
    struct match match;
    describe_gpt(&model, true, true);
    layout_lockstep(&own, &model);
    CU_ASSERT_TRUE_FATAL(layout_gpt2(&gpt2, &model));
    write_model(&model, &own, &weights_npz, test_path("own"), SIZE_MAX, "");
    weights_init(&there);
    weights_init(&back);
    CU_ASSERT_TRUE_FATAL(weights_open(&file, test_path("own"), false, &error));
    CU_ASSERT_TRUE_FATAL(match_init(&match, &file, &model, NULL, &error));
    CU_ASSERT_TRUE(convert_layout(&match, &gpt2, &there, &error));
    CU_ASSERT_EQUAL(there.count, model.table.length);
    match_release(&match);
    weights_close(&file);
    CU_ASSERT_TRUE(weights_write(&weights_safetensors, test_path("theirs"), &there, &error));
    CU_ASSERT_TRUE_FATAL(weights_open(&file, test_path("theirs"), false, &error));
    CU_ASSERT_TRUE_FATAL(match_init(&match, &file, &model, NULL, &error));
    assert_all_loaded(&match);
    match_release(&match);
    CU_ASSERT_TRUE(convert_copy(&file, &back, &error));
    for (size_t i = 0; i < there.count && i < back.count; i++)
        CU_ASSERT_EQUAL(memcmp(there.tensors[i].values, back.tensors[i].values, there.tensors[i].count * 4), 0);
    weights_close(&file);
    weights_release(&there);
    weights_release(&back);
    layout_release(&own);
    layout_release(&gpt2);
    model_release(&model);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"names of GPT-2 are known with and without their prefix",
         names_of_gpt2_are_known_with_and_without_their_prefix},
        {"our own names and those of Keras are known", our_own_names_and_those_of_keras_are_known},
        {"what is missing, extra or of a wrong shape is listed", what_is_missing_extra_or_of_a_wrong_shape_is_listed},
        {"a file of which nothing fits is refused even in part", a_file_of_which_nothing_fits_is_refused_even_in_part},
        {"another vocabulary is refused", another_vocabulary_is_refused},
        {"a second copy must be equal", a_second_copy_must_be_equal},
        {"converting there and back changes nothing", converting_there_and_back_changes_nothing},
        {0}};
    h5_init();
    return test_run("weights/match", cases);
}
