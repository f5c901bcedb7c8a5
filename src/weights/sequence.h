/* Files of a torch.nn.Sequential whose modules have other numbers than here: with a Flatten or a Dropout more, one
 * Sequential inside another, or two of them as torchvision's AlexNet and VGG have (features, classifier). PyTorch
 * counts modules in the order in which they run, so that the n-th that has tensors is the n-th layer here that has
 * some. */
#ifndef WEIGHTS_SEQUENCE_H
#define WEIGHTS_SEQUENCE_H

#include "weights/layout.h"
#include "weights/weights.h"

/* Local. If the file's names are such ones, and its modules are in number and kind the layers of a layout of
 * layout_torch, the rows get the file's names: true. Else nothing changes; if the names are such ones, `why` says what
 * differs. Shapes are not looked at. */
bool sequence_take(struct layout *layout, const struct weights *weights, struct text *why);

#endif
