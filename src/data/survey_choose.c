#include "data/survey.h"

#include <string.h>
#include <strings.h>

/* What people call inputs and targets, the surest first. Small and large letters are the same. */
static const char *const usual[][2] = {
    {"x", "y"},
    {"x_train", "y_train"},
    {"train_x", "train_y"},
    {"images", "labels"},
    {"image", "label"},
    {"data", "labels"},
    {"data", "label"},
    {"inputs", "targets"},
    {"input", "target"},
    {"inputs", "labels"},
    {"input", "label"},
    {"inputs", "outputs"},
    {"input", "output"},
    {"data", "targets"},
    {"data", "target"},
    {"features", "labels"},
    {"features", "targets"},
    {"features", "target"},
    {"train_images", "train_labels"},
    {"train_data", "train_labels"},
};
#define USUAL (sizeof usual / sizeof *usual)

/* The name within its group. */
static const char *leaf_of(const char *name)
{
    const char *slash = strrchr(name, '/');
    return slash ? slash + 1 : name;
}

static bool is_called(const struct survey_array *array, const char *name)
{
    return strcasecmp(leaf_of(array->name), name) == 0;
}

static bool are_in_one_group(const struct survey_array *a, const struct survey_array *b)
{
    size_t length = (size_t)(leaf_of(a->name) - a->name);
    return length == (size_t)(leaf_of(b->name) - b->name) && strncmp(a->name, b->name, length) == 0;
}

/* Of pairs of equal names: those in no group go first, then those for training. */
static int rank_of(const struct survey_array *array)
{
    if (leaf_of(array->name) == array->name)
        return 0;
    return strncasecmp(array->name, "train", strlen("train")) == 0 ? 1 : 2;
}

static bool fit(const struct survey_array *x, const struct survey_array *y)
{
    return x != y && x->size[0] == y->size[0];
}

/* The pair that is called so. */
static bool find_pair(const struct survey_array *arrays, size_t n, const char *const names[2], size_t *x, size_t *y)
{
    bool found = false;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n && is_called(&arrays[i], names[0]); j++) {
            if (!is_called(&arrays[j], names[1]) || !fit(&arrays[i], &arrays[j]) ||
                !are_in_one_group(&arrays[i], &arrays[j]) || (found && rank_of(&arrays[i]) >= rank_of(&arrays[*x])))
                continue;
            *x = i;
            *y = j;
            found = true;
        }
    return found;
}

/* The first array that is usually called so, as inputs (0) or targets (1); n: none is. */
static size_t find_half(const struct survey_array *arrays, size_t n, size_t half)
{
    for (size_t u = 0; u < USUAL; u++)
        for (size_t i = 0; i < n; i++)
            if (is_called(&arrays[i], usual[u][half]))
                return i;
    return n;
}

static double elements(const struct survey_array *array)
{
    double count = 1;
    for (size_t i = 0; i < array->dims; i++)
        count *= (double)array->size[i];
    return count;
}

/* Whether the first would be the better inputs: there is more of it; of equal ones integers are rather labels. */
static bool is_more(const struct survey_array *array, const struct survey_array *other)
{
    double here = elements(array), there = elements(other);
    return here > there || (here == there && !array->is_whole && other->is_whole);
}

/* The best inputs beside these targets; n: there are none. y == n: any targets. */
static size_t find_largest(const struct survey_array *arrays, size_t n, size_t y)
{
    size_t best = n;
    for (size_t i = 0; i < n; i++)
        if ((y == n || fit(&arrays[i], &arrays[y])) && (best == n || is_more(&arrays[i], &arrays[best])))
            best = i;
    return best;
}

enum survey_choice survey_choose(const struct survey_array *arrays, size_t n, size_t *x, size_t *y)
{
    for (size_t u = 0; u < USUAL; u++)
        if (find_pair(arrays, n, usual[u], x, y))
            return CHOICE_NAMES;
    *x = find_half(arrays, n, 0);
    *y = find_half(arrays, n, 1);
    if (*x == *y) /* none, or one name for both */
        *y = n;
    if (*x == n)
        *x = find_largest(arrays, n, *y);
    if (*x == n)
        return CHOICE_NONE;
    if (*y < n && fit(&arrays[*x], &arrays[*y]))
        return CHOICE_SIZES;
    for (*y = 0; *y < n; ++*y)
        if (fit(&arrays[*x], &arrays[*y]))
            return CHOICE_SIZES;
    return CHOICE_NONE;
}

void survey_choose_in(struct survey *survey, const char *path, const struct survey_array *arrays, size_t n)
{
    size_t x, y;
    enum survey_choice choice = n > 0 ? survey_choose(arrays, n, &x, &y) : CHOICE_NONE;
    if (choice == CHOICE_NONE)
        return;
    survey_text(survey, "path", path);
    survey_text(survey, "x", arrays[x].name);
    survey_text(survey, "y", arrays[y].name);
    if (choice == CHOICE_SIZES)
        survey_wonder(survey, "no names tell which are inputs and targets: x: %s and y: %s are a guess", arrays[x].name,
                      arrays[y].name);
}
