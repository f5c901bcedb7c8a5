/* HDF5 files in the making, and datasets of them, for tests. */
#ifndef DATA_HDF5_TRIAL_H
#define DATA_HDF5_TRIAL_H

#include "data/hdf5.h"

#include <hdf5.h>

/* One dataset that is to be written. */
struct stored {
    hid_t type;   /* in the file; 0: as `memory` */
    hid_t memory; /* of the values */
    int dims;
    hsize_t size[8];
    const void *values;  /* NULL: none is written */
    hsize_t chunk[8];    /* [0] 0: in one piece */
    bool inside;         /* compact */
    const char *filters; /* in this order: d deflate, s shuffle, f fletcher32; NULL: none */
    const void *fill;    /* of `memory`; NULL: HDF5's own */
};

/* Local. Sizes of its chunks; those behind its axes do not matter. */
void trial_chunk(struct stored *stored, hsize_t a, hsize_t b, hsize_t c, hsize_t d);

/* Local. A new file; with `latest` in HDF5's newest format. Writes into one that is open, closes it. */
hid_t trial_create(const char *path, bool latest);
hid_t trial_put(hid_t file, const char *name, const struct stored *stored); /* the dataset, which stays open */
void trial_write(hid_t file, const char *name, const struct stored *stored);

/* Local. A file with x and y in it. */
void trial_write_file(const char *path, const struct stored *x, const struct stored *y);

/* Local. Settings for this path, with the default names; the texts are static. */
struct hdf5_settings trial_settings(const char *path);
bool trial_open(const struct hdf5_settings *settings, const struct description *train, struct dataset *dataset,
                struct error *error);
struct dataset trial_open_good(const struct hdf5_settings *settings);
uint64_t trial_digest(const struct hdf5_settings *settings);

/* Opening fails with this kind and these words, in one line. */
void trial_expect(const struct hdf5_settings *settings, enum error_kind kind, const char *words);

#endif
