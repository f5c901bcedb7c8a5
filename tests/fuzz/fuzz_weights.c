/* A file of weights of any kind (safetensors, npz, HDF5 of Keras or of our own), recognised by its content as an import
 * does. Every tensor of sane size is loaded. */
#include "base/memory.h"
#include "fuzz.h"
#include "h5/h5.h"
#include "weights/weights.h"

#define ELEMENTS ((size_t)1 << 22) /* of a tensor that is loaded: an allocation is no fault */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool is_ready;
    struct weights_file file;
    struct error error;
    if (!is_ready)
        h5_init();
    is_ready = true;
    if (!weights_open(&file, fuzz_file(0, data, size), false, &error))
        return 0;
    for (size_t t = 0; t < file.weights.count; t++) {
        size_t count = file.weights.tensors[t].count;
        float *values = count <= ELEMENTS ? memory_need(count, sizeof *values) : NULL;
        bool loaded = values && weights_load(&file, t, values, &error);
        (void)loaded;
        memory_free(values);
    }
    weights_close(&file);
    return 0;
}
