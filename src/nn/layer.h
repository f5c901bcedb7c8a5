/* A layer: one interface, one file per kind, one row of LAYERS. (A key that no layer had before is a row in
 * job/options.c.)
 *
 * A layer is either an operation (build, forward, backward) or a composition (expand): a short name for several others,
 * which stand in the model in its place.
 *
 * Letters: M rows (samples) of a leaf; I inputs and O outputs of a sample; T positions of a sequence; C channels; H, W
 * height and width. Everything is row-major, images are [M, C, H, W], sequences [M, T, C]. */
#ifndef NN_LAYER_H
#define NN_LAYER_H

#include "base/error.h"
#include "base/leaf.h"
#include "nn/initialisation.h"
#include "nn/tensor.h"

#include <stddef.h>
#include <stdint.h>

/* clang-format off */
#define LAYERS(ROW)                    /* name in job files, and of the class layer_NAME in NAME.c */ \
    ROW(DENSE, dense)                  \
    ROW(CONV2D, conv2d)                \
    ROW(MAX_POOL, max_pool)            \
    ROW(AVG_POOL, avg_pool)            \
    ROW(GLOBAL_AVG_POOL, global_avg_pool) \
    ROW(FLATTEN, flatten)              \
    ROW(RELU, relu)                    \
    ROW(GELU, gelu)                    \
    ROW(TANH, tanh)                    \
    ROW(SIGMOID, sigmoid)              \
    ROW(SILU, silu)                    \
    ROW(DROPOUT, dropout)              \
    ROW(LAYER_NORM, layer_norm)        \
    ROW(RMS_NORM, rms_norm)            \
    ROW(GROUP_NORM, group_norm)        \
    ROW(BATCH_NORM, batch_norm)        \
    ROW(RESIDUAL, residual)            \
    ROW(REPEAT, repeat)                \
    ROW(EMBEDDING, embedding)          \
    ROW(POSITION_EMBEDDING, position_embedding) \
    ROW(ATTENTION, attention)          \
    ROW(TRANSFORMER, transformer)      \
    ROW(LM_HEAD, lm_head)
/* clang-format on */

#define LAYER_ENUM(KIND, name) LAYER_##KIND,
enum layer_kind {
    LAYER_NONE = 0,
    LAYERS(LAYER_ENUM) LAYER_KINDS,
    /* Parts of compositions, which a job file cannot name. */
    LAYER_FORK = LAYER_KINDS, /* residual: remembers its input ... */
    LAYER_JOIN,               /* ... and adds it here; these two have no forward and backward: the model does it */
    LAYER_ATTEND,             /* attention between its two dense layers */
    LAYER_KINDS_ALL
};

#define PADDING_SAME UINT64_MAX /* the output has ceil(size / stride): zeros on both sides, the odd one behind */

enum gelu_form {
    GELU_NONE = 0,
    GELU_EXACT, /* x Phi(x) */
    GELU_TANH,  /* the approximation of GPT-2 */
};

/* What a job file says about one layer; keys that a kind does not have are 0. */
struct layer_spec {
    enum layer_kind kind;
    uint64_t units;            /* dense */
    bool bias;                 /* dense, conv2d, attention, transformer, lm_head */
    uint64_t filters;          /* conv2d */
    uint64_t kernel;           /* conv2d: side of the square */
    uint64_t stride;           /* conv2d, pools; pools: 0 means their size */
    uint64_t padding;          /* conv2d: zeros on each side, or PADDING_SAME */
    uint64_t size;             /* pools: side of the square */
    uint64_t groups;           /* group_norm */
    uint64_t width;            /* embedding: channels */
    uint64_t heads;            /* attention, transformer */
    bool causal;               /* attention, transformer: a position sees only itself and those before */
    uint64_t blocks;           /* transformer */
    double ratio;              /* transformer: width of the hidden layer / channels */
    double rate;               /* dropout: share that is dropped; attention, transformer: of their outputs */
    double epsilon;            /* norms: added to the variance */
    double momentum;           /* batch_norm: weight of the new statistics */
    enum gelu_form form;       /* gelu, transformer */
    enum init_kind init;       /* layers with weights */
    bool tied;                 /* lm_head: uses the embedding's weights */
    uint64_t times;            /* repeat */
    struct layer_spec *layers; /* residual, repeat: [count] */
    size_t count;
    double init_scale; /* not in job files: the initial weights are multiplied by this; 0 means 1 */
};

#define LAYER_TENSORS 4

/* An operation in its place. Weights and gradients are given as whole arenas; the layer's tensors lie at their
 * offsets. */
struct layer {
    const struct layer_class *class;
    struct layer_spec spec;
    char name[80];     /* "3.residual.0.conv2d": names of its tensors begin with it */
    struct shape in;   /* of a sample */
    struct shape out;  /* set by build */
    size_t inputs;     /* I */
    size_t outputs;    /* O; set after build */
    size_t rows;       /* M at most: what `saved` and `scratch` must suffice for */
    size_t vocabulary; /* of the input's tokens; 0: floats */

