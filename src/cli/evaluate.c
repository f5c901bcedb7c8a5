#include "base/memory.h"
#include "base/say.h"
#include "cli/command.h"
#include "cli/evaluate_words.h"
#include "cli/flags.h"
#include "cli/together.h"

#include <string.h>

struct request {
    const char *word; /* a checkpoint */
    struct trained_options options;
    bool json;
};

static void print(const struct request *request, const struct trained *trained, const struct evaluate_report *report)
{
    struct text words;
    text_init(&words);
    (request->json ? evaluate_json : evaluate_words)(trained, report, &words);
    for (const char *line = text_bytes(&words); *line; line += strcspn(line, "\n") + 1)
        say("%.*s\n", (int)strcspn(line, "\n"), line);
    text_release(&words);
}

/* Collective over world. */
static bool work(const struct world *world, void *context, struct error *error)
{
    const struct request *request = context;
    struct trained trained = {0};
    struct evaluate_report report = {0};
    bool ok = world_agree(world, trained_open(&trained, request->word, &request->options, error), error) &&
              evaluate(world, &trained, &report, error);
    if (ok && world->rank == 0)
        print(request, &trained, &report);
    evaluate_report_release(&report);
    trained_close(&trained);
    return ok;
}

static int run(int count, char **words)
{
    const char **overrides = memory_need((size_t)count, sizeof *overrides);
    struct request request = {.options.overrides = overrides};
    const struct flag flags[] = {{.name = "--ema", .given = &request.options.averaged},
                                 {.name = "--json", .given = &request.json},
                                 {.name = "--set", .list = overrides, .length = &request.options.count},
                                 {0}};
    struct error error;
    int code = 0;
    if (flags_parse(flags, (struct flag_files){"a checkpoint", 1, 1}, &count, words, &error)) {
        request.word = words[0];
        code = together(work, &request);
    } else {
        code = command_misused(&command_evaluate, "%s", error.text);
    }
    memory_free(overrides);
    return code;
}

const struct command command_evaluate = {
    .name = "evaluate",
    .usage = "lockstep evaluate CHECKPOINT [--set 'data.test={format: ..., ...}']... [--ema] [--json]   all metrics on "
             "data.test, or on data.validation; also under mpirun",
    .run = run,
    .parallel = true,
};
