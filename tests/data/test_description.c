/* What is known of a dataset survives being written, and what strangers write is not believed. */
#include "data/description.h"

#include "support/test.h"

#include <stdio.h>
#include <string.h>

static char age[] = "age", city[] = "a \"city\"\\\n\xE2\x80\xAE\xF0\x9F\x98\x80", kind[] = "Art", none[] = "";
static char berlin[] = "Berlin", koeln[] = "K\xC3\xB6ln";
static char *cities[] = {berlin, koeln}, *kinds[] = {none, kind};

static float input_mean[] = {0.1f, 0, 0}, input_scale[] = {3e-30f, 1, 1}, target_mean[] = {-7}, target_scale[] = {1e8f};

static struct description make(void)
{
    static struct column inputs[] = {{.name = age}, {city, true, {cities, 2, 2}}};
    static struct column targets[] = {{kind, true, {kinds, 2, 2}}};
    static char format[] = "csv";
    return (struct description){
        .format = format,
        .form = {.input = {1, {3}}, .classes = 2, .terms = 1, .target = {2, {1, 1}}, .least = -0.1f, .most = 3e8f},
        .label_offset = 7,
        .chunks = 0xfedcba9876543210,
        .inputs = inputs,
        .input_count = 2,
        .targets = targets,
        .target_count = 1};
}

static bool same_columns(const struct column *a, size_t a_count, const struct column *b, size_t b_count)
{
    bool same = a_count == b_count;
    for (size_t i = 0; same && i < a_count; i++) {
        same = strcmp(a[i].name, b[i].name) == 0 && a[i].is_category == b[i].is_category &&
               a[i].values.count == b[i].values.count;
        for (size_t v = 0; same && v < a[i].values.count; v++)
            same = strcmp(a[i].values.names[v], b[i].values.names[v]) == 0;
    }
    return same;
}

static bool same(const struct description *a, const struct description *b)
{
    return strcmp(a->format, b->format) == 0 && memcmp(&a->form, &b->form, sizeof a->form) == 0 &&
           a->label_offset == b->label_offset && a->chunks == b->chunks &&
           same_columns(a->inputs, a->input_count, b->inputs, b->input_count) &&
           same_columns(a->targets, a->target_count, b->targets, b->target_count);
}

static bool has_standard(const struct standard *standard, size_t columns, const float *mean, const float *scale)
{
    bool same = standard->columns == columns;
    for (size_t c = 0; same && c < columns; c++)
        same = standard->mean[c] == mean[c] && standard->scale[c] == scale[c] && standard->inverse[c] == 1 / scale[c];
    return same;
}

static void means_and_scales_come_back_to_the_bit(void)
{
    struct description made = make(), read, copy;
    struct error error;
    struct text json;
    text_init(&json);
    made.form.classes = 0;
    made.target_count = 0;
    made.input_standard = (struct standard){.columns = 3, .mean = input_mean, .scale = input_scale};
    made.target_standard = (struct standard){.columns = 1, .mean = target_mean, .scale = target_scale};
    description_write(&made, &json);
    CU_ASSERT_TRUE_FATAL(description_read(&read, text_bytes(&json), &error));
    description_copy(&copy, &read);
    description_standardise(&read, &copy);
    const struct description *both[] = {&read, &copy};
    for (size_t i = 0; i < 2; i++) {
        CU_ASSERT_TRUE(has_standard(&both[i]->input_standard, 3, input_mean, input_scale));
        CU_ASSERT_TRUE(has_standard(&both[i]->target_standard, 1, target_mean, target_scale));
    }
    description_release(&read);
    CU_ASSERT_EQUAL(read.input_standard.columns, 0);
    description_release(&copy);
    text_release(&json);
}

static void what_is_written_is_read(void)
{
    struct description made = make(), read, copy;
    struct error error;
    struct text json;
    text_init(&json);
    CU_ASSERT_PTR_NULL(made.class_counts);
    made.class_counts = (uint64_t[]){0, 123456789012};
    description_write(&made, &json);
    CU_ASSERT_TRUE_FATAL(description_read(&read, text_bytes(&json), &error));
    CU_ASSERT_TRUE(same(&made, &read));
    const struct categories *classes = description_classes(&read);
    CU_ASSERT_PTR_NOT_NULL_FATAL(classes);
    CU_ASSERT(classes->count == 2 && strcmp(classes->names[1], "Art") == 0);
    description_copy(&copy, &read);
    description_release(&read);
    description_release(&read);
    CU_ASSERT_TRUE(same(&made, &copy));
    CU_ASSERT_PTR_NOT_NULL_FATAL(copy.class_counts);
    CU_ASSERT(copy.class_counts[0] == 0 && copy.class_counts[1] == 123456789012);
    description_release(&copy);
    text_release(&json);
}

