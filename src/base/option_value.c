#include "base/option.h"

#include "base/check.h"
#include "base/memory.h"
#include "base/utf8.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

_Static_assert(sizeof(enum option_type) == sizeof(unsigned), "a choice is stored as an unsigned");

static const struct {
    const char *word;
    bool value;
} bool_words[] = {{"true", true}, {"false", false}, {"yes", true}, {"no", false}, {"on", true}, {"off", false}};

#define BOOL_WORDS (sizeof bool_words / sizeof *bool_words)

/* Decimal, without a leading zero: YAML 1.1 readers take 010 for eight. */
static bool is_whole(const char *text)
{
    text += *text == '-';
    size_t digits = strspn(text, "0123456789");
    return digits > 0 && !text[digits] && (*text != '0' || digits == 1);
}

const struct option_word *option_word(const struct option_row *option, const char *text)
{
    for (const struct option_word *word = option->words; word && word->word; word++)
        if (!strcasecmp(text, word->word))
            return word;
    return NULL;
}

static const char *read_unsigned(const struct option_row *option, const char *text, uint64_t *field)
{
    const struct option_word *word = option_word(option, text);
    if (word) {
        *field = word->value;
        return NULL;
    }
    if (!is_whole(text))
        return "is not a whole number";
    errno = 0;
    unsigned long long value = strtoull(text, NULL, 10);
    if (*text == '-' || errno || value < option->least || value > option->most)
        return "is out of range";
    *field = value;
    return NULL;
}

static const char *read_real(const struct option_row *option, const char *text, double *field)
{
    /* strtod takes more than YAML does: spaces, hexadecimal, "nan", "infinity". */
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end || text[strspn(text, "0123456789+-.eE")])
        return "is not a number";
    bool high_enough = option->above ? value > option->low : value >= option->low;
    bool low_enough = option->below ? value < option->high : value <= option->high;
    if (!isfinite(value) || !high_enough || !low_enough)
        return "is out of range";
    *field = value;
    return NULL;
}

/* One of a list, or the word that stands for it. */
static const char *read_item(const struct option_row *option, const char *text, const void *base, size_t element)
{
    double *field = option_item(option, base, element);
    const struct option_word *word = option_item_count(option, base) == 1 ? option_word(option, text) : NULL;
    if (!word)
        return read_real(option, text, field);
    *field = (double)word->value;
    return NULL;
}

static const char *read_bool(const char *text, bool *field)
{
    for (size_t i = 0; i < BOOL_WORDS; i++) {
        if (!strcasecmp(text, bool_words[i].word)) {
            *field = bool_words[i].value;
            return NULL;
        }
    }
    return "is neither true nor false";
}

static const char *read_text(const char *text, char **field)
{
    if (!*text)
        return "is empty";
    memory_free(*field);
    *field = memory_text(text);
    return NULL;
}

static const char *read_choice(const struct option_row *option, const char *text, unsigned *field)
{
    for (unsigned value = 1; option->choices[value]; value++) {
        if (!strcmp(text, option->choices[value])) {
            *field = value;
            return NULL;
        }
    }
    return "is not known";
}

static const char *read_kind(const struct option_row *option, const char *text, void *base)
{
    const struct kind *kind = kind_find(option->registry, text);
    if (!kind)
        return "is not known";
    option_set_kind(option, base, kind);
    return NULL;
}

