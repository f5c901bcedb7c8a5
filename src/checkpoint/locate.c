#include "checkpoint/locate.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "checkpoint/reader.h"
#include "checkpoint/store.h"
#include "checkpoint/store_name.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define BEST         "best"
#define STEPS_LISTED 12

/* What is asked for of a run. */
struct which {
    const char *word; /* all that was said */
    size_t best;      /* 1: of the best validation, 2: of the second best, ...; 0: of none */
    bool has_step;
    uint64_t step;
};

/* A run, and what it has. */
struct found {
    char run[PATH_MAX];
    struct store store;
    uint64_t *steps; /* [count], newest first; owned */
    size_t count;
};

static bool is_directory(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

/* The @ in the last part of a path; NULL: there is none. */
static const char *find_at(const char *word)
{
    const char *at = strrchr(word, '@');
    return at && !strchr(at, '/') ? at : NULL;
}

/* Digits and nothing else. */
static bool parse_whole(const char *text, uint64_t *number)
{
    *number = strtoull(text, NULL, 10);
    return *text && strspn(text, "0123456789") == strlen(text) && strlen(text) < 20;
}

/* What stands behind the @; NULL: nothing, the newest. */
static bool parse_which(const char *behind, struct which *which, struct error *error)
{
    uint64_t number = 1;
    if (!behind)
        return true;
    which->has_step = parse_whole(behind, &which->step);
    if (which->has_step)
        return true;
    bool is_best = strncmp(behind, BEST, strlen(BEST)) == 0;
    const char *rank = is_best ? behind + strlen(BEST) : "";
    if (!is_best || (*rank && !parse_whole(rank, &number)) || number < 1 || number > HISTORY_BEST)
        return error_set(error, ERROR_USAGE,
                         "%s: behind the @ stands a step, or best (best2, ... best%d), and not '%s'", which->word,
                         HISTORY_BEST, behind);
    which->best = number;
    return true;
}

/* "there are those of step 200, 150, 100" */
static void append_steps(const struct found *found, struct text *words)
{
    text_append(words, "there %s of step ", found->count == 1 ? "is the one" : "are those");
    for (size_t i = 0; i < found->count && i < STEPS_LISTED; i++)
        text_append(words, "%s%" PRIu64, i ? ", " : "", found->steps[i]);
    if (found->count > STEPS_LISTED)
        text_append(words, " and %zu older ones", found->count - STEPS_LISTED);
}

static bool has_step(const struct found *found, uint64_t step)
{
    bool has = false;
    for (size_t i = 0; i < found->count; i++)
        has = has || found->steps[i] == step;
    return has;
}

/* remark: behind what is said if there is none. */
static bool find_step(const struct found *found, const char *word, uint64_t step, const char *remark,
                      char path[PATH_MAX], struct error *error)
{
    store_path(&found->store, step, path);
    if (has_step(found, step))
        return true;
    struct text words;
    text_init(&words);
    append_steps(found, &words);
    error_set(error, ERROR_NOT_FOUND, "%s: %s has no checkpoint of step %" PRIu64 "%s: %s", word, found->run, step,
              remark, text_bytes(&words));
    text_release(&words);
    return false;
}

/* The best validations, as the newest checkpoint that opens knows them; *step: its own. If none does, it is the newest
 * that is told of. */
static bool read_history(const struct found *found, struct history *history, uint64_t *step, struct error *error)
{
    bool ok = false;
    struct error older;
    for (size_t i = 0; i < found->count && !ok; i++) {
        char path[PATH_MAX];
        struct reader reader;
        store_path(&found->store, found->steps[i], path);
        ok = reader_open(&reader, path, i == 0 ? error : &older);
        if (ok) {
            *history = reader.record.history;
            *step = reader.record.step;
        }
        reader_close(&reader);
    }
    history->window = NULL;
    return ok;
}

static bool find_best(const struct found *found, const struct which *which, char path[PATH_MAX], struct error *error)
{
    struct history history;
    uint64_t known;
    if (!read_history(found, &history, &known, error))
        return error_prefix(error, "%s: ", which->word);
    if (history.best_count == 0)
        return error_set(error, ERROR_NOT_FOUND,
                         "%s: up to step %" PRIu64 " none is the best: nothing was validated (data.validation, "
                         "validate.every), or what was best was not kept (checkpoint.best)",
                         which->word, known);
    if (which->best > history.best_count)
        return error_set(error, ERROR_NOT_FOUND,
                         "%s: only the %zu best validation%s known at step %" PRIu64 " (checkpoint.best)", which->word,
                         history.best_count, history.best_count == 1 ? " is" : "s are", known);
    return find_step(found, which->word, history.best[which->best - 1].step,
                     ", where that validation was: it was not kept (checkpoint.best), or was taken away since", path,
                     error);
}

static bool find(struct found *found, const struct which *which, char path[PATH_MAX], struct error *error)
{
    if (!store_init(&found->store, found->run, 0, error) ||
        !store_list(&found->store, &found->steps, &found->count, error))
        return false;
    if (found->count == 0)
        return error_set(error, ERROR_NOT_FOUND,
                         "%s is a directory, and there are no checkpoints in %s: name a checkpoint file or a run "
                         "directory",
                         found->run, found->store.directory);
    if (which->best)
        return find_best(found, which, path, error);
    if (which->has_step)
        return find_step(found, which->word, which->step, "", path, error);
    store_path(&found->store, found->steps[0], path);
    return true;
}

bool locate_checkpoint(const char *word, char path[PATH_MAX], struct error *error)
{
    struct stat info;
    struct found found = {0};
    struct which which = {.word = word};
    const char *at = stat(word, &info) ? find_at(word) : NULL;
    if (snprintf(path, PATH_MAX, "%s", word) >= PATH_MAX)
        return error_set(error, ERROR_USAGE, "path too long: %s", word);
    snprintf(found.run, sizeof found.run, "%.*s", at ? (int)(at - word) : (int)strlen(word), word);
    if (!is_directory(found.run))
        return !at || error_set(error, ERROR_NOT_FOUND, "%s: there is no such file, and no run directory '%s'", word,
                                found.run);
    bool ok = parse_which(at ? at + 1 : NULL, &which, error) && find(&found, &which, path, error);
    memory_free(found.steps);
    return ok;
}

void locate_older(const char *word, const char *path, struct error *error)
{
    const struct error told = *error;
    struct found found = {0};
    struct error ignored;
    uint64_t step;
    const char *at = find_at(word);
    size_t length = at && !is_directory(word) ? (size_t)(at - word) : strlen(word);
    if (strcmp(word, path) == 0 || (told.kind != ERROR_CORRUPT && told.kind != ERROR_IO) ||
        length >= sizeof found.run || !store_is_name(path, &step))
        return;
    snprintf(found.run, sizeof found.run, "%.*s", (int)length, word);
    size_t older = 0;
    bool ok = store_init(&found.store, found.run, 0, &ignored) &&
              store_list(&found.store, &found.steps, &found.count, &ignored);
    while (ok && older < found.count && found.steps[older] >= step)
        older++;
    if (ok && older < found.count)
        error_set(error, told.kind, "%s; the checkpoint before it is %s@%" PRIu64, told.text, found.run,
                  found.steps[older]);
    memory_free(found.steps);
}

/* The own name of the run that a checkpoint lies in; "": in none. */
static void name_run(const char *path, char name[NAME_MAX + 1])
{
    char checkpoints[PATH_MAX], run[PATH_MAX], real[PATH_MAX];
    struct store store;
    struct error error;
    uint64_t step;
    name[0] = '\0';
    file_parent(path, checkpoints);
    if (!store_is_name(path, &step) || !realpath(checkpoints, real))
        return;
    file_parent(real, run);
    if (store_init(&store, run, 0, &error) && strcmp(store.directory, real) == 0)
        snprintf(name, NAME_MAX + 1, "%s", strrchr(run, '/') + 1);
}

void locate_name(const char *word, const char *path, uint64_t step, char name[LOCATE_NAME])
{
    char run[NAME_MAX + 1];
    const char *at = strcmp(word, path) != 0 ? find_at(word) : NULL;
    name_run(path, run);
    if (*run && at && strncmp(at + 1, BEST, strlen(BEST)) == 0)
        snprintf(name, LOCATE_NAME, "%s-%.16s", run, at + 1);
    else
        snprintf(name, LOCATE_NAME, "%s%sstep-%012" PRIu64, run, *run ? "-" : "", step);
}
