/* Weights: named tensors in files that other programs write and read. One interface, one file per format, one row of
 * weights_formats.
 *
 * Opening a file reads names, types and shapes; values are loaded tensor by tensor, so that nothing is allocated for
 * what nobody wants. Files come from strangers: no number in them is believed before it has been compared with the size
 * of the file. */
#ifndef WEIGHTS_WEIGHTS_H
#define WEIGHTS_WEIGHTS_H

#include "base/error.h"
#include "base/text.h"
#include "weights/floats.h"

#include <stddef.h>
#include <stdint.h>

#define WEIGHTS_DIMS    8       /* of a tensor, at most */
#define WEIGHTS_TENSORS 1000000 /* of a file, at most */

struct weights_tensor {
    char *name; /* owned */
    size_t dims;
    size_t shape[WEIGHTS_DIMS];
    size_t count;  /* product of shape; 1 if there are no dimensions */
    float *values; /* [count], row-major, owned; NULL in an open file */
    /* of a file, for its format */
    struct floats_form form;
    char type[24];  /* what the file calls it */
    bool fortran;   /* the first index runs fastest */
    uint64_t place; /* where its values are */
};

/* Tensors, and where they come from as far as the file knows. */
struct weights {
    struct weights_tensor *tensors;
    size_t count, capacity;
    uint64_t step;        /* of the checkpoint; 0: unknown */
    char fingerprint[17]; /* of the checkpoint; "": unknown */
    char *job;            /* resolved YAML; NULL: unknown */
    char *vocabulary;     /* of text: the characters in the order of their numbers; NULL: unknown, or no text */
    char *data;           /* what is known of the training data (data/description.h), as JSON; NULL: nothing */
    char *layers;         /* Keras' own description of the model, as JSON; NULL: none */
};

/* What was loaded, is not zero in the file, and is zero as a float of 32 bits. */
struct weights_lost {
    size_t count;
    const struct weights_tensor *tensor; /* of the first; NULL: none */
    size_t element;                      /* its place as stored */
};

struct weights_format;

struct weights_file {
    struct weights weights; /* names, types and shapes */
    const struct weights_format *format;
    char *path;
    uint64_t bytes;            /* size of the file */
    void *self;                /* the format's own; NULL: not open */
    struct weights_lost *lost; /* so far, owned; NULL: nobody counts */
};

/* What a format has to do. Errors of reading: ERROR_CORRUPT, ERROR_IO, with words that the caller puts the path in
 * front of. */
struct weights_format {
    const char *name;   /* on the command line */
    const char *suffix; /* of files */
    /* Local. Fills in file->weights and file->self from file->path; `averaged` only if it may be (has_averages). After
     * failure the caller closes. */
    bool (*open)(struct weights_file *file, bool averaged, struct error *error) WARN_UNUSED;
    void (*close)(struct weights_file *file);
    /* Local. Values [count] of a tensor whose type is one of floats, row-major unless it is `fortran`. */
    bool (*load)(const struct weights_file *file, const struct weights_tensor *tensor, float *values,
                 struct error *error) WARN_UNUSED;
    /* Local. Writes the file `path`, which is empty and open as `descriptor` (file_open); durability is the caller's.
     * NULL: the format is only read. */
    bool (*write)(const char *path, int descriptor, const struct weights *weights, struct error *error) WARN_UNUSED;
    bool is_replaced; /* write puts another file, of its own making, in its place */
    bool has_averages;
};

extern const struct weights_format weights_safetensors;   /* safetensors.c */
extern const struct weights_format weights_sharded;       /* sharded.c: several of safetensors; only read */
extern const struct weights_format weights_npz;           /* npz.c */
extern const struct weights_format weights_keras;         /* hdf5.c */
extern const struct weights_format weights_keras_archive; /* keras_archive.c: .keras; only read */
extern const struct weights_format weights_keras_whole;   /* keras_whole.c: .h5 of a whole model; only read */
extern const struct weights_format weights_keras_old;     /* keras_old.c: .h5 of Keras 2's save_weights; only read */
extern const struct weights_format weights_lockstep;      /* hdf5.c: weights only, without optimizer */
extern const struct weights_format weights_checkpoint;    /* checkpoint.c: only read */

/* Those that can be written; NULL behind the last. */
extern const struct weights_format *const weights_formats[];

/* Local. An empty list. Release accepts a released one. */
void weights_init(struct weights *weights);
void weights_release(struct weights *weights);

/* Local. Of the checkpoint that the weights come from, as a file tells it; what is not 16 hexadecimal digits is not. */
void weights_take_fingerprint(struct weights *weights, const char *text);

/* Local. Adds a tensor; *added (which may be NULL) is borrowed until the next one. ERROR_CORRUPT: too many dimensions
 * or tensors, or more elements than memory has addresses. */
bool weights_add(struct weights *weights, const char *name, size_t dims, const size_t *shape,
                 struct weights_tensor **added, struct error *error) WARN_UNUSED;

/* Local. Opens a file of any format, which is recognised by its content; of a checkpoint everything is verified first.
 * `averaged`: the averaged weights of a checkpoint, ERROR_USAGE if there are none. HDF5 must be ready (h5_init).
 * ERROR_NOT_FOUND, ERROR_IO, ERROR_CORRUPT, ERROR_VERSION; the words begin with the path. Nothing stays after failure.
 */
bool weights_open(struct weights_file *file, const char *path, bool averaged, struct error *error) WARN_UNUSED;

/* Local. The same of a file that is part of another one, and must be of a certain format. */
bool weights_open_as(struct weights_file *file, const char *path, const struct weights_format *format,
                     struct error *error) WARN_UNUSED;

/* Local. Accepts a closed or all-zero file. */
void weights_close(struct weights_file *file);

/* Local. The values [count] of file->weights.tensors[tensor], row-major, as float32. ERROR_USAGE if they are no
 * floating-point numbers. */
bool weights_load(const struct weights_file *file, size_t tensor, float *values, struct error *error) WARN_UNUSED;

/* Local. For formats: stored elements of a tensor, from `begin` on, to float32, counting what is lost. */
void weights_decode(const struct weights_file *file, const struct weights_tensor *tensor, size_t begin,
                    const void *bytes, size_t count, float *values);

/* Local. Warns if anything that was loaded so far is lost. */
void weights_tell_lost(const struct weights_file *file);

/* Local. Appends the place of an element, row-major: "[3,5]"; nothing if there are no dimensions. */
void weights_place(const struct weights_tensor *tensor, size_t element, struct text *words);

/* Local. Writes a file: hidden (base/hidden_file.h), synced, renamed. A file of that name is replaced. After failure
 * what was there stands; but if only the sync of its directory fails, the new one has its name, and the error says so.
 */
bool weights_write(const struct weights_format *format, const char *path, const struct weights *weights,
                   struct error *error) WARN_UNUSED;

/* Local. The digest of a tensor's values, which the formats of our own keep. */
uint64_t weights_digest(const float *values, size_t count);

#endif
