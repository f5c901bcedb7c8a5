/* The settings of concat, and what the model does for it: it has two inputs. */
#ifndef NN_LAYERS_CONCAT_H
#define NN_LAYERS_CONCAT_H

#include "nn/layer.h"

struct concat {
    char *with; /* the name of the other layer */
};

/* Local. y from the layer's input x and `earlier`, of the shape layer->earlier: their channels, x's in front. */
void concat_forward(const struct layer *layer, size_t rows, const float *x, const float *earlier, float *y);

/* Local. The reverse: dx, and the gradient with respect to what was earlier, overwritten or added to; `dearlier` may be
 * NULL: not wanted. */
void concat_backward(const struct layer *layer, size_t rows, const float *dy, float *dx, float *dearlier, bool adds);

#endif
