/* Files of tokens, and texts. */
#include "base/guard.h"
#include "base/memory.h"
#include "base/plural.h"
#include "base/utf8.h"
#include "data/content.h"
#include "data/survey.h"
#include "data/text_tokenizer.h"
#include "data/token_files.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#define CONTEXT 64 /* that is proposed, of what is long enough */

static size_t context_for(size_t length)
{
    return length > 20 * (size_t)CONTEXT ? CONTEXT : length / 20 + 1;
}

/* ---- tokens ---- */

#define PIECE 4096

struct counting {
    const struct token_files *files;
    uint32_t largest;
    size_t odd_zeros, odd; /* of the tokens at odd places, from 0: those that are 0, and all */
};

static void count_tokens(void *context)
{
    struct counting *counting = context;
    uint32_t tokens[PIECE];
    size_t length = counting->files->length;
    for (size_t at = 0; at < length; at += PIECE) { /* PIECE is even: odd places stay odd */
        size_t n = length - at < PIECE ? length - at : PIECE;
        token_files_copy(counting->files, at, n, tokens);
        for (size_t i = 0; i < n; i++)
            counting->largest = tokens[i] > counting->largest ? tokens[i] : counting->largest;
        for (size_t i = 1; i < n; i += 2, counting->odd++)
            counting->odd_zeros += tokens[i] == 0;
    }
}

static bool count(struct counting *counting, struct error *error)
{
    const void *where;
    return guard_run(count_tokens, counting, &where) || watched_refuse(&counting->files->files[0].watched, error);
}

/* Half of each small uint32 is 0: what looks like uint16, every second of them 0, is none. */
static bool are_wide(const struct counting *counting)
{
    return counting->files->width == 2 && counting->odd > 16 && counting->odd_zeros == counting->odd;
}

bool survey_tokens(const char *const *paths, size_t n, struct survey *survey, struct error *error)
{
    struct token_files files;
    (void)n;
    if (!token_files_open(&files, paths[0], TOKEN_AUTO, NULL, error))
        return false;
    struct counting counting = {.files = &files};
    bool ok = count(&counting, error), wide = ok && are_wide(&counting);
    if (wide) {
        survey_wonder(survey, "every second uint16 is 0: these are uint32 (type: uint32)");
        token_files_close(&files);
        ok = token_files_open(&files, paths[0], TOKEN_UINT32, NULL, error);
        counting = (struct counting){.files = &files};
        ok = ok && count(&counting, error);
    }
    if (ok) {
        survey_tell(survey, "%s: %zu tokens in %zu file%s, uint%zu%s, the largest is %" PRIu32, paths[0], files.length,
                    files.count, files.count == 1 ? "" : "s", 8 * files.width,
                    files.files[0].elements == files.files[0].bytes ? "" : " behind a header of llm.c",
                    counting.largest);
        survey_text(survey, "path", paths[0]);
        survey_key(survey, "context", "%zu", context_for(files.length));
        if (wide)
            survey_key(survey, "type", "uint32");
        token_files_close(&files);
    }
    return ok;
}

/* ---- text ---- */

struct reading {
    const struct content *content;
    size_t characters, lines, returns;
    char begin[61];
};

static void count_characters(void *context)
{
    struct reading *reading = context;
    const char *bytes = (const char *)reading->content->bytes;
    size_t count = reading->content->count, length,
           some = count < sizeof reading->begin - 1 ? count : sizeof reading->begin - 1;
    memcpy(reading->begin, bytes, some); /* the last one stays 0 */
    for (size_t at = 0; at < count; at += length, reading->characters++) {
        uint32_t character;
        length = utf8_decode(bytes + at, count - at, &character);
        length = length ? length : 1; /* opening it says where it is no UTF-8 */
        reading->lines += bytes[at] == '\n';
        reading->returns += bytes[at] == '\r';
    }
    reading->lines += count > 0 && bytes[count - 1] != '\n'; /* the last one may have no end */
}

/* A tokenizer that lies beside the text, if it can be used. */
static bool find_tokenizer(const char *path, struct survey *survey)
{
    struct text beside;
    struct tokenizer tokenizer;
    struct watched watched = {0};
    struct error why;
    const char *slash = strrchr(path, '/');
    text_init(&beside);
    text_append(&beside, "%.*stokenizer.json", slash ? (int)(slash + 1 - path) : 0, path);
    bool is_there = access(text_bytes(&beside), F_OK) == 0;
    bool ok = is_there && text_tokenizer_open(&tokenizer, text_bytes(&beside), NULL, &watched, &why);
    if (ok) {
        survey_tell(survey, "  %s beside it: a tokenizer of %zu tokens", text_bytes(&beside), tokenizer.tokens.count);
        survey_text(survey, "tokenizer", text_bytes(&beside));
        tokenizer_close(&tokenizer);
    } else if (is_there) {
        survey_wonder(survey, "what lies beside it cannot be its tokenizer: %s", why.text);
    }
    watched_release(&watched);
    text_release(&beside);
    return ok;
}

#define TOKEN_CHARACTERS 4 /* about as many stand for a token */

bool survey_text_file(const char *const *paths, size_t count_of, struct survey *survey, struct error *error)
{
    struct content content;
    (void)count_of;
    if (!content_open(&content, paths[0], "a text file", NULL, error))
        return false;
    struct reading reading = {.content = &content};
    bool ok = content_guard(&content, count_characters, &reading, error);
    if (ok) {
        survey_tell(survey, "%s: a text of %zu character%s in %zu line%s", paths[0], reading.characters,
                    plural(reading.characters), reading.lines, plural(reading.lines));
        survey_tell(survey, "  it begins: %.60s", reading.begin);
        if (reading.returns > 0)
            survey_wonder(survey, "%zu line breaks of Windows, or the like (CR), are characters to learn as well",
                          reading.returns);
        survey_text(survey, "path", paths[0]);
        size_t tokens = reading.characters / (find_tokenizer(paths[0], survey) ? TOKEN_CHARACTERS : 1);
        survey_key(survey, "context", "%zu", context_for(tokens));
    }
    content_close(&content);
    return ok;
}