/* A tokenizer is JSON itself. */
static void a_tokenizer_is_kept(void)
{
    static char content[] = "{\"model\":{\"vocab\":{\"\xC4\xA0\\\"\":0}}}", other[] = "{}", text[] = "text",
                tokens[] = "tokens";
    struct description made = {.format = text, .form = {{1, {4}}, .vocabulary = 9, .classes = 9, .terms = 4}}, read,
                       copy;
    struct error error;
    struct text json, plain, numbers;
    text_init(&json);
    text_init(&plain);
    text_init(&numbers);
    description_write(&made, &plain);
    made.tokenizer = content;
    description_write(&made, &json);
    CU_ASSERT_TRUE_FATAL(description_read(&read, text_bytes(&json), &error));
    CU_ASSERT_STRING_EQUAL(read.tokenizer, content);
    description_copy(&copy, &read);
    CU_ASSERT_STRING_EQUAL(copy.tokenizer, content);
    description_release(&copy);

    /* Tokens of the same tokenizer, of another one, characters, numbers, and what is not known. */
    CU_ASSERT_TRUE(description_has_same_tokens(&read, text_bytes(&json), &error));
    CU_ASSERT_FALSE(description_has_same_tokens(&read, text_bytes(&plain), &error));
    CU_ASSERT_STRING_EQUAL(error.text, "its tokens are characters, those here of a tokenizer");
    CU_ASSERT_TRUE(description_has_same_tokens(&read, "", &error));
    CU_ASSERT_TRUE(description_has_same_tokens(&read, NULL, &error));
    made.tokenizer = NULL;
    CU_ASSERT_FALSE(description_has_same_tokens(&made, text_bytes(&json), &error));
    CU_ASSERT_STRING_EQUAL(error.text, "its tokens are of a tokenizer, those here are characters");
    made.tokenizer = other;
    CU_ASSERT_FALSE(description_has_same_tokens(&made, text_bytes(&json), &error));
    CU_ASSERT_STRING_EQUAL(error.text, "its tokens are of another tokenizer than those here");
    made.tokenizer = NULL;
    made.format = tokens;
    description_write(&made, &numbers);
    CU_ASSERT_TRUE(description_has_same_tokens(&read, text_bytes(&numbers), &error));
    CU_ASSERT_TRUE(description_has_same_tokens(&made, text_bytes(&json), &error));
    description_release(&read);
    text_release(&json);
    text_release(&plain);
    text_release(&numbers);
}

static void numbers_alone_have_no_names(void)
{
    struct description made = make(), read;
    struct error error;
    struct text json;
    made.input_count = made.target_count = 0;
    made.form.input = (struct shape){3, {1, 28, 28}};
    text_init(&json);
    description_write(&made, &json);
    CU_ASSERT_TRUE_FATAL(description_read(&read, text_bytes(&json), &error));
    CU_ASSERT_TRUE(same(&made, &read));
    CU_ASSERT_PTR_NULL(description_classes(&read));
    description_release(&read);
    text_release(&json);
}

#define REST  ",\"vocabulary\":0,\"classes\":2,\"terms\":1,\"label_offset\":0,\"least\":0,\"most\":0"
#define NAMED ",\"inputs\":[],\"targets\":[]"
#define NAMES NAMED "}"
#define HEAD  "{\"format\":\"x\",\"input\":[2]"

