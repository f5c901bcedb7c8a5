/* A .npy file of inputs, plain or gzip; behind the line "----" that of labels or targets. All samples are read. */
#include "data/formats.h"
#include "data/npy.h"
#include "fuzz.h"
#include "fuzz_data.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t first, second_size;
    const uint8_t *second;
    char x[64], y[64];
    fuzz_split(data, size, &first, &second, &second_size);
    strcpy(x, fuzz_file(0, data, first));
    strcpy(y, fuzz_file(1, second, second_size));
    struct npy_settings settings = {.samples = {.part = {0, 1}, .std = 1}, .x = x, .y = y};
    fuzz_open(&dataset_npy, &settings, &settings);
    return 0;
}
