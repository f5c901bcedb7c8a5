/* Reading the record of files from before there were images: the versions 1 to 3. */
#include "checkpoint/record_h5.h"

#include "base/memory.h"
#include "checkpoint/record_prove.h"
#include "h5/h5.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool read_fingerprint(hid_t file, uint64_t *fingerprint, bool *finished, struct error *error)
{
    char *text, *end;
    if (!h5_get_text(file, "fingerprint", &text, error))
        return false;
    *finished = strcmp(text, RECORD_BLANK) != 0;
    *fingerprint = strtoull(text, &end, 16);
    bool ok = !*finished || (*end == '\0' && end - text == 16) ||
              error_set(error, ERROR_CORRUPT, "attribute 'fingerprint' is not 16 hexadecimal digits");
    memory_free(text);
    return ok;
}

static bool read_field(hid_t file, const struct field *field, void *at, struct error *error)
{
    char *text;
    if ((field->rules & FIELD_WAS_LATE) && H5Aexists(file, field->name) <= 0)
        return true;
    switch (field->kind) {
    case FIELD_REAL:
        return h5_get_real(file, field->name, at, error);
    case FIELD_TEXT:
        return h5_get_text(file, field->name, at, error);
    case FIELD_WORDS:
        if (!h5_get_text(file, field->name, &text, error))
            return false;
        snprintf(at, (size_t)field->most, "%s", text);
        memory_free(text);
        return true;
    default:
        return h5_get_number(file, field->name, at, error);
    }
}

static bool read_table(hid_t file, uint64_t version, const struct record_table *table, struct record *record,
                       struct error *error)
{
    uint64_t count = 1;
    void *rows = NULL;
    size_t found = 0;
    if (table->count_name && !h5_get_number(file, table->count_name, &count, error))
        return false;
    if (count == 0)
        return true;
    bool ok = h5_read_rows(file, table->name, record_row_type(table, version), table->row_bytes, &rows, &found, error);
    if (ok && table->most > 0 && found > table->most)
        ok = error_set(error, ERROR_CORRUPT, "the table '%s' has %zu rows", table->name, found);
    if (ok)
        memcpy((char *)record + table->count, &found, sizeof found);
    if (ok && table->held)
        memcpy((char *)record + table->rows, rows, found * table->row_bytes);
    if (!ok || table->held)
        memory_free(rows);
    else
        *(void **)(void *)((char *)record + table->rows) = rows;
    return ok;
}

/* All fields of the record itself; the step comes first. */
static bool read_fields(hid_t file, struct record *record, struct error *error)
{
    bool ok = true;
    for (size_t i = 0; ok && i < record_field_count; i++) {
        const struct field *field = &record_fields[i];
        char *at = (char *)record + field->offset;
        if (field->since <= record->version)
            ok = read_field(file, field, at, error);
        else if (field->rules & FIELD_WAS_STEP)
            memcpy(at, &record->step, sizeof record->step);
    }
    return ok;
}

/* Version 2 knew one best validation only, in two attributes. */
static bool read_one_best(hid_t file, struct history *history, struct error *error)
{
    if (!h5_get_real(file, "best", &history->best[0].value, error) ||
        !h5_get_number(file, "best_step", &history->best[0].step, error))
        return false;
    history->best_count = history->best[0].step > 0;
    return true;
}

bool record_h5_version(hid_t file, uint64_t *version, struct error *error)
{
    char *format = NULL;
    htri_t exists = H5Aexists(file, "fingerprint");
    if (exists < 0)
        return h5_error(error, ERROR_CORRUPT, "the commit record cannot be read");
    if (exists == 0)
        return error_set(error, ERROR_CORRUPT, "not a lockstep checkpoint (it has no commit record)");
    bool ok = h5_get_text(file, "format", &format, error) && h5_get_number(file, "version", version, error);
    if (ok && strcmp(format, RECORD_FORMAT) != 0)
        ok = error_set(error, ERROR_CORRUPT, "not a lockstep checkpoint: its format is '%.40s'", format);
    memory_free(format);
    return ok;
}

static bool is_older(uint64_t version, struct error *error)
{
    if (version >= RECORD_PLAIN && version <= RECORD_VERSION)
        return error_set(error, ERROR_CORRUPT, "format version %" PRIu64 " without the image of its record", version);
    return (version >= 1 && version < RECORD_PLAIN) ||
           error_set(error, ERROR_VERSION, "format version %" PRIu64 ", but this lockstep (%s) reads versions 1 to %d",
                     version, LOCKSTEP_VERSION, RECORD_VERSION);
}

bool record_h5_read_fields(hid_t file, uint64_t version, struct record *record, struct error *error)
{
    bool finished = false;
    *record = (struct record){.version = version};
    bool ok = read_fields(file, record, error);
    for (size_t t = 0; ok && t < RECORD_TABLES; t++)
        if (record_tables[t].since <= version)
            ok = read_table(file, version, &record_tables[t], record, error);
    ok = ok && (version != 2 || read_one_best(file, &record->history, error));
    record->history.best_most = record->history.best_count;
    ok = ok && read_fingerprint(file, &record->fingerprint, &finished, error) &&
         (finished || error_set(error, ERROR_CORRUPT, "not a finished checkpoint (it has no commit record)"));
    if (!ok)
        record_release(record);
    return ok;
}

bool record_h5_read(hid_t file, struct record *record, struct record_layout *layout, struct error *error)
{
    uint64_t version;
    if (!record_h5_version(file, &version, error) || !is_older(version, error) ||
        !record_h5_read_fields(file, version, record, error))
        return false;
    if (record_find_layout(file, layout, error) && record_prove_layout(file, layout, error) &&
        record_prove_root(file, record, layout, error))
        return true;
    record_release(record);
    record_layout_release(layout);
    return false;
}
