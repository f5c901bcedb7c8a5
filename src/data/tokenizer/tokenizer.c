#include "data/tokenizer/tokenizer.h"

#include "base/memory.h"
#include "base/utf8.h"

#include <inttypes.h>
#include <string.h>

#define WORD_MOST  64                /* bytes of a word that is remembered */
#define WORDS_MOST ((size_t)1 << 17) /* that are remembered; then it begins anew */

void tokenizer_close(struct tokenizer *tokenizer)
{
    strings_release(&tokenizer->tokens);
    memory_free(tokenizer->content);
    merges_release(&tokenizer->merges);
    cutter_release(&tokenizer->cutter);
    for (size_t i = 0; i < 2; i++)
        phrases_release(&tokenizer->added[i]);
    merging_release(&tokenizer->merging);
    strings_release(&tokenizer->words);
    token_row_release(&tokenizer->merged);
    memory_free(tokenizer->ends);
    strings_release(&tokenizer->normalised);
    for (size_t i = 0; i < 2; i++)
        text_release(&tokenizer->piece[i]);
    *tokenizer = (struct tokenizer){0};
}

bool token_row_reserve(struct token_row *row, size_t more, struct error *error)
{
    if (row->capacity - row->count >= more)
        return true;
    size_t capacity = 2 * row->capacity > row->count + more ? 2 * row->capacity : row->count + more;
    uint32_t *tokens = memory_alloc(capacity, sizeof *tokens, "the tokens of a text", error);
    if (!tokens)
        return false;
    if (row->count > 0)
        memcpy(tokens, row->tokens, row->count * sizeof *tokens);
    memory_free(row->tokens);
    row->tokens = tokens;
    row->capacity = capacity;
    return true;
}

void token_row_release(struct token_row *row)
{
    memory_free(row->tokens);
    *row = (struct token_row){0};
}

static bool append(struct token_row *row, const uint32_t *tokens, size_t count, struct error *error)
{
    if (!token_row_reserve(row, count, error))
        return false;
    memcpy(row->tokens + row->count, tokens, count * sizeof *tokens);
    row->count += count;
    return true;
}

const char *tokenizer_decode(const struct tokenizer *tokenizer, uint32_t token, size_t *count)
{
    return strings_at(&tokenizer->tokens, token, count);
}

/* Encoding, on its way. */
struct encoding {
    struct tokenizer *tokenizer;
    struct token_row *row;
};

/* Appends the tokens of a word that is not remembered. */
static bool merge_word(const struct encoding *encoding, const char *word, size_t count, struct error *error)
{
    struct tokenizer *tokenizer = encoding->tokenizer;
    struct token_row *row = encoding->row;
    uint32_t whole;
    if (tokenizer->takes_whole_words && strings_find(&tokenizer->tokens, word, count, &whole))
        return append(row, &whole, 1, error);
    if (!token_row_reserve(row, count, error))
        return false;
    uint32_t *tokens = row->tokens + row->count;
    for (size_t i = 0; i < count; i++) {
        tokens[i] = tokenizer->of_byte[(uint8_t)word[i]];
        if (tokens[i] == TOKENIZER_NONE)
            return error_set(error, ERROR_USAGE, "the tokenizer has no token for the byte 0x%02x, which the text has",
                             (unsigned)(uint8_t)word[i]);
    }
    row->count += merges_apply(&tokenizer->merges, &tokenizer->merging, tokens, count);
    return true;
}

static bool remember(struct tokenizer *tokenizer, const char *word, size_t count, const uint32_t *tokens, size_t n,
                     struct error *error)
{
    if (tokenizer->words.count == WORDS_MOST) {
        strings_clear(&tokenizer->words);
        tokenizer->merged.count = 0;
    }
    if (!append(&tokenizer->merged, tokens, n, error))
        return false;
    tokenizer->ends = memory_grow(tokenizer->ends, tokenizer->words.count, &tokenizer->ends_capacity,
                                  sizeof *tokenizer->ends);
    tokenizer->ends[tokenizer->words.count] = tokenizer->merged.count;
    strings_add(&tokenizer->words, word, count, true);
    return true;
}

