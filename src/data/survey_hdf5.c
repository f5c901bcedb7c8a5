/* The datasets of HDF5 and NetCDF-4 files. Of several files the first one tells. */
#include "base/memory.h"
#include "base/pattern.h"
#include "base/plural.h"
#include "data/content.h"
#include "data/survey.h"
#include "h5/h5_list.h"
#include "h5/h5_look.h"

#include <stdio.h>
#include <string.h>

#define DATASETS_MOST 40 /* that are told */

static const char *const kinds[] = {
    [H5_ARRAY_SIGNED] = "int", [H5_ARRAY_UNSIGNED] = "uint", [H5_ARRAY_FLOAT] = "float"};

struct datasets {
    char types[DATASETS_MOST][64];
    struct survey_array arrays[DATASETS_MOST]; /* [count] */
    size_t count;
};

static void add(struct datasets *datasets, const char *name, const struct h5_array *about)
{
    char *type = datasets->types[datasets->count];
    struct survey_array *array = &datasets->arrays[datasets->count++];
    snprintf(type, sizeof datasets->types[0], "%s%zu%s%s", kinds[about->kind], 8 * about->bytes,
             about->storage != H5_ARRAY_CHUNKED ? ""
             : about->filter_count > 0          ? " in packed chunks"
                                                : " in chunks",
             about->is_scaled ? " with scale_factor or add_offset" : "");
    *array = (struct survey_array){
        .name = name, .type = type, .is_whole = about->kind != H5_ARRAY_FLOAT, .dims = about->dims};
    memcpy(array->size, about->size, sizeof array->size);
}

/* Each is looked at by itself: one that is no numbers does not hide the others. */
static void look(const struct content *content, const struct h5_list *list, struct datasets *datasets,
                 struct survey *survey)
{
    for (size_t i = 0; i < list->count && i < DATASETS_MOST; i++) {
        const char *name = list->names[i];
        struct h5_array about;
        struct error why;
        if (!h5_look(content->bytes, content->count, &name, 1, &about, &why)) {
            survey_tell(survey, "  %s", why.text);
            continue;
        }
        add(datasets, name, &about);
        h5_array_release(&about);
    }
}

static bool tell(const char *path, const char *pattern, struct survey *survey, struct error *error)
{
    struct content content;
    struct h5_list list;
    if (!content_open(&content, path, "an HDF5 file", NULL, error))
        return false;
    struct datasets *datasets = memory_need(1, sizeof *datasets);
    bool ok = h5_list_read(&list, content.bytes, content.count, error) || error_prefix(error, "%s: ", path);
    if (ok) {
        survey_tell(survey, "%s: HDF5, %zu dataset%s", path, list.count, list.count == 1 ? "" : "s");
        look(&content, &list, datasets, survey);
        survey_tell_arrays(survey, path, datasets->arrays, datasets->count);
        if (list.count > DATASETS_MOST)
            survey_tell(survey, "  ...");
        survey_choose_in(survey, pattern, datasets->arrays, datasets->count);
    }
    h5_list_release(&list);
    memory_free(datasets);
    content_close(&content);
    return ok;
}

bool survey_hdf5(const char *const *paths, size_t count, struct survey *survey, struct error *error)
{
    struct pattern pattern;
    (void)count;
    if (!pattern_find(&pattern, paths[0], error))
        return false;
    bool ok = tell(pattern.paths[0], paths[0], survey, error);
    if (ok && pattern.count > 1)
        survey_tell(survey, "and %zu more file%s", pattern.count - 1, plural(pattern.count - 1));
    pattern_release(&pattern);
    return ok;
}
