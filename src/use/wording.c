#include "use/wording.h"

#include "base/utf8.h"
#include "data/text_tokenizer.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* The characters of a vocabulary are its tokens, in their order. */
static bool take_characters(struct wording *wording, const char *vocabulary, struct error *error)
{
    size_t rest = strlen(vocabulary), length;
    for (uint32_t character; rest > 0; rest -= length, vocabulary += length) {
        length = utf8_decode(vocabulary, rest, &character);
        if (length == 0)
            break;
        strings_add(&wording->characters, vocabulary, length, true);
    }
    return (rest == 0 && wording->characters.count == wording->vocabulary) ||
           error_set(error, ERROR_CORRUPT, "its vocabulary is not that of its model");
}

/* The tokenizer of the training data, or that of a file. */
static bool take_tokenizer(struct wording *wording, const char *path, const struct description *about,
                           struct error *error)
{
    struct watched watched = {0};
    bool ok = text_tokenizer_open(&wording->tokenizer, path, path ? NULL : about, &watched, error);
    watched_release(&watched);
    wording->has_tokenizer = ok;
    return ok && (wording->tokenizer.tokens.count <= wording->vocabulary ||
                  error_set(error, ERROR_USAGE, "the tokenizer has %zu tokens, but the model knows %zu",
                            wording->tokenizer.tokens.count, wording->vocabulary));
}

bool wording_open(struct wording *wording, const struct description *about, const char *tokenizer, struct error *error)
{
    *wording = (struct wording){.vocabulary = about->form.vocabulary};
    bool has_words = about->vocabulary || about->tokenizer, ok = true;
    if (tokenizer && has_words)
        return error_set(error, ERROR_USAGE,
                         "--tokenizer is for models of numbers: this one has its own %s in the checkpoint",
                         about->tokenizer ? "tokenizer" : "characters");
    if (about->tokenizer || tokenizer)
        ok = take_tokenizer(wording, tokenizer, about, error);
    else if (about->vocabulary)
        ok = take_characters(wording, about->vocabulary, error);
    if (!ok)
        wording_close(wording);
    return ok;
}

void wording_close(struct wording *wording)
{
    if (wording->has_tokenizer)
        tokenizer_close(&wording->tokenizer);
    strings_release(&wording->characters);
    *wording = (struct wording){0};
}

static bool encode_characters(const struct wording *wording, const char *text, struct token_row *row,
                              struct error *error)
{
    for (size_t length; *text; text += length) {
        uint32_t character, token;
        length = utf8_decode(text, strnlen(text, UTF8_BYTES), &character);
        if (length == 0)
            return error_set(error, ERROR_USAGE, "the prompt is not UTF-8");
        if (!strings_find(&wording->characters, text, length, &token))
            return error_set(error, ERROR_USAGE,
                             "the prompt has the character %.*s (U+%04" PRIX32
                             "), which does not occur in the training "
                             "text",
                             utf8_is_visible(character) ? (int)length : 0, text, character);
        if (!token_row_reserve(row, 1, error))
            return false;
        row->tokens[row->count++] = token;
    }
    return true;
}

static bool encode_numbers(const struct wording *wording, const char *text, struct token_row *row, struct error *error)
{
    for (text += strspn(text, " ,\t\n"); *text; text += strspn(text, " ,\t\n")) {
        char *end;
        unsigned long long token = strtoull(text, &end, 10);
        if (end == text || token >= wording->vocabulary || *text == '-')
            return error_set(error, ERROR_USAGE,
                             "the prompt of a model of numbers are numbers from 0 to %zu, or a text and --tokenizer "
                             "FILE; there: '%.20s'",
                             wording->vocabulary - 1, text);
        if (!token_row_reserve(row, 1, error))
            return false;
        row->tokens[row->count++] = (uint32_t)token;
        text = end;
    }
    return true;
}

bool wording_encode(struct wording *wording, const char *text, struct token_row *row, struct error *error)
{
    if (wording->has_tokenizer)
        return tokenizer_encode(&wording->tokenizer, text, strlen(text), row, error) ||
               error_prefix(error, "the prompt: ");
    return wording->characters.count > 0 ? encode_characters(wording, text, row, error)
                                         : encode_numbers(wording, text, row, error);
}

void wording_append(const struct wording *wording, uint32_t token, struct text *words)
{
    size_t count = 0;
    const char *bytes = NULL;
    if (!wording->has_tokenizer && wording->characters.count == 0) {
        text_append(words, "%" PRIu32 " ", token);
        return;
    }
    if (!wording->has_tokenizer)
        bytes = strings_at(&wording->characters, token, &count);
    else if (token < wording->tokenizer.tokens.count) /* a vocabulary may be filled up with tokens that are none */
        bytes = tokenizer_decode(&wording->tokenizer, token, &count);
    for (size_t i = 0; i < count; i++) /* a text ends at a NUL: what the model means by it is not seen anyway */
        text_append_bytes(words, bytes[i] ? &bytes[i] : "\xEF\xBF\xBD", bytes[i] ? 1 : 3);
}
