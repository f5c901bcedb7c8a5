/* A file of weights of any kind (safetensors and the index of its shards, npz, archives and HDF5 of Keras, HDF5 of our
 * own), recognised by its content as an import does. Every tensor of sane size is loaded. The bytes are also taken for
 * what Keras says of a model. */
#include "base/memory.h"
#include "fuzz.h"
#include "h5/h5.h"
#include "weights/keras_config.h"
#include "weights/weights.h"

#include <stdlib.h>

#define ELEMENTS ((size_t)1 << 22) /* of a tensor that is loaded: an allocation is no fault */

static const struct weights none;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool is_ready;
    struct weights_file file;
    struct error error;
    if (!is_ready)
        h5_init();
    is_ready = true;
    struct keras_config config;
    struct text why;
    char *json = fuzz_text(data, size);
    text_init(&why);
    if (keras_config_read(&config, json, &none, &why))
        keras_config_release(&config);
    text_release(&why);
    free(json);
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
