/* Building a model: from a tree of layer specs to a row of operations. For model.c and for compositions (residual,
 * repeat, attention, transformer). */
#ifndef NN_MODEL_BUILD_H
#define NN_MODEL_BUILD_H

#include "nn/layer.h"

#define MODEL_DEPTH      16    /* compositions in compositions, at most */
#define MODEL_OPEN       32    /* residual connections that have begun and not ended, at most */
#define MODEL_NAMES      100   /* of layers that one can mean at a place, at most */
#define MODEL_OPERATIONS 10000 /* at most: repeats of repeats grow fast */

/* A layer with a name. */
struct model_name {
    const char *name; /* borrowed from its spec */
    size_t tap;       /* the operation that keeps its output */
};

struct model_builder {
    const struct compute *compute; /* of the passes */
    struct tensor_table *table;
    struct layer *layers; /* operations so far; grows */
    size_t count, capacity;
    struct shape shape; /* of a sample behind the last operation */
    size_t rows;        /* M */
    size_t vocabulary;  /* of the data; 0: floats */
    bool is_tokens;     /* nothing has turned the tokens into floats yet */
    size_t embedding;   /* of the layer that has: its tensor of TENSOR_EMBEDDING; TENSOR_NONE: there is none */
    char name[80];      /* of the composition being expanded; "" at the top */
    size_t depth;

    size_t begins[MODEL_OPEN]; /* operations whose residual connection has not ended yet: an end is the last one's */
    size_t open;               /* how many */

    struct model_name names[MODEL_NAMES]; /* those that a layer which is added now can mean */
    size_t name_count;
    size_t found; /* of the last that was meant: its tap */
};

/* Local. Adds a layer behind the others; its name is builder->name, "." and `name`. Of the settings (NULL for a class
 * without) an operation gets a copy, which is released with it; a composition reads them where they are. Errors begin
 * with the layer's full name and kind. */
bool model_builder_add(struct model_builder *builder, const struct layer_class *class, const void *settings,
                       const char *name, struct error *error) WARN_UNUSED;

/* Local. Adds a list: names are "<place>.<kind>". What a spec of it is called, layers can mean that are added behind
 * it until the list ends. ERROR_USAGE: the name is taken, or there are too many. */
bool model_builder_add_list(struct model_builder *builder, const struct layer_spec *specs, size_t count,
                            struct error *error) WARN_UNUSED;

/* Local. Everything between begin and end is added to what was there at begin: y = x + f(x). ERROR_USAGE: too many have
 * begun; none has; or what is there has another shape than what was. The same of layers that begin and end connections
 * (layer_class.skip). */
bool model_builder_begin_residual(struct model_builder *builder, struct error *error) WARN_UNUSED;
bool model_builder_end_residual(struct model_builder *builder, struct error *error) WARN_UNUSED;

/* Local. Adds an operation whose output is the channels of what is there, and behind them those of the output of the
 * layer with this name. ERROR_USAGE: none has it; the shapes do not fit. */
bool model_builder_append(struct model_builder *builder, const char *name, struct error *error) WARN_UNUSED;

/* Local. All layers are there. ERROR_USAGE names one that begins a residual connection which nothing ends. */
bool model_builder_finish(const struct model_builder *builder, struct error *error) WARN_UNUSED;

/* Local. Frees what the builder, or the model that it has made, holds of an operation. */
void model_builder_release_layer(struct layer *layer);

#endif
