#include "data/hdf5_file.h"

#include "base/memory.h"
#include "base/plural.h"
#include "base/text.h"
#include "h5/h5_look.h"

#include <string.h>

#define SIGNATURE "\211HDF\r\n\032\n"
#define FIRST     512 /* where it may be if not at the beginning; then twice as far, again and again */

static const enum array_type types[][9] = {
    [H5_ARRAY_SIGNED] = {[1] = ARRAY_I8, [2] = ARRAY_I16, [4] = ARRAY_I32, [8] = ARRAY_I64},
    [H5_ARRAY_UNSIGNED] = {[1] = ARRAY_U8, [2] = ARRAY_U16, [4] = ARRAY_U32, [8] = ARRAY_U64},
    [H5_ARRAY_FLOAT] = {[2] = ARRAY_F16, [4] = ARRAY_F32, [8] = ARRAY_F64},
};

static bool has_signature(const uint8_t *bytes, size_t count, size_t at)
{
    return count >= sizeof SIGNATURE - 1 && at <= count - (sizeof SIGNATURE - 1) &&
           memcmp(bytes + at, SIGNATURE, sizeof SIGNATURE - 1) == 0;
}

bool hdf5_file_knows(const uint8_t *bytes, size_t count)
{
    size_t at = 0;
    while (at < count && !has_signature(bytes, count, at))
        at = at == 0 ? FIRST : 2 * at;
    return at < count;
}

struct looking {
    const struct content *content;
    bool is_hdf5;
    const char *known; /* what it is if not */
};

static void look_for_signature(void *context)
{
    struct looking *looking = context;
    const struct content *content = looking->content;
    looking->is_hdf5 = hdf5_file_knows(content->bytes, content->count);
    looking->known = content_seems(content->watched.path, content->bytes, content->count);
}

static bool check_kind(const struct content *content, struct error *error)
{
    struct looking looking = {.content = content};
    if (!content_guard(content, look_for_signature, &looking, error))
        return false;
    return looking.is_hdf5 ||
           error_set(error, ERROR_CORRUPT, "%s is not an HDF5 file%s%s", content->watched.path,
                     looking.known ? ", but " : ": h5py and NetCDF-4 write such", looking.known ? looking.known : "");
}

/* The array of what is there; elements of what lies in one piece. */
static bool place(struct hdf5_file *file, struct hdf5_dataset *dataset, const char *name, struct error *error)
{
    const struct h5_array *about = &dataset->about;
    struct array *array = &dataset->array;
    struct text words;
    size_t bytes;
    text_init(&words);
    text_append(&words, "%s (%s)", file->content.watched.path, name);
    *array = (struct array){.name = memory_text(text_bytes(&words)),
                            .type = types[about->kind][about->bytes],
                            .big_endian = about->big_endian,
                            .dims = about->dims,
                            .is_scaled = about->is_scaled,
                            .scale = about->scale,
                            .offset = about->offset,
                            .missing_count = about->missing_count};
    text_release(&words);
    memcpy(array->size, about->size, sizeof array->size);
    memcpy(array->missing, about->missing, sizeof array->missing);
    if (!array_measure(array, &bytes, error))
        return false;
    if (about->storage != H5_ARRAY_CHUNKED)
        array->elements = about->storage == H5_ARRAY_INSIDE ? about->values : file->content.bytes + about->place;
    else
        dataset->chunked = (struct chunked){.about = about, .file = file->content.bytes, .name = array->name};
    return true;
}

bool hdf5_file_open(struct hdf5_file *file, const char *path, const char *const names[HDF5_ARRAYS],
                    const struct inflated_table *table, struct error *error)
{
    struct h5_array about[HDF5_ARRAYS];
    const size_t arrays = names[1] ? HDF5_ARRAYS : 1;
    memset(file, 0, sizeof *file);
    if (!content_open(&file->content, path, "an HDF5 file", table, error) || !check_kind(&file->content, error))
        return false;
    if (!h5_look(file->content.bytes, file->content.count, names, arrays, about, error))
        return error_prefix(error, "%s: ", path);
    for (size_t a = 0; a < arrays; a++)
        file->dataset[a].about = about[a];
    for (size_t a = 0; a < arrays; a++)
        if (!place(file, &file->dataset[a], names[a], error))
            return false;
    if (arrays == 1)
        return true;
    size_t x = about[0].size[0], y = about[1].size[0];
    return x == y || error_set(error, ERROR_CORRUPT,
                               "%s: %s holds %zu sample%s, but %s targets of %zu: they do not belong together", path,
                               names[0], x, plural(x), names[1], y);
}

void hdf5_file_close(struct hdf5_file *file)
{
    for (size_t a = 0; a < HDF5_ARRAYS; a++) {
        memory_free((char *)(uintptr_t)file->dataset[a].array.name);
        h5_array_release(&file->dataset[a].about);
    }
    content_close(&file->content);
    memset(file, 0, sizeof *file);
}
