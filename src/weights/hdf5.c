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
#include "h5/h5.h"
#include "weights/hdf5_kind.h"
#include "weights/hdf5_read.h"

#include <stdio.h>
#include <string.h>

#define WEIGHTS_VERSION 2 /* 1: without what is known of the data */
#define MODEL           "model/"
#define LINKS_MOST      65535 /* that a header can hold */

/* ---- reading ---- */

/* Of our own files. */
static bool read_own(hid_t root, struct weights *weights, struct error *error)
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

static const struct hdf5_view keras_view = {.prefix = ""};
static const struct hdf5_view own_view = {.prefix = MODEL, .has_digests = true, .read_about = read_own};

static bool open_keras(struct weights_file *file, bool averaged, struct error *error)
{
    (void)averaged;
    return hdf5_read_open(file, &keras_view, error);
}

static bool open_lockstep(struct weights_file *file, bool averaged, struct error *error)
{
    (void)averaged;
    return hdf5_read_open(file, &own_view, error);
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
        ok = h5_put_number(dataset, HDF5_DIGEST, weights_digest(tensor->values, tensor->count), error);
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
                                             .close = hdf5_read_close,
                                             .load = hdf5_read_load,
                                             .write = write_keras};
const struct weights_format weights_lockstep = {.name = "weights",
                                                .suffix = ".lockstep.h5",
                                                .open = open_lockstep,
                                                .close = hdf5_read_close,
                                                .load = hdf5_read_load,
                                                .write = write_lockstep};
