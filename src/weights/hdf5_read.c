#include "weights/hdf5_read.h"

#include "base/memory.h"
#include "base/text.h"
#include "h5/contained.h"
#include "h5/h5.h"
#include "h5/h5_bytes.h"
#include "weights/hdf5_kind.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct opened {
    hid_t file;
    const struct hdf5_view *view;
    char *bytes; /* of a file in memory, owned; NULL: it is on disk */
    struct h5_bytes all;
};

struct visit {
    struct weights_file *file;
    const char *prefix;
    struct error *error;
};

static bool take_dataset(struct visit *visit, hid_t dataset, const char *path)
{
    hid_t space = H5Dget_space(dataset), type = H5Dget_type(dataset);
    int dims = space >= 0 ? H5Sget_simple_extent_ndims(space) : -1;
    hsize_t sizes[H5S_MAX_RANK];
    size_t shape[H5S_MAX_RANK];
    bool ok = type >= 0 && dims >= 0 && H5Sget_simple_extent_type(space) != H5S_NULL &&
              H5Sget_simple_extent_dims(space, sizes, NULL) == dims;
    if (!ok)
        error_set(visit->error, ERROR_CORRUPT, "/%.200s cannot be read", path);
    for (int d = 0; ok && d < dims; d++)
        shape[d] = sizes[d];
    struct weights_tensor *tensor;
    ok = ok &&
         weights_add(&visit->file->weights, path + strlen(visit->prefix), (size_t)dims, shape, &tensor, visit->error);
    if (ok) {
        bool is_float = H5Tget_class(type) == H5T_FLOAT;
        tensor->form.type = !is_float ? FLOATS_NONE : H5Tget_size(type) > sizeof(float) ? FLOATS_F64 : FLOATS_F32;
        snprintf(tensor->type, sizeof tensor->type, "%s", is_float ? "float" : "no float");
    }
    h5_close(type);
    h5_close(space);
    return ok;
}

static herr_t visit_object(hid_t root, const char *path, const H5O_info_t *info, void *context)
{
    struct visit *visit = context;
    if (info->type != H5O_TYPE_DATASET || strncmp(path, visit->prefix, strlen(visit->prefix)) != 0)
        return 0;
    hid_t dataset;
    bool ok = h5_open_inside(root, path, H5_VALUES, &dataset, visit->error) && take_dataset(visit, dataset, path);
    h5_close(dataset);
    return ok ? 0 : -1;
}

/* Names, types and shapes of all datasets. */
static bool list_tensors(hid_t root, struct weights_file *file, const char *prefix, struct error *error)
{
    struct visit visit = {.file = file, .prefix = prefix, .error = error};
    error_clear(error);
    return H5Ovisit(root, H5_INDEX_NAME, H5_ITER_INC, visit_object, &visit) >= 0 ||
           (error->kind != ERROR_NONE ? false : h5_error(error, ERROR_CORRUPT, "its list of tensors cannot be read"));
}

/* HDF5 converts to the numbers of this machine; to those of 32 bits only what has no more: what is lost is counted. */
static bool read_values(hid_t dataset, const struct weights_file *file, const struct weights_tensor *tensor,
                        float *values, struct error *error)
{
    bool is_wide = tensor->form.type == FLOATS_F64;
    double *wide = is_wide ? memory_alloc(tensor->count, sizeof *wide, "a tensor", error) : NULL;
    if (is_wide && !wide)
        return false;
    bool ok = H5Dread(dataset, is_wide ? H5T_NATIVE_DOUBLE : H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT,
                      is_wide ? (void *)wide : (void *)values) >= 0 ||
              h5_error(error, ERROR_CORRUPT, "cannot be read");
    if (ok && is_wide)
        weights_decode(file, tensor, 0, wide, tensor->count, values);
    memory_free(wide);
    return ok;
}

