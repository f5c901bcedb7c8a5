#include "train/life.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/memory.h"
#include "base/watchdog.h"
#include "job/options.h"
#include "run/environment.h"
#include "run/lineage.h"
#include "run/run_files.h"
#include "train/restore.h"
#include "train/run_directory.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Local. The changes of the job, on one line, for people; first those that change the result, in case not all fit. */
static void describe_changes(const struct text *changes, struct segment *segment)
{
    struct text line;
    text_init(&line);
    for (int matters = 1; matters >= 0; matters--) {
        for (const char *from = text_bytes(changes); *from; from += strcspn(from, "\n") + 1) {
            size_t length = strcspn(from, "\n");
            if ((memmem(from, length, JOB_CHANGES_RESULT, strlen(JOB_CHANGES_RESULT)) != NULL) == matters)
                text_append(&line, "%s%.*s", line.length ? "; " : "", (int)length, from);
        }
    }
    option_show(text_bytes(&line), segment->changes, sizeof segment->changes);
    text_release(&line);
}

/* Collective. The history gets a new segment; what an earlier one left open was interrupted. */
static void begin_segment(struct session *session)
{
    struct record *record = &session->record;
    char host[ENVIRONMENT_HOST];
    environment_host(host);
    char **hosts = world_gather_texts(session->world, host);
    struct segment *own = record_add_segment(record);
    own->first_step = session->step + 1;
    own->last_step = session->step;
    own->began_unix = clock_unix();
    own->ranks = (uint64_t)session->world->size;
    own->nodes = (uint64_t)session->learner.node.count;
    describe_changes(&session->restore->changes, own);
    for (int r = 0; r < session->world->size; r++) {
        bool seen = r > 0 && strcmp(hosts[r], hosts[r - 1]) == 0;
        size_t used = strlen(own->hosts), room = sizeof own->hosts - used;
        if (seen)
            continue;
        if (strlen(hosts[r]) + 5 > room) {
            snprintf(own->hosts + used, room, "...");
            break;
        }
        snprintf(own->hosts + used, room, "%s%s", used ? "," : "", hosts[r]);
    }
    memory_free(hosts);
}

/* Collective. The files of the run directory as of the step that the session begins with. */
static bool begin_files(struct session *session, struct error *error)
{
    char path[PATH_MAX];
    struct text words;
    text_init(&words);
    job_write(session->job, &words);
    memory_free(session->record.job);
    memory_free(session->record.passport);
    memory_free(session->record.vocabulary);
    session->record.job = memory_text(text_bytes(&words));
    session->record.passport = memory_text(text_bytes(&session->restore->passport));
    session->record.vocabulary = memory_text(session->data.train.about.vocabulary ? session->data.train.about.vocabulary
                                                                                  : "");
    text_release(&words);
    description_write(&session->data.train.about, &words);
    memory_free(session->record.data);
    session->record.data = memory_text(text_bytes(&words));
    session->record.data_digest = session->data.train.digest;
    bool ok = true;
    if (session->world->rank == 0) {
        ok = run_directory_write_job(session, error);
        fault_at(FAULT_JOB_WRITTEN, session->step);
        run_file_path(session->job->run, RUN_METRICS, path);
        if (session->options->fresh)
            unlink(path);
        watchdog_begin(run_file_names[RUN_HISTORY], 0);
        if (ok)
            history_log_note(session->job->run, session->step);
        watchdog_end();
        ok = ok && metrics_open(&session->metrics, path, session->step, session_validation_is_pending(session), error);
        fault_at(FAULT_METRICS_CUT, session->step);
    }
    if (session->world->rank == 0)
        ok = ok && lineage_write(session->job->run, session->record.lineage, error);
    text_release(&words);
    return restore_agree(session->restore, ok, "the files of the run directory", error);
}

/* Local. What the run has lived through; only rank 0 needs to know. */
static void begin_history(struct session *session)
{
    if (session->world->rank != 0) {
        cadence_init(&session->cadence, session->job, NULL, clock_seconds());
        return;
    }
    struct lives_now now = {.step = session->metrics.seen.step,
                            .unix_s = session->metrics.seen.unix_s,
                            .alive_s = session->metrics.seen.alive_s,
                            .saved = session->step};
    watchdog_begin(run_file_names[RUN_HISTORY], 0);
    struct lives_total lived = history_log_open(&session->history_log, session->job->run, session->options->fresh, &now,
                                                session->record.segments, session->record.segment_count - 1);
    watchdog_end();
    struct cadence_past past = {.alive_s = lived.alive_s,
                                .interruptions = lived.interruptions,
                                .restart_s = lived.start_s,
                                .stall_s = lived.stall_s,
                                .write_s = lived.write_s};
    cadence_init(&session->cadence, session->job, &past, clock_seconds());
    cadence_follow(&session->cadence, &session->deadline);
    double ranks = session->world->size;
    deadline_expect(&session->deadline, lived.step_s / ranks);
}

bool life_begin(struct session *session, struct error *error)
{
    begin_segment(session);
    if (!begin_files(session, error))
        return false;
    begin_history(session);
    return restore_agree(session->restore, true, "the history of the run", error);
}
