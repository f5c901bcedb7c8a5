#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "cli/command.h"
#include "cli/flags.h"
#include "cli/request.h"
#include "launch/process.h"
#include "launch/supervisor.h"
#include "train/environment.h"
#include "train/job.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RESTARTS   5
#define LAUNCH_S   -1 /* derived */
#define SHUTDOWN_S 30

/* Where the words behind `lockstep train` begin in the launcher's command; 0: it is not there. */
static int find_train(int count, char **words)
{
    for (int i = 1; i < count; i++)
        if (strcmp(words[i], "train") == 0)
            return i + 1;
    return 0;
}

/* Whether the launcher is told to start its ranks in another directory. */
static bool changes_directory(int count, char **words)
{
    static const char *const options[] = {"--wdir", "-wdir", "--wd", "-wd", "--chdir", "-D"};
    for (int i = 0; i < count; i++)
        for (size_t o = 0; o < sizeof options / sizeof *options; o++) {
            size_t length = strlen(options[o]);
            if (strncmp(words[i], options[o], length) == 0 && (words[i][length] == '\0' || words[i][length] == '='))
                return true;
        }
    return false;
}

/* Of the job that the command trains: the run directory, which the caller owns, and its leaves. Finds what is wrong
 * with the job before anything is started. ERROR_IO, ERROR_NOT_FOUND: its file cannot be read. */
static bool find_run(int count, char **words, char **run, unsigned *leaves, struct error *error)
{
    int first = find_train(count, words);
    struct request request;
    struct job job = {0};
    char *text = NULL;
    size_t bytes;
    if (first == 0)
        return error_set(error, ERROR_USAGE,
                         "no 'lockstep train' in the command: whatever starts it, these words have to be there");
    /* The parser sorts its words; the command stays as it is. */
    char **own = memory_need((size_t)(count - first) + 1, sizeof *own);
    memcpy(own, words + first, (size_t)(count - first) * sizeof *own);
    bool ok = request_parse(&request, true, count - first, own, error) && file_read(request.file, &text, &bytes, error);
    ok = ok && job_parse(&job, request.file, text, request.overrides, request.override_count, error);
    if (ok && request.options.fresh)
        ok = error_set(error, ERROR_USAGE,
                       "--fresh would begin anew at each restart: take the run directory away first");
    if (ok && job.run[0] != '/' && changes_directory(first, words))
        ok = error_set(error, ERROR_USAGE,
                       "run: %s is relative, and the ranks start in another directory than this: give it from the root",
                       job.run);
    if (ok) {
        uint64_t most = job.train.batch / job.train.microbatch;
        *leaves = most < UINT_MAX ? (unsigned)most : UINT_MAX;
        *run = memory_text(job.run);
    }
    free(text);
    memory_free(own);
    request_release(&request);
    job_release(&job);
    return ok;
}

static bool is_away(const struct error *error)
{
    return error->kind == ERROR_IO || error->kind == ERROR_NOT_FOUND;
}

/* The same for a batch job that comes back: its node may have the disk a moment later. */
static bool find_run_again(int count, char **words, int tries, char **run, unsigned *leaves, struct error *error)
{
    bool ok = find_run(count, words, run, leaves, error);
    for (int i = 0; !ok && i < tries && environment_restarts() > 0 && is_away(error); i++) {
        unsigned pause_s = 1U << (i < 5 ? i : 5);
        log_warn("supervise: %s: looking again in %u s", error->text, pause_s);
        sleep(pause_s); /* signals wait meanwhile, for the supervisor to hear them */
        ok = find_run(count, words, run, leaves, error);
    }
    if (!ok)
        error->kind = ERROR_USAGE;
    return ok;
}

static bool read_seconds(const char *name, const char *text, double *seconds, struct error *error)
{
    char *end;
    if (!text)
        return true;
    *seconds = strtod(text, &end);
    return (*text && *end == '\0' && *seconds >= 0 && *seconds < 1e9) ||
           error_set(error, ERROR_USAGE, "%s %s: a number of seconds is expected", name, text);
}

static int run(int count, char **words)
{
    struct supervisor_options options = {.restarts = RESTARTS, .launch_s = LAUNCH_S, .shutdown_s = SHUTDOWN_S};
    const char *launch = NULL, *shutdown = NULL;
    const struct flag flags[] = {{.name = "--restarts", .number = &options.restarts, .least = 1},
                                 {.name = "--launch-timeout", .value = &launch},
                                 {.name = "--shutdown-timeout", .value = &shutdown},
                                 {0}};
    struct error error;
    char *run = NULL;
    int own = 0;
    while (own < count && strcmp(words[own], "--") != 0)
        own++;
    if (own >= count - 1)
        return command_misused(&command_supervise, "the command of the launcher is missing behind --");
    options.command = words + own + 1;
    int left = own;
    bool ok = flags_parse(flags, (struct flag_files){"no file", 0, 0}, &left, words, &error) &&
              read_seconds("--launch-timeout", launch, &options.launch_s, &error) &&
              read_seconds("--shutdown-timeout", shutdown, &options.shutdown_s, &error);
    if (!ok)
        return command_misused(&command_supervise, "%s", error.text);
    process_take_signals(); /* before anything takes time: one that comes now is not lost */
    log_init(0);
    if (!find_run_again(count - own - 1, options.command, options.restarts, &run, &options.ranks_most, &error))
        return command_fail(&error);
    options.run = run;
    static const int codes[] = {[SUPERVISOR_FINISHED] = EXIT_FINISHED,
                                [SUPERVISOR_LEFT] = EXIT_SAVED,
                                [SUPERVISOR_GAVE_UP] = EXIT_FAILED,
                                [SUPERVISOR_REFUSED] = EXIT_USAGE};
    enum supervisor_outcome outcome = supervisor_run(&options, &error);
    memory_free(run);
    if (outcome == SUPERVISOR_GAVE_UP || outcome == SUPERVISOR_REFUSED)
        command_fail(&error);
    return codes[outcome];
}

const struct command command_supervise = {
    .name = "supervise",
    .usage = "lockstep supervise [--restarts N] [--launch-timeout SECONDS] [--shutdown-timeout SECONDS] -- mpirun ... "
             "lockstep train JOB.yaml ...   starts the job again until it is finished; on Slurm also has it requeued",
    .run = run,
    .acts = true,
};
