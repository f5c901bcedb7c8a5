/* Handwritten-looking digits, drawn when they are read: sample i of seed s is a pure function of (s, i).
 *
 * A digit is a few strokes given by control points. Each sample moves the points a little, bends, shears, scales,
 * turns and shifts the whole, draws a smooth curve through the points with a pen of some width, and adds noise.
 *
 * The bytes are the same on every machine: only + - * / and sqrtf, which IEEE 754 rounds correctly, no contraction to
 * fused operations (-ffp-contract=off), and every sum in the order in which it is written. */
#include "data/digits.h"

#include "base/digest.h"
#include "base/memory.h"
#include "base/rng.h"
#include "base/rows.h"
#include "data/formats.h"
#include "data/levels.h"

#include <inttypes.h>
#include <math.h>

#define GENERATOR_VERSION 1 /* part of the digest: raise it with every change of a drawn byte */
#define DEFAULT_COUNT     60000
#define LARGEST_END       ((uint64_t)1 << 62) /* of first + count: the most that can be permuted */

static const struct option_row rows[] = {
    {"seed", "which endless sequence of digits", FIELD(struct digits_settings, seed), ANY_FROM(0), DEFAULT("0")},
    {"first", "the first digit of the sequence that is used, counted from 0", FIELD(struct digits_settings, first),
     ANY_FROM(0), DEFAULT("0")},
    {"count", "how many digits are used; 0 for 60,000", FIELD(struct digits_settings, count), ANY_FROM(0),
     DEFAULT("0")},
    {"mean", "what is subtracted from each pixel, a value from 0 to 1", FIELD(struct digits_settings, mean),
     REAL(-INFINITY, INFINITY), DEFAULT("0")},
    {"std", "what each pixel is divided by after that", FIELD(struct digits_settings, std), POSITIVE, DEFAULT("1")},
    {0},
};

#define DIGITS   10
#define VARIANTS 3 /* ways to write a digit */
#define POINTS   12
#define SIDE     28 /* pixels */
#define PIXELS   (SIDE * SIDE)
#define PARTS    4 /* straight parts of the curve between two points */

/* What the pen does at a point: goes smoothly through, turns sharply, or is lifted. */
enum pen { NONE, GO, TURN, LIFT };

struct point {
    int8_t x, y; /* -50 ... 50, y down */
    int8_t pen;  /* NONE behind the last point */
};

