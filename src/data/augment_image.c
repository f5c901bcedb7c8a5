#include "data/augment_image.h"

#include "base/real.h"
#include "base/rng.h"

#include <string.h>

static long height(const struct shape *image)
{
    return (long)image->size[1];
}

static long width(const struct shape *image)
{
    return (long)image->size[2];
}

static long pixels(const struct shape *image)
{
    return height(image) * width(image);
}

static float *plane_of(const struct shape *image, float *values, size_t channel)
{
    return values + channel * (size_t)pixels(image);
}

static void swap(float *a, float *b)
{
    float kept = *a;
    *a = *b;
    *b = kept;
}

void augment_image_mirror(const struct shape *image, float *values)
{
    long W = width(image), rows = (long)image->size[0] * height(image);
    for (long row = 0; row < rows; row++)
        for (long x = 0; x < W / 2; x++)
            swap(&values[row * W + x], &values[row * W + W - 1 - x]);
}

void augment_image_turn_over(const struct shape *image, float *values)
{
    long H = height(image), W = width(image);
    for (size_t c = 0; c < image->size[0]; c++) {
        float *to = plane_of(image, values, c);
        for (long y = 0; y < H / 2; y++)
            for (long x = 0; x < W; x++)
                swap(&to[y * W + x], &to[(H - 1 - y) * W + x]);
    }
}

static long clamp(long i, long size)
{
    return i < 0 ? 0 : i >= size ? size - 1 : i;
}

/* A row that lies in the image. */
static void move_row(long W, const float *from, long by, bool repeats_edges, float *to)
{
    for (long x = 0; x < W; x++) {
        long there = x - by;
        to[x] = there >= 0 && there < W ? from[there] : repeats_edges ? from[clamp(there, W)] : 0;
    }
}

void augment_image_move(const struct shape *image, float *values, struct pixel by, bool repeats_edges, float *plane)
{
    long H = height(image), W = width(image);
    if (by.y == 0 && by.x == 0)
        return;
    for (size_t c = 0; c < image->size[0]; c++) {
        float *to = plane_of(image, values, c);
        memcpy(plane, to, (size_t)pixels(image) * sizeof *plane);
        for (long y = 0; y < H; y++) {
            long there = y - by.y;
            if (repeats_edges || (there >= 0 && there < H))
                move_row(W, plane + clamp(there, H) * W, by.x, repeats_edges, to + y * W);
            else
                memset(to + y * W, 0, (size_t)W * sizeof *to);
        }
    }
}

/* The largest whole number that is not above. */
static long whole(float number)
{
    long truncated = (long)number;
    return truncated - (number < (float)truncated);
}

/* What four neighbours count, of which the first is pixel (y, x). */
struct mixture {
    long y, x;
    float parts[2][2];
};

static struct mixture mixture_at(float y, float x)
{
    struct mixture mix = {.y = whole(y), .x = whole(x)};
    float down = y - (float)mix.y, right = x - (float)mix.x;
    mix.parts[0][0] = (1 - down) * (1 - right);
    mix.parts[0][1] = (1 - down) * right;
    mix.parts[1][0] = down * (1 - right);
    mix.parts[1][1] = down * right;
    return mix;
}

/* Those outside are 0. */
static float mixed_at_edge(const struct mixture *mix, long H, long W, const float *plane)
{
    float sum = 0;
    for (long i = 0; i < 4; i++) {
        long y = mix->y + i / 2, x = mix->x + i % 2;
        if (y >= 0 && y < H && x >= 0 && x < W)
            sum += mix->parts[i / 2][i % 2] * plane[y * W + x];
    }
    return sum;
}

static float mixed(const struct mixture *mix, long W, const float *plane)
{
    const float *upper = plane + mix->y * W + mix->x, *lower = upper + W;
    return mix->parts[0][0] * upper[0] + mix->parts[0][1] * upper[1] + mix->parts[1][0] * lower[0] +
           mix->parts[1][1] * lower[1];
}

void augment_image_rotate(const struct shape *image, float *values, double u, float *copy)
{
    long H = height(image), W = width(image), plane = pixels(image);
    float middle_y = 0.5f * (float)(H - 1), middle_x = 0.5f * (float)(W - 1);
    double exact_c, exact_s;
    real_circle(u, &exact_c, &exact_s);
    float c = (float)exact_c, s = (float)exact_s;
    memcpy(copy, values, image->size[0] * (size_t)plane * sizeof *copy);
    for (long y = 0; y < H; y++)
        for (long x = 0; x < W; x++) {
            float dy = (float)y - middle_y, dx = (float)x - middle_x;
            struct mixture mix = mixture_at(middle_y + c * dy + s * dx, middle_x + c * dx - s * dy);
            bool is_inside = mix.y >= 0 && mix.y + 1 < H && mix.x >= 0 && mix.x + 1 < W;
            for (long channel = 0; channel < (long)image->size[0]; channel++)
                values[channel * plane + y * W + x] = is_inside ? mixed(&mix, W, copy + channel * plane)
                                                                : mixed_at_edge(&mix, H, W, copy + channel * plane);
        }
}

/* [*first, *end) of a square from `first` on that lie in [0, size). */
static void clip(long first, long side, long size, long *begin, long *end)
{
    *begin = first < 0 ? 0 : first;
    *end = first + side > size ? size : first + side;
}

void augment_image_cut(const struct shape *image, float *values, struct pixel first, long side)
{
    long W = width(image), top, bottom, left, right;
    clip(first.y, side, height(image), &top, &bottom);
    clip(first.x, side, W, &left, &right);
    for (size_t c = 0; c < image->size[0]; c++)
        for (long y = top; y < bottom && left < right; y++)
            memset(plane_of(image, values, c) + y * W + left, 0, (size_t)(right - left) * sizeof *values);
}
