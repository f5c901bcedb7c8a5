#include "cli/request.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

#define RANKS_MOST (1 << 20)

/* A whole number behind a flag. */
static bool read_number(const char *flag, const char *value, long least, int *number, struct error *error)
{
    char *end;
    long read = strtol(value, &end, 10);
    if (*end || end == value || read < least || read > RANKS_MOST)
        return error_set(error, ERROR_USAGE, "%s %s: not a number from %ld to %d", flag, value, least, RANKS_MOST);
    *number = (int)read;
    return true;
}

/* A flag and, for most, the word behind it; *used becomes how many words that were. */
static bool read_flag(struct request *request, bool is_train, const char *word, const char *value, int *used,
                      struct error *error)
{
    *used = 1;
    if (is_train && strcmp(word, "--fresh") == 0) {
        request->options.fresh = true;
        return true;
    }
    if (is_train && strcmp(word, "--overwrite") == 0) {
        request->options.overwrite = true;
        return true;
    }
    if (is_train && strcmp(word, "--partial") == 0) {
        request->options.partial = true;
        return true;
    }
    *used = 2;
    if (is_train && strcmp(word, "--init-from") == 0) {
        request->options.init_from = value;
        return value != NULL || error_set(error, ERROR_USAGE, "%s needs a file behind it", word);
    }
    bool is_set = strcmp(word, "--set") == 0;
    bool is_ranks = strcmp(word, is_train ? "--ranks-per-node" : "--ranks") == 0;
    bool is_stop = is_train && strcmp(word, "--stop-after") == 0;
    bool is_allow = is_train && strcmp(word, "--allow-change") == 0;
    if (!is_set && !is_ranks && !is_stop && !is_allow)
        return error_set(error, ERROR_USAGE, "%s: not understood (try lockstep %s --help)", word,
                         is_train ? "train" : "summary");
    if (!value)
        return error_set(error, ERROR_USAGE, "%s needs a value behind it", word);
    if (is_stop)
        return pause_parse(value, &request->options.stop_after, error);
    if (is_set)
        request->overrides[request->override_count++] = value;
    if (is_allow)
        request->allowed[request->options.allowed.count++] = value;
    return is_set || is_allow ||
           read_number(word, value, is_train ? 0 : 1, is_train ? &request->options.ranks_per_node : &request->ranks,
                       error);
}

bool request_parse(struct request *request, bool is_train, int count, char **words, struct error *error)
{
    *request = (struct request){0};
    request->overrides = memory_need((size_t)count, sizeof *request->overrides);
    request->allowed = memory_need((size_t)count, sizeof *request->allowed);
    request->options.allowed.keys = request->allowed;
    for (int i = 0, used; i < count; i += used) {
        used = 1;
        if (words[i][0] == '-') {
            if (!read_flag(request, is_train, words[i], i + 1 < count ? words[i + 1] : NULL, &used, error))
                return false;
        } else if (request->file) {
            return error_set(error, ERROR_USAGE, "%s: one job file is enough, and there is %s already", words[i],
                             request->file);
        } else {
            request->file = words[i];
        }
    }
    if (!request->file)
        return error_set(error, ERROR_USAGE, "no job file given (try lockstep %s --help)",
                         is_train ? "train" : "summary");
    if (request->options.overwrite && !request->options.fresh)
        return error_set(error, ERROR_USAGE, "--overwrite goes with --fresh");
    if (request->options.partial && !request->options.init_from)
        return error_set(error, ERROR_USAGE, "--partial goes with --init-from");
    return job_check_allowed(&request->options.allowed, error);
}

void request_release(struct request *request)
{
    memory_free(request->overrides);
    memory_free(request->allowed);
    *request = (struct request){0};
}
