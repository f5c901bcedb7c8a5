#include "base/hidden_file.h"
#include "base/memory.h"
#include "base/plural.h"
#include "base/say.h"
#include "checkpoint/locate.h"
#include "cli/command.h"
#include "cli/flags.h"
#include "cli/output.h"
#include "data/labels.h"
#include "export/c_source.h"
#include "export/onnx.h"
#include "h5/h5.h"
#include "use/saved_model.h"
#include "weights/convert.h"
#include "weights/torch_program.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* What --format names. */
struct target {
    const char *name;
    const struct weights_format *format; /* NULL: no weights, but the model as a whole: */
    bool (*write)(const struct export_request *model, struct text *file, struct error *error);
    const char *suffix; /* of its files */
    /* Its own names and layouts, which depend on the model; NULL: the tensors as they are, or a GPT-2's. */
    bool (*layout)(struct layout *layout, const struct model *model, struct text *modules, struct error *error);
    bool has_names;   /* --names says which, ours or a GPT-2's */
    bool has_softmax; /* --softmax means something */
    bool has_prepare; /* --prepare does */
};

static bool layout_for_keras(struct layout *layout, const struct model *model, struct text *modules,
                             struct error *error)
{
    (void)modules;
    return layout_keras(layout, model, error);
}

static const struct target targets[] = {
    {.name = "safetensors", .format = &weights_safetensors, .has_names = true},
    {.name = "npz", .format = &weights_npz, .has_names = true},
    {.name = "keras", .format = &weights_keras, .layout = layout_for_keras},
    {.name = "weights", .format = &weights_lockstep},
    {.name = "torch", .format = &weights_safetensors, .layout = layout_torch, .has_softmax = true},
    {.name = "c", .write = c_source, .suffix = ".c", .has_softmax = true, .has_prepare = true},
    {.name = "onnx", .write = onnx_model, .suffix = ".onnx", .has_softmax = true, .has_prepare = true},
};
#define TARGETS (sizeof targets / sizeof *targets)

struct request {
    const char *word, *target_name, *output, *names;
    char file[PATH_MAX];    /* that the word means */
    const char **overrides; /* of the job in the file */
    size_t override_count;
    bool averaged, force, softmax, prepare;
    const struct target *target;
    char name[LOCATE_NAME + 16]; /* of the output, if none was given */
    struct text modules;         /* of PyTorch */
};

static bool find_target(struct request *request, struct error *error)
{
    struct text names;
    text_init(&names);
    for (size_t t = 0; t < TARGETS; t++) {
        text_append(&names, "%s%s", t > 0 ? ", " : "", targets[t].name);
        if (request->target_name && strcmp(targets[t].name, request->target_name) == 0)
            request->target = &targets[t];
    }
    if (!request->target)
        error_set(error, ERROR_USAGE, "--format %s: wanted is one of %s",
                  request->target_name ? request->target_name : "(not given)", text_bytes(&names));
    text_release(&names);
    return request->target != NULL;
}

static bool check_flags(const struct request *request, struct error *error)
{
    const struct target *target = request->target;
    if (request->names && !target->has_names)
        return error_set(error, ERROR_USAGE, "--names goes with safetensors and npz: %s has its own", target->name);
    if (request->names && strcmp(request->names, "lockstep") != 0 && strcmp(request->names, "gpt2") != 0)
        return error_set(error, ERROR_USAGE, "--names %s: wanted is lockstep or gpt2", request->names);
    if (request->prepare && !target->has_prepare)
        return error_set(error, ERROR_USAGE, "--prepare goes with c and onnx: %s holds no operations", target->name);
    return !request->softmax || target->has_softmax ||
           error_set(error, ERROR_USAGE, "--softmax goes with a model; %s holds weights alone", target->name);
}

/* Who uses the model elsewhere has to know. */
static void tell_prepared(const struct request *request)
{
    say_error("lockstep: warning: %s was trained on numbers that were prepared (its attribute `data`): %s\n",
              request->file,
              request->target->has_prepare ? "with --prepare the file does that itself"
                                           : "c and onnx can do that themselves (--prepare)");
}

/* What is there is not replaced by accident, and never while it is being read. */
static bool check_output(struct request *request, uint64_t step, struct error *error)
{
    if (!request->output) {
        locate_name(request->word, request->file, step, request->name);
        size_t length = strlen(request->name);
        snprintf(request->name + length, sizeof request->name - length, "%s",
                 request->target->format ? request->target->format->suffix : request->target->suffix);
        request->output = request->name;
    }
    return output_check(request->output, (const char *const[]){request->file, NULL}, request->force, error);
}

/* The layout that the output wants; count 0: the tensors as they are. */
static bool choose_layout(struct request *request, const struct model *model, struct layout *layout,
                          struct error *error)
{
    bool wants_gpt2 = request->names && strcmp(request->names, "gpt2") == 0;
    if (request->target->layout)
        return request->target->layout(layout, model, &request->modules, error);
    return layout_gpt2(layout, model) || !wants_gpt2 ||
           error_set(error, ERROR_USAGE,
                     "--names gpt2: the model has not the layers of GPT-2 (embedding, position_embedding, causal "
                     "transformer, layer_norm, lm_head without bias)");
}

