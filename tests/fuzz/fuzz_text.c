/* A text to train on; behind the line "----" one to validate on, which has to fit to it. */
#include "data/formats.h"
#include "data/text_format.h"
#include "fuzz.h"

#include <string.h>

static void read_some(const struct dataset *dataset)
{
    struct leaf leaf;
    struct error error;
    if (!leaf_init(&leaf, &dataset->form, 1, &error))
        return;
    for (uint64_t sample = 0; sample < dataset->count && sample < 64; sample++)
        dataset_read(dataset, &(uint64_t){dataset->count - 1 - sample}, 1, &leaf);
    leaf_release(&leaf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t first, second_size;
    const uint8_t *second;
    char train_path[64], validation_path[64];
    struct dataset train, validation;
    struct error error;
    fuzz_split(data, size, &first, &second, &second_size);
    strcpy(train_path, fuzz_file(0, data, first));
    strcpy(validation_path, fuzz_file(1, second, second_size));
    struct text_format_settings settings = {.path = train_path, .context = 3, .part = {0, 1}};
    struct dataset_spec spec = {&dataset_text, &settings};
    if (!dataset_open(&train, &spec, NULL, &error))
        return 0;
    read_some(&train);
    settings.path = validation_path;
    if (dataset_open(&validation, &spec, &train, &error)) {
        read_some(&validation);
        dataset_close(&validation);
    }
    dataset_close(&train);
    return 0;
}
