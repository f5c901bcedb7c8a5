#include "h5/h5_list.h"

#include "base/memory.h"
#include "h5/contained.h"
#include "h5/h5.h"
#include "h5/h5_bytes.h"

#include <string.h>

#define ROOM        ((size_t)256 << 10) /* bytes of all names */
#define WEIGHT_MOST ((uint64_t)256 << 20)

/* ---- in the process that looks ---- */

struct names {
    char *bytes; /* each with a NUL behind it */
    size_t used, count;
};

static herr_t add(hid_t root, const char *path, const H5O_info_t *info, void *context)
{
    struct names *names = context;
    size_t length = strlen(path) + 1;
    (void)root;
    if (info->type != H5O_TYPE_DATASET)
        return 0;
    if (length > ROOM - names->used || names->count == H5_LIST_MOST)
        return 1;
    memcpy(names->bytes + names->used, path, length);
    names->used += length;
    names->count++;
    return 0;
}

struct whole {
    const uint8_t *bytes;
    uint64_t count;
};

static bool list(hid_t none, void *context, char **answer, size_t *bytes, struct error *error)
{
    const struct whole *whole = context;
    struct h5_bytes all = {.bytes = whole->bytes, .count = whole->count};
    struct names names = {.bytes = memory_alloc(ROOM, 1, "the names of datasets", error)};
    hid_t file;
    (void)none;
    if (!names.bytes)
        return false;
    *answer = names.bytes;
    h5_init();
    if (!h5_bytes_open(&all, &file, error))
        return false;
    if (H5Ovisit(file, H5_INDEX_NAME, H5_ITER_NATIVE, add, &names) < 0)
        return h5_error(error, ERROR_CORRUPT, "what it holds cannot be listed");
    *bytes = names.used;
    return true;
}

/* ---- in the process that has asked ---- */

bool h5_list_read(struct h5_list *list_of, const uint8_t *bytes, uint64_t count, struct error *error)
{
    struct whole whole = {bytes, count};
    char *answer = NULL;
    size_t length = 0, capacity = 0;
    *list_of = (struct h5_list){0};
    bool ok = contained_run_on_memory(count < WEIGHT_MOST ? count : WEIGHT_MOST, list, &whole, &answer, &length, error);
    for (size_t at = 0, name; ok && at < length; at += name + 1) {
        name = strnlen(answer + at, length - at);
        if (name == length - at)
            break; /* not one of ours: it would have its NUL */
        list_of->names = memory_grow(list_of->names, list_of->count, &capacity, sizeof *list_of->names);
        list_of->names[list_of->count++] = memory_text(answer + at);
    }
    memory_free(answer);
    return ok;
}

void h5_list_release(struct h5_list *list_of)
{
    for (size_t i = 0; i < list_of->count; i++)
        memory_free(list_of->names[i]);
    memory_free(list_of->names);
    *list_of = (struct h5_list){0};
}
