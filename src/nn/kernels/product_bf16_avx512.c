/* By AVX512_BF16. A block of the columns, all of a part of k, is packed into panels that stay in a core's second cache,
 * then the rows by blocks; a tile of up to 8 rows and 3 vectors of columns stays in registers for the part. Both are
 * packed as pairs: the elements 2p and 2p + 1 of a row or column in one word, the first in its lower half. */
#include "nn/kernels/product_bf16.h"

#if CPU_X86
#include "nn/kernels/product_bf16_sides.h"

#include <immintrin.h>
#include <stdint.h>

enum {
    WIDTH = 16,  /* columns of a vector */
    VECTORS = 3, /* of a tile, at most */
    ROWS = 8,    /* likewise */
    PAIRS = PRODUCT_BF16_PART / 2,
    BLOCK_COLUMNS = 8 * VECTORS * WIDTH,
    BLOCK_ROWS = 64,
    ROW_PITCH = PAIRS + WIDTH, /* not a power of two: rows would meet in the cache */
};

#define UNROLL _Pragma("GCC unroll 32")
#define INLINE static inline __attribute__((always_inline, no_sanitize("address", "undefined")))

struct tile {
    size_t pairs;
    const uint32_t *a; /* pair p of row i is a[i * row + p * step] */
    size_t row, step;
    const uint32_t *b; /* pair p of column j is b[p * V WIDTH + j] */
    float *c;          /* c(i, j) is c[i * stride + j] */
    size_t stride;
    __mmask16 last; /* columns of the last vector */
    bool adds;
};

struct room {
    _Alignas(64) uint32_t columns[PAIRS * BLOCK_COLUMNS];
    _Alignas(64) uint32_t rows[BLOCK_ROWS * ROW_PITCH]; /* or [PAIRS, BLOCK_ROWS] */
    _Alignas(64) float edge[ROWS * VECTORS * WIDTH];
};

INLINE __mmask16 first_of(size_t count)
{
    uint32_t mask = count >= WIDTH ? 0xffff : (1u << count) - 1;
    return (__mmask16)mask;
}

/* Rows are reached from every third one's pointer, as in tile.inc. */
INLINE void multiply(int R, int V, const struct tile *tile)
{
    enum { GROUP = 3 };
    __m512 sums[ROWS * VECTORS];
    const uint32_t *a[(ROWS + GROUP - 1) / GROUP], *b = tile->b;
    size_t row = tile->row, step = tile->step;
    UNROLL for (int q = 0; q < R * V; q++) sums[q] = _mm512_setzero_ps();
    UNROLL for (int i = 0; i < R; i += GROUP) a[i / GROUP] = tile->a + (size_t)i * row;
    for (size_t p = 0; p < tile->pairs; p++) {
        __m512i line[VECTORS];
        UNROLL for (int j = 0; j < V; j++) line[j] = _mm512_load_si512(b + j * WIDTH);
        UNROLL for (int i = 0; i < R; i++)
        {
            __m512i one = _mm512_set1_epi32((int)a[i / GROUP][(size_t)(i % GROUP) * row]);
            UNROLL for (int j = 0; j < V; j++)
                sums[i * V + j] = _mm512_dpbf16_ps(sums[i * V + j], (__m512bh)one, (__m512bh)line[j]);
        }
        UNROLL for (int i = 0; i < R; i += GROUP) a[i / GROUP] += step;
        b += V * WIDTH;
    }
    UNROLL for (int i = 0; i < R; i++) UNROLL for (int j = 0; j < V; j++)
    {
        float *to = tile->c + (size_t)i * tile->stride + j * WIDTH;
        __mmask16 mask = j == V - 1 ? tile->last : first_of(WIDTH);
        __m512 sum = sums[i * V + j];
        _mm512_mask_storeu_ps(to, mask, tile->adds ? _mm512_add_ps(_mm512_maskz_loadu_ps(mask, to), sum) : sum);
    }
}

/* clang-format off */
#define ROWS_OF(TILE, V) TILE(1, V) TILE(2, V) TILE(3, V) TILE(4, V) TILE(5, V) TILE(6, V) TILE(7, V) TILE(8, V)
#define TILES(TILE) ROWS_OF(TILE, 1) ROWS_OF(TILE, 2) ROWS_OF(TILE, 3)
/* clang-format on */

