/* What the harnesses of NumPy's files share. */
#ifndef FUZZ_FUZZ_ARRAYS_H
#define FUZZ_FUZZ_ARRAYS_H

#include "data/dataset.h"

/* Opens; if that was possible, reads all samples, as training data and as validation data beside itself. */
static inline void fuzz_samples(const struct dataset_spec *spec)
{
    struct dataset dataset, again;
    struct leaf leaf;
    struct error error;
    if (!dataset_open(&dataset, spec, NULL, &error))
        return;
    if (shape_count(&dataset.form.input) < 1 << 20 && leaf_init(&leaf, &dataset.form, 1, &error)) {
        for (uint64_t sample = 0; sample < dataset.count; sample++)
            dataset_read(&dataset, &sample, 1, &leaf);
        leaf_release(&leaf);
    }
    if (dataset_open(&again, spec, &dataset, &error))
        dataset_close(&again);
    dataset_close(&dataset);
}

#endif
