/* Numbers in texts that others have written: what is not a number, or none that can be meant, is told apart. */
#ifndef BASE_NUMBER_H
#define BASE_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Local. The first `length` bytes of a text (or up to its end, if that comes first), all of them digits, are a whole
 * number of at most `most`. False: they are not, and *number stays. Signs, blanks and other bases are not taken. */
bool number_whole(const char *text, size_t length, uint64_t most, uint64_t *number);

/* Local. How many digits the text begins with, of the first `length` bytes. */
size_t number_digits(const char *text, size_t length);

/* Local. A number that was read from somewhere, as a whole one of at most `most`; NaN, what is negative: 0. */
uint64_t number_bounded(double number, uint64_t most);

#endif
