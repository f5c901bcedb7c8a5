#include "base/log.h"
#include "base/memory.h"
#include "cli/command.h"
#include "cli/flags.h"
#include "cli/request.h"
#include "job/job.h"
#include "launch/process.h"
#include "launch/supervisor.h"
#include "launch/watchmen.h"
#include "launch/words.h"
#include "run/environment.h"
#include "run/submission.h"

#include <limits.h>
#include <stdint.h>
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

/* The job that the command trains. */
struct supervised {
    struct request request;
    char **words; /* behind `train`, as the parser has sorted them; the command stays as it is */
    struct submission_request asked;
    struct submission submission;
    struct job job;
    bool is_read; /* the job; else that has failed */
};

static void supervised_release(struct supervised *supervised)
{
    request_release(&supervised->request);
    job_release(&supervised->job);
    memory_free(supervised->words);
}

static bool check(const struct supervised *supervised, int first, char **words, struct error *error)
{
    const char *run = supervised->job.run;
    if (supervised->request.submitted)
        return error_set(error, ERROR_USAGE, "--submitted is for supervise to say");
    if (supervised->request.options.fresh)
        return error_set(error, ERROR_USAGE,
                         "--fresh would begin anew at each restart: take the run directory away first");
    return run[0] == '/' || !changes_directory(first, words) ||
           error_set(error, ERROR_USAGE,
                     "run: %s is relative, and the ranks start in another directory than this: give it from the root",
                     run);
}

/* Finds what is wrong with the job before anything is started; then keeps it for this and later starts.
 * ERROR_NOT_FOUND, or what the system refuses: a disk may be away. */
static bool find_job(struct supervised *supervised, int count, char **words, struct error *error)
{
    int first = find_train(count, words);
    if (first == 0)
        return error_set(error, ERROR_USAGE,
                         "no 'lockstep train' in the command: whatever starts it, these words have to be there");
    supervised_release(supervised);
    *supervised = (struct supervised){.words = memory_need((size_t)(count - first) + 1, sizeof(char *))};
    memcpy(supervised->words, words + first, (size_t)(count - first) * sizeof(char *));
    if (!request_parse(&supervised->request, true, count - first, supervised->words, error))
        return false;
    supervised->asked = request_submission(&supervised->request);
    submission_init(&supervised->submission, true);
    supervised->is_read = submission_read(&supervised->submission, &supervised->asked, &supervised->job, error);
    return supervised->is_read && check(supervised, first, words, error) &&
           submission_keep(&supervised->submission, &supervised->asked, &supervised->job, error);
}

/* What a server does not give yet may look forbidden, too. */
static bool is_away(const struct error *error)
{
    return error_is_refused(error) || error->kind == ERROR_NOT_FOUND;
}

/* The same for a batch job that comes back: its node may have the disk a moment later. */
static bool find_job_again(struct supervised *supervised, int count, char **words, int tries, struct error *error)
{
    bool ok = find_job(supervised, count, words, error);
    for (int i = 0; !ok && i < tries && environment_restarts() > 0 && is_away(error); i++) {
        unsigned pause_s = 1U << (i < 5 ? i : 5);
        log_warn("supervise: %s: looking again in %u s", error->text, pause_s);
        sleep(pause_s); /* signals wait meanwhile, for the supervisor to hear them */
        ok = find_job(supervised, count, words, error);
    }
    if (!ok && !supervised->is_read) /* a job file that cannot be read is a wrong request */
        error->kind = ERROR_USAGE;
    return ok;
}

/* The command that starts the job as it is kept. Its own words stay: they tell people what runs. */
static void make_command(const struct supervised *supervised, char **words, int count, struct words *command)
{
    size_t first = (size_t)find_train(count, words);
    words_copy(command, words);
    words_insert(command, first, supervised->submission.path);
    words_insert(command, first, "--submitted");
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

/* On another node of the job. */
static int watch(const struct flag *flags, int count, char **words, const char *const *node, const char *const *log)
{
    struct error error;
    if (!flags_parse(flags, (struct flag_files){"no file", 0, 0}, &count, words, &error))
        return command_misused(&command_supervise, "%s", error.text);
    log_init(0);
    watchman_run(*node, *log);
    return EXIT_FINISHED;
}

/* Supervises the job that the launcher's command trains. */
static int supervise(struct supervisor_options *options, int count, char **launcher)
{
    static const int codes[] = {[SUPERVISOR_FINISHED] = EXIT_FINISHED,
                                [SUPERVISOR_LEFT] = EXIT_SAVED,
                                [SUPERVISOR_GAVE_UP] = EXIT_FAILED,
                                [SUPERVISOR_REFUSED] = EXIT_USAGE};
    struct error error;
    struct supervised supervised = {0};
    struct words command;
    process_take_signals(); /* before anything takes time: one that comes now is not lost */
    log_init(0);
    if (!find_job_again(&supervised, count, launcher, options->restarts, &error)) {
        supervised_release(&supervised);
        return command_fail(&error);
    }
    uint64_t leaves = supervised.job.train.batch / supervised.job.train.microbatch;
    make_command(&supervised, launcher, count, &command);
    options->run = supervised.job.run;
    options->ranks_most = leaves < UINT_MAX ? (unsigned)leaves : UINT_MAX;
    options->command = command.items;
    options->submission = &supervised.submission;
    options->asked = &supervised.asked;
    options->job = &supervised.job;
    enum supervisor_outcome outcome = supervisor_run(options, &error);
    words_release(&command);
    supervised_release(&supervised);
    if (outcome == SUPERVISOR_GAVE_UP || outcome == SUPERVISOR_REFUSED)
        command_fail(&error);
    return codes[outcome];
}

/* The words before -- are ours, those behind it the launcher's. */
static int run(int count, char **words)
{
    struct supervisor_options options = {.restarts = RESTARTS, .launch_s = LAUNCH_S, .shutdown_s = SHUTDOWN_S};
    const char *launch = NULL, *shutdown = NULL, *watched = NULL, *log = "";
    const struct flag flags[] = {{.name = "--restarts", .number = &options.restarts, .least = 1},
                                 {.name = "--launch-timeout", .value = &launch},
                                 {.name = "--shutdown-timeout", .value = &shutdown},
                                 {.name = "--watch", .value = &watched}, /* the supervisor's own, see watchmen.h */
                                 {.name = "--log", .value = &log},
                                 {0}};
    struct error error;
    int own = 0;
    while (own < count && strcmp(words[own], "--") != 0)
        own++;
    if (own == count && count > 1 && strcmp(words[0], "--watch") == 0)
        return watch(flags, count, words, &watched, &log);
    int left = own, files_most = own == count ? INT_MAX : 0; /* without a -- it may be a flag that is wrong, too */
    bool ok = flags_parse(flags, (struct flag_files){"no file", 0, files_most}, &left, words, &error) &&
              read_seconds("--launch-timeout", launch, &options.launch_s, &error) &&
              read_seconds("--shutdown-timeout", shutdown, &options.shutdown_s, &error);
    if (!ok)
        return command_misused(&command_supervise, "%s", error.text);
    if (own >= count - 1)
        return command_misused(&command_supervise, "the command of the launcher is missing behind --");
    return supervise(&options, count - own - 1, words + own + 1);
}

const struct command command_supervise = {
    .name = "supervise",
    .usage = "lockstep supervise [--restarts N] [--launch-timeout SECONDS] [--shutdown-timeout SECONDS] -- mpirun ... "
             "lockstep train JOB.yaml ...   starts the job again until it is finished; on Slurm also has it requeued",
    .run = run,
    .acts = true,
};
