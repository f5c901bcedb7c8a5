/* For files that write rows of keys (base/option.h): the initialisers of a row, by what they say.
 *
 *     {"momentum", "weight of the velocity", FIELD(struct sgd, momentum), REAL(0, 1), .below = true, DEFAULT("0")}, */
#ifndef BASE_ROWS_H
#define BASE_ROWS_H

#include "base/option.h"

#include <math.h>

/* The type of a row follows from its field. */
#define FIELD(structure, member)                                                                                       \
    .type = _Generic(((structure *)0)->member,                                                                        \
        uint64_t: OPTION_UNSIGNED,                                                                                    \
        double: OPTION_REAL,                                                                                          \
        double *: OPTION_PAIR,                                                                                        \
        bool: OPTION_BOOL,                                                                                            \
        char *: OPTION_TEXT,                                                                                          \
        uint64_t *: OPTION_NUMBERS,                                                                                    \
        char **: OPTION_TEXTS,                                                                                         \
        unsigned: OPTION_CHOICE /* an enum */),                                                                        \
    .offset = offsetof(structure, member)
#define LIST(structure, items, count)                                                                                  \
    .type = OPTION_LIST, .offset = offsetof(structure, items), .count_offset = offsetof(structure, count),             \
    .item_bytes = sizeof *((structure *)0)->items
#define NUMBERS(structure, items, count)                                                                               \
    FIELD(structure, items), .count_offset = offsetof(structure, count), .item_bytes = sizeof *((structure *)0)->items
#define TEXTS(structure, items, count) NUMBERS(structure, items, count)
#define REALS(structure, items, count) /* a pointer to doubles: _Generic takes a pair for one */                       \
    .type = OPTION_REALS, .offset = offsetof(structure, items), .count_offset = offsetof(structure, count),            \
    .item_bytes = sizeof(double)
#define SECTION(place, rows) .type = OPTION_SECTION, .offset = (place), .keys = (rows)
#define KIND(structure, class, settings, kinds)                                                                        \
    .type = OPTION_KIND, .offset = offsetof(structure, class), .settings_offset = offsetof(structure, settings),       \
    .registry = (kinds)
#define KIND_KEYS                                                                                                      \
    {                                                                                                                  \
        "", .type = OPTION_KIND_KEYS                                                                                   \
    }
#define WHOLE(first, end) .least = (first), .most = (end)
#define ANY_FROM(first)   WHOLE(first, UINT64_MAX)
#define REAL(from, to)    .low = (from), .high = (to)
#define POSITIVE          .above = true, .high = INFINITY
#define DEFAULT(...)      .defaults = {__VA_ARGS__}

/* Of a class: its kind, with settings and keys, or with neither. */
#define KIND_OF(words, about, structure, rows)                                                                         \
    .kind = {.name = (words), .help = (about), .keys = (rows), .settings_bytes = sizeof(structure)}
#define PLAIN_KIND(words, about) .kind = {.name = (words), .help = (about)}

#endif
