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

static const struct option circle_keys[] = {
    {"radius", "distance of the line from the middle", FIELD(struct circle, radius), POSITIVE},
    {"copies", "how many", FIELD(struct circle, copies), WHOLE(1, 9), DEFAULT("1")},
    {0},
};
static const struct kind circle = {.name = "circle", .keys = circle_keys, .settings_bytes = sizeof(struct circle)};
static const struct kind point = {.name = "point"};

static const struct option shape_rows[4];
static struct registry shapes = {.role = "shape", .keys = shape_rows, .kinds = {&point}};
static const struct option shape_rows[] = {
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
    static const char *const names[] = {NULL,        "",         "Circle",   "1st",  "_arc",
                                        "two words", "arc-sine", "arc.sine", "bögen"};
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
        {"radius", "radius", "shape arc: the key radius stands there twice"},
        {"radius", "a b", "shape arc: 'a b' cannot be the name of a key"},
        {"", "radius", "shape arc: '' cannot be the name of a key"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct option keys[] = {circle_keys[0], circle_keys[1], {0}};
        keys[0].name = cases[i].first;
        keys[1].name = cases[i].second;
        check_refused(&shapes, &(struct kind){.name = "arc", .keys = keys, .settings_bytes = sizeof(struct circle)},
                      cases[i].words);
    }
}

static void keys_need_settings_for_their_values(void)
{
    check_refused(&shapes, &(struct kind){.name = "arc", .keys = circle_keys}, "settings_bytes is 0");
}

/* What a section's keys are gathered in has room for so many. */
static void a_kind_with_too_many_keys_is_refused(void)
{
    struct option keys[OPTION_ROWS / 2 + 2] = {0};
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
        {"keys need settings for their values", keys_need_settings_for_their_values},
        {"a kind with too many keys is refused", a_kind_with_too_many_keys_is_refused},
        {"a full registry says so", a_full_registry_says_so},
        {NULL, NULL},
    };
    return test_run("base/registry", cases);
}