#define TILE(R, V)                                                                                                     \
    __attribute__((no_sanitize("address", "undefined"))) static void tile_##R##_##V(const struct tile *tile)           \
    {                                                                                                                  \
        multiply(R, V, tile);                                                                                          \
    }
TILES(TILE)

#define ENTRY(R, V) [V][R] = tile_##R##_##V,
static void (*const tiles[VECTORS + 1][ROWS + 1])(const struct tile *tile) = {TILES(ENTRY)};

/* 16 pairs of a line from values on, of which `count` elements are there. */
INLINE __m512i pairs_along(const float *values, size_t count)
{
    __m512 front = _mm512_maskz_loadu_ps(first_of(count), values);
    __m512 back = count > WIDTH ? _mm512_maskz_loadu_ps(first_of(count - WIDTH), values + WIDTH) : _mm512_setzero_ps();
    return (__m512i)_mm512_cvtne2ps_pbh(back, front);
}

/* The same pair of 16 lines, whose elements are in two rows; `second` NULL: there is none. */
INLINE __m512i pairs_across(const float *first, const float *second, __mmask16 there)
{
    const __m512i order = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6,
                                           21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    __m512 low = _mm512_maskz_loadu_ps(there, first);
    __m512 high = second ? _mm512_maskz_loadu_ps(there, second) : _mm512_setzero_ps();
    return _mm512_permutexvar_epi16(order, (__m512i)_mm512_cvtne2ps_pbh(high, low));
}

/* 16 x 16 words. */
INLINE void transpose(__m512i r[WIDTH])
{
    __m512i q[WIDTH];
    UNROLL for (int i = 0; i < WIDTH; i += 2)
    {
        q[i] = _mm512_unpacklo_epi32(r[i], r[i + 1]);
        q[i + 1] = _mm512_unpackhi_epi32(r[i], r[i + 1]);
    }
    UNROLL for (int i = 0; i < WIDTH; i += 4) UNROLL for (int h = 0; h < 2; h++)
    {
        r[i + 2 * h] = _mm512_unpacklo_epi64(q[i + h], q[i + 2 + h]);
        r[i + 2 * h + 1] = _mm512_unpackhi_epi64(q[i + h], q[i + 2 + h]);
    }
    UNROLL for (int i = 0; i < 4; i++) UNROLL for (int h = 0; h < 2; h++)
    {
        q[8 * h + i] = _mm512_shuffle_i32x4(r[8 * h + i], r[8 * h + 4 + i], 0x88);
        q[8 * h + 4 + i] = _mm512_shuffle_i32x4(r[8 * h + i], r[8 * h + 4 + i], 0xdd);
    }
    UNROLL for (int i = 0; i < 8; i++)
    {
        r[i] = _mm512_shuffle_i32x4(q[i], q[8 + i], 0x88);
        r[8 + i] = _mm512_shuffle_i32x4(q[i], q[8 + i], 0xdd);
    }
}

/* k elements of `lines` lines as words [pairs, pitch], zeros behind the last line up to a whole vector. */
static void pack_across(const struct side *side, size_t lines, size_t k, uint32_t *to, size_t pitch)
{
    if (side->line == 1) {
        for (size_t p = 0; p < k; p += 2, to += pitch) {
            const float *first = side->values + p * side->step, *second = p + 1 < k ? first + side->step : NULL;
            for (size_t i = 0; i < lines; i += WIDTH)
                _mm512_store_si512(to + i, pairs_across(first + i, second ? second + i : NULL, first_of(lines - i)));
        }
        return;
    }
    for (size_t p = 0; p < k; p += 2 * WIDTH, to += WIDTH * pitch)
        for (size_t i = 0; i < lines; i += WIDTH) {
            __m512i square[WIDTH];
            const float *from = side->values + i * side->line + p;
            size_t count = k - p, rows = least(WIDTH, (count + 1) / 2);
            for (size_t q = 0; q < WIDTH; q++)
                square[q] = q < lines - i ? pairs_along(from + q * side->line, count) : _mm512_setzero_si512();
            transpose(square);
            for (size_t q = 0; q < rows; q++)
                _mm512_store_si512(to + q * pitch + i, square[q]);
        }
}

