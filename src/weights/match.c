#include "weights/match.h"

#include "base/memory.h"
#include "base/utf8.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define LISTED 8 /* names in an error of each kind, at most */

/* A name without what PyTorch's wrappers and other programs put in front of all names: DistributedDataParallel,
 * compile, a model inside another one. */
static const char *bare(const char *name)
{
    static const char *const prefixes[] = {"module.", "_orig_mod.", "model."};
    for (size_t p = 0; p < sizeof prefixes / sizeof *prefixes; p++) {
        size_t length = strlen(prefixes[p]);
        if (strncmp(name, prefixes[p], length) == 0)
            return bare(name + length);
    }
    return name;
}

/* The tensor of the file for a row, by its name or by that without the layout's prefix. */
static size_t find(const struct match *match, const struct layout_row *row)
{
    const struct weights *weights = &match->file->weights;
    size_t prefix = strlen(match->layout.prefix);
    const char *rest = strncmp(row->name, match->layout.prefix, prefix) == 0 ? row->name + prefix : row->name;
    size_t found = MATCH_NONE;
    for (size_t i = 0; i < weights->count; i++) {
        const char *name = bare(weights->tensors[i].name);
        if (strcmp(name, row->name) == 0)
            return i;
        if (strcmp(name, rest) == 0)
            found = i;
    }
    return found;
}

static void compare(struct match *match, const struct layout_row *row, const struct weights_tensor *there)
{
    char saved[128], here[64];
    if (there->dims == row->dims && memcmp(there->shape, row->shape, row->dims * sizeof *row->shape) == 0)
        return;
    text_sizes(there->dims, there->shape, saved, sizeof saved);
    text_sizes(row->dims, row->shape, here, sizeof here);
    text_append(&match->wrong, "%s: %s in the file, %s here\n", there->name, saved, here);
}

static void take_rows(struct match *match)
{
    const struct weights *weights = &match->file->weights;
    bool *used = memory_need(weights->count, sizeof *used);
    match->sources = memory_need(match->layout.count, sizeof *match->sources);
    for (size_t r = 0; r < match->layout.count; r++) {
        const struct layout_row *row = &match->layout.rows[r];
        size_t source = match->sources[r] = find(match, row);
        if (source != MATCH_NONE) {
            used[source] = true;
            match->found += !row->repeats;
            compare(match, row, &weights->tensors[source]);
        } else if (!row->repeats) {
            text_append(&match->missing, "%s\n", row->name);
        }
    }
    for (size_t i = 0; i < weights->count; i++)
        if (!used[i] && !(match->layout.ignores && match->layout.ignores(bare(weights->tensors[i].name))))
            text_append(&match->extra, "%.200s\n", weights->tensors[i].name);
    memory_free(used);
}

/* Takes the layout if more is found by it than by the one before. The layout is the match's from now on. */
static void attempt(struct match *match, struct layout *layout)
{
    struct match other = {.file = match->file, .model = match->model, .layout = *layout};
    take_rows(&other);
    if (other.found > match->found || !match->sources) {
        match_release(match);
        *match = other;
    } else {
        match_release(&other);
    }
}

/* Tokens are places in the vocabulary. */
static bool check_vocabulary(const struct weights_file *file, const char *vocabulary, struct error *error)
{
    const char *there = file->weights.vocabulary;
    if (!there || !*there || !vocabulary || strcmp(there, vocabulary) == 0)
        return true;
    size_t place = 0, a = 0, b = 0;
    for (uint32_t x, y; there[a] && vocabulary[b]; place++) {
        size_t m = utf8_decode(there + a, strnlen(there + a, UTF8_BYTES), &x);
        size_t n = utf8_decode(vocabulary + b, strnlen(vocabulary + b, UTF8_BYTES), &y);
        if (m == 0 || n == 0 || x != y)
            break;
        a += m;
        b += n;
    }
    return error_set(error, ERROR_USAGE,
                     "%s: its vocabulary is not that of this job's text: they differ from character %zu on, '%.20s' in "
                     "the file, '%.20s' here, so that a token means another character; train on a text with the same "
                     "set of characters",
                     file->path, place + 1, there + a, vocabulary + b);
}

bool match_init(struct match *match, const struct weights_file *file, const struct model *model, const char *vocabulary,
                struct error *error)
{
    struct layout layout;
    *match = (struct match){.file = file, .model = model};
    if (!check_vocabulary(file, vocabulary, error))
        return false;
    if (file->format == &weights_keras) {
        if (!layout_keras(&layout, model, error))
            return false;
        attempt(match, &layout);
    } else {
        layout_lockstep(&layout, model);
        attempt(match, &layout);
        if (layout_gpt2(&layout, model))
            attempt(match, &layout);
        struct error unknown;
        if (layout_torch(&layout, model, NULL, &unknown))
            attempt(match, &layout);
    }
    if (match->found > 0)
        return true;
    error_set(error, ERROR_USAGE, "%s: none of its %zu tensors (%s%s) has the name of one of this model (%s, ...)",
              file->path, file->weights.count, file->weights.count > 0 ? file->weights.tensors[0].name : "",
              file->weights.count > 1 ? ", ..." : "", match->layout.rows[0].name);
    match_release(match);
    return false;
}