/* Every way of writing ends with LIFT. */
/* clang-format off */
static const struct point glyphs[DIGITS][VARIANTS][POINTS] = {
    { /* 0: oval; slanted with crossing ends; narrow */
        {{5, -50, GO}, {-20, -36, GO}, {-29, 0, GO}, {-19, 38, GO}, {2, 50, GO}, {24, 34, GO}, {30, -2, GO},
         {20, -38, GO}, {2, -49, LIFT}},
        {{14, -44, GO}, {-10, -47, GO}, {-26, -10, GO}, {-20, 34, GO}, {2, 49, GO}, {23, 24, GO}, {27, -16, GO},
         {13, -43, GO}, {-4, -46, LIFT}},
        {{-2, -49, GO}, {-17, -24, GO}, {-18, 18, GO}, {-4, 48, GO}, {14, 32, GO}, {19, -12, GO}, {8, -44, GO},
         {-4, -48, LIFT}},
    },
    { /* 1: one line; with a flag; with flag and foot */
        {{2, -50, GO}, {0, -2, GO}, {-1, 50, LIFT}},
        {{-19, -26, GO}, {3, -50, TURN}, {1, 0, GO}, {0, 50, LIFT}},
        {{-17, -30, GO}, {2, -50, TURN}, {0, 47, LIFT}, {-21, 49, GO}, {21, 47, LIFT}},
    },
    { /* 2: sharp at the base; with a loop; round and wide */
        {{-24, -28, GO}, {-10, -47, GO}, {12, -46, GO}, {22, -25, GO}, {8, 6, GO}, {-28, 48, TURN}, {0, 45, GO},
         {30, 47, LIFT}},
        {{-22, -32, GO}, {-4, -50, GO}, {20, -34, GO}, {14, -4, GO}, {-8, 30, GO}, {-25, 45, GO}, {-29, 34, GO},
         {-12, 32, GO}, {10, 46, GO}, {31, 41, LIFT}},
        {{-26, -38, GO}, {2, -50, GO}, {25, -32, GO}, {16, -6, GO}, {-16, 22, GO}, {-27, 45, TURN}, {28, 44, LIFT}},
    },
    { /* 3: round; with a flat top; with a small loop in the middle */
        {{-23, -38, GO}, {-3, -50, GO}, {20, -39, GO}, {17, -16, GO}, {-5, -4, TURN}, {21, 9, GO}, {24, 34, GO},
         {1, 50, GO}, {-26, 38, LIFT}},
        {{-24, -47, GO}, {21, -46, TURN}, {-4, -9, TURN}, {19, 2, GO}, {26, 26, GO}, {8, 48, GO}, {-24, 42, LIFT}},
        {{-22, -42, GO}, {4, -49, GO}, {20, -32, GO}, {6, -8, GO}, {-8, -1, GO}, {-4, -10, GO}, {18, 6, GO},
         {22, 32, GO}, {-2, 50, GO}, {-26, 42, LIFT}},
    },
    { /* 4: open, two strokes; closed triangle; in the manner of a y */
        {{-19, -48, GO}, {-26, 9, TURN}, {29, 6, LIFT}, {13, -32, GO}, {10, 8, GO}, {8, 50, LIFT}},
        {{8, -50, GO}, {-28, 15, TURN}, {30, 13, LIFT}, {9, -49, GO}, {10, 50, LIFT}},
        {{-23, -46, GO}, {-24, -16, GO}, {-10, 1, GO}, {19, -7, LIFT}, {23, -47, GO}, {18, 0, GO}, {11, 50, LIFT}},
    },
    { /* 5: the bar last; the bar first; all curves */
        {{-17, -47, GO}, {-21, -8, TURN}, {3, -16, GO}, {24, 4, GO}, {21, 35, GO}, {-3, 50, GO}, {-26, 41, LIFT},
         {-17, -47, GO}, {25, -49, LIFT}},
        {{24, -48, GO}, {-15, -46, TURN}, {-20, -8, TURN}, {7, -13, GO}, {26, 12, GO}, {13, 43, GO}, {-10, 50, GO},
         {-26, 38, LIFT}},
        {{25, -47, GO}, {-5, -46, GO}, {-20, -26, GO}, {-2, -7, GO}, {20, 11, GO}, {19, 38, GO}, {-4, 50, GO},
         {-24, 40, LIFT}},
    },
    { /* 6: round; with a straight back; slender with a small loop */
        {{18, -48, GO}, {-9, -30, GO}, {-26, 8, GO}, {-20, 40, GO}, {2, 50, GO}, {22, 34, GO}, {17, 9, GO}, {-3, 4, GO},
         {-22, 22, LIFT}},
        {{4, -50, GO}, {-14, -14, GO}, {-22, 22, GO}, {-8, 47, GO}, {14, 46, GO}, {24, 23, GO}, {7, 7, GO},
         {-13, 16, GO}, {-20, 30, LIFT}},
        {{8, -50, GO}, {-12, -22, GO}, {-20, 18, GO}, {-12, 46, GO}, {6, 46, GO}, {15, 28, GO}, {2, 16, GO},
         {-16, 32, LIFT}},
    },
    { /* 7: plain; with a bar; with a serif */
        {{-26, -46, GO}, {26, -47, TURN}, {7, 0, GO}, {-7, 50, LIFT}},
        {{-26, -45, GO}, {24, -47, TURN}, {5, 2, GO}, {-6, 50, LIFT}, {-14, 4, GO}, {21, 0, LIFT}},
        {{-27, -28, GO}, {-25, -45, TURN}, {2, -43, GO}, {26, -47, TURN}, {4, -4, GO}, {-3, 50, LIFT}},
    },
    { /* 8: an S that is closed; two circles; begun in the middle */
        {{21, -38, GO}, {0, -50, GO}, {-19, -34, GO}, {-7, -11, GO}, {15, 8, GO}, {24, 32, GO}, {1, 50, GO},
         {-22, 34, GO}, {-13, 9, GO}, {10, -12, GO}, {22, -33, GO}, {13, -45, LIFT}},
        {{2, -5, GO}, {-18, -25, GO}, {-1, -50, GO}, {18, -28, GO}, {1, -4, TURN}, {24, 22, GO}, {0, 50, GO},
         {-24, 24, GO}, {1, -5, LIFT}},
        {{0, -3, GO}, {18, -26, GO}, {2, -50, GO}, {-17, -30, GO}, {0, -5, GO}, {22, 22, GO}, {4, 49, GO},
         {-19, 30, GO}, {-1, -3, LIFT}},
    },
    { /* 9: with a straight stem; with a curved tail; in one sweep */
        {{22, -30, GO}, {5, -49, GO}, {-18, -38, GO}, {-21, -13, GO}, {-2, 0, GO}, {20, -18, GO}, {23, -40, TURN},
         {20, 8, GO}, {15, 50, LIFT}},
        {{22, -30, GO}, {2, -50, GO}, {-21, -32, GO}, {-14, -7, GO}, {8, -5, GO}, {23, -30, TURN}, {24, 2, GO},
         {13, 38, GO}, {-6, 50, GO}, {-20, 42, LIFT}},
        {{14, -46, GO}, {-10, -46, GO}, {-19, -22, GO}, {-4, -6, GO}, {14, -22, GO}, {17, -44, GO}, {15, 4, GO},
         {2, 50, LIFT}},
    },
};
/* clang-format on */

