#include "data/text_tokenizer.h"

#include "data/whole.h"

#include <string.h>

static bool open_file(struct tokenizer *tokenizer, const char *path, struct watched *watched, struct error *error)
{
    struct whole whole;
    bool ok = whole_open(&whole, path, "a tokenizer.json", watched, NULL, error) &&
              (tokenizer_open(tokenizer, whole.bytes, whole.count, error) || error_prefix(error, "%s: ", path));
    whole_close(&whole);
    return ok;
}

bool text_tokenizer_open(struct tokenizer *tokenizer, const char *path, const struct description *train,
                         struct watched *watched, struct error *error)
{
    if (path && train && !train->tokenizer)
        return error_set(error, ERROR_USAGE,
                         "tokenizer %s: the training data has none, its tokens are characters: both must have the same",
                         path);
    if (!path)
        return tokenizer_open(tokenizer, train->tokenizer, strlen(train->tokenizer), error) ||
               error_prefix(error, "the tokenizer of the training data: ");
    if (!open_file(tokenizer, path, watched, error))
        return false;
    if (!train || strcmp(tokenizer->content, train->tokenizer) == 0)
        return true;
    tokenizer_close(tokenizer);
    return error_set(error, ERROR_USAGE,
                     "%s is another tokenizer than that of the training data: leave it out, it is the same", path);
}
