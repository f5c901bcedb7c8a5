#include "checkpoint/trial.h"

#include "base/file.h"
#include "checkpoint/shared_file.h"
#include "h5/h5.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME  "trial"
#define PAGE  4096
#define PIECE (PAGE / sizeof(uint64_t)) /* numbers of a rank: a page of its own, since nodes may keep pages */

/* What a rank writes at a place: of this life of the job, and of nothing else. */
static uint64_t expected(const struct store *store, int rank, size_t i)
{
    return strtoull(store->token, NULL, 16) + ((uint64_t)rank << 32) + i;
}

/* Local, rank 0. The file with its dataset, in which nothing is. */
static bool lay_out(const struct store *store, const char *path, int ranks, struct error *error)
{
    struct stat info;
    hsize_t count = (hsize_t)ranks * PIECE;
    if (!store_restore_directory(store, error))
        return false;
    hid_t access = H5Pcreate(H5P_FILE_ACCESS), create = H5Pcreate(H5P_DATASET_CREATE),
          space = H5Screate_simple(1, &count, NULL);
    bool is_set = h5_set_format(access) && H5Pset_alignment(access, PAGE, PAGE) >= 0;
    hid_t file = is_set ? H5Fcreate(path, H5F_ACC_EXCL, H5P_DEFAULT, access) : -1;
    bool ok = file >= 0 && H5Pset_alloc_time(create, H5D_ALLOC_TIME_EARLY) >= 0 &&
              H5Pset_fill_time(create, H5D_FILL_TIME_NEVER) >= 0;
    hid_t dataset = ok ? H5Dcreate2(file, NAME, H5T_STD_U64LE, space, H5P_DEFAULT, create, H5P_DEFAULT) : -1;
    if (dataset < 0)
        ok = h5_error(error, ERROR_IO, "cannot create %s", path);
    h5_close(dataset);
    h5_close(space);
    h5_close(create);
    h5_close(access);
    if (file >= 0 && H5Fclose(file) < 0 && ok)
        ok = h5_error(error, ERROR_IO, "cannot create %s", path);
    if (ok && stat(path, &info))
        ok = error_errno(error, "cannot look at %s", path);
    return ok && file_reserve(path, (uint64_t)info.st_size, error);
}

/* Local. This rank's part. */
static bool write_part(const struct store *store, const char *path, int rank, struct error *error)
{
    uint64_t numbers[PIECE];
    hid_t file;
    for (size_t i = 0; i < PIECE; i++)
        numbers[i] = expected(store, rank, i);
    if (!shared_file_open(store, path, &file, error))
        return false;
    hid_t dataset = H5Dopen2(file, NAME, H5P_DEFAULT), transfer = H5Pcreate(H5P_DATASET_XFER);
    bool ok = (dataset >= 0 && H5Pset_dxpl_mpio(transfer, H5FD_MPIO_INDEPENDENT) >= 0 &&
               h5_write_range(dataset, H5T_NATIVE_UINT64, (size_t)rank * PIECE, PIECE, transfer, numbers)) ||
              h5_error(error, ERROR_IO, "cannot write %s", path);
    h5_close(transfer);
    h5_close(dataset);
    if (H5Fclose(file) < 0 && ok)
        ok = h5_error(error, ERROR_IO, "cannot close %s", path);
    return ok;
}

/* Local. What this rank has written, as a save does. (On NFS another node's part may not be seen yet.) */
static bool read_part(const struct store *store, const char *path, int rank, struct error *error)
{
    uint64_t numbers[PIECE];
    hid_t file;
    int fd;
    if (!file_open(path, FILE_READ, &fd, error))
        return false;
    bool opened = h5_open(fd, path, H5F_ACC_RDONLY, &file, error);
    close(fd);
    if (!opened)
        return false;
    hid_t dataset = H5Dopen2(file, NAME, H5P_DEFAULT);
    bool ok = (dataset >= 0 && h5_read_range(dataset, H5T_NATIVE_UINT64, (size_t)rank * PIECE, PIECE, numbers)) ||
              h5_error(error, ERROR_IO, "cannot read %s", path);
    for (size_t i = 0; ok && i < PIECE; i++)
        ok = numbers[i] == expected(store, rank, i) ||
             error_set(error, ERROR_IO, "%s: what was written is not what is read", path);
    h5_close(dataset);
    h5_close(file);
    return ok;
}

/* Local. Context for the words: which host, and what an absent file means. False. */
static bool explain(const struct store *store, int rank, struct error *error)
{
    char host[256] = "";
    gethostname(host, sizeof host - 1);
    bool absent = rank > 0 && error->kind == ERROR_NOT_FOUND;
    error_prefix(error, "the trial write in %s fails on %s: ", store->directory, host);
    if (absent) {
        size_t used = strlen(error->text);
        error->kind = ERROR_USAGE;
        snprintf(error->text + used, sizeof error->text - used,
                 ". Rank 0 has just made that file: run: has to lie on a file system that all nodes share");
    }
    return false;
}

static bool run_phases(struct agreement *agreement, const struct store *store, const char *path, double patience_s,
                       struct error *error)
{
    int rank = agreement->world->rank, size = agreement->world->size;
    bool ok = rank != 0 || lay_out(store, path, size, error) || explain(store, rank, error);
    if (!agreement_agree(agreement, ok, patience_s, "the layout of a trial file", NULL, error))
        return false;
    ok = write_part(store, path, rank, error) || explain(store, rank, error);
    if (!agreement_agree(agreement, ok, patience_s, "its part of a trial write", NULL, error))
        return false;
    ok = read_part(store, path, rank, error) || explain(store, rank, error);
    return agreement_agree(agreement, ok, patience_s, "reading back a trial write", NULL, error);
}

bool trial_write(struct agreement *agreement, const struct store *store, double patience_s, struct error *error)
{
    char path[PATH_MAX];
    store_partial_path(store, 0, path);
    agreement_begin(agreement);
    bool ok = run_phases(agreement, store, path, patience_s, error);
    if (agreement->world->rank == 0)
        unlink(path);
    return ok;
}