void match_release(struct match *match)
{
    layout_release(&match->layout);
    memory_free(match->sources);
    text_release(&match->missing);
    text_release(&match->extra);
    text_release(&match->wrong);
    *match = (struct match){.file = match->file, .model = match->model};
}

/* The first lines of a list, and how many more there are. */
static void list(const char *what, const struct text *lines, struct text *words)
{
    size_t count = 0;
    for (const char *line = text_bytes(lines); *line; line += strcspn(line, "\n") + 1, count++)
        if (count < LISTED)
            text_append(words, "\n  %s %.*s", what, (int)strcspn(line, "\n"), line);
    if (count > LISTED)
        text_append(words, "\n  ... and %zu more %s", count - LISTED, what);
}

bool match_check(const struct match *match, bool partial, struct error *error)
{
    bool ok = match->wrong.length == 0 && (partial || match->missing.length + match->extra.length == 0);
    if (ok)
        return true;
    struct text words;
    text_init(&words);
    list("wrong shape:", &match->wrong, &words);
    if (!partial) {
        list("missing:", &match->missing, &words);
        list("extra:", &match->extra, &words);
    }
    error_set(error, ERROR_USAGE, "%s: its tensors are not those of this model (names of %s):%s%s", match->file->path,
              match->layout.name, text_bytes(&words),
              match->wrong.length > 0 ? "" : "\n  --partial takes what fits, and leaves the rest as it begins");
    text_release(&words);
    return false;
}

bool match_has(const struct match *match, size_t tensor)
{
    for (size_t r = 0; r < match->layout.count; r++)
        if (match->layout.rows[r].tensor == tensor && !match->layout.rows[r].repeats)
            return match->sources[r] != MATCH_NONE;
    return false;
}

/* What is not finite teaches nothing, and a 64-bit float can be too large to be one of 32 bits. */
static bool check_finite(const struct weights_file *file, const struct weights_tensor *tensor, const float *values,
                         struct error *error)
{
    size_t i = 0;
    while (i < tensor->count && isfinite(values[i]))
        i++;
    if (i == tensor->count)
        return true;
    struct text place;
    text_init(&place);
    weights_place(tensor, i, &place);
    error_set(error, ERROR_USAGE, "%s: %.200s%s is %s: nothing can be learned from there", file->path, tensor->name,
              text_bytes(&place),
              isnan(values[i]) ? "not a number" : "infinite, or beyond what a float of 32 bits holds");
    text_release(&place);
    return false;
}

/* One row's tensor into the model's layout. */
static bool load_row(const struct match *match, size_t r, float *values, struct error *error)
{
    const struct layout_row *row = &match->layout.rows[r];
    size_t count = match->model->table.tensors[row->tensor].count;
    float *there = memory_alloc(count, sizeof *there, "a tensor", error);
    bool ok = there && weights_load(match->file, match->sources[r], there, error) &&
              check_finite(match->file, &match->file->weights.tensors[match->sources[r]], there, error);
    if (ok)
        floats_scatter(row->walk_dims, row->sizes, row->strides, there, values);
    memory_free(there);
    return ok;
}

/* Whether a second copy, which has become `values` too, is one. */
static bool check_copy(const struct match *match, size_t r, const float *values, struct error *error)
{
    const struct layout_row *row = &match->layout.rows[r];
    size_t count = match->model->table.tensors[row->tensor].count;
    float *copy = memory_alloc(count, sizeof *copy, "a tensor", error);
    bool ok = copy && load_row(match, r, copy, error);
    if (ok && memcmp(copy, values, count * sizeof *copy) != 0)
        ok = error_set(error, ERROR_USAGE,
                       "%s: %s is not equal to %s, but here they are one tensor: set tied: false in lm_head",
                       match->file->path, row->name, match->model->table.tensors[row->tensor].name);
    memory_free(copy);
    return ok;
}

bool match_load(const struct match *match, size_t tensor, float *values, struct error *error)
{
    bool ok = true;
    for (size_t r = 0; ok && r < match->layout.count; r++) {
        const struct layout_row *row = &match->layout.rows[r];
        if (row->tensor == tensor && match->sources[r] != MATCH_NONE)
            ok = row->repeats ? check_copy(match, r, values, error) : load_row(match, r, values, error);
    }
    return ok;
}
