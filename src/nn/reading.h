/* As what a model reads its samples. Data do not tell sequences from images of one channel, nor volumes of one channel
 * from images: an array [N, A, B] comes as images [1, A, B], and [N, A, B, C] as images [A, B, C]. In memory they are
 * the same, so that it takes no more than another name for the dimensions. */
#ifndef NN_READING_H
#define NN_READING_H

#include "nn/model.h"

/* Local. Inputs of this shape as these layers read them: an image [1, T, C] is a sequence [T, C] in front of a conv1d,
 * an image [D, H, W] a volume [1, D, H, W] in front of a conv3d, unless a layer before that says that it is an image
 * (conv2d), or makes something else of it (dense). Everything else stays what it is. */
struct shape model_reads(const struct model_spec *spec, const struct shape *input);

#endif
