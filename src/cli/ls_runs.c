#include "cli/ls_runs.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/say.h"
#include "base/text.h"
#include "cli/sheet.h"
#include "run/metrics.h"
#include "run/run_summary.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEYS_SHOWN 4  /* in the table; of very different jobs nearly all differ */
#define VALUE_MOST 40 /* columns of a value of a key there */

/* A run of the directory. */
struct entry {
    char *name, *path;
    bool is_read;
    struct run_summary summary;
    struct error error; /* if it is not read */
    char **values;      /* [keys]: of the keys that differ; NULL: that of the first run */
};

struct runs {
    struct entry *entries;
    size_t count, capacity;
    const struct entry *base; /* the first with a job; NULL: there is none */
    struct entry *other;      /* that is being compared with it */
    struct difference {
        char *key, *value; /* of the base */
    } * keys;
    size_t key_count, key_capacity;
    size_t shown[KEYS_SHOWN], shown_count; /* keys of the table */
};

/* ---- finding them ---- */

static int by_name(const void *a, const void *b)
{
    return strverscmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

static void add_run(struct runs *runs, const char *directory, const char *name)
{
    struct text path;
    text_init(&path);
    text_append(&path, "%s/%s", directory, name);
    if (run_summary_is_run(text_bytes(&path))) {
        struct entry entry = {.name = memory_text(name), .path = memory_text(text_bytes(&path))};
        runs->entries = memory_grow(runs->entries, runs->count, &runs->capacity, sizeof entry);
        runs->entries[runs->count++] = entry;
    }
    text_release(&path);
}

static bool find_runs(struct runs *runs, const char *directory, struct error *error)
{
    DIR *handle = opendir(directory);
    if (!handle)
        return error_errno(error, "cannot read the directory %s", directory);
    for (struct dirent *found; errno = 0, (found = readdir(handle));)
        if (found->d_name[0] != '.')
            add_run(runs, directory, found->d_name);
    bool ok = errno == 0 || error_errno(error, "cannot read the directory %s", directory);
    closedir(handle);
    if (ok && runs->count > 0)
        qsort(runs->entries, runs->count, sizeof *runs->entries, by_name);
    return ok;
}

/* ---- in what they differ ---- */

/* The place of a key; a new one at the end. */
static size_t place_of(struct runs *runs, const char *key, const char *value)
{
    for (size_t k = 0; k < runs->key_count; k++)
        if (strcmp(runs->keys[k].key, key) == 0)
            return k;
    runs->keys = memory_grow(runs->keys, runs->key_count, &runs->key_capacity, sizeof *runs->keys);
    runs->keys[runs->key_count] = (struct difference){memory_text(key), memory_text(value)};
    for (size_t i = 0; i < runs->count; i++) {
        struct entry *entry = &runs->entries[i];
        char **values = memory_need(runs->key_count + 1, sizeof *values);
        if (runs->key_count > 0)
            memcpy(values, entry->values, runs->key_count * sizeof *values);
        memory_free(entry->values);
        entry->values = values;
    }
    return runs->key_count++;
}

/* A job_difference; where the results lie is no difference between jobs. */
static void take_difference(void *context, const char *path, const char *one, const char *other)
{
    struct runs *runs = context;
    if (strcmp(path, "run") != 0) {
        size_t place = place_of(runs, path, one);
        runs->other->values[place] = memory_text(other);
    }
}

static void compare_jobs(struct runs *runs)
{
    for (size_t i = 0; i < runs->count; i++) {
        struct entry *entry = &runs->entries[i];
        if (!entry->summary.has_job)
            continue;
        runs->other = entry;
        if (runs->base)
            job_differences(&runs->base->summary.job, &entry->summary.job, take_difference, runs);
        else
            runs->base = entry;
    }
}

/* NULL: its job is not known. */
static const char *value_of(const struct runs *runs, const struct entry *entry, size_t key)
{
    if (!entry->summary.has_job)
        return NULL;
    return entry->values[key] ? entry->values[key] : runs->keys[key].value;
}

/* How many of the jobs do not have the key at all, as those of other data or another model. */
static size_t count_without(const struct runs *runs, size_t key)
{
    size_t count = 0;
    for (size_t i = 0; i < runs->count; i++) {
        const char *value = value_of(runs, &runs->entries[i], key);
        count += value && strcmp(value, JOB_NO_VALUE) == 0;
    }
    return count;
}

/* A key that all jobs have tells more than one that some do not. */
static void choose_keys(struct runs *runs)
{
    for (size_t without = 0; without < runs->count; without++)
        for (size_t k = 0; k < runs->key_count && runs->shown_count < KEYS_SHOWN; k++)
            if (count_without(runs, k) == without)
                runs->shown[runs->shown_count++] = k;
}

/* Why the run, or its job, could not be read; "": they could. */
static const char *complaint_of(const struct entry *entry)
{
    if (!entry->is_read)
        return entry->error.text;
    return entry->summary.has_job ? "" : entry->summary.no_job.text;
}

/* ---- the table ---- */

static const char *const headings[] = {"run",        "state", "step",      "loss",
                                       "validation", "best",  "samples/s", "last written"};
#define HEADINGS (sizeof headings / sizeof *headings)

static void put_validation(struct sheet *sheet, const struct run_summary *summary,
                           const struct run_validation *validation)
{
    char value[METRIC_TEXT];
    enum metric_kind metric = summary->has_job ? summary->job.validate.metric : METRIC_NONE;
    if (isnan(validation->value) || metric == METRIC_NONE) {
        sheet_put(sheet, "-");
        return;
    }
    metric_text(metric, validation->value, value);
    if (validation == &summary->best)
        sheet_put(sheet, "%s at %" PRIu64, value, validation->step);
    else
        sheet_put(sheet, "%s %s", metric_names[metric], value);
}

static void put_number(struct sheet *sheet, const char *format, double value)
{
    char text[40];
    snprintf(text, sizeof text, format, value);
    sheet_put(sheet, "%s", isnan(value) ? "-" : text);
}

static void put_summary(struct sheet *sheet, const struct run_summary *summary)
{
    char when[CLOCK_TEXT_BYTES] = "-";
    if (summary->seen_unix > 0)
        clock_text_exact(summary->seen_unix, when);
    sheet_put(sheet, "%s", summary->state);
    if (summary->has_job && summary->job.train.steps > 0)
        sheet_put(sheet, "%" PRIu64 "/%" PRIu64, summary->step, summary->job.train.steps);
    else
        sheet_put(sheet, "%" PRIu64, summary->step);
    put_number(sheet, "%.4g", summary->loss);
    put_validation(sheet, summary, &summary->last);
    put_validation(sheet, summary, &summary->best);
    put_number(sheet, "%.0f", summary->samples_per_s);
    sheet_put(sheet, "%s", when);
}

static void print_table(const struct runs *runs)
{
    struct sheet sheet;
    size_t shown = runs->shown_count;
    sheet_init(&sheet, HEADINGS + shown);
    for (size_t h = 0; h < HEADINGS; h++)
        sheet_put(&sheet, "%s", headings[h]);
    for (size_t k = 0; k < shown; k++)
        sheet_put(&sheet, "%s", runs->keys[runs->shown[k]].key);
    sheet_end_row(&sheet, "");
    for (size_t i = 0; i < runs->count; i++) {
        const struct entry *entry = &runs->entries[i];
        sheet_put(&sheet, "%s", entry->name);
        if (entry->is_read)
            put_summary(&sheet, &entry->summary);
        else
            sheet_put(&sheet, "unreadable");
        for (size_t k = 0; k < shown && entry->summary.has_job; k++)
            sheet_put(&sheet, "%.*s", VALUE_MOST, value_of(runs, entry, runs->shown[k]));
        sheet_end_row(&sheet, complaint_of(entry));
    }
    sheet_print(&sheet);
    sheet_release(&sheet);
    if (shown < runs->key_count)
        say("and %zu more key%s: --json tells all\n", runs->key_count - shown,
            runs->key_count - shown == 1 ? " differs" : "s differ");
}

/* ---- JSON ---- */

static void append_validation(struct text *line, const char *name, const struct run_validation *validation)
{
    if (isnan(validation->value))
        return;
    metrics_number(line, name, validation->value);
    text_append(line, ",\"%s_step\":%" PRIu64, name, validation->step);
}

static void append_summary(struct text *line, const struct run_summary *summary)
{
    text_append(line, ",\"state\":\"%s\",\"step\":%" PRIu64, summary->state, summary->step);
    if (summary->has_job && summary->job.train.steps > 0)
        text_append(line, ",\"steps\":%" PRIu64, summary->job.train.steps);
    metrics_number(line, "loss", summary->loss);
    if (summary->has_job && !isnan(summary->last.value))
        text_append(line, ",\"metric\":\"%s\"", metric_names[summary->job.validate.metric]);
    append_validation(line, "validation", &summary->last);
    append_validation(line, "best", &summary->best);
    metrics_number(line, "samples_per_s", summary->samples_per_s);
    if (summary->seen_unix > 0)
        text_append(line, ",\"unix\":%.0f", summary->seen_unix);
}

static void append_values(struct text *line, const struct runs *runs, const struct entry *entry)
{
    text_append(line, ",\"differs\":{");
    for (size_t k = 0; k < runs->key_count; k++) {
        text_append(line, "%s", k ? "," : "");
        text_append_json(line, runs->keys[k].key);
        text_append(line, ":");
        text_append_json(line, value_of(runs, entry, k));
    }
    text_append(line, "}");
}

static void print_json(const struct runs *runs)
{
    for (size_t i = 0; i < runs->count; i++) {
        const struct entry *entry = &runs->entries[i];
        struct text line;
        text_init(&line);
        text_append(&line, "{\"run\":");
        text_append_json(&line, entry->path);
        if (entry->is_read)
            append_summary(&line, &entry->summary);
        if (entry->summary.has_job)
            append_values(&line, runs, entry);
        if (*complaint_of(entry)) {
            text_append(&line, ",\"error\":");
            text_append_json(&line, complaint_of(entry));
        }
        text_append(&line, "}");
        say("%s\n", text_bytes(&line));
        text_release(&line);
    }
}

/* ---- */

static void release_entry(struct entry *entry, size_t keys)
{
    for (size_t k = 0; k < keys; k++)
        memory_free(entry->values[k]);
    memory_free(entry->values);
    memory_free(entry->name);
    memory_free(entry->path);
    run_summary_release(&entry->summary);
}

static void release_runs(struct runs *runs)
{
    for (size_t i = 0; i < runs->count; i++)
        release_entry(&runs->entries[i], runs->key_count);
    for (size_t k = 0; k < runs->key_count; k++) {
        memory_free(runs->keys[k].key);
        memory_free(runs->keys[k].value);
    }
    memory_free(runs->keys);
    memory_free(runs->entries);
}

/* Those of which there is something to tell. */
static void look_at_runs(struct runs *runs, bool *all_read)
{
    size_t kept = 0;
    for (size_t i = 0; i < runs->count; i++) {
        struct entry *entry = &runs->entries[i];
        entry->is_read = run_summary_look(&entry->summary, entry->path, &entry->error);
        if (entry->summary.is_nothing) {
            release_entry(entry, 0);
            continue;
        }
        *all_read = *all_read && !*complaint_of(entry);
        runs->entries[kept++] = *entry;
    }
    runs->count = kept;
}

bool ls_runs(const char *directory, bool as_json, bool *all_read, struct error *error)
{
    struct runs runs = {0};
    *all_read = true;
    bool ok = find_runs(&runs, directory, error);
    if (ok)
        look_at_runs(&runs, all_read);
    if (ok && runs.count == 0)
        ok = error_set(error, ERROR_NOT_FOUND,
                       "%s is not a run directory, and there is none in it: one has checkpoints or a history.jsonl",
                       directory);
    if (ok) {
        compare_jobs(&runs);
        choose_keys(&runs);
        (as_json ? print_json : print_table)(&runs);
    }
    release_runs(&runs);
    return ok;
}
