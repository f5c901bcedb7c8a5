#include "base/memory.h"
#include "base/plural.h"
#include "base/say.h"
#include "checkpoint/locate.h"
#include "checkpoint/store_name.h"
#include "cli/command.h"
#include "cli/flags.h"
#include "cli/output.h"
#include "cli/together.h"
#include "data/row_stream.h"
#include "use/answer_file.h"
#include "use/unchanged.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

struct request {
    const char *word; /* a checkpoint */
    struct trained_options options;
    const char *const *paths; /* [count] of inputs */
    size_t count;
    const char *output; /* NULL: standard output */
    int top;            /* 0: not given */
    bool probabilities;
    bool force;
    const char *unknown; /* what becomes of values that the training data have not; NULL: not given */
};

/* Whether an input is what comes through a pipe. */
static bool is_piped(const char *path)
{
    return strcmp(path, "-") == 0;
}

/* Local. All inputs; but rows that come through a pipe, where answers can be given before the last of them is there.
 * The caller closes those that were opened. */
static bool open_inputs(const struct request *request, const struct trained *trained, struct dataset *inputs,
                        struct error *error)
{
    const struct dataset_spec *like = &trained->job.data.train;
    const struct description *about = &trained->saved.about;
    const struct answer_file_options options = {.path = request->output};
    for (size_t i = 0; i < request->count; i++) {
        struct row_stream all = {.all = true};
        bool flows = is_piped(request->paths[i]) && answer_file_flows(&options), ok = true;
        if (is_piped(request->paths[i]) && !flows)
            ok = dataset_open_rows(&inputs[i], &all, like, about, error);
        else if (!flows)
            ok = dataset_open_inputs(&inputs[i], request->paths[i], like, about, error);
        row_stream_release(&all);
        if (!ok)
            return false;
    }
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

struct answering {
    const struct request *request;
    struct trained *trained;
    const struct predict_form *form;
    struct dataset *inputs; /* [count]; of rows that flow those that are answered */
    struct answer_file file;
};

/* Whether any input has names for its samples. */
static bool names_samples(const struct dataset *inputs, size_t count)
{
    bool found = false;
    for (size_t i = 0; !found && i < count; i++) {
        char *name = inputs[i].count > 0 ? dataset_name_of(&inputs[i], 0) : NULL;
        found = name;
        memory_free(name);
    }
    return found;
}

/* Collective over world. */
static bool answer_input(const struct world *world, struct answering *answering, const struct dataset *input,
                         struct error *error)
{
    const struct predict_sink sink = {.take = answer_file_take, .context = &answering->file};
    answer_file_input(&answering->file, input);
    return predict(world, answering->trained, answering->form, input, &sink, error);
}

/* Local: the only rank. Rows are answered as they come; no more are kept than are there. */
static bool answer_rows(const struct world *world, struct answering *answering, struct dataset *rows,
                        struct error *error)
{
    const struct dataset_spec *like = &answering->trained->job.data.train;
    struct row_stream stream = {.all = false};
    bool ok;
    while ((ok = dataset_open_rows(rows, &stream, like, &answering->trained->saved.about, error)) && rows->count > 0) {
        ok = answer_input(world, answering, rows, error) && answer_file_flush(&answering->file, error);
        dataset_close(rows);
        if (!ok)
            break;
    }
    row_stream_release(&stream);
    return ok;
}

/* Collective over world. */
static bool answer_all(const struct world *world, struct answering *answering, struct error *error)
{
    bool ok = true;
    for (size_t i = 0; ok && i < answering->request->count; i++) {
        struct dataset *input = &answering->inputs[i];
        ok = input->count > 0 ? answer_input(world, answering, input, error)
                              : answer_rows(world, answering, input, error);
    }
    return ok;
}

/* Collective over world. */
static bool answer(const struct world *world, const struct request *request, struct trained *trained,
                   const struct predict_form *form, struct dataset *inputs, struct error *error)
{
    struct answer_file_options options = {
        .path = request->output, .names_samples = names_samples(inputs, request->count), .top = (size_t)request->top};
    for (size_t i = 0; i < request->count; i++)
        options.samples += inputs[i].count;
    struct answering answering = {request, trained, form, inputs, {.hidden.descriptor = -1}};
    struct answer_file *file = &answering.file;
    bool is_root = world->rank == 0;
    bool ok = !is_root || answer_file_begin(file, &options, form, &trained->saved.about, error);
    ok = world_agree(world, ok, error) && answer_all(world, &answering, error) &&
         unchanged_inputs_agree(world, inputs, request->count, error) &&
         world_agree(world, !is_root || answer_file_commit(file, error), error);
    if (ok && is_root && request->output)
        say("%s: answers to %zu sample%s\n", request->output, file->answered, plural(file->answered));
    answer_file_release(file);
    return ok;
}

/* Local. Which of its run's checkpoints answers, and which is that of the best validation. */
static void tell_checkpoint(const struct request *request, const struct trained *trained)
{
    char best[PATH_MAX + 8], path[PATH_MAX];
    struct stat info;
    struct error ignored;
    uint64_t step;
    if (stat(request->word, &info) || !S_ISDIR(info.st_mode)) /* the user has named it */
        return;
    snprintf(best, sizeof best, "%s@best", request->word);
    say_error("lockstep: step %" PRIu64 " of %s", trained->step, request->word);
    if (locate_checkpoint(best, path, &ignored) && store_is_name(path, &step) && step != trained->step)
        say_error("; %s is step %" PRIu64, best, step);
    say_error("\n");
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
    ok = world_agree(world, ok, error);
    if (ok && world->rank == 0)
        tell_checkpoint(request, &trained);
    ok = ok && answer(world, request, &trained, &form, inputs, error);
    for (size_t i = 0; i < request->count; i++)
        dataset_close(&inputs[i]);
    memory_free(inputs);
    trained_close(&trained);
    return ok;
}

static int run(int count, char **words)
{
    const char **overrides = memory_need((size_t)count + 1, sizeof *overrides);
    struct request request = {.options.overrides = overrides};
    const struct flag flags[] = {{.name = "-o", .value = &request.output},
                                 {.name = "--output", .value = &request.output},
                                 {.name = "--top", .number = &request.top, .least = 1},
                                 {.name = "--probabilities", .given = &request.probabilities},
                                 {.name = "--ema", .given = &request.options.averaged},
                                 {.name = "--unknown", .value = &request.unknown},
                                 {.name = "--force", .given = &request.force},
                                 {.name = "--set", .list = overrides, .length = &request.options.count},
                                 {0}};
    struct error error;
    int code = 0;
    if (!flags_parse(flags, (struct flag_files){"a checkpoint and inputs", 2, count}, &count, words, &error)) {
        code = command_misused(&command_predict, "%s", error.text);
    } else if (request.unknown && strcmp(request.unknown, "none") != 0) {
        code = command_misused(&command_predict, "--unknown %s: not understood; there is none", request.unknown);
    } else {
        if (request.unknown)
            overrides[request.options.count++] = "data.train.unknown=none";
        request.word = words[0];
        request.paths = (const char *const *)words + 1;
        request.count = (size_t)count - 1;
        request.output = request.output && strcmp(request.output, "-") == 0 ? NULL : request.output;
        code = together(work, &request);
    }
    memory_free(overrides);
    return code;
}

const struct command command_predict = {
    .name = "predict",
    .usage =
        "lockstep predict CHECKPOINT INPUT...|- [-o FILE.csv|FILE.npy|FILE.h5 [--force]] [--top N] "
        "[--probabilities] [--unknown none] [--ema] [--set key.path=value]...   what the model says of inputs without "
        "answers; also under mpirun",
    .run = run,
    .parallel = true,
};
