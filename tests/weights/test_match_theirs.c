/* Files as other people have them: with prefixes, other numbers of modules, other layouts, more or fewer rows. */
#include "h5/h5.h"
#include "match_support.h"

static struct error error;

/* Three products of which two are of one shape, and norms. */
static void describe_sequence(struct model *model)
{
    static struct dense square = {.units = 8, .bias = true, .init = INIT_DEFAULT};
    describe_image_model(
        model,
        (struct layer_spec[]){
            {.class = &layer_conv2d,
             .settings = &(struct conv2d){.filters = 3, .kernel = 3, .stride = 1, .bias = true, .init = INIT_DEFAULT}},
            {.class = &layer_batch_norm, .settings = &(struct batch_norm){.epsilon = 1e-5, .momentum = 0.1}},
            {.class = &layer_relu},
            {.class = &layer_dense, .settings = &square},
            {.class = &layer_dense, .settings = &square},
            {.class = &layer_dense, .settings = &square},
            {.class = &layer_dense, .settings = &(struct dense){.units = 4, .bias = true, .init = INIT_DEFAULT}}},
        7);
}

/* Writes the model's tensors as a Sequential's whose modules are called `modules`, from the last on: the order in a
 * file means nothing. */
static void write_sequence(const struct model *model, const char *const *modules, const char *path)
{
    struct layout layout;
    char last[LAYOUT_NAME] = "";
    size_t module = SIZE_MAX;
    CU_ASSERT_TRUE_FATAL(layout_torch(&layout, model, NULL, &error));
    for (size_t r = 0; r < layout.count; r++) {
        char *name = layout.rows[r].name, *leaf = strrchr(name, '.') + 1, theirs[LAYOUT_NAME];
        module += strncmp(last, name, (size_t)(leaf - name)) != 0;
        memcpy(last, name, sizeof last);
        snprintf(theirs, sizeof theirs, "%s.%.40s", modules[module], leaf);
        memcpy(name, theirs, sizeof theirs);
    }
    for (size_t a = 0, b = layout.count - 1; a < b; a++, b--) {
        struct layout_row row = layout.rows[a];
        layout.rows[a] = layout.rows[b];
        layout.rows[b] = row;
    }
    write_model(model, &layout, &weights_npz, path, SIZE_MAX, "");
    layout_release(&layout);
}

static bool opens(struct weights_file *file, struct match *match, const struct model *model, const char *name)
{
    CU_ASSERT_TRUE_FATAL(weights_open(file, test_path(name), false, &error));
    if (match_init(match, file, model, NULL, &error))
        return true;
    weights_close(file);
    return false;
}

static void modules_of_a_sequential_are_taken_in_their_order(void)
{
    static const char *const names[][6] = {
        {"0", "1", "4", "5", "6", "7"},
        {"0", "2", "9", "10", "11", "100"},
        {"0.0", "0.1", "2.0.1", "2.0.3", "2.1", "3"},
        {"features.0", "features.1", "classifier.1", "classifier.2", "classifier.10", "classifier.11"},
        {"net.0", "net.1", "net.3", "net.4", "net.5", "net.12"},
        {"module._orig_mod.model.0", "module._orig_mod.model.1", "module._orig_mod.model.2.0",
         "module._orig_mod.model.2.1", "module._orig_mod.model.3", "module._orig_mod.model.4"},
    };
    struct model model;
    describe_sequence(&model);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct weights_file file;
        struct match match;
        write_sequence(&model, names[i], test_path("sequence"));
        CU_ASSERT_TRUE_FATAL(opens(&file, &match, &model, "sequence"));
        CU_ASSERT_STRING_EQUAL(match.layout.name, "torch");
        CU_ASSERT_EQUAL(match.layout.in_order, i > 0);
        assert_all_loaded(&match);
        match_release(&match);
        weights_close(&file);
    }
    model_release(&model);
}

/* Of a module by itself, and of one in a model that has no other. */
static void one_module_needs_no_number(void)
{
    static const char *const names[][2] = {{"weight", "bias"}, {"module.head.fc.weight", "module.head.fc.bias"}};
    static struct dense dense = {.units = 4, .bias = true, .init = INIT_DEFAULT};
    struct model model;
    describe_image_model(&model, (struct layer_spec[]){{.class = &layer_dense, .settings = &dense}}, 1);
    for (size_t i = 0; i < 2; i++) {
        struct weights weights;
        struct weights_file file;
        struct match match;
        float values[192];
        weights_init(&weights);
        add_tensor(&weights, names[i][0], 2, (size_t[]){4, 48}, 1);
        add_tensor(&weights, names[i][1], 1, (size_t[]){4}, 1000);
        CU_ASSERT_TRUE_FATAL(weights_write(&weights_npz, test_path("one"), &weights, &error));
        CU_ASSERT_TRUE_FATAL(opens(&file, &match, &model, "one"));
        CU_ASSERT_TRUE(match_check(&match, false, &error));
        CU_ASSERT_TRUE(match_load(&match, 0, values, &error) && values[191] == 1 + 0.25f * 191);
        CU_ASSERT_TRUE(match_load(&match, 1, values, &error) && values[3] == 1000.75f);
        match_release(&match);
        weights_close(&file);
        weights_release(&weights);
    }
    model_release(&model);
}

