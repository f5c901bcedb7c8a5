#include "data/small_tokenizer.h"

#include "base/utf8.h"

#include <string.h>

const char *const small_merges[][2] = {
    {" ", "t"},        {"h", "e"},       {" t", "he"},         {"i", "n"},       {"r", "e"},
    {" ", "a"},        {"e", "r"},       {" ", " "},           {"  ", "  "},     {"'", "s"},
    {"'", "S"},        {"l", "l"},       {"'", "ll"},          {"1", "2"},       {"12", "3"},
    {"\n", "\n"},      {"\r", "\n"},     {"a", "a"},           {"aa", "aa"},     {"\xc3", "\xa9"},
    {" ", "\xc3\xa9"}, {"\xf0", "\x9f"}, {"\xf0\x9f", "\x98"}, {"\xe4", "\xb8"}, {"\xe4\xb8", "\xad"},
    {"<", "|"},        {"e", "n"},       {"b", "aa"},          {NULL},
};

/* The letters of some bytes: those that cannot be seen are numbered from U+0100 on. */
static void append_letters(struct text *json, const char *bytes)
{
    for (; *bytes; bytes++) {
        uint32_t byte = (uint8_t)*bytes, letter = byte;
        char utf8[UTF8_BYTES];
        if (byte <= ' ')
            letter = 256 + byte;
        else if (byte >= 0x7F && byte <= 0xA0)
            letter = 256 + 33 + byte - 0x7F;
        else if (byte == 0xAD)
            letter = 256 + 67;
        if (letter == '"' || letter == '\\')
            text_append(json, "\\");
        text_append_bytes(json, utf8, utf8_encode(letter, utf8));
    }
}

static size_t merges_count(void)
{
    size_t count = 0;
    while (small_merges[count][0])
        count++;
    return count;
}

unsigned small_tokenizer_added(void)
{
    return 256 + (unsigned)merges_count() + 1;
}

static void append_vocab(struct text *json)
{
    unsigned number = 0;
    for (uint32_t letter = 0; letter < 256 + 68; letter++) {
        char utf8[UTF8_BYTES];
        bool is_own = letter < 256 && letter > ' ' && (letter < 0x7F || letter > 0xA0) && letter != 0xAD;
        if (!is_own && letter < 256)
            continue;
        text_append(json, "%s\"%s", number ? "," : "", letter == '"' || letter == '\\' ? "\\" : "");
        text_append_bytes(json, utf8, utf8_encode(letter, utf8));
        text_append(json, "\":%u", number++);
    }
    for (size_t i = 0; small_merges[i][0]; i++) {
        text_append(json, ",\"");
        append_letters(json, small_merges[i][0]);
        append_letters(json, small_merges[i][1]);
        text_append(json, "\":%u", number++);
    }
    text_append(json, ",\"hello\":%u", number);
}

void small_tokenizer_write(const struct small_tokenizer *small, struct text *json)
{
    text_append(json, "{\"version\":\"1.0\",\"truncation\":null,\"padding\":null,\"added_tokens\":");
    if (small->added)
        text_append(json, "%s", small->added);
    else
        text_append(json,
                    "[{\"id\":%u,\"content\":\"" SMALL_END "\",\"single_word\":false,\"lstrip\":false,"
                    "\"rstrip\":false,\"normalized\":false,\"special\":true}]",
                    small_tokenizer_added());
    text_append(json, ",\"normalizer\":%s,\"pre_tokenizer\":%s,\"post_processor\":null,\"decoder\":" SMALL_BYTES,
                small->normalizer ? small->normalizer : "null",
                small->pre_tokenizer ? small->pre_tokenizer : SMALL_BYTES);
    text_append(json,
                ",\"model\":{\"type\":\"BPE\",\"dropout\":null,\"unk_token\":null,"
                "\"continuing_subword_prefix\":\"\",\"end_of_word_suffix\":\"\",\"fuse_unk\":false,"
                "\"ignore_merges\":%s,\"vocab\":{",
                small->takes_whole_words ? "true" : "false");
    append_vocab(json);
    text_append(json, "},\"merges\":[");
    for (size_t i = 0; small_merges[i][0]; i++) {
        text_append(json, small->pairs ? "%s[\"" : "%s\"", i ? "," : "");
        append_letters(json, small_merges[i][0]);
        text_append(json, small->pairs ? "\",\"" : " ");
        append_letters(json, small_merges[i][1]);
        text_append(json, small->pairs ? "\"]" : "\"");
    }
    text_append(json, "]}}");
}
