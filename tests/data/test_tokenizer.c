#include "base/memory.h"
#include "base/rng.h"
#include "base/utf8.h"
#include "data/small_tokenizer.h"
#include "data/tokenizer/tokenizer.h"
#include "support/test.h"

#include <stdio.h>
#include <string.h>

#define ADDED(id, content, normalized)                                                                                 \
    "{\"id\":" #id ",\"content\":\"" content "\",\"single_word\":false,\"lstrip\":false,\"rstrip\":false,"             \
    "\"normalized\":" #normalized ",\"special\":true}"

/* As Llama 3 cuts a text. */
#define LLAMA3                                                                                                         \
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\\\r\\\\n\\\\p{L}\\\\p{N}]?\\\\p{L}+|\\\\p{N}{1,3}|"                              \
    " ?[^\\\\s\\\\p{L}\\\\p{N}]+[\\\\r\\\\n]*|\\\\s*[\\\\r\\\\n]+|\\\\s+(?!\\\\S)|\\\\s+"
#define BYTES_ALONE "{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"trim_offsets\":true,\"use_regex\":false}"
#define SPLIT(regex)                                                                                                   \
    "{\"type\":\"Split\",\"pattern\":{\"Regex\":\"" regex "\"},\"behavior\":\"Isolated\",\"invert\":false}"
#define SEQUENCE(step, bytes) "{\"type\":\"Sequence\",\"pretokenizers\":[" step "," bytes "]}"

static const struct small_tokenizer
    gpt2 = {0},
    spaced = {.pre_tokenizer = "{\"type\":\"ByteLevel\",\"add_prefix_space\":true,"
                               "\"trim_offsets\":true,\"use_regex\":true}"},
    llama = {.pre_tokenizer = SEQUENCE(SPLIT(LLAMA3), BYTES_ALONE), .pairs = true, .takes_whole_words = true},
    digits = {.pre_tokenizer = SEQUENCE("{\"type\":\"Digits\",\"individual_digits\":true}", SMALL_BYTES)},
    alone = {.pre_tokenizer = BYTES_ALONE},
    phrases = {.added = "[" ADDED(285, SMALL_END, true) "," ADDED(286, "<|end", true) "," ADDED(287, "|>", false) "]"};

static bool opens(const struct small_tokenizer *small, struct tokenizer *tokenizer, struct error *error)
{
    struct text json;
    text_init(&json);
    small_tokenizer_write(small, &json);
    bool ok = tokenizer_open(tokenizer, json.bytes, json.length, error);
    text_release(&json);
    return ok;
}

static void open_small(const struct small_tokenizer *small, struct tokenizer *tokenizer)
{
    struct error error;
    bool ok = opens(small, tokenizer, &error);
    if (!ok)
        printf("%s\n", error.text);
    CU_ASSERT_FATAL(ok);
}

static struct token_row encode(struct tokenizer *tokenizer, const char *text)
{
    struct token_row row = {0};
    struct error error;
    CU_ASSERT_FATAL(tokenizer_encode(tokenizer, text, strlen(text), &row, &error));
    return row;
}

/* Whether the tokens stand for this text. */
static bool stand_for(const struct tokenizer *tokenizer, const struct token_row *row, const char *text, size_t count)
{
    struct text decoded;
    text_init(&decoded);
    for (size_t i = 0; i < row->count; i++) {
        size_t length;
        const char *bytes = tokenizer_decode(tokenizer, row->tokens[i], &length);
        text_append_bytes(&decoded, bytes, length);
    }
    bool same = decoded.length == count && memcmp(text_bytes(&decoded), text, count) == 0;
    text_release(&decoded);
    return same;
}

