/* An array of numbers as other programs store them: any integer or float type, either byte order, row-major. Its rows
 * are samples. It lies in one piece, mapped or in memory, or whoever has it gives rows that lie together. */
#ifndef DATA_ARRAY_H
#define DATA_ARRAY_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

#define ARRAY_DIMS 8 /* at most */

/* The numbers are part of digests that checkpoints hold: they stay. */
enum array_type {
    ARRAY_NONE = 0,
    ARRAY_BOOL = 1, /* a byte: 0 is 0, else 1 */
    ARRAY_U8 = 2,
    ARRAY_U16 = 3,
    ARRAY_U32 = 4,
    ARRAY_U64 = 5,
    ARRAY_I8 = 6,
    ARRAY_I16 = 7,
    ARRAY_I32 = 8,
    ARRAY_I64 = 9,
    ARRAY_F16 = 10,
    ARRAY_F32 = 11,
    ARRAY_F64 = 12,
    ARRAY_SHARE = 13, /* a byte b, which is the number b / 255 */
    ARRAY_TYPES
};

#define ARRAY_MISSING 8 /* at most */

struct array;

/* Rows of an array that lie together. */
struct array_rows {
    const struct array *array; /* whose type and packing they have; part of the one that was asked, or it */
    const uint8_t *bytes;      /* [count, array->width], aligned to nothing */
    size_t first;              /* which row of `array` the first is */
    size_t count;
};

/* Local. See array_rows. */
typedef bool array_rows_find(const struct array *array, size_t first, size_t count, struct array_rows *rows,
                             struct error *error);

struct array {
    const char *name; /* where it lies, for messages; borrowed */
    enum array_type type;
    bool big_endian;
    size_t dims;             /* >= 1 */
    size_t size[ARRAY_DIMS]; /* all above 0; [0]: rows */
    size_t width;            /* elements of a row: the product of size[1], size[2]... */
    size_t row_bytes;
    const uint8_t *elements; /* [size[0], width], aligned to nothing; NULL: `find` knows them */
    array_rows_find *find;
    void *self; /* of `find` */

    bool is_scaled; /* a number x stands for x * scale + offset */
    double scale, offset;
    size_t missing_count;
    double missing[ARRAY_MISSING]; /* numbers, as they are stored, that stand for none */
};

/* Local. Of one element; "float32". */
size_t array_type_bytes(enum array_type type);
const char *array_type_name(enum array_type type);

/* Local. Whether its numbers are floats, as they are stored or once they are scaled. */
bool array_has_floats(const struct array *array);

/* Local. Once name, type, dims and sizes are set, which anybody may have written: sets width and row_bytes; *bytes: of
 * all. ERROR_CORRUPT: a size is 0, or they are more than can be. */
bool array_measure(struct array *array, size_t *bytes, struct error *error) WARN_UNUSED;

/* Local. Once name, type, dims and sizes are set, which anybody may have written: sets width, row_bytes and elements.
 * ERROR_CORRUPT: a size is 0, or `there` bytes are not what they say. */
bool array_place(struct array *array, const uint8_t *elements, size_t there, struct error *error) WARN_UNUSED;

/* Local. "10x3x32x32" for messages. */
void array_shape_text(const struct array *array, char *text, size_t bytes);

/* Local. Row `first`, and as many behind it as lie together with it, up to `count`; first + count <= size[0], count
 * above 0. They are valid until the next call for the same array. False: they cannot be read, and the words say why. */
bool array_rows(const struct array *array, size_t first, size_t count, struct array_rows *rows,
                struct error *error) WARN_UNUSED;

/* Local. to[i]: the number x of element `first` + i of these rows becomes (x - mean) / std, in double and rounded once
 * (of a 64-bit integer x is the nearest double). What goes beyond a float becomes infinite. */
void array_floats(const struct array_rows *rows, size_t first, size_t n, double mean, double std, float *to);

/* Local. One element of these rows, as the nearest double, scaled. */
double array_number(const struct array_rows *rows, size_t element);

/* Local. One element of integers, not scaled; what goes beyond an int64_t is INT64_MAX. */
int64_t array_integer(const struct array_rows *rows, size_t element);

/* Local. Whether an element stands for no number. */
bool array_is_missing(const struct array_rows *rows, size_t element);

/* Local. The first of n elements that stands for no number; n: none does. */
size_t array_find_missing(const struct array_rows *rows, size_t n);

#endif
