#include "nn/kernels/field.h"

#include "base/target.h"
#include "nn/kernels/tile_table.h"

#include <string.h>

enum { Z = 0, Y = 1, X = 2 };

static size_t ceiling(size_t a, size_t b)
{
    return (a + b - 1) / b;
}

static size_t clamp(ptrdiff_t value, size_t most)
{
    return value < 0 ? 0 : (size_t)value < most ? (size_t)value : most;
}

/* Where the weight that sees the lowest value at place 0 sees it. */
static ptrdiff_t lowest(const struct axis *axis)
{
    return axis->offset + (axis->slope < 0 ? (ptrdiff_t)(axis->taps - 1) * axis->slope : 0);
}

/* Values from the first to the last that any weight sees at n places. */
static size_t extent(const struct axis *axis, size_t n)
{
    size_t slope = (size_t)(axis->slope < 0 ? -axis->slope : axis->slope);
    return (n - 1) * axis->step + (axis->taps - 1) * slope + 1;
}

/* The first of them; may lie in front of the image. */
static ptrdiff_t base(const struct axis *axis, size_t begin)
{
    return (ptrdiff_t)(begin * axis->step) + lowest(axis);
}

static size_t area(const struct image *image)
{
    return image->side[Z] * image->side[Y] * image->side[X];
}

static struct field shape(const struct axis *axes, const struct block *block, size_t channels)
{
    struct field field = {.phase = ceiling(extent(&axes[X], block->count[1 + X]), axes[X].step)};
    field.line = field.phase * axes[X].step;
    field.plane = field.line * extent(&axes[Y], block->count[1 + Y]);
    field.channel = field.plane * extent(&axes[Z], block->count[1 + Z]);
    field.sample = field.channel * channels;
    return field;
}

size_t field_floats(const struct axis *axes, const struct block *block, size_t channels)
{
    return block->count[0] * shape(axes, block, channels).sample + FIELD_COPY;
}

/* No zeros are needed, and places see what is next to each other. */
static bool is_field(const struct axis *axes, const struct block *block, const struct image *image)
{
    if (image->channels_last || axes[X].step > 1)
        return false;
    for (int d = Z; d <= X; d++) {
        ptrdiff_t first = base(&axes[d], block->begin[1 + d]);
        if (first < 0 || (size_t)first + extent(&axes[d], block->count[1 + d]) > axes[d].size)
            return false;
    }
    return true;
}

static struct field in_place(const struct axis *axes, const struct block *block, const struct image *image,
                             size_t first_channel)
{
    struct field field = {.channel = area(image), .line = image->side[X]};
    field.plane = image->side[Y] * field.line;
    field.sample = image->channels * field.channel;
    field.end = image->values + (block->begin[0] + block->count[0]) * field.sample;
    field.values = image->values + block->begin[0] * field.sample + first_channel * field.channel +
                   (size_t)base(&axes[Z], block->begin[1 + Z]) * field.plane +
                   (size_t)base(&axes[Y], block->begin[1 + Y]) * field.line +
                   (size_t)base(&axes[X], block->begin[1 + X]);
    return field;
}

static inline void copy_some(const float *from, float *to)
{
    memcpy(to, from, FIELD_COPY * sizeof *to);
}

/* One phase of a line: columns [first, end) of the field's, of `count`, are within the image's width, and the first of
 * them is the image's column `from`. */
struct columns {
    size_t first, end, count, from;
};

static struct columns columns_within(const struct axis *axis, size_t begin, size_t n, size_t phase)
{
    ptrdiff_t from = base(axis, begin) + (ptrdiff_t)phase, step = (ptrdiff_t)axis->step;
    struct columns c = {.count = ceiling(extent(axis, n), axis->step)};
    c.first = clamp((-from + step - 1) / step, c.count);
    c.end = clamp(((ptrdiff_t)axis->size - from + step - 1) / step, c.count);
    if (c.end <= c.first)
        c.first = c.end = c.count;
    else
        c.from = (size_t)(from + (ptrdiff_t)c.first * step);
    return c;
}

/* A line, or NULL: it lies beside the image. Behind the last column FIELD_COPY may be written. `end`: of what may be
 * read. */
static inline void copy_columns(const struct columns *c, size_t step, const float *line, const float *end, float *to)
{
    size_t first = line ? c->first : c->count, x = first;
    for (size_t i = 0; i < first; i++)
        to[i] = 0;
    if (first == c->count)
        return;
    const float *from = line + c->from - first * step;
    if (step > 1)
        for (; x < c->end; x++)
            to[x] = from[x * step];
    else if (from + c->end + FIELD_COPY <= end)
        for (; x < c->end; x += FIELD_COPY)
            copy_some(from + x, to + x);
    else
        memcpy(to + x, from + x, (c->end - x) * sizeof *to);
    for (x = c->end; x < c->count; x++)
        to[x] = 0;
}

