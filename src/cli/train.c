#include "base/file.h"
#include "base/memory.h"
#include "base/say.h"
#include "base/text.h"
#include "base/watchdog.h"
#include "cli/command.h"
#include "cli/request.h"
#include "job/job.h"
#include "parallel/equality.h"
#include "parallel/world.h"
#include "run/environment.h"
#include "run/refusal.h"
#include "run/submission.h"
#include "train/runtime.h"
#include "train/trainer.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define START_S   1800.0 /* for a meeting, until the job is known: programs and libraries may come from a slow disk */
#define MEETING_S 30.0   /* beside the heartbeat, from then on */

/* Local, rank 0's work: the text of the job, which the caller frees. *is_whole: with all overrides in it. */
static bool read_text(const struct request *request, struct submission *submission, char **text, size_t *bytes,
                      bool *is_whole, struct error *error)
{
    const struct submission_request asked = request_submission(request);
    struct job job = {0};
    struct text yaml;
    *is_whole = request->submitted || *submission->key;
    if (request->submitted) {
        bool found = submission_text(request->submitted, text, bytes, error);
        if (!found && error->kind == ERROR_NOT_FOUND)
            error_prefix(error, "what this job was submitted as is not there, on a disk that is not shared? ");
        return found;
    }
    if (!*submission->key) {
        if (!job_read_text(request->file, text, bytes, error))
            error->kind = ERROR_USAGE;
        return *text;
    }
    text_init(&yaml);
    bool ok = submission_read(submission, &asked, &job, error) && submission_keep(submission, &asked, &job, error);
    if (ok) {
        submission_begun(submission, job.run);
        job_write(&job, &yaml);
        *text = yaml.bytes;
        *bytes = yaml.length;
    }
    job_release(&job);
    return ok;
}

/* Collective over world. Rank 0 reads the file, which the other nodes may not see; everybody parses the same bytes. */
static bool read_job(const struct world *world, const struct request *request, struct submission *submission,
                     struct job *job, struct error *error)
{
    char *text = NULL;
    size_t bytes = 0;
    bool is_whole = false;
    bool ok = world->rank != 0 || read_text(request, submission, &text, &bytes, &is_whole, error);
    if (!world_agree(world, ok, error))
        return false;
    is_whole = world_share_number(world, is_whole) != 0;
    world_share_bytes(world, &text, &bytes);
    /* One that is kept was checked when it was submitted, perhaps by an older lockstep. */
    ok = is_whole ? job_parse_saved(job, request->submitted ? request->submitted : request->file, text, NULL, 0, error)
                  : job_parse(job, request->file, text, request->overrides, request->override_count, error);
    memory_free(text);
    return world_agree(world, ok, error);
}

/* Ends the job although ranks are missing: without a word from them, and with the exit code that means "run me again".
 * From any thread; the first one speaks. mpirun takes the others with it; the lowest rank that can speaks for all. */
static void leave_without_the_late(const struct error *error)
{
    static atomic_flag is_leaving = ATOMIC_FLAG_INIT;
    while (atomic_flag_test_and_set(&is_leaving))
        pause();
    int rank = runtime_rank();
    for (unsigned left = rank == 0 ? 0 : rank < 10 ? 1 + (unsigned)rank : 11; left > 0;)
        left = sleep(left); /* mpirun's signals cut it short */
    command_fail(error);
    runtime_leave(EXIT_SAVED);
}

/* Collective over world. Whether all ranks are of one program, and were asked for the same. Before anything else is
 * agreed on: two programs need not even send each other the same messages. */
static bool ranks_belong_together(const struct world *world, int count, char **words, struct error *error)
{
    struct text program, line;
    int thread_level;
    char level[20];
    text_init(&program);
    text_init(&line);
    environment_program(&program);
    for (int i = 0; i < count; i++)
        text_append(&line, "%s'%s'", i ? " " : "", words[i]);
    MPI_Query_thread(&thread_level);
    snprintf(level, sizeof level, "%d", thread_level);
    const struct equality_item items[] = {
        {"the program", text_bytes(&program), "Install the same build on all nodes", false},
        {"the thread level of MPI", level, "Use the same MPI on all nodes", false},
        {"the command line", text_bytes(&line), "Start all ranks alike", false},
    };
    bool ok = equality_check(world, items, sizeof items / sizeof *items, error);
    text_release(&program);
    text_release(&line);
    return ok;
}

