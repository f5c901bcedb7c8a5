/* Keras' .keras (keras-team/keras, src/saving/saving_lib.py): a zip archive of metadata.json, config.json, which
 * describes the layers, and model.weights.h5. Only read. */
#ifndef WEIGHTS_KERAS_ARCHIVE_H
#define WEIGHTS_KERAS_ARCHIVE_H

#include <stdbool.h>
#include <zip.h>

/* Local. Whether an archive is one. */
bool keras_archive_is(zip_t *archive);

#endif
