#include "base/registry.h"

#include "base/rows.h"
#include "support/test.h"

#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* A role of its own: shapes, each of which has a colour. */
struct shape {
    const struct kind *kind;
    void *settings;
    uint64_t colour;
};
struct circle {
    double radius;
    uint64_t copies;
};

static const struct option_row circle_keys[] = {
    {"radius", "distance of the line from the middle", FIELD(struct circle, radius), POSITIVE},
    {"copies", "how many", FIELD(struct circle, copies), WHOLE(1, 9), DEFAULT("1")},
    {0},
};
static const struct kind circle = {.name = "circle", .keys = circle_keys, .settings_bytes = sizeof(struct circle)};
static const struct kind point = {.name = "point"};

static const struct option_row shape_rows[4];
static struct registry shapes = {.role = "shape", .keys = shape_rows, .kinds = {&point}};
static const struct option_row shape_rows[] = {
    {"name", "what the shape is", KIND(struct shape, kind, settings, &shapes)},
    KIND_KEYS,
    {"colour", "of all of it", FIELD(struct shape, colour), ANY_FROM(0)},
    {0},
};

static size_t count_of(const struct registry *registry)
{
    size_t count = 0;
    while (registry->kinds[count])
        count++;
    return count;
}

static void what_was_added_is_found_by_its_name_and_keeps_its_place(void)
{
    struct registry registry = shapes;
    struct error error = {0};
    CU_ASSERT_PTR_NULL(kind_find(&registry, "circle"));
    CU_ASSERT_TRUE(registry_add(&registry, &circle, &error));
    CU_ASSERT_PTR_EQUAL(kind_find(&registry, "circle"), &circle);
    CU_ASSERT_PTR_EQUAL(kind_find(&registry, "point"), &point);
    CU_ASSERT_PTR_NULL(kind_find(&registry, "circl"));
    CU_ASSERT_PTR_NULL(kind_find(&registry, ""));
    CU_ASSERT_PTR_EQUAL(registry.kinds[0], &point);
    CU_ASSERT_PTR_EQUAL(registry.kinds[1], &circle);
    CU_ASSERT_EQUAL(count_of(&registry), 2);
}

static void check_refused(struct registry *registry, const struct kind *kind, const char *words)
{
    struct error error = {0};
    size_t count = count_of(registry);
    CU_ASSERT_FALSE(registry_add(registry, kind, &error));
    CU_ASSERT_EQUAL(error.kind, ERROR_USAGE);
    CU_ASSERT_EQUAL(count_of(registry), count);
    bool told = strstr(error.text, words) != NULL;
    CU_ASSERT_TRUE(told);
    if (!told)
        printf("\n    \"%s\" does not say \"%s\"", error.text, words);
}

static void names_that_are_taken_or_could_not_be_written_are_refused(void)
{
    static const char *const names[] = {NULL,    "",          "Circle",   "1st",
                                        "_arc",  "two words", "arc-sine", "arc.sine",
                                        "bögen", "null",      "yes",      "a_name_that_is_longer_than_any_word"};
    check_refused(&shapes, &(struct kind){.name = "point"}, "shape point: there is one of this name already");
    for (size_t i = 0; i < COUNT(names); i++)
        check_refused(&shapes, &(struct kind){.name = names[i]}, "that cannot be a name");
}