/* Whether the model has to be known: for layouts of its own, and whether it is a GPT-2. */
static bool needs_model(const struct request *request, const struct job *job)
{
    if (!request->target->has_names)
        return request->target->layout != NULL;
    if (request->names && strcmp(request->names, "lockstep") == 0)
        return false;
    return request->names || job->data.train.class->form;
}

static bool convert_model(struct request *request, const struct weights_file *file, const struct job *job,
                          struct weights *out, const char **names, struct error *error)
{
    struct saved_model opened;
    struct layout layout = {0};
    if (!saved_model_open(&opened, file, job, request->overrides, request->override_count, error))
        return false;
    bool ok = choose_layout(request, &opened.model, &layout, error) &&
              (!request->softmax || torch_softmax(&opened.model, &request->modules, error));
    *names = layout.name ? layout.name : *names;
    if (ok)
        ok = layout.count == 0 ? convert_copy(file, out, error) : convert_layout(&opened.match, &layout, out, error);
    layout_release(&layout);
    saved_model_close(&opened);
    return ok;
}

static void print(const struct request *request, const struct weights *weights, const char *names)
{
    size_t floats = 0;
    for (size_t i = 0; i < weights->count; i++)
        floats += weights->tensors[i].count;
    say("%s: %s, %zu tensor%s, %zu floats, names of %s, step %" PRIu64 "%s%s%s\n", request->output,
        request->target->name, weights->count, plural(weights->count), floats, names, weights->step,
        *weights->fingerprint ? ", of " : "", weights->fingerprint, request->averaged ? ", averaged" : "");
}

/* What makes the model of the file. */
static void print_program(const struct request *request)
{
    struct text program;
    text_init(&program);
    torch_program(&request->modules, request->output, &program);
    for (const char *line = text_bytes(&program); *line; line += strcspn(line, "\n") + 1)
        say("%.*s\n", (int)strcspn(line, "\n"), line);
    text_release(&program);
}

/* Whether the format has made other numbers of its inputs. */
static bool is_normalised(const struct description *about)
{
    return about->std > 0 && (about->mean != 0 || about->std != 1);
}

static bool is_prepared(const struct description *about)
{
    return about->input_standard.columns > 0 || about->target_standard.columns > 0 || is_normalised(about);
}

static bool has_preparation(const struct weights *weights)
{
    struct description about;
    struct error ignored;
    if (!weights->data || !description_read(&about, weights->data, &ignored))
        return false;
    bool is = is_prepared(&about);
    description_release(&about);
    return is;
}

/* Named tensors, by the names and layouts of the target. */
static bool write_weights(struct request *request, const struct weights_file *file, const struct job *job,
                          struct error *error)
{
    const struct weights *from = &file->weights;
    const char *names = "lockstep";
    struct weights out;
    weights_init(&out);
    out.step = from->step;
    out.job = memory_text(from->job);
    out.vocabulary = from->vocabulary ? memory_text(from->vocabulary) : NULL;
    out.data = from->data ? memory_text(from->data) : NULL;
    memcpy(out.fingerprint, from->fingerprint, sizeof out.fingerprint);
    bool ok = (needs_model(request, job) ? convert_model(request, file, job, &out, &names, error)
                                         : convert_copy(file, &out, error)) &&
              weights_write(request->target->format, request->output, &out, error);
    if (ok)
        print(request, &out, names);
    if (ok && has_preparation(&out))
        tell_prepared(request);
    if (ok && request->modules.length > 0)
        print_program(request);
    weights_release(&out);
    return ok;
}

static struct export_standard standard_of(const struct standard *standard, size_t outer, size_t inner)
{
    return (struct export_standard){outer, standard->columns, inner, standard->mean, standard->scale};
}

/* Both preparations of the inputs as one: the format's (x - m) / s, and the standard of that. The caller releases it.
 */
static void join_preparations(const struct description *about, struct standard *joined)
{
    const struct standard *standard = &about->input_standard;
    bool normalised = is_normalised(about), any = standard->columns > 0;
    size_t outer, inner, columns = any ? standard->columns : normalised ? 1 : 0;
    double m = normalised ? about->mean : 0, s = normalised ? about->std : 1;
    standard_lie(&about->form.input, &outer, &inner);
    standard_init(joined, columns);
    for (size_t c = 0; c < columns; c++) {
        double mean = any ? (double)standard->mean[c] : 0, scale = any ? (double)standard->scale[c] : 1;
        if (!standard_set(joined, c, (float)(m + s * mean), (float)(s * scale)))
            standard_leave(joined, c);
    }
}

/* The file takes and gives what is in the data. */
static void prepare(const struct description *about, const struct standard *joined, struct export_request *model)
{
    size_t outer, inner;
    standard_lie(&about->form.input, &outer, &inner);
    if (about->input_standard.columns == 0) { /* one column for all */
        outer = 1;
        inner = shape_count(&about->form.input);
    }
    model->inputs = standard_of(joined, outer, inner);
    model->targets = standard_of(&about->target_standard, 1, 1);
}

