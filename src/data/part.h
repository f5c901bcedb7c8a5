/* The key part of formats whose samples lie in one row, as [begin, end]: shares of all that are there. */
#ifndef DATA_PART_H
#define DATA_PART_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

/* Local, for a kind's check of the key. Whether it begins before its end. */
bool part_check(const double part[2], struct error *error) WARN_UNUSED;

/* Local. Whether it is one: a program may have set what no job file can say. */
bool part_is_possible(const double part[2], struct error *error) WARN_UNUSED;

/* Local. Which of those that are `there` a possible part is: [begin, end), which may be empty. */
void part_place(const double part[2], size_t there, size_t *begin, size_t *end);

/* Local. The samples of the part that the keys first and count leave: *begin of those that are `there`, and how many;
 * wanted 0: all from `first` on. `name`: where they lie, for messages. ERROR_USAGE: they are not there. */
bool part_choose(const double part[2], uint64_t first, uint64_t wanted, size_t there, const char *name, size_t *begin,
                 size_t *count, struct error *error) WARN_UNUSED;

#endif
