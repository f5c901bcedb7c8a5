#include "nn/kernels/convolution.h"

#include "base/target.h"
#include "nn/kernels/field.h"
#include "nn/kernels/tile_table.h"
#include "nn/kernels/vector.h"

#include <stdint.h>
#include <string.h>

#define FIELD_FLOATS (1 << 16)  /* of a field: 256 KB, of a core's cache; more only if PLACES needs it */
#define PLACES       128        /* of a field at least, if there are as many */
#define BLOCK        FIELD_MOST /* of dweight: places of a block, */
#define BLOCK_MOST   64         /* samples of it */
#define PART         512 /* PRODUCT_PART of product.h, which is made of convolutions: test_convolution.c compares */
#define GATHERED     (BLOCK + FIELD_COPY)
#define TALLEST      256 /* of what is made at a time */

enum { SIDES = CONVOLUTION_SIDES };

/* What is made at a time: by tiles, rows and vectors of one; by other products, enough for them to be good at. */
struct way {
    const struct compute *compute;
    const struct tile_table *table; /* NULL: not by tiles */
    size_t wide, tall;              /* of a panel and of what it makes, at most */
};

static struct way way_of(const struct compute *compute)
{
    if (!compute->by_tiles)
        return (struct way){.compute = compute, .wide = TALLEST, .tall = TALLEST};
    const struct tile_table *table = tile_table();
    return (struct way){.compute = compute, .table = table, .wide = TILE_VECTORS * table->width, .tall = TILE_ROWS};
}

/* The parts of scratch. */
struct room {
    float *field;
    float *panel;  /* [PART, wide] */
    float *edge;   /* [tall, wide] */
    float *rows;   /* [tall, GATHERED]: of dweight; or the turned weights of dx, [C / groups, a part of a product] */
    size_t floats; /* of all */
};

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t most(size_t a, size_t b)
{
    return a > b ? a : b;
}

static size_t ceiling(size_t a, size_t b)
{
    return (a + b - 1) / b;
}

/* ---- blocks ---- */

/* Of [samples, sides] the first `level` one by one, the next in so many pieces of nearly equal size, all of the others.
 */
struct cut {
    size_t size[1 + SIDES], level, pieces, largest;
};

struct limits {
    const struct axis *axes; /* NULL: the field does not matter */
    size_t channels;
};

static bool fits(const struct limits *limits, const struct block *block)
{
    size_t places = block->count[0] * block->count[1] * block->count[2] * block->count[3];
    if (!limits->axes)
        return places <= BLOCK && block->count[0] <= BLOCK_MOST;
    return places <= PLACES || field_floats(limits->axes, block, limits->channels) <= FIELD_FLOATS;
}

/* With as large pieces as fit, or places one by one. */
static struct cut cut_of(size_t M, const size_t side[SIDES], const struct limits *limits)
{
    struct cut cut = {.size = {M, side[0], side[1], side[2]}};
    struct block block = {.count = {M, side[0], side[1], side[2]}};
    for (;; block.count[cut.level++] = 1) {
        size_t whole = cut.size[cut.level], under = 0, over = whole + 1;
        while (over - under > 1) {
            size_t half = (under + over) / 2;
            block.count[cut.level] = half;
            *(fits(limits, &block) ? &under : &over) = half;
        }
        if (under > 0 || cut.level == SIDES) {
            cut.largest = most(under, 1);
            cut.pieces = ceiling(whole, cut.largest);
            return cut;
        }
    }
}

static size_t block_count(const struct cut *cut)
{
    size_t count = cut->pieces;
    for (size_t d = 0; d < cut->level; d++)
        count *= cut->size[d];
    return count;
}

