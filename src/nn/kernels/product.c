/* Letters: m, n, k of the call, c [m, n] = a [m, k] b [k, n]. Inside, one side goes along vectors and is called
 * columns; the other is called rows. The product is made "straight" if b is the columns, and "turned" if a is, as c' =
 * b' a'. */
#include "nn/kernels/product.h"

#include "nn/kernels/convolution.h"
#include "nn/kernels/tile_table.h"

#include <string.h>

/* One side: element p of the sum for its line i is values[i * line + p * step]. */
struct side {
    size_t lines;
    const float *values;
    size_t line, step;
};

/* Where c is, seen from rows and columns. */
struct target {
    float *values;
    size_t row, column; /* one of them is 1 */
};

/* From so many rows on columns are copied into a panel although they could be read where they lie, if vectors are
 * short: there each step of the sum takes a few cycles, and each may be in another page. */
#define COPIED_FROM 128

/* Many rows go in bands of at least so many, each with all columns: what a band reads of its side stays in the cache
 * from one tile's columns to the next, and c is written where it was written before. A band is worth a panel, whatever
 * the vectors; one that has to be transposed, only more rows. */
#define BAND            320
#define BAND_TRANSPOSED 1024

struct room {
    _Alignas(64) float panel[PRODUCT_PART * TILE_VECTORS * TILE_WIDTH]; /* columns of one tile */
    _Alignas(64) float edge[TILE_ROWS * TILE_VECTORS * TILE_WIDTH];     /* a tile that c cannot take as it is */
};

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t ceiling(size_t a, size_t b)
{
    return (a + b - 1) / b;
}

/* The columns of a tile, `width` of them, for k elements of the sum, as rows of `vectors` whole vectors: where they
 * lie, or in the panel, with zeros behind the last. */
static void take_columns(const struct tile_table *table, const struct side *columns, bool copies, size_t width,
                         size_t vectors, size_t k, struct room *room, struct tile *tile)
{
    size_t full = vectors * table->width;
    tile->b = columns->values;
    tile->pitch = columns->step;
    if (columns->line == 1 && width == full && !copies)
        return;
    tile->b = room->panel;
    tile->pitch = full;
    if (columns->line == 1)
        for (size_t p = 0; p < k; p++)
            memcpy(room->panel + p * full, columns->values + p * columns->step, width * sizeof(float));
    else
        table->transpose(width, k, columns->values, columns->line, false, room->panel, full);
    for (size_t p = 0; width < full && p < k; p++)
        memset(room->panel + p * full + width, 0, (full - width) * sizeof(float));
}

/* A tile [rows, width] in rows of `full` to its place in c. */
static void put(const struct tile_table *table, size_t rows, size_t width, float *edge, size_t full, bool adds,
                const struct target *c)
{
    if (c->row == 1) {
        table->transpose(rows, width, edge, full, adds, c->values, c->column);
        return;
    }
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < width; j++) {
            float *to = c->values + i * c->row + j;
            *to = adds ? *to + edge[i * full + j] : edge[i * full + j];
        }
}

/* Tiles that have to be turned have a multiple of TILE_SQUARE rows, if they can: such are turned in registers. */
static size_t tallest(const struct tile_table *table, size_t vectors, bool turned)
{
    size_t rows = table->rows[vectors];
    return turned && rows > TILE_SQUARE ? rows / TILE_SQUARE * TILE_SQUARE : rows;
}

static size_t widest(const struct tile_table *table, bool turned)
{
    size_t vectors = TILE_VECTORS;
    while (turned && vectors > 1 && table->rows[vectors] < TILE_SQUARE)
        vectors--;
    return vectors;
}

/* All rows, with the columns of one tile. In place the tiles are of nearly equal height. */
static void go_down(const struct tile_table *table, const struct side *rows, size_t width, size_t vectors, size_t k,
                    bool adds, struct target c, struct room *room, struct tile tile)
{
    bool turned = c.column != 1, in_place = !turned && width == vectors * table->width;
    size_t full = vectors * table->width, most = tallest(table, vectors, turned), tiles = ceiling(rows->lines, most);
    tile.k = k;
    tile.a = rows->values;
    tile.row = rows->line;
    tile.step = rows->step;
    tile.stride = in_place ? c.row : full;
    tile.adds = in_place && adds;
    for (size_t left = rows->lines, height; left > 0; left -= height) {
        height = turned ? least(left, most) : left / tiles--;
        tile.c = in_place ? c.values : room->edge;
        table->tiles[vectors][height](&tile);
        if (!in_place)
            put(table, height, width, room->edge, full, adds, &c);
        tile.a += height * tile.row;
        c.values += height * c.row;
    }
}

