#include "run/run_summary.h"

#include "base/file.h"
#include "base/json.h"
#include "checkpoint/store.h"
#include "run/metrics.h"
#include "run/run_files.h"
#include "run/run_state.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* By the reason why the last life has ended. */
static const char *const state_words[REASONS] = {
    [REASON_OTHER] = "saved", /* asked to leave, by a signal */
    [REASON_RUNNING] = "running",  [REASON_INTERRUPTED] = "dead",  [REASON_KILLED] = "dead",
    [REASON_FAILED] = "failed",    [REASON_FINISHED] = "finished", [REASON_EARLY_STOPPING] = "finished",
    [REASON_STOP_AFTER] = "saved", [REASON_DEADLINE] = "saved",    [REASON_MOVED] = "saved",
    [REASON_BRANCHED] = "new", /* that life was another run's */
};

bool run_summary_is_run(const char *directory)
{
    char history[PATH_MAX];
    struct store store;
    struct stat info;
    struct error error;
    return (store_init(&store, directory, 0, &error) && stat(store.directory, &info) == 0 && S_ISDIR(info.st_mode)) ||
           (run_file_path(directory, RUN_HISTORY, history) && access(history, F_OK) == 0);
}

static void take_state(struct run_summary *summary, const struct run_state *state)
{
    const struct lives *lives = &state->lives;
    const struct life *last = lives->count > 0 ? &lives->items[lives->count - 1] : NULL;
    summary->state = state->is_running ? state_words[REASON_RUNNING] : last ? state_words[last->reason] : "new";
    summary->step = last ? last->reached : state->saved;
}

static void take_job(struct run_summary *summary, const char *run)
{
    char path[PATH_MAX], *text = NULL;
    size_t bytes;
    run_file_path(run, RUN_JOB, path);
    summary->has_job = file_read_own(path, FILE_NOTE_MOST, &text, &bytes, &summary->no_job) &&
                       job_parse_saved(&summary->job, path, text, NULL, 0, &summary->no_job);
    free(text);
}

/* One line of the metrics. metric: its name; NULL: not known. */
static void take_line(struct run_summary *summary, const char *line, const char *metric)
{
    char event[16] = "";
    double step = 0;
    bool is_best = false;
    struct run_validation validation = {.value = NAN};
    json_number(line, "step", &step);
    json_text(line, "event", event, sizeof event);
    if (!*event) {
        summary->loss = (double)NAN;
        json_number(line, "loss", &summary->loss);
        json_number(line, "samples_per_s", &summary->samples_per_s);
    } else if (metric && strcmp(event, "validation") == 0) {
        json_number(line, metric, &validation.value);
        json_bool(line, "best", &is_best);
        validation.step = step >= 0 && step < 0x1p53 ? (uint64_t)step : 0;
        summary->last = validation;
        if (is_best)
            summary->best = validation;
    }
}

static void take_metrics(struct run_summary *summary, const char *run)
{
    char path[PATH_MAX], *bytes = NULL;
    size_t count;
    struct stat info;
    struct error error; /* there may be none yet */
    const char *metric = summary->has_job ? metric_names[summary->job.validate.metric] : NULL;
    run_file_path(run, RUN_METRICS, path);
    if (stat(path, &info) || !file_read_own(path, METRICS_MOST, &bytes, &count, &error))
        return;
    summary->seen_unix = (double)info.st_mtime;
    char *rest = bytes;
    for (char *line; (line = strsep(&rest, "\n"));)
        if (json_is_whole(line))
            take_line(summary, line, metric);
    free(bytes);
}

/* Of a run of which nothing is known: no start has come to write its job there, and none is about to. */
static bool is_left_over(const char *run)
{
    char lock[PATH_MAX], job[PATH_MAX];
    run_file_path(run, RUN_LOCK, lock);
    run_file_path(run, RUN_JOB, job);
    return access(job, F_OK) != 0 && !file_is_locked(lock);
}

bool run_summary_look(struct run_summary *summary, const char *run, struct error *error)
{
    struct run_state state;
    *summary = (struct run_summary){
        .state = "", .loss = NAN, .samples_per_s = NAN, .last.value = NAN, .best.value = NAN};
    bool ok = run_state_look(&state, run, error);
    if (!ok && error->kind == ERROR_NOT_FOUND && run_summary_is_run(run)) {
        summary->state = state_words[REASON_BRANCHED];
        summary->is_nothing = is_left_over(run);
        ok = true; /* it has not come so far that it could tell anything */
    } else if (ok) {
        take_state(summary, &state);
        take_job(summary, run);
        take_metrics(summary, run);
    }
    run_state_release(&state);
    return ok;
}

void run_summary_release(struct run_summary *summary)
{
    if (summary->has_job)
        job_release(&summary->job);
    *summary = (struct run_summary){0};
}