/* Reads values; and their digest, if they have one. */
static bool load_from(hid_t root, const struct weights_file *file, const struct hdf5_view *view,
                      const struct weights_tensor *tensor, float *values, struct error *error)
{
    struct text path;
    text_init(&path);
    text_append(&path, "%s%s", view->prefix, tensor->name);
    hid_t dataset;
    uint64_t digest;
    bool ok = h5_open_inside(root, path.bytes, H5_VALUES, &dataset, error) &&
              read_values(dataset, file, tensor, values, error);
    if (ok && view->has_digests)
        ok = h5_get_number(dataset, HDF5_DIGEST, &digest, error) &&
             (digest == weights_digest(values, tensor->count) ||
              error_set(error, ERROR_CORRUPT, "its values fail their digest: the file is damaged"));
    h5_close(dataset);
    text_release(&path);
    return ok;
}

/* All that is read but the values: by the process that rehearses, and then by this one. */
static bool read_front(hid_t root, struct weights_file *file, const struct hdf5_view *view, struct error *error)
{
    return (!view->read_about || view->read_about(root, &file->weights, error)) &&
           list_tensors(root, file, view->prefix, error);
}

/* In a process of its own: all that this one is going to do. Over what would crash or never end it ends there. */
static bool rehearse(hid_t root, void *context, char **answer, size_t *bytes, struct error *error)
{
    struct weights_file file = {0};
    struct opened *opened = context;
    (void)answer, (void)bytes;
    weights_init(&file.weights);
    if (opened->bytes && !h5_bytes_open(&opened->all, &root, error))
        return false;
    bool ok = read_front(root, &file, opened->view, error);
    for (size_t t = 0; ok && t < file.weights.count; t++) {
        const struct weights_tensor *tensor = &file.weights.tensors[t];
        float *values = memory_alloc(tensor->count, sizeof *values, tensor->name, error);
        ok = values &&
             (tensor->form.type == FLOATS_NONE || load_from(root, &file, opened->view, tensor, values, error) ||
              error_prefix(error, "%s: ", tensor->name));
        memory_free(values);
    }
    return ok;
}

/* The very file that is open as `descriptor`. Its name may lead to another one by now, which nobody has rehearsed: HDF5
 * does not see that, and would find no path for one without a name. */
static bool open_rehearsed(const char *path, int descriptor, hid_t *file, struct error *error)
{
    struct stat wanted, is;
    if (fstat(descriptor, &wanted) || stat(path, &is))
        return error_errno(error, "cannot look at it");
    if (is.st_dev != wanted.st_dev || is.st_ino != wanted.st_ino)
        return error_set(error, ERROR_IO, "another file has just come to its place");
    return h5_open(descriptor, path, H5F_ACC_RDONLY, file, error);
}

static struct opened *begin(struct weights_file *file, const struct hdf5_view *view)
{
    struct opened *opened = file->self = memory_need(1, sizeof *opened);
    opened->view = view;
    opened->file = -1;
    return opened;
}

bool hdf5_read_open(struct weights_file *file, const struct hdf5_view *view, struct error *error)
{
    struct opened *opened = begin(file, view);
    char *answer;
    size_t bytes;
    int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return error_errno(error, "cannot open it");
    bool ok = contained_run(file->path, fd, file->bytes, rehearse, opened, &answer, &bytes, error);
    memory_free(answer);
    ok = ok && open_rehearsed(file->path, fd, &opened->file, error);
    close(fd);
    return ok && read_front(opened->file, file, view, error);
}

bool hdf5_read_open_bytes(struct weights_file *file, const struct hdf5_view *view, char *bytes, uint64_t count,
                          struct error *error)
{
    struct opened *opened = begin(file, view);
    char *answer;
    size_t length;
    opened->bytes = bytes;
    opened->all = (struct h5_bytes){.bytes = (const uint8_t *)bytes, .count = count};
    bool ok = contained_run_on_memory(count, rehearse, opened, &answer, &length, error);
    memory_free(answer);
    return ok && h5_bytes_open(&opened->all, &opened->file, error) && read_front(opened->file, file, view, error);
}

void hdf5_read_close(struct weights_file *file)
{
    struct opened *opened = file->self;
    h5_close(opened->file);
    memory_free(opened->bytes);
    memory_free(opened);
}

bool hdf5_read_load(const struct weights_file *file, const struct weights_tensor *tensor, float *values,
                    struct error *error)
{
    const struct opened *opened = file->self;
    return load_from(opened->file, file, opened->view, tensor, values, error);
}
