/* A tokenizer.json; behind the line "----" a text to encode. What the tokenizer says of itself is the same one, and
 * what was encoded is the text again, unless the tokenizer itself puts spaces in front, leaves something out or
 * normalises. */
#include "base/check.h"
#include "data/tokenizer/tokenizer.h"
#include "fuzz.h"

#include <string.h>

static bool keeps_texts(const struct tokenizer *tokenizer)
{
    bool keeps = tokenizer->form_count == 0;
    for (size_t a = 0; a < 2; a++)
        for (size_t i = 0; i < tokenizer->added[a].count; i++)
            keeps = keeps && !tokenizer->added[a].items[i].takes_left && !tokenizer->added[a].items[i].takes_right;
    for (size_t i = 0; i < tokenizer->cutter.count; i++)
        keeps = keeps && tokenizer->cutter.steps[i].cut == CUT_ALL;
    return keeps;
}

static void check_decoded(const struct tokenizer *tokenizer, const struct token_row *row, const char *text, size_t size)
{
    size_t done = 0, count;
    for (size_t i = 0; i < row->count; i++, done += count) {
        CHECK(row->tokens[i] < tokenizer->tokens.count, "a token lies in the vocabulary");
        const char *bytes = tokenizer_decode(tokenizer, row->tokens[i], &count);
        CHECK(count <= size - done && memcmp(bytes, text + done, count) == 0, "what was encoded is decoded");
    }
    CHECK(done == size, "all that was encoded is decoded");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t first, count;
    const uint8_t *text;
    struct tokenizer tokenizer, again;
    struct token_row row = {0};
    struct error error;
    fuzz_split(data, size, &first, &text, &count);
    if (!tokenizer_open(&tokenizer, (const char *)data, first, &error))
        return 0;
    CHECK(tokenizer_open(&again, tokenizer.content, strlen(tokenizer.content), &error), "the content can be read");
    CHECK(strcmp(again.content, tokenizer.content) == 0, "the content is that of what was read");
    tokenizer_close(&again);
    for (int time = 0; time < 2; time++) { /* the second time words are remembered */
        row.count = 0;
        if (tokenizer_encode(&tokenizer, (const char *)text, count, &row, &error) && keeps_texts(&tokenizer))
            check_decoded(&tokenizer, &row, (const char *)text, count);
    }
    token_row_release(&row);
    tokenizer_close(&tokenizer);
    return 0;
}
