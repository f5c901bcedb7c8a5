#include "data/tokenizer/steps.h"

#include "data/tokenizer/cutter.h"

#include <jansson.h>
#include <string.h>

struct steps {
    struct cutter *cutter;
    bool has_bytes; /* ByteLevel was among them */
};

/* As GPT-2 cuts a text: its encoder.py, https://github.com/openai/gpt-2. */
#define GPT2_WORDS "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"

static bool add_byte_level(struct steps *steps, const json_t *step, struct error *error)
{
    struct cutter *cutter = steps->cutter;
    const json_t *space = json_object_get(step, "add_prefix_space"), *regex = json_object_get(step, "use_regex");
    steps->has_bytes = true;
    if (!json_is_boolean(space))
        return error_set(error, ERROR_CORRUPT, "ByteLevel does not say whether it has add_prefix_space");
    return (!json_is_true(space) || cutter_add(cutter, CUT_SPACE, NULL, error)) &&
           (json_is_false(regex) || cutter_add(cutter, CUT_ALL, GPT2_WORDS, error));
}

static bool add_split(struct steps *steps, const json_t *step, struct error *error)
{
    const char *pattern = json_string_value(json_object_get(json_object_get(step, "pattern"), "Regex"));
    const char *behavior = json_string_value(json_object_get(step, "behavior"));
    bool inverts = json_is_true(json_object_get(step, "invert"));
    enum cut cut = 0;
    if (behavior && strcmp(behavior, "Isolated") == 0)
        cut = CUT_ALL;
    else if (behavior && strcmp(behavior, "Removed") == 0 && inverts)
        cut = CUT_MATCHES;
    if (!pattern || !cut)
        return error_set(error, ERROR_USAGE,
                         "a Split of this kind is not supported: only one with a Regex and the behavior Isolated, or "
                         "Removed and inverted, is");
    return cutter_add(steps->cutter, cut, pattern, error);
}

static bool add_digits(struct steps *steps, const json_t *step, struct error *error)
{
    bool each = json_is_true(json_object_get(step, "individual_digits"));
    return cutter_add(steps->cutter, CUT_ALL, each ? "\\p{N}" : "\\p{N}+", error);
}

static bool add_steps(struct steps *steps, const json_t *step, struct error *error);

static bool add_sequence(struct steps *steps, const json_t *step, struct error *error)
{
    const json_t *parts = json_object_get(step, "pretokenizers");
    for (size_t i = 0; i < json_array_size(parts); i++)
        if (!add_steps(steps, json_array_get(parts, i), error))
            return false;
    return true;
}

static bool add_steps(struct steps *steps, const json_t *step, struct error *error)
{
    static const struct {
        const char *type;
        bool (*add)(struct steps *steps, const json_t *step, struct error *error);
    } types[] = {
        {"ByteLevel", add_byte_level}, {"Split", add_split}, {"Digits", add_digits}, {"Sequence", add_sequence}};
    const char *type = json_string_value(json_object_get(step, "type"));
    if (steps->has_bytes)
        return error_set(error, ERROR_USAGE, "pre_tokenizer: a step behind ByteLevel is not supported");
    for (size_t i = 0; type && i < sizeof types / sizeof *types; i++)
        if (strcmp(types[i].type, type) == 0)
            return types[i].add(steps, step, error) || error_prefix(error, "pre_tokenizer: ");
    return error_set(error, ERROR_USAGE,
                     "pre_tokenizer %.40s is not supported: only ByteLevel, alone or behind Split and Digits, is",
                     type ? type : "of no type");
}

bool steps_read(struct cutter *cutter, const json_t *root, struct error *error)
{
    struct steps steps = {.cutter = cutter};
    const json_t *step = json_object_get(root, "pre_tokenizer");
    if (step && !json_is_null(step) && !add_steps(&steps, step, error))
        return false;
    return steps.has_bytes ||
           error_set(error, ERROR_USAGE, "its pre_tokenizer is not ByteLevel: only tokenizers of bytes are supported");
}
