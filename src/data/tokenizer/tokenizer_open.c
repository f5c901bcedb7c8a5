/* The file (https://github.com/huggingface/tokenizers): "model" with "vocab" {"Ġthe": 262, ...} and "merges" ["Ġ t",
 * ...] or [["Ġ", "t"], ...], "added_tokens" [{"id": 50256, "content": "<|endoftext|>", ...}, ...], "pre_tokenizer",
 * "normalizer". Bytes stand in vocab and merges as letters (letters.h). */
#include "data/tokenizer/tokenizer.h"

#include "base/memory.h"
#include "data/tokenizer/letters.h"
#include "data/tokenizer/steps.h"

#include <inttypes.h>
#include <jansson.h>
#include <string.h>

/* A token of the file, by its number. */
struct entry {
    const char *key;                     /* of "vocab"; NULL: it is not there */
    const char *content;                 /* as an added token; NULL: it is none */
    bool is_later;                       /* the added one is looked for behind the others */
    bool alone, takes_left, takes_right; /* as struct phrase has it */
};

struct reading {
    struct tokenizer *tokenizer;
    const json_t *root, *model, *vocab, *merges, *added;
    struct entry *entries; /* [count]; their texts belong to root */
    size_t count;
    struct strings contents; /* of the added tokens */
};

/* ---- tokens ---- */

static struct entry *entry_of(struct reading *reading, const char *name, const json_t *number, struct error *error)
{
    json_int_t value = json_is_integer(number) ? json_integer_value(number) : -1;
    if (value >= 0 && (uint64_t)value < reading->count)
        return &reading->entries[value];
    if (value < 0)
        error_set(error, ERROR_CORRUPT, "the token '%.40s' has no number of 0 or more", name);
    else
        error_set(error, ERROR_CORRUPT,
                  "the token '%.40s' has the number %" JSON_INTEGER_FORMAT ", but there are only %zu tokens", name,
                  value, reading->count);
    return NULL;
}

static bool take_vocab(struct reading *reading, struct error *error)
{
    const char *key;
    json_t *number;
    json_object_foreach((json_t *)reading->vocab, key, number)
    {
        struct entry *entry = entry_of(reading, key, number, error);
        if (!entry)
            return false;
        if (entry->key)
            return error_set(error, ERROR_CORRUPT, "the tokens '%.40s' and '%.40s' have the same number, %td",
                             entry->key, key, entry - reading->entries);
        entry->key = key;
    }
    return true;
}

static bool take_added(struct reading *reading, const json_t *token, struct error *error)
{
    const char *content = json_string_value(json_object_get(token, "content"));
    if (!content || !*content)
        return error_set(error, ERROR_CORRUPT, "an added token has no content");
    struct entry *entry = entry_of(reading, content, json_object_get(token, "id"), error);
    if (!entry)
        return false;
    const char *other = entry->content ? entry->content : entry->key;
    if (other && (entry->content || strcmp(other, content) != 0))
        return error_set(error, ERROR_CORRUPT, "the tokens '%.40s' and '%.40s' have the same number, %td", other,
                         content, entry - reading->entries);
    uint32_t same;
    if (strings_find(&reading->contents, content, strlen(content), &same) ||
        (!other && json_object_get(reading->vocab, content)))
        return error_set(error, ERROR_CORRUPT, "the token '%.40s' has two numbers", content);
    strings_add(&reading->contents, content, strlen(content), true);
    entry->content = content;
    entry->is_later = json_is_true(json_object_get(token, "normalized"));
    entry->alone = json_is_true(json_object_get(token, "single_word"));
    entry->takes_left = json_is_true(json_object_get(token, "lstrip"));
    entry->takes_right = json_is_true(json_object_get(token, "rstrip"));
    return true;
}

/* The entries of all tokens; their numbers have no holes. */
static bool take_entries(struct reading *reading, struct error *error)
{
    size_t added = json_array_size(reading->added);
    reading->count = json_object_size(reading->vocab) + added;
    reading->entries = memory_need(reading->count, sizeof *reading->entries);
    if (!take_vocab(reading, error))
        return false;
    for (size_t i = 0; i < added; i++)
        if (!take_added(reading, json_array_get(reading->added, i), error))
            return false;
    while (reading->count > 0 && !reading->entries[reading->count - 1].key &&
           !reading->entries[reading->count - 1].content)
        reading->count--;
    for (size_t i = 0; i < reading->count; i++)
        if (!reading->entries[i].key && !reading->entries[i].content)
            return error_set(error, ERROR_CORRUPT, "no token has the number %zu, but there are larger numbers", i);
    return reading->count > 0 || error_set(error, ERROR_CORRUPT, "it has no tokens");
}

