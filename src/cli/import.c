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
    const char *word, *job, *output;
    char file[PATH_MAX]; /* that the word means */
    const char **overrides;
    size_t override_count;
    bool partial, force;
};

static bool check_request(struct request *request, struct error *error)
{
    if (!request->job || !request->output)
        return error_set(error, ERROR_USAGE, "%s is missing", request->job ? "--output FILE" : "--job JOB.yaml");
    return locate_checkpoint(request->word, request->file, error) &&
           output_check(request->output, (const char *const[]){request->file, request->job, NULL}, request->force,
                        error);
}

static void print_names(const char *what, const struct text *names)
{
    for (const char *line = text_bytes(names); *line; line += strcspn(line, "\n") + 1)
        say("%s %.*s\n", what, (int)strcspn(line, "\n"), line);
}

static void describe(const struct job *job, const struct weights_file *file, const struct description *about,
                     struct weights *out)
{
    struct text words;
    text_init(&words);
    job_write(job, &words);
    out->job = memory_text(text_bytes(&words));
    text_release(&words);
    description_write(about, &words);
    out->data = memory_text(text_bytes(&words));
    text_release(&words);
    out->vocabulary = about->vocabulary ? memory_text(about->vocabulary) : NULL;
    out->step = file->weights.step;
    memcpy(out->fingerprint, file->weights.fingerprint, sizeof out->fingerprint);
}

static bool write_matched(const struct request *request, const struct match *match, struct weights *out,
                          struct error *error)
{
    struct layout layout;
    layout_lockstep(&layout, match->model);
    bool ok = match_check(match, request->partial, error) && convert_layout(match, &layout, out, error) &&
              weights_write(&weights_lockstep, request->output, out, error);
    if (ok) {
        weights_tell_lost(match->file);
        print_names("rows:", &match->rows);
        print_names("missing:", &match->missing);
        print_names("extra:", &match->extra);
        say("%s: weights, %zu of the model's %zu tensors, by %s of %s\n", request->output, out->count, layout.count,
            match->layout.in_order ? "the order of the modules" : "the names", match->layout.name);
    }
    layout_release(&layout);
    return ok;
}

static bool import_for(const struct request *request, const struct job *job, struct error *error)
{
    struct weights_file file;
    struct model model;
    struct match match;
    struct weights out;
    struct description about;
    if (!weights_open(&file, request->file, false, error)) {
        locate_older(request->word, request->file, error);
        return false;
    }
    weights_init(&out);
    bool ok = job_model_describe(job, (struct job_model_data){NULL, NULL}, &model, &about, error);
    if (ok) {
        describe(job, &file, &about, &out);
        ok = description_has_same_tokens(&about, file.weights.data, error) || error_prefix(error, "%s: ", file.path);
        if (ok && (ok = match_init(&match, &file, &model, about.vocabulary, error))) {
            match.seed = job->seed;
            ok = write_matched(request, &match, &out, error);
            match_release(&match);
        }
        model_release(&model);
        description_release(&about);
    }
    weights_release(&out);
    weights_close(&file);
    return ok;
}

static bool import(const struct request *request, struct error *error)
{
    struct job job;
    if (!job_read(&job, request->job, request->overrides, request->override_count, error))
        return false;
    bool ok = output_check_data(request->output, &job.data.train, error) &&
              output_check_data(request->output, &job.data.validation, error) &&
              output_check_data(request->output, &job.data.test, error) && import_for(request, &job, error);
    job_release(&job);
    return ok;
}

static int run(int count, char **words)
{
    struct request request = {.overrides = memory_need((size_t)count, sizeof *request.overrides)};
    const struct flag flags[] = {{.name = "--job", .value = &request.job},
                                 {.name = "-o", .value = &request.output},
                                 {.name = "--output", .value = &request.output},
                                 {.name = "--partial", .given = &request.partial},
                                 {.name = "--force", .given = &request.force},
                                 {.name = "--set", .list = request.overrides, .length = &request.override_count},
                                 {0}};
    struct error error;
    int code = EXIT_FINISHED;
    h5_init();
    if (flags_parse(flags, (struct flag_files){"a file", 1, 1}, &count, words, &error)) {
        request.word = words[0];
        if (!check_request(&request, &error) || !import(&request, &error))
            code = command_fail(&error);
    } else {
        code = command_misused(&command_import, "%s", error.text);
    }
    h5_release();
    memory_free(request.overrides);
    return code;
}

const struct command command_import = {
    .name = "import",
    .usage = "lockstep import FILE|CHECKPOINT --job JOB.yaml -o FILE [--partial] [--force] [--set key.path=value]...   "
             "weights of other programs, for train --init-from",
    .run = run,
    .acts = true,
};
