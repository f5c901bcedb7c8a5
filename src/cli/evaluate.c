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
    const char *const *files; /* [count] to judge by; 0: those of its job */
    size_t count;
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

/* Local. Whether the user has said what data.test is, or a key of it. */
static bool says_test(const struct trained_options *options)
{
    static const char key[] = "data.test";
    bool says = false;
    for (size_t i = 0; i < options->count; i++) {
        const char *word = options->overrides[i];
        says = says || (strncmp(word, key, strlen(key)) == 0 && strchr(".=", word[strlen(key)]));
    }
    return says;
}

/* Local. */
static bool open_trained(const struct request *request, struct trained *trained, struct error *error)
{
    if (!trained_open(trained, request->word, &request->options, error)) {
        bool is_part = says_test(&request->options) && strstr(error->text, "data.test") &&
                       strstr(error->text, "missing");
        return is_part ? error_set(error, error->kind,
                                   "%s. Of a file that is like those of data.train its name alone will do: lockstep "
                                   "evaluate %s FILE",
                                   error->text, request->word)
                       : false;
    }
    return request->count == 0 || evaluate_elsewhere(trained, request->files, request->count, error);
}

/* Collective over world. */
static bool work(const struct world *world, void *context, struct error *error)
{
    const struct request *request = context;
    struct trained trained = {0};
    struct evaluate_report report = {0};
    bool ok = world_agree(world, open_trained(request, &trained, error), error) &&
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
    if (!flags_parse(flags, (struct flag_files){"a checkpoint", 1, count}, &count, words, &error)) {
        code = command_misused(&command_evaluate, "%s", error.text);
    } else if (count > 1 && says_test(&request.options)) {
        code = command_misused(&command_evaluate, "%s is what it is judged by, and --set says that data.test is",
                               words[1]);
    } else {
        request.word = words[0];
        request.files = (const char *const *)words + 1;
        request.count = (size_t)count - 1;
        code = together(work, &request);
    }
    memory_free(overrides);
    return code;
}

const struct command command_evaluate = {
    .name = "evaluate",
    .usage =
        "lockstep evaluate CHECKPOINT [FILE...] [--set key.path=value]... [--ema] [--json]   all metrics on a FILE "
        "that is like those of data.train, or on data.test, or on data.validation; also under mpirun",
    .run = run,
    .parallel = true,
};
