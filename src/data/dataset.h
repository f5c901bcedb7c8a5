/* A dataset: numbered samples, each a vector of floats with one class label. One interface, one file per format.
 * Reading is a pure function of (dataset, index), so that nothing about data has to be saved or exchanged. */
#ifndef DATA_DATASET_H
#define DATA_DATASET_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

enum dataset_format {
    DATASET_NONE = 0,
    DATASET_IDX,    /* IDX files as MNIST is published, plain or .gz */
    DATASET_DIGITS, /* drawn digits, nothing stored */
};

/* What a job file says about one dataset. The texts belong to whoever filled it in. */
struct dataset_spec {
    enum dataset_format format;
    char *images;   /* idx: path of the image file */
    char *labels;   /* idx: path of the label file */
    uint64_t seed;  /* digits: which endless sequence of digits */
    uint64_t first; /* the first sample that is used */
    uint64_t count; /* how many are used; 0: all that are there (digits: 60,000) */
    double mean;    /* byte b becomes (b / 255 - mean) / std; std > 0 */
    double std;
};

struct dataset {
    size_t count;    /* samples */
    size_t shape[3]; /* channels, height, width of a sample */
    size_t width;    /* floats a sample: product of shape */
    size_t classes;  /* labels are in [0, classes) */
    uint64_t digest; /* of the samples and labels that are used: within a format equal content has an equal digest,
                        wherever the file lies; mean and std are not part of it */
    /* private */
    const struct dataset_class *class;
    void *self;
    float level[256]; /* the float of each byte */
};

/* What a format has to do. `index` counts within the used part: 0 <= index < count. */
struct dataset_class {
    /* Local. Sets count, shape, classes, digest and self; the spec is not kept. */
    bool (*open)(struct dataset *dataset, const struct dataset_spec *spec, struct error *error) WARN_UNUSED;
    void (*close)(struct dataset *dataset);
    /* Local. Writes `width` bytes (row-major) and returns the label. */
    int32_t (*read)(const struct dataset *dataset, size_t index, uint8_t *bytes);
};

extern const struct dataset_class dataset_idx;    /* idx.c */
extern const struct dataset_class dataset_digits; /* digits.c */

/* Local. Opens; the spec is not kept. Errors name the file, what is wrong with it (missing, truncated, wrong magic,
 * counts that differ, first + count beyond its end) and what to do. */
bool dataset_open(struct dataset *dataset, const struct dataset_spec *spec, struct error *error) WARN_UNUSED;

/* Local. Accepts a closed dataset. */
void dataset_close(struct dataset *dataset);

/* Local. Reads n samples: inputs [n, width] normalised floats, labels [n]. indices[i] < count. */
void dataset_read(const struct dataset *dataset, const uint64_t *indices, size_t n, float *inputs, int32_t *labels);

#endif
