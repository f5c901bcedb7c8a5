/* Arrays that have a file each: those of NumPy, and IDX. */
#include "data/array_files.h"
#include "data/idx_file.h"
#include "data/npy_array.h"
#include "data/survey.h"

#define FILES_MOST 2

struct reading {
    const struct content *content;
    bool (*read)(struct array *array, const char *name, const uint8_t *bytes, size_t count, struct error *error);
    struct array array;
    struct survey *alone; /* gets what the numbers are; NULL: the samples will tell */
    struct error *error;
    bool ok;
};

static void read(void *context)
{
    struct reading *reading = context;
    const struct content *content = reading->content;
    reading->ok = reading->read(&reading->array, content->watched.path, content->bytes, content->count, reading->error);
}

static void look(void *context)
{
    struct reading *reading = context;
    reading->ok = survey_tell_numbers(reading->alone, &reading->array, reading->error);
}

/* How the files of a format are read: as inputs, or else as targets; and the keys of the two. */
struct files {
    bool (*inputs)(struct array *array, const char *name, const uint8_t *bytes, size_t count, struct error *error);
    bool (*targets)(struct array *array, const char *name, const uint8_t *bytes, size_t count, struct error *error);
    const char *x, *y;
    const char *what;
};

/* alone: gets what the numbers are; NULL: the samples will tell. */
static bool tell(const struct files *files, const char *path, struct survey_array *told, struct survey *alone,
                 struct error *error)
{
    struct content content;
    if (!content_open(&content, path, files->what, NULL, error))
        return false;
    struct reading reading = {.content = &content, .read = files->inputs, .error = error};
    bool ok = content_guard(&content, read, &reading, error);
    if (ok && !reading.ok) {
        reading.read = files->targets;
        ok = content_guard(&content, read, &reading, error) && reading.ok;
    }
    if (ok)
        *told = survey_array_of(&reading.array, path);
    if (ok && alone) {
        reading.alone = alone;
        survey_tell_arrays(alone, NULL, told, 1);
        ok = content_guard(&content, look, &reading, error) && reading.ok;
    }
    content_close(&content);
    return ok;
}

static bool survey_arrays(const struct files *files, const char *const *paths, size_t count, struct survey *survey,
                          struct error *error)
{
    struct survey_array arrays[FILES_MOST] = {{0}};
    size_t x, y;
    for (size_t i = 0; i < count; i++)
        if (!tell(files, paths[i], &arrays[i], count < FILES_MOST ? survey : NULL, error))
            return false;
    if (count == FILES_MOST)
        survey_tell_arrays(survey, NULL, arrays, count);
    if (count < FILES_MOST)
        survey_tell(survey, "one array: give the files of inputs and of targets together");
    else if (survey_choose(arrays, count, &x, &y) == CHOICE_NONE)
        survey_wonder(survey, "the two have different numbers of rows: they do not belong together");
    else {
        survey_text(survey, files->x, paths[x]);
        survey_text(survey, files->y, paths[y]);
    }
    return true;
}

bool survey_npy(const char *const *paths, size_t count, struct survey *survey, struct error *error)
{
    static const struct files files = {npy_array_read, npy_array_read, "x", "y", "a NumPy file"};
    return survey_arrays(&files, paths, count, survey, error);
}

bool survey_idx(const char *const *paths, size_t count, struct survey *survey, struct error *error)
{
    static const struct files files = {idx_file_inputs, idx_file_targets, "images", "labels", "an IDX file"};
    return survey_arrays(&files, paths, count, survey, error);
}
