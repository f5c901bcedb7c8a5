/* Where the chunks of a dataset lie, and what was done to them. */
#include "base/memory.h"
#include "h5/h5.h"
#include "h5/h5_describe.h"

#include <string.h>

#define LZF 32000 /* h5py writes it */

/* Filters that are undone here, and others by the names that people know (The HDF Group's list of registered ones). */
static const struct {
    H5Z_filter_t number;
    int kind; /* -1: it is not undone here */
    const char *name;
} filters[] = {
    {H5Z_FILTER_DEFLATE, H5_ARRAY_DEFLATE, "deflate"},
    {H5Z_FILTER_SHUFFLE, H5_ARRAY_SHUFFLE, "shuffle"},
    {H5Z_FILTER_FLETCHER32, H5_ARRAY_FLETCHER32, "fletcher32"},
    {H5Z_FILTER_SZIP, -1, "szip"},
    {H5Z_FILTER_NBIT, -1, "nbit"},
    {H5Z_FILTER_SCALEOFFSET, -1, "scaleoffset"},
    {307, -1, "bzip2"},
    {LZF, -1, "lzf"},
    {32001, -1, "blosc"},
    {32004, -1, "lz4"},
    {32008, -1, "bitshuffle"},
    {32013, -1, "zfp"},
    {32015, -1, "zstd"},
    {32017, -1, "sz"},
    {32026, -1, "blosc2"},
};

static bool refuse_filter(const char *name, H5Z_filter_t number, const char *filter, struct error *error)
{
    return error_set(
        error, ERROR_VERSION,
        "%.200s is packed by the filter %s (%d), which is not read here: h5repack -f GZIP=4 OLD NEW, where "
        "that filter is installed, packs it anew%s",
        name, filter, (int)number,
        number == LZF ? "; h5py has it: h5py.File(NEW, \"w\").create_dataset(NAME, data=h5py.File(OLD)[NAME], "
                        "chunks=True, compression=\"gzip\")"
                      : "");
}

static bool take_filters(hid_t create, const char *name, struct h5_array *array, struct error *error)
{
    int count = H5Pget_nfilters(create);
    bool deflated = false;
    for (int f = 0; f < count; f++) {
        unsigned flags, config, values[1] = {0};
        size_t n = 1, k = 0, known = sizeof filters / sizeof *filters;
        H5Z_filter_t number = H5Pget_filter2(create, (unsigned)f, &flags, &n, values, 0, NULL, &config);
        while (k < known && filters[k].number != number)
            k++;
        if (k == known || filters[k].kind < 0)
            return refuse_filter(name, number, k < known ? filters[k].name : "of this number", error);
        if (f == H5_ARRAY_FILTERS || (deflated && filters[k].kind == H5_ARRAY_DEFLATE))
            return error_set(error, ERROR_VERSION, "%.200s is packed by too many filters: h5repack -f GZIP=4 OLD NEW",
                             name);
        deflated |= filters[k].kind == H5_ARRAY_DEFLATE;
        if (filters[k].kind == H5_ARRAY_SHUFFLE && values[0]) /* HDF5 leaves a second one out */
            array->shuffled = values[0];
        array->filter[f] = (enum h5_array_filter)filters[k].kind;
    }
    array->filter_count = count > 0 ? (size_t)count : 0;
    return count >= 0 || h5_error(error, ERROR_CORRUPT, "%.200s has filters that cannot be told", name);
}

