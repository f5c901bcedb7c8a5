/* Numbered tokens, as a tokenizer has written them: predict the next one. Samples are windows (data/windows.h). */
#include "data/tokens.h"

#include "base/digest.h"
#include "base/guard.h"
#include "base/memory.h"
#include "base/rows.h"
#include "data/formats.h"
#include "data/part.h"
#include "data/windows.h"

#include <inttypes.h>

/* More than any tokenizer has. What lies beyond is a file of another kind, and would make a model of another size. */
#define VOCABULARY_MOST 16777216

static const char *const types[] = {[TOKEN_AUTO] = "auto", [TOKEN_UINT16] = "uint16", [TOKEN_UINT32] = "uint32", NULL};

/* Where the files lie, and in how many pieces, may change: the digest of the tokens is compared when they are opened.
 */
static const struct option_row rows[] = {
    {"path",
     "path of the file, or a pattern as '*.bin', in quotes, for several, plain or gzip, read one behind the other in "
     "the order of their names: little-endian numbers alone, as of nanoGPT, or behind the header of llm.c",
     FIELD(struct tokens_settings, path), .path = PATH_READ, .resume = RESUME_FREE},
    {"context", "tokens of a window, which is a sample", FIELD(struct tokens_settings, context), WHOLE(1, 1000000)},
    {"vocabulary",
     "how many tokens there are; 0 for what all headers say, 1 + the largest in the files, or as in the training data",
     FIELD(struct tokens_settings, vocabulary), WHOLE(0, VOCABULARY_MOST), DEFAULT("0")},
    {"part", "where in the files the tokens that are used begin and end, as shares of all",
     FIELD(struct tokens_settings, part), REAL(0, 1), DEFAULT("0", "1")},
    {"type", "of the numbers; auto: as the header says, without one uint16", FIELD(struct tokens_settings, type),
     .choices = types, DEFAULT("auto"), .resume = RESUME_FREE},
    {0},
};

struct tokens {
    struct token_files files;
    struct windows windows;
};

static struct windows_wanted wanted(const struct tokens_settings *settings)
{
    return (struct windows_wanted){.format = "tokens",
                                   .unit = "token",
                                   .path = settings->path,
                                   .context = settings->context,
                                   .part = settings->part};
}

/* What can be wrong beside the training data. */
static bool check_train(const struct tokens_settings *settings, const struct description *train, struct error *error)
{
    size_t known = train->form.vocabulary;
    if (known == 0 || train->vocabulary)
        return error_set(error, ERROR_USAGE, "%s holds tokens, but the training data %s: both must be of one kind",
                         settings->path, known ? "text" : "numbers");
    return settings->vocabulary == 0 || settings->vocabulary == known ||
           error_set(error, ERROR_USAGE,
                     "vocabulary is %" PRIu64 " for %s, but %zu for the training data: leave it out, it is the same",
                     settings->vocabulary, settings->path, known);
}

#define BLOCK 4096 /* tokens that are looked at, and digested, at once; a digest depends on it */

/* A walk over tokens, in their order. */
struct walk {
    const struct token_files *files;
    size_t limit;    /* it stops at a token that is not below it */
    uint32_t most;   /* the largest so far */
    size_t place;    /* where it has stopped, among all tokens */
    uint32_t token;  /* the one there */
    uint64_t digest; /* of those in walks that digest; how they are stored it does not tell */
};

static uint32_t largest(const uint32_t *tokens, size_t n)
{
    uint32_t most = 0;
    for (size_t i = 0; i < n; i++)
        most = tokens[i] > most ? tokens[i] : most;
    return most;
}

/* Guarded. Over the tokens [begin, end) of all. */
static bool walk_on(struct walk *walk, size_t begin, size_t end, bool digests)
{
    uint32_t block[BLOCK];
    for (size_t n; begin < end; begin += n) {
        n = end - begin < BLOCK ? end - begin : BLOCK;
        token_files_copy(walk->files, begin, n, block);
        uint32_t most = largest(block, n);
        walk->most = most > walk->most ? most : walk->most;
        if (most >= walk->limit) {
            size_t i = 0;
            while (block[i] < walk->limit)
                i++;
            walk->place = begin + i;
            walk->token = block[i];
            return false;
        }
        if (digests)
            walk->digest = digest_chain(walk->digest, digest_bytes(block, n * sizeof *block));
    }
    return true;
}

