/* A layer: one interface, one file a kind, in which its keys stand too, one row of LAYERS (layers/layers.h). A program
 * can add layers of its own: layer_register.
 *
 * A layer is either an operation (build, forward, backward) or a composition (expand): a short name for several others,
 * which stand in the model in its place.
 *
 * Letters: M rows (samples) of a leaf; I inputs and O outputs of a sample; T positions of a sequence; C channels; H, W
 * height and width. Everything is row-major, images are [M, C, H, W], volumes [M, C, D, H, W], sequences [M, T, C]. */
#ifndef NN_LAYER_H
#define NN_LAYER_H

#include "base/error.h"
#include "base/kind.h"
#include "base/leaf.h"
#include "base/option.h"
#include "nn/initialisation.h"
#include "nn/kernels/compute.h"
#include "nn/tensor.h"

#include <stddef.h>
#include <stdint.h>

/* What a job file says about one layer. The settings belong to whoever filled them in. */
struct layer_spec {
    const struct layer_class *class;
    void *settings; /* of the class's kind; NULL: it has none */
    char *name;     /* for layers behind it in its list, and in lists inside these; NULL: it has none */
};

/* Bounds for keys, which no model needs to cross, so that products of a few of these numbers fit into 64 bits. */
#define LAYER_WIDTH_MOST  1000000
#define LAYER_SIDE_MOST   1000
#define LAYER_REPEAT_MOST 1000

#define LAYER_TENSORS 4 /* at most */

/* An operation in its place. Weights and gradients are given as whole arenas; the layer's tensors lie at their
 * offsets. */
struct layer {
    const struct layer_class *class;
    const void *settings; /* a copy that is the layer's own */
    char name[80];        /* "3.residual.0.conv2d": names of its tensors begin with it */
    struct shape in;      /* of a sample */
    struct shape out;     /* set by build */
    size_t inputs;        /* I */
    size_t outputs;       /* O; set after build */
    size_t rows;          /* M at most: what `saved` and `scratch` must suffice for */
    size_t vocabulary;    /* of the data's tokens; 0: floats */
    size_t embedding;     /* tensor [vocabulary, C] whose rows the tokens have become; TENSOR_NONE: there is none */
    size_t tap;           /* SKIP_APPENDS: the operation whose output is appended, ... */
    struct shape earlier; /* ... and what that is */

    /* Of the passes: build asks it how much scratch it needs. */
    const struct compute *compute;

    /* Set by build, where they are not 0. */
    size_t tensor_count;
    size_t tensors[LAYER_TENSORS]; /* indices in the table */
    size_t saved;                  /* floats of a leaf that forward leaves for backward, besides x and y */
    size_t scratch;                /* floats of workspace for one call; shared by all layers, nothing stays in it */
    bool sees_ahead;               /* a position of a sequence sees those behind it */
    size_t keeps;                  /* floats of a position that forward_next keeps for those behind it */
    double flops;                  /* additions and multiplications of the matrix products of forward, for a sample */

    /* Set when the whole model is known. */
    size_t offset[LAYER_TENSORS]; /* of the tensors in an arena, floats */
    bool adds[LAYER_TENSORS];     /* backward adds to this tensor's gradient: a later layer of the same leaf (a tied
                                     lm_head) has written it already. Else it overwrites. */
    bool finishes[LAYER_TENSORS]; /* no layer adds to it after this one's backward */
};

/* Who brings parameters, and takes gradients away, while a pass runs. */
struct tensor_watch {
    /* Called by the model during forward, for each tensor of an operation, right before that. NULL: nobody. */
    void (*is_wanted)(void *context, size_t tensor);

    /* Called by the model during backward, once for each tensor of its table (statistics, too), as soon as nothing of
     * this pass will add to the tensor's gradient any more: behind the backward of the last layer that has a part in
     * it, which is the first one in the model. In the same order in every pass. */
    void (*is_final)(void *context, size_t tensor);
    void *context;
};