/* All channels of a sample, which begin at `values`, line by line, each of which may spoil the beginning of the next.
 */
TARGET_CLONES static void copy_sample(const struct field *field, const struct axis *axes, const struct block *block,
                                      const struct image *image, const float *values, const float *end, size_t channels,
                                      float *to)
{
    size_t planes = field->channel / field->plane, lines = field->plane / field->line, step = axes[X].step;
    ptrdiff_t top = base(&axes[Y], block->begin[1 + Y]), front = base(&axes[Z], block->begin[1 + Z]);
    for (size_t phase = 0; phase < step; phase++) {
        struct columns columns = columns_within(&axes[X], block->begin[1 + X], block->count[1 + X], phase);
        for (size_t c = 0; c < channels; c++)
            for (size_t z = 0; z < planes; z++)
                for (size_t y = 0; y < lines; y++) {
                    size_t plane = (size_t)(front + (ptrdiff_t)z), line = (size_t)(top + (ptrdiff_t)y);
                    bool within = plane < axes[Z].size && line < axes[Y].size; /* negative is large */
                    const float *from = values +
                                        ((c * image->side[Z] + plane) * image->side[Y] + line) * image->side[X];
                    copy_columns(&columns, step, within ? from : NULL, end,
                                 to + c * field->channel + z * field->plane + y * field->line + phase * field->phase);
                }
    }
}

/* The same of channels that are last: they change places with a line's columns. */
static void copy_turned(const struct field *field, const struct axis *axes, const struct block *block,
                        const struct image *image, const float *values, size_t channels, float *to)
{
    size_t planes = field->channel / field->plane, lines = field->plane / field->line, step = axes[X].step;
    ptrdiff_t top = base(&axes[Y], block->begin[1 + Y]), front = base(&axes[Z], block->begin[1 + Z]);
    memset(to, 0, field->sample * sizeof *to);
    for (size_t phase = 0; phase < step; phase++) {
        struct columns c = columns_within(&axes[X], block->begin[1 + X], block->count[1 + X], phase);
        for (size_t z = 0; z < planes; z++)
            for (size_t y = 0; y < lines; y++) {
                size_t plane = (size_t)(front + (ptrdiff_t)z), line = (size_t)(top + (ptrdiff_t)y);
                if (plane >= axes[Z].size || line >= axes[Y].size || c.first == c.end)
                    continue;
                size_t pixel = (plane * image->side[Y] + line) * image->side[X] + c.from;
                tile_table()->transpose(
                    c.end - c.first, channels, values + pixel * image->channels, step * image->channels, false,
                    to + z * field->plane + y * field->line + phase * field->phase + c.first, field->channel);
            }
    }
}

struct field field_make(const struct axis *axes, const struct block *block, const struct image *image,
                        size_t first_channel, size_t channels, float *scratch)
{
    if (is_field(axes, block, image))
        return in_place(axes, block, image, first_channel);
    struct field field = shape(axes, block, channels);
    size_t sample = image->channels * area(image);
    for (size_t s = 0; s < block->count[0]; s++) {
        const float *values = image->values + (block->begin[0] + s) * sample;
        float *to = scratch + s * field.sample;
        if (image->channels_last)
            copy_turned(&field, axes, block, image, values + first_channel, channels, to);
        else
            copy_sample(&field, axes, block, image, values + first_channel * area(image), values + sample, channels,
                        to);
    }
    field.values = scratch;
    return field;
}

/* From the lowest that any weight sees. */
static size_t seen(const struct axis *axis, size_t i)
{
    return (size_t)(axis->offset + (ptrdiff_t)i * axis->slope - lowest(axis));
}

size_t field_tap(const struct field *field, const struct axis *axes, const size_t i[FIELD_SIDES])
{
    size_t x = seen(&axes[X], i[X]), step = axes[X].step;
    return seen(&axes[Z], i[Z]) * field->plane + seen(&axes[Y], i[Y]) * field->line + x % step * field->phase +
           x / step;
}

/* Goes through lines of a block. */
struct walk {
    size_t s, z, y, x;
};

static struct walk walk_to(const struct block *block, size_t place)
{
    const size_t *count = block->count;
    size_t line = place / count[1 + X], plane = line / count[1 + Y];
    return (struct walk){plane / count[1 + Z], plane % count[1 + Z], line % count[1 + Y], place % count[1 + X]};
}

