#include "data/hdf5_trial.h"

#include "data/formats.h"
#include "data/opening.h"
#include "support/test.h"

#include <limits.h>
#include <string.h>

void trial_chunk(struct stored *stored, hsize_t a, hsize_t b, hsize_t c, hsize_t d)
{
    const hsize_t chunk[] = {a, b, c, d};
    memcpy(stored->chunk, chunk, sizeof chunk);
}

hid_t trial_create(const char *path, bool latest)
{
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    if (latest)
        CU_ASSERT(H5Pset_libver_bounds(access, H5F_LIBVER_LATEST, H5F_LIBVER_LATEST) >= 0);
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, access);
    CU_ASSERT_FATAL(file >= 0);
    H5Pclose(access);
    return file;
}

static hid_t creation(const struct stored *stored)
{
    hid_t create = H5Pcreate(H5P_DATASET_CREATE);
    if (stored->chunk[0])
        CU_ASSERT(H5Pset_chunk(create, stored->dims, stored->chunk) >= 0);
    if (stored->inside)
        CU_ASSERT(H5Pset_layout(create, H5D_COMPACT) >= 0);
    if (stored->fill)
        CU_ASSERT(H5Pset_fill_value(create, stored->memory, stored->fill) >= 0);
    for (const char *f = stored->filters ? stored->filters : ""; *f; f++)
        CU_ASSERT((*f == 'd'   ? H5Pset_deflate(create, 6)
                   : *f == 's' ? H5Pset_shuffle(create)
                               : H5Pset_fletcher32(create)) >= 0);
    return create;
}

hid_t trial_put(hid_t file, const char *name, const struct stored *stored)
{
    hid_t create = creation(stored), links = H5Pcreate(H5P_LINK_CREATE);
    hid_t space = stored->dims ? H5Screate_simple(stored->dims, stored->size, NULL) : H5Screate(H5S_SCALAR);
    H5Pset_create_intermediate_group(links, 1);
    hid_t dataset = H5Dcreate2(file, name, stored->type ? stored->type : stored->memory, space, links, create,
                               H5P_DEFAULT);
    CU_ASSERT_FATAL(dataset >= 0);
    if (stored->values)
        CU_ASSERT(H5Dwrite(dataset, stored->memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, stored->values) >= 0);
    H5Sclose(space);
    H5Pclose(links);
    H5Pclose(create);
    return dataset;
}

void trial_write(hid_t file, const char *name, const struct stored *stored)
{
    H5Dclose(trial_put(file, name, stored));
}

void trial_write_file(const char *path, const struct stored *x, const struct stored *y)
{
    hid_t file = trial_create(path, false);
    trial_write(file, "x", x);
    trial_write(file, "y", y);
    CU_ASSERT(H5Fclose(file) >= 0);
}

struct hdf5_settings trial_settings(const char *path)
{
    static char names[4][PATH_MAX], x[] = "x", y[] = "y";
    static int next;
    char *name = names[next++ % 4];
    strcpy(name, path);
    return (struct hdf5_settings){.samples = {.part = {0, 1}, .std = 1}, .path = name, .x = x, .y = y};
}

bool trial_open(const struct hdf5_settings *settings, const struct description *train, struct dataset *dataset,
                struct error *error)
{
    return dataset_open(dataset, &(struct dataset_spec){&dataset_hdf5, (void *)(uintptr_t)settings}, train, error);
}

struct dataset trial_open_good(const struct hdf5_settings *settings)
{
    struct dataset dataset;
    struct error error = {0};
    bool ok = trial_open(settings, NULL, &dataset, &error);
    check_opened(ok, &error);
    return dataset;
}

uint64_t trial_digest(const struct hdf5_settings *settings)
{
    struct dataset dataset = trial_open_good(settings);
    uint64_t digest = dataset.digest;
    dataset_close(&dataset);
    return digest;
}

void trial_expect(const struct hdf5_settings *settings, enum error_kind kind, const char *words)
{
    struct dataset dataset;
    struct error error = {0};
    bool opened = trial_open(settings, NULL, &dataset, &error);
    check_refused(opened, &error, kind, words, "");
    dataset_close(&dataset);
}
