/* What Keras says of its models: names as its own code makes them, and configurations that nobody should believe. */
#include "base/memory.h"
#include "support/test.h"
#include "weights/keras_config.h"

#include <string.h>

#define LAYER(class, name) "{\"class_name\":\"" class "\",\"config\":{\"name\":\"" name "\"}}"
#define MODEL(class, name, layers)                                                                                     \
    "{\"class_name\":\"" class "\",\"config\":{\"name\":\"" name "\",\"layers\":[" layers "]}}"
#define NODE(class, name, inputs)                                                                                      \
    "{\"class_name\":\"" class "\",\"config\":{\"name\":\"" name "\"},\"inbound_nodes\":" inputs "}"
#define KERAS3(name)                                                                                                   \
    "[{\"args\":[{\"class_name\":\"__keras_tensor__\",\"config\":{\"keras_history\":[\"" name "\",0,0]}}],"            \
    "\"kwargs\":{\"mask\":null}}]"
#define KERAS2(name) "[[[\"" name "\",0,0,{}]]]"

static const struct weights none;

static void assert_layers(const char *json, const char *expected)
{
    struct keras_config config;
    struct text why, found;
    text_init(&why);
    text_init(&found);
    CU_ASSERT_TRUE(keras_config_read(&config, json, &none, &why));
    for (size_t i = 0; i < config.count; i++)
        text_append(&found, "%s %s %s/%s\n", config.layers[i].class, config.layers[i].path, config.layers[i].top,
                    config.layers[i].name);
    CU_ASSERT_STRING_EQUAL(text_bytes(&found), expected);
    if (strcmp(text_bytes(&found), expected) != 0)
        printf("%s%s\n", text_bytes(&found), text_bytes(&why));
    keras_config_release(&config);
    keras_config_release(&config);
    text_release(&why);
    text_release(&found);
}

static void classes_are_called_as_keras_calls_them(void)
{
    assert_layers(
        MODEL(
            "Sequential", "s",
            LAYER("Conv2D", "a") "," LAYER("Conv2DTranspose", "b") "," LAYER("LayerNormalization", "c") "," LAYER(
                "RMSNormalization",
                "d") "," LAYER("ReLU",
                               "e") "," LAYER("LeakyReLU",
                                              "f") "," LAYER("Conv2D",
                                                             "g") "," LAYER("PReLU",
                                                                            "h") "," LAYER("Conv2D",
                                                                                           "i") "," LAYER("GlobalAveragePooling2D",
                                                                                                          "j") "," LAYER("MyABcDe",
                                                                                                                         "k")),
        "conv2d layers/conv2d a/a\n"
        "conv2d_transpose layers/conv2d_transpose b/b\n"
        "layer_normalization layers/layer_normalization c/c\n"
        "rms_normalization layers/rms_normalization d/d\n"
        "re_lu layers/re_lu e/e\n"
        "leaky_re_lu layers/leaky_re_lu f/f\n"
        "conv2d layers/conv2d_1 g/g\n"
        "p_re_lu layers/p_re_lu h/h\n"
        "conv2d layers/conv2d_2 i/i\n"
        "global_average_pooling2d layers/global_average_pooling2d j/j\n"
        "my_a_bc_de layers/my_a_bc_de k/k\n");
}

static void models_inside_models_count_for_themselves(void)
{
    assert_layers(
        MODEL("Functional", "outer",
              NODE("InputLayer", "in", "[]") "," NODE(
                  "Dense", "one",
                  KERAS3("in")) ",{\"class_name\":\"Sequential\","
                                "\"config\":{\"name\":\"inner\",\"layers\":[" LAYER(
                                    "Dense", "two") "]},\"inbound_nodes\":" KERAS3("one") "}," NODE("Dense", "three",
                                                                                                    KERAS3("inner"))),
        "input_layer layers/input_layer in/in\n"
        "dense layers/dense one/one\n"
        "dense layers/sequential/layers/dense inner/two\n"
        "dense layers/dense_1 three/three\n");
    assert_layers(MODEL("Model", "old", NODE("InputLayer", "in", "[]") "," NODE("Dense", "one", KERAS2("in"))),
                  "input_layer layers/input_layer in/in\ndense layers/dense one/one\n");
    assert_layers("{\"class_name\":\"Sequential\",\"config\":[" LAYER("Dense", "one") "]}",
                  "dense layers/dense one/one\n");
}

static void what_is_no_chain_or_no_configuration_is_refused(void)
{
    static const struct {
        const char *json, *words;
    } cases[] = {
        {"", "not that of"},
        {"7", "not that of"},
        {"[]", "not that of"},
        {"{\"config\":{\"layers\":7}}", "not that of"},
        {"{\"config\":{\"layers\":[]}", "not that of"},
        {"{\"config\":{\"layers\":[7]}}", "no class_name"},
        {"{\"config\":{\"layers\":[{\"class_name\":[]}]}}", "no class_name"},
        {"{\"config\":{\"layers\":[{\"class_name\":\"\"}]}}", "no class_name"},
        {"{\"config\":{\"layers\":[{\"class_name\":\"De/nse\"}]}}", "no class_name"},
        {MODEL("Functional", "f", NODE("InputLayer", "a", "[]") "," NODE("InputLayer", "b", "[]")), "\"b\" has not"},
        {MODEL("Functional", "f", NODE("Dense", "a\\u001b", "[]") "," NODE("Dense", "\\u001b", KERAS3("c"))),
         "\"\\u001b\" has not"},
        {MODEL("Functional", "f",
               NODE("InputLayer", "a", "[]") "," NODE("Dense", "b", KERAS3("a")) "," NODE(
                   "Add", "c", "[[[\"b\",0,0,{}],[\"a\",0,0,{}]]]")),
         "\"c\" has not"},
        {MODEL("Functional", "f",
               NODE("InputLayer", "a", "[]") "," NODE("Dense", "b", "[[[\"a\",0,0,{}]],[[\"a\",0,0,{}]]]")),
         "\"b\" has not"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct keras_config config;
        struct text why;
        text_init(&why);
        CU_ASSERT_FALSE(keras_config_read(&config, cases[i].json, &none, &why));
        CU_ASSERT_PTR_NOT_NULL(strstr(text_bytes(&why), cases[i].words));
        if (!strstr(text_bytes(&why), cases[i].words))
            printf("%s: %s\n", cases[i].json, text_bytes(&why));
        CU_ASSERT_EQUAL(config.count, 0);
        text_release(&why);
    }
}

static void models_nested_without_end_are_refused(void)
{
    struct keras_config config;
    struct text json, why;
    text_init(&json);
    text_init(&why);
    for (size_t i = 0; i < 400; i++)
        text_append(&json, "{\"class_name\":\"Sequential\",\"config\":{\"layers\":[");
    for (size_t i = 0; i < 400; i++)
        text_append(&json, "]}}");
    CU_ASSERT_FALSE(keras_config_read(&config, text_bytes(&json), &none, &why));
    CU_ASSERT_PTR_NOT_NULL(strstr(text_bytes(&why), "too many"));
    text_release(&json);
    text_release(&why);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"classes are called as Keras calls them", classes_are_called_as_keras_calls_them},
        {"models inside models count for themselves", models_inside_models_count_for_themselves},
        {"what is no chain, or no configuration, is refused", what_is_no_chain_or_no_configuration_is_refused},
        {"models nested without end are refused", models_nested_without_end_are_refused},
        {0}};
    return test_run("weights/keras", cases);
}