/* Who wants to see the outputs of a model on their way into the loss. */
struct output_watch {
    /* Called by the model in each pass for terms [first_term, first_term + n) of the leaf, and for all terms from the
     * first to the last, in as many parts as it likes: outputs [n, width] as loss_terms will get them (nn/loss.h). */
    void (*see)(void *context, const struct leaf *leaf, size_t first_term, size_t n, size_t width,
                const float *outputs);
    void *context;
};

/* What a model that goes through a sequence position by position (stepper.h) has kept of those before this one. */
struct past {
    size_t count; /* positions before */
    size_t most;  /* positions that there is room for */
    float **kept; /* [operations] of each layer [most, its keeps]; NULL: it keeps nothing */
};

/* One leaf's pass through the model. */
struct pass {
    const struct compute *compute; /* what products are made with: kernels/compute.h */
    const float *params;           /* arena [P] */
    float *gradient;               /* arena [P]; NULL when evaluating */
    const struct leaf *leaf;
    float *scratch;         /* [the layer's scratch] */
    bool training;          /* dropout drops, batch_norm takes the leaf's statistics */
    uint64_t drop_key;      /* of (seed, step): a layer chains its name's digest to it */
    float statistic_weight; /* a statistic's "gradient" is its value in this leaf times this: the exchange's sum over
                               the leaves, divided as all gradients are, is then the mean over the leaves */
    const struct tensor_watch *watch;   /* the model tells it, not the layers; NULL: nobody wants to know */
    const struct output_watch *viewer;  /* the same */
    const struct past *past;            /* the leaf is one position, behind these; NULL: it is whole sequences */
};

struct model_builder; /* model_build.h */

/* The ends of a residual connection: what they do needs two inputs, so that the model does it. An end belongs to the
 * last begin in front of it that has none yet; a model with one that has no other is refused. And those of concat,
 * which are the house's alone: any number may append what is named. */
enum layer_skip {
    SKIP_NONE = 0,
    SKIP_BEGINS,   /* remembers its input */
    SKIP_ENDS,     /* adds it here, where the input has the same shape again */
    SKIP_IS_NAMED, /* keeps its input until the last that appends it */
    SKIP_APPENDS,  /* the channels of layer->tap's input behind those of its own */
};

/* As what a layer reads the samples of the data, if only layers that read anything are in front of it: bits, of which
 * one or several may be. */
enum layer_reads {
    READS_ANYTHING = 0, /* and gives such a thing again: what it is, others say */
    READS_SEQUENCE = 1,
    READS_IMAGE = 2,
    READS_VOLUME = 4,
    READS_PLANES = READS_IMAGE | READS_VOLUME,
    READS_NUMBERS = 8, /* anything, and what it gives is something else: nothing behind it says what the data are */
};

struct layer_class {
    struct kind kind; /* its name stands in tensor names, too */

    enum layer_reads reads;

    /* Local. Checks settings and layer->in, and fills in what layer above says. Words of an error: what is wrong and
     * what to do; the caller puts the place in front. */
    bool (*build)(struct layer *layer, struct tensor_table *table, struct error *error);

    /* Local. y [M, O] from x [M, I], with M = pass->leaf->rows. `saved` is the layer's own memory until backward.
     * NULL: y is x. x is NULL for the first layer of a model of tokens. */
    void (*forward)(const struct layer *layer, const struct pass *pass, const float *x, float *y, float *saved);

    /* Local. dx [M, I], and this layer's tensors in pass->gradient, from dy [M, O]. Gradients are overwritten, all of
     * each tensor (but see layer->adds). dx may be NULL: not wanted. NULL: dx is dy.
     * x and y are as forward saw and left them, if the class says that it needs them; else they may be NULL. */
    void (*backward)(const struct layer *layer, const struct pass *pass, const float *x, const float *y,
                     const float *saved, const float *dy, float *dx);

