/* An archive of .npy files with the members x and y, plain or gzip. All samples are read. */
#include "data/formats.h"
#include "data/npz.h"
#include "fuzz.h"
#include "fuzz_data.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64], x[] = "x", y[] = "y";
    strcpy(path, fuzz_file(0, data, size));
    struct npz_settings settings = {.samples = {.part = {0, 1}, .std = 1}, .path = path, .x = x, .y = y};
    fuzz_open(&dataset_npz, &settings, &settings);
    return 0;
}