static struct block block_at(const struct cut *cut, size_t index)
{
    struct block block = {.count = {1, 1, 1, 1}};
    size_t level = cut->level, piece = index % cut->pieces, outer = index / cut->pieces;
    size_t equal = cut->size[level] / cut->pieces, larger = cut->size[level] % cut->pieces;
    block.begin[level] = piece * equal + least(piece, larger);
    block.count[level] = equal + (piece < larger);
    for (size_t d = level; d-- > 0; outer /= cut->size[d])
        block.begin[d] = outer % cut->size[d];
    for (size_t d = level + 1; d <= SIDES; d++)
        block.count[d] = cut->size[d];
    return block;
}

static size_t places_of(const struct block *block)
{
    return block->count[0] * block->count[1] * block->count[2] * block->count[3];
}

/* The floats of a field of its largest block. */
static size_t largest_field(const struct cut *cut, const struct axis *axes, size_t channels)
{
    struct block block = block_at(cut, 0);
    block.count[cut->level] = cut->largest;
    return field_floats(axes, &block, channels);
}

/* ---- what a convolution and its gradients go through ---- */

/* Rows of weights times what they see: forward, and dx. */
struct sweep {
    struct axis axes[SIDES];
    struct image from, to;
    float *made; /* the values of `to` */
    size_t groups;
    size_t rows, channels; /* of a group: made, and seen */
    size_t taps, k;        /* weights of a channel that see anything; channels * taps */
    const float *bias;     /* [groups * rows]; NULL: none */
    struct matrix weight;  /* as it is stored: [O, K] */
    size_t K;
    const size_t *kernel;
    bool turned; /* rows are the channels of the weight */
};

static size_t volume(const size_t side[SIDES])
{
    return side[0] * side[1] * side[2];
}

static void axes_forward(const struct convolution *v, struct axis axes[SIDES])
{
    for (size_t d = 0; d < SIDES; d++)
        axes[d] = (struct axis){.size = v->in[d],
                                .places = v->out[d],
                                .step = v->stride[d],
                                .taps = v->kernel[d],
                                .apart = 1,
                                .offset = -(ptrdiff_t)v->before[d],
                                .slope = (ptrdiff_t)v->dilation[d],
                                .pitch = 1};
}

/* dx at start, start + stride, ...: weight t has seen it at place j if j stride + t dilation - before is it. */
static struct axis axis_back(const struct convolution *v, size_t d, size_t start)
{
    size_t stride = v->stride[d], dilation = v->dilation[d], at = start + v->before[d], t = 0, next;
    struct axis axis = {.size = v->out[d], .step = 1, .start = start, .pitch = stride};
    axis.places = start < v->in[d] ? ceiling(v->in[d] - start, stride) : 0;
    while (t < v->kernel[d] && (at % stride) != t * dilation % stride)
        t++;
    for (next = t + 1; next < v->kernel[d] && (next - t) * dilation % stride != 0;)
        next++;
    axis.first = t;
    axis.apart = next - t;
    axis.taps = t < v->kernel[d] ? (v->kernel[d] - 1 - t) / axis.apart + 1 : 0;
    axis.offset = ((ptrdiff_t)at - (ptrdiff_t)(t * dilation)) / (ptrdiff_t)stride;
    axis.slope = -(ptrdiff_t)(axis.apart * dilation / stride);
    return axis;
}

static struct sweep sweep_forward(const struct convolution *v)
{
    struct sweep sweep = {.from = {.channels = v->C, .side = v->in, .channels_last = v->channels_last},
                          .to = {.channels = v->O, .side = v->out, .channels_last = v->channels_last},
                          .groups = v->groups,
                          .rows = v->O / v->groups,
                          .channels = v->C / v->groups,
                          .taps = volume(v->kernel),
                          .k = v->K,
                          .K = v->K,
                          .kernel = v->kernel};
    axes_forward(v, sweep.axes);
    return sweep;
}

