/* Data of any format as a file that is read fastest: contiguous HDF5, or tokens. */
#include "base/memory.h"
#include "base/say.h"
#include "cli/command.h"
#include "cli/data_given.h"
#include "cli/flags.h"
#include "cli/output.h"
#include "cli/together.h"
#include "use/conversion.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct request {
    const char *const *paths; /* [count] of data, or one of a job */
    size_t count;
    const char *output;
    const char *format; /* NULL: the file tells */
    const char *which;  /* of a job's datasets; NULL: train */
    const char **overrides;
    size_t override_count;
    bool force;
};

static bool ends_with(const char *path, const char *suffix)
{
    size_t length = strlen(path), end = strlen(suffix);
    return length > end && strcmp(path + length - end, suffix) == 0;
}

static bool names_job(const struct request *request)
{
    return request->count == 1 && (ends_with(request->paths[0], ".yaml") || ends_with(request->paths[0], ".yml"));
}

/* ---- which data ---- */

/* Local. What --set says, of the keys of data.train. The caller owns the list and its texts. */
static char **prefix_overrides(const struct request *request)
{
    char **overrides = memory_need(request->override_count, sizeof *overrides);
    for (size_t i = 0; i < request->override_count; i++) {
        struct text key;
        text_init(&key);
        text_append(&key, "data.train.%s", request->overrides[i]);
        overrides[i] = key.bytes;
    }
    return overrides;
}

/* Local. A job for the files, as `lockstep data` proposes it. */
static bool find_job(const struct request *request, struct job *job, struct error *error)
{
    const struct dataset_class *class = data_given_class(request->format, request->paths[0], error);
    if (!class)
        return false;
    size_t most = class->survey_most ? class->survey_most : 1;
    if (request->count > most)
        return error_set(error, ERROR_USAGE, "%s: too much; format %s has %zu file%s, or a pattern in quotes",
                         request->paths[most], class->kind.name, most, most > 1 ? "s" : "");
    struct survey survey;
    char **overrides = prefix_overrides(request);
    survey_init(&survey);
    bool ok = class->survey(request->paths, request->count, &survey, error) &&
              data_given_job(job, class, text_bytes(&survey.keys), (const char *const *)overrides,
                             request->override_count, error);
    survey_release(&survey);
    for (size_t i = 0; i < request->override_count; i++)
        memory_free(overrides[i]);
    memory_free(overrides);
    return ok;
}

static bool take_job(const struct request *request, struct job *job, struct error *error)
{
    if (names_job(request))
        return job_read(job, request->paths[0], request->overrides, request->override_count, error);
    return find_job(request, job, error);
}