/* Local, rank 0's work: what others look at who may start this job again. */
static void tell_end(const struct request *request, struct submission *submission, bool ok, bool is_finished,
                     const struct error *error)
{
    if (!ok && error_exit_code(error->kind) != EXIT_SAVED && request->submitted)
        refusal_write(request->submitted, error);
    if (ok && is_finished && !request->submitted)
        submission_forget(submission);
}

/* How long the meetings of a start and of the end may take, as the environment has it; else `otherwise`. 0: for ever.
 */
static double meeting_limit(double otherwise)
{
    const char *text = getenv("LOCKSTEP_START_TIMEOUT");
    char *end = NULL;
    double limit_s = text ? strtod(text, &end) : otherwise;
    return text && (end == text || *end || !(limit_s >= 0)) ? otherwise : limit_s;
}

/* Collective over world. `wrong`: what went wrong when this rank was set up, of which no other one knows yet; NULL. */
static bool train(const struct world *world, const struct error *wrong, int count, char **words,
                  struct trainer_outcome *outcome, struct error *error)
{
    struct request request;
    struct submission submission;
    struct job job = {0};
    watchdog_begin_meeting("the ranks compare what they are", 0, false);
    bool are_alike = ranks_belong_together(world, count, words, error);
    watchdog_end();
    if (!are_alike)
        return false;
    bool ok = request_parse(&request, true, count, words, error);
    if (ok && wrong) {
        *error = *wrong;
        ok = false;
    }
    request.options.lost = leave_without_the_late;
    submission_init(&submission, false);
    if (request.submitted)
        submission_key_of(request.submitted, submission.key);
    request.options.key = submission.key;
    watchdog_begin_meeting("the ranks read the job", 0, false);
    ok = world_agree(world, ok, error) && read_job(world, &request, &submission, &job, error);
    watchdog_end();
    request.options.meeting_s = meeting_limit(job.heartbeat > 0 ? MEETING_S + job.heartbeat : 0);
    ok = ok && trainer_run(world, &job, &request.options, outcome, error);
    if (world->rank == 0)
        tell_end(&request, &submission, ok, outcome->finished, error);
    request_release(&request);
    job_release(&job);
    return ok;
}

static void print_outcome(const struct trainer_outcome *outcome)
{
    if (outcome->finished)
        say("finished step=%" PRIu64 " loss=%.9g fingerprint=%016" PRIx64 "\n", outcome->step, outcome->loss,
            outcome->fingerprint);
    else
        say("saved step=%" PRIu64 " fingerprint=%016" PRIx64 " reason=%s\n", outcome->step, outcome->fingerprint,
            outcome->reason);
    fflush(stdout);
}

static int run(int count, char **words)
{
    struct runtime runtime;
    struct error error = {0}, wrong;
    struct trainer_outcome outcome = {0};
    const struct runtime_options options = {.takes_signals = true,
                                            .ends_process = true,
                                            .meeting_s = meeting_limit(START_S),
                                            .lost = leave_without_the_late};
    bool is_up = runtime_begin(&runtime, &options, &wrong);
    if (!runtime.is_up)
        return command_fail(&wrong);
    bool ok = train(&runtime.world, is_up ? NULL : &wrong, count, words, &outcome, &error);
    if (!ok && error.kind == ERROR_LATE)
        leave_without_the_late(&error);
    if (runtime.world.rank == 0 && ok)
        print_outcome(&outcome);
    if (runtime.world.rank == 0 && !ok)
        command_fail(&error);
    runtime_end(&runtime);
    if (!ok)
        return error_exit_code(error.kind);
    return outcome.finished ? EXIT_FINISHED : EXIT_SAVED;
}

const struct command command_train = {
    .name = "train",
    .usage = "lockstep train JOB.yaml [--set key.path=value]... [--fresh [--overwrite]] "
             "[--stop-after 500steps|2epochs|30min] [--allow-change KEY]... [--init-from FILE|CHECKPOINT [--partial]] "
             "[--branch CHECKPOINT] [--ranks-per-node N] [--reread] [--trace FILE]",
    .run = run,
    .parallel = true,
    .acts = true,
};
