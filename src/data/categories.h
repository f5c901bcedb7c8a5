/* The different values of a column, or the names of classes: numbered in the order of their bytes. */
#ifndef DATA_CATEGORIES_H
#define DATA_CATEGORIES_H

#include <stdbool.h>
#include <stddef.h>

#define CATEGORIES_MOST 10000 /* of a column: more are no categories */

struct categories {
    char **names; /* [count] sorted, none twice; owned */
    size_t count;
    size_t capacity; /* private */
};

/* Local. The number of the one that is called so; false: it is none of them, and *number where it would be. */
bool categories_find(const struct categories *categories, const char *bytes, size_t length, size_t *number);

/* Local. Adds one, if it is new; false, and nothing is added, if there would be too many. Numbers that were found
 * before may change. */
bool categories_add(struct categories *categories, const char *bytes, size_t length);

/* Local. A copy of its own. Release accepts a released one. */
void categories_copy(struct categories *categories, const struct categories *from);
void categories_release(struct categories *categories);

#endif
