/* A text to train on; behind the line "----" one to validate on, which has to fit to it. */
#include "data/formats.h"
#include "data/text_format.h"
#include "fuzz.h"
#include "fuzz_data.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t first, second_size;
    const uint8_t *second;
    char train_path[64], validation_path[64];
    fuzz_split(data, size, &first, &second, &second_size);
    strcpy(train_path, fuzz_file(0, data, first));
    strcpy(validation_path, fuzz_file(1, second, second_size));
    struct text_format_settings train = {.path = train_path, .context = 3, .part = {0, 1}}, other = train;
    other.path = validation_path;
    fuzz_open(&dataset_text, &train, &other);
    return 0;
}