/* The same as words [lines, ROW_PITCH]; elements of a line lie side by side. */
static void pack_along(const struct side *side, size_t lines, size_t k, uint32_t *to)
{
    for (size_t i = 0; i < lines; i++, to += ROW_PITCH)
        for (size_t p = 0; p < k; p += 2 * WIDTH)
            _mm512_store_si512(to + p / 2, pairs_along(side->values + i * side->line + p, k - p));
}

/* Panels of nearly equal numbers of vectors. */
static size_t next_width(size_t left)
{
    size_t vectors = ceiling(left, WIDTH), panels = ceiling(vectors, VECTORS);
    return least(left, ceiling(vectors, panels) * WIDTH);
}

static void pack_columns(const struct side *columns, size_t count, size_t k, uint32_t *to)
{
    struct side from = *columns;
    for (size_t left = count, width; left > 0; left -= width) {
        width = next_width(left);
        size_t full = ceiling(width, WIDTH) * WIDTH;
        pack_across(&from, width, k, to, full);
        from.values += width * from.line;
        to += ceiling(k, 2) * full;
    }
}

static void put(size_t rows, size_t width, const float *edge, size_t full, bool adds, const struct target *c)
{
    for (size_t j = 0; j < width; j++)
        for (size_t i = 0; i < rows; i++) {
            float *to = c->values + i * c->row + j * c->column;
            *to = adds ? *to + edge[i * full + j] : edge[i * full + j];
        }
}

/* A block of rows, packed, with all columns of the block. */
static void multiply_block(size_t rows, size_t columns, struct tile tile, bool adds, struct target c, struct room *room)
{
    for (size_t i = 0, height; i < rows; i += height, tile.a += height * tile.row) {
        height = (rows - i) / ceiling(rows - i, ROWS);
        tile.b = room->columns;
        struct target to = {c.values + i * c.row, c.row, c.column};
        for (size_t left = columns, width; left > 0; left -= width) {
            width = next_width(left);
            size_t vectors = ceiling(width, WIDTH), full = vectors * WIDTH;
            bool in_place = to.column == 1;
            tile.last = first_of(width - (vectors - 1) * WIDTH);
            tile.c = in_place ? to.values : room->edge;
            tile.stride = in_place ? to.row : full;
            tile.adds = in_place && adds;
            tiles[vectors][height](&tile);
            if (!in_place)
                put(height, width, room->edge, full, adds, &to);
            tile.b += tile.pairs * full;
            to.values += width * to.column;
        }
    }
}

static void make_part(struct side rows, struct side columns, size_t k, bool adds, struct target c, struct room *room)
{
    struct tile tile = {.pairs = ceiling(k, 2)};
    for (size_t j = 0, width; j < columns.lines; j += width) {
        width = least(columns.lines - j, BLOCK_COLUMNS);
        struct side some = columns;
        some.values += j * columns.line;
        pack_columns(&some, width, k, room->columns);
        for (size_t i = 0, height; i < rows.lines; i += height) {
            height = least(rows.lines - i, BLOCK_ROWS);
            some = rows;
            some.values += i * rows.line;
            tile.a = room->rows;
            tile.row = rows.line == 1 ? 1 : ROW_PITCH;
            tile.step = rows.line == 1 ? BLOCK_ROWS : 1;
            if (rows.line == 1)
                pack_across(&some, height, k, room->rows, BLOCK_ROWS);
            else
                pack_along(&some, height, k, room->rows);
            struct target to = {c.values + i * c.row + j * c.column, c.row, c.column};
            multiply_block(height, width, tile, adds, to, room);
        }
    }
}

/* Vectors with empty lanes cost as much as full ones; turning a tile, some more. */
static double cost(size_t rows, size_t columns, bool turned)
{
    return (double)rows * (double)ceiling(columns, WIDTH) * (turned ? 1.2 : 1);
}

void product_bf16_avx512(size_t m, size_t n, size_t k, struct matrix a, struct matrix b, bool adds, float *c,
                         size_t stride)
{
    struct room room;
    struct sides call = sides_of(m, n, a, b, c, stride, cost(n, m, true) < cost(m, n, false));
    for (size_t left = k, part; left > 0; left -= part) {
        part = part_of(left);
        make_part(call.rows, call.columns, part, adds || left < k, call.c, &room);
        call.rows.values += part * call.rows.step;
        call.columns.values += part * call.columns.step;
    }
}
#endif
