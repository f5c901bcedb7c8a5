#include "data/augment_image.h"

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
static long whole(double number)
{
    long truncated = (long)number;
    return truncated - (number < (double)truncated);
}

static float pixel(const float *plane, long H, long W, long y, long x)
{
    return y >= 0 && y < H && x >= 0 && x < W ? plane[y * W + x] : 0;
}

static float between(const float *plane, long H, long W, double y, double x)
{
    long top = whole(y), left = whole(x);
    float down = (float)(y - (double)top), right = (float)(x - (double)left);
    float upper = (1 - right) * pixel(plane, H, W, top, left) + right * pixel(plane, H, W, top, left + 1);
    float lower = (1 - right) * pixel(plane, H, W, top + 1, left) + right * pixel(plane, H, W, top + 1, left + 1);
    return (1 - down) * upper + down * lower;
}

void augment_image_rotate(const struct shape *image, float *values, double u, float *plane)
{
    long H = height(image), W = width(image);
    double middle_y = 0.5 * (double)(H - 1), middle_x = 0.5 * (double)(W - 1), c, s;
    rng_circle(u, &c, &s);
    for (size_t channel = 0; channel < image->size[0]; channel++) {
        float *to = plane_of(image, values, channel);
        memcpy(plane, to, (size_t)pixels(image) * sizeof *plane);
        for (long y = 0; y < H; y++)
            for (long x = 0; x < W; x++) {
                double dy = (double)y - middle_y, dx = (double)x - middle_x;
                to[y * W + x] = between(plane, H, W, middle_y + c * dy + s * dx, middle_x + c * dx - s * dy);
            }
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
