/* A directory of class directories: how many images of which sizes. */
#include "base/memory.h"
#include "data/folder_files.h"
#include "data/image_read.h"
#include "data/survey.h"

#define LOOKED_AT    1000 /* images */
#define CLASSES_TOLD 20
#define SIZE         64 /* that is proposed where they differ, unless all are smaller */

struct sizes {
    size_t least, most; /* of all sides */
    size_t seen;
    bool differ;
    bool coloured;        /* one is stored with colours */
    size_t width, height; /* of the first */
};

static bool look(struct folder_files *files, size_t index, struct sizes *sizes, struct folder_bytes *bytes,
                 struct error *error)
{
    struct image image;
    if (!folder_files_prove(files, index, bytes, error))
        return false;
    char *path = folder_files_path(files, index);
    struct image_file file = {bytes->bytes, bytes->count, path};
    bool ok = image_look(&file, &image, error);
    memory_free(path);
    if (!ok)
        return false;
    size_t least = image.width < image.height ? image.width : image.height;
    size_t most = image.width + image.height - least;
    if (sizes->seen++ == 0)
        *sizes = (struct sizes){.least = least, .most = most, .seen = 1, .width = image.width, .height = image.height};
    sizes->coloured = sizes->coloured || image.channels > 2;
    sizes->least = least < sizes->least ? least : sizes->least;
    sizes->most = most > sizes->most ? most : sizes->most;
    sizes->differ = sizes->differ || image.width != sizes->width || image.height != sizes->height;
    return true;
}

static void tell(const struct folder_files *files, const struct sizes *sizes, struct survey *survey)
{
    survey_tell(survey, "%s: %zu images in %zu classes", files->directory.path, files->count, files->names.count);
    for (size_t i = 0; i < files->names.count && i < CLASSES_TOLD; i++)
        survey_tell(survey, "  %s: %zu", files->names.names[i], files->classes[i].count);
    if (files->names.count > CLASSES_TOLD)
        survey_tell(survey, "  ...");
    if (sizes->differ)
        survey_tell(survey, "  sides of %zu to %zu pixels: the squares in their middle are scaled to one size",
                    sizes->least, sizes->most);
    else
        survey_tell(survey, "  %zu x %zu pixels", sizes->width, sizes->height);
    if (!sizes->coloured)
        survey_tell(survey, "  all are grey: one channel");
    if (sizes->seen < files->count)
        survey_tell(survey, "  (of the first %zu images)", sizes->seen);
}

bool survey_folder(const char *const *paths, size_t count, struct survey *survey, struct error *error)
{
    struct folder_files files;
    struct folder_bytes bytes = {0};
    struct sizes sizes = {.seen = 0};
    (void)count;
    if (!folder_files_open(&files, paths[0], error))
        return false;
    bool ok = true;
    for (size_t i = 0; ok && i < files.count && i < LOOKED_AT; i++)
        ok = look(&files, i, &sizes, &bytes, error);
    if (ok) {
        tell(&files, &sizes, survey);
        survey_text(survey, "path", paths[0]);
        if (sizes.differ || sizes.most > 2 * (size_t)SIZE)
            survey_key(survey, "size", "%zu", sizes.least < SIZE ? sizes.least : SIZE);
        if (!sizes.coloured)
            survey_key(survey, "channels", "1");
    }
    memory_free(bytes.bytes);
    folder_files_close(&files);
    return ok;
}