static void keys_that_could_not_be_told_apart_are_refused(void)
{
    static const struct {
        const char *first, *second, *words;
    } cases[] = {
        {"radius", "name", "shape arc: its key name is called as one that they all have"},
        {"radius", "colour", "shape arc: its key colour is called as one that they all have"},
        {"radius", "radius", "shape arc: its key radius stands there twice"},
        {"radius", "a b", "shape arc: its key a b has a name that cannot be one"},
        {"", "radius", "shape arc: its key  has a name that cannot be one"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct option_row keys[] = {circle_keys[0], circle_keys[1], {0}};
        keys[0].name = cases[i].first;
        keys[1].name = cases[i].second;
        check_refused(&shapes, &(struct kind){.name = "arc", .keys = keys, .settings_bytes = sizeof(struct circle)},
                      cases[i].words);
    }
}

static bool never(const void *section)
{
    (void)section;
    return false;
}

/* Rows that would lead the reader of a job astray, one fault each. */
static void rows_that_are_not_what_they_should_be_are_refused(void)
{
    static const char *const colours[] = {NULL, "red", "green", NULL};
    static const struct option_row item_keys[] = {{"radius", "of an item", FIELD(struct circle, radius), POSITIVE},
                                                  {0}};
    static const struct option_row wrong_keys[] = {
        {"radius", "of an item", FIELD(struct circle, radius), POSITIVE, DEFAULT("0")}, {0}};
    struct settings {
        uint64_t number, *numbers;
        char **texts;
        struct circle *items;
        size_t count;
        unsigned colour;
        bool flag;
    };
    const struct {
        struct option_row row;
        const char *words; /* NULL: it is good */
    } cases[] = {
        {{"a", "", FIELD(struct settings, number), WHOLE(1, 9), DEFAULT("9")}, NULL},
        {{"a", "", FIELD(struct settings, number), WHOLE(1, 9), DEFAULT("10")}, "'10' is out of range"},
        {{"a", "", FIELD(struct settings, number), WHOLE(1, 9), .default_key = "b"}, "wants its default from b"},
        {{"a", "", FIELD(struct settings, number), WHOLE(1, 9), .resume = RESUME_REQUESTED}, "changes on request"},
        {{"a", "", OPTION_UNSIGNED, sizeof(struct settings) - 4, .most = 9}, "lies beyond its settings"},
        {{"a", "", FIELD(struct settings, colour), .choices = colours}, NULL},
        {{"a", "", FIELD(struct settings, colour)}, "does not say what may stand there"},
        {{"a", "", FIELD(struct settings, flag), .optional = true}, "cannot be optional"},
        {{"a", "", NUMBERS(struct settings, numbers, count), WHOLE(1, 9), DEFAULT("1")}, "cannot have this default"},
        {{"a", "", FIELD(struct settings, number), WHOLE(1, 9), DEFAULT("1"), .exists = never}, "now and then"},
        {{"a", "", TEXTS(struct settings, texts, count), .optional = true}, NULL},
        {{"a", "", TEXTS(struct settings, texts, count), DEFAULT("b")}, "cannot have this default"},
        {{"a", "", FIELD(struct settings, texts), .optional = true}, "does not say what may stand there"},
        {{"a", "", FIELD(struct settings, number), WHOLE(1, 9), DEFAULT("1"), .path = PATH_READ}, "cannot hold a path"},
        {{"a", "", SECTION(0, item_keys)}, "is a section"},
        {{"a", "", LIST(struct settings, items, count), .keys = item_keys}, NULL},
        {{"a", "", LIST(struct settings, items, count), .keys = wrong_keys}, "the default of its key radius"},
        {{"a", "", LIST(struct settings, items, count), .keys = shape_rows}, NULL},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct registry registry = shapes;
        const struct option_row keys[] = {cases[i].row, {0}};
        const struct kind kind = {.name = "arc", .keys = keys, .settings_bytes = sizeof(struct settings)};
        struct error error = {0};
        if (cases[i].words)
            check_refused(&registry, &kind, cases[i].words);
        else
            CU_ASSERT_TRUE(registry_add(&registry, &kind, &error));
    }
}

static void keys_need_settings_for_their_values(void)
{
    check_refused(&shapes, &(struct kind){.name = "arc", .keys = circle_keys}, "settings_bytes is 0");
}

/* What a section's keys are gathered in has room for so many. */
static void a_kind_with_too_many_keys_is_refused(void)
{
    struct option_row keys[OPTION_ROWS / 2 + 2] = {0};
    char names[OPTION_ROWS / 2 + 1][8];
    struct kind kind = {.name = "arc", .keys = keys, .settings_bytes = sizeof(struct circle)};
    for (size_t i = 0; i < COUNT(names); i++) {
        snprintf(names[i], sizeof names[i], "key%zu", i);
        keys[i] = circle_keys[0];
        keys[i].name = names[i];
    }
    check_refused(&shapes, &kind, "at most");
    struct registry registry = shapes;
    struct error error = {0};
    keys[OPTION_ROWS / 2].name = NULL;
    CU_ASSERT_TRUE(registry_add(&registry, &kind, &error));
}

static void a_full_registry_says_so(void)
{
    struct registry registry = shapes;
    struct kind kinds[REGISTRY_MOST];
    char names[REGISTRY_MOST][8];
    struct error error = {0};
    for (size_t i = 1; i < REGISTRY_MOST; i++) {
        snprintf(names[i], sizeof names[i], "arc%zu", i);
        kinds[i] = (struct kind){.name = names[i]};
        CU_ASSERT_TRUE(registry_add(&registry, &kinds[i], &error));
    }
    CU_ASSERT_PTR_EQUAL(kind_find(&registry, names[REGISTRY_MOST - 1]), &kinds[REGISTRY_MOST - 1]);
    check_refused(&registry, &circle, "no room for more");
}

int main(void)
{
    static const struct test_case cases[] = {
        {"what was added is found by its name, and keeps its place",
         what_was_added_is_found_by_its_name_and_keeps_its_place},
        {"names that are taken, or could not be written, are refused",
         names_that_are_taken_or_could_not_be_written_are_refused},
        {"keys that could not be told apart are refused", keys_that_could_not_be_told_apart_are_refused},
        {"rows that are not what they should be are refused", rows_that_are_not_what_they_should_be_are_refused},
        {"keys need settings for their values", keys_need_settings_for_their_values},
        {"a kind with too many keys is refused", a_kind_with_too_many_keys_is_refused},
        {"a full registry says so", a_full_registry_says_so},
        {NULL, NULL},
    };
    return test_run("base/registry", cases);
}
