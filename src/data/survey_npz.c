/* The arrays of an archive of NumPy's. */
#include "base/memory.h"
#include "data/archive.h"
#include "data/array.h"
#include "data/npy_array.h"
#include "data/survey.h"

#include <string.h>

#define MEMBERS_MOST 40 /* that are told */
#define NAME_MOST    100

struct archive {
    struct content content;
    char names[MEMBERS_MOST][NAME_MOST];
    struct survey_array arrays[MEMBERS_MOST];
    size_t count, index; /* arrays so far; the member that is looked at */
    struct archive_member member;
    const uint8_t *bytes; /* of the member */
    struct array array;
    struct error *error;
    bool ok;
};

static void find(void *context)
{
    struct archive *archive = context;
    const struct content *content = &archive->content;
    const char *path = content->watched.path;
    char *name = archive->names[archive->count];
    archive->ok = archive_name(content->bytes, content->count, path, archive->index, name, NAME_MOST, archive->error) &&
                  archive_find(content->bytes, content->count, path, name, &archive->member, archive->error);
}

static void read(void *context)
{
    struct archive *archive = context;
    archive->ok = npy_array_read(&archive->array, archive->names[archive->count], archive->bytes, archive->member.bytes,
                                 archive->error);
}

/* Takes the member that was found, if it is an array; *problem: why it is none. */
static bool take(struct archive *archive, struct survey *survey, struct error *error)
{
    char *name = archive->names[archive->count];
    size_t length = strlen(name);
    uint8_t *owned = NULL;
    struct error why;
    archive->error = &why;
    bool ok = archive_take(&archive->content, &archive->member, name, &archive->bytes, &owned, &why);
    bool is_there = !ok || content_guard(&archive->content, read, archive, error);
    memory_free(owned);
    archive->error = error;
    if (!is_there)
        return false;
    if (!ok || !archive->ok) {
        survey_tell(survey, "  %s", why.text);
        return true;
    }
    if (length > 4 && strcmp(name + length - 4, ".npy") == 0)
        name[length - 4] = '\0';
    archive->arrays[archive->count++] = survey_array_of(&archive->array, name);
    return true;
}

static bool take_all(struct archive *archive, struct survey *survey, struct error *error)
{
    archive->error = error;
    for (archive->index = 0; archive->count < MEMBERS_MOST; archive->index++) {
        if (!content_guard(&archive->content, find, archive, error))
            return false;
        if (!archive->ok)
            return error->kind == ERROR_NONE;
        if (!take(archive, survey, error))
            return false;
    }
    return true;
}

bool survey_npz(const char *const *paths, size_t count, struct survey *survey, struct error *error)
{
    (void)count;
    struct archive *archive = memory_need(1, sizeof *archive);
    bool ok = content_open(&archive->content, paths[0], "an archive of NumPy's", NULL, error);
    if (ok) {
        survey_tell(survey, "%s: an archive of NumPy's", paths[0]);
        ok = take_all(archive, survey, error);
        survey_tell_arrays(survey, paths[0], archive->arrays, archive->count);
        if (ok)
            survey_choose_in(survey, paths[0], archive->arrays, archive->count);
        content_close(&archive->content);
    }
    memory_free(archive);
    return ok;
}
