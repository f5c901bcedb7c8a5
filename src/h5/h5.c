#include "h5/h5.h"

#include "base/file.h"
#include "base/limit.h"
#include "base/memory.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

void h5_init(void)
{
    /* At exit MPI is gone: HDF5 must not try to close a collective file then. */
    H5dont_atexit();
    H5open();
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    H5PLset_loading_state(0); /* no file names code that is to be loaded */
}

bool h5_describe(struct text *words)
{
    unsigned major = 0, minor = 0, release = 0;
    hbool_t is_safe = false;
    H5get_libversion(&major, &minor, &release);
    H5is_library_threadsafe(&is_safe);
#ifdef H5_HAVE_PARALLEL
    bool is_parallel = true;
#else
    bool is_parallel = false;
#endif
    text_append(words, "HDF5 %u.%u.%u, %s, %s", major, minor, release, is_parallel ? "parallel" : "not parallel",
                is_safe ? "thread-safe" : "not thread-safe: one thread of a rank calls it");
    return is_parallel;
}

static int refuse_deletion(MPI_Comm comm, int key, void *value, void *state)
{
    (void)comm, (void)key, (void)value, (void)state;
    return MPI_ERR_OTHER;
}

void h5_release(void)
{
    /* After a write that has failed, objects stay in HDF5's tables half dead, and its clean-up crashes over them; all
     * files that matter are closed by now. But HDF5 has left a delete callback on MPI_COMM_SELF, by which MPI_Finalize
     * would start that clean-up. The callbacks run from the last to the first and end with one that fails: with ours.
     */
    int initialized, key;
    MPI_Initialized(&initialized);
    if (initialized && MPI_Comm_create_keyval(MPI_COMM_NULL_COPY_FN, refuse_deletion, &key, NULL) == MPI_SUCCESS)
        MPI_Comm_set_attr(MPI_COMM_SELF, key, NULL);
}

static herr_t take_description(unsigned n, const H5E_error2_t *entry, void *text)
{
    /* Walking upward begins with the deepest entry: the reason; the others tell who passed it on. */
    if (n == 0 && entry->desc)
        snprintf(text, 512, "%s", entry->desc);
    return 0;
}

/* The deepest reason: of a failed system call only what the system said ("file write failed: time = ..., errno = 28,
 * error message = 'No space left on device', ..."). Returns the system's error number, 0 if it was none. */
static int take_reason(char reason[512])
{
    snprintf(reason, 512, "HDF5 gives no reason");
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take_description, reason);
    const char *number = strstr(reason, "errno = "), *message = strstr(reason, "error message = '");
    int code = number ? (int)strtol(number + strlen("errno = "), NULL, 10) : 0;
    if (message) {
        message += strlen("error message = '");
        size_t length = strcspn(message, "'");
        memmove(reason, message, length);
        reason[length] = '\0';
    }
    return code;
}

bool h5_error(struct error *error, enum error_kind kind, const char *format, ...)
{
    char words[1024], reason[512], limit[LIMIT_WORDS];
    int code = take_reason(reason);
    if (code != 0 && kind == ERROR_CORRUPT)
        kind = ERROR_IO;
    if (kind == ERROR_IO && error_of_number(code) == ERROR_FULL)
        kind = ERROR_FULL;
    limit_words(code, limit);
    va_list args;
    va_start(args, format);
    vsnprintf(words, sizeof words, format, args);
    va_end(args);
    return error_set(error, kind, "%s: %s%s", words, reason, limit);
}

bool h5_set_format(hid_t access)
{
    return H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_V110) >= 0;
}

static bool is_held(hid_t file, int descriptor)
{
    struct stat wanted, is;
    void *handle = NULL;
    return H5Fget_vfd_handle(file, H5P_DEFAULT, &handle) >= 0 && fstat(*(int *)handle, &is) == 0 &&
           fstat(descriptor, &wanted) == 0 && is.st_dev == wanted.st_dev && is.st_ino == wanted.st_ino;
}