/* What tokenizers 0.22 of Hugging Face makes of it. */
static void texts_become_the_tokens_of_the_library(void)
{
    static const char text[] =
        "hello\nThe then hello\u180ethere's IT'S 'll  12345\r\n\n\n\taaaaaaa\u00a0\u00e9\u0301 \u00e9\U0001F600"
        "\u4e2d\u6587    x\u2003<|end|> the<|end|><|end>\u00b2baaa";
    static const struct {
        const struct small_tokenizer *small;
        const char *tokens;
    } cases[] = {
        {&gpt2,
         "257 267 78 198 51 257 258 77 220 257 267 78 157 254 236 83 257 260 265 220 40 51 6 50 220 6 267 220 220 270 "
         "19 20 201 271 198 197 274 273 64 126 254 275 136 223 276 278 222 280 162 244 229 263 220 220 87 158 222 225 "
         "285 258 285 281 282 67 29 126 110 283 64 "},
        {&spaced,
         "220 257 267 78 198 51 257 258 77 220 257 267 78 157 254 236 83 257 260 265 220 40 51 6 50 220 6 267 220 220 "
         "270 19 20 201 271 198 197 274 273 64 126 254 275 136 223 276 278 222 280 162 244 229 263 220 220 87 158 222 "
         "225 285 258 285 220 281 282 67 29 126 110 283 64 "},
        {&llama, "284 198 51 257 258 77 220 257 267 78 157 254 236 83 257 260 265 220 40 51 266 220 6 267 220 220 270 "
                 "19 20 201 271 198 197 274 273 64 126 254 275 136 223 276 278 222 280 162 244 229 263 220 220 87 158 "
                 "222 225 285 258 285 281 282 67 29 126 110 283 64 "},
        {&digits, "257 267 78 198 51 257 258 77 220 257 267 78 157 254 236 83 257 260 265 220 40 51 6 50 220 6 267 263 "
                  "16 17 18 19 20 201 271 198 197 274 273 64 126 254 275 136 223 276 278 222 280 162 244 229 263 220 "
                  "220 87 158 222 225 285 258 285 281 282 67 29 126 110 283 64 "},
        {&phrases, "257 267 78 198 51 257 258 77 220 257 267 78 157 254 236 83 257 260 265 220 40 51 6 50 220 6 267 "
                   "220 220 270 19 20 201 271 198 197 274 273 64 126 254 275 136 223 276 278 222 280 162 244 229 263 "
                   "220 220 87 158 222 225 286 287 258 286 287 286 29 126 110 283 64 "},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tokenizer tokenizer;
        struct text tokens;
        open_small(cases[i].small, &tokenizer);
        text_init(&tokens);
        for (int again = 0; again < 2; again++) { /* the second time words are remembered */
            struct token_row row = encode(&tokenizer, text);
            tokens.length = 0;
            for (size_t t = 0; t < row.count; t++)
                text_append(&tokens, "%u ", row.tokens[t]);
            CU_ASSERT_STRING_EQUAL(text_bytes(&tokens), cases[i].tokens);
            CU_ASSERT(cases[i].small == &spaced || stand_for(&tokenizer, &row, text, strlen(text)));
            token_row_release(&row);
        }
        text_release(&tokens);
        tokenizer_close(&tokenizer);
        tokenizer_close(&tokenizer);
    }
}

/* The definition, word for word: the first merge of the list that any neighbours have, at its leftmost place. */
static size_t merge_plainly(const struct merge *merges, size_t merge_count, uint32_t *tokens, size_t count)
{
    for (size_t m = 0; m < merge_count; m++)
        for (size_t i = 0; i + 1 < count; i++)
            if (tokens[i] == merges[m].left && tokens[i + 1] == merges[m].right) {
                tokens[i] = merges[m].result;
                memmove(tokens + i + 1, tokens + i + 2, (count - i - 2) * sizeof *tokens);
                return merge_plainly(merges, merge_count, tokens, count - 1);
            }
    return count;
}

static uint32_t draw(uint64_t *counter, size_t below)
{
    uint32_t words[4];
    rng_words(1, (*counter)++, 0, words);
    return (uint32_t)(words[0] % below);
}

static void merging_follows_the_definition(void)
{
    enum { LETTERS_HERE = 3, MERGES = 12, WORD = 24, TRIALS = 3000 };
    uint64_t drawn = 0;
    size_t strange = 0, merged = 0;
    for (size_t trial = 0; trial < TRIALS; trial++) {
        struct merge list[MERGES];
        struct merges merges;
        struct merging merging = {0};
        uint32_t tokens[WORD], plain[WORD];
        merges_init(&merges, MERGES);
        size_t kept = 0;
        for (uint32_t m = 0; m < MERGES; m++) {
            uint32_t left = draw(&drawn, LETTERS_HERE + kept);
            uint32_t right = draw(&drawn, LETTERS_HERE + kept);
            bool is_new = true;
            for (size_t i = 0; i < kept; i++)
                is_new = is_new && (list[i].left != left || list[i].right != right);
            if (is_new) {
                list[kept] = (struct merge){left, right, LETTERS_HERE + (uint32_t)kept, (uint32_t)kept + 1};
                merges_add(&merges, list[kept++]);
            }
        }
        size_t count = draw(&drawn, WORD) + 1;
        for (size_t i = 0; i < count; i++)
            tokens[i] = plain[i] = draw(&drawn, LETTERS_HERE);
        size_t n = merges_apply(&merges, &merging, tokens, count), wanted = merge_plainly(list, kept, plain, count);
        strange += n != wanted || memcmp(tokens, plain, n * sizeof *tokens) != 0;
        merged += count - n;
        merging_release(&merging);
        merges_release(&merges);
    }
    CU_ASSERT_EQUAL(strange, 0);
    CU_ASSERT(merged > TRIALS);
}

