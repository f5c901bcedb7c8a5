#include "base/memory.h"
#include "base/say.h"
#include "checkpoint/locate.h"
#include "cli/command.h"
#include "cli/flags.h"
#include "cli/output.h"
#include "h5/h5.h"
#include "job/job_model.h"
#include "weights/convert.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct request {
    const char *word, *format_name, *output, *names;
    char file[PATH_MAX];    /* that the word means */
    const char **overrides; /* of the job in the file */
    size_t override_count;
    bool averaged, force;
    const struct weights_format *format;
    char name[LOCATE_NAME + 16]; /* of the output, if none was given */
};

static bool find_format(struct request *request, struct error *error)
{
    for (size_t f = 0; request->format_name && weights_formats[f]; f++)
        if (strcmp(weights_formats[f]->name, request->format_name) == 0)
            request->format = weights_formats[f];
    bool has_names = request->format == &weights_safetensors || request->format == &weights_npz;
    if (!request->format)
        return error_set(error, ERROR_USAGE, "--format %s: wanted is one of safetensors, npz, keras, weights",
                         request->format_name ? request->format_name : "(not given)");
    if (request->names && !has_names)
        return error_set(error, ERROR_USAGE, "--names goes with safetensors and npz: %s has its own",
                         request->format->name);
    if (request->names && strcmp(request->names, "lockstep") != 0 && strcmp(request->names, "gpt2") != 0)
        return error_set(error, ERROR_USAGE, "--names %s: wanted is lockstep or gpt2", request->names);
    return true;
}

/* What is there is not replaced by accident, and never while it is being read. */
static bool check_output(struct request *request, uint64_t step, struct error *error)
{
    if (!request->output) {
        locate_name(request->word, request->file, step, request->name);
        strcat(request->name, request->format->suffix);
        request->output = request->name;
    }
    return output_check(request->output, (const char *const[]){request->file, NULL}, request->force, error);
}

/* The layout that the output wants; count 0: the tensors as they are. */
static bool choose_layout(const struct request *request, const struct model *model, struct layout *layout,
                          struct error *error)
{
    bool wants_gpt2 = request->names && strcmp(request->names, "gpt2") == 0;
    if (request->format == &weights_keras)
        return layout_keras(layout, model, error);
    return layout_gpt2(layout, model) || !wants_gpt2 ||
           error_set(error, ERROR_USAGE,
                     "--names gpt2: the model has not the layers of GPT-2 (embedding, position_embedding, causal "
                     "transformer, layer_norm, lm_head without bias)");
}

/* Whether the model has to be known: Keras' layouts depend on it, and whether it is a GPT-2. */
static bool needs_model(const struct request *request, const struct job *job)
{
    if (request->format == &weights_keras)
        return true;
    if (request->format == &weights_lockstep || (request->names && strcmp(request->names, "lockstep") == 0))
        return false;
    return request->names || job->data.train.class->form;
}

/* Whether the user has said what this key of the job is: itself, or all of a section that it is in. */
static bool is_said(const struct request *request, const char *key)
{
    for (size_t i = 0; i < request->override_count; i++) {
        size_t length = strcspn(request->overrides[i], "=");
        if (strncmp(request->overrides[i], key, length) == 0 && (key[length] == '\0' || key[length] == '.'))
            return true;
    }
    return false;
}

/* A file is only opened if the user names it. The job in a checkpoint is whoever's words, and may name any file of this
 * machine. */
static bool check_data(const struct request *request, const struct weights_file *file, const struct job *job,
                       struct error *error)
{
    const struct dataset_spec *data = &job->data.train;
    struct option_keys keys;
    option_keys_of(dataset_rows, (struct dataset_spec *)data, &keys);
    bool is_known = job_model_is_known(job, file->weights.vocabulary);
    for (size_t k = 0; !is_known && k < keys.count; k++) {
        const char *input = option_input(&keys.keys[k]);
        char name[64];
        snprintf(name, sizeof name, "data.train.%s", keys.keys[k].option->name);
        if (input && !is_said(request, name))
            return error_set(error, ERROR_USAGE,
                             "%s: what the samples are is to be seen in the data alone, and its own job's word for "
                             "where they are is not taken: say it, with --set %s=... (there: %.200s)",
                             file->path, name, input);
    }
    return true;
}

