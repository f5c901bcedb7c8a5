#include "checkpoint/record_prove.h"

#include "base/memory.h"
#include "checkpoint/record_h5.h"
#include "h5/h5.h"

#include <stdio.h>
#include <string.h>

static bool is_bare(hid_t object)
{
    H5O_info_t info;
    return H5Oget_info(object, &info) >= 0 && info.num_attrs == 0;
}

static bool holds(hid_t file, const char *path, hsize_t wanted, struct error *error)
{
    hid_t group;
    hsize_t members;
    if (!h5_open_group(file, path, &group, &members, error))
        return false;
    bool ok = members == wanted || error_set(error, ERROR_CORRUPT, "%s holds %llu objects, not %llu", path,
                                             (unsigned long long)members, (unsigned long long)wanted);
    ok = ok && (is_bare(group) || error_set(error, ERROR_CORRUPT, "%s has attributes that no checkpoint has", path));
    h5_close(group);
    return ok;
}

/* Whether a dataset has this type and shape. */
static bool has_form(hid_t dataset, hid_t wanted, size_t dims, const size_t *shape)
{
    hid_t type = H5Dget_type(dataset), space = H5Dget_space(dataset);
    hsize_t sizes[H5S_MAX_RANK];
    bool ok = type >= 0 && H5Tequal(type, wanted) > 0 && space >= 0 && H5Sget_simple_extent_ndims(space) == (int)dims &&
              H5Sget_simple_extent_dims(space, sizes, NULL) >= 0;
    for (size_t d = 0; ok && d < dims; d++)
        ok = sizes[d] == shape[d];
    h5_close(space);
    h5_close(type);
    return ok;
}

/* A row of numbers: its place in the file. */
static bool prove_row(hid_t file, const char *group, const char *name, hid_t type, size_t count, uint64_t offset,
                      struct error *error)
{
    char path[RECORD_PATH];
    hid_t dataset;
    snprintf(path, sizeof path, "/%s/%s", group, name);
    if (!h5_open_inside(file, path, H5_ROW, &dataset, error))
        return false;
    bool ok = (has_form(dataset, type, 1, &count) && is_bare(dataset) && H5Dget_offset(dataset) == offset) ||
              error_set(error, ERROR_CORRUPT, "%s has another place, type or length than its record says", path);
    h5_close(dataset);
    return ok;
}

/* The part of an array that a view shows: `length` elements from *start. In the list of what a virtual dataset shows
 * there is one entry, of this very file, and it fills the view. */
static bool find_part(hid_t dataset, const char *array, size_t dims, const size_t *shape, size_t length, size_t *start)
{
    char source[RECORD_PATH], name[4] = "", wanted[RECORD_PATH];
    hid_t create = H5Dget_create_plist(dataset);
    size_t entries = 0;
    hsize_t first[STATE_DIMS], last[STATE_DIMS], from = 0, to = 0;
    snprintf(wanted, sizeof wanted, "/state/%s", array);
    bool ok = create >= 0 && H5Pget_virtual_count(create, &entries) >= 0 && entries == 1 &&
              H5Pget_virtual_filename(create, 0, name, sizeof name) == 1 && strcmp(name, ".") == 0 &&
              H5Pget_virtual_dsetname(create, 0, source, sizeof source) == (ssize_t)strlen(wanted) &&
              strcmp(source, wanted) == 0;
    hid_t here = ok ? H5Pget_virtual_vspace(create, 0) : -1, there = ok ? H5Pget_virtual_srcspace(create, 0) : -1;
    ok = here >= 0 && there >= 0 && H5Sget_simple_extent_ndims(here) == (int)dims &&
         H5Sget_simple_extent_ndims(there) == 1 && H5Sget_select_npoints(here) == (hssize_t)length &&
         H5Sget_select_npoints(there) == (hssize_t)length && H5Sget_select_bounds(here, first, last) >= 0 &&
         H5Sget_select_bounds(there, &from, &to) >= 0 && to - from + 1 == length;
    for (size_t d = 0; ok && d < dims; d++)
        ok = first[d] == 0 && last[d] == shape[d] - 1;
    *start = (size_t)from;
    h5_close(there);
    h5_close(here);
    h5_close(create);
    return ok;
}

static bool prove_view(hid_t file, const char *array, const struct state_tensor *tensor, struct error *error)
{
    char path[RECORD_PATH];
    hid_t dataset;
    size_t length = 1, start;
    record_view_path(array, tensor->name, path);
    if (!h5_open_inside(file, path, H5_VIEW, &dataset, error))
        return false;
    for (size_t d = 0; d < tensor->dims; d++)
        length *= tensor->shape[d];
    bool ok = (has_form(dataset, H5T_IEEE_F32LE, tensor->dims, tensor->shape) && is_bare(dataset) &&
               find_part(dataset, array, tensor->dims, tensor->shape, length, &start) && start == tensor->offset) ||
              error_set(error, ERROR_CORRUPT, "%s is not the view of its part of /state/%s", path, array);
    h5_close(dataset);
    return ok;
}

