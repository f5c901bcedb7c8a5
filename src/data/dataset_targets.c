#include "data/dataset.h"

#include <inttypes.h>
#include <math.h>

#define LOOKED_AT 100000 /* samples */

/* The first sample with a target that is not whole, and that target; count: there is none. */
static uint64_t find_fraction(const struct dataset *dataset, uint64_t count, struct leaf *leaf, float *target)
{
    for (uint64_t i = 0; i < count; i++) {
        dataset_read(dataset, &i, 1, leaf);
        for (size_t t = 0; t < dataset->about.form.terms; t++) {
            *target = leaf->targets[t];
            if (*target < floorf(*target) || *target > floorf(*target))
                return i;
        }
    }
    return count;
}

static const char *words_of(const struct dataset_class *class)
{
    return class->as_labels ? class->as_labels : "store them as integers, as NumPy's y.astype('int64') are";
}

const char *dataset_as_labels(const struct dataset *dataset)
{
    return words_of(dataset->class);
}

void dataset_tell_targets(const struct dataset *dataset, const struct dataset_spec *spec, struct text *words)
{
    const char *source = dataset_source(spec, true);
    uint64_t count = dataset->count < LOOKED_AT ? dataset->count : LOOKED_AT;
    struct leaf leaf;
    struct error error;
    float target = 0;
    if (dataset->about.form.classes > 0 || !leaf_init(&leaf, &dataset->about.form, 1, &error))
        return;
    uint64_t sample = find_fraction(dataset, count, &leaf, &target);
    leaf_release(&leaf);
    if (dataset_failed(dataset, &error))
        return;
    if (sample < count)
        text_append(words, "; targets of %s are no labels, which are whole: sample %" PRIu64 " (counted from 0) has %g",
                    source, sample, (double)target);
    else
        text_append(words, "; targets of %s are floats, but whole: if they are labels, %s", source,
                    words_of(spec->class));
}
