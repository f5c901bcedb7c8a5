#include "checkpoint/record_h5.h"

#include "base/file.h"
#include "h5/h5.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

void record_view_path(const char *array, const char *tensor, char path[RECORD_PATH])
{
    bool is_model = strcmp(array, "params") == 0;
    snprintf(path, RECORD_PATH, "/%s%s/%s", is_model ? "model" : "optimizer/", is_model ? "" : array, tensor);
}

static hid_t column_type(const struct field *field)
{
    if (field->kind == FIELD_WORDS) {
        hid_t text = H5Tcopy(H5T_C_S1);
        H5Tset_size(text, (size_t)field->most);
        return text;
    }
    return H5Tcopy(field->kind == FIELD_REAL   ? H5T_NATIVE_DOUBLE
                   : field->kind == FIELD_TIME ? H5T_NATIVE_INT64
                                               : H5T_NATIVE_UINT64);
}

hid_t record_row_type(const struct record_table *table, uint64_t version)
{
    hid_t row = H5Tcreate(H5T_COMPOUND, table->row_bytes);
    for (size_t c = 0; c < table->column_count; c++) {
        const struct field *field = &table->columns[c];
        hid_t type = column_type(field);
        if (field->since <= version)
            H5Tinsert(row, field->name, field->offset, type);
        h5_close(type);
    }
    return row;
}

static bool write_field(hid_t file, const struct field *field, const void *at, struct error *error)
{
    uint64_t number;
    double real;
    memcpy(&number, at, sizeof number);
    memcpy(&real, at, sizeof real);
    switch (field->kind) {
    case FIELD_REAL:
        return h5_put_real(file, field->name, real, error);
    case FIELD_TEXT: {
        const char *text = *(char *const *)at;
        return h5_put_text(file, field->name, text ? text : "", error);
    }
    case FIELD_WORDS:
        return h5_put_text(file, field->name, at, error);
    default:
        return h5_put_number(file, field->name, number, error);
    }
}

/* A tensor by name and shape, without a byte stored: a virtual dataset on its range of /state/<array>. */
static bool write_view(hid_t file, const char *path, const char *source, size_t count,
                       const struct state_tensor *tensor)
{
    hsize_t shape[STATE_DIMS], length = 1, total = count, start = tensor->offset;
    for (size_t d = 0; d < tensor->dims; d++)
        length *= shape[d] = tensor->shape[d];
    hid_t view = H5Screate_simple((int)tensor->dims, shape, NULL), flat = H5Screate_simple(1, &total, NULL);
    hid_t create = H5Pcreate(H5P_DATASET_CREATE), links = H5Pcreate(H5P_LINK_CREATE), dataset = -1;
    if (H5Sselect_hyperslab(flat, H5S_SELECT_SET, &start, NULL, &length, NULL) >= 0 &&
        H5Pset_virtual(create, view, ".", source, flat) >= 0 && H5Pset_create_intermediate_group(links, 1) >= 0)
        dataset = H5Dcreate2(file, path, H5T_IEEE_F32LE, view, links, create, H5P_DEFAULT);
    h5_close(links);
    h5_close(create);
    h5_close(flat);
    h5_close(view);
    h5_close(dataset);
    return dataset >= 0;
}

static bool write_views(hid_t file, const struct record_layout *layout, struct error *error)
{
    char path[RECORD_PATH], source[256];
    for (size_t a = 0; a < layout->array_count; a++) {
        snprintf(source, sizeof source, "/state/%s", layout->arrays[a].name);
        for (size_t t = 0; t < layout->tensor_count; t++) {
            record_view_path(layout->arrays[a].name, layout->tensors[t].name, path);
            if (!write_view(file, path, source, layout->count, &layout->tensors[t]))
                return h5_error(error, ERROR_IO, "cannot write the view %s", path);
        }
    }
    return true;
}

bool record_h5_write(hid_t file, const struct record *record, const struct record_layout *layout, struct error *error)
{
    bool ok = write_views(file, layout, error);
    for (size_t t = 0; ok && t < RECORD_TABLES; t++) {
        const struct record_table *table = &record_tables[t];
        size_t count;
        const void *rows = record_rows(record, table, &count);
        ok = (!table->count_name || h5_put_number(file, table->count_name, count, error)) &&
             h5_write_rows(file, table->name, record_row_type(table, RECORD_VERSION), count, rows, error);
    }
    for (size_t i = 0; ok && i < record_field_count; i++)
        ok = write_field(file, &record_fields[i], (const char *)record + record_fields[i].offset, error);
    return ok && h5_put_text(file, "format", RECORD_FORMAT, error) &&
           h5_put_number(file, "version", RECORD_VERSION, error) &&
           h5_put_text(file, "fingerprint", RECORD_BLANK, error);
}

bool record_h5_finish(const char *path, uint64_t fingerprint, struct error *error)
{
    char text[sizeof RECORD_BLANK];
    hid_t file;
    int fd;
    if (!file_open(path, FILE_CHANGE, &fd, error))
        return false;
    bool opened = h5_open(fd, path, H5F_ACC_RDWR, &file, error);
    close(fd);
    if (!opened)
        return false;
    snprintf(text, sizeof text, "%016llx", (unsigned long long)fingerprint);
    hid_t attribute = H5Aopen(file, "fingerprint", H5P_DEFAULT), type = attribute >= 0 ? H5Aget_type(attribute) : -1;
    bool ok = attribute >= 0 && H5Awrite(attribute, type, text) >= 0;
    if (!ok)
        h5_error(error, ERROR_IO, "cannot write the commit record");
    h5_close(type);
    h5_close(attribute);
    if (H5Fclose(file) < 0 && ok)
        ok = h5_error(error, ERROR_IO, "cannot finish the commit record");
    return ok;
}
