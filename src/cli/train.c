#include "base/digest.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "checkpoint/h5.h"
#include "cli/command.h"
#include "nn/kernels/gemm.h"
#include "parallel/world.h"
#include "train/job.h"
#include "train/preemption.h"
#include "train/trainer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct request {
    const char *file;
    const char **overrides; /* [count of words]: borrowed texts */
    size_t override_count;
    struct session_options options;
};

/* Local. */
static bool parse_words(int count, char **words, struct request *request, struct error *error)
{
    request->overrides = memory_need((size_t)count, sizeof *request->overrides);
    for (int i = 0; i < count; i++) {
        const char *value = i + 1 < count ? words[i + 1] : NULL;
        if (strcmp(words[i], "--fresh") == 0) {
            request->options.fresh = true;
        } else if (strcmp(words[i], "--overwrite") == 0) {
            request->options.overwrite = true;
        } else if (strcmp(words[i], "--set") == 0 && value) {
            request->overrides[request->override_count++] = value;
            i++;
        } else if (strcmp(words[i], "--ranks-per-node") == 0 && value) {
            char *end;
            long number = strtol(value, &end, 10);
            if (*end || end == value || number < 0 || number > 1 << 20)
                return error_set(error, ERROR_USAGE, "--ranks-per-node %s: not a number from 0 to %d", value, 1 << 20);
            request->options.ranks_per_node = (int)number;
            i++;
        } else if (strcmp(words[i], "--set") == 0 || strcmp(words[i], "--ranks-per-node") == 0) {
            return error_set(error, ERROR_USAGE, "%s needs a value behind it", words[i]);
        } else if (words[i][0] != '-' && request->file) {
            return error_set(error, ERROR_USAGE, "%s: one job file is enough, and there is %s already", words[i],
                             request->file);
        } else if (words[i][0] == '-') {
            return error_set(error, ERROR_USAGE, "%s: not understood (try lockstep train --help)", words[i]);
        } else {
            request->file = words[i];
        }
    }
    if (!request->file)
        return error_set(error, ERROR_USAGE, "no job file given (try lockstep train --help)");
    if (request->options.overwrite && !request->options.fresh)
        return error_set(error, ERROR_USAGE, "--overwrite goes with --fresh");
    return true;
}

/* Collective over world. Rank 0 reads the file, which the other nodes may not see; everybody parses the same bytes. */
static bool read_job(const struct world *world, const struct request *request, struct job *job, struct error *error)
{
    char *text = NULL;
    size_t bytes = 0;
    bool ok = world->rank != 0 || file_read(request->file, &text, &bytes, error);
    if (!ok)
        error->kind = ERROR_USAGE;
    if (!world_agree(world, ok, error))
        return false;
    world_share_bytes(world, &text, &bytes);
    ok = strlen(text) == bytes ||
         error_set(error, ERROR_USAGE, "%s: there is a NUL byte in it: not a text file", request->file);
    ok = ok && job_parse(job, request->file, text, request->overrides, request->override_count, error);
    memory_free(text);
    return ok;
}

static bool train(const struct world *world, int count, char **words, struct trainer_outcome *outcome,
                  struct error *error)
{
    struct request request = {0};
    struct job job = {0};
    uint64_t digest = 0;
    for (int i = 0; i < count; i++)
        digest = digest_chain(digest, digest_bytes(words[i], strlen(words[i])));
    bool ok = parse_words(count, words, &request, error) && fault_init(world->rank, error);
    ok = world_agree(world, ok, error) && world_agree_equal(world, digest, "the command line", error) &&
         read_job(world, &request, &job, error) && trainer_run(world, &job, &request.options, outcome, error);
    memory_free(request.overrides);
    job_release(&job);
    return ok;
}

static void print_outcome(const struct trainer_outcome *outcome)
{
    if (outcome->finished)
        printf("finished step=%" PRIu64 " loss=%.9g fingerprint=%016" PRIx64 "\n", outcome->step, outcome->loss,
               outcome->fingerprint);
    else
        printf("saved step=%" PRIu64 " fingerprint=%016" PRIx64 " reason=%s\n", outcome->step, outcome->fingerprint,
               outcome->reason);
    fflush(stdout);
}

static int run(int count, char **words)
{
    struct world world;
    struct error error = {0};
    struct trainer_outcome outcome;
    int thread_level;
    preemption_watch(); /* first: a signal that comes while MPI starts must not kill a rank */
    /* Open MPI's MPI-IO prepares a shared file pointer for every file: a lock file beside it, and a semaphore in
     * /dev/shm without which the file does not open. Nobody uses it here. What the user has set stays. */
    setenv("OMPI_MCA_sharedfp", "individual", 0);
    MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &thread_level);
    world_open(&world);
    log_init(world.rank);
    h5_init();
    gemm_init();
    bool ok = train(&world, count, words, &outcome, &error);
    if (world.rank == 0 && ok)
        print_outcome(&outcome);
    if (world.rank == 0 && !ok)
        command_fail(&error);
    h5_release();
    world_close(&world);
    MPI_Finalize();
    if (!ok)
        return command_exit_code(error.kind);
    return outcome.finished ? EXIT_FINISHED : EXIT_SAVED;
}

const struct command command_train = {
    .name = "train",
    .usage = "lockstep train JOB.yaml [--set key.path=value]... [--fresh [--overwrite]] [--ranks-per-node N]",
    .run = run,
};
