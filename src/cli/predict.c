#include "base/memory.h"
#include "base/say.h"
#include "cli/command.h"
#include "cli/flags.h"
#include "cli/output.h"
#include "cli/together.h"
#include "use/answer_file.h"

#include <stdio.h>
#include <string.h>

struct request {
    const char *word; /* a checkpoint */
    struct trained_options options;
    const char *const *paths; /* [count] of inputs */
    size_t count;
    const char *output; /* NULL: standard output */
    int top;            /* 0: not given */
    bool probabilities;
    bool force;
};

/* Whether an input is what comes through a pipe. */
static bool is_piped(const char *path)
{
    return strcmp(path, "-") == 0;
}

/* Local. All inputs; the caller closes those that were opened. */
static bool open_inputs(const struct request *request, const struct trained *trained, struct dataset *inputs,
                        struct error *error)
{
    const struct dataset_spec *like = &trained->job.data.train;
    for (size_t i = 0; i < request->count; i++)
        if (!dataset_open_inputs(&inputs[i], is_piped(request->paths[i]) ? NULL : request->paths[i], like,
                                 &trained->saved.about, error))
            return false;
    return true;
}

/* Local. What can be wrong before anything is computed. */
static bool check(const struct world *world, const struct request *request, const struct trained *trained,
                  struct predict_form *form, struct error *error)
{
    const struct answer_file_options options = {.path = request->output, .top = (size_t)request->top};
    if (!predict_describe(trained, request->probabilities, form, error) || !answer_file_check(&options, form, error))
        return false;
    for (size_t i = 0; i < request->count && world->size > 1; i++)
        if (is_piped(request->paths[i]))
            return error_set(error, ERROR_USAGE,
                             "standard input is there for one rank alone: answer it without mpirun");
    if (!request->output)
        return true;
    for (size_t i = 0; i < request->count; i++) {
        const char *const inputs[] = {request->paths[i], trained->path, NULL};
        if (!output_check(request->output, inputs, request->force, error))
            return false;
    }
    return true;
}

/* Collective over world. */
static bool answer(const struct world *world, const struct request *request, struct trained *trained,
                   const struct predict_form *form, const struct dataset *inputs, struct error *error)
{
    const struct answer_file_options options = {
        .path = request->output, .inputs = inputs, .input_count = request->count, .top = (size_t)request->top};
    struct answer_file file = {.descriptor = -1};
    const struct predict_sink sink = {.take = answer_file_take, .context = &file};
    bool is_root = world->rank == 0;
    bool ok = world_agree(world, !is_root || answer_file_begin(&file, &options, form, &trained->saved.about, error),
                          error);
    for (size_t i = 0; ok && i < request->count; i++)
        ok = predict(world, trained, form, &inputs[i], &sink, error);
    ok = ok && world_agree(world, !is_root || answer_file_commit(&file, error), error);
    if (ok && is_root && request->output)
        say("%s: answers to %zu samples\n", request->output, answer_file_samples(&options));
    answer_file_release(&file);
    return ok;
}

/* Collective over world. */
static bool work(const struct world *world, void *context, struct error *error)
{
    const struct request *request = context;
    struct trained trained = {0};
    struct predict_form form;
    struct dataset *inputs = memory_need(request->count, sizeof *inputs);
    bool ok = trained_open(&trained, request->word, &request->options, error) &&
              check(world, request, &trained, &form, error) && open_inputs(request, &trained, inputs, error);
    ok = world_agree(world, ok, error) && answer(world, request, &trained, &form, inputs, error);
    for (size_t i = 0; i < request->count; i++)
        dataset_close(&inputs[i]);
    memory_free(inputs);
    trained_close(&trained);
    return ok;
}

static int run(int count, char **words)
{
    const char **overrides = memory_need((size_t)count, sizeof *overrides);
    struct request request = {.options.overrides = overrides};
    const struct flag flags[] = {{.name = "-o", .value = &request.output},
                                 {.name = "--output", .value = &request.output},
                                 {.name = "--top", .number = &request.top, .least = 1},
                                 {.name = "--probabilities", .given = &request.probabilities},
                                 {.name = "--ema", .given = &request.options.averaged},
                                 {.name = "--force", .given = &request.force},
                                 {.name = "--set", .list = overrides, .length = &request.options.count},
                                 {0}};
    struct error error;
    int code = 0;
    if (flags_parse(flags, (struct flag_files){"a checkpoint and inputs", 2, count}, &count, words, &error)) {
        request.word = words[0];
        request.paths = (const char *const *)words + 1;
        request.count = (size_t)count - 1;
        code = together(work, &request);
    } else {
        code = command_misused(&command_predict, "%s", error.text);
    }
    memory_free(overrides);
    return code;
}

const struct command command_predict = {
    .name = "predict",
    .usage =
        "lockstep predict CHECKPOINT INPUT...|- [-o FILE.csv|FILE.npy|FILE.h5 [--force]] [--top N] "
        "[--probabilities] [--ema] [--set key.path=value]...   what the model says of inputs without answers; also under mpirun",
    .run = run,
    .parallel = true,
};
