/* What Keras says of a model: which layers it has, in the order in which they run, those of models inside it included.
 */
#ifndef WEIGHTS_KERAS_CONFIG_H
#define WEIGHTS_KERAS_CONFIG_H

#include "base/error.h"
#include "base/text.h"
#include "weights/weights.h"

#include <stddef.h>

/* Where Keras 3 keeps the layers of a model, and where the .keras of Keras 2 does. */
#define KERAS_LAYERS  "layers"
#define KERAS2_LAYERS "_layer_checkpoint_dependencies"

struct keras_layer {
    char *class; /* as files of Keras 3 call it: "conv2d" */
    char *path;  /* of its group in the file: "layers/functional/layers/conv2d_1" */
    char *name;  /* its own: "block1_conv2" */
    char *top;   /* that of the layer of the outermost model that it is, or is in */
};

struct keras_config {
    struct keras_layer *layers;
    size_t count, capacity;
};

/* Local. From the configuration that Keras writes as JSON, of Sequential and of functional models; paths are those of
 * Keras 3, or of Keras 2 if `weights` has names of its .keras. False: `why` says why the layers are no chain, each with
 * the output of the one before as its input, or that it is no such configuration. Nothing stays then. */
bool keras_config_read(struct keras_config *config, const char *json, const struct weights *weights, struct text *why);

/* Local. Accepts a released one. */
void keras_config_release(struct keras_config *config);

#endif
