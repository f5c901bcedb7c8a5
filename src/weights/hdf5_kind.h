/* Which of the formats that are HDF5 files a file is. */
#ifndef WEIGHTS_HDF5_KIND_H
#define WEIGHTS_HDF5_KIND_H

#include "weights/weights.h"

#define HDF5_SIGNATURE "\211HDF\r\n\032\n"
#define HDF5_WEIGHTS   "lockstep weights" /* attribute `format` of our own weights files */
#define HDF5_DIGEST    "digest"           /* attribute of a tensor in them */

#define HDF5_KERAS_CONFIG "model_config" /* attribute of a whole model of Keras */
#define HDF5_KERAS_LAYERS "layer_names"  /* of the weights of Keras 2: its layers in order */

/* Local. Of a file that begins with HDF5's signature: checkpoint, weights of our own, or Keras'. NULL and
 * ERROR_CORRUPT, ERROR_IO if it is none of them. */
const struct weights_format *hdf5_kind(const char *path, struct error *error);

/* Local. Whether there is an HDF5 file behind something else at the beginning of this one, of `bytes` bytes: by plain
 * reads, since nothing of it is proven. */
bool hdf5_is_behind(const char *path, uint64_t bytes);

#endif