/* Of an array: its floats, its digests, and the views of its tensors. */
static bool prove_array(hid_t file, const struct record_layout *layout, size_t a, struct error *error)
{
    char group[RECORD_PATH];
    const struct record_array *array = &layout->arrays[a];
    bool is_model = strcmp(array->name, "params") == 0, ok = true;
    snprintf(group, sizeof group, "/%s%s", is_model ? "model" : "optimizer/", is_model ? "" : array->name);
    ok = prove_row(file, "state", array->name, H5T_IEEE_F32LE, layout->count, array->offset, error) &&
         prove_row(file, "digest", array->name, H5T_STD_U64LE, exchange_blocks(layout->count), array->digests, error) &&
         (layout->tensor_count == 0 || holds(file, group, layout->tensor_count, error));
    for (size_t t = 0; ok && t < layout->tensor_count; t++)
        ok = prove_view(file, array->name, &layout->tensors[t], error);
    return ok;
}

static bool has_model(const struct record_layout *layout)
{
    bool found = false;
    for (size_t a = 0; a < layout->array_count; a++)
        found = found || strcmp(layout->arrays[a].name, "params") == 0;
    return found;
}

bool record_prove_layout(hid_t file, const struct record_layout *layout, struct error *error)
{
    size_t others = layout->array_count - has_model(layout);
    bool ok = holds(file, "/state", layout->array_count, error) && holds(file, "/digest", layout->array_count, error) &&
              (layout->tensor_count == 0 || others == 0 || holds(file, "/optimizer", others, error));
    for (size_t a = 0; ok && a < layout->array_count; a++)
        ok = prove_array(file, layout, a, error);
    return ok;
}

static bool same_table(const struct record_table *table, const struct record *a, const struct record *b)
{
    size_t count, other;
    const char *x = record_rows(a, table, &count), *y = record_rows(b, table, &other);
    bool same = count == other;
    for (size_t i = 0; same && i < count; i++)
        for (size_t c = 0; same && c < table->column_count; c++) {
            size_t place = i * table->row_bytes + table->columns[c].offset;
            same = field_equal(&table->columns[c], x + place, y + place);
        }
    return same;
}

static bool compare(const struct record *found, const struct record *record, struct error *error)
{
    for (size_t i = 0; i < record_field_count; i++) {
        const struct field *field = &record_fields[i];
        if (!field_equal(field, (const char *)found + field->offset, (const char *)record + field->offset))
            return error_set(error, ERROR_CORRUPT, "attribute '%s' is not what its record says", field->name);
    }
    for (size_t t = 0; t < RECORD_TABLES; t++)
        if (!same_table(&record_tables[t], found, record))
            return error_set(error, ERROR_CORRUPT, "the table /%s is not what its record says", record_tables[t].name);
    return found->fingerprint == record->fingerprint ||
           error_set(error, ERROR_CORRUPT, "attribute 'fingerprint' is not what its record says");
}

bool record_prove_root(hid_t file, const struct record *record, const struct record_layout *layout, struct error *error)
{
    H5G_info_t group;
    hsize_t members = 2; /* state, digest */
    for (size_t t = 0; t < RECORD_TABLES; t++) {
        size_t rows;
        record_rows(record, &record_tables[t], &rows);
        members += rows > 0 && record_tables[t].since <= record->version;
    }
    if (layout->tensor_count > 0)
        members += (hsize_t)has_model(layout) + (layout->array_count > has_model(layout));
    return (H5Gget_info(file, &group) >= 0 && group.nlinks == members) ||
           error_set(error, ERROR_CORRUPT, "it holds objects that no checkpoint has");
}

/* That the root has these attributes and no others. */
static bool prove_attributes(hid_t file, const struct record *record, struct error *error)
{
    H5O_info_t info;
    uint64_t version;
    hsize_t attributes = 3; /* format, version, fingerprint */
    for (size_t i = 0; i < record_field_count; i++)
        attributes += record_fields[i].since <= record->version;
    for (size_t t = 0; t < RECORD_TABLES; t++)
        attributes += record_tables[t].count_name != NULL;
    return record_h5_version(file, &version, error) &&
           ((version == record->version && H5Oget_info(file, &info) >= 0 && info.num_attrs == attributes) ||
            error_set(error, ERROR_CORRUPT, "it holds attributes that no checkpoint of its version has"));
}

bool record_prove(hid_t file, const struct record *record, const struct record_layout *layout, struct error *error)
{
    struct record found;
    if (!record_h5_read_fields(file, record->version, &found, error))
        return false;
    bool ok = compare(&found, record, error) && prove_attributes(file, record, error) &&
              record_prove_root(file, record, layout, error);
    record_release(&found);
    return ok;
}

