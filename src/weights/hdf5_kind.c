#include "weights/hdf5_kind.h"

#include "base/file.h"
#include "base/memory.h"
#include "h5/contained.h"
#include "h5/h5.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define KINDS 5

#define BEHIND_FIRST 512 /* where HDF5 looks for its signature if it is not at the beginning; then twice as far */

/* In a process of its own: the number of a kind. */
static bool find_kind(hid_t file, void *context, char **answer, size_t *bytes, struct error *error)
{
    char *format = NULL;
    struct error ignored;
    const struct weights_format **kind = context, *found = NULL;
    if (H5Aexists(file, "format") > 0 && h5_get_text(file, "format", &format, &ignored)) {
        if (strcmp(format, HDF5_WEIGHTS) == 0)
            found = &weights_lockstep;
        else if (strncmp(format, "lockstep", 8) == 0)
            found = &weights_checkpoint; /* whose reader says what is wrong with it */
    } else if (H5Lexists(file, "layers", H5P_DEFAULT) > 0) {
        found = &weights_keras;
    } else if (H5Lexists(file, "model_weights", H5P_DEFAULT) > 0 && H5Aexists(file, HDF5_KERAS_CONFIG) > 0) {
        found = &weights_keras_whole;
    } else if (H5Aexists(file, HDF5_KERAS_LAYERS) > 0) {
        found = &weights_keras_old;
    }
    memory_free(format);
    for (size_t k = 0; kind[k]; k++)
        if (kind[k] == found) {
            *answer = memory_need(1, 1);
            **answer = (char)k;
            *bytes = 1;
        }
    return found != NULL ||
           error_set(error, ERROR_CORRUPT,
                     "an HDF5 file, but neither a lockstep checkpoint, nor lockstep weights, nor "
                     ".weights.h5 of Keras 3 (no group /layers), nor a whole model of Keras (no "
                     "/model_weights and " HDF5_KERAS_CONFIG "), nor save_weights of Keras 2 (no " HDF5_KERAS_LAYERS
                     "; its .weights.h5 is not read: save the model as .keras)");
}

const struct weights_format *hdf5_kind(const char *path, struct error *error)
{
    static const struct weights_format *const kinds[] = {&weights_lockstep,    &weights_checkpoint, &weights_keras,
                                                         &weights_keras_whole, &weights_keras_old,  NULL};
    char *answer = NULL;
    size_t bytes = 0, kind = KINDS;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    bool ok = fd >= 0 || error_errno(error, "cannot open it");
    ok = ok && contained_run(path, fd, CONTAINED_ROOT, find_kind, (void *)kinds, &answer, &bytes, error);
    if (ok && bytes == 1 && answer[0] >= 0 && answer[0] < KINDS)
        kind = (size_t)answer[0];
    if (ok && kind == KINDS)
        error_set(error, ERROR_CORRUPT, "it is of no kind");
    memory_free(answer);
    if (fd >= 0)
        close(fd);
    return kinds[kind];
}

bool hdf5_is_behind(const char *path, uint64_t bytes)
{
    uint8_t there[sizeof HDF5_SIGNATURE - 1];
    bool found = false;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    for (uint64_t place = BEHIND_FIRST; fd >= 0 && !found && place < bytes; place *= 2)
        found = file_read_at(fd, there, sizeof there, place) == sizeof there &&
                memcmp(there, HDF5_SIGNATURE, sizeof there) == 0;
    if (fd >= 0)
        close(fd);
    return found;
}
