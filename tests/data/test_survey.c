/* Which arrays of a file are proposed as inputs and targets. */
#include "data/survey.h"

#include "support/test.h"

#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof *(a))
#define MOST     6

static void names_go_before_sizes(void)
{
    static const struct {
        struct {
            const char *name;
            size_t rows, width;
            bool is_whole;
        } arrays[MOST];
        const char *x, *y;
        enum survey_choice choice;
    } cases[] = {
        {{{"a", 9, 50, false}, {"x", 9, 2, false}, {"y", 9, 1, true}}, "x", "y", CHOICE_NAMES},
        {{{"Y", 9, 1, true}, {"X", 9, 2, false}}, "X", "Y", CHOICE_NAMES},
        {{{"labels", 9, 1, true}, {"images", 9, 2, false}, {"x", 9, 2, false}}, "images", "labels", CHOICE_NAMES},
        {{{"test/data", 9, 2, false},
          {"test/label", 9, 1, true},
          {"train/data", 9, 2, false},
          {"train/label", 9, 1, true}},
         "train/data",
         "train/label",
         CHOICE_NAMES},
        {{{"test/x", 9, 2, false}, {"test/y", 9, 1, true}, {"x", 9, 2, false}, {"y", 9, 1, true}},
         "x",
         "y",
         CHOICE_NAMES},
        {{{"a/x", 9, 2, false}, {"b/y", 9, 1, true}}, "a/x", "b/y", CHOICE_SIZES}, /* of two groups */
        {{{"x", 9, 2, false}, {"y", 8, 1, true}, {"t", 9, 1, true}}, "x", "t", CHOICE_SIZES},
        {{{"field", 9, 50, false}, {"u", 9, 60, false}, {"targets", 9, 90, false}}, "u", "targets", CHOICE_SIZES},
        {{{"inputs", 9, 2, false}, {"u", 9, 60, false}}, "inputs", "u", CHOICE_SIZES},
        {{{"a", 9, 1, true}, {"b", 9, 1, false}}, "b", "a", CHOICE_SIZES},
        {{{"a", 9, 3, false}, {"b", 8, 1, false}}, NULL, NULL, CHOICE_NONE},
        {{{"x", 9, 3, false}}, NULL, NULL, CHOICE_NONE},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct survey_array arrays[MOST];
        size_t n = 0, x, y;
        for (; n < MOST && cases[i].arrays[n].name; n++)
            arrays[n] = (struct survey_array){cases[i].arrays[n].name,
                                              "float32",
                                              cases[i].arrays[n].is_whole,
                                              2,
                                              {cases[i].arrays[n].rows, cases[i].arrays[n].width}};
        CU_ASSERT_EQUAL(survey_choose(arrays, n, &x, &y), cases[i].choice);
        if (!cases[i].x)
            continue;
        CU_ASSERT_STRING_EQUAL(arrays[x].name, cases[i].x);
        CU_ASSERT_STRING_EQUAL(arrays[y].name, cases[i].y);
    }
}

int main(void)
{
    static const struct test_case cases[] = {
        {"names go before sizes", names_go_before_sizes},
        {NULL, NULL},
    };
    return test_run("data/survey", cases);
}
