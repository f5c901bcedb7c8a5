#include "data/image_square.h"

#include "base/check.h"
#include "base/memory.h"

#include <string.h>

/* The pixels of a row (or column) that make a new one, and what each of them weighs. Letters: S pixels of the square's
 * side, N of the new one's. */
struct tap {
    size_t first, count;
    const uint32_t *weights; /* [count]; their sum is the same for all new pixels */
};

struct taps {
    struct tap *of;    /* [N] */
    uint32_t *weights; /* of all */
    uint64_t sum;
};

/* In units of 1/N of an old pixel: new pixel i covers [iS, (i + 1)S), old pixel j [jN, (j + 1)N). */
static size_t cover(size_t i, size_t s, size_t n, struct tap *tap, uint32_t *weights)
{
    size_t begin = i * s, end = begin + s;
    tap->first = begin / n;
    tap->count = (end + n - 1) / n - tap->first;
    for (size_t t = 0; t < tap->count; t++) {
        size_t low = (tap->first + t) * n, high = low + n;
        weights[t] = (uint32_t)((high < end ? high : end) - (low > begin ? low : begin));
    }
    return tap->count;
}

/* In units of 1/(2N): the centre of new pixel i lies (2i + 1)S - N behind that of old pixel 0. */
static size_t interpolate(size_t i, size_t s, size_t n, struct tap *tap, uint32_t *weights)
{
    size_t place = (2 * i + 1) * s, unit = 2 * n;
    place = place > n ? place - n : 0;
    if (place >= (s - 1) * unit)
        place = (s - 1) * unit;
    tap->first = place / unit;
    weights[0] = (uint32_t)(unit - place % unit);
    weights[1] = (uint32_t)(place % unit);
    tap->count = weights[1] > 0 ? 2 : 1;
    return tap->count;
}

static bool taps_make(struct taps *taps, size_t s, size_t n, struct error *error)
{
    taps->of = memory_alloc(n, sizeof *taps->of, "scaling an image", error);
    taps->weights = taps->of ? memory_alloc(s + 2 * n, sizeof *taps->weights, "scaling an image", error) : NULL;
    if (!taps->weights)
        return false;
    uint32_t *weights = taps->weights;
    for (size_t i = 0; i < n; i++) {
        taps->of[i].weights = weights;
        weights += s >= n ? cover(i, s, n, &taps->of[i], weights) : interpolate(i, s, n, &taps->of[i], weights);
    }
    taps->sum = s >= n ? s : 2 * n;
    return true;
}

static void taps_release(struct taps *taps)
{
    memory_free(taps->of);
    memory_free(taps->weights);
}

/* Adds `weight` times the row, scaled to N pixels, to sums [N, channels]. */
static void add_row(const struct taps *taps, const uint8_t *row, size_t n, size_t channels, uint64_t weight,
                    uint64_t *sums)
{
    for (size_t i = 0; i < n; i++) {
        const struct tap *tap = &taps->of[i];
        const uint8_t *from = row + tap->first * channels;
        for (size_t c = 0; c < channels; c++) {
            uint64_t sum = 0;
            for (size_t t = 0; t < tap->count; t++)
                sum += (uint64_t)tap->weights[t] * from[t * channels + c];
            sums[i * channels + c] += weight * sum;
        }
    }
}

/* The square begins at `corner`; its rows lie `stride` bytes apart. */
static void scale(const struct taps *taps, const uint8_t *corner, size_t stride, size_t n, size_t channels,
                  uint64_t *sums, uint8_t *to)
{
    uint64_t whole = taps->sum * taps->sum;
    for (size_t y = 0; y < n; y++) {
        const struct tap *tap = &taps->of[y];
        memset(sums, 0, n * channels * sizeof *sums);
        for (size_t t = 0; t < tap->count; t++)
            add_row(taps, corner + (tap->first + t) * stride, n, channels, tap->weights[t], sums);
        for (size_t i = 0; i < n * channels; i++)
            to[y * n * channels + i] = (uint8_t)((sums[i] + whole / 2) / whole);
    }
}

bool image_square(const struct image *image, size_t size, uint8_t *to, struct error *error)
{
    size_t width = image->width, height = image->height, channels = image->channels;
    size_t side = width < height ? width : height, stride = width * channels;
    const uint8_t *corner = image->bytes + (height - side) / 2 * stride + (width - side) / 2 * channels;
    CHECK(size > 0 && size < (size_t)1 << 24 && side < (size_t)1 << 27, "sums fit 64 bits");
    if (side == size) {
        for (size_t y = 0; y < size; y++)
            memcpy(to + y * size * channels, corner + y * stride, size * channels);
        return true;
    }
    struct taps taps = {0};
    uint64_t *sums = memory_alloc(size * channels, sizeof *sums, "scaling an image", error);
    bool ok = sums && taps_make(&taps, side, size, error);
    if (ok)
        scale(&taps, corner, stride, size, channels, sums, to);
    taps_release(&taps);
    memory_free(sums);
    return ok;
}
