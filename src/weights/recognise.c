#include "weights/recognise.h"

#include "base/file.h"
#include "weights/hdf5_kind.h"
#include "weights/keras_archive.h"
#include "weights/zip_entry.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEAD 16

/* The beginning of a file, and its size. */
static bool look(const char *path, uint8_t head[HEAD], size_t *length, uint64_t *bytes, struct error *error)
{
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe must not keep us waiting */
    if (fd < 0)
        return error_errno(error, "cannot open %s", path);
    ssize_t got = fstat(fd, &info) == 0 && S_ISREG(info.st_mode) ? file_read_at(fd, head, HEAD, 0) : 0;
    bool ok = got >= 0 || error_errno(error, "cannot read %s", path);
    if (ok && !S_ISREG(info.st_mode))
        ok = error_set(error, ERROR_USAGE, "%s is not a file", path);
    close(fd);
    *length = (size_t)got;
    *bytes = ok ? (uint64_t)info.st_size : 0;
    return ok;
}

static const struct weights_format *refuse_pickle(const char *path, struct error *error)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    error_set(error, ERROR_CORRUPT,
              "it is a pickle of PyTorch's, which runs whatever program is in it, and is not read here. As safetensors "
              "it can be read:\n"
              "  import torch; from safetensors.torch import save_file\n"
              "  state = torch.load(\"%.200s\", map_location=\"cpu\"); state = state.get(\"model\", state)\n"
              "  save_file({k: v.contiguous().clone() for k, v in state.items()}, \"weights.safetensors\")",
              name);
    return NULL;
}

/* torch.save makes an archive NAME/data.pkl, NAME/data/0, ... */
static bool has_pickle(zip_t *archive)
{
    zip_int64_t count = zip_get_num_entries(archive, 0);
    for (zip_int64_t i = 0; i < count && i < 16; i++) {
        const char *name = zip_get_name(archive, (zip_uint64_t)i, 0), *slash = name ? strchr(name, '/') : NULL;
        if (slash && strcmp(slash, "/data.pkl") == 0)
            return true;
    }
    return false;
}

static const struct weights_format *archive_kind(const char *path, struct error *error)
{
    zip_t *archive;
    if (!zip_entry_open(path, &archive, error))
        return NULL;
    bool is_pickle = has_pickle(archive), is_keras = keras_archive_is(archive);
    zip_discard(archive);
    return is_pickle ? refuse_pickle(path, error) : is_keras ? &weights_keras_archive : &weights_npz;
}

static bool is_json(const uint8_t *head, size_t length)
{
    size_t at = 0;
    while (at < length && strchr(" \t\r\n", head[at]) && head[at])
        at++;
    return at < length && head[at] == '{';
}

static const struct weights_format *kind_of(const char *path, const uint8_t *head, size_t length, uint64_t bytes,
                                            struct error *error)
{
    uint64_t header = 0;
    for (size_t b = 0; b < 8; b++)
        header |= (uint64_t)head[b] << 8 * b;
    if (length >= 4 && (memcmp(head, "PK\3\4", 4) == 0 || memcmp(head, "PK\5\6", 4) == 0))
        return archive_kind(path, error);
    if (length >= 8 && memcmp(head, HDF5_SIGNATURE, 8) == 0)
        return hdf5_kind(path, error);
    if (length >= 9 && head[8] == '{' && header <= bytes - 8)
        return &weights_safetensors;
    if (is_json(head, length))
        return &weights_sharded;
    if (length >= 2 && head[0] == 0x80 && head[1] >= 2 && head[1] <= 5)
        return refuse_pickle(path, error);
    if (hdf5_is_behind(path, bytes)) /* what is in front of a checkpoint proves the rest before HDF5 reads it */
        return &weights_checkpoint;
    error_set(error, ERROR_CORRUPT,
              "it is none of: a lockstep checkpoint or weights file, safetensors or the index of its shards, npz, "
              "Keras' .keras, .weights.h5 or .h5");
    return NULL;
}

const struct weights_format *recognise(const char *path, uint64_t *bytes, struct error *error)
{
    uint8_t head[HEAD] = {0};
    size_t length = 0;
    if (!look(path, head, &length, bytes, error))
        return NULL;
    const struct weights_format *format = kind_of(path, head, length, *bytes, error);
    if (!format && strncmp(error->text, path, strlen(path)) != 0)
        error_prefix(error, "%s: ", path);
    return format;
}
