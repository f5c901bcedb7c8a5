/* A file of tokens to train on, by its header if it has one, else as uint16 and as uint32; behind the line "----" one
 * to validate on, which has to fit to it. */
#include "data/formats.h"
#include "data/tokens.h"
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

static void open_both(char *train_path, char *validation_path, enum token_type type)
{
    struct tokens_settings settings = {.path = train_path, .context = 3, .part = {0, 1}, .type = type};
    struct dataset_spec spec = {&dataset_tokens, &settings};
    struct dataset train, validation;
    struct error error;
    if (!dataset_open(&train, &spec, NULL, &error))
        return;
    read_some(&train);
    settings.path = validation_path;
    if (dataset_open(&validation, &spec, &train, &error)) {
        read_some(&validation);
        dataset_close(&validation);
    }
    dataset_close(&train);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t first, second_size;
    const uint8_t *second;
    char train_path[64], validation_path[64];
    fuzz_split(data, size, &first, &second, &second_size);
    strcpy(train_path, fuzz_file(0, data, first));
    strcpy(validation_path, fuzz_file(1, second, second_size));
    open_both(train_path, validation_path, TOKEN_AUTO);
    open_both(train_path, validation_path, TOKEN_UINT32);
    return 0;
}
