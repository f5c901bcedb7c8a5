#include "data/whole.h"

#include "base/file.h"
#include "data/content.h"
#include "data/inflate.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static bool look(const char *path, const char *what, struct watched *watched, bool *is_gzip, struct error *error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return error_errno(error, "cannot open %s", path);
    bool ok = watched_init(watched, path, fd, error);
    if (ok && !S_ISREG(watched->known.st_mode))
        ok = content_refuse_irregular(path, watched->known.st_mode, what, error);
    *is_gzip = ok && inflate_is_gzip(fd);
    close(fd);
    return ok;
}

bool whole_open(struct whole *whole, const char *path, const char *what, struct watched *watched,
                const struct inflated_table *table, struct error *error)
{
    bool is_gzip = false;
    *whole = (struct whole){0};
    if (!look(path, what, watched, &is_gzip, error))
        return false;
    if (!is_gzip)
        return file_read(path, &whole->bytes, &whole->count, error);
    if (!inflated_open(&whole->inflated, path, &watched->known, table, error))
        return false;
    whole->bytes = (char *)whole->inflated.bytes;
    whole->count = whole->inflated.count;
    return true;
}

void whole_close(struct whole *whole)
{
    if (whole->inflated.bytes)
        inflated_close(&whole->inflated);
    else
        free(whole->bytes);
    *whole = (struct whole){0};
}
