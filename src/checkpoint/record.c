#include "checkpoint/record.h"

#include "base/memory.h"
#include "checkpoint/h5.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What stands for a fingerprint until the commit. */
#define BLANK "uncommitted     "

void record_release(struct record *record)
{
    memory_free(record->job);
    memory_free(record->passport);
    memory_free(record->vocabulary);
    memory_free(record->origin);
    memory_free(record->history.window);
    memory_free(record->segments);
    memset(record, 0, sizeof *record);
}

static void *copy_rows(const void *rows, size_t count, size_t bytes)
{
    void *copy = memory_need(count, bytes);
    if (count > 0)
        memcpy(copy, rows, count * bytes);
    return copy;
}

void record_copy(struct record *copy, const struct record *record)
{
    const struct history *history = &record->history;
    *copy = *record;
    copy->job = record->job ? memory_text(record->job) : NULL;
    copy->passport = record->passport ? memory_text(record->passport) : NULL;
    copy->vocabulary = record->vocabulary ? memory_text(record->vocabulary) : NULL;
    copy->origin = record->origin ? memory_text(record->origin) : NULL;
    copy->history.window = copy_rows(history->window, history->window_count, sizeof *history->window);
    copy->segments = copy_rows(record->segments, record->segment_count, sizeof *record->segments);
}

/* A fixed-length text member. */
static bool insert_text(hid_t row, const char *name, size_t offset, size_t bytes)
{
    hid_t text = H5Tcopy(H5T_C_S1);
    bool ok = H5Tset_size(text, bytes) >= 0 && H5Tinsert(row, name, offset, text) >= 0;
    h5_close(text);
    return ok;
}

/* The type of a row of /provenance, in memory and in the file. */
static hid_t segment_type(void)
{
    hid_t row = H5Tcreate(H5T_COMPOUND, sizeof(struct segment));
    bool ok = H5Tinsert(row, "first_step", offsetof(struct segment, first_step), H5T_NATIVE_UINT64) >= 0 &&
              H5Tinsert(row, "last_step", offsetof(struct segment, last_step), H5T_NATIVE_UINT64) >= 0 &&
              H5Tinsert(row, "began_unix", offsetof(struct segment, began_unix), H5T_NATIVE_INT64) >= 0 &&
              H5Tinsert(row, "saved_unix", offsetof(struct segment, saved_unix), H5T_NATIVE_INT64) >= 0 &&
              H5Tinsert(row, "ranks", offsetof(struct segment, ranks), H5T_NATIVE_UINT64) >= 0 &&
              H5Tinsert(row, "nodes", offsetof(struct segment, nodes), H5T_NATIVE_UINT64) >= 0 &&
              insert_text(row, "end", offsetof(struct segment, end), sizeof((struct segment){0}.end)) &&
              insert_text(row, "hosts", offsetof(struct segment, hosts), sizeof((struct segment){0}.hosts)) &&
              insert_text(row, "changes", offsetof(struct segment, changes), sizeof((struct segment){0}.changes));
    if (ok)
        return row;
    h5_close(row);
    return -1;
}

/* The type of a row of /window. */
static hid_t window_type(void)
{
    hid_t row = H5Tcreate(H5T_COMPOUND, sizeof(struct history_step));
    bool ok = H5Tinsert(row, "loss", offsetof(struct history_step, loss), H5T_NATIVE_DOUBLE) >= 0 &&
              H5Tinsert(row, "gradient_norm", offsetof(struct history_step, gradient_norm), H5T_NATIVE_DOUBLE) >= 0;
    if (ok)
        return row;
    h5_close(row);
    return -1;
}

/* The type of a row of /best. */
static hid_t best_type(void)
{
    hid_t row = H5Tcreate(H5T_COMPOUND, sizeof(struct history_best));
    bool ok = H5Tinsert(row, "value", offsetof(struct history_best, value), H5T_NATIVE_DOUBLE) >= 0 &&
              H5Tinsert(row, "step", offsetof(struct history_best, step), H5T_NATIVE_UINT64) >= 0;
    if (ok)
        return row;
    h5_close(row);
    return -1;
}

static bool read_segments(hid_t file, struct record *record, struct error *error)
{
    void *rows = NULL;
    bool ok = h5_read_rows(file, "provenance", segment_type(), sizeof *record->segments, &rows, &record->segment_count,
                           error);
    record->segments = rows;
    return ok;
}

