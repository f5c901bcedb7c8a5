#include "use/generate.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/plural.h"
#include "base/say.h"
#include "cli/command.h"
#include "cli/flags.h"
#include "h5/h5.h"
#include "nn/kernels/gemm.h"
#include "use/wording.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct request {
    const char *word, *prompt, *tokenizer; /* prompt NULL: not given */
    const char *temperature, *top_p, *seed;
    int tokens, top_k;
    struct trained_options trained;
    struct generate_options options;
};

static bool take_real(const char *name, const char *word, double least, double most, double *value, struct error *error)
{
    char *end;
    if (!word)
        return true;
    *value = strtod(word, &end);
    return (end != word && !*end && *value >= least && *value <= most) ||
           error_set(error, ERROR_USAGE, "%s %s: wanted is a number from %g to %g", name, word, least, most);
}

static bool take_options(struct request *request, struct error *error)
{
    struct generate_options *options = &request->options;
    char *end = NULL;
    *options = (struct generate_options){.seed = 1, .temperature = 1, .top_k = (size_t)request->top_k, .top_p = 1};
    if (request->seed)
        options->seed = strtoull(request->seed, &end, 10);
    if (request->seed && (end == request->seed || *end))
        return error_set(error, ERROR_USAGE, "--seed %s: wanted is a whole number", request->seed);
    return take_real("--temperature", request->temperature, 0, 1000, &options->temperature, error) &&
           take_real("--top-p", request->top_p, 1e-9, 1, &options->top_p, error);
}

/* Says what is complete of the words: whole lines, and at the end all. */
static void say_lines(struct text *words, bool all)
{
    const char *line = text_bytes(words);
    for (const char *end; (end = strchr(line, '\n')) != NULL; line = end + 1)
        say("%.*s\n", (int)(end - line), line);
    if (all && *line) {
        say("%s\n", line);
        line += strlen(line);
    }
    struct text rest;
    text_init(&rest);
    text_append(&rest, "%s", line);
    text_release(words);
    *words = rest;
}

/* The prompt, or what stands in for it: the model has to begin somewhere. */
static bool read_prompt(const struct request *request, struct wording *wording, struct token_row *row,
                        struct error *error)
{
    static const uint32_t first = 0;
    if (request->prompt && !wording_encode(wording, request->prompt, row, error))
        return false;
    if (row->count > 0)
        return true;
    struct error ignored;
    if (wording_encode(wording, "\n", row, &ignored) && row->count > 0)
        return true;
    if (!token_row_reserve(row, 1, error))
        return false;
    row->tokens[row->count++] = first;
    return true;
}

/* Prints while it writes. */
static void write(const struct request *request, const struct wording *wording, const struct token_row *prompt,
                  struct generator *generator)
{
    struct text words;
    double start = clock_seconds();
    text_init(&words);
    generator_read(generator, prompt->tokens, prompt->count);
    for (size_t i = 0; request->prompt && i < prompt->count; i++)
        wording_append(wording, prompt->tokens[i], &words);
    for (int i = 0; i < request->tokens; i++) {
        wording_append(wording, generator_next(generator), &words);
        say_lines(&words, false);
    }
    say_lines(&words, true);
    fflush(stdout);
    text_release(&words);
    double seconds = clock_seconds() - start;
    say_error("%d token%s, %.0f a second\n", request->tokens, plural((uint64_t)request->tokens),
              request->tokens / (seconds > 0 ? seconds : 1e-9));
}

static bool go_on(const struct request *request, const struct trained *trained, struct wording *wording,
                  struct error *error)
{
    struct generator generator;
    struct token_row prompt = {0};
    if (!generator_init(&generator, trained, &request->options, error))
        return false;
    bool ok = read_prompt(request, wording, &prompt, error);
    if (ok)
        write(request, wording, &prompt, &generator);
    token_row_release(&prompt);
    generator_release(&generator);
    return ok;
}

static bool generate(struct request *request, struct error *error)
{
    struct trained trained;
    struct wording wording;
    if (!take_options(request, error) || !trained_open(&trained, request->word, &request->trained, error))
        return false;
    bool ok = trained.saved.about.form.vocabulary > 0 ||
              error_set(error, ERROR_USAGE, "%s is no model of tokens: ask it with lockstep predict", trained.path);
    if (ok && (ok = wording_open(&wording, &trained.saved.about, request->tokenizer, error))) {
        ok = go_on(request, &trained, &wording, error);
        wording_close(&wording);
    }
    trained_close(&trained);
    return ok;
}

static int run(int count, char **words)
{
    const char **overrides = memory_need((size_t)count, sizeof *overrides);
    struct request request = {.tokens = 200, .trained.overrides = overrides};
    const struct flag flags[] = {{.name = "--prompt", .value = &request.prompt},
                                 {.name = "--tokens", .number = &request.tokens, .least = 1},
                                 {.name = "--temperature", .value = &request.temperature},
                                 {.name = "--top-k", .number = &request.top_k, .least = 1},
                                 {.name = "--top-p", .value = &request.top_p},
                                 {.name = "--seed", .value = &request.seed},
                                 {.name = "--tokenizer", .value = &request.tokenizer},
                                 {.name = "--ema", .given = &request.trained.averaged},
                                 {.name = "--set", .list = overrides, .length = &request.trained.count},
                                 {0}};
    struct error error;
    int code = EXIT_FINISHED;
    h5_init();
    gemm_init();
    if (flags_parse(flags, (struct flag_files){"a checkpoint", 1, 1}, &count, words, &error)) {
        request.word = words[0];
        if (!generate(&request, &error))
            code = command_fail(&error);
    } else {
        code = command_misused(&command_generate, "%s", error.text);
    }
    h5_release();
    memory_free(overrides);
    return code;
}

const struct command command_generate = {
    .name = "generate",
    .usage = "lockstep generate CHECKPOINT [--prompt TEXT] [--tokens 200] [--temperature 1] [--top-k N] [--top-p 1] "
             "[--seed 1] [--tokenizer FILE] [--ema] [--set key.path=value]...   text that goes on as a model of tokens "
             "says",
    .run = run,
};
