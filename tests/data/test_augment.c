/* Augmentation: what is done to pixels against plain definitions in double, what is chosen, and on what it hangs. */
#include "data/augment.h"

#include "base/digest.h"
#include "base/rng.h"
#include "data/augment_image.h"
#include "support/test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum { C = 2, H = 5, W = 7, PIXELS = H * W, FLOATS = C * PIXELS };

static const struct shape image = {3, {C, H, W}};

/* All different, and none 0. */
static void fill(float *values)
{
    for (size_t i = 0; i < FLOATS; i++)
        values[i] = 1 + (float)i + 0.25f * (float)(i % 3);
}

/* Pixel (y, x) of the filled image; outside 0. */
static double filled(long c, long y, long x)
{
    float values[FLOATS];
    fill(values);
    return y >= 0 && y < H && x >= 0 && x < W ? (double)values[c * PIXELS + y * W + x] : 0;
}

static long clamped(long i, long size)
{
    return i < 0 ? 0 : i >= size ? size - 1 : i;
}

/* ---- pixels ---- */

static void pixels_change_places(void)
{
    float mirrored[FLOATS], turned[FLOATS], cut[FLOATS];
    fill(mirrored);
    fill(turned);
    augment_image_mirror(&image, mirrored);
    augment_image_turn_over(&image, turned);
    for (long c = 0; c < C; c++)
        for (long y = 0; y < H; y++)
            for (long x = 0; x < W; x++) {
                CU_ASSERT_EQUAL((double)mirrored[c * PIXELS + y * W + x], filled(c, y, W - 1 - x));
                CU_ASSERT_EQUAL((double)turned[c * PIXELS + y * W + x], filled(c, H - 1 - y, x));
            }
    for (long top = -4; top <= H; top++)
        for (long left = -4; left <= W; left++) {
            size_t wrong = 0;
            fill(cut);
            augment_image_cut(&image, cut, (struct pixel){top, left}, 3);
            for (long i = 0; i < FLOATS; i++) {
                long c = i / PIXELS, y = i / W % H, x = i % W;
                bool is_cut = y >= top && y < top + 3 && x >= left && x < left + 3;
                wrong += (double)cut[i] != (is_cut ? 0 : filled(c, y, x));
            }
            CU_ASSERT_EQUAL(wrong, 0);
        }
}

static void images_move(void)
{
    float zeros[FLOATS], edges[FLOATS], plane[PIXELS];
    for (long dy = -H - 1; dy <= H + 1; dy++)
        for (long dx = -W - 1; dx <= W + 1; dx++) {
            size_t wrong = 0;
            fill(zeros);
            fill(edges);
            augment_image_move(&image, zeros, (struct pixel){dy, dx}, false, plane);
            augment_image_move(&image, edges, (struct pixel){dy, dx}, true, plane);
            for (long i = 0; i < FLOATS; i++) {
                long c = i / PIXELS, y = i / W % H - dy, x = i % W - dx;
                wrong += (double)zeros[i] != filled(c, y, x);
                wrong += (double)edges[i] != filled(c, clamped(y, H), clamped(x, W));
            }
            CU_ASSERT_EQUAL(wrong, 0);
        }
}

static void images_turn(void)
{
    float values[FLOATS], copy[FLOATS];
    for (int step = 0; step < 90; step++) {
        double u = step / 90.0, c = cos(2 * M_PI * u), s = sin(2 * M_PI * u), worst = 0;
        fill(values);
        augment_image_rotate(&image, values, u, copy);
        for (long i = 0; i < FLOATS; i++) {
            double dy = (double)(i / W % H) - (H - 1) / 2.0, dx = (double)(i % W) - (W - 1) / 2.0;
            double y = (H - 1) / 2.0 + c * dy + s * dx, x = (W - 1) / 2.0 + c * dx - s * dy, expected = 0;
            for (long v = (long)floor(y); v <= (long)floor(y) + 1; v++)
                for (long h = (long)floor(x); h <= (long)floor(x) + 1; h++)
                    expected += filled(i / PIXELS, v, h) * (1 - fabs(y - (double)v)) * (1 - fabs(x - (double)h));
            worst = fmax(worst, fabs((double)values[i] - expected));
        }
        CU_ASSERT(worst < 1e-4);
    }
}