/* Of the places from `start` on, a stride apart. */
static struct sweep sweep_back(const struct convolution *v, const size_t start[SIDES])
{
    struct sweep sweep = {.from = {.channels = v->O, .side = v->out, .channels_last = v->channels_last},
                          .to = {.channels = v->C, .side = v->in, .channels_last = v->channels_last},
                          .groups = v->groups,
                          .rows = v->C / v->groups,
                          .channels = v->O / v->groups,
                          .taps = 1,
                          .K = v->K,
                          .kernel = v->kernel,
                          .turned = true};
    for (size_t d = 0; d < SIDES; d++) {
        sweep.axes[d] = axis_back(v, d, start[d]);
        sweep.taps *= sweep.axes[d].taps;
    }
    sweep.k = sweep.channels * sweep.taps;
    return sweep;
}

/* The first place from `at` on that a weight sees, before those begin again; how many such there are: *end. */
static size_t next_start(const struct convolution *v, size_t d, size_t at, size_t *end)
{
    *end = least(v->stride[d], v->in[d]);
    while (at < *end && axis_back(v, d, at).taps == 0)
        at++;
    return at;
}

/* Goes through all starts that a weight sees: `start` NONE to begin with. False: that was the last. */
#define NONE SIZE_MAX
static bool next_starts(const struct convolution *v, size_t start[SIDES])
{
    size_t end;
    for (size_t d = SIDES; d-- > 0;) {
        bool begins = start[d] == NONE;
        start[d] = next_start(v, d, begins ? 0 : start[d] + 1, &end);
        if (begins && start[d] == end)
            return false;
        if (!begins && start[d] < end)
            return true;
        if (!begins)
            start[d] = next_start(v, d, 0, &end);
        else if (d == 0)
            return true;
    }
    return false;
}

static struct cut sweep_cut(const struct sweep *sweep, size_t M)
{
    size_t part = ceiling(sweep->k, ceiling(sweep->k, PART));
    struct limits limits = {sweep->axes, least(ceiling(part, sweep->taps) + 1, sweep->channels)};
    return cut_of(M, (size_t[]){sweep->axes[0].places, sweep->axes[1].places, sweep->axes[2].places}, &limits);
}

static size_t sweep_field(const struct sweep *sweep, size_t M)
{
    size_t part = ceiling(sweep->k, ceiling(sweep->k, PART));
    struct cut cut = sweep_cut(sweep, M);
    return largest_field(&cut, sweep->axes, least(ceiling(part, sweep->taps) + 1, sweep->channels));
}

/* ---- products ---- */

static void multiply(const struct way *way, size_t rows, size_t full, size_t k, struct matrix a, const float *panel,
                     bool adds, float *c, size_t stride)
{
    if (!way->table) {
        way->compute->product(way->compute, rows, full, k, a, matrix_of(panel, full, false), adds, c, stride);
        return;
    }
    size_t vectors = full / way->table->width, tiles = ceiling(rows, way->table->rows[vectors]), height;
    struct tile tile = {.k = k, .a = a.values, .row = a.stride, .step = 1, .b = panel, .pitch = full, .c = c};
    tile.stride = stride;
    tile.adds = adds;
    for (size_t left = rows; left > 0; left -= height) {
        height = left / tiles--;
        way->table->tiles[vectors][height](&tile);
        tile.a += height * a.stride;
        tile.c += height * stride;
    }
}

/* As wide as whole vectors, if it is made by tiles. */
static size_t full_width(const struct way *way, size_t width)
{
    return way->table ? ceiling(width, way->table->width) * way->table->width : width;
}

/* The next of nearly equal panels, `left` of its places being left. */
static size_t next_width(const struct way *way, size_t left)
{
    size_t unit = way->table ? way->table->width : 1, units = ceiling(left, unit);
    return least(left, ceiling(units, ceiling(left, way->wide)) * unit);
}

/* ---- one part of one group's product ---- */

struct part {
    const struct sweep *sweep;
    const struct way *way;
    const struct room *room;
    size_t group, first, k; /* elements [first, first + k) of the sum */
    struct matrix weight;   /* [rows, k] of it */
    bool begins;            /* nothing is there yet */
};

/* Weight i along the three sides, of one channel after the other. */
struct tap {
    size_t channel, i[SIDES];
};

