/* What files are, and a job that could be written for them: a comment and a job file, so that all of it is one. */
#include "base/memory.h"
#include "base/pattern.h"
#include "base/say.h"
#include "cli/command.h"
#include "cli/data_given.h"
#include "cli/data_job.h"
#include "cli/flags.h"
#include "data/array_numbers.h"
#include "data/look.h"

#include <inttypes.h>
#include <string.h>

/* What is told about one dataset. */
struct telling {
    const struct dataset_class *class;
    struct survey survey;
    struct dataset dataset; /* count 0: there is none */
    struct sample_facts facts;
    struct array_gaps gaps;
};

static void print_lines(const char *before, const struct text *lines)
{
    for (const char *line = text_bytes(lines); *line;) {
        const char *end = line;
        while (*end && *end != '\n')
            end++;
        say("%s%.*s\n", before, (int)(end - line), line);
        line = *end ? end + 1 : end;
    }
}

/* Opens the dataset with the keys that were found, as a job file would, but that numbers may be none. */
static bool open_dataset(struct telling *telling, struct error *error)
{
    struct job job = {0};
    struct dataset_aid aid = {.gaps = &telling->gaps};
    telling->gaps = (struct array_gaps){0};
    bool ok = data_given_job(&job, telling->class, text_bytes(&telling->survey.keys), NULL, 0, error) &&
              dataset_open_with(&telling->dataset, &job.data.train, NULL, &aid, error);
    look_release(&aid.look);
    job_release(&job);
    return ok;
}

static bool has_key(const struct dataset_class *class, const char *name)
{
    const struct option_key *key;
    struct option_keys keys = {.count = 0};
    for (const struct option_row *row = class->kind.keys; row && row->name; row++)
        keys.keys[keys.count++] = (struct option_key){row, NULL};
    key = option_find(&keys, name, strlen(name));
    return key;
}

static bool look_at_samples(struct telling *telling, struct error *error)
{
    return open_dataset(telling, error) && sample_facts_take(&telling->facts, &telling->dataset, error);
}

/* Of many samples only the format has seen all labels. */
static bool begin_at_1(const struct telling *telling)
{
    const struct sample_facts *facts = &telling->facts;
    bool has_1 = facts->of_class && telling->dataset.about.form.classes > 1 && facts->of_class[1] > 0;
    return facts->offset == 1 || (telling->gaps.lacks_first && has_1);
}

/* Labels that begin at 1 are of a class less. */
static bool move_labels(struct telling *telling, struct error *error)
{
    if (!begin_at_1(telling) || !has_key(telling->class, "label_offset") ||
        description_classes(&telling->dataset.about))
        return true;
    survey_wonder(&telling->survey, "labels begin at 1: label_offset: 1 makes them begin at 0");
    survey_key(&telling->survey, "label_offset", "1");
    sample_facts_release(&telling->facts);
    dataset_close(&telling->dataset);
    return look_at_samples(telling, error);
}

static bool tell(struct telling *telling, const char *const *paths, size_t count, struct error *error)
{
    struct survey *survey = &telling->survey;
    if (!telling->class->survey(paths, count, survey, error))
        return false;
    if (survey->keys.length == 0)
        return true;
    if (!look_at_samples(telling, error) || !move_labels(telling, error))
        return false;
    sample_facts_tell(&telling->facts, &telling->dataset, survey);
    uint64_t gaps = telling->gaps.count;
    if (gaps > 0)
        survey_wonder(survey, "%" PRIu64 " number%s none, with which no job starts: the first: %s", gaps,
                      gaps == 1 ? " is" : "s are", telling->gaps.first.text);
    return true;
}

static void print(const struct telling *telling)
{
    struct text job;
    text_init(&job);
    print_lines("# ", &telling->survey.facts);
    print_lines("# odd: ", &telling->survey.odd);
    print_lines("# ", &telling->survey.guess);
    if (telling->facts.looked_at > 0) {
        data_job_write(&telling->dataset, &telling->facts, text_bytes(&telling->survey.keys), &job);
        print_lines("", &job);
    }
    text_release(&job);
}

static void release(struct telling *telling)
{
    sample_facts_release(&telling->facts);
    dataset_close(&telling->dataset);
    survey_release(&telling->survey);
}

/* Numbers that are none are an error, though they cost nothing of what is told. */
static bool check_gaps(const struct telling *telling, struct error *error)
{
    if (telling->gaps.count > 0)
        *error = telling->gaps.first;
    return telling->gaps.count == 0;
}

/* What the user has said about the files. */
struct wanted {
    const char *format;         /* NULL: the files tell */
    const char *const *targets; /* [target_count] columns; 0: they are guessed */
    size_t target_count;
};

static void begin(struct telling *telling, const struct dataset_class *class, const struct wanted *wanted)
{
    *telling = (struct telling){.class = class};
    survey_init(&telling->survey);
    telling->survey.targets = wanted->targets;
    telling->survey.target_count = wanted->target_count;
}

