/* The tables of the record: they hold every byte of it, and their rules hold; and what older files mean by them. */
#include "checkpoint/record.h"

#include "base/memory.h"
#include "checkpoint/reader.h"
#include "h5/h5.h"
#include "support/test.h"

#include <string.h>

static struct error error;

/* Every byte of a struct that a field of it has is marked; none has two. */
static void mark(char *bytes, size_t offset, size_t count)
{
    for (size_t i = offset; i < offset + count; i++)
        CU_ASSERT_EQUAL(bytes[i]++, 0);
}

static size_t unmarked(const char *bytes, size_t count)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++)
        found += bytes[i] == 0;
    return found;
}

static void mark_fields(char *bytes, const struct field *fields, size_t count)
{
    for (size_t i = 0; i < count; i++)
        mark(bytes, fields[i].offset, fields[i].kind == FIELD_WORDS ? fields[i].most : sizeof(uint64_t));
}

/* A member that has no row would neither be written nor read. */
static void every_member_has_a_row(void)
{
    char *bytes = memory_need(sizeof(struct record), 1), *row;
    mark_fields(bytes, record_fields, record_field_count);
    for (size_t t = 0; t < RECORD_TABLES; t++) {
        const struct record_table *table = &record_tables[t];
        mark(bytes, table->rows, table->held ? table->most * table->row_bytes : sizeof(void *));
        mark(bytes, table->count, sizeof(size_t));
        row = memory_need(table->row_bytes, 1);
        mark_fields(row, table->columns, table->column_count);
        CU_ASSERT_EQUAL(unmarked(row, table->row_bytes), 0);
        memory_free(row);
    }
    /* Version and fingerprint are written as what they are; of the best only those that count are. */
    mark(bytes, offsetof(struct record, version), sizeof(uint64_t));
    mark(bytes, offsetof(struct record, fingerprint), sizeof(uint64_t));
    mark(bytes, offsetof(struct record, history.best_most), sizeof(size_t));
    mark(bytes, offsetof(struct record, history.best[HISTORY_BEST]), HISTORY_SPARE * sizeof(struct history_best));
    CU_ASSERT_EQUAL(unmarked(bytes, sizeof(struct record)), 0);
    memory_free(bytes);
}

/* What older files have not got is filled in from the step, which has to be there by then. */
static void the_step_is_the_first_field(void)
{
    CU_ASSERT_STRING_EQUAL(record_fields[0].name, "step");
    CU_ASSERT_EQUAL(record_fields[0].since, 1);
    for (size_t t = 0; t < RECORD_TABLES; t++)
        for (size_t c = 0; c < record_tables[t].column_count; c++)
            if (record_tables[t].columns[c].rules & (FIELD_TO_STEP | FIELD_TO_NEXT))
                CU_ASSERT_PTR_NOT_NULL(record_tables[t].beyond);
}

static struct segment segment;
static struct history_step window = {.loss = 1, .gradient_norm = 2};

static struct record make(void)
{
    segment = (struct segment){.first_step = 1, .last_step = 9, .ranks = 1, .nodes = 1, .end = "running"};
    return (struct record){
        .version = RECORD_VERSION,
        .step = 9,
        .segments = &segment,
        .segment_count = 1,
        .history = {.best = {{0.5, 8}}, .best_count = 1, .best_most = 1, .window = &window, .window_count = 1}};
}

static bool is_refused(const struct record *record, const char *words)
{
    error_clear(&error);
    return !record_check(record, &error) && error.kind == ERROR_CORRUPT && strcmp(error.text, words) == 0;
}

/* A member, the largest value that it may have, and what is said of one more. */
#define REFUSED(member, most, words)                                                                                   \
    do {                                                                                                               \
        struct record record = make();                                                                                 \
        (member) = (most);                                                                                             \
        CU_ASSERT_TRUE(record_check(&record, &error));                                                                 \
        (member)++;                                                                                                    \
        CU_ASSERT_TRUE(is_refused(&record, words));                                                                    \
    } while (0)

static void nothing_is_beyond_the_step(void)
{
    static const char segments[] = "the segments of its record go beyond the checkpoint's step";
#define BEYOND(name) "field '" name "' of its record is beyond the checkpoint's step"
    REFUSED(record.history.sampler_step, 9, BEYOND("sampler_step"));
    REFUSED(record.history.updates, 9, BEYOND("updates"));
    REFUSED(record.history.skipped_row, 9, BEYOND("skipped_row"));
    REFUSED(record.history.validated_step, 9, BEYOND("validated_step"));
    REFUSED(record.history.stale, 9, BEYOND("stale"));
    REFUSED(record.history.plateau_step, 9, BEYOND("plateau_step"));
    REFUSED(record.history.plateau_stale, 9, BEYOND("plateau_stale"));
    REFUSED(record.history.plateau_falls, 9, BEYOND("plateau_falls"));
    REFUSED(record.history.best[0].step, 9, "the best of its record are of steps beyond the checkpoint's");
    REFUSED(segment.last_step, 9, segments);
    REFUSED(segment.first_step, 10, segments);
}