/* ---- files without an image ---- */

struct listing {
    struct record_layout *layout;
    struct state_tensor *tensors;
    size_t capacity;
    struct error *error;
};

static herr_t take_array(hid_t group, const char *name, const H5L_info_t *info, void *context)
{
    struct record_layout *layout = ((struct listing *)context)->layout;
    (void)group, (void)info;
    if (layout->array_count == STATE_ARRAYS)
        return -1;
    layout->arrays[layout->array_count++].name = memory_text(name); /* this process ends soon */
    return 0;
}

/* One-dimensional, in one piece: where, and how many. */
static bool find_row(hid_t file, const char *group, const char *name, uint64_t *offset, size_t *count,
                     struct error *error)
{
    char path[RECORD_PATH];
    hid_t dataset;
    snprintf(path, sizeof path, "/%s/%.200s", group, name);
    if (!h5_open_inside(file, path, H5_ROW, &dataset, error))
        return false;
    hid_t space = H5Dget_space(dataset);
    *count = H5Sget_simple_extent_ndims(space) == 1 ? (size_t)H5Sget_simple_extent_npoints(space) : 0;
    *offset = H5Dget_offset(dataset);
    h5_close(space);
    h5_close(dataset);
    return *count > 0 || error_set(error, ERROR_CORRUPT, "%s has a wrong shape", path);
}

static herr_t take_tensor(hid_t group, const char *name, const H5L_info_t *info, void *context)
{
    struct listing *listing = context;
    struct record_layout *layout = listing->layout;
    hid_t dataset;
    (void)info;
    listing->tensors = memory_grow(listing->tensors, layout->tensor_count, &listing->capacity,
                                   sizeof *listing->tensors);
    struct state_tensor *tensor = &listing->tensors[layout->tensor_count];
    if (!h5_open_inside(group, name, H5_VIEW, &dataset, listing->error))
        return -1;
    hid_t space = H5Dget_space(dataset);
    int dims = H5Sget_simple_extent_ndims(space);
    hsize_t sizes[STATE_DIMS];
    size_t length = 1;
    bool ok = dims >= 1 && dims <= STATE_DIMS && H5Sget_simple_extent_dims(space, sizes, NULL) == dims;
    *tensor = (struct state_tensor){.name = memory_text(name), .dims = ok ? (size_t)dims : 0};
    for (size_t d = 0; ok && d < tensor->dims; d++) {
        tensor->shape[d] = (size_t)sizes[d];
        ok = sizes[d] > 0 && !__builtin_mul_overflow(length, tensor->shape[d], &length);
    }
    ok = (ok && find_part(dataset, "params", tensor->dims, tensor->shape, length, &tensor->offset)) ||
         error_set(listing->error, ERROR_CORRUPT, "/model/%.200s is not a view of its part of /state/params", name);
    layout->tensor_count += ok;
    h5_close(space);
    h5_close(dataset);
    return ok ? 0 : -1;
}

static bool find_tensors(hid_t file, struct record_layout *layout, struct error *error)
{
    struct listing listing = {.layout = layout, .error = error};
    hid_t group;
    hsize_t members;
    if (!h5_open_group(file, "/model", &group, &members, error))
        return false;
    error_clear(error);
    bool ok = H5Literate(group, H5_INDEX_NAME, H5_ITER_INC, NULL, take_tensor, &listing) >= 0;
    if (!ok && error->kind == ERROR_NONE)
        h5_error(error, ERROR_CORRUPT, "the list of tensors cannot be read");
    layout->tensors = layout->owned[1] = listing.tensors;
    h5_close(group);
    return ok;
}

bool record_find_layout(hid_t file, struct record_layout *layout, struct error *error)
{
    struct listing listing = {.layout = layout, .error = error};
    hid_t group;
    hsize_t members;
    *layout = (struct record_layout){0};
    if (!h5_open_group(file, "/state", &group, &members, error))
        return false;
    /* In the order of creation, which is that of the fingerprint: the group is made with that index. */
    bool ok = (H5Literate(group, H5_INDEX_CRT_ORDER, H5_ITER_INC, NULL, take_array, &listing) >= 0 &&
               layout->array_count > 0) ||
              h5_error(error, ERROR_CORRUPT, "the list of arrays cannot be read");
    h5_close(group);
    for (size_t a = 0; ok && a < layout->array_count; a++) {
        struct record_array *array = &layout->arrays[a];
        size_t count, digests;
        ok = find_row(file, "state", array->name, &array->offset, &count, error) &&
             find_row(file, "digest", array->name, &array->digests, &digests, error);
        if (ok && ((a > 0 && count != layout->count) || digests != exchange_blocks(count)))
            ok = error_set(error, ERROR_CORRUPT, "array %.200s has a wrong shape", array->name);
        layout->count = ok ? count : 0;
    }
    return ok && find_tensors(file, layout, error);
}
