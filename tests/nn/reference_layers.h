/* The operations of the second implementation; its compositions and the model are in reference.c. */
#ifndef TESTS_NN_REFERENCE_LAYERS_H
#define TESTS_NN_REFERENCE_LAYERS_H

#include "nn/reference.h"

enum { NAME_BYTES = 160 };

enum { WALK_NAMES = 16 };

/* What a layer with a name has given. */
struct walk_kept {
    const char *name;
    struct shape shape;
    double *x; /* owned */
};

/* The samples on their way through the layers. */
struct walk {
    const struct reference *reference;
    size_t rows;        /* M */
    struct shape shape; /* of a sample */
    double *x;          /* [M, shape] */
    struct walk_kept kept[WALK_NAMES];
    size_t kept_count;
};

/* Local. Writes a name; returns it. */
const char *walk_named(char name[NAME_BYTES], const char *format, ...) FORMAT(2, 3);

/* Local. Makes room for the outputs of a layer, zeroed. Returns its inputs, which the caller frees. */
double *walk_begin(struct walk *w, struct shape shape);

/* Local. The parameters of the tensor "<layer>.<what>", which has `count` of them. */
const double *walk_tensor(const struct walk *w, const char *layer, const char *what, size_t count);

struct shape walk_features(size_t count);
struct shape walk_sequence(size_t positions, size_t channels);

/* Local. How many channels there are, and which of them element `e` of a sample belongs to: an image or a volume has
 * them in front, all others behind. */
size_t walk_channels(const struct shape *shape);
size_t walk_channel_of(const struct shape *shape, size_t e);

/* Local. Any kind of layer that is no composition. Its tensors are "<name>.weight" ... */
void reference_operation(struct walk *w, const struct layer_class *class, const void *settings, const char *name);

/* Local. Three of them by what they need, for compositions. norm: layer_norm, or rms_norm if it has no mean. */
void reference_dense(struct walk *w, const char *name, size_t O, bool has_bias);
void reference_norm(struct walk *w, const char *name, double epsilon, bool has_mean);
void reference_dropout(struct walk *w, const char *name, double rate);

#endif
