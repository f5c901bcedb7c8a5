/* An IDX file of inputs, plain or gzip; behind the line "----" that of labels or targets. All samples are read. */
#include "data/formats.h"
#include "data/idx.h"
#include "fuzz.h"
#include "fuzz_data.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t first, second_size;
    const uint8_t *second;
    char images[64], labels[64];
    fuzz_split(data, size, &first, &second, &second_size);
    strcpy(images, fuzz_file(0, data, first));
    strcpy(labels, fuzz_file(1, second, second_size));
    struct idx_settings settings = {.samples = {.part = {0, 1}, .std = 1}, .images = images, .labels = labels};
    fuzz_open(&dataset_idx, &settings, &settings);
    return 0;
}
