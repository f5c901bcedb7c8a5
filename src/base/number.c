#include "base/number.h"

size_t number_digits(const char *text, size_t length)
{
    size_t digits = 0;
    while (digits < length && text[digits] >= '0' && text[digits] <= '9')
        digits++;
    return digits;
}

bool number_whole(const char *text, size_t length, uint64_t most, uint64_t *number)
{
    uint64_t value = 0;
    size_t digits = number_digits(text, length);
    if (digits == 0 || (digits < length && text[digits] != '\0'))
        return false;
    for (size_t i = 0; i < digits; i++) {
        uint64_t digit = (uint64_t)(text[i] - '0');
        if (value > most / 10 || 10 * value > most - digit)
            return false;
        value = 10 * value + digit;
    }
    *number = value;
    return true;
}

uint64_t number_bounded(double number, uint64_t most)
{
    if (!(number > 0))
        return 0;
    return number < (double)most ? (uint64_t)number : most;
}