static void a_word_of_a_million_letters_is_merged(void)
{
    enum { COUNT = 1000001 };
    struct tokenizer tokenizer;
    char *text = memory_need(COUNT + 1, 1);
    memset(text, 'a', COUNT);
    open_small(&alone, &tokenizer);
    struct token_row row = encode(&tokenizer, text);
    CU_ASSERT_EQUAL(row.count, COUNT / 4 + 1);
    CU_ASSERT(stand_for(&tokenizer, &row, text, COUNT));
    token_row_release(&row);
    tokenizer_close(&tokenizer);
    memory_free(text);
}

/* Every character there is, between letters and spaces, and behind each other. */
static void every_character_comes_back(void)
{
    struct text text;
    text_init(&text);
    for (uint32_t c = 0; c < UTF8_CODE_POINTS; c++) {
        char utf8[UTF8_BYTES];
        if (c >= 0xD800 && c < 0xE000)
            continue;
        if (c % 3)
            text_append_bytes(&text, c % 3 == 1 ? "a" : " ", 1);
        text_append_bytes(&text, utf8, utf8_encode(c, utf8));
    }
    const struct small_tokenizer *const all[] = {&gpt2, &llama, &digits, &alone, &phrases};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        struct tokenizer tokenizer;
        struct token_row row = {0};
        struct error error;
        open_small(all[i], &tokenizer);
        CU_ASSERT_TRUE(tokenizer_encode(&tokenizer, text.bytes, text.length, &row, &error));
        CU_ASSERT(stand_for(&tokenizer, &row, text.bytes, text.length));
        token_row_release(&row);
        tokenizer_close(&tokenizer);
    }
    text_release(&text);
}

static void what_is_said_in_another_way_is_the_same(void)
{
    static const char first[] = "{\"added_tokens\":[" ADDED(
        3, "<e>", false) "],\"pre_tokenizer\":" SMALL_BYTES ","
                         "\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0,\"b\":1,\"ab\":2},\"merges\":[\"a b\"]}}";
    static const char other[] =
        "{\"model\": {\"merges\": [[\"a\", \"b\"]], \"vocab\": {\"ab\": 2, \"\\u0062\": 1, \"a\": 0}"
        "},\n\"pre_tokenizer\": {\"use_regex\": true, \"trim_offsets\": true, \"add_prefix_space\": false, "
        "\"type\": \"ByteLevel\"}, \"padding\": {}, \"added_tokens\": "
        "[" ADDED(3, "<e>", false) "]}";
    struct tokenizer one, two, again;
    struct error error;
    CU_ASSERT_TRUE_FATAL(tokenizer_open(&one, first, strlen(first), &error));
    CU_ASSERT_TRUE_FATAL(tokenizer_open(&two, other, strlen(other), &error));
    CU_ASSERT_STRING_EQUAL(one.content, two.content);
    CU_ASSERT_TRUE_FATAL(tokenizer_open(&again, one.content, strlen(one.content), &error));
    CU_ASSERT_STRING_EQUAL(again.content, one.content);
    struct token_row row = encode(&again, "ba<e>ab");
    CU_ASSERT(row.count == 4 && row.tokens[0] == 1 && row.tokens[1] == 0 && row.tokens[2] == 3 && row.tokens[3] == 2);
    CU_ASSERT_EQUAL(again.tokens.count, 4);
    token_row_release(&row);
    row = (struct token_row){0};
    CU_ASSERT_FALSE(tokenizer_encode(&again, "abc", 3, &row, &error));
    CU_ASSERT_STRING_EQUAL(error.text, "the tokenizer has no token for the byte 0x63, which the text has");
    CU_ASSERT_FALSE(tokenizer_encode(&again, "ab\xe2\x82", 4, &row, &error));
    CU_ASSERT(error.kind == ERROR_CORRUPT);
    CU_ASSERT_STRING_EQUAL(error.text, "it is not UTF-8: no whole character begins with byte 0xe2 at offset 2");
    token_row_release(&row);
    tokenizer_close(&one);
    tokenizer_close(&two);
    tokenizer_close(&again);
}