bool option_read(const struct option_row *option, size_t element, const char *text, void *base, struct error *error)
{
    void *field = option_field(option, base);
    const char *wrong = NULL;
    switch (option->type) {
    case OPTION_UNSIGNED:
        wrong = read_unsigned(option, text, field);
        break;
    case OPTION_REAL:
    case OPTION_PAIR:
        wrong = read_real(option, text, (double *)field + element);
        break;
    case OPTION_BOOL:
        wrong = read_bool(text, field);
        break;
    case OPTION_TEXT:
        wrong = read_text(text, field);
        break;
    case OPTION_CHOICE:
        wrong = read_choice(option, text, field);
        break;
    case OPTION_NUMBERS:
        wrong = read_unsigned(option, text, option_item(option, base, element));
        break;
    case OPTION_REALS:
        wrong = read_item(option, text, base, element);
        break;
    case OPTION_TEXTS:
        wrong = read_text(text, option_item(option, base, element));
        break;
    case OPTION_KIND:
        wrong = read_kind(option, text, base);
        break;
    case OPTION_SECTION:
    case OPTION_LIST:
    case OPTION_KIND_KEYS:
        CHECK(false, "a section has no value of its own");
    }
    if (!wrong)
        return true;
    char shown[64];
    option_show(text, shown, sizeof shown);
    struct text allowed;
    text_init(&allowed);
    option_allowed(option, &allowed);
    error_set(error, ERROR_USAGE, "'%s' %s; allowed: %s", shown, wrong, text_bytes(&allowed));
    text_release(&allowed);
    return false;
}

/* Of what is made: what somebody may have written for another to replace. */
static bool check_made(enum option_path kind, const char *path, struct error *error)
{
    size_t length = strlen(path);
    const char *sign = strpbrk(path, "$*?`{}");
    if (sign)
        return error_set(error, ERROR_USAGE,
                         "nothing is expanded here, and '%c' cannot be part of the name of what is made; write the "
                         "path out, or let the shell do it, with --set",
                         *sign);
    for (const char *percent = strchr(path, '%'); percent; percent = strchr(percent + 1, '%'))
        if (percent[1] && strchr(kind == PATH_OF_NODE ? "AaJjNux" : "AaJjNnux", percent[1]))
            return error_set(error, ERROR_USAGE,
                             "%.2s is not replaced here as in the names of Slurm's outputs; write the path out, or let "
                             "the shell do it, as with --set run=runs/$SLURM_JOB_ID%s",
                             percent, percent[1] == 'n' ? " (%n is for checkpoint.local)" : "");
    return (*path != ' ' && (length == 0 || path[length - 1] != ' ')) ||
           error_set(error, ERROR_USAGE, "'%s' begins or ends with a blank, which a path seldom means", path);
}

bool option_check_path(enum option_path kind, const char *path, struct error *error)
{
    static const char names[] = "{ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";
    for (size_t i = 0, length; path[i]; i += length) {
        uint32_t character = 0;
        length = utf8_decode(path + i, strnlen(path + i, UTF8_BYTES), &character);
        if (length == 0 || !utf8_is_visible(character))
            return error_set(error, ERROR_USAGE, "a control character cannot be part of a path (U+%04X at byte %zu)",
                             (unsigned)character, i + 1);
    }
    if (*path == '~')
        return error_set(error, ERROR_USAGE, "a leading ~ is not expanded here; write the path out");
    for (const char *dollar = strchr(path, '$'); dollar; dollar = strchr(dollar + 1, '$')) {
        size_t length = 1 + strspn(dollar + 1, names);
        length += dollar[1] == '{' && dollar[length] == '}';
        if (length > 1)
            return error_set(error, ERROR_USAGE,
                             "%.*s is not expanded here, where its value may be another one on the next node or at the "
                             "next start; write the path out, or let the shell do it, with --set",
                             (int)length, dollar);
    }
    return kind == PATH_READ || check_made(kind, path, error);
}

static void allowed_reals(const struct option_row *option, struct text *words)
{
    bool from = isfinite(option->low), to = isfinite(option->high);
    if (!from && !to)
        text_append(words, "any finite number");
    if (from)
        text_append(words, option->above ? "more than %g" : to ? "%g" : "%g or more", option->low);
    if (to)
        text_append(words, option->below ? " to less than %g" : " to %g", option->high);
}