/* Sizes of a chunk, and how many there are. */
static bool take_grid(hid_t create, const char *name, struct h5_array *array, struct error *error)
{
    hsize_t chunk[H5S_MAX_RANK];
    bool ok = H5Pget_chunk(create, H5S_MAX_RANK, chunk) == (int)array->dims;
    array->count = 1;
    array->chunk_bytes = array->bytes;
    for (size_t i = 0; ok && i < array->dims; i++) {
        array->chunk[i] = chunk[i];
        ok = chunk[i] > 0 && !__builtin_mul_overflow(array->chunk_bytes, array->chunk[i], &array->chunk_bytes) &&
             array->chunk_bytes <= UINT32_MAX;
        size_t along = ok ? (array->size[i] - 1) / array->chunk[i] + 1 : 1;
        if (__builtin_mul_overflow(array->count, along, &array->count))
            array->count = SIZE_MAX;
    }
    if (!ok)
        return error_set(error, ERROR_CORRUPT, "%.200s has chunks that cannot be", name);
    return array->count <= H5_ARRAY_CHUNKS ||
           error_set(error, ERROR_VERSION,
                     "%.200s has %zu chunks, %zu are the most: h5repack -l CONTI, or -l CHUNK=SIZES with larger ones",
                     name, array->count, H5_ARRAY_CHUNKS);
}

/* The coordinates of the next chunk; *partial: it goes beyond the end. */
static void go_on(const struct h5_array *array, hsize_t *at)
{
    for (size_t i = array->dims; i-- > 0;) {
        at[i] += array->chunk[i];
        if (at[i] < array->size[i])
            return;
        at[i] = 0;
    }
}

static bool is_partial(const struct h5_array *array, const hsize_t *at)
{
    bool partial = false;
    for (size_t i = 0; i < array->dims; i++)
        partial |= at[i] + array->chunk[i] > array->size[i];
    return partial;
}

static herr_t find_absence(unsigned n, const H5E_error2_t *entry, void *found)
{
    if (n == 0 && entry->desc && strstr(entry->desc, "not allocated"))
        *(bool *)found = true;
    return 0;
}

/* Of the chunk whose length HDF5 could not tell: what it says of one that was never written. It has no number for it.
 */
static bool is_absent(void)
{
    bool found = false;
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, find_absence, &found);
    return found;
}

/* HDF5 looks a chunk up in its index for each of both calls; the second has its place noted (h5_bytes.h). */
static bool take_chunk(hid_t dataset, struct h5_bytes *bytes, const hsize_t *at, struct h5_chunk *chunk)
{
    hsize_t stored = 0;
    char nothing[64]; /* is written there */
    if (H5Dget_chunk_storage_size(dataset, at, &stored) < 0)
        return is_absent();
    if (stored > UINT32_MAX)
        return false;
    chunk->bytes = (uint32_t)stored;
    if (stored == 0)
        return true;
    bytes->noting = true;
    bool ok = H5Dread_chunk(dataset, H5P_DEFAULT, at, &chunk->left_out, nothing) >= 0;
    bytes->noting = false;
    chunk->place = bytes->place;
    return ok;
}

bool h5_describe_chunks(hid_t dataset, hid_t create, struct h5_bytes *bytes, const char *name, struct h5_array *array,
                        struct error *error)
{
    hsize_t at[H5_ARRAY_DIMS] = {0};
    unsigned options = 0;
    H5D_fill_value_t defined = H5D_FILL_VALUE_UNDEFINED;
    array->storage = H5_ARRAY_CHUNKED;
    if (!take_filters(create, name, array, error) || !take_grid(create, name, array, error))
        return false;
    hid_t type = H5Dget_type(dataset);
    bool ok = H5Pget_chunk_opts(create, &options) >= 0 && H5Pfill_value_defined(create, &defined) >= 0 &&
              (defined == H5D_FILL_VALUE_UNDEFINED || H5Pget_fill_value(create, type, array->fill) >= 0);
    h5_close(type);
    array->chunks = memory_alloc(array->count, sizeof *array->chunks, name, error);
    if (!array->chunks)
        return false;
    for (size_t c = 0; ok && c < array->count; c++, go_on(array, at)) {
        ok = take_chunk(dataset, bytes, at, &array->chunks[c]);
        if ((options & H5D_CHUNK_DONT_FILTER_PARTIAL_CHUNKS) && is_partial(array, at))
            array->chunks[c].left_out = UINT32_MAX;
    }
    return ok || h5_error(error, ERROR_CORRUPT, "%.200s: the places of its chunks cannot be told", name);
}