static uint64_t tokens_digest(const struct dataset *dataset)
{
    const struct tokens *tokens = dataset->self;
    struct walk walk = {.files = &tokens->files, .limit = SIZE_MAX};
    (void)walk_on(&walk, tokens->windows.begin, tokens->windows.begin + tokens->windows.length, true);
    return digest_chain(walk.digest, dataset->about.form.vocabulary);
}

struct scan {
    const struct tokens *tokens;
    struct walk walk;
    bool finds_vocabulary;
    bool ok;
};

/* Guarded: all that reads the tokens at the start. A vocabulary that has to be found is that of all tokens, so that all
 * parts of them have the same. */
static void scan_tokens(void *context)
{
    struct scan *scan = context;
    const struct windows *windows = &scan->tokens->windows;
    size_t begin = windows->begin, end = begin + windows->length;
    bool all = scan->finds_vocabulary;
    scan->ok = (!all || walk_on(&scan->walk, 0, begin, false)) && walk_on(&scan->walk, begin, end, true) &&
               (!all || walk_on(&scan->walk, end, scan->tokens->files.length, false));
}

/* Where the walk has stopped. */
static bool refuse_token(const struct walk *walk, const struct tokens_settings *settings, bool is_train,
                         struct error *error)
{
    const struct token_file *file = token_files_at(walk->files, walk->place);
    const char *path = file->watched.path;
    size_t place = walk->place - file->first, limit = walk->limit;
    if (!is_train)
        return error_set(error, ERROR_USAGE,
                         "%s: token %zu (counted from 0) is %" PRIu32 ", but the training data has a vocabulary of "
                         "%zu, 0 to %zu: give that a larger one",
                         path, place, walk->token, limit, limit - 1);
    if (settings->vocabulary || limit < VOCABULARY_MOST)
        return error_set(error, settings->vocabulary ? ERROR_USAGE : ERROR_CORRUPT,
                         "%s: token %zu (counted from 0) is %" PRIu32 ", but %svocabulary is %zu, 0 to %zu%s", path,
                         place, walk->token, settings->vocabulary ? "" : "by its header the ", limit, limit - 1,
                         settings->vocabulary ? "" : ": if that is wrong, give vocabulary");
    return error_set(error, ERROR_CORRUPT,
                     "%s: token %zu (counted from 0) is %" PRIu32
                     ", but no vocabulary has more than %zu: is it a file of tokens, and of uint32?",
                     path, place, walk->token, limit);
}

/* Whether an earlier start has looked at them. */
static bool recall(struct dataset *dataset, size_t known)
{
    const struct tokens *tokens = dataset->self;
    struct look_found found;
    uint64_t layout = digest_chain(digest_chain(0, tokens->files.width), tokens->files.length);
    if (!dataset_recall(dataset, layout, &found) || found.kinds < 1 || found.kinds > VOCABULARY_MOST ||
        (known > 0 && found.kinds != known))
        return false;
    dataset->about.form = windows_form(tokens->windows.context, (size_t)found.kinds);
    dataset->digest = found.digest;
    return true;
}

/* Looks at all that is used. */
static bool scan(struct dataset *dataset, const struct tokens_settings *settings, const struct description *train,
                 struct error *error)
{
    const struct tokens *tokens = dataset->self;
    size_t said = settings->vocabulary ? (size_t)settings->vocabulary : tokens->files.vocabulary;
    said = said <= VOCABULARY_MOST ? said : 0; /* what a header says may be another's word */
    size_t known = train ? train->form.vocabulary : said;
    struct scan scan = {.tokens = tokens,
                        .walk = {.files = &tokens->files, .limit = known ? known : VOCABULARY_MOST},
                        .finds_vocabulary = known == 0};
    const void *where;
    if (recall(dataset, known))
        return true;
    if (!guard_run(scan_tokens, &scan, &where))
        return dataset_refuse_hole(dataset, where, error);
    if (!scan.ok)
        return refuse_token(&scan.walk, settings, !train, error);
    dataset->about.form = windows_form(tokens->windows.context, known ? known : (size_t)scan.walk.most + 1);
    dataset->digest = digest_chain(scan.walk.digest, dataset->about.form.vocabulary);
    dataset_note(dataset, &(struct look_found){.digest = dataset->digest, .kinds = dataset->about.form.vocabulary});
    return true;
}