static void describe(const struct request *request, const struct weights *weights, const struct job *job,
                     struct text *origin)
{
    text_append(origin, "run %s, step %" PRIu64, job->run, weights->step);
    if (*weights->fingerprint)
        text_append(origin, ", fingerprint %s", weights->fingerprint);
    text_append(origin, "%s", request->averaged ? ", averaged weights" : "");
}

/* The output's, without folders and what stands behind the first point. */
static void name_model(const char *output, struct text *name)
{
    const char *slash = strrchr(output, '/');
    const char *begin = slash ? slash + 1 : output;
    text_append(name, "%.*s", (int)strcspn(begin, "."), begin);
}

/* What the file tells of names. */
struct naming {
    struct labels labels[LABEL_KINDS];
    struct export_names names[LABEL_KINDS]; /* the same */
};

static void name_numbers(const struct description *about, struct naming *naming)
{
    for (enum label_kind kind = 0; kind < LABEL_KINDS; kind++) {
        struct labels *labels = &naming->labels[kind];
        labels_init(labels, about, kind);
        naming->names[kind] = (struct export_names){label_words[kind], labels->names, labels->count};
    }
}

static void release_naming(struct naming *naming)
{
    for (enum label_kind kind = 0; kind < LABEL_KINDS; kind++)
        labels_release(&naming->labels[kind]);
}

/* The model as a whole, with its weights. */
static bool write_model(struct request *request, const struct weights_file *file, const struct job *job,
                        struct error *error)
{
    struct saved_model opened;
    struct naming naming;
    struct text origin, name, bytes;
    if (!saved_model_open(&opened, file, job, request->overrides, request->override_count, error))
        return false;
    text_init(&origin);
    text_init(&name);
    text_init(&bytes);
    describe(request, &file->weights, job, &origin);
    name_model(request->output, &name);
    float *params = saved_model_load(&opened, error);
    name_numbers(&opened.about, &naming);
    struct export_request model = {.model = &opened.model,
                                   .params = params,
                                   .softmax = request->softmax,
                                   .names = naming.names,
                                   .name_lists = LABEL_KINDS,
                                   .name = text_bytes(&name),
                                   .origin = text_bytes(&origin)};
    struct standard joined;
    join_preparations(&opened.about, &joined);
    if (request->prepare)
        prepare(&opened.about, &joined, &model);
    bool ok = params && request->target->write(&model, &bytes, error) &&
              hidden_file_write(request->output, bytes.bytes, bytes.length, error);
    if (ok)
        say("%s: %s, %zu floats, %s\n", request->output, request->target->name,
            tensor_table_elements(&opened.model.table, true), text_bytes(&origin));
    if (ok && !request->prepare && is_prepared(&opened.about))
        tell_prepared(request);
    release_naming(&naming);
    memory_free(params);
    standard_release(&joined);
    text_release(&origin);
    text_release(&name);
    text_release(&bytes);
    saved_model_close(&opened);
    return ok;
}

static bool write_output(struct request *request, const struct weights_file *file, struct error *error)
{
    struct job job;
    if (!file->weights.job || !*file->weights.job)
        return error_set(error, ERROR_USAGE,
                         "%s is neither a checkpoint nor a weights file of lockstep: make it one with lockstep import",
                         file->path);
    if (!job_parse_saved(&job, "the file's job", file->weights.job, request->overrides, request->override_count, error))
        return error_prefix(error, "%s: ", file->path);
    bool ok = output_check_data(request->output, &job.data.train, error) &&
              (request->target->format ? write_weights : write_model)(request, file, &job, error);
    job_release(&job);
    return ok;
}

static bool export(struct request *request, struct error *error)
{
    struct weights_file file;
    if (!find_target(request, error) || !check_flags(request, error) ||
        !locate_checkpoint(request->word, request->file, error))
        return false;
    if (!weights_open(&file, request->file, request->averaged, error)) {
        locate_older(request->word, request->file, error);
        return false;
    }
    bool ok = check_output(request, file.weights.step, error) && write_output(request, &file, error);
    weights_close(&file);
    return ok;
}

static int run(int count, char **words)
{
    struct request request = {.overrides = memory_need((size_t)count, sizeof *request.overrides)};
    const struct flag flags[] = {{.name = "--format", .value = &request.target_name},
                                 {.name = "-o", .value = &request.output},
                                 {.name = "--output", .value = &request.output},
                                 {.name = "--names", .value = &request.names},
                                 {.name = "--softmax", .given = &request.softmax},
                                 {.name = "--prepare", .given = &request.prepare},
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
    text_release(&request.modules);
    memory_free(request.overrides);
    return code;
}

const struct command command_export = {
    .name = "export",
    .usage =
        "lockstep export CHECKPOINT --format safetensors|npz|keras|torch|c|onnx|weights [-o FILE [--force]] [--ema] "
        "[--names lockstep|gpt2] [--softmax] [--prepare] [--set key.path=value]...   the weights, for other programs",
    .run = run,
    .acts = true,
};
