/* By products of float32: a part of each operand is rounded, the two elements of each pair change places, and
 * product_make multiplies, as long as no z of the definition can act. All that is summed is a whole multiple of the
 * product of the last places of the smallest operands, and rounding keeps it one; so if that is not below 2^-126,
 * neither is any sum that is not 0. Where it is, chain by chain. */
#include "base/target.h"
#include "nn/kernels/fma.h"
#include "nn/kernels/product.h"
#include "nn/kernels/product_bf16_sides.h"

#include <math.h>
#include <stdint.h>
#if CPU_X86
#include <immintrin.h>
#elif CPU_ARM
#include <arm_neon.h>
#endif

enum {
    BLOCK_COLUMNS = 256,
    BLOCK_ROWS = 64,
    LANES = 32,           /* columns of which chains are made side by side */
    BIAS = 127,           /* of an exponent's bits */
    NO_EXPONENT = 0xff,   /* of zeros, infinities and NaN: larger than all others */
    LEAST_EXPONENT = -126 /* of a number that is not subnormal */
};

_Static_assert(PRODUCT_BF16_PART <= PRODUCT_PART, "a part is a part of product_make, too");

/* A part of some lines as floats, the second element of each pair in front: [lines, k] if `along`, or [k, lines]; k is
 * even. */
struct rounded {
    const float *values;
    size_t lines, k;
    bool along;
    uint32_t least; /* exponent bits of the smallest that is not 0 */
};

struct room {
    _Alignas(64) float columns[PRODUCT_BF16_PART * BLOCK_COLUMNS];
    _Alignas(64) float rows[PRODUCT_BF16_PART * BLOCK_ROWS];
    _Alignas(64) float panel[PRODUCT_BF16_PART * LANES];
};

union word {
    float value;
    uint32_t bits;
};