/* One sample's row of random numbers. */
struct dice {
    uint64_t key, sample, lane;
    uint32_t words[4];
    unsigned used;
};

static uint32_t roll(struct dice *dice)
{
    if (dice->used % 4 == 0)
        rng_words(dice->key, dice->sample, dice->lane++, dice->words);
    return dice->words[dice->used++ % 4];
}

static uint32_t roll_below(struct dice *dice, uint32_t bound)
{
    return (uint32_t)((uint64_t)roll(dice) * bound >> 32);
}

static float roll_between(struct dice *dice, float low, float high)
{
    return low + (high - low) * ((float)(roll(dice) >> 8) * 0x1p-24f);
}

/* Around `middle`, at most `spread` away, near more often than far. */
static float roll_near(struct dice *dice, float middle, float spread)
{
    float first = roll_between(dice, -0.5f, 0.5f);
    return middle + spread * (first + roll_between(dice, -0.5f, 0.5f));
}

struct spot {
    float x, y;
};

/* From glyph units to pixels. */
struct warp {
    float bend_x, bend_y;
    float xx, xy, yx, yy;
    float x, y;
};

static struct warp warp_roll(struct dice *dice)
{
    struct warp warp;
    warp.bend_x = roll_near(dice, 0, 0.0022f);
    warp.bend_y = roll_near(dice, 0, 0.0022f);
    float height = roll_near(dice, 0.192f, 0.036f); /* pixels a unit */
    float width = height * roll_near(dice, 1.0f, 0.32f);
    float shear = roll_near(dice, -0.12f, 0.38f);
    /* A rotation from the tangent of its half angle: no library's sine. */
    float t = roll_near(dice, 0, 0.18f);
    float cosine = (1 - t * t) / (1 + t * t), sine = 2 * t / (1 + t * t);
    float sheared = shear * height;
    warp.xx = cosine * width;
    warp.xy = cosine * sheared - sine * height;
    warp.yx = sine * width;
    warp.yy = sine * sheared + cosine * height;
    warp.x = roll_near(dice, 0.5f * SIDE, 1.8f);
    warp.y = roll_near(dice, 0.5f * SIDE, 1.8f);
    return warp;
}