/* What an added token is looked for as in texts that are normalised; two of them must not become the same. */
static bool normalise_added(const struct reading *reading, struct error *error)
{
    struct tokenizer *tokenizer = reading->tokenizer;
    struct text forms[2] = {{0}};
    bool ok = true;
    for (size_t i = 0; ok && i < reading->count; i++) {
        const struct entry *entry = &reading->entries[i];
        const char *content = entry->content && entry->is_later ? entry->content : "";
        size_t count = strlen(content);
        uint32_t same;
        for (size_t f = 0; ok && f < tokenizer->form_count; f++) {
            forms[f % 2].length = 0;
            ok = unicode_normalise(tokenizer->forms[f], content, count, &forms[f % 2], error);
            content = text_bytes(&forms[f % 2]);
            count = forms[f % 2].length;
        }
        if (ok && count > 0 && strings_find(&tokenizer->normalised, content, count, &same))
            ok = error_set(error, ERROR_USAGE,
                           "the added token '%.40s' is, once it is normalised, the same as another one",
                           entry->content);
        strings_add(&tokenizer->normalised, content, count, ok && count > 0);
    }
    text_release(&forms[0]);
    text_release(&forms[1]);
    return ok;
}

/* Once all strings are there: phrases borrow from them. */
static void add_phrases(const struct reading *reading)
{
    struct tokenizer *tokenizer = reading->tokenizer;
    for (size_t i = 0; i < reading->count; i++) {
        const struct entry *entry = &reading->entries[i];
        if (!entry->content)
            continue;
        struct phrase phrase = {(const char *)NULL, 0, (uint32_t)i, entry->alone, entry->takes_left,
                                entry->takes_right};
        phrase.bytes = strings_at(entry->is_later ? &tokenizer->normalised : &tokenizer->tokens, i, &phrase.count);
        phrases_add(&tokenizer->added[entry->is_later], phrase);
    }
    for (size_t i = 0; i < 2; i++)
        phrases_sort(&tokenizer->added[i]);
}

static void take_tokens(const struct reading *reading)
{
    struct tokenizer *tokenizer = reading->tokenizer;
    struct letters letters;
    struct text bytes;
    letters_init(&letters);
    text_init(&bytes);
    for (size_t i = 0; i < 256; i++)
        tokenizer->of_byte[i] = TOKENIZER_NONE;
    for (size_t i = 0; i < reading->count; i++) {
        const struct entry *entry = &reading->entries[i];
        bool is_bytes = entry->key && letters_read(&letters, entry->key, &bytes);
        if (is_bytes && bytes.length == 1)
            tokenizer->of_byte[(uint8_t)bytes.bytes[0]] = (uint32_t)i;
        if (is_bytes && !entry->content)
            strings_add(&tokenizer->tokens, text_bytes(&bytes), bytes.length, true);
        else {
            const char *own = entry->content ? entry->content : entry->key;
            strings_add(&tokenizer->tokens, own, strlen(own), false);
        }
    }
    text_release(&bytes);
    add_phrases(reading);
}

/* ---- merges ---- */

/* The two parts of a merge, into a text that holds both, each with a NUL behind it; 0: it is none. Returns where the
 * second one begins. */
static size_t split_merge(const json_t *merge, struct text *parts)
{
    const char *left = json_string_value(json_array_get(merge, 0)),
               *right = json_string_value(json_array_get(merge, 1));
    const char *both = json_string_value(merge), *space = both ? strchr(both, ' ') : NULL;
    parts->length = 0;
    if (space && !strchr(space + 1, ' ')) {
        text_append_bytes(parts, both, strlen(both) + 1);
        parts->bytes[space - both] = '\0';
        return (size_t)(space - both) + 1;
    }
    if (!left || !right || json_array_size(merge) != 2)
        return 0;
    text_append_bytes(parts, left, strlen(left) + 1);
    text_append_bytes(parts, right, strlen(right) + 1);
    return strlen(left) + 1;
}

/* The number of a part, or of the result, of the merge at place i. */
static bool find_part(const struct reading *reading, size_t i, const char *part, uint32_t *token, struct error *error)
{
    const json_t *number = json_object_get(reading->vocab, part);
    *token = (uint32_t)json_integer_value(number);
    return number || error_set(error, ERROR_CORRUPT,
                               "merge %zu (counted from 1) is of '%.40s', which is not in the vocabulary", i + 1, part);
}

