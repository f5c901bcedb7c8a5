#include "support/test.h"
#include "weights/floats.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

/* What the sixteen bits of IEEE 754 say, by the formula. */
static double half(unsigned bits)
{
    int exponent = (int)(bits >> 10 & 0x1F), mantissa = (int)(bits & 0x3FF);
    double sign = bits & 0x8000 ? -1 : 1;
    if (exponent == 0x1F)
        return mantissa ? (double)NAN : sign * (double)INFINITY;
    return exponent ? sign * ldexp(1024 + mantissa, exponent - 25) : sign * ldexp(mantissa, -24);
}

static void all_halves_are_what_the_formula_says(void)
{
    unsigned wrong = 0;
    for (unsigned bits = 0; bits < 0x10000; bits++) {
        uint16_t stored = (uint16_t)bits;
        float value;
        floats_decode((struct floats_form){FLOATS_F16, false}, &stored, 1, &value, NULL);
        double expected = half(bits);
        bool ok = isnan(expected) ? isnan(value) : (double)value == expected && !signbit(value) == !signbit(expected);
        wrong += !ok;
    }
    CU_ASSERT_EQUAL(wrong, 0);
}

static void bfloats_are_the_upper_half_of_a_float(void)
{
    float kept = -3.14159f, value;
    uint32_t bits;
    memcpy(&bits, &kept, 4);
    uint16_t stored = (uint16_t)(bits >> 16);
    floats_decode((struct floats_form){FLOATS_BF16, false}, &stored, 1, &value, NULL);
    CU_ASSERT_DOUBLE_EQUAL(value, kept, 0.02);
    uint32_t back;
    memcpy(&back, &value, 4);
    CU_ASSERT_EQUAL(back, bits & 0xFFFF0000);
}

static void doubles_are_rounded_and_both_orders_of_bytes_read(void)
{
    double stored[3] = {0.1, -1e300, 2};
    uint8_t reversed[24];
    float values[3], swapped[3];
    for (size_t i = 0; i < 24; i++)
        reversed[i] = ((uint8_t *)stored)[i / 8 * 8 + 7 - i % 8];
    CU_ASSERT_EQUAL(floats_decode((struct floats_form){FLOATS_F64, false}, stored, 3, values, NULL), 0);
    floats_decode((struct floats_form){FLOATS_F64, true}, reversed, 3, swapped, NULL);
    CU_ASSERT_EQUAL(values[0], 0.1f);
    CU_ASSERT_TRUE(isinf(values[1]) && values[1] < 0);
    CU_ASSERT_EQUAL(values[2], 2);
    CU_ASSERT_EQUAL(memcmp(values, swapped, sizeof values), 0);
    uint8_t one[4] = {0x3F, 0x80, 0, 0};
    floats_decode((struct floats_form){FLOATS_F32, true}, one, 1, values, NULL);
    CU_ASSERT_EQUAL(values[0], 1);
}

static void doubles_that_become_zero_are_counted(void)
{
    double stored[6] = {0, -0.0, 1e-300, 1e-40, -1e-300, 5e-324};
    float values[6];
    size_t first = 99;
    CU_ASSERT_EQUAL(floats_decode((struct floats_form){FLOATS_F64, false}, stored, 6, values, &first), 3);
    CU_ASSERT_EQUAL(first, 2);
    CU_ASSERT_TRUE(values[3] > 0);
    CU_ASSERT_EQUAL(floats_decode((struct floats_form){FLOATS_F64, false}, stored, 2, values, &first), 0);
    CU_ASSERT_EQUAL(first, 2);
}

static void gather_and_scatter_undo_each_other(void)
{
    float in[24], out[24], back[24] = {0};
    size_t sizes[3] = {4, 2, 3}, strides[3] = {1, 12, 4}; /* [2, 3, 4] with its last index first */
    for (size_t i = 0; i < 24; i++)
        in[i] = (float)i;
    floats_gather(3, sizes, strides, in, out);
    for (size_t k = 0; k < 4; k++)
        for (size_t i = 0; i < 2; i++)
            for (size_t j = 0; j < 3; j++)
                CU_ASSERT_EQUAL(out[(k * 2 + i) * 3 + j], in[(i * 3 + j) * 4 + k]);
    floats_scatter(3, sizes, strides, out, back);
    CU_ASSERT_EQUAL(memcmp(in, back, sizeof in), 0);
    floats_gather(0, NULL, NULL, in + 5, out);
    CU_ASSERT_EQUAL(out[0], 5);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"all halves are what the formula says", all_halves_are_what_the_formula_says},
        {"bfloats are the upper half of a float", bfloats_are_the_upper_half_of_a_float},
        {"doubles are rounded, and both orders of bytes read", doubles_are_rounded_and_both_orders_of_bytes_read},
        {"doubles that become zero are counted", doubles_that_become_zero_are_counted},
        {"gather and scatter undo each other", gather_and_scatter_undo_each_other},
        {0}};
    return test_run("weights/floats", cases);
}