static struct spot warp_point(const struct warp *warp, float x, float y)
{
    float bent_x = x + warp->bend_x * (y * y - 800);
    float bent_y = y + warp->bend_y * (x * x - 250);
    return (struct spot){
        warp->x + warp->xx * bent_x + warp->xy * bent_y,
        warp->y + warp->yx * bent_x + warp->yy * bent_y,
    };
}

/* The squared distance of every pixel's centre to the nearest stroke, exact up to `reach`. */
struct field {
    float reach;
    float squared[PIXELS];
};

static int clamp_pixel(float position)
{
    return position < 0 ? 0 : position > SIDE ? SIDE : (int)position;
}

static void field_line(struct field *field, struct spot a, struct spot b)
{
    float dx = b.x - a.x, dy = b.y - a.y, reach = field->reach;
    float length = dx * dx + dy * dy;
    float inverse = length > 1e-6f ? 1 / length : 0;
    int x_begin = clamp_pixel((a.x < b.x ? a.x : b.x) - reach);
    int x_end = clamp_pixel((a.x > b.x ? a.x : b.x) + reach + 1);
    int y_begin = clamp_pixel((a.y < b.y ? a.y : b.y) - reach);
    int y_end = clamp_pixel((a.y > b.y ? a.y : b.y) + reach + 1);
    for (int y = y_begin; y < y_end; y++) {
        float *row = field->squared + y * SIDE;
        float py = (float)y + 0.5f - a.y;
        for (int x = x_begin; x < x_end; x++) {
            float px = (float)x + 0.5f - a.x;
            float along = (px * dx + py * dy) * inverse;
            along = along < 0 ? 0 : along;
            along = along > 1 ? 1 : along;
            float ex = px - along * dx, ey = py - along * dy;
            float squared = ex * ex + ey * ey;
            row[x] = squared < row[x] ? squared : row[x];
        }
    }
}

/* The curve from b to c (E. Catmull, R. Rom, "A class of local interpolating splines", 1974); a and d are the points
 * before and behind. */
static void field_curve(struct field *field, struct spot a, struct spot b, struct spot c, struct spot d)
{
    struct spot from = b;
    for (int part = 1; part <= PARTS; part++) {
        float t = (float)part / PARTS, t2 = t * t, t3 = t2 * t;
        float wa = 0.5f * (2 * t2 - t3 - t), wb = 0.5f * (3 * t3 - 5 * t2 + 2);
        float wc = 0.5f * (4 * t2 - 3 * t3 + t), wd = 0.5f * (t3 - t2);
        struct spot to = {wa * a.x + wb * b.x + wc * c.x + wd * d.x, wa * a.y + wb * b.y + wc * c.y + wd * d.y};
        field_line(field, from, to);
        from = to;
    }
}

static void field_glyph(struct field *field, const struct point *glyph, struct dice *dice)
{
    struct warp warp = warp_roll(dice);
    struct spot spots[POINTS];
    int count = 0;
    for (; count < POINTS && glyph[count].pen != NONE; count++) {
        float x = roll_near(dice, glyph[count].x, 8.5f);
        spots[count] = warp_point(&warp, x, roll_near(dice, glyph[count].y, 8.5f));
    }
    for (int i = 0; i + 1 < count; i++) {
        if (glyph[i].pen == LIFT)
            continue;
        /* At an end or a sharp turn the curve does not look beyond: the point stands in for its neighbour. */
        bool begins = i == 0 || glyph[i - 1].pen == LIFT || glyph[i].pen == TURN;
        bool ends = glyph[i + 1].pen != GO;
        field_curve(field, spots[begins ? i : i - 1], spots[i], spots[i + 1], spots[ends ? i + 1 : i + 2]);
    }
}

struct ink {
    float radius, softness; /* pixels */
    float level;            /* of the pen, 0 ... 255 */
    float grain;            /* the share of the level that noise takes at most */
    float dust;             /* largest level of the background */
};

