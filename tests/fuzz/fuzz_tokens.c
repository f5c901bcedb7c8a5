/* A file of tokens to train on, by its header if it has one, else as uint16 and as uint32; behind the line "----" one
 * to validate on, which has to fit to it. */
#include "data/formats.h"
#include "data/tokens.h"
#include "fuzz.h"
#include "fuzz_data.h"

#include <string.h>

static void open_both(char *train_path, char *validation_path, enum token_type type)
{
    struct tokens_settings train = {.path = train_path, .context = 3, .part = {0, 1}, .type = type}, other = train;
    other.path = validation_path;
    fuzz_open(&dataset_tokens, &train, &other);
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
