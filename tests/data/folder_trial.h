/* Directories of images in the making, one of each class, and datasets of them, for tests. */
#ifndef DATA_FOLDER_TRIAL_H
#define DATA_FOLDER_TRIAL_H

#include "data/dataset.h"
#include "data/folder.h"
#include "data/formats.h"
#include "data/image_file.h"
#include "data/opening.h"
#include "support/test.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SIDE = 4, PIXELS = SIDE * SIDE };

/* A directory of its own for each case, in which a file's level is its number. */
struct fixture {
    char path[PATH_MAX];
    struct folder_settings settings;
    const struct description *train; /* NULL: it is training data */
};

/* Local. An empty directory. */
void fixture_init(struct fixture *fixture);

/* Local. A path in it, valid until the fourth next call. */
const char *in(const struct fixture *fixture, const char *name);

/* Local. A directory in it. */
void make(const struct fixture *fixture, const char *directory);

/* Local. A grey image of one level. */
void put(const struct fixture *fixture, const char *name, size_t width, size_t height, uint8_t level);

/* Local. `count` images of levels `first`, `first` + 1, ... in a new class. */
void put_class(const struct fixture *fixture, const char *name, uint8_t first, int count);

/* Local. */
bool fixture_open(const struct fixture *fixture, struct dataset *dataset, struct error *error);
struct dataset open_good(const struct fixture *fixture);
uint64_t digest_of(const struct fixture *fixture);

/* Opening fails with this kind and these words, in one line. */
void expect(const struct fixture *fixture, enum error_kind kind, const char *words, const char *more);

/* Local. The level and the label of a sample of one level. */
int level_of(const struct dataset *dataset, uint64_t index, int32_t *label);

#endif
