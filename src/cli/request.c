#include "cli/request.h"

#include "base/memory.h"
#include "cli/flags.h"

static bool read_train(struct request *request, int *count, char **words, struct error *error)
{
    struct session_options *options = &request->options;
    const char *stop_after = NULL;
    const struct flag flags[] = {
        {.name = "--set", .list = request->overrides, .length = &request->override_count},
        {.name = "--fresh", .given = &options->fresh},
        {.name = "--overwrite", .given = &options->overwrite},
        {.name = "--init-from", .value = &options->init_from},
        {.name = "--branch", .value = &options->branch},
        {.name = "--partial", .given = &options->partial},
        {.name = "--stop-after", .value = &stop_after},
        {.name = "--trace", .value = &options->trace},
        {.name = "--allow-change", .list = request->allowed, .length = &options->allowed.count},
        {.name = "--ranks-per-node", .number = &options->ranks_per_node, .least = 1},
        {.name = "--reread", .given = &request->reread},
        {.name = "--submitted", .value = &request->submitted},
        {0},
    };
    if (!flags_parse(flags, (struct flag_files){"a job file", 1, 1}, count, words, error))
        return error_prefix(error, "train: ");
    if (options->overwrite && !options->fresh)
        return error_set(error, ERROR_USAGE, "--overwrite goes with --fresh");
    if (options->partial && !options->init_from)
        return error_set(error, ERROR_USAGE, "--partial goes with --init-from");
    if (options->branch && (options->fresh || options->init_from))
        return error_set(error, ERROR_USAGE, "--branch goes on from a checkpoint, with all that is in it; %s %s",
                         options->fresh ? "--fresh" : "--init-from", "begins at step 0: give one of them");
    return (!stop_after || pause_parse(stop_after, &options->stop_after, error)) &&
           job_check_allowed(&options->allowed, error);
}

static bool read_summary(struct request *request, int *count, char **words, struct error *error)
{
    const struct flag flags[] = {
        {.name = "--set", .list = request->overrides, .length = &request->override_count},
        {.name = "--ranks", .number = &request->ranks, .least = 1},
        {0},
    };
    return flags_parse(flags, (struct flag_files){"a job file", 1, 1}, count, words, error) ||
           error_prefix(error, "summary: ");
}

bool request_parse(struct request *request, bool is_train, int count, char **words, struct error *error)
{
    *request = (struct request){0};
    request->overrides = memory_need((size_t)count, sizeof *request->overrides);
    request->allowed = memory_need((size_t)count, sizeof *request->allowed);
    request->options.allowed.keys = request->allowed;
    if (!(is_train ? read_train : read_summary)(request, &count, words, error))
        return false;
    request->file = words[0];
    return true;
}

void request_release(struct request *request)
{
    memory_free(request->overrides);
    memory_free(request->allowed);
    *request = (struct request){0};
}

struct submission_request request_submission(const struct request *request)
{
    return (struct submission_request){.file = request->file,
                                       .overrides = request->overrides,
                                       .override_count = request->override_count,
                                       .anew = request->reread};
}