static bool encode_word(void *context, const char *word, size_t count, struct error *error)
{
    const struct encoding *encoding = context;
    struct tokenizer *tokenizer = encoding->tokenizer;
    struct token_row *row = encoding->row;
    uint32_t known;
    if (count <= WORD_MOST && strings_find(&tokenizer->words, word, count, &known)) {
        size_t begin = known ? tokenizer->ends[known - 1] : 0;
        return append(row, tokenizer->merged.tokens + begin, tokenizer->ends[known] - begin, error);
    }
    size_t before = row->count;
    return merge_word(encoding, word, count, error) &&
           (count > WORD_MOST || remember(tokenizer, word, count, row->tokens + before, row->count - before, error));
}

/* ---- between added tokens ---- */

/* The character that ends where the text[count] does, and its length; count > 0. */
static size_t last_character(const char *text, size_t count, uint32_t *character)
{
    size_t length = 1;
    while (length < count && ((uint8_t)text[count - length] & 0xC0) == 0x80)
        length++;
    return utf8_decode(text + count - length, length, character);
}

/* Whether no character of a word stands before or behind [begin, end). */
static bool stands_alone(const char *text, size_t count, size_t begin, size_t end)
{
    uint32_t character;
    if (begin > 0 && last_character(text, begin, &character) > 0 && unicode_is_word(character))
        return false;
    return end == count || utf8_decode(text + end, count - end, &character) == 0 || !unicode_is_word(character);
}

/* Where the white space begins that ends at `end`; where that ends that begins at `begin`. */
static size_t spaces_before(const char *text, size_t end)
{
    uint32_t character;
    for (size_t length; end > 0; end -= length) {
        length = last_character(text, end, &character);
        if (length == 0 || !unicode_is_space(character))
            break;
    }
    return end;
}

static size_t spaces_behind(const char *text, size_t count, size_t begin)
{
    uint32_t character;
    for (size_t length; begin < count; begin += length) {
        length = utf8_decode(text + begin, count - begin, &character);
        if (length == 0 || !unicode_is_space(character))
            break;
    }
    return begin;
}

/* The text in all forms; *text and *count become those of what stands in one of the two pieces. */
static bool normalise(struct tokenizer *tokenizer, const char **text, size_t *count, struct error *error)
{
    for (size_t f = 0; f < tokenizer->form_count; f++) {
        struct text *piece = &tokenizer->piece[f % 2];
        piece->length = 0;
        if (!unicode_normalise(tokenizer->forms[f], *text, *count, piece, error))
            return false;
        *text = text_bytes(piece);
        *count = piece->length;
    }
    return true;
}

/* Cuts the text at the phrases of a level, and goes on with what lies between them: as the library's own
 * AddedVocabulary.find_matches, which looks for the next one behind the phrase itself, not behind its white space. */
static bool encode_between(struct encoding *encoding, size_t level, const char *text, size_t count, struct error *error)
{
    struct tokenizer *tokenizer = encoding->tokenizer;
    if (level == 2)
        return cutter_run(&tokenizer->cutter, text, count, encode_word, encoding, error);
    if (level == 1 && !normalise(tokenizer, &text, &count, error))
        return false;
    const struct phrase *phrase;
    size_t done = 0, from = 0, place;
    while ((phrase = phrases_find(&tokenizer->added[level], text + from, count - from, &place))) {
        size_t begin = from + place, end = begin + phrase->count;
        from = end;
        if (phrase->alone && !stands_alone(text, count, begin, end))
            continue;
        begin = phrase->takes_left ? spaces_before(text, begin) : begin;
        if (begin > done && !encode_between(encoding, level + 1, text + done, begin - done, error))
            return false;
        if (!append(encoding->row, &phrase->token, 1, error))
            return false;
        done = phrase->takes_right ? spaces_behind(text, count, end) : end;
    }
    return encode_between(encoding, level + 1, text + done, count - done, error);
}

bool tokenizer_encode(struct tokenizer *tokenizer, const char *text, size_t count, struct token_row *row,
                      struct error *error)
{
    struct encoding encoding = {tokenizer, row};
    size_t whole = utf8_whole(text, count);
    if (whole < count)
        return error_set(error, ERROR_CORRUPT,
                         "it is not UTF-8: no whole character begins with byte 0x%02x at offset %zu",
                         (unsigned)(uint8_t)text[whole], whole);
    return encode_between(&encoding, 0, text, count, error);
}