static bool take_merge(const struct reading *reading, size_t i, struct text *parts, struct error *error)
{
    struct merge merge = {.order = (uint32_t)(i + 1)};
    size_t second = split_merge(json_array_get(reading->merges, i), parts);
    if (second == 0)
        return error_set(error, ERROR_CORRUPT, "merge %zu (counted from 1) is neither \"a b\" nor [\"a\", \"b\"]",
                         i + 1);
    if (!find_part(reading, i, parts->bytes, &merge.left, error) ||
        !find_part(reading, i, parts->bytes + second, &merge.right, error))
        return false;
    memmove(parts->bytes + second - 1, parts->bytes + second, parts->length - second);
    if (!find_part(reading, i, parts->bytes, &merge.result, error))
        return false;
    merges_add(&reading->tokenizer->merges, merge);
    return true;
}

static bool take_merges(const struct reading *reading, struct error *error)
{
    size_t count = json_array_size(reading->merges);
    struct text parts;
    bool ok = true;
    text_init(&parts);
    merges_init(&reading->tokenizer->merges, count);
    for (size_t i = 0; ok && i < count; i++)
        ok = take_merge(reading, i, &parts, error);
    text_release(&parts);
    return ok;
}

/* ---- all of it ---- */

/* Whether a key is absent, or says nothing: null, false, 0, "". */
static bool is_nothing(const json_t *value)
{
    return !value || json_is_null(value) || json_is_false(value) ||
           (json_is_number(value) && json_number_value(value) == 0) ||
           (json_is_string(value) && *json_string_value(value) == '\0');
}

static bool check_model(const struct reading *reading, struct error *error)
{
    static const char *const unknown[] = {"dropout", "continuing_subword_prefix", "end_of_word_suffix",
                                          "byte_fallback"};
    const json_t *type = json_object_get(reading->model, "type");
    if (!json_is_object(reading->model))
        return error_set(error, ERROR_CORRUPT, "it has no model: give the tokenizer.json of Hugging Face's tokenizers");
    if (type && (!json_is_string(type) || strcmp(json_string_value(type), "BPE") != 0))
        return error_set(error, ERROR_USAGE, "its model is %.40s: only byte-level BPE is supported",
                         json_is_string(type) ? json_string_value(type) : "of no type");
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++)
        if (!is_nothing(json_object_get(reading->model, unknown[i])))
            return error_set(error, ERROR_USAGE, "its model has %s, which is not supported", unknown[i]);
    if (!json_is_object(reading->vocab) || !json_is_array(reading->merges))
        return error_set(error, ERROR_CORRUPT, "its model has no vocab and merges: it is not BPE, or was cut");
    return !reading->added || json_is_array(reading->added) ||
           error_set(error, ERROR_CORRUPT, "its added_tokens are no list");
}

/* The steps, with the keys in one order, whatever theirs is. */
static json_t *sorted_steps(const json_t *root)
{
    char *words = json_dumps(json_object_get(root, "pre_tokenizer"), JSON_COMPACT | JSON_SORT_KEYS);
    json_t *steps = words ? json_loads(words, 0, NULL) : NULL;
    memory_free(words);
    return steps;
}

static json_t *list_merges(const json_t *merges)
{
    json_t *list = json_array();
    struct text parts;
    text_init(&parts);
    for (size_t i = 0; i < json_array_size(merges); i++) {
        size_t second = split_merge(json_array_get(merges, i), &parts);
        json_array_append_new(list, json_pack("[s, s]", parts.bytes, parts.bytes + second));
    }
    text_release(&parts);
    return list;
}

static json_t *pack_added(const struct entry *entry, size_t number)
{
    return json_pack("{s:i, s:s, s:b, s:b, s:b, s:b, s:b}", "id", (int)number, "content", entry->content, "single_word",
                     entry->alone, "lstrip", entry->takes_left, "rstrip", entry->takes_right, "normalized",
                     entry->is_later, "special", !entry->is_later);
}

/* NULL: texts stay as they are. */
static json_t *pack_forms(const struct tokenizer *tokenizer)
{
    json_t *list = tokenizer->form_count > 0 ? json_array() : NULL;
    for (size_t f = 0; f < tokenizer->form_count; f++)
        json_array_append_new(list, json_pack("{s:s}", "type", unicode_form_names[tokenizer->forms[f]]));
    return list ? json_pack("{s:s, s:o}", "type", "Sequence", "normalizers", list) : NULL;
}

