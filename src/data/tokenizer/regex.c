#define PCRE2_CODE_UNIT_WIDTH 8
#include "data/tokenizer/regex.h"

#include "base/memory.h"
#include "base/text.h"

#include <ctype.h>
#include <pcre2.h>
#include <stdio.h>
#include <string.h>

/* A pattern on its way to PCRE2. */
struct reading {
    const char *at; /* what has not been read yet */
    struct text out;
    bool in_class; /* between [ and ] */
};

static bool refuse(const struct reading *reading, struct error *error)
{
    return error_set(error, ERROR_USAGE,
                     "the regular expression has something at '%.12s' that lockstep does not know to mean the same as "
                     "for Hugging Face's tokenizers",
                     reading->at);
}

/* Takes `count` bytes as they are. */
static bool pass(struct reading *reading, size_t count)
{
    text_append_bytes(&reading->out, reading->at, count);
    reading->at += count;
    return true;
}

/* \p{L}, \P{Nd}: a general category. Names of scripts and such are not the same everywhere. */
static bool pass_category(struct reading *reading, struct error *error)
{
    const char *name = reading->at + 3;
    size_t letters = reading->at[2] == '{' ? strcspn(name, "}") : 0;
    if (letters < 1 || letters > 2 || name[letters] != '}' || !isalpha((unsigned char)name[0]) ||
        (letters == 2 && !isalpha((unsigned char)name[1])))
        return refuse(reading, error);
    return pass(reading, 3 + letters + 1);
}

/* \s of PCRE2 is also U+180E, which is no white space any more since Unicode 6.3. */
static bool pass_escape(struct reading *reading, struct error *error)
{
    char next = reading->at[1];
    if (next == 'p' || next == 'P')
        return pass_category(reading, error);
    if (next == 's' || next == 'S') {
        text_append(&reading->out, "\\%c{White_Space}", next == 's' ? 'p' : 'P');
        reading->at += 2;
        return true;
    }
    bool same = next && (strchr("rntdD", next) || ispunct((unsigned char)next));
    return same ? pass(reading, 2) : refuse(reading, error);
}

static bool pass_group(struct reading *reading, struct error *error)
{
    static const char *const openings[] = {"(?:", "(?i:", "(?=", "(?!", "(?<=", "(?<!", "(?>"};
    for (size_t i = 0; i < sizeof openings / sizeof *openings; i++)
        if (strncmp(reading->at, openings[i], strlen(openings[i])) == 0)
            return pass(reading, strlen(openings[i]));
    return reading->at[1] == '?' || reading->at[1] == '*' ? refuse(reading, error) : pass(reading, 1);
}

/* {3}, {1,} or {1,3}; another quantifier behind it means something else to the two. */
static bool pass_interval(struct reading *reading, struct error *error)
{
    size_t digits = strspn(reading->at + 1, "0123456789"), length = 1 + digits;
    if (reading->at[length] == ',')
        length += 1 + strspn(reading->at + length + 1, "0123456789");
    if (digits == 0 || reading->at[length] != '}' ||
        (reading->at[length + 1] && strchr("+?*{", reading->at[length + 1])))
        return refuse(reading, error);
    return pass(reading, length + 1);
}

/* Sets in sets, and their intersections, PCRE2 does not have. */
static bool pass_in_class(struct reading *reading, struct error *error)
{
    if (*reading->at == '[' || strncmp(reading->at, "&&", 2) == 0)
        return refuse(reading, error);
    reading->in_class = *reading->at != ']';
    return pass(reading, 1);
}

static bool open_class(struct reading *reading, struct error *error)
{
    size_t length = reading->at[1] == '^' ? 2 : 1;
    reading->in_class = true;
    return reading->at[length] == ']' ? refuse(reading, error) : pass(reading, length);
}

static bool translate(struct reading *reading, struct error *error)
{
    bool ok = true;
    while (ok && *reading->at) {
        char c = *reading->at;
        if (c == '\\')
            ok = pass_escape(reading, error);
        else if (reading->in_class)
            ok = pass_in_class(reading, error);
        else if (c == '[')
            ok = open_class(reading, error);
        else if (c == '(')
            ok = pass_group(reading, error);
        else if (c == '{')
            ok = pass_interval(reading, error);
        else
            ok = c == '^' || c == '$' ? refuse(reading, error) : pass(reading, 1);
    }
    return ok;
}

static bool compile(struct regex *regex, const struct text *pattern, struct error *error)
{
    int number;
    PCRE2_SIZE offset;
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    if (!context)
        memory_none(0, __func__);
    pcre2_set_newline(context, PCRE2_NEWLINE_LF);
    regex->code = pcre2_compile((PCRE2_SPTR)text_bytes(pattern), pattern->length, PCRE2_UTF | PCRE2_UCP, &number,
                                &offset, context);
    pcre2_compile_context_free(context);
    if (!regex->code) {
        PCRE2_UCHAR words[256] = "";
        pcre2_get_error_message(number, words, sizeof words);
        return error_set(error, ERROR_USAGE, "the regular expression is none: %s", (const char *)words);
    }
    /* Where a system allows no compiled code it is interpreted: slower, with the same answers. */
    (void)pcre2_jit_compile(regex->code, PCRE2_JIT_COMPLETE);
    regex->match = pcre2_match_data_create_from_pattern(regex->code, NULL);
    if (!regex->match)
        memory_none(0, __func__);
    return true;
}

bool regex_init(struct regex *regex, const char *pattern, struct error *error)
{
    struct reading reading = {.at = pattern};
    *regex = (struct regex){0};
    bool ok = translate(&reading, error) && compile(regex, &reading.out, error);
    text_release(&reading.out);
    return ok;
}

void regex_release(struct regex *regex)
{
    pcre2_match_data_free(regex->match);
    pcre2_code_free(regex->code);
    *regex = (struct regex){0};
}

enum regex_answer regex_find(struct regex *regex, const char *text, size_t count, size_t offset, size_t *begin,
                             size_t *end, struct error *error)
{
    int answer = pcre2_match(regex->code, (PCRE2_SPTR)text, count, offset, PCRE2_NO_UTF_CHECK, regex->match, NULL);
    if (answer == PCRE2_ERROR_NOMATCH)
        return REGEX_NONE;
    if (answer < 0) {
        PCRE2_UCHAR words[256] = "";
        pcre2_get_error_message(answer, words, sizeof words);
        error_set(error, ERROR_USAGE, "the regular expression fails at byte %zu of %zu: %s", offset, count,
                  (const char *)words);
        return REGEX_FAILED;
    }
    const PCRE2_SIZE *places = pcre2_get_ovector_pointer(regex->match);
    *begin = places[0];
    *end = places[1];
    return REGEX_FOUND;
}
