/* A dataset as a file that is read fastest: numbers in two contiguous datasets of HDF5, tokens as llm.c has them. Who
 * trains from it computes the same: each number is, to the last bit, the one that the dataset has given, before it
 * standardises. */
#ifndef USE_CONVERSION_H
#define USE_CONVERSION_H

#include "data/dataset.h"
#include "data/survey.h"
#include "parallel/world.h"

struct conversion_source {
    struct dataset *dataset; /* not standardised, or as it was opened; borrowed */
    bool is_train;           /* it was opened as training data: a text then has a window at any place */
};

/* Local. Whether a file of this name can hold such a dataset: numbers .h5, tokens .bin. ERROR_USAGE. */
bool conversion_check(const struct dataset *dataset, const char *path, struct error *error) WARN_UNUSED;

/* Collective over world; checked before; path, and what the dataset holds, must be equal on every rank. Writes the
 * file, the ranks at once: the same bytes on any number of them. It has its name when it is whole and on disk, and
 * nothing stays after failure; but if only the sync of its directory fails, it stays, whole, and the error says so.
 * ERROR_CORRUPT also: the data were changed meanwhile. Then the survey (data/survey.h) gets a fact, what is in the
 * file, and the keys of a job for it. The samples are taken as their format reads them. */
bool conversion_run(const struct world *world, const struct conversion_source *source, const char *path,
                    struct survey *survey, struct error *error) WARN_UNUSED;

/* Entries of conversion_run, one for each kind of file. */
typedef bool conversion(const struct world *world, const struct conversion_source *source, const char *path,
                        struct survey *survey, struct error *error);
conversion conversion_numbers, conversion_tokens;

#endif
