/* Which samples a step takes: a pure function of the job, so that nothing is trained for it. */
#include "base/memory.h"
#include "base/say.h"
#include "cli/command.h"
#include "cli/flags.h"
#include "data/sampler.h"
#include "job/job_data.h"
#include "job/length.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct request {
    const char *file;
    const char **overrides; /* [override_count] */
    size_t override_count;
    uint64_t first, last; /* steps */
    bool json;
};

/* A step from 1 on; *end: behind it. */
static bool read_step(const char *text, const char **end, uint64_t *step)
{
    char *behind = NULL;
    errno = 0;
    *step = *text >= '0' && *text <= '9' ? strtoull(text, &behind, 10) : 0;
    *end = behind;
    return *step >= 1 && *step <= JOB_STEPS_MOST && errno == 0;
}

/* "7" or "1:10". */
static bool read_steps(const char *text, struct request *request, struct error *error)
{
    const char *end = NULL;
    bool ok = text && read_step(text, &end, &request->first);
    request->last = request->first;
    if (ok && *end == ':')
        ok = read_step(end + 1, &end, &request->last);
    if (ok && !*end && request->first <= request->last)
        return true;
    return error_set(error, ERROR_USAGE, "--steps is needed: a step, as 7, or the first and the last one, as 1:10");
}

struct order {
    struct sampler sampler;
    const struct share *share; /* of the samples that data.train names */
    uint64_t *indices;         /* [batch] of a step */
};

static void print_step(const struct request *request, const struct order *order, uint64_t step)
{
    const struct sampler *sampler = &order->sampler;
    uint64_t position = sampler_taken(sampler, step - 1);
    struct text words;
    text_init(&words);
    sampler_row(sampler, position, sampler->batch, order->indices);
    if (request->json)
        text_append(&words, "{\"step\":%" PRIu64 ",\"epoch\":%" PRIu64 ",\"position\":%" PRIu64 ",\"samples\":[", step,
                    position / sampler->samples, position);
    else
        text_append(&words, "step %" PRIu64 ", epoch %" PRIu64 ", from position %" PRIu64 ":", step,
                    position / sampler->samples, position % sampler->samples);
    for (uint64_t i = 0; i < sampler->batch; i++) {
        text_append(&words, "%s%" PRIu64,
                    !request->json ? " "
                    : i > 0        ? ","
                                   : "",
                    share_sample(order->share, order->indices[i]));
    }
    say("%s%s\n", text_bytes(&words), request->json ? "]}" : "");
    text_release(&words);
}

static bool print_order(const struct request *request, const struct job *job, struct error *error)
{
    struct dataset train, validation;
    if (!job_data_open(job, &train, &validation, NULL, error))
        return false;
    struct order order = {.share = &train.share};
    bool ok = length_sampler(job, train.count, &order.sampler, error);
    if (ok && train.share.chunks.count > 0)
        sampler_keep_chunks(&order.sampler, &train.share.chunks, job->data.shuffle_window);
    if (ok)
        order.indices = memory_alloc(job->train.batch, sizeof *order.indices, "the samples of a step", error);
    ok = order.indices;
    for (uint64_t step = request->first; ok && step <= request->last; step++)
        print_step(request, &order, step);
    memory_free(order.indices);
    sampler_release(&order.sampler);
    dataset_close(&validation);
    dataset_close(&train);
    return ok;
}

static int run(int count, char **words)
{
    struct request request = {.overrides = memory_need((size_t)count + 1, sizeof *request.overrides)};
    const char *steps = NULL;
    const struct flag flags[] = {{.name = "--steps", .value = &steps},
                                 {.name = "--set", .list = request.overrides, .length = &request.override_count},
                                 {.name = "--json", .given = &request.json},
                                 {0}};
    struct error error = {0};
    struct job job = {0};
    int code = EXIT_FINISHED;
    if (!flags_parse(flags, (struct flag_files){"a job file", 1, 1}, &count, words, &error) ||
        !read_steps(steps, &request, &error))
        code = command_misused(&command_order, "%s", error.text);
    else if (!job_read(&job, words[0], request.overrides, request.override_count, &error) ||
             !print_order(&request, &job, &error))
        code = command_fail(&error);
    job_release(&job);
    memory_free(request.overrides);
    return code;
}

const struct command command_order = {
    .name = "order",
    .usage =
        "lockstep order JOB.yaml --steps N|N:N [--set key.path=value]... [--json]   which samples each step takes, "
        "leaf by leaf",
    .run = run,
};
