#include "data/csv_values.h"

#include "base/memory.h"

#include <string.h>

/* As strcmp: a value against a text that ends otherwise. There is no NUL in it. */
static int compare(const char *value, const char *bytes, size_t length)
{
    int order = strncmp(value, bytes, length);
    return order ? order : value[length] != 0;
}

/* Where the value is, or would be. */
static bool search(const struct csv_values *values, const char *bytes, size_t length, size_t *place)
{
    size_t first = 0, end = values->count;
    while (first < end) {
        size_t middle = first + (end - first) / 2;
        int order = compare(values->values[middle], bytes, length);
        *place = middle;
        if (order == 0)
            return true;
        if (order < 0)
            first = middle + 1;
        else
            end = middle;
    }
    *place = first;
    return false;
}

bool csv_values_find(const struct csv_values *values, const struct csv_field *field, size_t *number)
{
    if (!field->doubled)
        return search(values, field->bytes, field->length, number);
    char *text = csv_field_text(field);
    bool found = search(values, text, strlen(text), number);
    memory_free(text);
    return found;
}

bool csv_values_add(struct csv_values *values, const struct csv_field *field)
{
    size_t place;
    if (csv_values_find(values, field, &place))
        return true;
    if (values->count == CSV_VALUES_MOST)
        return false;
    values->values = memory_grow(values->values, values->count, &values->capacity, sizeof *values->values);
    memmove(values->values + place + 1, values->values + place, (values->count - place) * sizeof *values->values);
    values->values[place] = csv_field_text(field);
    values->count++;
    return true;
}

void csv_values_copy(struct csv_values *values, const struct csv_values *from)
{
    *values = (struct csv_values){.count = from->count, .capacity = from->count};
    values->values = memory_need(from->count, sizeof *values->values);
    for (size_t i = 0; i < from->count; i++)
        values->values[i] = memory_text(from->values[i]);
}

void csv_values_release(struct csv_values *values)
{
    for (size_t i = 0; i < values->count; i++)
        memory_free(values->values[i]);
    memory_free(values->values);
    *values = (struct csv_values){0};
}
