#include "weights/floats.h"

#include <stdint.h>
#include <string.h>

size_t floats_size(enum floats_type type)
{
    static const size_t sizes[] = {[FLOATS_F16] = 2, [FLOATS_BF16] = 2, [FLOATS_F32] = 4, [FLOATS_F64] = 8};
    return sizes[type];
}

static float from_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Sign, 5 bits of exponent with bias 15, 10 of mantissa; below 2^-14 multiples of 2^-24. */
static float from_half(uint32_t half)
{
    uint32_t sign = (half & 0x8000) << 16, exponent = half >> 10 & 0x1F, mantissa = half & 0x3FF;
    if (exponent == 0) {
        float small = (float)mantissa / (1 << 24);
        return sign ? -small : small;
    }
    if (exponent == 0x1F)
        return from_bits(sign | 0x7F800000 | mantissa << 13);
    return from_bits(sign | (exponent + 112) << 23 | mantissa << 13);
}

/* *lost: it is not zero, but the float is. */
static float from_double(uint64_t bits, bool *lost)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    *lost = value != 0 && (float)value == 0;
    return (float)value;
}

size_t floats_decode(struct floats_form form, const void *bytes, size_t count, float *values, size_t *first)
{
    const uint8_t *element = bytes;
    size_t size = floats_size(form.type), lost = 0;
    if (form.type == FLOATS_F32 && !form.big_endian) {
        memcpy(values, bytes, count * sizeof *values);
        return 0;
    }
    for (size_t i = 0; i < count; i++, element += size) {
        uint64_t bits = 0;
        bool is_lost = false;
        for (size_t b = 0; b < size; b++)
            bits |= (uint64_t)element[form.big_endian ? size - 1 - b : b] << 8 * b;
        switch (form.type) {
        case FLOATS_F16:
            values[i] = from_half((uint32_t)bits);
            break;
        case FLOATS_BF16:
            values[i] = from_bits((uint32_t)bits << 16);
            break;
        case FLOATS_F64:
            values[i] = from_double(bits, &is_lost);
            break;
        default:
            values[i] = from_bits((uint32_t)bits);
        }
        if (is_lost && lost++ == 0 && first)
            *first = i;
    }
    return lost;
}

/* The walk of both; returns where the packed side has come to. */
static float *walk(size_t dims, const size_t *sizes, const size_t *strides, float *strided, float *packed, bool gathers)
{
    size_t size = dims > 0 ? *sizes : 1, stride = dims > 0 ? *strides : 0;
    if (dims > 1) {
        for (size_t i = 0; i < size; i++, strided += stride)
            packed = walk(dims - 1, sizes + 1, strides + 1, strided, packed, gathers);
        return packed;
    }
    for (size_t i = 0; gathers && i < size; i++)
        packed[i] = strided[i * stride];
    for (size_t i = 0; !gathers && i < size; i++)
        strided[i * stride] = packed[i];
    return packed + size;
}

void floats_gather(size_t dims, const size_t *sizes, const size_t *strides, const float *in, float *out)
{
    walk(dims, sizes, strides, (float *)in, out, true);
}

void floats_scatter(size_t dims, const size_t *sizes, const size_t *strides, const float *in, float *out)
{
    walk(dims, sizes, strides, out, (float *)in, false);
}
