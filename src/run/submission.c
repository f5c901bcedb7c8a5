#include "run/submission.h"

#include "base/digest.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "checkpoint/store.h"
#include "run/edit.h"
#include "run/environment.h"
#include "run/refusal.h"
#include "run/run_files.h"
#include "run/trace.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void submission_init(struct submission *submission, bool is_supervisor)
{
    char host[ENVIRONMENT_HOST];
    *submission = (struct submission){0};
    environment_batch_key(submission->key, sizeof submission->key);
    submission->is_batch = *submission->key != '\0';
    if (submission->is_batch || !is_supervisor)
        return;
    environment_host(host);
    snprintf(submission->key, sizeof submission->key, "%s-%ld", host, (long)getpid());
}

void submission_key_of(const char *path, char key[SUBMISSION_KEY])
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    size_t length = strlen(name);
    bool fits = length > 5 && length - 5 < SUBMISSION_KEY && strcmp(name + length - 5, ".yaml") == 0;
    snprintf(key, SUBMISSION_KEY, "%.*s", fits ? (int)(length - 5) : 0, name);
}

/* The value of the last --set of the run; NULL: it stands in the job file. */
static const char *run_set(const struct submission_request *request)
{
    const char *run = NULL;
    for (size_t i = 0; i < request->override_count; i++)
        if (strncmp(request->overrides[i], "run=", 4) == 0)
            run = request->overrides[i] + 4;
    return run;
}

static bool set_path(struct submission *submission, const char *run, struct error *error)
{
    return snprintf(submission->path, PATH_MAX, "%s/%s/%s.yaml", run, run_file_names[RUN_SUBMITTED], submission->key) <
               PATH_MAX ||
           error_set(error, ERROR_USAGE, "run: %s is too long", run);
}

static void set_trace(struct submission *submission, const struct submission_request *request)
{
    const char *run = run_set(request);
    uint64_t digest = digest_bytes(request->file, strlen(request->file));
    if (run)
        digest = digest_chain(digest, digest_bytes(run, strlen(run)));
    if (!submission->is_batch || !trace_name(submission->key, digest, submission->trace))
        *submission->trace = '\0';
}

bool submission_text(const char *path, char **text, size_t *bytes, struct error *error)
{
    char directory[PATH_MAX];
    int held;
    file_parent(path, directory);
    if (!file_open_directory(directory, FILE_OURS, &held, error))
        return false;
    bool ok = file_read_note_in(held, path, text, bytes, error);
    close(held);
    return ok;
}

/* Puts the text there; makes the run directory. */
static bool put_kept(const char *path, const struct text *yaml, struct error *error)
{
    char directory[PATH_MAX];
    int held;
    file_parent(path, directory);
    if (!file_make_directory(directory, FILE_OURS, &held, error))
        return false;
    bool ok = file_replace_in(held, path, yaml->bytes, yaml->length, error);
    close(held);
    return ok;
}

/* The job as the file and the overrides say now. */
static bool read_file(const struct submission_request *request, struct job *job, struct error *error)
{
    return job_read(job, request->file, request->overrides, request->override_count, error);
}

/* The comment on the first line of a kept job, as an object of JSON. */
static void read_heading(const char *text, struct text *heading)
{
    if (strncmp(text, "# ", 2) == 0)
        text_append(heading, "%.*s", (int)strcspn(text + 2, "\n"), text + 2);
}

/* Whether this start repeats the one that the text was first kept by, which was after *first requeues. */
static bool is_repeated(const char *text, const struct submission_request *request, uint64_t *first)
{
    struct text heading;
    char file[PATH_MAX] = "";
    double restart = 0;
    text_init(&heading);
    read_heading(text, &heading);
    bool ok = json_text(text_bytes(&heading), "file", file, sizeof file) &&
              json_number(text_bytes(&heading), "restart", &restart);
    text_release(&heading);
    *first = restart >= 0 && restart < (double)UINT32_MAX ? (uint64_t)restart : 0;
    return ok && strcmp(file, request->file) == 0 && (environment_hides_restarts() || *first < environment_restarts());
}

