/* Characters of a UTF-8 text, or tokens that a tokenizer makes of it: predict the next one. Samples are windows
 * (data/windows.h). */
#include "data/text_format.h"

#include "base/digest.h"
#include "base/memory.h"
#include "base/rows.h"
#include "base/utf8.h"
#include "data/content.h"
#include "data/formats.h"
#include "data/part.h"
#include "data/text_tokenizer.h"
#include "data/whole.h"
#include "data/windows.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VOCABULARY_MOST 65536 /* numbers that a uint16_t has */

/* Where the file lies may change: the digest of its content is compared when it is opened. */
static const struct option_row rows[] = {
    {"path", "path of the file, a text in UTF-8, plain or gzip", FIELD(struct text_format_settings, path),
     .path = PATH_READ, .resume = RESUME_FREE},
    {"context", "characters, or tokens of the tokenizer, of a window, which is a sample",
     FIELD(struct text_format_settings, context), WHOLE(1, 1000000)},
    {"tokenizer",
     "path of a Hugging Face tokenizer.json of byte-level BPE, as GPT-2's; null: tokens are characters, or as in the "
     "training data",
     FIELD(struct text_format_settings, tokenizer), .path = PATH_READ, .optional = true, .resume = RESUME_FREE},
    {"part", "where in the file the characters, or tokens, that are used begin and end, as shares of all",
     FIELD(struct text_format_settings, part), REAL(0, 1), DEFAULT("0", "1")},
    {0},
};

struct text_format {
    uint16_t *tokens; /* [L]; NULL: they are `wide` */
    uint32_t *wide;
    struct windows windows;
    struct watched watched, watched_tokenizer;
};

/* A file on its way to tokens. */
struct reading {
    const char *path;
    struct windows_wanted windows;
    struct whole file;
    const char *bytes; /* [count] of it */
    size_t count;
    size_t characters;
    uint32_t *number; /* [UTF8_CODE_POINTS] 1 + the token of each character; 0: none */
    uint32_t end;     /* above all characters of the file */
};

/* There is no character, or none of a text. */
static bool refuse_byte(const struct reading *reading, size_t offset, struct error *error)
{
    const uint8_t *bytes = (const uint8_t *)reading->bytes, byte = bytes[offset];
    bool begins_well = content_is_text(bytes, reading->count < CONTENT_PEEK ? reading->count : CONTENT_PEEK);
    const char *known = begins_well ? NULL : content_seems(reading->path, bytes, reading->count);
    if (known && byte)
        return error_set(error, ERROR_CORRUPT, "%s is not a text in UTF-8 (byte 0x%02x at offset %zu): it is %s",
                         reading->path, (unsigned)byte, offset, known);
    if (known)
        return error_set(error, ERROR_CORRUPT, "%s is not a text: there is a NUL character at offset %zu: it is %s",
                         reading->path, offset, known);
    if (byte)
        return error_set(error, ERROR_CORRUPT,
                         "%s is not UTF-8: no whole character begins with byte 0x%02x at offset %zu; convert the file",
                         reading->path, (unsigned)byte, offset);
    return error_set(error, ERROR_CORRUPT, "%s is not a text: there is a NUL character at offset %zu", reading->path,
                     offset);
}

/* Counts the characters and marks them in `number`. */
static bool scan(struct reading *reading, struct error *error)
{
    size_t offset = 0, length;
    for (; offset < reading->count; offset += length) {
        uint32_t character;
        length = utf8_decode(reading->bytes + offset, reading->count - offset, &character);
        if (length == 0)
            return refuse_byte(reading, offset, error);
        if (character == 0)
            return refuse_byte(reading, offset, error);
        reading->number[character] = 1;
        if (character >= reading->end)
            reading->end = character + 1;
        reading->characters++;
    }
    return true;
}

/* Numbers the marked characters in the order of their code points. */
static bool number_characters(struct reading *reading, struct dataset *dataset, struct error *error)
{
    size_t count = 0, used = 0;
    for (uint32_t c = 0; c < reading->end; c++)
        if (reading->number[c])
            reading->number[c] = (uint32_t)++count;
    if (count > VOCABULARY_MOST)
        return error_set(error, ERROR_USAGE, "%s has %zu different characters: at most %d are possible", reading->path,
                         count, VOCABULARY_MOST);
    dataset->about.vocabulary = memory_alloc(count * UTF8_BYTES + 1, 1, "a vocabulary", error);
    if (!dataset->about.vocabulary)
        return false;
    for (uint32_t c = 0; c < reading->end; c++)
        if (reading->number[c])
            used += utf8_encode(c, dataset->about.vocabulary + used);
    return true;
}

/* Numbers the characters as the training data does: only those are known. */
static void adopt_vocabulary(struct reading *reading, struct dataset *dataset, const struct description *train)
{
    memset(reading->number, 0, reading->end * sizeof *reading->number);
    dataset->about.vocabulary = memory_text(train->vocabulary);
    const char *vocabulary = dataset->about.vocabulary;
    size_t count = 0, rest = strlen(vocabulary), length;
    for (; rest > 0; rest -= length, vocabulary += length) {
        uint32_t character;
        length = utf8_decode(vocabulary, rest, &character);
        reading->number[character] = (uint32_t)++count;
    }
}