/* A quarter turn of a square is exact: what was on the right is then on top. */
static void a_quarter_turn_is_counter_clockwise(void)
{
    static const struct shape square = {3, {1, 3, 3}};
    float values[] = {1, 2, 3, 4, 5, 6, 7, 8, 9}, plane[9];
    static const float turned[] = {3, 6, 9, 2, 5, 8, 1, 4, 7};
    augment_image_rotate(&square, values, 0.25, plane);
    for (size_t i = 0; i < 9; i++)
        CU_ASSERT_DOUBLE_EQUAL((double)values[i], (double)turned[i], 1e-5);
    augment_image_rotate(&square, values, 0, plane);
    for (size_t i = 0; i < 9; i++)
        CU_ASSERT_DOUBLE_EQUAL((double)values[i], (double)turned[i], 1e-5);
}

/* ---- what is chosen ---- */

static struct description images(void)
{
    return (struct description){.form = {.input = image, .classes = 2, .terms = 1}};
}

static void start(struct augmenter *augmenter, struct augment how)
{
    struct description about = images();
    struct error error = {.text = ""};
    CU_ASSERT_TRUE(augment_check(&how, &about.form, &error));
    augmenter_init(augmenter, &how, 11, &about);
}

/* How often each of `count` possible images comes in so many samples of an epoch is what is expected, to five
 * deviations; and no other image comes. */
static void check_chosen(struct augment how, size_t count, void (*make)(size_t which, float *values))
{
    enum { SAMPLES = 4000, MOST = 64 };
    struct augmenter augmenter;
    size_t found[MOST] = {0}, strange = 0;
    start(&augmenter, how);
    for (uint64_t index = 0; index < SAMPLES; index++) {
        float values[FLOATS], possible[FLOATS];
        size_t which = 0;
        fill(values);
        augmenter_sample(&augmenter, 3, index, values, NULL);
        for (; which < count; which++) {
            fill(possible);
            make(which, possible);
            if (memcmp(values, possible, sizeof values) == 0)
                break;
        }
        strange += which == count;
        found[which % count]++;
    }
    double expected = (double)SAMPLES / (double)count;
    CU_ASSERT_EQUAL(strange, 0);
    for (size_t which = 0; which < count; which++)
        CU_ASSERT(fabs((double)found[which] - expected) < 5 * sqrt(expected));
    augmenter_release(&augmenter);
}

static void mirrored(size_t which, float *values)
{
    if (which & 1)
        augment_image_mirror(&image, values);
}

static void turned_over(size_t which, float *values)
{
    if (which & 1)
        augment_image_turn_over(&image, values);
}

static void both(size_t which, float *values)
{
    mirrored(which, values);
    turned_over(which >> 1, values);
}

static void shifted(size_t which, float *values)
{
    float plane[PIXELS];
    augment_image_move(&image, values, (struct pixel){(long)which / 5 - 2, (long)which % 5 - 2}, true, plane);
}

static void cropped(size_t which, float *values)
{
    float plane[PIXELS];
    augment_image_move(&image, values, (struct pixel){(long)which / 7 - 3, (long)which % 7 - 3}, false, plane);
}

static void with_a_hole(size_t which, float *values)
{
    augment_image_cut(&image, values, (struct pixel){(long)which / W - 1, (long)which % W - 1}, 3);
}

static void each_choice_is_as_likely_as_the_others(void)
{
    check_chosen((struct augment){.flip = FLIP_HORIZONTAL}, 2, mirrored);
    check_chosen((struct augment){.flip = FLIP_VERTICAL}, 2, turned_over);
    check_chosen((struct augment){.flip = FLIP_BOTH}, 4, both);
    check_chosen((struct augment){.shift = 2}, 25, shifted);
    check_chosen((struct augment){.crop = 3}, 49, cropped);
    check_chosen((struct augment){.cutout = 3}, PIXELS, with_a_hole);
    check_chosen((struct augment){.flip = FLIP_NONE}, 1, mirrored);
}

/* A slope shows by which angle it was turned. */
static void angles_are_spread_evenly(void)
{
    enum { SAMPLES = 4000 };
    struct augmenter augmenter;
    double sum = 0, squares = 0, largest = 0;
    start(&augmenter, (struct augment){.rotate = 30});
    for (uint64_t index = 0; index < SAMPLES; index++) {
        float values[FLOATS];
        for (long i = 0; i < FLOATS; i++)
            values[i] = (float)(i % W - W / 2);
        augmenter_sample(&augmenter, 0, index, values, NULL);
        const float *middle = values + H / 2 * W + W / 2;
        double angle = atan2(-(double)middle[W], (double)middle[1]) * 180 / M_PI;
        sum += angle;
        squares += angle * angle;
        largest = fmax(largest, fabs(angle));
    }
    CU_ASSERT(fabs(sum / SAMPLES) < 5 * 30 / sqrt(3.0 * SAMPLES));
    CU_ASSERT(fabs(squares / SAMPLES - 300) < 5 * 300 * sqrt(0.8 / SAMPLES));
    CU_ASSERT(largest <= 30.001 && largest > 29.5);
    augmenter_release(&augmenter);
}

