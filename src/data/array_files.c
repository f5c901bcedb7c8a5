#include "data/array_files.h"

struct parsing {
    struct array *array;
    const struct content *content;
    const struct array_file *file;
    struct error *error;
    bool ok;
};

static void parse_mapped(void *context)
{
    struct parsing *parsing = context;
    const struct content *content = parsing->content;
    parsing->ok = parsing->file->read(parsing->array, content->watched.path, content->bytes, content->count,
                                      parsing->error);
}

static bool open_array(const struct dataset *dataset, struct array *array, struct content *content, const char *format,
                       const char *what, const struct array_file *file, struct error *error)
{
    if (!file->path || !*file->path)
        return error_set(error, ERROR_USAGE, "a dataset of format %s needs the path of its %s", format, file->key);
    struct parsing parsing = {.array = array, .content = content, .file = file, .error = error};
    return content_open(content, file->path, what, dataset_inflated(dataset), error) &&
           content_guard(content, parse_mapped, &parsing, error) && parsing.ok;
}

bool array_files_open(struct dataset *dataset, const char *format, const char *what, const struct array_file *x,
                      const struct array_file *y, struct error *error)
{
    struct array_files *files = dataset->self;
    dataset->files = &files->x.watched;
    if (!open_array(dataset, &files->data.x, &files->x, format, what, x, error))
        return false;
    if (!y)
        return true;
    bool ok = open_array(dataset, &files->data.y, &files->y, format, what, y, error);
    files->x.watched.next = &files->y.watched;
    return ok;
}

void array_files_close(struct array_files *files)
{
    content_close(&files->x);
    content_close(&files->y);
}
