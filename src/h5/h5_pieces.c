#include "h5/h5_pieces.h"

#include "base/file.h"
#include "h5/h5.h"

#include <limits.h>

static const struct {
    size_t bytes;
    const char *name;
} types[H5_PIECE_TYPES] = {
    [H5_PIECE_FLOAT32] = {4, "float32"},
    [H5_PIECE_UINT8] = {1, "uint8"},
    [H5_PIECE_UINT16] = {2, "uint16"},
    [H5_PIECE_INT32] = {4, "int32"},
};

size_t h5_piece_bytes(enum h5_piece_type type)
{
    return types[type].bytes;
}

const char *h5_piece_name(enum h5_piece_type type)
{
    return types[type].name;
}

uint64_t h5_piece_length(const struct h5_piece *piece)
{
    uint64_t bytes = types[piece->type].bytes;
    for (size_t d = 0; d < piece->dims; d++)
        bytes *= piece->size[d];
    return bytes;
}

/* HDF5 knows them only while it runs. */
static hid_t type_of(const struct h5_piece *piece)
{
    switch (piece->type) {
    case H5_PIECE_UINT8:
        return H5T_STD_U8LE;
    case H5_PIECE_UINT16:
        return H5T_STD_U16LE;
    case H5_PIECE_INT32:
        return H5T_STD_I32LE;
    default:
        return H5T_IEEE_F32LE;
    }
}

static bool put_texts(hid_t dataset, const struct h5_piece *piece)
{
    hsize_t count = piece->text_count;
    hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate_simple(1, &count, NULL), attribute = -1;
    if (type >= 0 && H5Tset_size(type, H5T_VARIABLE) >= 0 && H5Tset_cset(type, H5T_CSET_UTF8) >= 0)
        attribute = H5Acreate2(dataset, piece->attribute, type, space, H5P_DEFAULT, H5P_DEFAULT);
    bool ok = attribute >= 0 && H5Awrite(attribute, type, piece->texts) >= 0;
    h5_close(attribute);
    h5_close(space);
    h5_close(type);
    return ok;
}

/* The dataset, whose room is taken at once, but left as it is; a negative number: it cannot be made. */
static hid_t make(hid_t file, const struct h5_piece *piece)
{
    hsize_t size[H5_PIECE_DIMS];
    for (size_t d = 0; d < piece->dims; d++)
        size[d] = piece->size[d];
    hid_t space = H5Screate_simple((int)piece->dims, size, NULL), create = H5Pcreate(H5P_DATASET_CREATE), dataset = -1;
    if (H5Pset_layout(create, H5D_CONTIGUOUS) >= 0 && H5Pset_alloc_time(create, H5D_ALLOC_TIME_EARLY) >= 0 &&
        H5Pset_fill_time(create, H5D_FILL_TIME_NEVER) >= 0 && H5Pset_obj_track_times(create, false) >= 0)
        dataset = H5Dcreate2(file, piece->name, type_of(piece), space, H5P_DEFAULT, create, H5P_DEFAULT);
    h5_close(create);
    h5_close(space);
    return dataset;
}

static bool add(hid_t file, const struct h5_piece *piece, uint64_t *offset, struct error *error)
{
    hid_t dataset = make(file, piece);
    haddr_t place = dataset >= 0 ? H5Dget_offset(dataset) : HADDR_UNDEF;
    bool ok = place != HADDR_UNDEF && (!piece->attribute || put_texts(dataset, piece)) &&
              (piece->scale == 0 || h5_put_real(dataset, "scale_factor", piece->scale, error));
    h5_close(dataset);
    *offset = place;
    return ok;
}

bool h5_pieces_write(int descriptor, const char *path, const struct h5_piece *pieces, size_t count, uint64_t *offsets,
                     struct error *error)
{
    char name[PATH_MAX];
    file_name_of(descriptor, path, name);
    hid_t access = H5Pcreate(H5P_FILE_ACCESS), create = H5Pcreate(H5P_FILE_CREATE), file = -1;
    if (h5_set_format(access) && H5Pset_obj_track_times(create, false) >= 0)
        file = H5Fcreate(name, H5F_ACC_TRUNC, create, access);
    bool ok = file >= 0;
    for (size_t i = 0; ok && i < count; i++)
        ok = add(file, &pieces[i], &offsets[i], error);
    if (!ok)
        h5_error(error, ERROR_IO, "%s: cannot be written", path);
    h5_close(create);
    h5_close(access);
    if (file >= 0 && H5Fclose(file) < 0 && ok)
        ok = h5_error(error, ERROR_IO, "%s: cannot be written", path);
    return ok;
}