/* To the first place of the next line. */
static void walk_on(const struct block *block, struct walk *at)
{
    at->x = 0;
    if (++at->y < block->count[1 + Y])
        return;
    at->y = 0;
    if (++at->z < block->count[1 + Z])
        return;
    at->z = 0;
    at->s++;
}

/* Appends a run, or makes the last one longer, `pitch` being the distance between its values. */
static size_t add_run(struct run *runs, size_t count, size_t from, size_t to, size_t n, size_t pitch)
{
    if (count > 0 && runs[count - 1].from + runs[count - 1].n * pitch == from) {
        runs[count - 1].n += n;
        return count;
    }
    runs[count] = (struct run){from, to, n};
    return count + 1;
}

size_t field_runs(const struct field *field, const struct axis *axes, const struct block *block, size_t first, size_t n,
                  struct run *runs)
{
    struct walk at = walk_to(block, first);
    size_t count = 0;
    for (size_t to = 0, length; to < n; to += length, walk_on(block, &at)) {
        length = block->count[1 + X] - at.x < n - to ? block->count[1 + X] - at.x : n - to;
        size_t from = at.s * field->sample + at.z * axes[Z].step * field->plane + at.y * axes[Y].step * field->line;
        count = add_run(runs, count, from + at.x, to, length, 1);
    }
    return count;
}

size_t image_runs(const struct image *image, const struct axis *axes, const struct block *block, size_t first, size_t n,
                  struct run *runs)
{
    struct walk at = walk_to(block, first);
    size_t count = 0, pixel = image->channels_last ? image->channels : 1;
    for (size_t to = 0, length; to < n; to += length, walk_on(block, &at)) {
        length = block->count[1 + X] - at.x < n - to ? block->count[1 + X] - at.x : n - to;
        size_t z = axes[Z].start + (block->begin[1 + Z] + at.z) * axes[Z].pitch;
        size_t y = axes[Y].start + (block->begin[1 + Y] + at.y) * axes[Y].pitch;
        size_t x = axes[X].start + (block->begin[1 + X] + at.x) * axes[X].pitch;
        size_t from = (block->begin[0] + at.s) * image->channels * area(image) +
                      ((z * image->side[Y] + y) * image->side[X] + x) * pixel;
        count = add_run(runs, count, from, to, length, axes[X].pitch * pixel);
    }
    return count;
}

/* What is copied at once, or the exact end of something. */
struct copy {
    size_t from, to;
};

enum { COPIES = FIELD_MOST + FIELD_MOST / FIELD_COPY }; /* of a row, at most */

/* A run that is longer than one copy ends with one that ends where it does. */
static size_t make_copies(size_t count, const struct run *runs, struct copy copies[COPIES])
{
    size_t made = 0;
    for (const struct run *run = runs; run < runs + count; run++)
        for (size_t x = 0; x < run->n; x += FIELD_COPY) {
            size_t at = x + FIELD_COPY > run->n && run->n > FIELD_COPY ? run->n - FIELD_COPY : x;
            copies[made++] = (struct copy){run->from + at, run->to + at};
        }
    return made;
}

TARGET_CLONES static void gather(size_t k, const size_t *taps, const float *values, size_t count, struct copy *copies,
                                 float *rows, size_t pitch)
{
    for (size_t p = 0; p < k; p++, rows += pitch) {
        const float *from = values + taps[p];
        for (size_t c = 0; c < count; c++)
            copy_some(from + copies[c].from, rows + copies[c].to);
    }
}

static void gather_exactly(size_t k, const size_t *taps, const float *values, size_t count, const struct run *runs,
                           float *rows, size_t pitch)
{
    for (size_t p = 0; p < k; p++, rows += pitch)
        for (const struct run *run = runs; run < runs + count; run++)
            memcpy(rows + run->to, values + taps[p] + run->from, run->n * sizeof *rows);
}

void field_gather(const struct field *field, size_t k, const size_t *taps, size_t count, const struct run *runs,
                  float *rows, size_t pitch)
{
    struct copy copies[COPIES];
    size_t exact = k; /* from this weight on nothing may be read behind what it sees */
    const struct run *last = &runs[count - 1];
    for (size_t p = k; field->end && p-- > 0;)
        if (field->values + taps[p] + last->from + last->n + FIELD_COPY > field->end)
            exact = p;
    size_t made = make_copies(count, runs, copies);
    gather(exact, taps, field->values, made, copies, rows, pitch);
    gather_exactly(k - exact, taps + exact, field->values, count, runs, rows + exact * pitch, pitch);
}
