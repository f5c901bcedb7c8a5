#include "data/tokenizer/cutter.h"

#include "base/utf8.h"

/* One walk down the steps. */
struct walk {
    struct cutter *cutter;
    bool (*take)(void *context, const char *piece, size_t count, struct error *error);
    void *context;
};

bool cutter_add(struct cutter *cutter, enum cut cut, const char *pattern, struct error *error)
{
    if (cutter->count == CUTTER_STEPS)
        return error_set(error, ERROR_USAGE, "there are more than %d steps of pre-tokenization", CUTTER_STEPS);
    struct cutter_step *step = &cutter->steps[cutter->count];
    *step = (struct cutter_step){.cut = cut};
    if (pattern && !regex_init(&step->regex, pattern, error))
        return false;
    cutter->count++;
    return true;
}

void cutter_release(struct cutter *cutter)
{
    for (size_t i = 0; i < cutter->count; i++) {
        regex_release(&cutter->steps[i].regex);
        text_release(&cutter->steps[i].spaced);
    }
    cutter->count = 0;
}

static bool walk(const struct walk *way, size_t at, const char *piece, size_t count, struct error *error);

static bool cut(const struct walk *way, size_t at, const char *piece, size_t count, struct error *error)
{
    struct cutter_step *step = &way->cutter->steps[at];
    size_t done = 0, from = 0, begin, end;
    uint32_t character;
    while (from < count) {
        enum regex_answer answer = regex_find(&step->regex, piece, count, from, &begin, &end, error);
        if (answer == REGEX_FAILED)
            return false;
        if (answer == REGEX_NONE)
            break;
        if (step->cut == CUT_ALL && !walk(way, at + 1, piece + done, begin - done, error))
            return false;
        if (!walk(way, at + 1, piece + begin, end - begin, error))
            return false;
        /* Behind an empty match the next one is looked for a character further on. */
        from = end > from || end == count ? end : end + utf8_decode(piece + end, count - end, &character);
        done = end;
    }
    return step->cut != CUT_ALL || walk(way, at + 1, piece + done, count - done, error);
}

/* The piece goes through the step `at`, and those behind it. */
static bool walk(const struct walk *way, size_t at, const char *piece, size_t count, struct error *error)
{
    if (count == 0)
        return true;
    if (at == way->cutter->count)
        return way->take(way->context, piece, count, error);
    struct cutter_step *step = &way->cutter->steps[at];
    if (step->cut != CUT_SPACE)
        return cut(way, at, piece, count, error);
    if (piece[0] == ' ')
        return walk(way, at + 1, piece, count, error);
    step->spaced.length = 0;
    text_append_bytes(&step->spaced, " ", 1);
    text_append_bytes(&step->spaced, piece, count);
    return walk(way, at + 1, step->spaced.bytes, step->spaced.length, error);
}

bool cutter_run(struct cutter *cutter, const char *text, size_t count,
                bool (*take)(void *context, const char *piece, size_t count, struct error *error), void *context,
                struct error *error)
{
    struct walk way = {cutter, take, context};
    return walk(&way, 0, text, count, error);
}
