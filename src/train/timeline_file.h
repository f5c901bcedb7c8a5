/* The timeline of all ranks (base/timeline.h) as a file for people: Chrome's trace events, which ui.perfetto.dev and
 * chrome://tracing show (N. Duca, D. Sinclair, "Trace Event Format"; the object form, complete events).
 *
 *   {"displayTimeUnit": "ms",
 *    "otherData": {"program": "lockstep 0.3.0", "ranks": 2, "clock_precision_us": 0.4, "dropped": 0},
 *    "traceEvents": [
 *     {"ph": "M", "pid": 0, "tid": 0, "name": "process_name", "args": {"name": "rank 0 on node7"}}, ...
 *     {"ph": "X", "pid": 0, "tid": 0, "ts": 12.345, "dur": 6.789, "cat": "forward", "name": "forward 3.dense"}, ...]}
 *
 * A process is a rank, a thread a thread of it. Times are microseconds from the first event of all on one clock, rank
 * 0's, which clocks of other nodes are brought to (parallel/clocks.h): clock_precision_us is by how much the worst of
 * them can be wrong. dropped: older events that nobody has kept. */
#ifndef TRAIN_TIMELINE_FILE_H
#define TRAIN_TIMELINE_FILE_H

#include "nn/model.h"
#include "parallel/world.h"

/* Collective over world. Whether rank 0 can make such a file: ERROR_USAGE. To be asked before the work begins. */
bool timeline_file_check(const struct world *world, const char *path, struct error *error) WARN_UNUSED;

/* Collective over world, while all threads rest. Rank 0 writes what all ranks have kept, under a hidden name until it
 * is whole, over what was there. The model says what layers are called. */
bool timeline_file_write(const struct world *world, const char *path, const struct model *model,
                         struct error *error) WARN_UNUSED;

#endif
