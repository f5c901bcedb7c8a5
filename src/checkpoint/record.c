#include "checkpoint/record.h"

#include "base/memory.h"
#include "checkpoint/reason.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ANY   UINT64_MAX
#define STEPS ((uint64_t)1 << 53) /* more than any job makes; sums of a few of them do not overflow */
#define TIMES ((uint64_t)1 << 40) /* seconds: the year 36812 */

#define AT(member)      offsetof(struct record, member)
#define ROW(member)     offsetof(struct segment, member)
#define WORDS_OF(array) sizeof((array))

/* clang-format off */
const struct field record_fields[] = {
    {"step",            AT(step),                   STEPS, FIELD_NUMBER, 1, 0},
    {"epoch",           AT(epoch),                  0,     FIELD_REAL,   1, 0},
    {"loss",            AT(loss),                   0,     FIELD_REAL,   1, 0},
    {"saved_unix",      AT(saved_unix),             TIMES, FIELD_TIME,   1, 0},
    {"data_digest",     AT(data_digest),            ANY,   FIELD_NUMBER, 1, 0},
    {"lineage",         AT(lineage),                ANY,   FIELD_NUMBER, 3, 0},
    {"why",             AT(why), WORDS_OF(((struct record *)0)->why),      FIELD_WORDS,  3, FIELD_WAS_LATE},
    {"job",             AT(job),                    0,     FIELD_TEXT,   1, 0},
    {"passport",        AT(passport),               0,     FIELD_TEXT,   1, 0},
    {"vocabulary",      AT(vocabulary),             0,     FIELD_TEXT,   2, 0},
    {"data",            AT(data),                   0,     FIELD_TEXT,   5, 0},
    {"origin",          AT(origin),                 0,     FIELD_TEXT,   3, 0},
    {"sampler_step",    AT(history.sampler_step),   STEPS, FIELD_NUMBER, 3, FIELD_TO_STEP},
    {"sampler_sample",  AT(history.sampler_sample), ANY/4, FIELD_NUMBER, 3, 0},
    {"updates",         AT(history.updates),        STEPS, FIELD_NUMBER, 2, FIELD_TO_STEP | FIELD_WAS_STEP},
    {"skipped_row",     AT(history.skipped_row),    STEPS, FIELD_NUMBER, 2, FIELD_TO_STEP},
    {"validated_step",  AT(history.validated_step), STEPS, FIELD_NUMBER, 4, FIELD_TO_STEP | FIELD_WAS_STEP},
    {"best_metric",     AT(history.metric),         255,   FIELD_NUMBER, 2, 0},
    {"best_yardstick",  AT(history.yardstick),      ANY,   FIELD_NUMBER, 2, 0},
    {"stale_reference", AT(history.reference),      0,     FIELD_REAL,   2, 0},
    {"stale",           AT(history.stale),          STEPS, FIELD_NUMBER, 2, FIELD_TO_STEP},
    {"plateau_step",    AT(history.plateau_step),   STEPS, FIELD_NUMBER, 5, FIELD_TO_STEP},
    {"plateau_reference", AT(history.plateau_reference), 0, FIELD_REAL,  5, 0},
    {"plateau_stale",   AT(history.plateau_stale),  STEPS, FIELD_NUMBER, 5, FIELD_TO_STEP},
    {"plateau_falls",   AT(history.plateau_falls),  STEPS, FIELD_NUMBER, 5, FIELD_TO_STEP},
};
const size_t record_field_count = sizeof record_fields / sizeof *record_fields;

