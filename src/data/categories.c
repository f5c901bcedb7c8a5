#include "data/categories.h"

#include "base/memory.h"

#include <string.h>

/* As strcmp: a value against a text that ends otherwise. There is no NUL in it. */
static int compare(const char *value, const char *bytes, size_t length)
{
    int order = strncmp(value, bytes, length);
    return order ? order : value[length] != 0;
}

bool categories_find(const struct categories *categories, const char *bytes, size_t length, size_t *number)
{
    size_t first = 0, end = categories->count;
    while (first < end) {
        size_t middle = first + (end - first) / 2;
        int order = compare(categories->names[middle], bytes, length);
        *number = middle;
        if (order == 0)
            return true;
        if (order < 0)
            first = middle + 1;
        else
            end = middle;
    }
    *number = first;
    return false;
}

bool categories_add(struct categories *categories, const char *bytes, size_t length)
{
    size_t place;
    if (categories_find(categories, bytes, length, &place))
        return true;
    if (categories->count == CATEGORIES_MOST)
        return false;
    categories->names = memory_grow(categories->names, categories->count, &categories->capacity,
                                    sizeof *categories->names);
    memmove(categories->names + place + 1, categories->names + place,
            (categories->count - place) * sizeof *categories->names);
    categories->names[place] = strndup(bytes, length);
    categories->count++;
    return true;
}

void categories_copy(struct categories *categories, const struct categories *from)
{
    *categories = (struct categories){.count = from->count, .capacity = from->count};
    categories->names = memory_need(from->count, sizeof *categories->names);
    for (size_t i = 0; i < from->count; i++)
        categories->names[i] = memory_text(from->names[i]);
}

void categories_release(struct categories *categories)
{
    for (size_t i = 0; i < categories->count; i++)
        memory_free(categories->names[i]);
    memory_free(categories->names);
    *categories = (struct categories){0};
}
