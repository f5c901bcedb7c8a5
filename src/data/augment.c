#include "data/augment.h"

#include "base/digest.h"
#include "base/memory.h"
#include "base/rng.h"
#include "base/rows.h"
#include "data/augment_image.h"

#define CHOICES_LANE 0 /* of rng_words; normal numbers have another one */

static const char *const flip_names[] = {
    [FLIP_NONE] = "none", [FLIP_HORIZONTAL] = "horizontal", [FLIP_VERTICAL] = "vertical", [FLIP_BOTH] = "both", NULL};

const struct option_row augment_rows[] = {
    {"flip",
     "images: left and right (horizontal), top and bottom, or each of the two change places in half of the cases",
     FIELD(struct augment, flip), .choices = flip_names, .optional = true, .resume = RESUME_REQUESTED},
    {"shift", "images move by up to so many pixels up or down, and left or right; their edges are repeated",
     FIELD(struct augment, shift), WHOLE(0, 65535), .optional = true, .resume = RESUME_REQUESTED},
    {"crop",
     "images get so many pixels of 0 on each side, and a random part of that, as large as they were, is what is seen "
     "(RandomCrop with padding)",
     FIELD(struct augment, crop), WHOLE(0, 65535), .optional = true, .resume = RESUME_REQUESTED},
    {"rotate", "images turn about their middle by up to so many degrees, either way; 0 comes in at the corners",
     FIELD(struct augment, rotate), REAL(0, 180), .optional = true, .resume = RESUME_REQUESTED},
    {"noise",
     "deviation of normal noise on each number of a sample, also of tables and sequences, but not on those of categories; "
     "with `standardise` in deviations of the inputs",
     FIELD(struct augment, noise), REAL(0, INFINITY), .optional = true, .resume = RESUME_REQUESTED},
    {"cutout", "images: side, in pixels, of a square of 0 about a random pixel; at an edge only a part of it is left",
     FIELD(struct augment, cutout), WHOLE(0, 65535), .optional = true, .resume = RESUME_REQUESTED},
    {0},
};

static bool flips(const struct augment *augment, enum flip_kind kind)
{
    return augment->flip == kind || augment->flip == FLIP_BOTH;
}

/* A key that only images can have, and that moves what is seen in them; NULL: none is used. */
static const char *moving_key(const struct augment *augment)
{
    return augment->flip > FLIP_NONE ? "flip"
           : augment->shift > 0      ? "shift"
           : augment->crop > 0       ? "crop"
           : augment->rotate > 0     ? "rotate"
                                     : NULL;
}

bool augment_is_on(const struct augment *augment)
{
    return moving_key(augment) || augment->noise > 0 || augment->cutout > 0;
}

static bool check_pixels(const char *key, uint64_t pixels, uint64_t most, const struct leaf_form *form,
                         struct error *error)
{
    char shape[64];
    shape_text(&form->input, shape, sizeof shape);
    return pixels <= most ||
           error_set(error, ERROR_USAGE, "%s: %llu pixels are too many for images of %s: %llu at most", key,
                     (unsigned long long)pixels, shape, (unsigned long long)most);
}

/* Whether each pixel of an image has a label. */
static bool has_pixel_labels(const struct leaf_form *form)
{
    const struct shape *image = &form->input, *target = &form->target;
    return form->classes > 0 && image->dims == 3 && target->dims >= 2 &&
           form->terms == image->size[1] * image->size[2] && target->size[target->dims - 2] == image->size[1] &&
           target->size[target->dims - 1] == image->size[2];
}

/* Whether a sample has about as many targets as pixels, or labels for parts of it: an image, too. */
static bool has_image_targets(const struct leaf_form *form)
{
    return form->terms > 1 && (form->classes > 0 || 16 * form->terms >= form->input.size[1] * form->input.size[2]);
}

bool augment_check(const struct augment *augment, const struct leaf_form *form, struct error *error)
{
    const char *moving = moving_key(augment), *key = moving ? moving : augment->cutout > 0 ? "cutout" : NULL;
    const struct shape *input = &form->input;
    char shape[64];
    shape_text(input, shape, sizeof shape);
    if (augment_is_on(augment) && form->vocabulary > 0)
        return error_set(error, ERROR_USAGE, "%s: the inputs are tokens, which nothing can be done to: take it away",
                         key ? key : "noise");
    if (!key)
        return true;
    if (input->dims != 3)
        return error_set(error, ERROR_USAGE,
                         "%s: the inputs are %s%s, and not images of channels, height and width: only noise fits", key,
                         input->dims == 2   ? "sequences (positions x channels), "
                         : input->dims == 4 ? "volumes (channels x depth x height x width), "
                                            : "",
                         shape);
    if (has_pixel_labels(form) && (augment->crop > 0 || augment->rotate > 0))
        return error_set(
            error, ERROR_USAGE,
            "%s: the pixels have labels, and what comes in from outside would have none: flip, shift, noise "
            "and cutout fit",
            augment->crop > 0 ? "crop" : "rotate");
    if (moving && has_image_targets(form) && !has_pixel_labels(form))
        return error_set(
            error, ERROR_USAGE,
            "%s: a sample has %zu targets, which would not move with its pixels: only noise and cutout fit", moving,
            form->terms);
    size_t less = input->size[1] < input->size[2] ? input->size[1] : input->size[2];
    return check_pixels("shift", augment->shift, less - 1, form, error) &&
           check_pixels("crop", augment->crop, less - 1, form, error) &&
           check_pixels("cutout", augment->cutout, less, form, error);
}

/* ---- the samples of a dataset ---- */