/* r(x) of the definition. */
static inline union word round_one(float x)
{
    union word word = {x};
    uint32_t bits = word.bits, size = bits & 0x7fffffff;
    if (size > 0x7f800000)
        word.bits = (bits | 0x400000) & 0xffff0000;
    else if (size < 0x800000)
        word.bits = bits & 0x80000000;
    else
        word.bits = (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000;
    return word;
}

/* Returns the least exponent. */
TARGET_CLONES static uint32_t round_some(size_t n, const float *from, float *to)
{
    uint32_t found = NO_EXPONENT;
    for (size_t i = 0; i < n; i++) {
        union word word = round_one(from[i]);
        uint32_t exponent = word.bits >> 23 & 0xff;
        exponent = exponent ? exponent : NO_EXPONENT;
        found = exponent < found ? exponent : found;
        to[i] = word.value;
    }
    return found;
}

TARGET_CLONES static void swap_pairs(size_t pairs, float *values)
{
    for (size_t i = 0; i < 2 * pairs; i += 2) {
        float first = values[i];
        values[i] = values[i + 1];
        values[i + 1] = first;
    }
}

/* k elements of `lines` lines; `to` has room for one more of each. */
static struct rounded round_part(const struct side *side, size_t lines, size_t k, float *to)
{
    struct rounded part = {to, lines, 2 * ceiling(k, 2), side->step == 1, NO_EXPONENT};
    size_t count = part.along ? lines : k, length = part.along ? k : lines;
    for (size_t i = 0; i < count; i++) {
        const float *from = side->values + i * (part.along ? side->line : side->step);
        float *line = to + (part.along ? i * part.k : (i ^ 1) * lines);
        uint32_t exponent = round_some(length, from, line);
        part.least = exponent < part.least ? exponent : part.least;
        if (part.along) {
            line[part.k - 1] = part.k > k ? 0 : line[part.k - 1];
            swap_pairs(part.k / 2, line);
        }
    }
    for (size_t i = 0; !part.along && part.k > k && i < lines; i++)
        to[(k - 1) * lines + i] = 0; /* the place of element k */
    return part;
}

/* Whether no sum can come below 2^-126 but 0. The last place of a number of 8 bits is 2^-7 of its first. */
static bool is_safe(const struct rounded *a, const struct rounded *b)
{
    return (int)a->least - BIAS + (int)b->least - BIAS - 2 * 7 >= LEAST_EXPONENT;
}

/* ---- where it is not ---- */

/* z of the definition, of a b + s. Whether 2^-126 is what it was rounded to from below is only seen in the exact sum:
 * sum + error in double, as in fma.h. */
static float add_exactly(float a, float b, float s)
{
    static const double bound = 0x1p-126 - 0x1p-151;
    float rounded = fma_exact(a, b, s);
    if (fabsf(rounded) > 0x1p-126f || isnan(rounded))
        return rounded;
    double product = (double)a * (double)b, addend = (double)s, sum = product + addend;
    double part = sum - product, error = (product - (sum - part)) + (addend - part);
    if (sum < 0)
        sum = -sum, error = -error;
    return sum < bound || (sum == bound && error < 0) ? copysignf(0, rounded) : rounded;
}

static void chain_exactly(size_t k, const float *a, size_t step, const float *panel, float *s)
{
    for (size_t j = 0; j < LANES; j++)
        s[j] = 0;
    for (size_t p = 0; p < k; p++)
        for (size_t j = 0; j < LANES; j++)
            s[j] = add_exactly(a[p * step], panel[p * LANES + j], s[j]);
}

typedef float four __attribute__((vector_size(16), aligned(16), may_alias));
typedef int32_t four_words __attribute__((vector_size(16)));

static inline four fma_four(four a, four b, four c)
{
#if CPU_ARM
    return vfmaq_f32(c, a, b);
#else
    for (int i = 0; i < 4; i++)
        c[i] = fma_exact(a[i], b[i], c[i]);
    return c;
#endif
}

/* s [LANES] for a line of a [k], `step` apart, and panel [k, LANES]. Once more and exactly, if any sum came to 2^-126:
 * no other needs that. */
#define CHAIN(NAME, VECTOR, WORDS, FMA)                                                                                \
    static void NAME(size_t k, const float *a, size_t step, const float *panel, float *s)                              \
    {                                                                                                                  \
        enum { WIDTH = sizeof(VECTOR) / sizeof(float), VECTORS = LANES / WIDTH };                                      \
        VECTOR sums[VECTORS] = {0};                                                                                    \
        WORDS near = {0};                                                                                              \
        int found = 0;                                                                                                 \
        for (size_t p = 0; p < k; p++) {                                                                               \
            VECTOR one = a[p * step] - (VECTOR){0};                                                                    \
            _Pragma("GCC unroll 8") for (int v = 0; v < VECTORS; v++)                                                  \
            {                                                                                                          \
                VECTOR sum = FMA(one, ((const VECTOR *)(panel + p * LANES))[v], sums[v]);                              \
                WORDS size = (WORDS)sum & 0x7fffffff;                                                                  \
                near |= size == 0x800000;                                                                              \
                sums[v] = (VECTOR)((WORDS)sum & ((size >= 0x800000) | INT32_MIN));                                     \
            }                                                                                                          \
        }                                                                                                              \
        for (int v = 0; v < VECTORS; v++)                                                                              \
            ((VECTOR *)s)[v] = sums[v];                                                                                \
        for (int j = 0; j < WIDTH; j++)                                                                                \
            found |= near[j];                                                                                          \
        if (found)                                                                                                     \
            chain_exactly(k, a, step, panel, s);                                                                       \
    }
CHAIN(chain_here, four, four_words, fma_four)
#if CPU_X86
typedef float eight __attribute__((vector_size(32), aligned(32), may_alias));
typedef int32_t eight_words __attribute__((vector_size(32)));
__attribute__((target("avx2,fma"))) CHAIN(chain_avx2, eight, eight_words, _mm256_fmadd_ps)
#endif

    /* c of rows and columns, the columns by panels. */
    static void multiply_chains(const struct rounded *rows, const struct rounded *columns, float *panel, bool adds,
                                float *c, size_t stride)
{
    void (*chain)(size_t, const float *, size_t, const float *, float *) = chain_here;
#if CPU_X86
    if (cpu_isa() != CPU_BASELINE)
        chain = chain_avx2;
#endif
    size_t k = rows->k, row = rows->along ? k : 1, step = rows->along ? 1 : rows->lines;
    size_t line = columns->along ? k : 1, apart = columns->along ? 1 : columns->lines;
    for (size_t j = 0; j < columns->lines; j += LANES) {
        size_t width = least(LANES, columns->lines - j);
        for (size_t p = 0; p < k; p++)
            for (size_t q = 0; q < LANES; q++)
                panel[p * LANES + q] = q < width ? columns->values[(j + q) * line + p * apart] : 0;
        for (size_t i = 0; i < rows->lines; i++) {
            _Alignas(32) float s[LANES];
            float *to = c + i * stride + j;
            chain(k, rows->values + i * row, step, panel, s);
            for (size_t q = 0; q < width; q++)
                to[q] = adds ? to[q] + s[q] : s[q];
        }
    }
}

static struct matrix matrix_of_rounded(const struct rounded *part, bool transposed)
{
    return matrix_of(part->values, part->along ? part->k : part->lines, transposed);
}

void product_bf16_emulated(size_t m, size_t n, size_t k, struct matrix a, struct matrix b, bool adds, float *c,
                           size_t stride)
{
    struct room room;
    struct sides sides = sides_of(m, n, a, b, c, stride, false);
    for (size_t left = k, part; left > 0; left -= part) {
        part = part_of(left);
        for (size_t j = 0, width; j < n; j += width) {
            width = least(n - j, BLOCK_COLUMNS);
            struct side some = sides.columns;
            some.values += j * some.line;
            struct rounded columns = round_part(&some, width, part, room.columns);
            for (size_t i = 0, height; i < m; i += height) {
                height = least(m - i, BLOCK_ROWS);
                some = sides.rows;
                some.values += i * some.line;
                struct rounded rows = round_part(&some, height, part, room.rows);
                float *to = c + i * stride + j;
                bool sums = adds || left < k;
                if (is_safe(&rows, &columns))
                    product_make(height, width, rows.k, matrix_of_rounded(&rows, !rows.along),
                                 matrix_of_rounded(&columns, columns.along), sums, to, stride);
                else
                    multiply_chains(&rows, &columns, room.panel, sums, to, stride);
            }
        }
        sides.rows.values += part * sides.rows.step;
        sides.columns.values += part * sides.columns.step;
    }
}