static void noise_is_normal(void)
{
    enum { SAMPLES = 3000 };
    struct augmenter augmenter;
    double moments[5] = {0}, neighbours = 0, count = SAMPLES * FLOATS;
    start(&augmenter, (struct augment){.noise = 0.5});
    for (uint64_t index = 0; index < SAMPLES; index++) {
        float values[FLOATS] = {0};
        augmenter_sample(&augmenter, 0, index, values, NULL);
        for (size_t i = 0; i < FLOATS; i++)
            for (int k = 1; k < 5; k++)
                moments[k] += pow((double)values[i] / 0.5, k) / count;
        for (size_t i = 1; i < FLOATS; i++)
            neighbours += (double)values[i] * (double)values[i - 1] / 0.25 / count;
    }
    CU_ASSERT(fabs(moments[1]) < 5 / sqrt(count));
    CU_ASSERT(fabs(moments[2] - 1) < 5 * sqrt(2 / count));
    CU_ASSERT(fabs(moments[3]) < 5 * sqrt(15 / count));
    CU_ASSERT(fabs(moments[4] - 3) < 5 * sqrt(96 / count));
    CU_ASSERT(fabs(neighbours) < 5 / sqrt(count));
    augmenter_release(&augmenter);
}

/* Of a wide table, whose noise is made in parts: no number's is another's. */
static void each_number_has_noise_of_its_own(void)
{
    enum { WIDE = 700 };
    struct description about = {.form = {.input = {1, {WIDE}}, .classes = 2, .terms = 1}};
    struct augment how = {.noise = 1};
    struct augmenter augmenter;
    float values[WIDE] = {0};
    size_t equal = 0;
    augmenter_init(&augmenter, &how, 1, &about);
    augmenter_sample(&augmenter, 0, 0, values, NULL);
    for (size_t i = 0; i < WIDE; i++)
        for (size_t k = 0; k <= i; k++)
            equal += values[k] == values[i];
    CU_ASSERT_EQUAL(equal, WIDE);
    augmenter_release(&augmenter);
}

static void categories_take_no_noise(void)
{
    static char age[] = "age", city[] = "city", size[] = "size";
    static char *cities[] = {city, size};
    static struct column inputs[] = {{.name = age}, {city, true, {cities, 2, 2}}, {.name = size}};
    struct description about = {
        .form = {.input = {1, {4}}, .classes = 2, .terms = 1}, .inputs = inputs, .input_count = 3};
    struct augment how = {.noise = 2};
    struct augmenter augmenter;
    float values[] = {5, 0, 1, 7};
    augmenter_init(&augmenter, &how, 1, &about);
    augmenter_sample(&augmenter, 0, 0, values, NULL);
    CU_ASSERT(values[0] != 5 && values[1] == 0 && values[2] == 1 && values[3] != 7);
    augmenter_release(&augmenter);
    augmenter_release(&augmenter);
}

/* ---- on what it hangs ---- */

static const struct augment all = {.flip = FLIP_BOTH, .shift = 2, .crop = 2, .rotate = 45, .noise = 0.25, .cutout = 2};

static void augmented(const struct augmenter *augmenter, uint64_t epoch, uint64_t index, float values[FLOATS])
{
    fill(values);
    augmenter_sample(augmenter, epoch, index, values, NULL);
}

static void it_hangs_on_seed_epoch_and_index_alone(void)
{
    struct augmenter augmenter, other;
    float first[6][FLOATS], again[FLOATS];
    struct description about = images();
    start(&augmenter, all);
    for (uint64_t i = 0; i < 6; i++)
        augmented(&augmenter, i / 3, i % 3, first[i]);
    for (uint64_t i = 6; i-- > 0;) {
        augmented(&augmenter, 7, 100 * i, again);
        augmented(&augmenter, i / 3, i % 3, again);
        CU_ASSERT_EQUAL(memcmp(again, first[i], sizeof again), 0);
        for (uint64_t k = 0; k < i; k++)
            CU_ASSERT_NOT_EQUAL(memcmp(first[k], first[i], sizeof again), 0);
    }
    augmenter_init(&other, &all, 12, &about);
    augmented(&other, 0, 0, again);
    CU_ASSERT_NOT_EQUAL(memcmp(again, first[0], sizeof again), 0);
    augmenter_release(&augmenter);
    augmenter_release(&other);
}