static struct tap tap_at(const struct sweep *sweep, size_t p)
{
    struct tap tap = {.channel = p / sweep->taps};
    p %= sweep->taps;
    for (size_t d = SIDES; d-- > 0; p /= sweep->axes[d].taps)
        tap.i[d] = p % sweep->axes[d].taps;
    return tap;
}

static void tap_on(const struct sweep *sweep, struct tap *tap)
{
    for (size_t d = SIDES; d-- > 0; tap->i[d] = 0)
        if (++tap->i[d] < sweep->axes[d].taps)
            return;
    tap->channel++;
}

/* Offsets in a field whose first channel is that of the first weight. */
static void find_taps(const struct sweep *sweep, const struct field *field, size_t first, size_t k, size_t *taps)
{
    struct tap tap = tap_at(sweep, first);
    size_t channel = tap.channel;
    for (size_t p = 0; p < k; p++, tap_on(sweep, &tap))
        taps[p] = (tap.channel - channel) * field->channel + field_tap(field, sweep->axes, tap.i);
}

/* The weights of a part with a row for each channel that they see: [rows, k]. */
static struct matrix turn(const struct part *part, float *to)
{
    const struct sweep *s = part->sweep;
    size_t columns[PART], taps = volume(s->kernel);
    struct tap tap = tap_at(s, part->first);
    for (size_t p = 0; p < part->k; p++, tap_on(s, &tap)) {
        size_t at = 0;
        for (size_t d = 0; d < SIDES; d++)
            at = at * s->kernel[d] + s->axes[d].first + tap.i[d] * s->axes[d].apart;
        columns[p] = (part->group * s->channels + tap.channel) * s->K + at;
    }
    for (size_t c = 0; c < s->rows; c++)
        for (size_t p = 0; p < part->k; p++)
            to[c * part->k + p] = s->weight.values[columns[p] + c * taps];
    return matrix_of(to, part->k, false);
}

static struct matrix weight_of(const struct sweep *s, size_t group, size_t first)
{
    struct matrix weight = s->weight;
    weight.values += group * s->rows * s->K + first;
    return weight;
}

/* From a row of what is made to the next. */
static size_t row_stride(const struct image *image)
{
    return image->channels_last ? 1 : volume(image->side);
}

static size_t pixel_stride(const struct sweep *s)
{
    return s->axes[SIDES - 1].pitch * (s->to.channels_last ? s->to.channels : 1);
}

static void fill(size_t n, float value, float *to, size_t pixel)
{
    if (pixel == 1)
        for (size_t x = 0; x < n; x++)
            to[x] = value;
    else
        for (size_t x = 0; x < n; x++)
            to[x * pixel] = value;
}

static void move(size_t n, const float *from, bool adds, float *to, size_t pixel)
{
    if (pixel > 1)
        for (size_t x = 0; x < n; x++)
            to[x * pixel] = adds ? to[x * pixel] + from[x] : from[x];
    else if (adds)
        for (size_t x = 0; x < n; x++)
            to[x] += from[x];
    else
        for (size_t x = 0; x < n; x++)
            to[x] = from[x];
}

/* The bias of all rows into the places of these runs. */
TARGET_CLONES static void set_bias(const struct sweep *s, const float *bias, size_t count, const struct run *runs,
                                   float *to)
{
    size_t row = row_stride(&s->to), pixel = pixel_stride(s);
    for (const struct run *run = runs; run < runs + count; run++)
        if (s->to.channels_last)
            for (size_t x = 0; x < run->n; x++)
                memcpy(to + run->from + x * pixel, bias, s->rows * sizeof *to);
        else
            for (size_t r = 0; r < s->rows; r++)
                fill(run->n, bias[r], to + r * row + run->from, pixel);
}