/* The kept job, if this start is a repetition (*found). */
static bool read_kept(struct submission *submission, const struct submission_request *request, bool *found,
                      struct job *job, struct error *error)
{
    char *text = NULL;
    size_t bytes;
    *found = false;
    if (!submission_text(submission->path, &text, &bytes, error))
        return error->kind == ERROR_NOT_FOUND;
    *found = is_repeated(text, request, &submission->first);
    bool ok = !*found || job_parse_saved(job, submission->path, text, NULL, 0, error);
    free(text);
    return ok;
}

/* Whether a job has left anything of its work in the run directory. */
static bool has_work(const char *run)
{
    char history[PATH_MAX];
    struct store store;
    struct error error;
    uint64_t *steps = NULL;
    size_t count = 0;
    bool known = run_file_path(run, RUN_HISTORY, history) && access(history, F_OK) == 0;
    known = known || (store_init(&store, run, 0, &error) && store_list(&store, &steps, &count, &error) && count > 0);
    memory_free(steps);
    return known;
}

/* The kept job is gone, but not the run: somebody has deleted some of it, and the trainer has made it again. *found:
 * the job is that of the run; else the job file has to do. */
static void find_in_run(struct submission *submission, const char *run, bool *found, struct job *job)
{
    char path[PATH_MAX], *text = NULL;
    size_t bytes;
    struct error error;
    bool ok = run_file_path(run, RUN_JOB, path) && file_read_own(path, FILE_NOTE_MOST, &text, &bytes, &error) &&
              job_parse_saved(job, path, text, NULL, 0, &error);
    *found = ok && strcmp(job->run, run) == 0;
    if (ok && !*found)
        job_release(job);
    free(text);
    submission->first = 0;
    log_warn("what job %s was submitted as is gone (%s): it goes on as %s has it", submission->key, submission->path,
             *found ? path : "its job file");
}

/* After a requeue. *found: the job is what was submitted. */
static bool find_kept(struct submission *submission, const struct submission_request *request, bool *found,
                      struct job *job, struct error *error)
{
    char run[PATH_MAX];
    struct job now = {0};
    *found = false;
    if (!trace_read(submission->trace, run, &submission->has_begun)) {
        const char *set = run_set(request);
        if (!set && !read_file(request, &now, error))
            return false;
        snprintf(run, sizeof run, "%s", set ? set : now.run);
        job_release(&now);
    }
    if (!set_path(submission, run, error) || !read_kept(submission, request, found, job, error))
        return false;
    if (*found || !submission->has_begun || access(submission->path, F_OK) == 0)
        return true;
    if (has_work(run)) {
        find_in_run(submission, run, found, job);
        return true;
    }
    char host[ENVIRONMENT_HOST];
    environment_host(host);
    return error_set(error, ERROR_NOT_FOUND,
                     "job %s has begun its work in %s, and there is nothing of it on %s: is that a disk of another "
                     "node alone? run: has to name a directory that all nodes share. (To begin anew all the same: "
                     "submit the job again)",
                     submission->key, run, host);
}

/* A job that was requeued before it had begun any work has neither; nor has one whose run and log lay on a disk of
 * another node alone. */
static void tell_if_lost(const struct submission *submission, const char *run)
{
    if (access(submission->trace, F_OK) == 0 || access(submission->path, F_OK) == 0 || has_work(run))
        return;
    log_warn("restart %" PRIu64 " of job %s, but neither its run (%s) nor its trace (%s) is here: it begins at step 0. "
             "If it had worked before, its run lies on a disk that this node does not see",
             environment_restarts(), submission->key, run, submission->trace);
}

bool submission_read(struct submission *submission, const struct submission_request *request, struct job *job,
                     struct error *error)
{
    submission->is_kept = submission->has_begun = false;
    set_trace(submission, request);
    bool may_repeat = environment_restarts() > 0 || environment_hides_restarts();
    if (submission->is_batch && may_repeat && !request->anew &&
        !find_kept(submission, request, &submission->is_kept, job, error))
        return false;
    if (submission->is_kept) {
        submission_tell_edit(submission, request);
        return true;
    }
    submission->first = environment_restarts();
    if (!read_file(request, job, error))
        return false;
    if (*submission->key && !set_path(submission, job->run, error)) {
        job_release(job);
        return false;
    }
    if (submission->is_batch && environment_restarts() > 0)
        tell_if_lost(submission, job->run);
    return true;
}