static void a_token_may_be_a_part_of_a_character(void)
{
    struct tokenizer tokenizer;
    size_t count;
    open_small(&gpt2, &tokenizer);
    struct token_row row = encode(&tokenizer, "\u4e2d\u4e2e");
    CU_ASSERT_EQUAL_FATAL(row.count, 3);
    CU_ASSERT(memcmp(tokenizer_decode(&tokenizer, row.tokens[0], &count), "\xe4\xb8\xad", 3) == 0 && count == 3);
    CU_ASSERT(memcmp(tokenizer_decode(&tokenizer, row.tokens[1], &count), "\xe4\xb8", 2) == 0 && count == 2);
    CU_ASSERT(memcmp(tokenizer_decode(&tokenizer, row.tokens[2], &count), "\xae", 1) == 0 && count == 1);
    CU_ASSERT(memcmp(tokenizer_decode(&tokenizer, 285, &count), SMALL_END, 7) == 0 && count == 7);
    token_row_release(&row);
    tokenizer_close(&tokenizer);
    /* A key with other characters than the letters of bytes stands for itself. */
    static const char json[] =
        "{\"model\":{\"vocab\":{\"a\":0,\"\\u4e2d\":1},\"merges\":[]},\"pre_tokenizer\":" SMALL_BYTES "}";
    struct error error;
    CU_ASSERT_TRUE_FATAL(tokenizer_open(&tokenizer, json, strlen(json), &error));
    CU_ASSERT(memcmp(tokenizer_decode(&tokenizer, 1, &count), "\u4e2d", 3) == 0 && count == 3);
    tokenizer_close(&tokenizer);
}

/* What a tokenizer makes of a text, as the texts of its tokens, one behind the other; between added tokens "|". */
static void expect_text(const struct small_tokenizer *small, const char *text, const char *expected)
{
    struct tokenizer tokenizer;
    struct text decoded;
    open_small(small, &tokenizer);
    struct token_row row = encode(&tokenizer, text);
    text_init(&decoded);
    for (size_t i = 0; i < row.count; i++) {
        size_t length;
        const char *bytes = tokenizer_decode(&tokenizer, row.tokens[i], &length);
        bool is_added = row.tokens[i] >= small_tokenizer_added();
        text_append(&decoded, is_added ? "|%.*s|" : "%.*s", (int)length, bytes);
    }
    CU_ASSERT_STRING_EQUAL(text_bytes(&decoded), expected);
    text_release(&decoded);
    token_row_release(&row);
    tokenizer_close(&tokenizer);
}

#define FORM(name) "{\"type\":\"" name "\"}"