/* One part of the sums, for a band of rows. */
static void make_band(const struct tile_table *table, const struct side *rows, struct side columns, bool copies,
                      size_t k, bool adds, struct target c, struct room *room)
{
    size_t vectors = ceiling(columns.lines, table->width), tiles = ceiling(vectors, widest(table, c.column != 1));
    while (columns.lines > 0) {
        size_t wide = ceiling(vectors, tiles--), width = least(wide * table->width, columns.lines);
        struct tile tile;
        take_columns(table, &columns, copies, width, wide, k, room, &tile);
        go_down(table, rows, width, wide, k, adds, c, room, tile);
        vectors -= wide;
        columns.lines -= width;
        columns.values += width * columns.line;
        c.values += width * c.column;
    }
}

/* One part of the sums, for all of c, in bands of nearly equal height. */
static void make_part(const struct tile_table *table, struct side rows, const struct side *columns, size_t k, bool adds,
                      struct target c, struct room *room)
{
    size_t bands = rows.lines / (columns->line == 1 ? BAND : BAND_TRANSPOSED);
    bool copies = bands > 1 || (rows.lines >= COPIED_FROM && table->width < TILE_WIDTH);
    for (size_t left = rows.lines; left > 0; left -= rows.lines) {
        rows.lines = bands > 1 ? left / bands-- : left;
        make_band(table, &rows, *columns, copies, k, adds, c, room);
        rows.values += rows.lines * rows.line;
        c.values += rows.lines * c.row;
    }
}

/* About what it takes, in products of a vector: lanes that stay empty, the panel, and tiles that have to be turned. */
static double cost(const struct tile_table *table, const struct side *rows, const struct side *columns, size_t k,
                   bool turned)
{
    double products = (double)rows->lines * (double)ceiling(columns->lines, table->width) * (double)k;
    double panel = columns->line == 1 ? 0 : 0.6 * (double)columns->lines * (double)k;
    double turns = (double)rows->lines * (double)columns->lines * (double)ceiling(k, PRODUCT_PART);
    return products + panel + (turned ? 1.2 * turns : 0);
}

void product_make_by(const struct tile_table *table, size_t m, size_t n, size_t k, struct matrix a, struct matrix b,
                     bool adds, float *c, size_t stride)
{
    struct side of_a = {m, a.values, a.transposed ? 1 : a.stride, a.transposed ? a.stride : 1};
    struct side of_b = {n, b.values, b.transposed ? b.stride : 1, b.transposed ? 1 : b.stride};
    bool turned = cost(table, &of_b, &of_a, k, true) < cost(table, &of_a, &of_b, k, false);
    struct side *rows = turned ? &of_b : &of_a, *columns = turned ? &of_a : &of_b;
    struct target target = {c, turned ? 1 : stride, turned ? stride : 1};
    struct room room;
    for (size_t left = k, parts = ceiling(k, PRODUCT_PART), part; left > 0; left -= part) {
        part = ceiling(left, parts--);
        make_part(table, *rows, columns, part, adds || left < k, target, &room);
        rows->values += part * rows->step;
        columns->values += part * columns->step;
    }
}

void product_make(size_t m, size_t n, size_t k, struct matrix a, struct matrix b, bool adds, float *c, size_t stride)
{
    product_make_by(tile_table(), m, n, k, a, b, adds, c, stride);
}

static void product(const struct compute *compute, size_t m, size_t n, size_t k, struct matrix a, struct matrix b,
                    bool adds, float *c, size_t stride)
{
    (void)compute;
    product_make(m, n, k, a, b, adds, c, stride);
}

static const char *describe(const struct compute *compute)
{
    (void)compute;
    return "lockstep";
}

static const char *precision(const struct compute *compute)
{
    (void)compute;
    return precision_names[PRECISION_FLOAT32];
}

static bool reserve(const struct compute *compute, struct error *error)
{
    (void)compute, (void)error;
    return true;
}

const struct compute compute_lockstep = {
    .by_tiles = true,
    .describe = describe,
    .precision = precision,
    .reserve = reserve,
    .product = product,
    CONVOLUTION_BY_PRODUCTS,
};
