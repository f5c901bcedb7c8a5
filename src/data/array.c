#include "data/array.h"

#include <stdio.h>
#include <string.h>

/* Bytes as they lie. Numbers of this machine are little-endian (CMake knows x86-64 only). */
static inline uint16_t load_16(const uint8_t *b, bool big)
{
    uint16_t bits;
    memcpy(&bits, b, sizeof bits);
    return big ? __builtin_bswap16(bits) : bits;
}

static inline uint32_t load_32(const uint8_t *b, bool big)
{
    uint32_t bits;
    memcpy(&bits, b, sizeof bits);
    return big ? __builtin_bswap32(bits) : bits;
}

static inline uint64_t load_64(const uint8_t *b, bool big)
{
    uint64_t bits;
    memcpy(&bits, b, sizeof bits);
    return big ? __builtin_bswap64(bits) : bits;
}

/* IEEE 754 binary16: 1 bit of sign, 5 of the exponent, 10 of the fraction. */
static inline double half(uint16_t bits)
{
    uint32_t exponent = bits >> 10 & 31, fraction = bits & 1023;
    double size;
    if (exponent == 31)
        size = fraction ? __builtin_nan("") : __builtin_inf();
    else if (exponent == 0)
        size = fraction * 0x1p-24;
    else {
        uint64_t wide = (uint64_t)(exponent - 15 + 1023) << 52 | (uint64_t)fraction << 42;
        memcpy(&size, &wide, sizeof size);
    }
    return bits >> 15 ? -size : size;
}

static inline double single(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return (double)value;
}

static inline double real(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline uint8_t load_8(const uint8_t *b, bool big)
{
    (void)big;
    return *b;
}

/* ROW(type, name, bits that are loaded, whether they are floats, the number in `bits`) */
#define TYPES(ROW)                                                                                                     \
    ROW(BOOL, "bool", 8, false, bits != 0)                                                                             \
    ROW(U8, "uint8", 8, false, bits)                                                                                   \
    ROW(U16, "uint16", 16, false, bits)                                                                                \
    ROW(U32, "uint32", 32, false, bits)                                                                                \
    ROW(U64, "uint64", 64, false, bits)                                                                                \
    ROW(I8, "int8", 8, false, (int8_t)bits)                                                                            \
    ROW(I16, "int16", 16, false, (int16_t)bits)                                                                        \
    ROW(I32, "int32", 32, false, (int32_t)bits)                                                                        \
    ROW(I64, "int64", 64, false, (int64_t)bits)                                                                        \
    ROW(F16, "float16", 16, true, half(bits))                                                                          \
    ROW(F32, "float32", 32, true, single(bits))                                                                        \
    ROW(F64, "float64", 64, true, real(bits))                                                                          \
    ROW(SHARE, "uint8", 8, false, bits / 255.0)

/* A loop of its own for each type: a call for each number would cost a few per cent of a small model's step. */
#define CONVERSION(type, name, width, is_float, number)                                                                \
    static void convert_##type(const uint8_t *from, bool big, size_t n, double mean, double std, float *to)            \
    {                                                                                                                  \
        for (size_t i = 0; i < n; i++) {                                                                               \
            uint##width##_t bits = load_##width(from + i * (width / 8), big);                                          \
            to[i] = (float)(((double)(number)-mean) / std);                                                            \
        }                                                                                                              \
    }
TYPES(CONVERSION)

#define NUMBER(type, name, width, is_float, number)                                                                    \
    static double number_##type(const uint8_t *from, bool big)                                                         \
    {                                                                                                                  \
        uint##width##_t bits = load_##width(from, big);                                                                \
        return (double)(number);                                                                                       \
    }
TYPES(NUMBER)

#define ENTRY(type, name, width, is_float, number)                                                                     \
    [ARRAY_##type] = {name, width / 8, is_float, convert_##type, number_##type},
static const struct {
    const char *name;
    size_t bytes;
    bool has_floats;
    void (*convert)(const uint8_t *from, bool big, size_t n, double mean, double std, float *to);
    double (*number)(const uint8_t *from, bool big);
} types[ARRAY_TYPES] = {[ARRAY_NONE] = {.name = "unknown"}, TYPES(ENTRY)};

size_t array_type_bytes(enum array_type type)
{
    return types[type].bytes;
}

const char *array_type_name(enum array_type type)
{
    return types[type].name;
}

bool array_has_floats(const struct array *array)
{
    return types[array->type].has_floats || array->is_scaled;
}

bool array_measure(struct array *array, size_t *bytes, struct error *error)
{
    bool overflow = false;
    *bytes = types[array->type].bytes;
    array->width = 1;
    for (size_t i = 0; i < array->dims; i++) {
        if (array->size[i] == 0)
            return error_set(error, ERROR_CORRUPT, "%s holds nothing: axis %zu of %zu has the size 0", array->name,
                             i + 1, array->dims);
        overflow |= __builtin_mul_overflow(*bytes, array->size[i], bytes);
        if (i > 0)
            overflow |= __builtin_mul_overflow(array->width, array->size[i], &array->width);
    }
    array->row_bytes = *bytes / array->size[0];
    return !overflow ||
           error_set(error, ERROR_CORRUPT, "%s is corrupt: its header promises more than 2^64 bytes", array->name);
}

bool array_place(struct array *array, const uint8_t *elements, size_t there, struct error *error)
{
    size_t expected;
    if (!array_measure(array, &expected, error))
        return false;
    if (there < expected)
        return error_set(error, ERROR_CORRUPT, "%s is truncated: %zu bytes of numbers expected, %zu there", array->name,
                         expected, there);
    if (there > expected)
        return error_set(error, ERROR_CORRUPT, "%s is too long by %zu bytes: %zu bytes of numbers expected, %zu there",
                         array->name, there - expected, expected, there);
    array->elements = elements;
    return true;
}

void array_shape_text(const struct array *array, char *text, size_t bytes)
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < array->dims && used < bytes; i++)
        used += (size_t)snprintf(text + used, bytes - used, "%s%zu", i ? "x" : "", array->size[i]);
}

