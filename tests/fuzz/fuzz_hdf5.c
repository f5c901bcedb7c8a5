/* An HDF5 file with the datasets x and y, plain or gzip. All samples are read. */
#include "data/formats.h"
#include "data/hdf5.h"
#include "fuzz.h"
#include "fuzz_data.h"
#include "h5/h5.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool ready;
    char path[64], x[] = "x", y[] = "y";
    if (!ready)
        h5_init();
    ready = true;
    strcpy(path, fuzz_file(0, data, size));
    struct hdf5_settings settings = {.samples = {.part = {0, 1}, .std = 1}, .path = path, .x = x, .y = y};
    fuzz_open(&dataset_hdf5, &settings, &settings);
    return 0;
}