/* Names that leave it open which module runs first. */
static void modules_whose_names_say_no_order_are_refused(void)
{
    static const char *const names[][6] = {
        {"0", "1", "fc1", "fc2", "fc3", "fc4"},
        {"features.0", "features.1", "2", "3", "4", "5"},
        {"a.0", "a.1", "b.0", "b.1", "b.2", "b.3"},
        {"0", "0.1", "1", "2", "3", "4"},
        {"0", "01", "1", "2", "3", "4"},
        {"0", "features.1", "2", "3", "4", "5"},
        {"0.features.0", "0.classifier.1", "1", "2", "3", "4"},
    };
    struct model model;
    describe_sequence(&model);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct weights_file file;
        struct match match;
        write_sequence(&model, names[i], test_path("orderless"));
        if (!opens(&file, &match, &model, "orderless"))
            continue;
        CU_ASSERT_FALSE(match_check(&match, false, &error));
        match_release(&match);
        weights_close(&file);
    }
    model_release(&model);
}

static void modules_of_another_number_or_kind_are_told(void)
{
    static const struct {
        const char *names[6];
        size_t layers;
        const char *words;
    } cases[] = {
        {{"1", "2", "4", "5", "6", "8"}, 5, "the file has 6 modules with tensors, this model 5 layers"},
        {{"5", "6", "7", "8", "9", "10"},
         6,
         "module 6 of the file has weight, bias, running_mean, running_var, where "
         "this model has weight, bias"},
    };
    static struct dense square = {.units = 8, .bias = true, .init = INIT_DEFAULT};
    static struct dense last = {.units = 4, .bias = true, .init = INIT_DEFAULT};
    struct model model, other;
    describe_sequence(&model);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct weights_file file;
        struct match match;
        struct layer_spec layers[6];
        for (size_t l = 0; l < cases[i].layers; l++)
            layers[l] = (struct layer_spec){.class = &layer_dense, .settings = &square};
        layers[cases[i].layers - 1].settings = &last;
        describe_image_model(&other, layers, cases[i].layers);
        write_sequence(&model, cases[i].names, test_path("kinds"));
        bool refused = !opens(&file, &match, &other, "kinds");
        if (!refused) {
            CU_ASSERT_FALSE(match_check(&match, false, &error));
            match_release(&match);
            weights_close(&file);
        }
        CU_ASSERT_PTR_NOT_NULL(strstr(error.text, cases[i].words));
        if (!strstr(error.text, cases[i].words))
            printf("%s\n", error.text);
        model_release(&other);
    }
    model_release(&model);
}

static void nanogpt_has_its_products_the_other_way_round(void)
{
    static bool (*const layouts[])(struct layout *, const struct model *) = {layout_gpt2, layout_nanogpt};
    static const char *const names[] = {"gpt2", "nanoGPT"};
    struct model model;
    describe_gpt(&model, true, true);
    for (size_t i = 0; i < 2; i++) {
        struct layout layout;
        struct weights_file file;
        struct match match;
        CU_ASSERT_TRUE_FATAL(layouts[i](&layout, &model));
        write_model(&model, &layout, &weights_safetensors, test_path("nano"), SIZE_MAX, "");
        CU_ASSERT_TRUE_FATAL(opens(&file, &match, &model, "nano"));
        CU_ASSERT_STRING_EQUAL(match.layout.name, names[i]);
        assert_all_loaded(&match);
        match_release(&match);
        weights_close(&file);
        layout_release(&layout);
    }
    model_release(&model);
}

/* attn.c_proj alone is 6 x 6 in both. */
static void square_products_alone_are_refused(void)
{
    struct model model;
    struct weights weights;
    struct weights_file file;
    struct match match;
    describe_gpt(&model, true, true);
    weights_init(&weights);
    add_tensor(&weights, "transformer.wte.weight", 2, (size_t[]){7, 6}, 1);
    for (size_t i = 0; i < 3; i++) {
        CU_ASSERT_TRUE_FATAL(weights_write(&weights_safetensors, test_path("square"), &weights, &error));
        CU_ASSERT_EQUAL(opens(&file, &match, &model, "square"), i != 1);
        if (i == 1) {
            CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "square"));
        } else {
            CU_ASSERT_TRUE(match_check(&match, true, &error));
            match_release(&match);
            weights_close(&file);
        }
        if (i == 0)
            add_tensor(&weights, "transformer.h.0.attn.c_proj.weight", 2, (size_t[]){6, 6}, 2);
        else
            add_tensor(&weights, "transformer.h.1.mlp.c_fc.weight", 2, (size_t[]){24, 6}, 2);
    }
    weights_release(&weights);
    model_release(&model);
}