static bool unknown_character(const char *path, uint32_t character, size_t offset, struct error *error)
{
    char bytes[UTF8_BYTES + 1] = "";
    bool printable = character >= 0x20 && !(character >= 0x7F && character < 0xA0);
    if (printable)
        utf8_encode(character, bytes);
    return error_set(error, ERROR_CORRUPT,
                     "%s: the character %s%s%sU+%04" PRIX32 "%s at byte offset %zu does not occur in the training text",
                     path, printable ? "'" : "", bytes, printable ? "' (" : "", character, printable ? ")" : "",
                     offset);
}

/* The tokens of the part's characters. The digest is that of their bytes and the vocabulary. */
static bool take_part(const struct reading *reading, struct dataset *dataset, struct error *error)
{
    struct text_format *text = dataset->self;
    size_t begin = text->windows.begin, end = begin + text->windows.length, offset = 0, from = 0;
    text->tokens = memory_alloc(text->windows.length, sizeof *text->tokens, "the tokens of a text", error);
    if (!text->tokens)
        return false;
    for (size_t i = 0; i < end; i++) {
        uint32_t character = 0;
        if (i == begin)
            from = offset;
        size_t length = utf8_decode(reading->bytes + offset, reading->count - offset, &character);
        if (i >= begin && reading->number[character] == 0)
            return unknown_character(reading->path, character, offset, error);
        if (i >= begin)
            text->tokens[i - begin] = (uint16_t)(reading->number[character] - 1);
        offset += length;
    }
    dataset->digest = digest_chain(digest_bytes(reading->bytes + from, offset - from),
                                   digest_bytes(dataset->about.vocabulary, strlen(dataset->about.vocabulary)));
    return true;
}

/* Whether the tokens are those of a tokenizer. */
static bool has_tokenizer(const struct text_format_settings *settings, const struct description *train)
{
    return settings->tokenizer || (train && train->tokenizer);
}

static struct windows_wanted wanted(const struct text_format_settings *settings, const struct description *train)
{
    return (struct windows_wanted){.format = "text",
                                   .unit = has_tokenizer(settings, train) ? "token" : "character",
                                   .path = settings->path,
                                   .context = settings->context,
                                   .part = settings->part};
}

/* Its vocabulary, or tokenizer, is that of the training data, which has one if it is a text. */
static bool check_train(const char *path, const struct description *train, struct error *error)
{
    return train->vocabulary || train->tokenizer ||
           error_set(error, ERROR_USAGE, "%s holds text, but the training data %s: both must be of one kind", path,
                     train->form.vocabulary > 0 ? "tokens" : "numbers");
}

static void text_close(struct dataset *dataset)
{
    struct text_format *text = dataset->self;
    watched_release(&text->watched);
    watched_release(&text->watched_tokenizer);
    memory_free(text->tokens);
    memory_free(text->wide);
    memory_free(text);
}

/* What a vocabulary tells; all 0: "" tells nothing. */
static struct leaf_form text_form(size_t context, const char *vocabulary)
{
    size_t characters = 0, length;
    for (; *vocabulary; vocabulary += length, characters++) {
        uint32_t character;
        length = utf8_decode(vocabulary, strnlen(vocabulary, UTF8_BYTES), &character);
        if (length == 0) /* whoever's vocabulary it is */
            length = 1;
    }
    return characters ? windows_form(context, characters) : (struct leaf_form){0};
}

static bool load_characters(struct reading *reading, struct dataset *dataset, const struct description *train,
                            struct error *error)
{
    struct text_format *text = dataset->self;
    if (!windows_cut(&text->windows, &reading->windows, reading->characters, train != NULL, error))
        return false;
    if (train)
        adopt_vocabulary(reading, dataset, train);
    else if (!number_characters(reading, dataset, error))
        return false;
    dataset->about.form = text_form(text->windows.context, dataset->about.vocabulary);
    return take_part(reading, dataset, error);
}

/* The part of a row of tokens, in as few bytes as the vocabulary needs. */
static bool keep_tokens(struct text_format *text, const uint32_t *tokens, size_t vocabulary, struct error *error)
{
    size_t length = text->windows.length;
    if (vocabulary > VOCABULARY_MOST) {
        text->wide = memory_alloc(length, sizeof *tokens, "the tokens of a text", error);
        if (text->wide)
            memcpy(text->wide, tokens, length * sizeof *tokens);
        return text->wide;
    }
    text->tokens = memory_alloc(length, sizeof *text->tokens, "the tokens of a text", error);
    for (size_t i = 0; text->tokens && i < length; i++)
        text->tokens[i] = (uint16_t)tokens[i];
    return text->tokens;
}