/* HDF5 opens no file that has lost its name: that says nothing about the file. */
static bool tell_deleted(int descriptor, const char *path, struct error *error)
{
    struct stat is;
    bool is_deleted = fstat(descriptor, &is) == 0 && is.st_nlink == 0;
    if (is_deleted)
        error_set(error, ERROR_IO, "%s: was deleted or replaced while it was being opened", path);
    return is_deleted;
}

bool h5_open(int descriptor, const char *path, unsigned flags, hid_t *file, struct error *error)
{
    char name[PATH_MAX];
    file_name_of(descriptor, path, name);
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    *file = access >= 0 && h5_set_format(access) ? H5Fopen(name, flags, access) : -1;
    if (*file < 0 && !tell_deleted(descriptor, path, error))
        h5_error(error, ERROR_CORRUPT, "%s: HDF5 cannot open it", path);
    h5_close(access);
    if (*file < 0 || is_held(*file, descriptor))
        return *file >= 0;
    h5_close(*file);
    *file = -1;
    return error_set(error, ERROR_IO, "%s: another file has just come to its place", path);
}

void h5_close(hid_t object)
{
    if (object < 0)
        return;
    hid_t stack = H5Eget_current_stack();
    switch (H5Iget_type(object)) {
    case H5I_FILE:
        H5Fclose(object);
        break;
    case H5I_GENPROP_LST:
        H5Pclose(object);
        break;
    case H5I_DATASPACE:
        H5Sclose(object);
        break;
    case H5I_ATTR:
        H5Aclose(object);
        break;
    case H5I_DATATYPE:
        H5Tclose(object);
        break;
    default:
        H5Oclose(object);
    }
    H5Eset_current_stack(stack);
}

static bool put(hid_t object, const char *name, hid_t file_type, hid_t memory_type, const void *value,
                struct error *error)
{
    hid_t space = H5Screate(H5S_SCALAR);
    hid_t attribute = H5Acreate2(object, name, file_type, space, H5P_DEFAULT, H5P_DEFAULT);
    bool ok = attribute >= 0 && H5Awrite(attribute, memory_type, value) >= 0;
    if (!ok)
        h5_error(error, ERROR_IO, "cannot write attribute '%s'", name);
    h5_close(attribute);
    h5_close(space);
    return ok;
}

bool h5_put_number(hid_t object, const char *name, uint64_t value, struct error *error)
{
    return put(object, name, H5T_STD_U64LE, H5T_NATIVE_UINT64, &value, error);
}

bool h5_put_real(hid_t object, const char *name, double value, struct error *error)
{
    return put(object, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, &value, error);
}

bool h5_put_text(hid_t object, const char *name, const char *value, struct error *error)
{
    hid_t type = H5Tcopy(H5T_C_S1);
    bool ok = H5Tset_size(type, strlen(value) + 1) >= 0 && H5Tset_cset(type, H5T_CSET_UTF8) >= 0 &&
              put(object, name, type, type, value, error);
    h5_close(type);
    return ok;
}

/* Reads a scalar attribute of the given class into `value`, as `memory_type`. */
static bool get(hid_t object, const char *name, H5T_class_t class, hid_t memory_type, void *value, struct error *error)
{
    bool ok = false;
    hid_t attribute = H5Aopen(object, name, H5P_DEFAULT), type = -1, space = -1;
    if (attribute < 0) {
        h5_error(error, ERROR_CORRUPT, "attribute '%s' cannot be opened", name);
        goto done;
    }
    type = H5Aget_type(attribute);
    space = H5Aget_space(attribute);
    if (H5Tget_class(type) != class || H5Sget_simple_extent_npoints(space) != 1)
        error_set(error, ERROR_CORRUPT, "attribute '%s' has another type than it should", name);
    else if (H5Aread(attribute, memory_type, value) < 0)
        h5_error(error, ERROR_CORRUPT, "cannot read attribute '%s'", name);
    else
        ok = true;
done:
    h5_close(space);
    h5_close(type);
    h5_close(attribute);
    return ok;
}