    /* Set by build, where they are not 0. */
    size_t tensor_count;
    size_t tensors[LAYER_TENSORS]; /* indices in the table */
    size_t saved;                  /* floats of a leaf that forward leaves for backward, besides x and y */
    size_t scratch;                /* floats of workspace for one call; shared by all layers, nothing stays in it */
    double flops;                  /* additions and multiplications of the matrix products of forward, for a sample */

    /* Set when the whole model is known. */
    size_t offset[LAYER_TENSORS]; /* of the tensors in an arena, floats */
    bool adds[LAYER_TENSORS];     /* backward adds to this tensor's gradient: a later layer of the same leaf (a tied
                                     lm_head) has written it already. Else it overwrites. */
};

/* One leaf's pass through the model. */
struct pass {
    const float *params; /* arena [P] */
    float *gradient;     /* arena [P]; NULL when evaluating */
    const struct leaf *leaf;
    float *scratch;         /* [the layer's scratch] */
    bool training;          /* dropout drops, batch_norm takes the leaf's statistics */
    uint64_t drop_key;      /* of (seed, step): a layer chains its name's digest to it */
    float statistic_weight; /* a statistic's "gradient" is its value in this leaf times this: the exchange's sum over
                               the leaves, divided as all gradients are, is then the mean over the leaves */
};

struct model_builder; /* model_build.h */

struct layer_class {
    const char *name; /* in tensor names and messages; as in job files */

    /* Local. Checks spec and layer->in, and fills in what layer above says. Words of an error: what is wrong and what
     * to do; the caller puts the place in front. */
    bool (*build)(struct layer *layer, struct tensor_table *table, struct error *error);

    /* Local. y [M, O] from x [M, I], with M = pass->leaf->rows. `saved` is the layer's own memory until backward.
     * NULL: y is x. x is NULL for the first layer of a model of tokens. */
    void (*forward)(const struct layer *layer, const struct pass *pass, const float *x, float *y, float *saved);

    /* Local. dx [M, I], and this layer's tensors in pass->gradient, from dy [M, O]. Gradients are overwritten, all of
     * each tensor (but see layer->adds). dx may be NULL: not wanted. NULL: dx is dy.
     * x and y are as forward saw and left them, if the class says that it needs them; else they may be NULL. */
    void (*backward)(const struct layer *layer, const struct pass *pass, const float *x, const float *y,
                     const float *saved, const float *dy, float *dx);

    bool needs_x;  /* backward reads x */
    bool needs_y;  /* backward reads y */
    bool in_place; /* forward works with y == x, and backward with dx == dy */

    /* For a last layer that works on each position by itself: forward and backward of n consecutive positions, x [n,
     * channels in], y [n, channels out], so that a large output is made and used tile by tile. backward overwrites the
     * gradients of its tensors if `first`, else adds to them; dx may be NULL. */
    void (*forward_rows)(const struct layer *layer, const float *params, size_t n, const float *x, float *y);
    void (*backward_rows)(const struct layer *layer, const struct pass *pass, bool first, size_t n, const float *x,
                          const float *dy, float *dx);

    /* Local. Instead of all of the above: adds other layers (see model_build.h). */
    bool (*expand)(struct model_builder *builder, const struct layer_spec *spec, struct error *error);
};

/* By kind; NULL where there is none. */
extern const struct layer_class *const layer_classes[LAYER_KINDS_ALL];

/* By kind, as in job files; [0] is NULL, and one behind the last is NULL: names of LAYERS only. */
extern const char *const layer_names[LAYER_KINDS + 1];

#define LAYER_EXTERN(KIND, name) extern const struct layer_class layer_##name;
LAYERS(LAYER_EXTERN)
extern const struct layer_class layer_fork, layer_join; /* residual.c */
extern const struct layer_class layer_attend;           /* attend.c */

/* Local, for build. Adds a tensor named after the layer ("<layer>.<what>") to the table and to layer->tensors. */
void layer_add_tensor(struct layer *layer, struct tensor_table *table, const char *what, struct tensor tensor);

/* Local, for build. Adds the `weight` of a layer with the given fans: initialised as spec.init and spec.init_scale say.
 */
void layer_add_weight(struct layer *layer, struct tensor_table *table, const char *what, size_t dims,
                      const size_t *shape, size_t fan_in, size_t fan_out);

/* Local, for build and expand. Whether the input is a sequence, or an image: else ERROR_USAGE that says what it is, and
 * what to do. */
bool layer_wants_sequence(const struct shape *in, struct error *error) WARN_UNUSED;
bool layer_wants_image(const struct shape *in, struct error *error) WARN_UNUSED;

/* Local. The layer's tensor k in an arena. */
static inline const float *layer_params(const struct layer *layer, const struct pass *pass, size_t k)
{
    return pass->params + layer->offset[k];
}
static inline float *layer_gradient(const struct layer *layer, const struct pass *pass, size_t k)
{
    return pass->gradient + layer->offset[k];
}

#endif
