#include "data/tokenizer/unicode.h"

#include <stdlib.h>
#include <utf8proc.h>

const char *const unicode_form_names[UNICODE_FORMS] = {
    [UNICODE_NFC] = "NFC", [UNICODE_NFD] = "NFD", [UNICODE_NFKC] = "NFKC", [UNICODE_NFKD] = "NFKD"};

/* STABLE: what is composed is what every version of Unicode composes. */
static const utf8proc_option_t options[UNICODE_FORMS] = {
    [UNICODE_NFC] = UTF8PROC_STABLE | UTF8PROC_COMPOSE,
    [UNICODE_NFD] = UTF8PROC_STABLE | UTF8PROC_DECOMPOSE,
    [UNICODE_NFKC] = UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT,
    [UNICODE_NFKD] = UTF8PROC_STABLE | UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT,
};

static bool is_ascii(char byte)
{
    return (uint8_t)byte < 0x80;
}

static bool map(enum unicode_form form, const char *text, size_t count, struct text *to, struct error *error)
{
    utf8proc_uint8_t *mapped = NULL;
    utf8proc_ssize_t length = utf8proc_map((const utf8proc_uint8_t *)text, (utf8proc_ssize_t)count, &mapped,
                                           options[form]);
    if (length < 0)
        return error_set(error, ERROR_IO, "a text cannot be normalised: %s", utf8proc_errmsg(length));
    text_append_bytes(to, (const char *)mapped, (size_t)length);
    free(mapped);
    return true;
}

/* A character of ASCII stays as it is, and composes with nothing before it, but with marks behind it: so the text is
 * cut before each, and those with nothing but ASCII behind them are but copied. */
bool unicode_normalise(enum unicode_form form, const char *text, size_t count, struct text *to, struct error *error)
{
    size_t at = 0, end;
    while (at < count) {
        size_t plain = at;
        while (plain < count && is_ascii(text[plain]))
            plain++;
        if (plain < count && plain > at) /* the last one belongs to what comes */
            plain--;
        text_append_bytes(to, text + at, plain - at);
        for (end = plain < count ? plain + 1 : plain; end < count && !is_ascii(text[end]);)
            end++;
        if (end > plain && !map(form, text + plain, end - plain, to, error))
            return false;
        at = end;
    }
    return true;
}

struct range {
    uint32_t first, last;
};

static bool is_among(const struct range *ranges, size_t count, uint32_t character)
{
    for (size_t i = 0; i < count; i++)
        if (character >= ranges[i].first && character <= ranges[i].last)
            return true;
    return false;
}

#define COUNT(a) (sizeof(a) / sizeof *(a))

bool unicode_is_word(uint32_t character)
{
    /* Other_Alphabetic beside the marks (PropList.txt): letters in circles and squares. Join_Control. */
    static const struct range others[] = {
        {0x200C, 0x200D}, {0x24B6, 0x24E9}, {0x1F130, 0x1F149}, {0x1F150, 0x1F169}, {0x1F170, 0x1F189}};
    switch (utf8proc_category((utf8proc_int32_t)character)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_PC:
        return true;
    default:
        return is_among(others, COUNT(others), character);
    }
}

bool unicode_is_space(uint32_t character)
{
    static const struct range spaces[] = {{0x09, 0x0D},     {0x20, 0x20},     {0x85, 0x85},     {0xA0, 0xA0},
                                          {0x1680, 0x1680}, {0x2000, 0x200A}, {0x2028, 0x2029}, {0x202F, 0x202F},
                                          {0x205F, 0x205F}, {0x3000, 0x3000}};
    return is_among(spaces, COUNT(spaces), character);
}