/* The same in the order of the numbers, and nothing else. */
static char *make_content(const struct reading *reading)
{
    json_t *vocab = json_object(), *added = json_array();
    for (size_t i = 0; i < reading->count; i++) {
        const struct entry *entry = &reading->entries[i];
        if (entry->key)
            json_object_set_new(vocab, entry->key, json_integer((json_int_t)i));
        if (entry->content)
            json_array_append_new(added, pack_added(entry, i));
    }
    json_t *model = json_pack("{s:s, s:b, s:o, s:o}", "type", "BPE", "ignore_merges",
                              reading->tokenizer->takes_whole_words, "vocab", vocab, "merges",
                              list_merges(reading->merges));
    json_t *decoder = json_pack("{s:s, s:b, s:b, s:b}", "type", "ByteLevel", "add_prefix_space", true, "trim_offsets",
                                true, "use_regex", true);
    json_t *content = json_pack("{s:s, s:o, s:o, s:o, s:o}", "version", "1.0", "added_tokens", added, "pre_tokenizer",
                                sorted_steps(reading->root), "decoder", decoder, "model", model);
    json_t *normalizer = pack_forms(reading->tokenizer);
    if (normalizer)
        json_object_set_new(content, "normalizer", normalizer);
    char *words = json_dumps(content, JSON_COMPACT);
    json_decref(content);
    if (!words)
        memory_none(0, __func__);
    return words;
}

/* Those of one normalizer, or of a Sequence of them. */
static bool forms_read(struct tokenizer *tokenizer, const json_t *normalizer, struct error *error)
{
    const char *type = json_string_value(json_object_get(normalizer, "type"));
    if (!normalizer || json_is_null(normalizer))
        return true;
    if (type && strcmp(type, "Sequence") == 0) {
        const json_t *list = json_object_get(normalizer, "normalizers");
        for (size_t i = 0; i < json_array_size(list); i++)
            if (!forms_read(tokenizer, json_array_get(list, i), error))
                return false;
        return true;
    }
    if (tokenizer->form_count == TOKENIZER_FORMS)
        return error_set(error, ERROR_USAGE, "there are more than %d normalizers", TOKENIZER_FORMS);
    for (size_t f = 0; type && f < UNICODE_FORMS; f++)
        if (strcmp(type, unicode_form_names[f]) == 0) {
            tokenizer->forms[tokenizer->form_count++] = (enum unicode_form)f;
            return true;
        }
    return error_set(error, ERROR_USAGE,
                     "normalizer %.40s is not supported: only NFC, NFD, NFKC, NFKD, and null, texts as they are, are",
                     type ? type : "of no type");
}

static bool read_root(struct reading *reading, struct error *error)
{
    reading->model = json_object_get(reading->root, "model");
    reading->vocab = json_object_get(reading->model, "vocab");
    reading->merges = json_object_get(reading->model, "merges");
    reading->added = json_object_get(reading->root, "added_tokens");
    if (!check_model(reading, error) || !take_entries(reading, error) || !take_merges(reading, error) ||
        !steps_read(&reading->tokenizer->cutter, reading->root, error) ||
        !forms_read(reading->tokenizer, json_object_get(reading->root, "normalizer"), error) ||
        !normalise_added(reading, error))
        return false;
    reading->tokenizer->takes_whole_words = json_is_true(json_object_get(reading->model, "ignore_merges"));
    take_tokens(reading);
    reading->tokenizer->content = make_content(reading);
    return true;
}

static bool read_bytes(struct tokenizer *tokenizer, const char *bytes, size_t count, struct error *error)
{
    json_error_t wrong;
    json_t *root = json_loadb(bytes, count, JSON_REJECT_DUPLICATES, &wrong);
    if (!root)
        return error_set(error, ERROR_CORRUPT, "it is not whole JSON: line %d, column %d: %s", wrong.line, wrong.column,
                         wrong.text);
    struct reading reading = {.tokenizer = tokenizer, .root = root};
    bool ok = read_root(&reading, error);
    memory_free(reading.entries);
    strings_release(&reading.contents);
    json_decref(root);
    return ok;
}

bool tokenizer_open(struct tokenizer *tokenizer, const char *bytes, size_t count, struct error *error)
{
    *tokenizer = (struct tokenizer){0};
    if (read_bytes(tokenizer, bytes, count, error))
        return true;
    tokenizer_close(tokenizer);
    return false;
}