static const struct field segment_columns[] = {
    {"first_step", ROW(first_step), STEPS, FIELD_NUMBER, 1, FIELD_TO_NEXT},
    {"last_step",  ROW(last_step),  STEPS, FIELD_NUMBER, 1, FIELD_TO_STEP},
    {"began_unix", ROW(began_unix), TIMES, FIELD_TIME,   1, 0},
    {"saved_unix", ROW(saved_unix), TIMES, FIELD_TIME,   1, 0},
    {"ranks",      ROW(ranks),      STEPS, FIELD_NUMBER, 1, 0},
    {"nodes",      ROW(nodes),      STEPS, FIELD_NUMBER, 1, 0},
    {"end",        ROW(end),     WORDS_OF(((struct segment *)0)->end),     FIELD_WORDS, 1, 0},
    {"hosts",      ROW(hosts),   WORDS_OF(((struct segment *)0)->hosts),   FIELD_WORDS, 1, 0},
    {"changes",    ROW(changes), WORDS_OF(((struct segment *)0)->changes), FIELD_WORDS, 3, 0},
};
static const struct field best_columns[] = {
    {"value", offsetof(struct history_best, value), 0,     FIELD_REAL,   3, 0},
    {"step",  offsetof(struct history_best, step),  STEPS, FIELD_NUMBER, 3, FIELD_TO_STEP},
};
static const struct field window_columns[] = {
    {"loss",          offsetof(struct history_step, loss),          0, FIELD_REAL, 2, 0},
    {"gradient_norm", offsetof(struct history_step, gradient_norm), 0, FIELD_REAL, 2, 0},
};
/* clang-format on */

#define COLUMNS(columns) (columns), sizeof(columns) / sizeof *(columns)

const struct record_table record_tables[RECORD_TABLES] = {
    {"provenance", NULL, COLUMNS(segment_columns), sizeof(struct segment), AT(segments), AT(segment_count),
     RECORD_SEGMENTS_MOST, false, 1, "the segments of its record go beyond the checkpoint's step"},
    {"best", "best_count", COLUMNS(best_columns), sizeof(struct history_best), AT(history.best), AT(history.best_count),
     HISTORY_BEST, true, 3, "the best of its record are of steps beyond the checkpoint's"},
    {"window", "window_count", COLUMNS(window_columns), sizeof(struct history_step), AT(history.window),
     AT(history.window_count), 0, false, 2, NULL},
};

const void *record_rows(const struct record *record, const struct record_table *table, size_t *count)
{
    const char *base = (const char *)record;
    memcpy(count, base + table->count, sizeof *count);
    if (!table->held)
        return *(void *const *)(const void *)(base + table->rows);
    if (*count > record->history.best_most) /* the only table of this kind */
        *count = record->history.best_most;
    return base + table->rows;
}

static const char *text_of(const void *field)
{
    const char *text;
    memcpy(&text, field, sizeof text);
    return text ? text : "";
}

bool field_equal(const struct field *field, const void *a, const void *b)
{
    if (field->kind == FIELD_TEXT)
        return strcmp(text_of(a), text_of(b)) == 0;
    if (field->kind == FIELD_WORDS)
        return strncmp(a, b, field->most) == 0;
    return memcmp(a, b, sizeof(uint64_t)) == 0;
}

void record_release(struct record *record)
{
    char *base = (char *)record;
    for (size_t i = 0; i < record_field_count; i++)
        if (record_fields[i].kind == FIELD_TEXT)
            memory_free(*(char **)(void *)(base + record_fields[i].offset));
    for (size_t t = 0; t < RECORD_TABLES; t++)
        if (!record_tables[t].held)
            memory_free(*(void **)(void *)(base + record_tables[t].rows));
    memset(record, 0, sizeof *record);
}

void record_copy(struct record *copy, const struct record *record)
{
    char *to = (char *)copy;
    *copy = *record;
    for (size_t i = 0; i < record_field_count; i++) {
        char **text = (char **)(void *)(to + record_fields[i].offset);
        if (record_fields[i].kind == FIELD_TEXT && *text)
            *text = memory_text(*text);
    }
    for (size_t t = 0; t < RECORD_TABLES; t++) {
        const struct record_table *table = &record_tables[t];
        size_t count;
        const void *rows = record_rows(record, table, &count);
        if (table->held)
            continue;
        void *own = memory_need(count, table->row_bytes);
        if (count > 0)
            memcpy(own, rows, count * table->row_bytes);
        *(void **)(void *)(to + table->rows) = own;
    }
}

/* The oldest of all tells where the two have been together, and no more. */
static void merge_oldest(struct record *record)
{
    struct segment *oldest = record->segments;
    uint64_t first_step = oldest[0].first_step;
    int64_t began_unix = oldest[0].began_unix;
    memmove(oldest, oldest + 1, (record->segment_count - 1) * sizeof *oldest);
    record->segment_count--;
    oldest[0].first_step = first_step;
    oldest[0].began_unix = began_unix;
    snprintf(oldest[0].hosts, sizeof oldest[0].hosts, "...");
    snprintf(oldest[0].changes, sizeof oldest[0].changes, "...");
}

