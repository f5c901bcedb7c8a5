#include "data/text_tokenizer.h"

#include "base/file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool text_tokenizer_look(const char *path, const char *what, struct watched *watched, struct error *error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return error_errno(error, "cannot open %s", path);
    bool ok = watched_init(watched, path, fd, error);
    close(fd);
    mode_t mode = watched->known.st_mode;
    if (ok && !S_ISREG(mode) && !S_ISDIR(mode))
        ok = error_set(error, ERROR_USAGE, "%s is not a regular file: give the path of %s", path, what);
    return ok;
}

static bool open_file(struct tokenizer *tokenizer, const char *path, struct watched *watched, struct error *error)
{
    char *bytes;
    size_t count;
    if (!text_tokenizer_look(path, "a tokenizer.json", watched, error) || !file_read(path, &bytes, &count, error))
        return false;
    bool ok = tokenizer_open(tokenizer, bytes, count, error) || error_prefix(error, "%s: ", path);
    free(bytes);
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
