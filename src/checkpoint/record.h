/* The record: everything in a checkpoint file that is not a float. It is laid out together with the empty datasets,
 * before any rank writes; its last field, the fingerprint, is filled in after all data has been read back and found
 * right. That is the commit: a file whose fingerprint is blank was never finished. Filling it in needs no new space on
 * the disk. */
#ifndef CHECKPOINT_RECORD_H
#define CHECKPOINT_RECORD_H

#include "base/error.h"
#include "checkpoint/history.h"
#include "checkpoint/state.h"

#include <hdf5.h>
#include <stdint.h>

#define RECORD_FORMAT "lockstep checkpoint"
/* 1: without history and vocabulary; 2: without a seal (seal.h), the changes of the job, its origin and its lineage,
 * and with only one best validation; both are still read. */
#define RECORD_VERSION 3
#define RECORD_SEALED  3 /* the first version with a seal */

/* One stretch of the job's life, from a start to an end. */
struct segment {
    uint64_t first_step; /* the first step it made */
    uint64_t last_step;  /* the last one that was saved */
    int64_t began_unix;
    int64_t saved_unix; /* of the last checkpoint it committed */
    uint64_t ranks;
    uint64_t nodes;
    char end[32];    /* "running" while it runs; then why it ended: "finished", "SIGUSR1", "interrupted" */
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
    char *origin;     /* of a warm start: which weights the job began with; "": its own initial ones */
    struct history history;
    struct segment *segments;
    size_t segment_count;
};

/* Local. Frees what record_read or record_copy has allocated. Accepts a released record. */
void record_release(struct record *record);

/* Local. A copy of its own, texts and tables included (record_release). */
void record_copy(struct record *copy, const struct record *record);

/* Local. Writes attributes, provenance and the tensor views into an open file; `state` gives names and shapes. The
 * fingerprint stays blank. */
bool record_write(hid_t file, const struct record *record, const struct state *state, struct error *error) WARN_UNUSED;

/* Local. Fills in the fingerprint of an open file. */
bool record_write_fingerprint(hid_t file, uint64_t fingerprint, struct error *error) WARN_UNUSED;

/* Local. The commit: fills in the fingerprint of a closed, complete file. */
bool record_commit(const char *path, uint64_t fingerprint, struct error *error) WARN_UNUSED;

/* Local. Reads the record of an open file. ERROR_VERSION if the file is of a newer format version; ERROR_CORRUPT if it
 * is no checkpoint, or not a finished one. The record is the caller's (record_release). */
bool record_read(hid_t file, struct record *record, struct error *error) WARN_UNUSED;

#endif