/* Describes the dataset that these files are, and says what was found also if that is not all. */
static bool describe(const struct dataset_class *class, const struct wanted *wanted, const char *const *paths,
                     size_t count, struct error *error)
{
    struct telling telling;
    begin(&telling, class, wanted);
    bool ok = tell(&telling, paths, count, error);
    if (!ok)
        sample_facts_release(&telling.facts);
    print(&telling);
    ok = ok && check_gaps(&telling, error);
    release(&telling);
    return ok;
}

/* The bytes that all paths begin with, or end with. */
static size_t common(const char *const *paths, size_t count, bool at_end)
{
    size_t length = 0;
    for (;; length++)
        for (size_t i = 0; i < count; i++) {
            size_t here = strlen(paths[i]), first = strlen(paths[0]);
            if (length >= here || length >= first)
                return length;
            if (at_end ? paths[i][here - 1 - length] != paths[0][first - 1 - length]
                       : paths[i][length] != paths[0][length])
                return length;
        }
}

/* A pattern that means these files, and no others; NULL: there is none that is simple. The caller owns it. */
static char *find_pattern(const char *const *paths, size_t count)
{
    struct pattern pattern;
    struct text words;
    struct error ignored;
    size_t begin = common(paths, count, false), end = common(paths, count, true), least = SIZE_MAX;
    for (size_t i = 0; i < count; i++)
        least = strlen(paths[i]) < least ? strlen(paths[i]) : least;
    end = end < least - begin ? end : least - begin;
    text_init(&words);
    text_append(&words, "%.*s*%s", (int)begin, paths[0], paths[0] + strlen(paths[0]) - end);
    bool ok = pattern_find(&pattern, text_bytes(&words), &ignored) && pattern.count == count;
    for (size_t i = 0; ok && i < count; i++) {
        size_t p = 0;
        while (p < count && strcmp(pattern.paths[p], paths[i]) != 0)
            p++;
        ok = p < count;
    }
    pattern_release(&pattern);
    if (!ok)
        text_release(&words);
    return words.bytes;
}

/* Describes files that lie one behind the other as one dataset. False: they are none, and nothing is said. *good: as
 * describe. */
static bool describe_joined(const struct dataset_class *class, const struct wanted *wanted, const char *const *paths,
                            size_t count, bool *good, struct error *error)
{
    struct error ignored;
    struct telling telling;
    char *pattern = count > 1 ? find_pattern(paths, count) : NULL;
    if (!pattern)
        return false;
    begin(&telling, class, wanted);
    const char *const joined[] = {pattern};
    bool ok = tell(&telling, joined, 1, &ignored) && telling.facts.looked_at > 0;
    if (ok)
        print(&telling);
    else
        sample_facts_release(&telling.facts);
    *good = !ok || check_gaps(&telling, error);
    release(&telling);
    memory_free(pattern);
    return ok;
}

/* How many files from the first on are of this format. */
static size_t alike(const struct dataset_class *class, const char *format, const char *const *paths, size_t count)
{
    struct error ignored;
    size_t n = 1;
    while (n < count && data_given_class(format, paths[n], &ignored) == class)
        n++;
    return n;
}

static bool takes_targets(const struct dataset_class *class, const struct wanted *wanted, struct error *error)
{
    return wanted->target_count == 0 || has_key(class, "targets") ||
           error_set(error, ERROR_USAGE, "--targets names columns of a table, but format %s has none",
                     class->kind.name);
}

static bool describe_all(const struct wanted *wanted, const char *const *paths, size_t count, struct error *error)
{
    const struct dataset_class *before = NULL; /* whose files are no dataset together */
    for (size_t i = 0, n; i < count; i += n) {
        const struct dataset_class *class = data_given_class(wanted->format, paths[i], error);
        if (!class || !takes_targets(class, wanted, error))
            return false;
        size_t most = class->survey_most ? class->survey_most : 1, rest = count - i;
        bool may_join = class->joins && class != before;
        n = alike(class, wanted->format, paths + i, may_join || rest < most ? rest : most);
        bool good;
        if (may_join && describe_joined(class, wanted, paths + i, n, &good, error)) {
            if (!good)
                return false;
            continue;
        }
        before = class;
        n = n < most ? n : most;
        if (!describe(class, wanted, paths + i, n, error))
            return false;
    }
    return true;
}

static int run(int count, char **words)
{
    const char **targets = memory_need((size_t)count + 1, sizeof *targets);
    struct wanted wanted = {.targets = targets};
    const struct flag flags[] = {{.name = "--format", .value = &wanted.format},
                                 {.name = "--targets", .list = targets, .length = &wanted.target_count},
                                 {0}};
    struct error error;
    int code;
    if (!flags_parse(flags, (struct flag_files){"files, or a directory of images", 1, count}, &count, words, &error))
        code = command_misused(&command_data, "%s", error.text);
    else
        code = describe_all(&wanted, (const char *const *)words, (size_t)count, &error) ? EXIT_FINISHED
                                                                                        : command_fail(&error);
    memory_free(targets);
    return code;
}

const struct command command_data = {
    .name = "data",
    .usage = "lockstep data FILE... [--format NAME] [--targets NAME]...   what is in files (or a directory of "
             "images), and a job file for them",
    .run = run,
};
