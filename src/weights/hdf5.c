/* The two formats that are HDF5 files with a dataset a tensor.
 *
 * Keras 3's .weights.h5: /layers/<layer>/vars/<number>, where the layers are named after their classes, each further
 * one of a class with a number (dense, dense_1), and a group /vars of what the model has of its own: nothing. A
 * tensor's name here is its path.
 *
 * Ours: /model/<name> with the digest of the values, and attributes that say where they come from. */
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "h5/contained.h"
#include "h5/h5.h"
#include "weights/hdf5_kind.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WEIGHTS_VERSION 2 /* 1: without what is known of the data */
#define MODEL           "model/"
#define LINKS_MOST      65535 /* that a header can hold */
#define DIGEST          "digest"

/* ---- reading ---- */

struct opened {
    hid_t file;
    const char *prefix; /* of the paths, not part of the names */
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

static bool load_from(hid_t root, const struct weights_file *file, const char *prefix,
                      const struct weights_tensor *tensor, float *values, struct error *error);

/* Of our own files. */
static bool read_about(hid_t root, struct weights *weights, struct error *error)
{
    uint64_t version;
    char *fingerprint = NULL;
    bool ok = h5_get_number(root, "version", &version, error);
    if (ok && (version < 1 || version > WEIGHTS_VERSION))
        ok = error_set(error, ERROR_VERSION, "weights of format version %llu, but this lockstep (%s) reads up to %d",
                       (unsigned long long)version, LOCKSTEP_VERSION, WEIGHTS_VERSION);
    ok = ok && h5_get_number(root, "step", &weights->step, error) &&
         h5_get_text(root, "fingerprint", &fingerprint, error) && h5_get_text(root, "job", &weights->job, error) &&
         h5_get_text(root, "vocabulary", &weights->vocabulary, error) &&
         (version < 2 || h5_get_text(root, "data", &weights->data, error));
    if (ok)
        weights_take_fingerprint(weights, fingerprint);
    memory_free(fingerprint);
    return ok;
}

/* All that is read but the values: by the process that rehearses, and then by this one. */
static bool read_front(hid_t root, struct weights_file *file, const char *prefix, struct error *error)
{
    return (!*prefix || read_about(root, &file->weights, error)) && list_tensors(root, file, prefix, error);
}

/* In a process of its own: all that this one is going to do. Over what would crash or never end it ends there. */
static bool rehearse(hid_t root, void *context, char **answer, size_t *bytes, struct error *error)
{
    struct weights_file file = {0};
    const char *prefix = context;
    (void)answer, (void)bytes;
    weights_init(&file.weights);
    bool ok = read_front(root, &file, prefix, error);
    for (size_t t = 0; ok && t < file.weights.count; t++) {
        const struct weights_tensor *tensor = &file.weights.tensors[t];
        float *values = memory_alloc(tensor->count, sizeof *values, tensor->name, error);
        ok = values && (tensor->form.type == FLOATS_NONE || load_from(root, &file, prefix, tensor, values, error) ||
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

static bool open_with(struct weights_file *file, const char *prefix, struct error *error)
{
    struct opened *opened = file->self = memory_need(1, sizeof *opened);
    char *answer;
    size_t bytes;
    opened->prefix = prefix;
    opened->file = -1;
    int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return error_errno(error, "cannot open it");
    bool ok = contained_run(file->path, fd, file->bytes, rehearse, (void *)prefix, &answer, &bytes, error);
    memory_free(answer);
    ok = ok && open_rehearsed(file->path, fd, &opened->file, error);
    close(fd);
    return ok && read_front(opened->file, file, prefix, error);
}

static void close_file(struct weights_file *file)
{
    struct opened *opened = file->self;
    h5_close(opened->file);
    memory_free(opened);
}

static bool open_keras(struct weights_file *file, bool averaged, struct error *error)
{
    (void)averaged;
    return open_with(file, "", error);
}

static bool open_lockstep(struct weights_file *file, bool averaged, struct error *error)
{
    (void)averaged;
    return open_with(file, MODEL, error);
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
static bool load_from(hid_t root, const struct weights_file *file, const char *prefix,
                      const struct weights_tensor *tensor, float *values, struct error *error)
{
    struct text path;
    text_init(&path);
    text_append(&path, "%s%s", prefix, tensor->name);
    hid_t dataset;
    uint64_t digest;
    bool ok = h5_open_inside(root, path.bytes, H5_VALUES, &dataset, error) &&
              read_values(dataset, file, tensor, values, error);
    if (ok && *prefix)
        ok = h5_get_number(dataset, DIGEST, &digest, error) &&
             (digest == weights_digest(values, tensor->count) ||
              error_set(error, ERROR_CORRUPT, "its values fail their digest: the file is damaged"));
    h5_close(dataset);
    text_release(&path);
    return ok;
}

static bool load(const struct weights_file *file, const struct weights_tensor *tensor, float *values,
                 struct error *error)
{
    const struct opened *opened = file->self;
    return load_from(opened->file, file, opened->prefix, tensor, values, error);
}

/* ---- writing ---- */

/* How every object is made. Links are in the headers of their groups, which have a checksum, however many there are:
 * where HDF5 keeps many links by default, nothing shows that a bit was flipped. Without times, the same weights are the
 * same bytes. */
static hid_t creation(hid_t class)
{
    hid_t create = H5Pcreate(class);
    bool ok = H5Pset_obj_track_times(create, false) >= 0 &&
              (class == H5P_DATASET_CREATE || H5Pset_link_phase_change(create, LINKS_MOST, LINKS_MOST) >= 0);
    if (ok)
        return create;
    h5_close(create);
    return -1;
}

static bool write_group(hid_t file, const char *path, struct error *error)
{
    hid_t create = creation(H5P_GROUP_CREATE);
    hid_t group = H5Gcreate2(file, path, H5P_DEFAULT, create, H5P_DEFAULT);
    h5_close(group);
    h5_close(create);
    return group >= 0 || h5_error(error, ERROR_IO, "cannot write the group /%s", path);
}

/* The groups that a path leads through, as far as they are not there. */
static bool write_parents(hid_t file, const char *path, struct error *error)
{
    char *parent = memory_text(path);
    bool ok = true;
    for (char *slash = strchr(parent, '/'); ok && slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        ok = H5Lexists(file, parent, H5P_DEFAULT) > 0 || write_group(file, parent, error);
        *slash = '/';
    }
    memory_free(parent);
    return ok;
}

static bool write_dataset(hid_t file, const char *path, const struct weights_tensor *tensor, bool has_digest,
                          struct error *error)
{
    hsize_t shape[WEIGHTS_DIMS];
    for (size_t d = 0; d < tensor->dims; d++)
        shape[d] = tensor->shape[d];
    hid_t space = H5Screate_simple((int)tensor->dims, shape, NULL), create = creation(H5P_DATASET_CREATE);
    hid_t dataset = H5Dcreate2(file, path, H5T_IEEE_F32LE, space, H5P_DEFAULT, create, H5P_DEFAULT);
    bool ok = (dataset >= 0 &&
               H5Dwrite(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, tensor->values) >= 0) ||
              h5_error(error, ERROR_IO, "cannot write %s", path);
    if (ok && has_digest)
        ok = h5_put_number(dataset, DIGEST, weights_digest(tensor->values, tensor->count), error);
    h5_close(dataset);
    h5_close(create);
    h5_close(space);
    return ok;
}

static bool write_tensor(hid_t file, const char *prefix, const struct weights_tensor *tensor, struct error *error)
{
    struct text path;
    text_init(&path);
    text_append(&path, "%s%s", prefix, tensor->name);
    bool ok = write_parents(file, path.bytes, error) && write_dataset(file, path.bytes, tensor, *prefix, error);
    text_release(&path);
    return ok;
}

static bool write_about(hid_t file, const struct weights *weights, struct error *error)
{
    return h5_put_text(file, "format", HDF5_WEIGHTS, error) && h5_put_number(file, "version", WEIGHTS_VERSION, error) &&
           h5_put_number(file, "step", weights->step, error) &&
           h5_put_text(file, "fingerprint", weights->fingerprint, error) &&
           h5_put_text(file, "job", weights->job ? weights->job : "", error) &&
           h5_put_text(file, "vocabulary", weights->vocabulary ? weights->vocabulary : "", error) &&
           h5_put_text(file, "data", weights->data ? weights->data : "", error);
}

static bool write_with(const char *path, int descriptor, const char *prefix, const struct weights *weights,
                       struct error *error)
{
    char name[PATH_MAX];
    file_name_of(descriptor, path, name);
    hid_t access = H5Pcreate(H5P_FILE_ACCESS), create = creation(H5P_FILE_CREATE);
    hid_t file = h5_set_format(access) ? H5Fcreate(name, H5F_ACC_TRUNC, create, access) : -1;
    h5_close(create);
    h5_close(access);
    if (file < 0)
        return h5_error(error, ERROR_IO, "cannot be created");
    bool ok = *prefix ? write_group(file, "model", error) && write_about(file, weights, error)
                      : write_group(file, "vars", error);
    for (size_t i = 0; ok && i < weights->count; i++)
        ok = write_tensor(file, prefix, &weights->tensors[i], error);
    if (H5Fclose(file) < 0 && ok)
        ok = h5_error(error, ERROR_IO, "cannot be finished");
    return ok;
}

static bool write_keras(const char *path, int descriptor, const struct weights *weights, struct error *error)
{
    return write_with(path, descriptor, "", weights, error);
}

static bool write_lockstep(const char *path, int descriptor, const struct weights *weights, struct error *error)
{
    return write_with(path, descriptor, MODEL, weights, error);
}

const struct weights_format weights_keras = {.name = "keras",
                                             .suffix = ".weights.h5",
                                             .open = open_keras,
                                             .close = close_file,
                                             .load = load,
                                             .write = write_keras};
const struct weights_format weights_lockstep = {.name = "weights",
                                                .suffix = ".lockstep.h5",
                                                .open = open_lockstep,
                                                .close = close_file,
                                                .load = load,
                                                .write = write_lockstep};