    /* Of a sequence position by position, without a gradient: y [outputs of a position] of position n = past->count
     * from its x, and from what this function has kept of those before it in kept [past->most, keeps], where it also
     * keeps what those behind it need. NULL: the layer is by_position, or it cannot be used so. */
    void (*forward_next)(const struct layer *layer, const struct pass *pass, const float *x, float *y, float *kept);

    bool by_position;     /* of a sequence: y of a position depends on its x alone. A tensor whose first size is the
                             sequence's length has a row for each position */
    bool needs_x;         /* backward reads x */
    bool needs_y;         /* backward reads y */
    bool in_place;        /* forward works with y == x, and backward with dx == dy */
    bool takes_tokens;    /* its input are the tokens of the leaf: the first layer of a model of tokens, and no other.
                             With expand: so are those of the first layer that it adds */
    enum layer_skip skip; /* not SKIP_NONE: no forward, no backward */

    /* For a last layer that works on each position by itself: forward and backward of n consecutive positions, x [n,
     * channels in], y [n, channels out], so that a large output is made and used tile by tile. backward overwrites the
     * gradients of its tensors if `first`, else adds to them; dx may be NULL. */
    void (*forward_rows)(const struct layer *layer, const struct pass *pass, size_t n, const float *x, float *y);
    void (*backward_rows)(const struct layer *layer, const struct pass *pass, bool first, size_t n, const float *x,
                          const float *dy, float *dx);

    /* Local. Instead of all of the above: adds other layers (see model_build.h). Only its keys can be lists of
     * sections: the settings that an operation keeps have none. */
    bool (*expand)(struct model_builder *builder, const void *settings, struct error *error);
};

/* The layers that a job file can name. */
extern struct registry layer_registry;

/* Local. What contradicts the above in a class, as words behind its name; NULL: nothing. Borrowed. */
const char *layer_fault(const struct layer_class *class);

/* Local, before jobs are read, and while nobody else reads the registry. Adds a layer to those that a job file can
 * name; it is not copied and stays as it is. ERROR_USAGE: what layer_fault says, and as registry_add. */
bool layer_register(const struct layer_class *class, struct error *error) WARN_UNUSED;

/* The rows of a layer in a job file; their base is a struct layer_spec. */
extern const struct option_row layer_rows[];

/* Local, for build. Adds a tensor named after the layer ("<layer>.<what>") to the table and to layer->tensors. */
void layer_add_tensor(struct layer *layer, struct tensor_table *table, const char *what, struct tensor tensor);

/* Local, for build. Adds the `weight` of a layer with the given fans, initialised as `init` says; `scale` multiplies
 * the initial values, 0 means 1. */
void layer_add_weight(struct layer *layer, struct tensor_table *table, const char *what, size_t dims,
                      const size_t *shape, enum init_kind init, size_t fan_in, size_t fan_out, double scale);

/* Local, for build and expand. Whether the input is a sequence, an image, a volume, or an image or a volume: else
 * ERROR_USAGE that says what it is, and what to do. */
bool layer_wants_sequence(const struct shape *in, struct error *error) WARN_UNUSED;
bool layer_wants_image(const struct shape *in, struct error *error) WARN_UNUSED;
bool layer_wants_volume(const struct shape *in, struct error *error) WARN_UNUSED;
bool layer_wants_planes(const struct shape *in, struct error *error) WARN_UNUSED;

/* Local. The layer's tensor k in the arena of the parameters. */
static inline const float *layer_params(const struct layer *layer, const struct pass *pass, size_t k)
{
    return pass->params + layer->offset[k];
}

/* Local. The same as a side of a product, with rows of `columns` floats. Weights go into products as this: it says
 * which tensor they are. */
static inline struct matrix layer_weight(const struct layer *layer, const struct pass *pass, size_t k, size_t columns)
{
    return (struct matrix){.values = layer_params(layer, pass, k), .stride = columns, .tensor = &layer->tensors[k]};
}

/* Local. The place of its gradient. */
static inline float *layer_gradient(const struct layer *layer, const struct pass *pass, size_t k)
{
    return pass->gradient + layer->offset[k];
}

#endif