/* The label of a pixel is where its pixel is. */
static void labels_move_with_their_pixels(void)
{
    struct description about = {.form = {.input = image, .classes = PIXELS, .terms = PIXELS, .target = {3, {1, H, W}}}};
    struct augment how = {.flip = FLIP_BOTH, .shift = 3};
    struct augmenter augmenter;
    struct sampler sampler = {.seed = 5, .samples = 50, .batch = 1};
    size_t wrong = 0, moved = 0;
    augmenter_init(&augmenter, &how, 11, &about);
    for (uint64_t place = 0; place < 50; place++) {
        float values[FLOATS];
        int32_t labels[PIXELS];
        uint64_t index;
        struct leaf leaf = {.rows = 1, .inputs = values, .labels = labels};
        for (int32_t i = 0; i < FLOATS; i++)
            values[i] = (float)(i % PIXELS == 3 ? LEAF_IGNORED : i % PIXELS);
        for (int32_t i = 0; i < PIXELS; i++)
            labels[i] = i == 3 ? LEAF_IGNORED : i;
        sampler_row(&sampler, place, 1, &index);
        augmenter_leaf(&augmenter, &sampler, place, &index, 1, &leaf);
        for (size_t i = 0; i < PIXELS; i++)
            wrong += (float)labels[i] != values[i] || (float)labels[i] != values[PIXELS + i];
        moved += labels[0] != 0;
    }
    CU_ASSERT(wrong == 0 && moved > 25);
    augmenter_release(&augmenter);
}

/* What one kind draws is the same without the others. */
static void kinds_do_not_disturb_each_other(void)
{
    struct augmenter alone, with;
    start(&alone, (struct augment){.noise = 0.25});
    start(&with, (struct augment){.flip = FLIP_HORIZONTAL, .crop = 4, .noise = 0.25});
    for (uint64_t index = 0; index < 20; index++) {
        float one[FLOATS] = {0}, two[FLOATS] = {0};
        augmenter_sample(&alone, 1, index, one, NULL);
        augmenter_sample(&with, 1, index, two, NULL);
        CU_ASSERT_EQUAL(memcmp(one, two, sizeof one), 0);
    }
    augmenter_release(&alone);
    augmenter_release(&with);
}

/* A job that is resumed by another version, or on another machine, has to meet what it has left. */
static void its_bits_are_these(void)
{
    struct augmenter augmenter;
    float values[20][FLOATS];
    start(&augmenter, all);
    for (uint64_t index = 0; index < 20; index++)
        augmented(&augmenter, index / 4, index, values[index]);
    uint64_t digest = digest_bytes(values, sizeof values);
    CU_ASSERT_EQUAL(digest, UINT64_C(0x0bd2ec69980a7495));
    if (digest != UINT64_C(0x0bd2ec69980a7495))
        printf("\n    %016llx", (unsigned long long)digest);
    augmenter_release(&augmenter);
}

/* A leaf that goes on from one epoch into the next. */
static void a_leaf_has_the_epochs_of_its_places(void)
{
    struct sampler sampler = {.seed = 5, .samples = 5, .batch = 4};
    struct augmenter augmenter;
    uint64_t indices[4];
    float inputs[4 * FLOATS], expected[FLOATS];
    struct leaf leaf = {.rows = 4, .inputs = inputs};
    start(&augmenter, all);
    sampler_row(&sampler, 8, 4, indices);
    for (size_t row = 0; row < 4; row++)
        fill(inputs + row * FLOATS);
    augmenter_leaf(&augmenter, &sampler, 8, indices, 4, &leaf);
    for (size_t row = 0; row < 4; row++) {
        augmented(&augmenter, row < 2 ? 1 : 2, indices[row], expected);
        CU_ASSERT_EQUAL(memcmp(expected, inputs + row * FLOATS, sizeof expected), 0);
    }
    augmenter_release(&augmenter);
    fill(inputs);
    augmenter_leaf(&augmenter, &sampler, 8, indices, 1, &leaf);
    fill(expected);
    CU_ASSERT_EQUAL(memcmp(expected, inputs, sizeof expected), 0);
}

/* ---- what fits ---- */

