#include "weights/hdf5_kind.h"

#include "base/memory.h"
#include "checkpoint/h5.h"

#include <string.h>

const struct weights_format *hdf5_kind(const char *path, struct error *error)
{
    const struct weights_format *kind = NULL;
    hid_t file;
    char *format = NULL;
    struct error ignored;
    if (!h5_open(path, H5F_ACC_RDONLY, &file, error))
        return NULL;
    if (H5Aexists(file, "format") > 0 && h5_get_text(file, "format", &format, &ignored)) {
        if (strcmp(format, HDF5_WEIGHTS) == 0)
            kind = &weights_lockstep;
        else if (strncmp(format, "lockstep", 8) == 0)
            kind = &weights_checkpoint; /* whose reader says what is wrong with it */
    } else if (H5Lexists(file, "layers", H5P_DEFAULT) > 0) {
        kind = &weights_keras;
    }
    if (!kind)
        error_set(error, ERROR_CORRUPT,
                  "an HDF5 file, but neither a lockstep checkpoint, nor lockstep weights, nor .weights.h5 of Keras 3 "
                  "(no group /layers)");
    memory_free(format);
    h5_close(file);
    return kind;
}

bool hdf5_is_behind(const char *path)
{
    return H5Fis_hdf5(path) > 0;
}