static void other_chunks_are_told(void)
{
    const struct description here = {
        .format = (char *)(uintptr_t) "csv", .form = {.input = {1, {2}}, .terms = 1}, .chunks = 5};
    struct description there = here;
    struct error error = {0};
    static const struct {
        uint64_t chunks;
        bool is_same;
    } cases[] = {{5, true}, {6, false}, {0, true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct text json;
        text_init(&json);
        there.chunks = cases[i].chunks;
        description_write(&there, &json);
        CU_ASSERT_EQUAL(description_has_same_chunks(&here, text_bytes(&json), &error), cases[i].is_same);
        text_release(&json);
    }
    CU_ASSERT_TRUE(description_has_same_chunks(&here, "", &error));
    CU_ASSERT_TRUE(description_has_same_chunks(&here, NULL, &error));
}

static void what_cannot_be_meant_is_refused(void)
{
    static const char *const texts[] = {
        "",
        "7",
        "{}",
        HEAD,
        "{\"input\":[2]" REST NAMES,
        "{\"format\":\"x\",\"input\":[]" REST NAMES,
        "{\"format\":\"x\",\"input\":[1,1,1,1,1]" REST NAMES,
        "{\"format\":\"x\",\"input\":[0]" REST NAMES,
        "{\"format\":\"x\",\"input\":[-2]" REST NAMES,
        "{\"format\":\"x\",\"input\":[1000000000,1000000000,1000000000]" REST NAMES,
        HEAD ",\"vocabulary\":-1,\"classes\":2,\"terms\":1,\"label_offset\":0,\"least\":0,\"most\":0" NAMES,
        HEAD ",\"vocabulary\":0,\"classes\":2,\"terms\":0,\"label_offset\":0,\"least\":0,\"most\":0" NAMES,
        HEAD ",\"vocabulary\":0,\"classes\":2,\"terms\":1,\"label_offset\":0,\"least\":1e99,\"most\":0" NAMES,
        HEAD REST ",\"inputs\":[{\"name\":\"a\"}],\"targets\":[]}", /* one name for two numbers */
        HEAD REST ",\"inputs\":[{\"name\":\"a\"},{}],\"targets\":[]}",
        HEAD REST ",\"inputs\":[{\"name\":\"a\",\"values\":[\"c\",\"b\"]}],\"targets\":[]}", /* not sorted */
        HEAD REST ",\"inputs\":[{\"name\":\"a\",\"values\":[\"b\",\"b\"]}],\"targets\":[]}",
        HEAD REST ",\"inputs\":[{\"name\":\"a\",\"values\":[\"b\",7]}],\"targets\":[]}",
        HEAD REST ",\"inputs\":[],\"targets\":[{\"name\":\"a\"},{\"name\":\"b\"}]}",
        HEAD REST ",\"inputs\":[],\"targets\":[{\"name\":\"a\",\"values\":[\"a\",\"b\",\"c\"]}]}", /* of two classes */
        HEAD REST ",\"inputs\":[],\"inputs\":[],\"targets\":[]}",
        HEAD REST NAMED ",\"chunks\":5}",
        HEAD REST NAMED ",\"chunks\":\"5\"}",
        HEAD REST NAMED ",\"input_mean\":[1,2]}",
        HEAD REST NAMED ",\"input_mean\":[1],\"input_scale\":[1]}",
        HEAD REST NAMED ",\"input_mean\":[1,2],\"input_scale\":[1,0]}",
        HEAD REST NAMED ",\"input_mean\":[1,2],\"input_scale\":[1,-1]}",
        HEAD REST NAMED ",\"input_mean\":[1,2],\"input_scale\":[1,1e-45]}", /* 1 / scale is not finite */
        HEAD REST NAMED ",\"input_mean\":[1,1e99],\"input_scale\":[1,1]}",
        HEAD REST NAMED ",\"input_mean\":[1,\"2\"],\"input_scale\":[1,1]}",
        HEAD REST NAMED ",\"target_mean\":[1],\"target_scale\":[1]}", /* of labels */
        HEAD ",\"vocabulary\":9,\"classes\":9,\"terms\":2,\"label_offset\":0,\"least\":0,\"most\":0" NAMED
             ",\"input_mean\":[1,2],\"input_scale\":[1,1]}", /* of tokens */
        HEAD REST ",\"inputs\":[],\"targets\":[],\"tokenizer\":\"a\"}",
        HEAD ",\"target\":[2]" REST NAMES, /* of one term */
        HEAD ",\"target\":[]" REST NAMES,
        HEAD ",\"target\":[1,1,1,1,1]" REST NAMES,
        HEAD REST NAMED ",\"class_counts\":[1]}",
        HEAD REST NAMED ",\"class_counts\":[1,-1]}",
        HEAD REST NAMED ",\"class_counts\":[1,1.5]}",
        HEAD REST NAMED ",\"class_counts\":[1,9007199254740993]}",
        HEAD REST NAMED ",\"class_counts\":7}",
    };
    struct description read;
    struct error error;
    CU_ASSERT_TRUE(description_read(&read, HEAD REST NAMES, &error));
    description_release(&read);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        error_clear(&error);
        bool refused = !description_read(&read, texts[i], &error) && error.kind == ERROR_CORRUPT;
        CU_ASSERT_TRUE(refused);
        if (!refused)
            printf("taken: %s\n", texts[i]);
    }
}

int main(void)
{
    static const struct test_case cases[] = {
        {"what is written is read", what_is_written_is_read},
        {"means and scales come back to the bit", means_and_scales_come_back_to_the_bit},
        {"a tokenizer is kept, and told from another one", a_tokenizer_is_kept},
        {"numbers alone have no names", numbers_alone_have_no_names},
        {"other chunks are told, where they are known", other_chunks_are_told},
        {"what cannot be meant is refused", what_cannot_be_meant_is_refused},
        {NULL, NULL},
    };
    return test_run("data/description", cases);
}