/* Rows of products [rows, full] to their places. */
TARGET_CLONES static void put(const struct sweep *s, const float *edge, size_t rows, size_t full, bool adds,
                              size_t count, const struct run *runs, float *to)
{
    size_t stride = row_stride(&s->to), pixel = pixel_stride(s);
    for (const struct run *run = runs; run < runs + count; run++)
        if (s->to.channels_last)
            tile_table()->transpose(rows, run->n, edge + run->to, full, adds, to + run->from, pixel);
        else
            for (size_t r = 0; r < rows; r++)
                move(run->n, edge + r * full + run->to, adds, to + r * stride + run->from, pixel);
}

/* All rows at `width` places of a block from `place` on. */
static void make_panel(const struct part *part, const struct block *block, const struct field *field,
                       const size_t *taps, size_t place, size_t width)
{
    const struct sweep *s = part->sweep;
    struct run runs[BLOCK];
    const float *bias = s->bias ? s->bias + part->group * s->rows : NULL;
    size_t stride = row_stride(&s->to), full = full_width(part->way, width), count;
    float *panel = part->room->panel, *edge = part->room->edge, *to = s->made + part->group * s->rows * stride;
    count = field_runs(field, s->axes, block, place, width, runs);
    field_gather(field, part->k, taps, count, runs, panel, full);
    for (size_t p = 0; full > width && p < part->k; p++)
        memset(panel + p * full + width, 0, (full - width) * sizeof *panel);
    count = image_runs(&s->to, s->axes, block, place, width, runs);
    if (bias && part->begins)
        set_bias(s, bias, count, runs, to);
    bool adds = bias || !part->begins;
    if (count == 1 && full == width && pixel_stride(s) == 1) {
        multiply(part->way, s->rows, full, part->k, part->weight, panel, adds, to + runs[0].from, stride);
        return;
    }
    struct matrix weight = part->weight;
    for (size_t left = s->rows, rows; left > 0; left -= rows) {
        rows = least(left, part->way->tall);
        multiply(part->way, rows, full, part->k, weight, panel, false, edge, full);
        put(s, edge, rows, full, adds, count, runs, to);
        weight.values += rows * weight.stride;
        to += rows * stride;
    }
}

static void make_block(const struct part *part, const struct block *block)
{
    const struct sweep *s = part->sweep;
    size_t taps[PART], channel = part->first / s->taps, end = (part->first + part->k - 1) / s->taps + 1;
    struct field field = field_make(s->axes, block, &s->from, part->group * s->channels + channel, end - channel,
                                    part->room->field);
    find_taps(s, &field, part->first, part->k, taps);
    for (size_t place = 0, places = places_of(block), width; place < places; place += width) {
        width = next_width(part->way, places - place);
        make_panel(part, block, &field, taps, place, width);
    }
}

static void sweep_run(const struct sweep *sweep, const struct way *way, size_t M, const struct room *room)
{
    struct cut cut = sweep_cut(sweep, M);
    size_t blocks = block_count(&cut), parts = ceiling(sweep->k, PART);
    for (size_t g = 0; g < sweep->groups; g++) {
        struct part part = {.sweep = sweep, .way = way, .room = room, .group = g};
        for (size_t p = 0; p < parts; p++, part.first += part.k) {
            part.k = ceiling(sweep->k - part.first, parts - p);
            part.begins = p == 0;
            part.weight = sweep->turned ? turn(&part, room->rows) : weight_of(sweep, g, part.first);
            for (size_t b = 0; b < blocks; b++) {
                struct block block = block_at(&cut, b);
                make_block(&part, &block);
            }
        }
    }
}

/* ---- dweight ---- */

static struct cut dweight_cut(const struct convolution *v, size_t M)
{
    return cut_of(M, v->out, &(struct limits){0});
}

/* Places of a block are next to each other in each sample: the first of them. */
static size_t first_place(const struct convolution *v, const struct block *block)
{
    return (block->begin[1] * v->out[1] + block->begin[2]) * v->out[2] + block->begin[3];
}