bool array_rows(const struct array *array, size_t first, size_t count, struct array_rows *rows, struct error *error)
{
    if (!array->elements)
        return array->find(array, first, count, rows, error);
    *rows = (struct array_rows){array, array->elements + first * array->row_bytes, first, count};
    return true;
}

static const uint8_t *place(const struct array_rows *rows, size_t element)
{
    return rows->bytes + element * types[rows->array->type].bytes;
}

/* As it is stored. */
static double stored(const struct array_rows *rows, size_t element)
{
    return types[rows->array->type].number(place(rows, element), rows->array->big_endian);
}

double array_number(const struct array_rows *rows, size_t element)
{
    const struct array *array = rows->array;
    double number = stored(rows, element);
    return array->is_scaled ? number * array->scale + array->offset : number;
}

void array_floats(const struct array_rows *rows, size_t first, size_t n, double mean, double std, float *to)
{
    const struct array *array = rows->array;
    if (array->is_scaled)
        for (size_t i = 0; i < n; i++)
            to[i] = (float)((array_number(rows, first + i) - mean) / std);
    else
        types[array->type].convert(place(rows, first), array->big_endian, n, mean, std, to);
}

int64_t array_integer(const struct array_rows *rows, size_t element)
{
    const uint8_t *from = place(rows, element);
    bool big = rows->array->big_endian;
    uint64_t bits;
    switch (rows->array->type) {
    case ARRAY_U64:
        bits = load_64(from, big);
        return bits > INT64_MAX ? INT64_MAX : (int64_t)bits;
    case ARRAY_I64:
        return (int64_t)load_64(from, big);
    default: /* the others fit a double */
        return (int64_t)stored(rows, element);
    }
}

bool array_is_missing(const struct array_rows *rows, size_t element)
{
    const struct array *array = rows->array;
    double number = array->missing_count > 0 ? stored(rows, element) : 0;
    for (size_t m = 0; m < array->missing_count; m++)
        if (number == array->missing[m])
            return true;
    return false;
}

size_t array_find_missing(const struct array_rows *rows, size_t n)
{
    for (size_t i = 0; rows->array->missing_count > 0 && i < n; i++)
        if (array_is_missing(rows, i))
            return i;
    return n;
}
