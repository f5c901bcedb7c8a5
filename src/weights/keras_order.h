/* Files of Keras that tell their layers (weights->layers): matched in the order in which the layers run, so that what
 * they are called, and whether they stand in models inside the model, does not matter. */
#ifndef WEIGHTS_KERAS_ORDER_H
#define WEIGHTS_KERAS_ORDER_H

#include "weights/layout.h"
#include "weights/weights.h"

/* Local. Of a layout of layout_keras: rows of the layers that the file's are in number and class get the file's names,
 * from the first on; the others names that no file has, so that a layer is never taken for another one, and `why` says
 * what differs. Shapes are not looked at. is_whole: names are those of a whole model's .h5. False: the file does not
 * tell its layers, and nothing changes. */
bool keras_order_take(struct layout *layout, const struct model *model, const struct weights *weights, bool is_whole,
                      struct text *why);

/* Local. Layers of which the file has another number of tensors than the layout, where that makes others of them: a
 * normalization without scale or center. Appends a line for each. */
void keras_order_check(const struct layout *layout, const struct weights *weights, struct text *wrong);

#endif
