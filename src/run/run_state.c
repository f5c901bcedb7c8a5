#include "run/run_state.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "checkpoint/reader.h"
#include "checkpoint/store.h"
#include "h5/h5.h"
#include "run/history_log.h"
#include "run/metrics.h"
#include "run/run_files.h"

#include <stdlib.h>

/* The lines that a run without a history would have, from the provenance of its newest valid checkpoint. */
static bool from_provenance(const struct store *store, const uint64_t *steps, size_t count, struct text *lines,
                            struct error *error)
{
    bool found = false;
    h5_init();
    for (size_t i = 0; i < count && !found; i++) {
        char path[PATH_MAX];
        struct reader reader = {0};
        store_path(store, steps[i], path);
        found = reader_open(&reader, path, error);
        if (found)
            history_log_earlier(reader.record.segments, reader.record.segment_count, lines);
        reader_close(&reader);
    }
    h5_release();
    return found;
}

/* The lines of the history, or what stands for them. */
static bool read_lines(const char *run, const struct store *store, const uint64_t *steps, size_t count,
                       struct text *lines, struct error *error)
{
    char path[PATH_MAX], *bytes = NULL;
    size_t length;
    run_file_path(run, RUN_HISTORY, path);
    if (file_read_own(path, HISTORY_MOST, &bytes, &length, error)) {
        text_append_bytes(lines, bytes, length);
        free(bytes);
        if (length > 0 || count == 0)
            return true;
    } else if (error->kind != ERROR_NOT_FOUND) {
        return false;
    }
    if (count == 0)
        return error_set(error, ERROR_NOT_FOUND, "%s has neither a history.jsonl nor checkpoints: not a run directory?",
                         run);
    return from_provenance(store, steps, count, lines, error);
}

bool run_state_look(struct run_state *state, const char *run, struct error *error)
{
    struct store store;
    uint64_t *steps = NULL;
    size_t count = 0;
    struct text lines;
    char path[PATH_MAX];
    *state = (struct run_state){0};
    text_init(&lines);
    bool ok = store_init(&store, run, 0, error) && store_list(&store, &steps, &count, error) &&
              read_lines(run, &store, steps, count, &lines, error);
    if (ok) {
        run_file_path(run, RUN_LOCK, path);
        state->is_running = file_is_locked(path);
        state->has_saved = count > 0;
        state->saved = count > 0 ? steps[0] : 0;
        run_file_path(run, RUN_METRICS, path);
        struct metrics_seen seen = metrics_look(path);
        double since_s = clock_unix_exact() - seen.unix_s; /* it lives on since it has written */
        if (state->is_running && seen.alive_s > 0 && clock_is_plausible(since_s))
            seen.alive_s += since_s;
        lives_parse(&state->lives, text_bytes(&lines), lines.length,
                    &(struct lives_now){.running = state->is_running,
                                        .step = seen.step,
                                        .unix_s = state->is_running ? clock_unix_exact() : seen.unix_s,
                                        .alive_s = seen.alive_s,
                                        .saved = state->saved});
    }
    memory_free(steps);
    text_release(&lines);
    return ok;
}

void run_state_release(struct run_state *state)
{
    lives_release(&state->lives);
    *state = (struct run_state){0};
}