void option_allowed(const struct option_row *option, struct text *words)
{
    for (const struct option_word *word = option->words; word && word->word; word++)
        text_append(words, "%s, ", word->word);
    switch (option->type) {
    case OPTION_UNSIGNED:
    case OPTION_NUMBERS:
        text_append(words, "%llu", (unsigned long long)option->least);
        if (option->most == UINT64_MAX)
            text_append(words, " or more");
        else
            text_append(words, " to %llu", (unsigned long long)option->most);
        break;
    case OPTION_REAL:
    case OPTION_PAIR:
    case OPTION_REALS:
        allowed_reals(option, words);
        break;
    case OPTION_BOOL:
        for (size_t i = 0; i < BOOL_WORDS; i++)
            text_append(words, "%s%s", i ? ", " : "", bool_words[i].word);
        break;
    case OPTION_TEXT:
        text_append(words, "a text");
        break;
    case OPTION_TEXTS:
        text_append(words, "texts");
        break;
    case OPTION_CHOICE:
        for (unsigned value = 1; option->choices[value]; value++)
            text_append(words, "%s%s", value > 1 ? ", " : "", option->choices[value]);
        break;
    case OPTION_KIND:
        for (size_t i = 0; option->registry->kinds[i]; i++)
            text_append(words, "%s%s", i ? ", " : "", option->registry->kinds[i]->name);
        break;
    case OPTION_SECTION:
    case OPTION_LIST:
    case OPTION_KIND_KEYS:
        CHECK(false, "a section has no value of its own");
    }
}

/* The shorter of two precisions that gives the same bits back. With a point always: to other YAML 1.1 readers 1e-05 is
 * a word. */
static void write_real(double value, struct text *yaml)
{
    char digits[40];
    snprintf(digits, sizeof digits, "%.15g", value);
    if (strtod(digits, NULL) != value)
        snprintf(digits, sizeof digits, "%.17g", value);
    size_t mantissa = strcspn(digits, "e");
    bool point = memchr(digits, '.', mantissa) != NULL;
    text_append(yaml, "%.*s%s%s", (int)mantissa, digits, point ? "" : ".0", digits + mantissa);
}