static bool convert_model(const struct request *request, const struct weights_file *file, const struct job *job,
                          struct weights *out, const char **names, struct error *error)
{
    struct model model;
    struct layout layout = {0};
    struct match match;
    char *vocabulary;
    if (!check_data(request, file, job, error))
        return false;
    if (!job_model_describe(job, file->weights.vocabulary, &model, &vocabulary, error))
        return error_prefix(error, "%s: the model that its job describes: ", file->path);
    bool ok = choose_layout(request, &model, &layout, error);
    *names = layout.name ? layout.name : *names;
    if (ok && layout.count == 0) {
        ok = convert_copy(file, out, error);
    } else if (ok && (ok = match_init(&match, file, &model, NULL, error))) {
        ok = match_check(&match, false, error) && convert_layout(&match, &layout, out, error);
        match_release(&match);
    }
    layout_release(&layout);
    model_release(&model);
    memory_free(vocabulary);
    return ok;
}

static bool convert(const struct request *request, const struct weights_file *file, struct weights *out,
                    const char **names, struct error *error)
{
    const struct weights *from = &file->weights;
    struct job job;
    if (!from->job || !*from->job)
        return error_set(error, ERROR_USAGE,
                         "%s is neither a checkpoint nor a weights file of lockstep: make it one with lockstep import",
                         file->path);
    if (!job_parse_saved(&job, "the file's job", from->job, request->overrides, request->override_count, error))
        return error_prefix(error, "%s: ", file->path);
    out->step = from->step;
    out->job = memory_text(from->job);
    out->vocabulary = from->vocabulary ? memory_text(from->vocabulary) : NULL;
    memcpy(out->fingerprint, from->fingerprint, sizeof out->fingerprint);
    bool ok = output_check_data(request->output, &job.data.train, error) &&
              (needs_model(request, &job) ? convert_model(request, file, &job, out, names, error)
                                          : convert_copy(file, out, error));
    job_release(&job);
    return ok;
}

static void print(const struct request *request, const struct weights *weights, const char *names)
{
    size_t floats = 0;
    for (size_t i = 0; i < weights->count; i++)
        floats += weights->tensors[i].count;
    say("%s: %s, %zu tensors, %zu floats, names of %s, step %" PRIu64 "%s%s%s\n", request->output,
        request->format->name, weights->count, floats, names, weights->step, *weights->fingerprint ? ", of " : "",
        weights->fingerprint, request->averaged ? ", averaged" : "");
}

static bool export(struct request *request, struct error *error)
{
    struct weights_file file;
    struct weights out;
    const char *names = "lockstep";
    if (!find_format(request, error) || !locate_checkpoint(request->word, request->file, error) ||
        !weights_open(&file, request->file, request->averaged, error))
        return false;
    weights_init(&out);
    bool ok = check_output(request, file.weights.step, error) && convert(request, &file, &out, &names, error) &&
              weights_write(request->format, request->output, &out, error);
    if (ok)
        print(request, &out, names);
    weights_release(&out);
    weights_close(&file);
    return ok;
}

static int run(int count, char **words)
{
    struct request request = {.overrides = memory_need((size_t)count, sizeof *request.overrides)};
    const struct flag flags[] = {{.name = "--format", .value = &request.format_name},
                                 {.name = "--output", .value = &request.output},
                                 {.name = "--names", .value = &request.names},
                                 {.name = "--ema", .given = &request.averaged},
                                 {.name = "--force", .given = &request.force},
                                 {.name = "--set", .list = request.overrides, .length = &request.override_count},
                                 {0}};
    struct error error;
    int code = EXIT_FINISHED;
    h5_init();
    if (flags_parse(flags, (struct flag_files){"a checkpoint", 1, 1}, &count, words, &error)) {
        request.word = words[0];
        if (!export(&request, &error))
            code = command_fail(&error);
    } else {
        code = command_misused(&command_export, "%s", error.text);
    }
    h5_release();
    memory_free(request.overrides);
    return code;
}

const struct command command_export = {
    .name = "export",
    .usage = "lockstep export CHECKPOINT --format safetensors|npz|keras|weights [--output FILE [--force]] [--ema] "
             "[--names lockstep|gpt2] [--set key.path=value]...   the weights, for other programs",
    .run = run,
    .acts = true,
};
