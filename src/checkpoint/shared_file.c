#include "checkpoint/shared_file.h"

#include "base/file.h"
#include "h5/h5.h"

#include <sys/stat.h>
#include <unistd.h>

/* Whether the path still leads to the file that a descriptor has. */
static bool is_same(int fd, const char *path, struct error *error)
{
    struct stat before, after;
    if (fstat(fd, &before) || lstat(path, &after))
        return error_errno(error, "cannot look at %s", path);
    return (before.st_dev == after.st_dev && before.st_ino == after.st_ino) ||
           error_set(error, ERROR_IO, "%s: another file has taken its name while it was opened", path);
}

static bool open_with_mpi(const struct store *store, const char *path, hid_t *file, struct error *error)
{
    char name[PATH_MAX];
    MPI_Info hints = striping_hints(&store->striping);
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    bool ok = h5_set_format(access) && H5Pset_fapl_mpio(access, MPI_COMM_SELF, hints) >= 0;
    store_plain_name(store, path, name);
    *file = ok ? H5Fopen(name, H5F_ACC_RDWR, access) : -1;
    if (*file < 0)
        h5_error(error, ERROR_IO, "cannot open %s with MPI-IO", path);
    h5_close(access);
    if (hints != MPI_INFO_NULL)
        MPI_Info_free(&hints);
    return *file >= 0;
}

bool shared_file_open(const struct store *store, const char *path, hid_t *file, struct error *error)
{
    int fd;
    *file = -1;
    if (!file_open(path, FILE_CHANGE, &fd, error))
        return false;
    bool ok = open_with_mpi(store, path, file, error);
    if (ok && !is_same(fd, path, error)) {
        h5_close(*file);
        *file = -1;
        ok = false;
    }
    close(fd);
    return ok;
}
