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
    ROW(F64, "float64", 64, true, real(bits))

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

bool array_type_has_floats(enum array_type type)
{
    return types[type].has_floats;
}

bool array_place(struct array *array, const uint8_t *elements, size_t there, struct error *error)
{
    size_t expected = types[array->type].bytes;
    bool overflow = false;
    array->width = 1;
    for (size_t i = 0; i < array->dims; i++) {
        if (array->size[i] == 0)
            return error_set(error, ERROR_CORRUPT, "%s holds nothing: axis %zu of %zu has the size 0", array->name,
                             i + 1, array->dims);
        overflow |= __builtin_mul_overflow(expected, array->size[i], &expected);
        if (i > 0)
            overflow |= __builtin_mul_overflow(array->width, array->size[i], &array->width);
    }
    if (overflow)
        return error_set(error, ERROR_CORRUPT, "%s is corrupt: its header promises more than 2^64 bytes, %zu are there",
                         array->name, there);
    if (there < expected)
        return error_set(error, ERROR_CORRUPT, "%s is truncated: %zu bytes of numbers expected, %zu there", array->name,
                         expected, there);
    if (there > expected)
        return error_set(error, ERROR_CORRUPT, "%s is too long by %zu bytes: %zu bytes of numbers expected, %zu there",
                         array->name, there - expected, expected, there);
    array->row_bytes = expected / array->size[0];
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

static const uint8_t *place(const struct array *array, size_t element)
{
    return array->elements + element * types[array->type].bytes;
}

void array_floats(const struct array *array, size_t first, size_t n, double mean, double std, float *to)
{
    types[array->type].convert(place(array, first), array->big_endian, n, mean, std, to);
}

double array_number(const struct array *array, size_t element)
{
    return types[array->type].number(place(array, element), array->big_endian);
}

int64_t array_integer(const struct array *array, size_t element)
{
    const uint8_t *from = place(array, element);
    uint64_t bits;
    switch (array->type) {
    case ARRAY_U64:
        bits = load_64(from, array->big_endian);
        return bits > INT64_MAX ? INT64_MAX : (int64_t)bits;
    case ARRAY_I64:
        return (int64_t)load_64(from, array->big_endian);
    default: /* the others fit a double */
        return (int64_t)array_number(array, element);
    }
}