bool h5_get_number(hid_t object, const char *name, uint64_t *value, struct error *error)
{
    return get(object, name, H5T_INTEGER, H5T_NATIVE_UINT64, value, error);
}

bool h5_get_real(hid_t object, const char *name, double *value, struct error *error)
{
    return get(object, name, H5T_FLOAT, H5T_NATIVE_DOUBLE, value, error);
}

#define TEXT_MOST ((size_t)1 << 26) /* bytes: more than any job has */

bool h5_get_text(hid_t object, const char *name, char **value, struct error *error)
{
    *value = NULL;
    hid_t attribute = H5Aopen(object, name, H5P_DEFAULT);
    if (attribute < 0)
        return h5_error(error, ERROR_CORRUPT, "attribute '%s' cannot be opened", name);
    hid_t file_type = attribute >= 0 ? H5Aget_type(attribute) : -1;
    size_t bytes = file_type >= 0 && H5Tget_class(file_type) == H5T_STRING && H5Tis_variable_str(file_type) == 0
                       ? H5Tget_size(file_type)
                       : 0;
    h5_close(file_type);
    h5_close(attribute);
    if (bytes == 0 || bytes > TEXT_MOST)
        return error_set(error, ERROR_CORRUPT, "attribute '%s' is not a text", name);
    hid_t type = H5Tcopy(H5T_C_S1);
    *value = memory_need(bytes + 1, 1);
    bool ok = H5Tset_size(type, bytes) >= 0 && H5Tset_cset(type, H5T_CSET_UTF8) >= 0 &&
              get(object, name, H5T_STRING, type, *value, error);
    h5_close(type);
    if (!ok) {
        memory_free(*value);
        *value = NULL;
    }
    return ok;
}

/* Selects [first, first + count) on both sides. */
static bool select_range(hid_t dataset, size_t first, size_t count, hid_t *memory_space, hid_t *file_space)
{
    hsize_t start = first, length = count;
    *memory_space = H5Screate_simple(1, &length, NULL);
    *file_space = H5Dget_space(dataset);
    return *memory_space >= 0 && *file_space >= 0 &&
           H5Sselect_hyperslab(*file_space, H5S_SELECT_SET, &start, NULL, &length, NULL) >= 0;
}

/* MPI-IO counts bytes in an int. */
#define WRITE_PIECE ((size_t)1 << 26)

bool h5_write_range(hid_t dataset, hid_t type, size_t first, size_t count, hid_t transfer, const void *values)
{
    const char *bytes = values;
    size_t size = H5Tget_size(type);
    bool ok = true;
    for (size_t done = 0; ok && done < count; done += WRITE_PIECE) {
        hid_t memory_space, file_space;
        size_t n = count - done < WRITE_PIECE ? count - done : WRITE_PIECE;
        ok = select_range(dataset, first + done, n, &memory_space, &file_space) &&
             H5Dwrite(dataset, type, memory_space, file_space, transfer, bytes + done * size) >= 0;
        h5_close(memory_space);
        h5_close(file_space);
    }
    return ok;
}

bool h5_read_range(hid_t dataset, hid_t type, size_t first, size_t count, void *values)
{
    if (count == 0)
        return true;
    hid_t memory_space, file_space;
    bool ok = select_range(dataset, first, count, &memory_space, &file_space) &&
              H5Dread(dataset, type, memory_space, file_space, H5P_DEFAULT, values) >= 0;
    h5_close(memory_space);
    h5_close(file_space);
    return ok;
}

bool h5_place(hid_t file, const char *path, uint64_t *offset, uint64_t *bytes, struct error *error)
{
    hid_t dataset;
    if (!h5_open_inside(file, path, H5_ROW, &dataset, error))
        return false;
    haddr_t address = H5Dget_offset(dataset);
    *offset = address;
    *bytes = H5Dget_storage_size(dataset);
    h5_close(dataset);
    return address != HADDR_UNDEF || error_set(error, ERROR_CORRUPT, "%s: does not lie in one piece in the file", path);
}