struct segment *record_add_segment(struct record *record)
{
    if (record->segment_count == RECORD_SEGMENTS_MOST)
        merge_oldest(record);
    size_t count = record->segment_count;
    struct segment *segments = memory_need(count + 1, sizeof *segments);
    if (count > 0)
        memcpy(segments, record->segments, count * sizeof *segments);
    if (count > 0 && reason_of(segments[count - 1].end) == REASON_RUNNING)
        snprintf(segments[count - 1].end, sizeof segments->end, "%s", reason_words[REASON_INTERRUPTED]);
    memory_free(record->segments);
    record->segments = segments;
    record->segment_count = count + 1;
    return &segments[count];
}

/* What is checked of a field: `base` is the record, or, if there is a table, one of its rows. */
typedef bool field_check(const struct record *record, const struct record_table *table, const struct field *field,
                         const char *base, struct error *error);

/* Whether it is within its bounds. */
static bool check_bounds(const struct record *record, const struct record_table *table, const struct field *field,
                         const char *base, struct error *error)
{
    const char *at = base + field->offset;
    uint64_t number;
    (void)record;
    memcpy(&number, at, sizeof number);
    bool ok = true;
    if (field->kind == FIELD_TIME && number > (uint64_t)INT64_MAX)
        number = -number;
    if (field->kind == FIELD_NUMBER || field->kind == FIELD_TIME)
        ok = number <= field->most;
    if (field->kind == FIELD_WORDS)
        ok = memchr(at, '\0', field->most) != NULL;
    return ok || error_set(error, ERROR_CORRUPT, "%s '%s' of its record holds what cannot be meant",
                           table ? "column" : "field", field->name);
}

/* Whether it is not beyond the step of the checkpoint; the bounds of that one were checked: it does not overflow. */
static bool check_step(const struct record *record, const struct record_table *table, const struct field *field,
                       const char *base, struct error *error)
{
    uint64_t number;
    if (!(field->rules & (FIELD_TO_STEP | FIELD_TO_NEXT)))
        return true;
    memcpy(&number, base + field->offset, sizeof number);
    if (number <= record->step + (field->rules & FIELD_TO_NEXT ? 1 : 0))
        return true;
    return table ? error_set(error, ERROR_CORRUPT, "%s", table->beyond)
                 : error_set(error, ERROR_CORRUPT, "field '%s' of its record is beyond the checkpoint's step",
                             field->name);
}

static bool check_each(const struct record *record, field_check *check, struct error *error)
{
    for (size_t i = 0; i < record_field_count; i++)
        if (!check(record, NULL, &record_fields[i], (const char *)record, error))
            return false;
    for (size_t t = 0; t < RECORD_TABLES; t++) {
        const struct record_table *table = &record_tables[t];
        size_t count;
        const char *rows = record_rows(record, table, &count);
        for (size_t i = 0; i < count * table->column_count; i++)
            if (!check(record, table, &table->columns[i % table->column_count],
                       rows + i / table->column_count * table->row_bytes, error))
                return false;
    }
    return true;
}

static bool check_counts(const struct record *record, struct error *error)
{
    for (size_t t = 0; t < RECORD_TABLES; t++) {
        const struct record_table *table = &record_tables[t];
        size_t count;
        record_rows(record, table, &count);
        if (table->most > 0 && count > table->most)
            return error_set(error, ERROR_CORRUPT, "the table '%s' of its record has %zu rows", table->name, count);
    }
    return record->segment_count > 0 ||
           error_set(error, ERROR_CORRUPT, "the table 'provenance' of its record has no rows");
}

bool record_check(const struct record *record, struct error *error)
{
    return check_counts(record, error) && check_each(record, check_bounds, error) &&
           check_each(record, check_step, error) &&
           ((isfinite(record->epoch) && record->epoch >= 0) ||
            error_set(error, ERROR_CORRUPT, "field 'epoch' of its record is no number of epochs"));
}
