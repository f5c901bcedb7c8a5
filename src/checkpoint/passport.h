/* The passport: what the bits of a run depend on besides the job: numerics, what makes products, precision. Lines of "key: value". Same passport: same bits on any number of ranks. */
#ifndef CHECKPOINT_PASSPORT_H
#define CHECKPOINT_PASSPORT_H

#include "base/text.h"

/* Local. Appends a line; line breaks in the value become spaces. */
void passport_add(struct text *passport, const char *key, const char *value);

/* Local. Appends the common passport of several processes: for each key of the first the different values there are,
 * joined by " | ". Returns whether they all agree. */
bool passport_merge(char *const *passports, size_t count, struct text *merged);

/* Local. Appends to `changes` one line "key: saved -> now" for each key whose value differs or is missing on a side
 * ("(none)"). Nothing appended: the same bits can be expected. */
void passport_compare(const char *saved, const char *now, struct text *changes);

#endif
