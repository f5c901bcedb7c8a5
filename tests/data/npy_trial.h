/* A dataset of two .npy files in the making, for tests. */
#ifndef DATA_NPY_TRIAL_H
#define DATA_NPY_TRIAL_H

#include "data/npy.h"
#include "data/npy_file.h"

#include <limits.h>

enum { N = 6, F = 2 };

/* Six samples of two float32 features, and int64 labels; a test may put others in their place. */
struct fixture {
    char x_path[PATH_MAX], y_path[PATH_MAX];
    struct npy_file x, y;
    struct npy_settings settings;
};

extern const float features[N * F];
extern const int64_t classes[N];

/* Local. Both also write the files. */
void fixture_init(struct fixture *fixture);
void fixture_write(const struct fixture *fixture);

bool fixture_open(const struct fixture *fixture, const struct dataset *train, struct dataset *dataset,
                  struct error *error);
struct dataset open_good(const struct fixture *fixture);
uint64_t digest_of(const struct fixture *fixture);

/* Opening fails with this kind and these words, in one line. */
void expect(const struct fixture *fixture, const struct dataset *train, enum error_kind kind, const char *words);

/* Whether the samples have this form, without the range of targets. */
bool has_form(const struct dataset *dataset, struct shape input, size_t n, size_t terms);

#endif