/* Durably. */
static bool write_kept(const struct submission *submission, const struct submission_request *request,
                       const struct job *job, struct error *error)
{
    struct text yaml;
    text_init(&yaml);
    text_append(&yaml, "# {\"key\":");
    text_append_json(&yaml, submission->key);
    text_append(&yaml, ",\"file\":");
    text_append_json(&yaml, request->file);
    text_append(&yaml, ",\"restart\":%" PRIu64 ",\"version\":\"%s\"}\n", submission->first, LOCKSTEP_VERSION);
    job_write(job, &yaml);
    bool ok = put_kept(submission->path, &yaml, error);
    text_release(&yaml);
    return ok;
}

bool submission_keep(struct submission *submission, const struct submission_request *request, const struct job *job,
                     struct error *error)
{
    struct error why;
    bool stands = submission->is_kept && access(submission->path, F_OK) == 0;
    if (!stands && !write_kept(submission, request, job, error))
        return false;
    if (*submission->trace && !trace_write(submission->trace, job->run, submission->has_begun, &why))
        log_warn("if %s is away or another one when job %s is requeued, it will not be found: %s", request->file,
                 submission->key, why.text);
    return true;
}

void submission_renew(const struct submission *submission, const struct submission_request *request,
                      const struct job *job)
{
    struct error error;
    if (access(submission->path, F_OK) == 0 || errno != ENOENT)
        return;
    bool ok = write_kept(submission, request, job, &error);
    log_warn("%s was deleted%s%s", submission->path, ok ? "; it has been made again" : ": ", ok ? "" : error.text);
}

void submission_begun(struct submission *submission, const char *run)
{
    struct error error;
    if (submission->has_begun)
        return;
    submission->has_begun = true;
    if (*submission->trace && !trace_write(submission->trace, run, submission->has_begun, &error))
        log_warn("%s", error.text);
}

/* How the job file, as it is now, differs from what is kept: words, if it does. */
static void find_edit(const struct submission *submission, const struct submission_request *request, struct text *words)
{
    struct job now = {0}, kept = {0};
    struct text yaml[2];
    struct error error;
    char *text = NULL;
    size_t bytes;
    text_init(&yaml[0]);
    text_init(&yaml[1]);
    if (!read_file(request, &now, &error)) {
        text_append(words, "%s", error.text);
    } else if (submission_text(submission->path, &text, &bytes, &error) &&
               job_parse_saved(&kept, submission->path, text, NULL, 0, &error)) {
        job_write(&kept, &yaml[0]);
        job_write(&now, &yaml[1]);
        if (strcmp(text_bytes(&yaml[0]), text_bytes(&yaml[1])) != 0) {
            text_append(words, "%s was edited since the job was submitted: ", request->file);
            edit_describe(text_bytes(&yaml[0]), text_bytes(&yaml[1]), words);
        }
    }
    free(text);
    job_release(&now);
    job_release(&kept);
    text_release(&yaml[0]);
    text_release(&yaml[1]);
}

void submission_tell_edit(struct submission *submission, const struct submission_request *request)
{
    struct text words;
    text_init(&words);
    find_edit(submission, request, &words);
    uint64_t digest = digest_bytes(text_bytes(&words), words.length);
    if (words.length > 0 && digest != submission->told)
        log_warn("%s; the job goes on as it was submitted (%s). An edit is taken when the job is started anew, or with "
                 "--reread",
                 text_bytes(&words), submission->path);
    submission->told = digest;
    text_release(&words);
}

void submission_forget(struct submission *submission)
{
    char directory[PATH_MAX];
    struct error error;
    int held;
    file_parent(submission->path, directory);
    if (*submission->path && file_open_directory(directory, FILE_OURS, &held, &error)) {
        if (!file_remove_in(held, submission->path, &error))
            log_warn("%s", error.text);
        close(held);
        refusal_remove(submission->path);
        rmdir(directory); /* unless there are others */
    }
    *submission->path = '\0';
    if (*submission->trace)
        unlink(submission->trace);
}