/* Some lines of Unicode's NormalizationTest.txt, and what is between them. */
static void texts_are_normalised(void)
{
    static const struct {
        const char *text, *forms[UNICODE_FORMS]; /* NFC, NFD, NFKC, NFKD */
    } cases[] = {
        {"plain\n text", {"plain\n text", "plain\n text", "plain\n text", "plain\n text"}},
        {"re\u0301sume\u0301 x",
         {"r\u00e9sum\u00e9 x", "re\u0301sume\u0301 x", "r\u00e9sum\u00e9 x", "re\u0301sume\u0301 x"}},
        {"\u212b", {"\u00c5", "A\u030a", "\u00c5", "A\u030a"}},
        {"\u1e9b\u0323", {"\u1e9b\u0323", "\u017f\u0323\u0307", "\u1e69", "s\u0323\u0307"}},
        {"\u1112\u1161\u11ab", {"\ud55c", "\u1112\u1161\u11ab", "\ud55c", "\u1112\u1161\u11ab"}},
        {"\ufb01\u00b2 \u2126", {"\ufb01\u00b2 \u03a9", "\ufb01\u00b2 \u03a9", "fi2 \u03a9", "fi2 \u03a9"}},
        {"\u0958", {"\u0915\u093c", "\u0915\u093c", "\u0915\u093c", "\u0915\u093c"}}, /* is never composed */
        {"a\u0315\u0300\u05ae\u0300b",
         {"\u00e0\u05ae\u0300\u0315b", "a\u05ae\u0300\u0300\u0315b", "\u00e0\u05ae\u0300\u0315b",
          "a\u05ae\u0300\u0300\u0315b"}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t f = 0; f < UNICODE_FORMS; f++) {
            struct text normalizer;
            text_init(&normalizer);
            text_append(&normalizer, FORM("%s"), unicode_form_names[f]);
            const struct small_tokenizer small = {.normalizer = text_bytes(&normalizer)};
            expect_text(&small, cases[i].text, cases[i].forms[f]);
            text_release(&normalizer);
        }
    const struct small_tokenizer both = {
        .normalizer = "{\"type\":\"Sequence\",\"normalizers\":[" FORM("NFD") "," FORM("NFKC") "]}"};
    expect_text(&both, "\u212b\ufb01", "\u00c5fi");
}

#define WISH(id, content, single, left, right, normalized)                                                             \
    "{\"id\":" #id ",\"content\":\"" content "\",\"single_word\":" #single ",\"lstrip\":" #left ",\"rstrip\":" #right  \
    ",\"normalized\":" #normalized ",\"special\":true}"

/* As AddedVocabulary.find_matches of Hugging Face's library does it. */
static void added_tokens_take_what_they_wish(void)
{
    static const struct small_tokenizer left = {.added = "[" WISH(285, "<m>", false, true, false, false) "]"},
                                        right = {.added = "[" WISH(285, "<m>", false, false, true, false) "]"},
                                        both = {.added = "[" WISH(285, "<m>", false, true, true, true) "]"},
                                        word = {.added = "[" WISH(285, "me", true, false, false, false) "," WISH(
                                                    286, "mess", true, false, false, false) "]"},
                                        all = {.added = "[" WISH(285, "me", true, true, true, false) "]"},
                                        later = {.normalizer = FORM("NFC"),
                                                 .added = "[" WISH(285, "\u00e9!", false, false, false, true) "," WISH(
                                                     286, "\u00e8!", false, false, false, false) "]"},
                                        apart = {.normalizer = FORM("NFD"),
                                                 .added = "[" WISH(285, "\u00e9!", false, false, false, true) "]"};
    expect_text(&left, "a \n\u3000<m> b<m><m>", "a|<m>| b|<m>||<m>|");
    expect_text(&right, " <m> \t\u00a0b <m>", " |<m>|b |<m>|");
    expect_text(&both, " <m> <m>  c <m>", "|<m>||<m>|c|<m>|");
    expect_text(&word, "me, some (me) me2 me_ me\u0301 m\u00e9me \u4e2dme me",
                "|me|, some (|me|) me2 me_ me\u0301 m\u00e9me \u4e2dme |me|");
    expect_text(&word, "mess messy mes me\u24b6",
                "|mess| messy mes me\u24b6"); /* what is longer is not tried as shorter */
    expect_text(&all, "do me  a  favour, me", "do|me|a  favour,|me|");
    expect_text(&later, "e\u0301!e\u0300!\u00e8!",
                "|\u00e9!|\u00e8!|\u00e8!|"); /* e-grave is looked for as it stands */
    expect_text(&apart, "x\u00e9!e\u0301!", "x|\u00e9!||\u00e9!|");
}

static void what_tokens_wish_is_kept(void)
{
    static const struct small_tokenizer small = {.normalizer = FORM("NFKC"),
                                                 .added = "[" WISH(285, "<m>", true, true, false, true) "]"};
    struct tokenizer tokenizer, again;
    struct error error;
    open_small(&small, &tokenizer);
    CU_ASSERT_TRUE_FATAL(tokenizer_open(&again, tokenizer.content, strlen(tokenizer.content), &error));
    CU_ASSERT_STRING_EQUAL(again.content, tokenizer.content);
    CU_ASSERT(strstr(again.content, "NFKC") &&
              strstr(again.content, "\"single_word\":true,\"lstrip\":true,\"rstrip\":false"));
    tokenizer_close(&again);
    tokenizer_close(&tokenizer);
    static const struct small_tokenizer same = {.normalizer = FORM("NFC"),
                                                .added = "[" WISH(285, "\u00e9!", false, false, false, true) "," WISH(
                                                    286, "e\u0301!", false, false, false, true) "]"};
    CU_ASSERT_FALSE(opens(&same, &tokenizer, &error));
    CU_ASSERT_STRING_EQUAL(error.text, "the added token 'e\u0301!' is, once it is normalised, the same as another one");
}

int main(void)
{
    static const struct test_case cases[] = {
        {"texts become the tokens of Hugging Face's library", texts_become_the_tokens_of_the_library},
        {"merging follows its definition", merging_follows_the_definition},
        {"a word of a million letters is merged", a_word_of_a_million_letters_is_merged},
        {"every character comes back", every_character_comes_back},
        {"what is said in another way is the same tokenizer", what_is_said_in_another_way_is_the_same},
        {"a token may be a part of a character", a_token_may_be_a_part_of_a_character},
        {"texts are normalised", texts_are_normalised},
        {"added tokens take what they wish", added_tokens_take_what_they_wish},
        {"what tokens wish is kept", what_tokens_wish_is_kept},
        {NULL, NULL},
    };
    return test_run("data/tokenizer", cases);
}
