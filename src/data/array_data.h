/* What the formats have in common that store arrays: inputs x [N, ...] and targets y [N, ...], each a struct array.
 *
 * A sample of x [N] is one number, of [N, F] features, of [N, H, W] an image of one channel, of [N, C, H, W] one of
 * several, of [N, C, D, H, W] a volume. Integers y [N] (or [N, 1]) are labels, one a sample; [N, T] beside x
 * [N, T, C], or with more dimensions, one at each position, pixel or voxel; floats are the targets of a regression,
 * of any shape.
 *
 * A format's settings begin with a struct array_settings, its rows with ARRAY_ROWS, and what dataset->self points to
 * with a struct array_data; so the functions here are entries of its class. */
#ifndef DATA_ARRAY_DATA_H
#define DATA_ARRAY_DATA_H

#include "base/rows.h"
#include "data/array.h"
#include "data/array_labels.h"
#include "data/array_numbers.h"
#include "data/dataset.h"

/* Of ignore_label, whose other values are labels as they are stored. */
#define ARRAY_IGNORES_NONE  0
#define ARRAY_IGNORES_ZERO  UINT64_MAX       /* the label 0 */
#define ARRAY_IGNORES_MINUS (UINT64_MAX - 1) /* the label -1 */
#define ARRAY_IGNORES_TORCH (UINT64_MAX - 2) /* the label -100, which PyTorch's losses leave out */

extern const struct option_word array_ignore_words[];

struct array_settings {
    double part[2];   /* of the N samples that are there, those from floor(N part[0]) to before floor(N part[1]) are the
                         part; 0 <= [0] < [1] <= 1 */
    uint64_t first;   /* the first sample of the part that is used */
    uint64_t count;   /* how many are used; 0: all of the part from there on */
    uint64_t classes; /* labels are below; 0: 1 + the largest label of the whole file, at least 2 */
    uint64_t label_offset; /* is subtracted from each label first */
    uint64_t ignore_label; /* does not count; ARRAY_IGNORES_NONE: all do */
    double mean;           /* a number x of the inputs becomes (x - mean) / std, in double and rounded once */
    double std;            /* > 0 */
};

/* clang-format off */
#define ARRAY_ROWS \
    {"first", "the first sample of the part that is used, counted from 0", FIELD(struct array_settings, first), \
     ANY_FROM(0), DEFAULT("0")}, \
    {"count", "how many samples are used; 0 for all of the part from there on", FIELD(struct array_settings, count), \
     ANY_FROM(0), DEFAULT("0")}, \
    {"part", "where the samples begin and end that are used, as shares of all that are there", \
     FIELD(struct array_settings, part), REAL(0, 1), DEFAULT("0", "1")}, \
    {"classes", "how many classes there are; 0: 1 + the largest label, at least 2", \
     FIELD(struct array_settings, classes), WHOLE(0, ARRAY_CLASSES_MOST), DEFAULT("0")}, \
    {"label_offset", "what is subtracted from each label, for classes count from 0", \
     FIELD(struct array_settings, label_offset), WHOLE(0, 1000000000000), DEFAULT("0")}, \
    {"ignore_label", "a label that stands for no class: it does not count in losses and metrics", \
     FIELD(struct array_settings, ignore_label), WHOLE(1, 1000000000000), .words = array_ignore_words, \
     DEFAULT("none")}, \
    {"mean", "what is subtracted from each number of the inputs", FIELD(struct array_settings, mean), \
     REAL(-INFINITY, INFINITY), DEFAULT("0")}, \
    {"std", "what each number of the inputs is divided by after that", FIELD(struct array_settings, std), POSITIVE, \
     DEFAULT("1")}
/* clang-format on */

struct array_data {
    struct array x, y;

    /* How the digests of the used x and y become that of the dataset. NULL: with types, byte orders and label_offset.
     */
    uint64_t (*join)(const struct array_data *data, uint64_t x, uint64_t y);

    /* private */
    double mean, std;
    struct array_labels labels; /* if y are some */
    struct array_gaps *gaps;    /* of the aid (dataset.h); NULL: each number has to be one */
    size_t first;               /* the row of the first used sample */
    bool has_levels;            /* x is one piece of bytes */
    float levels[256];          /* then: the float that each of them becomes */
};

/* Local. Whether part begins before it ends (struct kind). */
bool array_data_check(const void *settings, const char **key, struct error *error);

/* Local. The end of a format's open: self and files are set, x and y are placed; sets the rest, once it has looked at
 * all that is used. Closing after failure is the caller's. */
bool array_data_open(struct dataset *dataset, const struct array_settings *settings, const struct description *train,
                     struct error *error) WARN_UNUSED;

/* Local. The same for inputs alone: y is not placed. Of the settings only mean and std are asked; NULL: those of the
 * training data, which is of another format. ERROR_USAGE also: bytes, where the training data were bytes / 255. */
bool array_data_open_inputs(struct dataset *dataset, const struct array_settings *settings,
                            const struct description *train, struct error *error) WARN_UNUSED;

/* Local. Entries of struct dataset_class. */
bool array_data_read(const struct dataset *dataset, size_t index, struct leaf *leaf, size_t row,
                     struct error *error) WARN_UNUSED;
uint64_t array_data_digest(const struct dataset *dataset);

#endif
