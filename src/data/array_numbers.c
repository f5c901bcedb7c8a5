#include "data/array_numbers.h"

#include <math.h>
#include <string.h>

#define PIECE 1024 /* numbers looked at at once */

/* Says what is wrong with a number that has become none. */
static bool refuse_number(const struct array_rows *rows, size_t element, double mean, double std, struct error *error)
{
    const struct array *array = rows->array;
    size_t sample = rows->first + element / array->width, value = element % array->width;
    double number = array_number(rows, element);
    if (isfinite(number) && (mean != 0 || std != 1) && isfinite((float)number))
        return error_set(error, ERROR_USAGE,
                         "%s: sample %zu, value %zu is %g: with mean %g and std %g it goes beyond a float", array->name,
                         sample, value, number, mean, std);
    return error_set(error, ERROR_CORRUPT,
                     "%s: sample %zu, value %zu is %g%s (both counted from 0): repair it, or leave the sample out",
                     array->name, sample, value, isnan(number) ? NAN : number,
                     isfinite(number) ? ", which is beyond a float" : "");
}

bool array_check_missing(const struct array_rows *rows, struct error *error)
{
    const struct array *array = rows->array;
    size_t n = rows->count * array->width, at = array_find_missing(rows, n);
    return at == n || error_set(error, ERROR_CORRUPT,
                                "%s: sample %zu, value %zu (both counted from 0) is the fill value, which stands for a "
                                "number that is missing: fill it, or leave the sample out",
                                array->name, rows->first + at / array->width, at % array->width);
}

/* Bits, not comparisons: so it costs next to nothing. */
size_t array_find_infinite(const float *values, size_t n)
{
    uint32_t most = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, &values[i], sizeof bits);
        bits &= 0x7FFFFFFF;
        most = bits > most ? bits : most;
    }
    size_t i = most < 0x7F800000 ? n : 0;
    while (i < n && isfinite(values[i]))
        i++;
    return i;
}

/* Widens a range to that of these values. */
static void widen(const float *values, size_t n, float *least, float *most)
{
    for (size_t i = 0; i < n; i++) {
        *least = values[i] < *least ? values[i] : *least;
        *most = values[i] > *most ? values[i] : *most;
    }
}

bool array_check_numbers(const struct array_rows *rows, double mean, double std, float *least, float *most,
                         struct error *error)
{
    size_t end = rows->count * rows->array->width;
    float piece[PIECE];
    if (!array_check_missing(rows, error))
        return false;
    for (size_t at = 0; at < end; at += PIECE) {
        size_t n = end - at < PIECE ? end - at : PIECE;
        array_floats(rows, at, n, mean, std, piece);
        size_t place = array_find_infinite(piece, n);
        if (place < n)
            return refuse_number(rows, at + place, mean, std, error);
        if (least)
            widen(piece, n, least, most);
    }
    return true;
}

void array_floats_or_nan(const struct array_rows *rows, size_t n, double mean, double std, float *to)
{
    array_floats(rows, 0, n, mean, std, to);
    for (size_t i = 0; rows->array->missing_count > 0 && i < n; i++)
        if (array_is_missing(rows, i))
            to[i] = NAN;
}

void array_count_gaps(const struct array_rows *rows, double mean, double std, float *least, float *most,
                      struct array_gaps *gaps)
{
    size_t end = rows->count * rows->array->width;
    struct error error;
    float value;
    float from = least ? *least : 0, to = least ? *most : 0;
    if (array_check_numbers(rows, mean, std, least, most, gaps->count == 0 ? &gaps->first : &error))
        return;
    if (least) { /* again, without what is infinite */
        *least = from;
        *most = to;
    }
    for (size_t at = 0; at < end; at++) {
        array_floats(rows, at, 1, mean, std, &value);
        if (!isfinite(value) || array_is_missing(rows, at))
            gaps->count++;
        else if (least)
            widen(&value, 1, least, most);
    }
}