static void what_does_not_fit_the_samples_is_refused(void)
{
    static const struct leaf_form table = {.input = {1, {64}}, .classes = 10, .terms = 1},
                                  sequence = {.input = {2, {9, 4}}, .terms = 2},
                                  text = {.input = {1, {8}}, .vocabulary = 65, .classes = 65, .terms = 8},
                                  picture = {.input = {3, {1, 8, 6}}, .classes = 10, .terms = 1},
                                  field = {.input = {3, {1, 8, 6}}, .terms = 48},
                                  labelled = {.input = {3, {1, 8, 6}}, .classes = 3, .terms = 12},
                                  pixels = {.input = {3, {1, 8, 6}}, .classes = 3, .terms = 48, .target = {2, {8, 6}}},
                                  turned = {.input = {3, {1, 8, 6}}, .classes = 3, .terms = 48, .target = {2, {6, 8}}},
                                  corners = {.input = {3, {3, 32, 32}}, .terms = 8};
    static const struct {
        struct augment how;
        const struct leaf_form *form;
        const char *words; /* NULL: it fits */
    } cases[] = {
        {{.noise = 1}, &table, NULL},
        {{.noise = 1}, &sequence, NULL},
        {{0}, &text, NULL},
        {{.flip = FLIP_NONE}, &text, NULL},
        {{.noise = 1}, &text, "noise: the inputs are tokens"},
        {{.flip = FLIP_VERTICAL}, &text, "flip: the inputs are tokens"},
        {{.flip = FLIP_VERTICAL}, &table, "flip: the inputs are 64, and not images"},
        {{.cutout = 1}, &table, "cutout: the inputs are 64, and not images"},
        {{.rotate = 1, .noise = 1},
         &sequence,
         "rotate: the inputs are sequences (positions x channels), 9x4, and not images"},
        {{.shift = 5, .crop = 5, .cutout = 6}, &picture, NULL},
        {{.shift = 6}, &picture, "shift: 6 pixels are too many for images of 1x8x6: 5 at most"},
        {{.crop = 6}, &picture, "crop: 6 pixels are too many for images of 1x8x6: 5 at most"},
        {{.cutout = 7}, &picture, "cutout: 7 pixels are too many for images of 1x8x6: 6 at most"},
        {{.noise = 1, .cutout = 3}, &field, NULL},
        {{.rotate = 1}, &field, "rotate: a sample has 48 targets, which would not move"},
        {{.shift = 1}, &labelled, "shift: a sample has 12 targets, which would not move"},
        {{.shift = 1}, &corners, NULL},
        {{.flip = FLIP_BOTH, .shift = 5, .noise = 1, .cutout = 2}, &pixels, NULL},
        {{.flip = FLIP_BOTH, .crop = 1}, &pixels, "crop: the pixels have labels, and what comes in"},
        {{.rotate = 1}, &pixels, "rotate: the pixels have labels"},
        {{.flip = FLIP_BOTH}, &turned, "flip: a sample has 48 targets, which would not move"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct error error = {.text = ""};
        bool fits = augment_check(&cases[i].how, cases[i].form, &error);
        CU_ASSERT_EQUAL(fits, !cases[i].words);
        bool told = !cases[i].words || strstr(error.text, cases[i].words);
        CU_ASSERT_TRUE(told);
        if (!told)
            printf("\n    \"%s\" does not say \"%s\"", error.text, cases[i].words);
    }
}

int main(void)
{
    static const struct test_case cases[] = {
        {"pixels change places, or are cut out", pixels_change_places},
        {"images move, with zeros or with their edges behind them", images_move},
        {"images turn as their bilinear definition", images_turn},
        {"a quarter turn is counter-clockwise", a_quarter_turn_is_counter_clockwise},
        {"each choice is as likely as the others", each_choice_is_as_likely_as_the_others},
        {"angles are spread evenly", angles_are_spread_evenly},
        {"noise is normal", noise_is_normal},
        {"each number has noise of its own", each_number_has_noise_of_its_own},
        {"categories take no noise", categories_take_no_noise},
        {"it hangs on seed, epoch and index alone", it_hangs_on_seed_epoch_and_index_alone},
        {"labels move with their pixels", labels_move_with_their_pixels},
        {"kinds do not disturb each other", kinds_do_not_disturb_each_other},
        {"its bits are these", its_bits_are_these},
        {"a leaf has the epochs of its places", a_leaf_has_the_epochs_of_its_places},
        {"what does not fit the samples is refused", what_does_not_fit_the_samples_is_refused},
        {NULL, NULL},
    };
    return test_run("data/augment", cases);
}
