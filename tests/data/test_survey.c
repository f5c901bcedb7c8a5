/* Which arrays of a file are proposed as inputs and targets, and which columns of a table. */
#include "data/survey.h"

#include "support/test.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

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

/* ---- tables ---- */

static void put(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_TRUE(fputs(text, file) >= 0);
    CU_ASSERT_EQUAL(fclose(file), 0);
}

static bool is_in(const char *wanted, const struct text *lines)
{
    bool ok = !wanted || (*wanted ? strstr(text_bytes(lines), wanted) != NULL : lines->length == 0);
    if (!ok)
        printf("    no '%s' in '%s'\n", wanted, text_bytes(lines));
    return ok;
}

static void columns_of_tables_are_judged(void)
{
    static const struct {
        const char *table, *target;             /* the one that is named; NULL: it is guessed */
        const char *facts, *odd, *guess, *keys; /* parts of them; NULL: whatever it is; "": nothing */
        const char *error;
    } cases[] = {
        {"a,b,price\n1,2.5,3\n4,1.5,\n2,2,5\n", NULL, "price: whole numbers from 3 to 5, 1 missing",
         "column price: 1 value is missing (line 3): as a target it cannot be filled: remove the row\n",
         "a guess: targets: the last column, price; name another one: --targets NAME\n",
         ", path: survey.csv, targets: [price]", NULL},
        {"a,kind\n1,x\n4,\n2,\n3,y\n", NULL, NULL,
         "column kind: 2 values are missing (the first: line 3): as targets they cannot be filled: remove the rows\n",
         "the last column, kind;", "targets: [kind]", NULL},
        {"a,kind\n1,x\n2,NA\n3,y\n", NULL, NULL,
         "column kind: 1 value is NA or the like (line 3): that is a class of its own: if it is none, remove the row\n",
         NULL, "targets: [kind]", NULL},
        {"a,price\n1,3\n2,nan\n3,1\n", NULL, NULL,
         "column price: 1 value is missing (line 3): as a target it cannot be filled: remove the row\n", NULL,
         "targets: [price]", NULL},
        {"a,price\n1,3\n,4\n2,5\n", NULL, NULL,
         "column a: 1 value is missing (line 3); as an input missing: NUMBER fills it\n", NULL, "missing: 0", NULL},
        {"a,b,c\n1,2.5,3\n4,1.5,2\n", "a", NULL, "", "", ", path: survey.csv, targets: [a]", NULL},
        {"a,b,c\n1,2.5,3\n", "d", NULL, NULL, "", "", "survey.csv has no column d; it has a, b, c"},
        {"a,b,\n1,2.5,\n4,1.5,\n", NULL, NULL, "column (no name) is left out of the inputs: it has no name",
         "targets: b; the last column, (no name), cannot be one: it has no name;", "targets: [b], inputs: [a]", NULL},
        {"a,b,c\n1,\"2,5\",3\n4,1.5,2\n2,0.5,2\n", NULL, NULL,
         "column b holds 2 numbers, but also 1 word, as '2,5' (line 2)\n"
         "column b is left out of the inputs: its numbers have a comma, where a point is needed\n",
         NULL, "targets: [c], inputs: [a]", NULL},
        {"a,b,c\n1,2,3\n4,no,2\n2,0.5,2\n", NULL, NULL,
         "column b holds 2 numbers, but also 1 word, as 'no' (line 3)\n"
         "column b is left out of the inputs: it holds numbers and words\n",
         NULL, "targets: [c], inputs: [a]", NULL},
        {"a;b;c\n1;2;3,5\n4;5;2,5\n", NULL, "c: 2 different words: '2,5', '3,5'", "", NULL,
         "targets: [c], task: regression", NULL},
        {"a;b\n1,5;2\n2,5;1\n", NULL, NULL, "no job is proposed: besides the target there is no column", "", "", NULL},
        {"\"a\";\"b\"\n\"1\";\"2\"\n\"1\";\"2\";\"3\"\n", NULL, "", "", "", "",
         "survey.csv: line 3 has 3 fields, but the first line 2"},
        {"a,c\n\"x, y\",3\nz,2\n", NULL, "a: 2 different words: 'x, y', z", "", NULL, NULL, NULL},
        {"id,c\n0,1\n1,0\n2,1\n3,0\n4,1\n5,0\n6,1\n7,0\n8,1\n9,0\n", NULL, NULL,
         "column id holds whole numbers that grow from row to row", NULL, NULL, NULL},
        {"x,c\n0,1\n1,0\n2,1\n3,0\n4,1\n5,0\n6,1\n7,0\n9,1\n8,0\n", NULL, NULL, "", NULL, NULL, NULL},
        {"a,b,c\n1,2,3\n4,5\n", NULL, "", "", "", "", "survey.csv: line 3 has 2 fields, but the first line 3"},
        {"a;b;c\n1;2;3\n4;5;6;7\n", NULL, "", "", "", "", "survey.csv: line 3 has 4 fields, but the first line 3"},
        {"a,area,area\n1,2,3\n4,5,6\n", NULL, "", "", "", "",
         "survey.csv: columns 2 and 3 are both called area: rename one of them"},
        {"1,1,0\n1,2,3\n4,5,6\n", NULL, "3 rows and 3 columns, whose first line holds no names", NULL, NULL,
         "header: false", NULL},
        {"a,b,c\n", NULL, "", "", "", "", "survey.csv holds a header, but no rows"},
        {"1,2,3\n", NULL, "1 row and 3 columns, whose first line holds no names", NULL, NULL, "header: false", NULL},
    };
    static const char *const paths[] = {"survey.csv"};
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct survey survey;
        struct error error = {0};
        put(paths[0], cases[i].table);
        survey_init(&survey);
        survey.targets = &cases[i].target;
        survey.target_count = cases[i].target != NULL;
        bool ok = survey_csv(paths, 1, &survey, &error);
        bool told = is_in(cases[i].facts, &survey.facts) && is_in(cases[i].odd, &survey.odd) &&
                    is_in(cases[i].guess, &survey.guess) && is_in(cases[i].keys, &survey.keys) &&
                    (cases[i].error ? !ok && strstr(error.text, cases[i].error) : ok);
        if (!told)
            printf("    table %zu: %s\n", i, error.text);
        CU_ASSERT_TRUE(told);
        survey_release(&survey);
    }
    unlink(paths[0]);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"names go before sizes", names_go_before_sizes},
        {"columns of tables are judged", columns_of_tables_are_judged},
        {NULL, NULL},
    };
    return test_run("data/survey", cases);
}