/* dbias of filters [first_filter, end). */
static void sum_bias(const struct convolution *v, const struct block *block, size_t first_filter, size_t end,
                     const float *dy, bool adds, float *dbias)
{
    size_t P = volume(v->out), first = first_place(v, block), places = places_of(block), n = places / block->count[0];
    const float *rows = dy + (block->begin[0] * P + first) * v->O + first_filter;
    for (size_t i = 0; v->channels_last && i < places; i++)
        vector_sum_rows(1, end - first_filter, rows + i * v->O, dbias + first_filter, adds || i > 0);
    for (size_t o = first_filter; !v->channels_last && o < end; o++) {
        float sum = adds ? dbias[o] : 0;
        for (size_t m = block->begin[0]; m < block->begin[0] + block->count[0]; m++)
            sum += vector_sum(n, dy + (m * v->O + o) * P + first);
        dbias[o] = sum;
    }
}

/* A panel [places, full] of `width` filters from `first` on. */
static void take_gradient(const struct convolution *v, const struct block *block, const float *dy, size_t filter,
                          size_t width, size_t full, float *panel)
{
    size_t P = volume(v->out), place = first_place(v, block), n = places_of(block) / block->count[0];
    for (size_t s = 0; s < block->count[0]; s++, panel += n * full) {
        size_t m = block->begin[0] + s;
        if (v->channels_last)
            for (size_t i = 0; i < n; i++)
                memcpy(panel + i * full, dy + (m * P + place + i) * v->O + filter, width * sizeof *panel);
        else
            tile_table()->transpose(width, n, dy + (m * v->O + filter) * P + place, P, false, panel, full);
        for (size_t i = 0; full > width && i < n; i++)
            memset(panel + i * full + width, 0, (full - width) * sizeof *panel);
    }
}

/* What dweight goes through; it is made one group after the other. */
struct gradient {
    const struct convolution *v;
    const struct convolution_part *part;
    struct sweep seen; /* what weights see */
    struct way way;
    struct room room;
    const float *dy;
    float *dweight;
};

/* Weights [first, first + n) of `width` filters: what they see times the panel. */
static void make_weights(const struct gradient *d, const struct field *field, size_t count, const struct run *runs,
                         size_t places, size_t first, size_t n, size_t filter, size_t width, bool adds)
{
    size_t taps[TALLEST], full = full_width(&d->way, width), K = d->v->K;
    const struct room *room = &d->room;
    find_taps(&d->seen, field, first, n, taps);
    for (size_t i = 0; i < n; i++)
        taps[i] += (first / d->seen.taps - d->part->channel) * field->channel;
    field_gather(field, n, taps, count, runs, room->rows, GATHERED);
    multiply(&d->way, n, full, places, matrix_of(room->rows, GATHERED, false), room->panel, false, room->edge, full);
    tile_table()->transpose(n, width, room->edge, full, adds, d->dweight + filter * K + first, K);
}

/* One group's part, of one block. */
static void make_gradient(const struct gradient *d, const struct block *block, size_t group, bool adds)
{
    const struct convolution_part *part = d->part;
    struct run runs[BLOCK];
    size_t filters = d->v->O / d->v->groups, places = places_of(block), taps = d->seen.taps;
    size_t filter = most(part->filter, group * filters), end = least(part->filter_end, (group + 1) * filters);
    if (filter >= end)
        return;
    struct field field = field_make(d->seen.axes, block, &d->seen.from, group * d->seen.channels + part->channel,
                                    part->channel_end - part->channel, d->room.field);
    size_t count = field_runs(&field, d->seen.axes, block, 0, places, runs);
    for (size_t width; filter < end; filter += width) {
        width = next_width(&d->way, end - filter);
        take_gradient(d->v, block, d->dy, filter, width, full_width(&d->way, width), d->room.panel);
        for (size_t t = part->channel * taps, n; t < part->channel_end * taps; t += n) {
            n = least(part->channel_end * taps - t, d->way.tall);
            make_weights(d, &field, count, runs, places, t, n, filter, width, adds);
        }
    }
}

/* ---- the three ---- */

