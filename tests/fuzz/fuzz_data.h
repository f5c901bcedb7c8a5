/* What the harnesses of data formats share. */
#ifndef FUZZ_FUZZ_DATA_H
#define FUZZ_FUZZ_DATA_H

#include "data/dataset.h"

#define FUZZ_ROWS 4 /* samples that are read at once */

/* Local. Reads all samples, unless one of them alone would be large. */
static inline void fuzz_read(const struct dataset *dataset)
{
    struct leaf leaf;
    struct error error;
    if (shape_count(&dataset->about.form.input) > 1 << 20 || !leaf_init(&leaf, &dataset->about.form, FUZZ_ROWS, &error))
        return;
    for (uint64_t first = 0; first < dataset->count; first += FUZZ_ROWS) {
        uint64_t indices[FUZZ_ROWS];
        size_t rows = 0;
        for (; rows < FUZZ_ROWS && first + rows < dataset->count; rows++)
            indices[rows] = first + rows;
        dataset_read(dataset, indices, rows, &leaf);
    }
    leaf_release(&leaf);
}

/* Local. What `lockstep data` tells of it. */
static inline void fuzz_survey(const struct dataset_class *class, const void *settings)
{
    const char *paths[2] = {class->source ? class->source(settings, false) : NULL,
                            class->source ? class->source(settings, true) : NULL};
    struct survey survey;
    struct error error;
    if (!class->survey || !paths[0] || !paths[1])
        return;
    survey_init(&survey);
    bool ok = class->survey(paths, class->survey_most > 1 ? 2 : 1, &survey, &error);
    (void)ok;
    survey_release(&survey);
}

/* Local. Opens data to train on and, if that was possible, data to validate on beside them, and reads both. */
static inline void fuzz_open(const struct dataset_class *class, void *training, void *validation)
{
    struct dataset train, other;
    struct error error;
    fuzz_survey(class, training);
    if (!dataset_open(&train, &(struct dataset_spec){class, training}, NULL, &error))
        return;
    fuzz_read(&train);
    if (dataset_open(&other, &(struct dataset_spec){class, validation}, &train.about, &error)) {
        fuzz_read(&other);
        dataset_close(&other);
    }
    dataset_close(&train);
}

#endif