/* Whether every YAML reader takes the bare text for exactly this text. */
static bool is_plain(const char *text)
{
    static const char *const words[] = {"y", "n", "null"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (!strcasecmp(text, words[i]))
            return false;
    for (size_t i = 0; i < BOOL_WORDS; i++)
        if (!strcasecmp(text, bool_words[i].word))
            return false;
    const char *letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    if (*text != '/' && !memchr(letters, *text, strlen(letters)))
        return false;
    for (; *text; text++)
        if (!memchr(letters, *text, strlen(letters)) && !strchr("0123456789_./-", *text))
            return false;
    return true;
}

/* The character at the start of the text and its length. A byte that is not UTF-8 counts as itself. */
static size_t decode(const char *text, uint32_t *character)
{
    size_t length = utf8_decode(text, strnlen(text, UTF8_BYTES), character);
    if (length == 0)
        *character = (unsigned char)*text;
    return length > 0 ? length : 1;
}

/* YAML 1.1, section 4.1.1: what may stand unescaped; without the line breaks, which a quoted text would fold. */
static bool is_printable(uint32_t point)
{
    if (point == 0x2028 || point == 0x2029 || point == 0xFEFF)
        return false;
    return (point >= 0x20 && point <= 0x7E) || (point >= 0xA0 && point <= 0xD7FF) ||
           (point >= 0xE000 && point <= 0xFFFD) || point >= 0x10000;
}

static void write_text(const char *value, struct text *yaml)
{
    if (is_plain(value)) {
        text_append(yaml, "%s", value);
        return;
    }
    text_append(yaml, "\"");
    while (*value) {
        uint32_t point;
        size_t bytes = decode(value, &point);
        bool raw = is_printable(point) && (bytes > 1 || point < 0x80);
        if (*value == '"' || *value == '\\')
            text_append(yaml, "\\%c", *value);
        else if (raw)
            text_append(yaml, "%.*s", (int)bytes, value);
        else
            text_append(yaml, point < 0x100 ? "\\x%02x" : "\\u%04x", point);
        value += bytes;
    }
    text_append(yaml, "\"");
}

static void write_unsigned(const struct option_row *option, uint64_t value, struct text *yaml)
{
    const struct option_word *word = option->words;
    while (word && word->word && word->value != value)
        word++;
    if (word && word->word)
        text_append(yaml, "%s", word->word);
    else
        text_append(yaml, "%llu", (unsigned long long)value);
}

static void write_pair(const double *values, struct text *yaml)
{
    text_append(yaml, "[");
    write_real(values[0], yaml);
    text_append(yaml, ", ");
    write_real(values[1], yaml);
    text_append(yaml, "]");
}

static void write_numbers(const struct option_row *option, const void *base, struct text *yaml)
{
    text_append(yaml, "[");
    for (size_t i = 0; i < option_item_count(option, base); i++) {
        text_append(yaml, "%s", i ? ", " : "");
        write_unsigned(option, *(const uint64_t *)option_item(option, base, i), yaml);
    }
    text_append(yaml, "]");
}

static void write_reals(const struct option_row *option, const void *base, struct text *yaml)
{
    size_t count = option_item_count(option, base);
    const double *values = option_item(option, base, 0);
    for (const struct option_word *word = option->words; count == 1 && word && word->word; word++) {
        if (*values == (double)word->value) {
            text_append(yaml, "%s", word->word);
            return;
        }
    }
    text_append(yaml, "[");
    for (size_t i = 0; i < count; i++) {
        text_append(yaml, "%s", i ? ", " : "");
        write_real(values[i], yaml);
    }
    text_append(yaml, "]");
}

static void write_texts(const struct option_row *option, const void *base, struct text *yaml)
{
    text_append(yaml, "[");
    for (size_t i = 0; i < option_item_count(option, base); i++) {
        text_append(yaml, "%s", i ? ", " : "");
        write_text(*(char *const *)option_item(option, base, i), yaml);
    }
    text_append(yaml, "]");
}

void option_write(const struct option_row *option, const void *base, struct text *yaml)
{
    const void *field = option_field(option, base);
    switch (option->type) {
    case OPTION_UNSIGNED:
        write_unsigned(option, *(const uint64_t *)field, yaml);
        break;
    case OPTION_REAL:
        write_real(*(const double *)field, yaml);
        break;
    case OPTION_PAIR:
        write_pair(field, yaml);
        break;
    case OPTION_BOOL:
        text_append(yaml, "%s", *(const bool *)field ? "true" : "false");
        break;
    case OPTION_TEXT:
        write_text(*(char *const *)field, yaml);
        break;
    case OPTION_CHOICE:
        text_append(yaml, "%s", option->choices[*(const unsigned *)field]);
        break;
    case OPTION_KIND:
        text_append(yaml, "%s", option_kind(option, base)->name);
        break;
    case OPTION_NUMBERS:
        write_numbers(option, base, yaml);
        break;
    case OPTION_REALS:
        write_reals(option, base, yaml);
        break;
    case OPTION_TEXTS:
        write_texts(option, base, yaml);
        break;
    case OPTION_SECTION:
    case OPTION_LIST:
    case OPTION_KIND_KEYS:
        CHECK(false, "a section has no value of its own");
    }
}

void option_show(const char *text, char *shown, size_t bytes)
{
    struct text line;
    text_init(&line);
    text_append_shown(&line, text, strlen(text), BREAKS_NONE);
    size_t fits = bytes - 1;
    if (line.length > fits) {
        fits -= 3;
        while (fits > 0 && ((unsigned char)line.bytes[fits] & 0xC0) == 0x80)
            fits--;
        snprintf(shown, bytes, "%.*s...", (int)fits, line.bytes);
    } else {
        snprintf(shown, bytes, "%s", text_bytes(&line));
    }
    text_release(&line);
}
