/* metrics.jsonl: one JSON object a line, appended by rank 0, each step at most once over the whole life of the job.
 * A line is one write if the disk takes it whole, so a killed job leaves at most one line that is cut short, and that
 * one is dropped at the next start. */
#ifndef RUN_METRICS_H
#define RUN_METRICS_H

#include "base/error.h"
#include "base/text.h"
#include "run/metrics_lines.h"

#include <stdint.h>

#define METRICS_MOST ((size_t)64 << 30) /* bytes of a file: a line for each of a billion steps is less */

struct metrics {
    int descriptor; /* -1: closed; then all calls do nothing (ranks other than 0) */
    char *path;
    uint64_t kept; /* length of the file when it had its name for certain: what came later may have to go along */
    struct metrics_seen seen;
    bool complained; /* about a disk that takes no more */
    bool is_lost;    /* its file was deleted, and could not be made again, which is told */
};

/* What has become of the file under the job. */
enum metrics_fate {
    METRICS_STAND,    /* or cannot be made again */
    METRICS_ANEW,     /* was deleted: an empty one has its place */
    METRICS_REPLACED, /* was replaced (an editor, `sed -i`, rsync): the lines go on in that one */
};

/* Local. A closed one. */
void metrics_init(struct metrics *metrics);

/* Local. Opens (creates) the file and drops every line whose step is beyond `step`, and a last line that is cut short.
 * validates_again: the validation of that very step is to be made again, and its line goes, too. */
bool metrics_open(struct metrics *metrics, const char *path, uint64_t step, bool validates_again,
                  struct error *error) WARN_UNUSED;

/* Local. What the file knows now; all zero if it cannot be read. */
struct metrics_seen metrics_look(const char *path);

/* Local. Accepts a closed one. */
void metrics_close(struct metrics *metrics);

/* Local. Appends a line (without its line break). A failed write takes nothing with it: what was written of the line is
 * removed, whatever others have done to the file, a warning is logged once, training goes on. */
void metrics_write(struct metrics *metrics, const struct text *line);

/* Local. Before a save, which then makes all lines durable (saver_work.descriptor): a file that somebody has deleted
 * under the job, perhaps with its directory, is begun anew; in one that has taken its place the lines go on, those
 * included that it has not got since the last call. Either with a warning. */
enum metrics_fate metrics_keep(struct metrics *metrics);

/* Local. Makes all lines durable at once. */
void metrics_sync(struct metrics *metrics);

/* Local. A number as JSON: null for NaN and infinities. */
void metrics_number(struct text *line, const char *key, double value);

#endif
