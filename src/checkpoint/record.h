/* The record: everything in a checkpoint file that is not a float. A file holds it twice: as an image of our own plain
 * layout (record_image.h), which is all that lockstep itself reads, and as attributes and tables of HDF5 (record_h5.h),
 * for other programs; `lockstep verify` proves that both say the same (record_prove.h). */
#ifndef CHECKPOINT_RECORD_H
#define CHECKPOINT_RECORD_H

#include "base/error.h"
#include "checkpoint/history.h"
#include "checkpoint/state.h"

#include <stdint.h>

#define RECORD_FORMAT "lockstep checkpoint"
/* 1: without history and vocabulary; 2: without a seal (seal.h), the changes of the job, its origin and its lineage,
 * and with only one best validation; 3: without an image of the record; 4: without what is known of the data; all are
 * still read. */
#define RECORD_VERSION 5
#define RECORD_SEALED  3 /* the first version with a seal */
#define RECORD_PLAIN   4 /* the first version with an image */

#define RECORD_BRANCH "a branch of " /* then a checkpoint of another run: an origin */

#define RECORD_SEGMENTS_MOST 16384 /* a year of a job that is interrupted every half hour */

/* One stretch of the job's life, from a start to an end. */
struct segment {
    uint64_t first_step; /* the first step it made */
    uint64_t last_step;  /* the last one that was saved */
    int64_t began_unix;
    int64_t saved_unix; /* of the last checkpoint it committed */
    uint64_t ranks;
    uint64_t nodes;
    char end[32];    /* why it ended (reason.h); "running" while it runs */
    char hosts[200]; /* names, comma-separated; "..." if they do not fit */
    /* In what the job differs from that of the segment before: "key: old -> new", separated by "; ", those that
     * change the result first; "..." at the end if they do not fit. */
    char changes[200];
};

struct record {
    uint64_t version; /* of the format: as read; written is always RECORD_VERSION */
    uint64_t step;
    double epoch;
    double loss; /* of the last step; NaN before the first */
    uint64_t fingerprint;
    int64_t saved_unix;
    uint64_t data_digest; /* of the training data */
    char why[64];         /* it was saved: "every+validation", "SIGUSR1"; "": not known */
    uint64_t lineage;     /* a random number of the job, from its step 0 on; 0: from a time without */
    char *job;            /* resolved YAML */
    char *passport;
    char *vocabulary; /* of text data: the characters in the order of their numbers; "" for other data */
    char *data;       /* what is known of the training data (data/description.h), as JSON; "": nothing */
    char *origin;     /* of a warm start: which weights the job began with; of a branch (RECORD_BRANCH in front): which
                       * checkpoint; "": its own initial weights */
    struct history history;
    struct segment *segments;
    size_t segment_count;
};

/* ---- the one list of what a record holds: everything that writes, reads, checks, copies or compares goes along it,
 * and so does the README, for other readers. A new field is a member, a row here, and a row there ---- */

enum field_kind {
    FIELD_NUMBER, /* uint64_t, up to `most` */
    FIELD_TIME,   /* int64_t, seconds; its absolute value up to `most` */
    FIELD_REAL,   /* double */
    FIELD_TEXT,   /* char *, owned; NULL is "" */
    FIELD_WORDS,  /* char[most], with a NUL */
};

/* What else holds for a field: bits. */
enum field_rule {
    FIELD_TO_STEP = 1,  /* counted in steps: never beyond the step of the checkpoint */
    FIELD_TO_NEXT = 2,  /* the same, but it may be the step after */
    FIELD_WAS_STEP = 4, /* an older file, which has not got it, means its step by that */
    FIELD_WAS_LATE = 8, /* the first files of the version `since` have not got it either */
};

struct field {
    const char *name; /* of the attribute, of the column */
    size_t offset;    /* in struct record, or in a row */
    uint64_t most;
    enum field_kind kind;
    uint64_t since; /* the first version that has it; what a file has not got is zero, or "" */
    unsigned rules;
};

struct record_table {
    const char *name;       /* of the dataset */
    const char *count_name; /* an attribute with the count of rows; NULL: there is none */
    const struct field *columns;
    size_t column_count, row_bytes;
    size_t rows;  /* where it is in struct record: the rows themselves (held), or a pointer to them, owned */
    size_t count; /* where the count of rows is */
    size_t most;  /* rows; 0: as many as there is room for */
    bool held;
    uint64_t since;
    const char *beyond; /* what is said if FIELD_TO_STEP or FIELD_TO_NEXT does not hold */
};

#define RECORD_TABLES 3
extern const struct field record_fields[];
extern const size_t record_field_count;
extern const struct record_table record_tables[RECORD_TABLES];

/* Local. The rows of a table in a record, and how many; those of the best that do not count are left out. */
const void *record_rows(const struct record *record, const struct record_table *table, size_t *count);

/* Local. Whether two fields hold the same, bit by bit. */
bool field_equal(const struct field *field, const void *a, const void *b);

/* ---- */

/* Local. Frees what reading or record_copy has allocated. Accepts a released record. */
void record_release(struct record *record);

/* Local. A copy of its own, texts and tables included (record_release). */
void record_copy(struct record *copy, const struct record *record);

/* Local. One more segment, all zero but its number; the last one before it has ended, "interrupted" if nobody knows
 * how. Where there are RECORD_SEGMENTS_MOST, the two oldest become one. Borrowed until the next call. */
struct segment *record_add_segment(struct record *record);

/* Local. Whether what was read can be meant: numbers within their bounds and fit for one another. ERROR_CORRUPT. */
bool record_check(const struct record *record, struct error *error) WARN_UNUSED;

#endif