/* NULL with an error: the job has none of this name. */
static const struct dataset_spec *find_data(const struct request *request, const struct job *job, struct error *error)
{
    const struct {
        const char *name;
        const struct dataset_spec *spec;
    } all[] = {{"train", &job->data.train}, {"validation", &job->data.validation}, {"test", &job->data.test}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (strcmp(all[i].name, request->which ? request->which : "train") == 0 && all[i].spec->class)
            return all[i].spec;
    error_set(error, ERROR_USAGE, "--data %s: the job has no such data; there may be train, validation and test%s",
              request->which,
              job->data.split.validation > 0
                  ? "; the share that data.split takes is in data.train, all of which is converted"
                  : "");
    return NULL;
}

/* ---- converting ---- */

/* Local. Whether the output may be written. */
static bool check_output(const struct request *request, const struct dataset_spec *data, struct error *error)
{
    for (size_t i = 0; i < request->count; i++) {
        const char *const inputs[] = {request->paths[i], NULL};
        if (!output_check(request->output, inputs, request->force, error))
            return false;
    }
    return output_check_data(request->output, data, error);
}

struct opened {
    struct job job;
    struct dataset train, other; /* other: of validation or test; count 0: it is train that is wanted */
    struct conversion_source source;
};

static bool keeps_chunks(const struct opened *opened)
{
    return opened->source.is_train && opened->job.data.shuffle == SHUFFLE_CHUNKS;
}

/* Local. Into the chunks that an order keeps to, which will not lie in the file any more. */
static bool cut(struct opened *opened, struct error *error)
{
    bool keeps = keeps_chunks(opened);
    if (!keeps && !(opened->source.is_train && dataset_has_chunks(&opened->train)))
        return true;
    return dataset_cut(&opened->train, opened->job.data.shuffle_chunk, error) || !keeps ||
           error_prefix(error, "data.shuffle: ");
}

/* Local. Validation data need the training data beside them, for its classes or characters. */
static bool open_data(const struct request *request, struct opened *opened, struct error *error)
{
    if (!take_job(request, &opened->job, error))
        return false;
    const struct dataset_spec *data = find_data(request, &opened->job, error);
    if (!data || !check_output(request, data, error) ||
        !dataset_open(&opened->train, &opened->job.data.train, NULL, error))
        return false;
    bool is_train = data == &opened->job.data.train;
    opened->source = (struct conversion_source){is_train ? &opened->train : &opened->other, is_train};
    return (is_train || dataset_open(&opened->other, data, &opened->train.about, error)) &&
           conversion_check(opened->source.dataset, request->output, error) && cut(opened, error);
}

/* In what a job that learns from the file may differ. */
static void warn(const struct opened *opened, uint64_t even)
{
    const struct description *train = &opened->train.about;
    bool has_categories = false;
    for (size_t i = 0; i < train->input_count; i++)
        has_categories |= train->inputs[i].is_category;
    if (has_categories)
        say_error("lockstep: warning: columns of categories are stored as ones and zeros, which standardise and "
                  "augment.noise take as numbers\n");
    if (keeps_chunks(opened) && even == 0)
        say_error(
            "lockstep: warning: chunks of data.train differ in length, and those of what was written do not: with "
            "shuffle: chunks the order of samples is another one, and so is what split takes\n");
}

/* The line of a job, with the chunks that its order keeps to. */
static void print(const struct opened *opened, const struct survey *survey)
{
    uint64_t even = chunks_even(&opened->train.share.chunks);
    char order[64] = "";
    if (even > 0)
        snprintf(order, sizeof order, "shuffle: chunks, shuffle_chunk: %" PRIu64, even);
    bool keeps = keeps_chunks(opened) && even > 0;
    say("# %.*s\n", (int)strcspn(text_bytes(&survey->facts), "\n"), text_bytes(&survey->facts));
    if (even > 0 && !keeps)
        say("# a job with shuffle: chunks has the same order with %s\n", order);
    say("data: {train: {format: %s%s}%s%s}\n", opened->source.dataset->about.form.vocabulary > 0 ? "tokens" : "hdf5",
        text_bytes(&survey->keys), keeps ? ", " : "", keeps ? order : "");
    warn(opened, even);
}

/* Collective over world. */
static bool convert(const struct world *world, const struct request *request, const struct opened *opened,
                    struct error *error)
{
    const struct dataset *dataset = opened->source.dataset;
    struct survey survey;
    uint64_t digest = world_share_number(world, dataset->digest);
    bool ok = digest == dataset->digest || error_set(error, ERROR_USAGE, "the data are others than on rank 0");
    if (!world_agree(world, ok, error))
        return false;
    survey_init(&survey);
    ok = conversion_run(world, &opened->source, request->output, &survey, error);
    if (ok && world->rank == 0)
        print(opened, &survey);
    survey_release(&survey);
    return ok;
}

/* Collective over world. */
static bool work(const struct world *world, void *context, struct error *error)
{
    const struct request *request = context;
    struct opened opened = {.source.is_train = false};
    bool ok = world_agree(world, open_data(request, &opened, error), error) && convert(world, request, &opened, error);
    dataset_close(&opened.other);
    dataset_close(&opened.train);
    job_release(&opened.job);
    return ok;
}

static int run(int count, char **words)
{
    struct request request = {.overrides = memory_need((size_t)count, sizeof *request.overrides)};
    const struct flag flags[] = {{.name = "-o", .value = &request.output},
                                 {.name = "--output", .value = &request.output},
                                 {.name = "--format", .value = &request.format},
                                 {.name = "--data", .value = &request.which},
                                 {.name = "--set", .list = request.overrides, .length = &request.override_count},
                                 {.name = "--force", .given = &request.force},
                                 {0}};
    struct error error;
    int code;
    if (!flags_parse(flags, (struct flag_files){"files of data, or a job file,", 1, count}, &count, words, &error)) {
        code = command_misused(&command_convert, "%s", error.text);
    } else if (!request.output) {
        code = command_misused(&command_convert, "-o FILE.h5 is missing, or of tokens FILE.bin");
    } else {
        request.paths = (const char *const *)words;
        request.count = (size_t)count;
        code = together(work, &request);
    }
    memory_free(request.overrides);
    return code;
}

const struct command command_convert = {
    .name = "convert",
    .usage = "lockstep convert FILE... -o FILE.h5|FILE.bin [--format NAME] [--set key=value]... [--force]   data as "
             "contiguous HDF5, or a text as tokens; JOB.yaml [--data validation|test]: those of a job; also under "
             "mpirun",
    .run = run,
    .parallel = true,
    .acts = true,
};