/* Whether every value of the input is seen by a weight somewhere; where that is beside the output is no matter. */
static bool is_covered(const struct convolution *v)
{
    size_t end;
    for (size_t d = 0; d < SIDES; d++)
        for (size_t at = 0; at < least(v->stride[d], v->in[d]); at++)
            if (next_start(v, d, at, &end) != at)
                return false;
    return true;
}

static struct room room_of(const struct way *way, const struct convolution *v, float *scratch)
{
    struct sweep forward = sweep_forward(v);
    struct cut cut = dweight_cut(v, v->M);
    size_t field = most(sweep_field(&forward, v->M), largest_field(&cut, forward.axes, forward.channels));
    size_t rows = way->tall * GATHERED + FIELD_COPY;
    for (size_t start[SIDES] = {NONE, NONE, NONE}; next_starts(v, start);) {
        struct sweep back = sweep_back(v, start);
        field = most(field, sweep_field(&back, v->M));
        rows = most(rows, back.rows * least(back.k, PART));
    }
    size_t panel = PART * way->wide + FIELD_COPY, edge = way->tall * way->wide, unit = 16;
    struct room room = {.panel = scratch, .edge = scratch + panel};
    room.rows = room.edge + edge;
    room.field = room.rows + ceiling(rows, unit) * unit;
    room.floats = panel + edge + ceiling(rows, unit) * unit + field;
    return room;
}

size_t convolution_scratch(const struct compute *compute, const struct convolution *v)
{
    struct way way = way_of(compute);
    static float nowhere[1];
    return room_of(&way, v, nowhere).floats;
}

void convolution_forward(const struct compute *compute, const struct convolution *v, size_t M, const float *x,
                         struct matrix weight, const float *bias, float *scratch, float *y)
{
    struct way way = way_of(compute);
    struct room room = room_of(&way, v, scratch);
    struct sweep sweep = sweep_forward(v);
    sweep.from.values = x;
    sweep.made = y;
    sweep.weight = weight;
    sweep.bias = bias;
    sweep_run(&sweep, &way, M, &room);
}

void convolution_dweight_part(const struct compute *compute, const struct convolution *v,
                              const struct convolution_part *part, size_t M, const float *x, const float *dy,
                              float *scratch, float *dweight, float *dbias)
{
    struct gradient d = {
        .v = v, .part = part, .seen = sweep_forward(v), .way = way_of(compute), .dy = dy, .dweight = dweight};
    struct cut cut = dweight_cut(v, M);
    d.room = room_of(&d.way, v, scratch);
    d.seen.from.values = x;
    for (size_t b = 0; b < block_count(&cut); b++) {
        struct block block = block_at(&cut, b);
        for (size_t g = 0; g < v->groups; g++)
            make_gradient(&d, &block, g, b > 0);
        if (dbias)
            sum_bias(v, &block, part->filter, part->filter_end, dy, b > 0, dbias);
    }
}

void convolution_dweight(const struct compute *compute, const struct convolution *v, size_t M, const float *x,
                         const float *dy, float *scratch, float *dweight, float *dbias)
{
    struct convolution_part all = {.filter_end = v->O, .channel_end = v->C / v->groups};
    convolution_dweight_part(compute, v, &all, M, x, dy, scratch, dweight, dbias);
}

void convolution_dx(const struct compute *compute, const struct convolution *v, size_t M, const float *dy,
                    struct matrix weight, float *scratch, float *dx)
{
    struct way way = way_of(compute);
    struct room room = room_of(&way, v, scratch);
    if (!is_covered(v))
        memset(dx, 0, M * v->C * volume(v->in) * sizeof *dx);
    for (size_t start[SIDES] = {NONE, NONE, NONE}; next_starts(v, start);) {
        struct sweep sweep = sweep_back(v, start);
        sweep.from.values = dy;
        sweep.made = dx;
        sweep.weight = weight;
        sweep_run(&sweep, &way, M, &room);
    }
}