static bool write_history(hid_t file, const struct history *history, struct error *error)
{
    size_t best = history->best_count < history->best_most ? history->best_count : history->best_most;
    return h5_put_number(file, "sampler_step", history->sampler_step, error) &&
           h5_put_number(file, "sampler_sample", history->sampler_sample, error) &&
           h5_put_number(file, "updates", history->updates, error) &&
           h5_put_number(file, "skipped_row", history->skipped_row, error) &&
           h5_put_number(file, "validated_step", history->validated_step, error) &&
           h5_put_number(file, "best_metric", history->metric, error) &&
           h5_put_number(file, "best_yardstick", history->yardstick, error) &&
           h5_put_number(file, "best_count", best, error) &&
           h5_write_rows(file, "best", best_type(), best, history->best, error) &&
           h5_put_real(file, "stale_reference", history->reference, error) &&
           h5_put_number(file, "stale", history->stale, error) &&
           h5_put_number(file, "window_count", history->window_count, error) &&
           h5_write_rows(file, "window", window_type(), history->window_count, history->window, error);
}

/* The best validations: a table; before version 3 there was only one, in two attributes. */
static bool read_best(hid_t file, uint64_t version, struct history *history, struct error *error)
{
    uint64_t count;
    void *rows = NULL;
    bool ok;
    if (version < 3) {
        ok = h5_get_real(file, "best", &history->best[0].value, error) &&
             h5_get_number(file, "best_step", &history->best[0].step, error);
        history->best_count = ok && history->best[0].step > 0;
    } else {
        ok = h5_get_number(file, "best_count", &count, error);
        if (ok && count > 0 &&
            (ok = h5_read_rows(file, "best", best_type(), sizeof *history->best, &rows, &history->best_count, error))) {
            ok = history->best_count <= HISTORY_BEST ||
                 error_set(error, ERROR_CORRUPT, "the table /best has %zu rows", history->best_count);
            if (ok)
                memcpy(history->best, rows, history->best_count * sizeof *history->best);
        }
        memory_free(rows);
    }
    history->best_most = history->best_count;
    return ok;
}

