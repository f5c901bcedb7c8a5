/* Characters of a UTF-8 text: predict the next one. Samples are windows (data/windows.h). */
#include "data/text_format.h"

#include "base/digest.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/rows.h"
#include "base/utf8.h"
#include "data/formats.h"
#include "data/part.h"
#include "data/windows.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define VOCABULARY_MOST 65536 /* numbers that a uint16_t has */

/* Where the file lies may change: the digest of its content is compared when it is opened. */
static const struct option_row rows[] = {
    {"path", "path of the file, a text in UTF-8", FIELD(struct text_format_settings, path), .path = PATH_READ,
     .resume = RESUME_FREE},
    {"context", "characters of a window, which is a sample", FIELD(struct text_format_settings, context),
     WHOLE(1, 1000000)},
    {"part", "where in the file the characters that are used begin and end, as shares of it",
     FIELD(struct text_format_settings, part), REAL(0, 1), DEFAULT("0", "1")},
    {0},
};

struct text_format {
    uint16_t *tokens; /* [L] */
    struct windows windows;
    struct watched watched;
};

/* A file on its way to tokens. */
struct reading {
    const char *path;
    char *bytes; /* as read, malloc'ed by file_read */
    size_t count;
    size_t characters;
    uint32_t *number; /* [UTF8_CODE_POINTS] 1 + the token of each character; 0: none */
    uint32_t end;     /* above all characters of the file */
};

/* Counts the characters and marks them in `number`. */
static bool scan(struct reading *reading, struct error *error)
{
    size_t offset = 0, length;
    for (; offset < reading->count; offset += length) {
        uint32_t character;
        length = utf8_decode(reading->bytes + offset, reading->count - offset, &character);
        if (length == 0)
            return error_set(
                error, ERROR_CORRUPT,
                "%s is not UTF-8: no whole character begins with byte 0x%02x at offset %zu; convert the file",
                reading->path, (unsigned)(uint8_t)reading->bytes[offset], offset);
        if (character == 0)
            return error_set(error, ERROR_CORRUPT, "%s is not a text: there is a NUL character at offset %zu",
                             reading->path, offset);
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

static struct windows_wanted wanted(const struct text_format_settings *settings)
{
    return (struct windows_wanted){.format = "text",
                                   .unit = "character",
                                   .path = settings->path,
                                   .context = settings->context,
                                   .part = settings->part};
}

/* Its vocabulary is that of the training data, which has one if it is a text. */
static bool check_train(const char *path, const struct description *train, struct error *error)
{
    return train->vocabulary ||
           error_set(error, ERROR_USAGE, "%s holds text, but the training data %s: both must be of one kind", path,
                     train->form.vocabulary > 0 ? "tokens" : "numbers");
}

static void text_close(struct dataset *dataset)
{
    struct text_format *text = dataset->self;
    watched_release(&text->watched);
    memory_free(text->tokens);
    memory_free(text);
}

/* Looks at the file before it is read. A pipe or a device would give each rank something else, or nothing for ever. */
static bool look(struct dataset *dataset, const char *path, struct error *error)
{
    struct text_format *text = dataset->self;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return error_errno(error, "cannot open %s", path);
    bool ok = watched_init(&text->watched, path, fd, error);
    close(fd);
    mode_t mode = text->watched.known.st_mode;
    if (ok && !S_ISREG(mode) && !S_ISDIR(mode))
        ok = error_set(error, ERROR_USAGE, "%s is not a regular file: give the path of a text file", path);
    dataset->files = ok ? &text->watched : NULL;
    return ok;
}

/* Reads the file, and turns the part that the settings want into tokens. */
static bool load(struct dataset *dataset, const struct text_format_settings *settings, const struct description *train,
                 struct error *error)
{
    bool ok = false;
    struct text_format *text = dataset->self;
    struct windows_wanted windows = wanted(settings);
    struct reading reading = {.path = settings->path};
    reading.number = memory_alloc(UTF8_CODE_POINTS, sizeof *reading.number, "a table of characters", error);
    if (!reading.number || !look(dataset, settings->path, error) ||
        !file_read(settings->path, &reading.bytes, &reading.count, error))
        goto done;
    if (reading.count == 0) {
        error_set(error, ERROR_CORRUPT, "%s is empty", settings->path);
        goto done;
    }
    if (!scan(&reading, error) || !windows_cut(&text->windows, &windows, reading.characters, train != NULL, error))
        goto done;
    if (train)
        adopt_vocabulary(&reading, dataset, train);
    else if (!number_characters(&reading, dataset, error))
        goto done;
    ok = take_part(&reading, dataset, error);
done:
    memory_free(reading.number);
    free(reading.bytes);
    return ok;
}

static struct leaf_form text_form(const void *given, const char *vocabulary)
{
    const struct text_format_settings *settings = given;
    size_t characters = 0, length;
    for (; *vocabulary; vocabulary += length, characters++) {
        uint32_t character;
        length = utf8_decode(vocabulary, strnlen(vocabulary, UTF8_BYTES), &character);
        if (length == 0) /* whoever's vocabulary it is */
            length = 1;
    }
    return characters ? windows_form((size_t)settings->context, characters) : (struct leaf_form){0};
}

static bool text_open(struct dataset *dataset, const void *given, const struct description *train, struct error *error)
{
    const struct text_format_settings *settings = given;
    struct windows_wanted windows = wanted(settings);
    if (!windows_check(&windows, train, error) || (train && !check_train(settings->path, train, error)))
        return false;
    struct text_format *text = memory_need(1, sizeof *text);
    dataset->self = text;
    if (!load(dataset, settings, train, error)) {
        text_close(dataset);
        return false;
    }
    dataset->count = windows_count(&text->windows);
    dataset->about.form = text_form(settings, dataset->about.vocabulary);
    dataset->sample_bytes = windows_cost(&text->windows);
    return true;
}

static bool text_read(const struct dataset *dataset, size_t index, struct leaf *leaf, size_t row, struct error *error)
{
    (void)error;
    const struct text_format *text = dataset->self;
    size_t context = text->windows.context, repeated;
    const uint16_t *tokens = text->tokens + windows_place(&text->windows, index, &repeated);
    int32_t *into = leaf->tokens + row * context, *labels = leaf->labels + row * context;
    for (size_t t = 0; t < context; t++) {
        into[t] = tokens[t];
        labels[t] = t < repeated ? LEAF_IGNORED : tokens[t + 1];
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

const struct dataset_class dataset_text = {
    KIND_OF("text", "characters of a UTF-8 file, of which the next one is to be predicted", struct text_format_settings,
            rows),
    .kind.check = check_part,
    .open = text_open,
    .close = text_close,
    .read = text_read,
    .source = text_source,
    .form = text_form,
};