/* The digest is that of the part's tokens, however they are kept, and the tokenizer. */
static bool take_tokens(struct reading *reading, struct dataset *dataset, struct tokenizer *tokenizer,
                        const struct description *train, struct error *error)
{
    struct text_format *text = dataset->self;
    struct token_row row = {0};
    size_t vocabulary = tokenizer->tokens.count;
    bool ok = tokenizer_encode(tokenizer, reading->bytes, reading->count, &row, error) ||
              error_prefix(error, "%s: ", reading->path);
    if (ok && windows_cut(&text->windows, &reading->windows, row.count, train != NULL, error)) {
        const uint32_t *tokens = row.tokens + text->windows.begin;
        ok = keep_tokens(text, tokens, vocabulary, error);
        dataset->about.tokenizer = memory_text(tokenizer->content);
        dataset->about.form = windows_form(text->windows.context, vocabulary);
        dataset->digest = digest_chain(digest_bytes(tokens, text->windows.length * sizeof *tokens),
                                       digest_bytes(tokenizer->content, strlen(tokenizer->content)));
    } else {
        ok = false;
    }
    token_row_release(&row);
    return ok;
}

static bool load_tokens(struct reading *reading, struct dataset *dataset, const struct text_format_settings *settings,
                        const struct description *train, struct error *error)
{
    struct text_format *text = dataset->self;
    struct tokenizer tokenizer;
    if (!text_tokenizer_open(&tokenizer, settings->tokenizer, train, &text->watched_tokenizer, error))
        return false;
    if (settings->tokenizer)
        text->watched.next = &text->watched_tokenizer;
    bool ok = take_tokens(reading, dataset, &tokenizer, train, error);
    tokenizer_close(&tokenizer);
    return ok;
}

/* Reads the file, and turns the part that the settings want into tokens. */
static bool load(struct dataset *dataset, const struct text_format_settings *settings, const struct description *train,
                 struct error *error)
{
    bool ok = false;
    struct text_format *text = dataset->self;
    struct reading reading = {.path = settings->path, .windows = wanted(settings, train)};
    reading.number = memory_alloc(UTF8_CODE_POINTS, sizeof *reading.number, "a table of characters", error);
    if (!reading.number ||
        !whole_open(&reading.file, settings->path, "a text file", &text->watched, dataset_inflated(dataset), error))
        goto done;
    reading.bytes = reading.file.bytes;
    reading.count = reading.file.count;
    dataset->files = &text->watched;
    if (reading.count == 0)
        error_set(error, ERROR_CORRUPT, "%s is empty", settings->path);
    else if (scan(&reading, error))
        ok = has_tokenizer(settings, train) ? load_tokens(&reading, dataset, settings, train, error)
                                            : load_characters(&reading, dataset, train, error);
done:
    memory_free(reading.number);
    whole_close(&reading.file);
    return ok;
}

static struct leaf_form text_known_form(const void *given, const char *vocabulary)
{
    const struct text_format_settings *settings = given;
    return text_form((size_t)settings->context, vocabulary);
}

static bool text_open(struct dataset *dataset, const void *given, const struct description *train, struct error *error)
{
    const struct text_format_settings *settings = given;
    struct windows_wanted windows = wanted(settings, train);
    if (!windows_check(&windows, train, error) || (train && !check_train(settings->path, train, error)))
        return false;
    struct text_format *text = memory_need(1, sizeof *text);
    dataset->self = text;
    if (!load(dataset, settings, train, error)) {
        text_close(dataset);
        return false;
    }
    dataset->count = windows_count(&text->windows);
    dataset->sample_bytes = windows_cost(&text->windows);
    return true;
}

static int32_t token_at(const struct text_format *text, size_t place)
{
    return text->tokens ? text->tokens[place] : (int32_t)text->wide[place];
}

static bool text_read(const struct dataset *dataset, size_t index, struct leaf *leaf, size_t row, struct error *error)
{
    (void)error;
    const struct text_format *text = dataset->self;
    size_t context = text->windows.context, repeated;
    size_t begin = windows_place(&text->windows, index, &repeated);
    int32_t *into = leaf->tokens + row * context, *labels = leaf->labels + row * context;
    for (size_t t = 0; t < context; t++) {
        into[t] = token_at(text, begin + t);
        labels[t] = t < repeated ? LEAF_IGNORED : token_at(text, begin + t + 1);
    }
    return true;
}

static const char *text_source(const void *given, bool targets)
{
    const struct text_format_settings *settings = given;
    (void)targets;
    return settings->path;
}

static bool check_part(const void *given, const char **key, struct error *error)
{
    const struct text_format_settings *settings = given;
    *key = "part";
    return part_check(settings->part, error);
}

static enum recognition text_knows(const uint8_t *bytes, size_t count)
{
    return content_is_text(bytes, count) ? FORMAT_MAYBE : FORMAT_NO;
}

static const char *const endings[] = {".txt", ".md", NULL};

const struct dataset_class dataset_text = {
    KIND_OF("text", "characters, or tokens, of a UTF-8 file, of which the next one is to be predicted",
            struct text_format_settings, rows),
    .kind.check = check_part,
    .open = text_open,
    .knows = text_knows,
    .survey = survey_text_file,
    .endings = endings,
    .close = text_close,
    .read = text_read,
    .source = text_source,
    .form = text_known_form,
};
