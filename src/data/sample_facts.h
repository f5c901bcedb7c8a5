/* What the samples of a dataset are, for people who have not yet written a job for it. */
#ifndef DATA_SAMPLE_FACTS_H
#define DATA_SAMPLE_FACTS_H

#include "data/dataset.h"

struct sample_facts {
    size_t looked_at;   /* samples, evenly spread; all of them if they are not too many */
    double low, high;   /* of the inputs, which are floats; else 0 */
    size_t constants;   /* flat inputs that are the same in all of these samples */
    size_t constant;    /* the first of them */
    bool has_fractions; /* a target, if they are floats, is not whole */
    size_t *of_class;   /* [classes] samples with this label; NULL: they are not labels of samples */
    uint64_t offset;    /* labels seem to begin here: no sample has a smaller one */
    struct text first;  /* lines: the first samples */
};

/* Local. Reads samples. Errors are those of dataset_read. Release accepts a released one, and what has failed. */
bool sample_facts_take(struct sample_facts *facts, const struct dataset *dataset, struct error *error) WARN_UNUSED;
void sample_facts_release(struct sample_facts *facts);

/* Local. Tells what they are, and what is odd about them. */
void sample_facts_tell(const struct sample_facts *facts, const struct dataset *dataset, struct survey *survey);

#endif