static void paint(const struct field *field, const struct ink *ink, struct dice *dice, uint8_t *bytes)
{
    float sharp = 1 / ink->softness;
    for (int i = 0; i < PIXELS; i += 16) {
        /* 16 pixels to a call: a byte of noise each is enough. */
        uint32_t words[4];
        for (int j = 0; j < 4; j++)
            words[j] = roll(dice);
        for (int j = 0; j < 16; j++) {
            float noise = (float)(words[j / 4] >> (8 * (j % 4)) & 0xff) * (1.0f / 255);
            float cover = (ink->radius - sqrtf(field->squared[i + j])) * sharp + 0.5f;
            cover = cover < 0 ? 0 : cover;
            cover = cover > 1 ? 1 : cover;
            float stroke = ink->level * cover * (1 - ink->grain * noise);
            bytes[i + j] = (uint8_t)(stroke + (1 - cover) * ink->dust * noise + 0.5f);
        }
    }
}

struct digits {
    uint64_t key;
    uint64_t first;
    struct levels levels;
};

static bool digits_read(const struct dataset *dataset, size_t index, struct leaf *leaf, size_t row, struct error *error)
{
    const struct digits *digits = dataset->self;
    (void)error;
    struct dice dice = {.key = digits->key, .sample = digits->first + index};
    uint32_t label = roll_below(&dice, DIGITS);
    uint32_t variant = roll_below(&dice, VARIANTS);
    struct ink ink;
    ink.radius = roll_between(&dice, 0.75f, 1.75f);
    ink.softness = roll_between(&dice, 1.0f, 1.8f);
    ink.level = roll_between(&dice, 190, 255);
    ink.grain = roll_between(&dice, 0, 0.3f);
    ink.dust = roll_between(&dice, 0, 24);

    struct field field;
    field.reach = ink.radius + 0.5f * ink.softness;
    float far = field.reach * field.reach;
    for (int i = 0; i < PIXELS; i++)
        field.squared[i] = far;
    field_glyph(&field, glyphs[label][variant], &dice);
    uint8_t bytes[PIXELS];
    paint(&field, &ink, &dice, bytes);
    float *input = leaf->inputs + row * PIXELS;
    for (int i = 0; i < PIXELS; i++)
        input[i] = digits->levels.level[bytes[i]];
    leaf->labels[row] = (int32_t)label;
    return true;
}

static void digits_close(struct dataset *dataset)
{
    memory_free(dataset->self);
}

static bool digits_open(struct dataset *dataset, const void *given, const struct description *train,
                        struct error *error)
{
    const struct digits_settings *settings = given;
    (void)train; /* dataset_open compares what digits look like */
    struct levels levels;
    if (!levels_set(&levels, settings->mean, settings->std, error))
        return false;
    uint64_t count = settings->count ? settings->count : DEFAULT_COUNT;
    if (settings->first > LARGEST_END || count > LARGEST_END - settings->first)
        return error_set(error, ERROR_USAGE, "first %" PRIu64 " and count %" PRIu64 " go beyond the last digit, 2^62",
                         settings->first, count);
    struct digits *digits = memory_need(1, sizeof *digits);
    digits->key = rng_key(settings->seed, "digits");
    digits->first = settings->first;
    digits->levels = levels;
    dataset->self = digits;
    dataset->count = (size_t)count;
    dataset->mean = settings->mean;
    dataset->std = settings->std;
    dataset->about.form = (struct leaf_form){.input = {3, {1, SIDE, SIDE}}, .classes = DIGITS, .terms = 1};
    /* What determines the samples stands for them. */
    uint64_t digest = digest_chain(rng_key(GENERATOR_VERSION, "digits generator"), settings->seed);
    dataset->digest = digest_chain(digest_chain(digest, settings->first), count);
    return true;
}

static const char *digits_source(const void *settings, bool targets)
{
    (void)settings;
    (void)targets;
    return "the digits";
}

const struct dataset_class dataset_digits = {
    KIND_OF("digits", "digits as if written by hand, 28 x 28, drawn when they are read: nothing is stored",
            struct digits_settings, rows),
    .open = digits_open,
    .close = digits_close,
    .read = digits_read,
    .source = digits_source,
};