static bool read_history(hid_t file, uint64_t version, struct history *history, struct error *error)
{
    uint64_t count;
    bool ok = (version < 3 || (h5_get_number(file, "sampler_step", &history->sampler_step, error) &&
                               h5_get_number(file, "sampler_sample", &history->sampler_sample, error))) &&
              h5_get_number(file, "updates", &history->updates, error) &&
              h5_get_number(file, "skipped_row", &history->skipped_row, error) &&
              h5_get_number(file, "best_metric", &history->metric, error) &&
              h5_get_number(file, "best_yardstick", &history->yardstick, error) &&
              read_best(file, version, history, error) &&
              h5_get_real(file, "stale_reference", &history->reference, error) &&
              h5_get_number(file, "stale", &history->stale, error) &&
              h5_get_number(file, "window_count", &count, error);
    if (!ok || count == 0)
        return ok;
    void *rows = NULL;
    ok = h5_read_rows(file, "window", window_type(), sizeof *history->window, &rows, &history->window_count, error);
    history->window = rows;
    return ok;
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

static bool write_views(hid_t file, const struct state *state, struct error *error)
{
    char path[512], source[256];
    for (size_t a = 0; a < state->array_count; a++) {
        const char *array = state->arrays[a].name;
        bool is_model = strcmp(array, "params") == 0;
        snprintf(source, sizeof source, "/state/%s", array);
        for (size_t t = 0; t < state->tensor_count; t++) {
            const struct state_tensor *tensor = &state->tensors[t];
            snprintf(path, sizeof path, "/%s%s/%s", is_model ? "model" : "optimizer/", is_model ? "" : array,
                     tensor->name);
            if (!write_view(file, path, source, state->count, tensor))
                return h5_error(error, ERROR_IO, "cannot write the view %s", path);
        }
    }
    return true;
}

bool record_write(hid_t file, const struct record *record, const struct state *state, struct error *error)
{
    return write_views(file, state, error) &&
           h5_write_rows(file, "provenance", segment_type(), record->segment_count, record->segments, error) &&
           write_history(file, &record->history, error) &&
           h5_put_text(file, "vocabulary", record->vocabulary ? record->vocabulary : "", error) &&
           h5_put_text(file, "origin", record->origin ? record->origin : "", error) &&
           h5_put_text(file, "why", record->why, error) && h5_put_text(file, "format", RECORD_FORMAT, error) &&
           h5_put_number(file, "version", RECORD_VERSION, error) && h5_put_number(file, "step", record->step, error) &&
           h5_put_real(file, "epoch", record->epoch, error) && h5_put_real(file, "loss", record->loss, error) &&
           h5_put_number(file, "saved_unix", (uint64_t)record->saved_unix, error) &&
           h5_put_number(file, "data_digest", record->data_digest, error) &&
           h5_put_number(file, "lineage", record->lineage, error) && h5_put_text(file, "job", record->job, error) &&
           h5_put_text(file, "passport", record->passport, error) && h5_put_text(file, "fingerprint", BLANK, error);
}

bool record_write_fingerprint(hid_t file, uint64_t fingerprint, struct error *error)
{
    char text[sizeof BLANK];
    snprintf(text, sizeof text, "%016llx", (unsigned long long)fingerprint);
    hid_t attribute = H5Aopen(file, "fingerprint", H5P_DEFAULT), type = attribute >= 0 ? H5Aget_type(attribute) : -1;
    bool ok = attribute >= 0 && H5Awrite(attribute, type, text) >= 0;
    if (!ok)
        h5_error(error, ERROR_IO, "cannot write the commit record");
    h5_close(type);
    h5_close(attribute);
    return ok;
}

bool record_commit(const char *path, uint64_t fingerprint, struct error *error)
{
    hid_t file;
    if (!h5_open(path, H5F_ACC_RDWR, &file, error))
        return false;
    bool ok = record_write_fingerprint(file, fingerprint, error);
    if (H5Fclose(file) < 0 && ok)
        ok = h5_error(error, ERROR_IO, "cannot finish the commit record");
    return ok;
}

static bool read_attributes(hid_t file, struct record *record, struct error *error)
{
    char *fingerprint = NULL;
    uint64_t saved;
    bool ok = h5_get_number(file, "step", &record->step, error) && h5_get_real(file, "epoch", &record->epoch, error) &&
              h5_get_real(file, "loss", &record->loss, error) && h5_get_number(file, "saved_unix", &saved, error) &&
              h5_get_number(file, "data_digest", &record->data_digest, error) &&
              h5_get_text(file, "job", &record->job, error) &&
              h5_get_text(file, "passport", &record->passport, error) &&
              h5_get_text(file, "fingerprint", &fingerprint, error);
    if (ok) {
        char *end;
        record->saved_unix = (int64_t)saved;
        record->fingerprint = strtoull(fingerprint, &end, 16);
        if (strcmp(fingerprint, BLANK) == 0)
            ok = error_set(error, ERROR_CORRUPT, "not a finished checkpoint (it has no commit record)");
        else if (*end || end - fingerprint != 16)
            ok = error_set(error, ERROR_CORRUPT, "attribute 'fingerprint' is not 16 hexadecimal digits");
    }
    memory_free(fingerprint);
    return ok;
}

/* Only for people, and not in the first files of version 3. */
static bool read_why(hid_t file, struct record *record, struct error *error)
{
    char *why = NULL;
    if (H5Aexists(file, "why") <= 0)
        return true;
    bool ok = h5_get_text(file, "why", &why, error);
    if (ok)
        snprintf(record->why, sizeof record->why, "%s", why);
    memory_free(why);
    return ok;
}

/* Older files do not have it: none of their validations was put off. */
static bool read_validated(hid_t file, struct record *record, struct error *error)
{
    record->history.validated_step = record->step;
    return H5Aexists(file, "validated_step") <= 0 ||
           h5_get_number(file, "validated_step", &record->history.validated_step, error);
}

bool record_read(hid_t file, struct record *record, struct error *error)
{
    char *format = NULL;
    uint64_t version;
    memset(record, 0, sizeof *record);
    htri_t exists = H5Aexists(file, "fingerprint");
    if (exists < 0)
        return h5_error(error, ERROR_CORRUPT, "the commit record cannot be read");
    if (exists == 0)
        return error_set(error, ERROR_CORRUPT, "not a lockstep checkpoint (it has no commit record)");
    bool ok = h5_get_text(file, "format", &format, error) && h5_get_number(file, "version", &version, error);
    if (ok && strcmp(format, RECORD_FORMAT) != 0)
        ok = error_set(error, ERROR_CORRUPT, "not a lockstep checkpoint: its format is '%.40s'", format);
    memory_free(format);
    if (ok && (version < 1 || version > RECORD_VERSION))
        ok = error_set(error, ERROR_VERSION, "format version %llu, but this lockstep (%s) reads versions 1 to %d",
                       (unsigned long long)version, LOCKSTEP_VERSION, RECORD_VERSION);
    record->version = ok ? version : 0;
    ok = ok && read_attributes(file, record, error) && read_segments(file, record, error);
    if (ok && version >= 3)
        ok = h5_get_number(file, "lineage", &record->lineage, error);
    if (ok && version == 1)
        record->history.updates = record->step;
    else
        ok = ok && read_history(file, version, &record->history, error) &&
             h5_get_text(file, "vocabulary", &record->vocabulary, error);
    ok = ok && read_validated(file, record, error);
    if (ok && record->history.sampler_step > record->step)
        ok = error_set(error, ERROR_CORRUPT, "attribute 'sampler_step' is beyond the checkpoint's step");
    if (ok && version >= 3)
        ok = h5_get_text(file, "origin", &record->origin, error) && read_why(file, record, error);
    if (!ok)
        record_release(record);
    return ok;
}
