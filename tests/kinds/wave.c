/* A data format: sample i is a piece of a sine, and its target the value that comes next. Nothing is stored. */
#include "base/digest.h"
#include "base/memory.h"
#include "base/rows.h"
#include "data/dataset.h"

#include <unistd.h>

struct wave {
    uint64_t count; /* samples */
    uint64_t width; /* values of each */
    double pitch;   /* radians from one value to the next */
    double pause_ms;
};

static const struct option_row rows[] = {
    {"count", "samples", FIELD(struct wave, count), WHOLE(1, 1000000), DEFAULT("1000")},
    {"width", "values of a sample", FIELD(struct wave, width), WHOLE(1, 1000)},
    {"pitch", "radians from one value to the next", FIELD(struct wave, pitch), POSITIVE, DEFAULT("0.3")},
    {"pause_ms", "that a sample takes", FIELD(struct wave, pause_ms), REAL(0, 1000), DEFAULT("0"),
     .resume = RESUME_FREE},
    {0},
};

static bool wave_open(struct dataset *dataset, const void *settings, const struct description *train,
                      struct error *error)
{
    const struct wave *wave = settings;
    struct wave *own = memory_need(1, sizeof *own);
    (void)train, (void)error;
    *own = *wave;
    dataset->self = own;
    dataset->count = (size_t)wave->count;
    dataset->about.form = (struct leaf_form){.input = {1, {(size_t)wave->width}}, .terms = 1, .least = -1, .most = 1};
    dataset->digest = digest_bytes(wave, offsetof(struct wave, pause_ms));
    return true;
}

static void wave_close(struct dataset *dataset)
{
    memory_free(dataset->self);
}

static bool wave_read(const struct dataset *dataset, size_t index, struct leaf *leaf, size_t row, struct error *error)
{
    const struct wave *wave = dataset->self;
    size_t width = (size_t)wave->width;
    (void)error;
    if (wave->pause_ms > 0)
        usleep((useconds_t)(1e3 * wave->pause_ms));
    for (size_t x = 0; x <= width; x++) {
        float value = (float)sin(wave->pitch * (double)x + (double)index);
        *(x < width ? &leaf->inputs[row * width + x] : &leaf->targets[row]) = value;
    }
    return true;
}

const struct dataset_class dataset_wave = {
    KIND_OF("wave", "pieces of a sine, which is to be continued", struct wave, rows),
    .open = wave_open,
    .close = wave_close,
    .read = wave_read,
};