/* Which numbers of a sample are those of categories. */
static bool *find_categories(const struct description *about)
{
    bool *is_category = NULL;
    for (size_t i = 0, at = 0; i < about->input_count; i++) {
        size_t width = about->inputs[i].is_category ? about->inputs[i].values.count : 1;
        if (about->inputs[i].is_category && !is_category)
            is_category = memory_need(shape_count(&about->form.input), sizeof *is_category);
        for (size_t n = at; about->inputs[i].is_category && n < at + width; n++)
            is_category[n] = true;
        at += width;
    }
    return is_category;
}

void augmenter_init(struct augmenter *augmenter, const struct augment *augment, uint64_t seed,
                    const struct description *about)
{
    const struct shape *shape = &about->form.input;
    *augmenter = (struct augmenter){.how = *augment, .key = rng_key(seed, "augment"), .shape = *shape};
    augmenter->is_category = find_categories(about);
    augmenter->has_labels = has_pixel_labels(&about->form);
    if (shape->dims == 3) {
        augmenter->copy = memory_need(shape_count(shape), sizeof *augmenter->copy);
        augmenter->plane = memory_need(shape->size[1] * shape->size[2], sizeof *augmenter->plane);
    }
}

void augmenter_release(struct augmenter *augmenter)
{
    memory_free(augmenter->is_category);
    memory_free(augmenter->copy);
    memory_free(augmenter->plane);
    *augmenter = (struct augmenter){0};
}

/* One of [0, count), 1 <= count <= 2^32, each as likely to 2^-32. */
static long one_of(uint32_t word, uint64_t count)
{
    return (long)((word * count) >> 32);
}

/* One of [-most, most]. */
static long up_to(uint32_t word, uint64_t most)
{
    return one_of(word, 2 * most + 1) - (long)most;
}

static void change_pixels(const struct augmenter *augmenter, uint64_t key, const struct shape *image, float *values)
{
    const struct augment *how = &augmenter->how;
    uint32_t words[8];
    rng_words(key, 0, CHOICES_LANE, words);
    rng_words(key, 1, CHOICES_LANE, words + 4);
    if (flips(how, FLIP_HORIZONTAL) && (words[0] & 1))
        augment_image_mirror(image, values);
    if (flips(how, FLIP_VERTICAL) && (words[0] & 2))
        augment_image_turn_over(image, values);
    augment_image_move(image, values, (struct pixel){up_to(words[1], how->shift), up_to(words[2], how->shift)}, true,
                       augmenter->copy);
    augment_image_move(image, values, (struct pixel){up_to(words[3], how->crop), up_to(words[4], how->crop)}, false,
                       augmenter->copy);
    double turn = how->rotate / 360 * (words[5] * 0x1p-31 - 1);
    if (how->rotate > 0)
        augment_image_rotate(image, values, turn < 0 ? turn + 1 : turn, augmenter->copy);
}

/* The labels of pixels, each a number that a float holds, as their image. */
static void change_labels(const struct augmenter *augmenter, uint64_t key, int32_t *labels)
{
    struct shape plane = {3, {1, augmenter->shape.size[1], augmenter->shape.size[2]}};
    size_t count = shape_count(&plane);
    for (size_t i = 0; i < count; i++)
        augmenter->plane[i] = (float)labels[i];
    change_pixels(augmenter, key, &plane, augmenter->plane);
    for (size_t i = 0; i < count; i++)
        labels[i] = (int32_t)augmenter->plane[i];
}

static void add_noise(const struct augmenter *augmenter, uint64_t key, float *values)
{
    size_t count = shape_count(&augmenter->shape);
    float normals[RNG_NORMALS], deviation = (float)augmenter->how.noise;
    for (size_t first = 0; first < count; first += RNG_NORMALS) {
        size_t n = count - first < RNG_NORMALS ? count - first : RNG_NORMALS;
        rng_normals(key, first / RNG_NORMALS, n, normals);
        for (size_t i = 0; i < n; i++)
            if (!augmenter->is_category || !augmenter->is_category[first + i])
                values[first + i] += deviation * normals[i];
    }
}

static void cut_out(const struct augmenter *augmenter, uint64_t key, float *values)
{
    long side = (long)augmenter->how.cutout;
    const struct shape *image = &augmenter->shape;
    uint32_t words[4];
    rng_words(key, 2, CHOICES_LANE, words);
    struct pixel first = {one_of(words[0], image->size[1]) - side / 2, one_of(words[1], image->size[2]) - side / 2};
    augment_image_cut(image, values, first, side);
}

void augmenter_sample(const struct augmenter *augmenter, uint64_t epoch, uint64_t index, float *values, int32_t *labels)
{
    uint64_t key = digest_chain(digest_chain(augmenter->key, epoch), index);
    if (moving_key(&augmenter->how))
        change_pixels(augmenter, key, &augmenter->shape, values);
    if (moving_key(&augmenter->how) && augmenter->has_labels)
        change_labels(augmenter, key, labels);
    if (augmenter->how.noise > 0)
        add_noise(augmenter, key, values);
    if (augmenter->how.cutout > 0)
        cut_out(augmenter, key, values);
}

void augmenter_leaf(const struct augmenter *augmenter, const struct sampler *sampler, uint64_t position,
                    const uint64_t *indices, size_t n, struct leaf *leaf)
{
    size_t count = shape_count(&augmenter->shape), pixels = augmenter->shape.size[1] * augmenter->shape.size[2];
    for (size_t row = 0; row < n && augment_is_on(&augmenter->how); row++)
        augmenter_sample(augmenter, sampler_epoch_of(sampler, position + row), indices[row], leaf->inputs + row * count,
                         augmenter->has_labels ? leaf->labels + row * pixels : NULL);
}
