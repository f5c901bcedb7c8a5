#include "base/leaf.h"

#include "support/test.h"

#include <stdint.h>
#include <string.h>

static void shapes_count_and_tell_their_sizes(void)
{
    char text[64];
    struct shape shape = {3, {3, 32, 16}};
    CU_ASSERT_EQUAL(shape_count(&shape), 1536);
    shape_text(&shape, text, sizeof text);
    CU_ASSERT_STRING_EQUAL(text, "3x32x16");
    shape = (struct shape){1, {784}};
    CU_ASSERT_EQUAL(shape_count(&shape), 784);
    shape_text(&shape, text, sizeof text);
    CU_ASSERT_STRING_EQUAL(text, "784");
    shape_text(&shape, text, 3); /* what does not fit is left out */
    CU_ASSERT_STRING_EQUAL(text, "78");
    shape = (struct shape){0};
    CU_ASSERT_EQUAL(shape_count(&shape), 0);
    shape_text(&shape, text, sizeof text);
    CU_ASSERT_STRING_EQUAL(text, "");
}

static void shapes_lie_alike_but_for_a_one_in_front(void)
{
    const struct shape image = {3, {1, 5, 4}}, sequence = {2, {5, 4}}, turned = {2, {4, 5}}, three = {3, {3, 5, 4}};
    const struct shape volume = {4, {1, 3, 5, 4}}, features = {1, {4}}, twice = {4, {1, 1, 5, 4}};
    CU_ASSERT_TRUE(shape_lies_as(&image, &image));
    CU_ASSERT_TRUE(shape_lies_as(&image, &sequence));
    CU_ASSERT_TRUE(shape_lies_as(&sequence, &image));
    CU_ASSERT_TRUE(shape_lies_as(&three, &volume));
    CU_ASSERT_FALSE(shape_lies_as(&image, &turned));
    CU_ASSERT_FALSE(shape_lies_as(&three, &sequence));
    CU_ASSERT_FALSE(shape_lies_as(&sequence, &turned));
    CU_ASSERT_FALSE(shape_lies_as(&sequence, &features));
    CU_ASSERT_FALSE(shape_lies_as(&sequence, &twice));
}

/* All rows are written to the last value: AddressSanitizer sees what is too short. */
static void a_leaf_has_the_buffers_of_its_form(void)
{
    enum { ROWS = 3, T = 5 };
    struct error error;
    struct leaf leaf;
    struct leaf_form form = {.input = {3, {2, 3, 4}}, .classes = 10, .terms = 1};
    CU_ASSERT_TRUE_FATAL(leaf_init(&leaf, &form, ROWS, &error));
    CU_ASSERT(leaf.inputs && leaf.labels && !leaf.tokens && !leaf.targets && leaf.rows == 0);
    memset(leaf.inputs, 1, sizeof(float[ROWS * 24]));
    memset(leaf.labels, 1, sizeof(int32_t[ROWS]));
    leaf_release(&leaf);
    leaf_release(&leaf);
    CU_ASSERT(!leaf.inputs && !leaf.labels);

    form = (struct leaf_form){.input = {1, {T}}, .vocabulary = 65, .classes = 65, .terms = T};
    CU_ASSERT_TRUE_FATAL(leaf_init(&leaf, &form, ROWS, &error));
    CU_ASSERT(leaf.tokens && leaf.labels && !leaf.inputs && !leaf.targets);
    memset(leaf.tokens, 1, sizeof(int32_t[ROWS * T]));
    memset(leaf.labels, 1, sizeof(int32_t[ROWS * T]));
    leaf_release(&leaf);

    form = (struct leaf_form){.input = {1, {7}}, .terms = 2};
    CU_ASSERT_TRUE_FATAL(leaf_init(&leaf, &form, ROWS, &error));
    CU_ASSERT(leaf.inputs && leaf.targets && !leaf.tokens && !leaf.labels);
    memset(leaf.targets, 1, sizeof(float[ROWS * 2]));
    leaf_release(&leaf);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"shapes count their elements and tell their sizes", shapes_count_and_tell_their_sizes},
        {"shapes lie alike, but for a 1 in front", shapes_lie_alike_but_for_a_one_in_front},
        {"a leaf has the buffers of its form, and no others", a_leaf_has_the_buffers_of_its_form},
        {NULL, NULL},
    };
    return test_run("base/leaf", cases);
}
