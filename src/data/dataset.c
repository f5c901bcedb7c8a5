#include "data/dataset.h"

#include "base/check.h"
#include "base/digest.h"

#include <math.h>
#include <string.h>

static const struct dataset_class *const formats[] = {
    [DATASET_IDX] = &dataset_idx,
    [DATASET_DIGITS] = &dataset_digits,
};

/* The same bytes in another shape are other samples, whatever the format. */
static uint64_t digest_shape(uint64_t digest, const size_t shape[3])
{
    for (int i = 0; i < 3; i++)
        digest = digest_chain(digest, shape[i]);
    return digest;
}

bool dataset_open(struct dataset *dataset, const struct dataset_spec *spec, struct error *error)
{
    memset(dataset, 0, sizeof *dataset);
    size_t format = (size_t)spec->format;
    if (format >= sizeof formats / sizeof *formats || !formats[format])
        return error_set(error, ERROR_USAGE, "the dataset has no format: choose idx or digits");
    if (!isfinite(spec->mean) || !isfinite(spec->std) || spec->std <= 0)
        return error_set(error, ERROR_USAGE, "the dataset has mean %g and std %g: both must be finite, std above 0",
                         spec->mean, spec->std);

    if (!formats[format]->open(dataset, spec, error)) {
        memset(dataset, 0, sizeof *dataset);
        return false;
    }
    dataset->class = formats[format];
    dataset->width = dataset->shape[0] * dataset->shape[1] * dataset->shape[2];
    dataset->digest = digest_shape(dataset->digest, dataset->shape);
    for (int b = 0; b < 256; b++)
        dataset->level[b] = (float)((b / 255.0 - spec->mean) / spec->std);
    return true;
}

void dataset_close(struct dataset *dataset)
{
    if (dataset->class)
        dataset->class->close(dataset);
    memset(dataset, 0, sizeof *dataset);
}

void dataset_read(const struct dataset *dataset, const uint64_t *indices, size_t n, float *inputs, int32_t *labels)
{
    size_t width = dataset->width;
    for (size_t i = 0; i < n; i++) {
        CHECK(indices[i] < dataset->count, "a sample must lie in the dataset");
        float *input = inputs + i * width;
        /* The bytes go into the last quarter of the row that they will fill: float x ends at or before byte x + 1, so
         * that none is overwritten before it is read, and no buffer is needed. */
        uint8_t *bytes = (uint8_t *)input + (sizeof *input - 1) * width;
        labels[i] = dataset->class->read(dataset, (size_t)indices[i], bytes);
        for (size_t x = 0; x < width; x++)
            input[x] = dataset->level[bytes[x]];
    }
}