/* The model has 7 tokens and 5 positions, of 6 channels. */
static void rows_that_both_have_are_taken_in_part(void)
{
    static const size_t tokens[] = {9, 4}, positions[] = {3, 8};
    struct model model;
    describe_gpt(&model, true, true);
    const struct tensor *table = model.table.tensors;
    for (size_t i = 0; i < 2; i++) {
        struct weights weights;
        struct weights_file file;
        struct match match;
        float values[64], fresh[64];
        weights_init(&weights);
        add_tensor(&weights, "transformer.wte.weight", 2, (size_t[]){tokens[i], 6}, 1);
        add_tensor(&weights, "transformer.wpe.weight", 2, (size_t[]){positions[i], 6}, 100);
        add_tensor(&weights, "lm_head.weight", 2, (size_t[]){tokens[i], 6}, 1);
        CU_ASSERT_TRUE_FATAL(weights_write(&weights_safetensors, test_path("rows"), &weights, &error));
        CU_ASSERT_TRUE_FATAL(opens(&file, &match, &model, "rows"));
        CU_ASSERT_FALSE(match_check(&match, false, &error));
        CU_ASSERT_PTR_NOT_NULL(strstr(error.text, i ? "rows: transformer.wte.weight: 4x6 in the file, 7x6 here: the "
                                                      "first 4 rows are taken, 3 begin as without the file"
                                                    : "rows: transformer.wte.weight: 9x6 in the file, 7x6 here: the "
                                                      "first 7 rows are taken, 2 are left out"));
        CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "--partial"));
        CU_ASSERT_TRUE(match_check(&match, true, &error));
        match.seed = 5;
        for (size_t t = 0; t < 2; t++) {
            size_t taken = 6 * (t == 0 ? (i ? 4u : 7u) : (i ? 5u : 3u));
            CU_ASSERT_TRUE_FATAL(match_load(&match, t, values, &error));
            tensor_table_fill(&model.table, 5, table[t].offset, table[t].count, fresh);
            for (size_t e = 0; e < table[t].count; e++)
                CU_ASSERT_EQUAL(values[e], e < taken ? (t ? 100 : 1) + 0.25f * (float)e : fresh[e]);
        }
        match_release(&match);
        weights_close(&file);
        weights_release(&weights);
    }
    model_release(&model);
}

/* A head of its own in Keras' layout has its tokens behind. */
static void rows_of_a_transposed_head_are_its_columns(void)
{
    struct model model;
    struct weights weights;
    struct weights_file file;
    struct match match;
    float values[64];
    describe_text_model(
        &model,
        (struct layer_spec[]){
            {.class = &layer_embedding, .settings = &(struct embedding){.width = 2, .init = INIT_DEFAULT}},
            {.class = &layer_lm_head, .settings = &(struct lm_head){.bias = true, .init = INIT_DEFAULT}}},
        2);
    weights_init(&weights);
    add_tensor(&weights, "layers/embedding/vars/0", 2, (size_t[]){7, 2}, 1);
    add_tensor(&weights, "layers/dense/vars/0", 2, (size_t[]){2, 9}, 0);
    add_tensor(&weights, "layers/dense/vars/1", 1, (size_t[]){9}, 0);
    CU_ASSERT_TRUE_FATAL(weights_write(&weights_keras, test_path("head"), &weights, &error));
    CU_ASSERT_TRUE_FATAL(opens(&file, &match, &model, "head"));
    CU_ASSERT_FALSE(match_check(&match, false, &error));
    CU_ASSERT_TRUE(match_check(&match, true, &error));
    CU_ASSERT_TRUE_FATAL(match_load(&match, 1, values, &error));
    for (size_t token = 0; token < 7; token++)
        for (size_t c = 0; c < 2; c++)
            CU_ASSERT_EQUAL(values[2 * token + c], 0.25f * (float)(9 * c + token));
    match_release(&match);
    weights_close(&file);
    weights_release(&weights);
    model_release(&model);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"modules of a Sequential are taken in their order", modules_of_a_sequential_are_taken_in_their_order},
        {"one module needs no number", one_module_needs_no_number},
        {"modules whose names say no order are refused", modules_whose_names_say_no_order_are_refused},
        {"modules of another number or kind are told", modules_of_another_number_or_kind_are_told},
        {"nanoGPT has its products the other way round", nanogpt_has_its_products_the_other_way_round},
        {"square products alone are refused", square_products_alone_are_refused},
        {"rows that both have are taken in part", rows_that_both_have_are_taken_in_part},
        {"rows of a transposed head are its columns", rows_of_a_transposed_head_are_its_columns},
        {0}};
    h5_init();
    return test_run("weights/match_theirs", cases);
}