static void tokens_close(struct dataset *dataset)
{
    struct tokens *tokens = dataset->self;
    token_files_close(&tokens->files);
    memory_free(tokens);
}

static bool load(struct dataset *dataset, const struct tokens_settings *settings, const struct description *train,
                 struct error *error)
{
    struct tokens *tokens = dataset->self;
    struct windows_wanted windows = wanted(settings);
    if (!token_files_open(&tokens->files, settings->path, settings->type, dataset_inflated(dataset), error))
        return false;
    dataset->files = &tokens->files.files[0].watched;
    return windows_cut(&tokens->windows, &windows, tokens->files.length, train != NULL, error) &&
           scan(dataset, settings, train, error);
}

static bool tokens_open(struct dataset *dataset, const void *given, const struct description *train,
                        struct error *error)
{
    const struct tokens_settings *settings = given;
    struct windows_wanted windows = wanted(settings);
    if (!windows_check(&windows, train, error) || (train && !check_train(settings, train, error)))
        return false;
    struct tokens *tokens = memory_need(1, sizeof *tokens);
    dataset->self = tokens;
    if (!load(dataset, settings, train, error)) {
        tokens_close(dataset);
        return false;
    }
    dataset->count = windows_count(&tokens->windows);
    dataset->sample_bytes = windows_cost(&tokens->windows) * tokens->files.width;
    return true;
}

/* No such token was there when the files were opened. */
static bool refuse_change(const struct dataset *dataset, size_t place, uint32_t token, struct error *error)
{
    const struct tokens *tokens = dataset->self;
    const struct token_file *file = token_files_at(&tokens->files, place);
    return error_set(error, ERROR_CORRUPT,
                     "%s: token %zu (counted from 0) is %" PRIu32
                     ", which it cannot have been when the file was opened: "
                     "it was changed while it was in use",
                     file->watched.path, place - file->first, token);
}

static bool tokens_read(const struct dataset *dataset, size_t index, struct leaf *leaf, size_t row, struct error *error)
{
    const struct tokens *tokens = dataset->self;
    size_t context = tokens->windows.context, vocabulary = dataset->about.form.vocabulary, repeated;
    size_t begin = tokens->windows.begin + windows_place(&tokens->windows, index, &repeated);
    uint32_t *into = (uint32_t *)leaf->tokens + row * context, last;
    int32_t *labels = leaf->labels + row * context;
    token_files_copy(&tokens->files, begin, context, into);
    token_files_copy(&tokens->files, begin + context, 1, &last);
    for (size_t t = 0; t < context; t++)
        if (into[t] >= vocabulary)
            return refuse_change(dataset, begin + t, into[t], error);
    if (last >= vocabulary)
        return refuse_change(dataset, begin + context, last, error);
    for (size_t t = 0; t + 1 < context; t++)
        labels[t] = t < repeated ? LEAF_IGNORED : (int32_t)into[t + 1];
    labels[context - 1] = (int32_t)last; /* that of the last window is never repeated */
    return true;
}

static const char *tokens_source(const void *given, bool targets)
{
    const struct tokens_settings *settings = given;
    (void)targets;
    return settings->path;
}

static struct leaf_form tokens_form(const void *given, const char *vocabulary)
{
    const struct tokens_settings *settings = given;
    (void)vocabulary;
    if (settings->vocabulary == 0)
        return (struct leaf_form){0};
    return windows_form((size_t)settings->context, (size_t)settings->vocabulary);
}

static bool check_part(const void *given, const char **key, struct error *error)
{
    const struct tokens_settings *settings = given;
    *key = "part";
    return part_check(settings->part, error);
}

static const char *const endings[] = {".bin", ".tok", ".u16", NULL};

const struct dataset_class dataset_tokens = {
    KIND_OF("tokens", "numbers that a tokenizer has written, of which the next one is to be predicted",
            struct tokens_settings, rows),
    .kind.check = check_part,
    .open = tokens_open,
    .recalls = true,
    .knows = token_files_know,
    .survey = survey_tokens,
    .joins = true,
    .endings = endings,
    .is_known_by_its_name = true,
    .close = tokens_close,
    .read = tokens_read,
    .digest = tokens_digest,
    .source = tokens_source,
    .form = tokens_form,
};