static void numbers_have_bounds(void)
{
#define MEANT(name) name " of its record holds what cannot be meant"
    REFUSED(record.step, (uint64_t)1 << 53, MEANT("field 'step'"));
    REFUSED(record.saved_unix, (int64_t)1 << 40, MEANT("field 'saved_unix'"));
    REFUSED(record.history.metric, 255, MEANT("field 'best_metric'"));
    REFUSED(record.history.sampler_sample, UINT64_MAX / 4, MEANT("field 'sampler_sample'"));
    REFUSED(segment.began_unix, (int64_t)1 << 40, MEANT("column 'began_unix'"));
    REFUSED(segment.ranks, (uint64_t)1 << 53, MEANT("column 'ranks'"));
    struct record record = make();
    memset(record.why, 'x', sizeof record.why);
    CU_ASSERT_TRUE(is_refused(&record, MEANT("field 'why'")));
    record = make();
    record.epoch = -1;
    CU_ASSERT_TRUE(is_refused(&record, "field 'epoch' of its record is no number of epochs"));
    record = make();
    record.segment_count = 0;
    CU_ASSERT_TRUE(is_refused(&record, "the table 'provenance' of its record has no rows"));
}

/* The oldest become one. */
static void segments_do_not_become_too_many(void)
{
    size_t most = RECORD_SEGMENTS_MOST;
    struct record record = {.segments = memory_need(most - 1, sizeof *record.segments), .segment_count = most - 1};
    for (uint64_t s = 0; s < most - 1; s++)
        record.segments[s] = (struct segment){.first_step = s + 1, .last_step = s + 1, .end = "running"};
    for (uint64_t s = most - 1; s < most + 2; s++) {
        struct segment *own = record_add_segment(&record);
        CU_ASSERT_EQUAL(record.segment_count, most);
        *own = (struct segment){.first_step = s + 1, .last_step = s + 1, .end = "running"};
    }
    CU_ASSERT(record.segments[0].first_step == 1 && record.segments[0].last_step == 3);
    CU_ASSERT_EQUAL(record.segments[1].first_step, 4);
    CU_ASSERT_STRING_EQUAL(record.segments[most - 2].end, "interrupted");
    CU_ASSERT_STRING_EQUAL(record.segments[most - 1].end, "running");
    record_release(&record);
}

#define GOLDEN_TEXT "\n0123456789"

/* The files in tests/golden, all of step 20. What came after their version they mean by its not being there. */
static void older_files_mean_what_they_meant(void)
{
    static const struct {
        const char *path;
        uint64_t lineage, sampler_step;
        size_t best, segments, window;
        const char *why, *vocabulary;
        double value; /* of the best is more */
    } files[] = {{GOLDEN_DIRECTORY "/checkpoint-v1.h5", 0, 0, 0, 1, 0, "", "", 0},
                 {GOLDEN_DIRECTORY "/checkpoint-v2.h5", 0, 0, 1, 1, 8, "", GOLDEN_TEXT, 2},
                 {GOLDEN_DIRECTORY "/checkpoint-v3.h5", 685420132415945490u, 12, 2, 2, 8, "", GOLDEN_TEXT, 2},
                 {GOLDEN_DIRECTORY "/checkpoint-v4.h5", 11220786945235859428u, 12, 2, 2, 8, "finished", GOLDEN_TEXT, 2},
                 {GOLDEN_DIRECTORY "/checkpoint-v5.h5", 4858218938691666856u, 0, 2, 2, 0, "finished", "", 0.4}};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct reader reader;
        CU_ASSERT_TRUE_FATAL(reader_open(&reader, files[i].path, &error));
        const struct record *record = &reader.record;
        const struct history *history = &record->history;
        CU_ASSERT(record->version == i + 1 && record->step == 20);
        CU_ASSERT(history->updates == 20 && history->validated_step == 20);
        CU_ASSERT(record->lineage == files[i].lineage && history->sampler_step == files[i].sampler_step);
        CU_ASSERT(record->segment_count == files[i].segments && history->window_count == files[i].window);
        CU_ASSERT(history->best_count == files[i].best && history->best_most == files[i].best);
        CU_ASSERT(files[i].best == 0 || (history->best[0].step == 20 && history->best[0].value > files[i].value));
        CU_ASSERT_STRING_EQUAL(record->why, files[i].why);
        CU_ASSERT_STRING_EQUAL(record->origin, "");
        CU_ASSERT_EQUAL(strlen(record->data) > 0, record->version >= 5);
        CU_ASSERT_STRING_EQUAL(record->vocabulary, files[i].vocabulary);
        CU_ASSERT_EQUAL(strlen(record->segments[files[i].segments - 1].changes) > 0, i >= 2);
        reader_close(&reader);
    }
}

int main(void)
{
    static const struct test_case cases[] = {
        {"every member has a row", every_member_has_a_row},
        {"the step is the first field", the_step_is_the_first_field},
        {"nothing is beyond the step", nothing_is_beyond_the_step},
        {"numbers have bounds", numbers_have_bounds},
        {"segments do not become too many", segments_do_not_become_too_many},
        {"older files mean what they meant", older_files_mean_what_they_meant},
        {NULL, NULL},
    };
    h5_init();
    return test_run("checkpoint/record", cases);
}
