#include "weights/match.h"

#include "base/memory.h"
#include "base/utf8.h"
#include "weights/keras_order.h"
#include "weights/sequence.h"

#include <stdio.h>
#include <string.h>

#define LISTED 8 /* names in an error of each kind, at most */

/* The tensor of the file for a row, by its name or by that without the layout's prefix. */
static size_t find(const struct match *match, const struct layout_row *row)
{
    const struct weights *weights = &match->file->weights;
    size_t prefix = strlen(match->layout.prefix);
    const char *rest = strncmp(row->name, match->layout.prefix, prefix) == 0 ? row->name + prefix : row->name;
    size_t found = MATCH_NONE;
    for (size_t i = 0; i < weights->count; i++) {
        const char *name = layout_bare(weights->tensors[i].name);
        if (strcmp(name, row->name) == 0)
            return i;
        if (strcmp(name, rest) == 0)
            found = i;
    }
    return found;
}

/* Whether the shapes differ in nothing but how many tokens or positions there are. */
static bool differs_in_rows(const struct layout_row *row, const struct weights_tensor *there)
{
    bool same = row->counts != LAYOUT_FIXED && there->dims == row->dims;
    for (size_t d = 0; same && d < row->dims; d++)
        same = d == row->counts || there->shape[d] == row->shape[d];
    return same;
}

static void compare(struct match *match, const struct layout_row *row, const struct weights_tensor *there)
{
    char saved[128], here[64];
    if (there->dims == row->dims && memcmp(there->shape, row->shape, row->dims * sizeof *row->shape) == 0)
        return;
    text_sizes(there->dims, there->shape, saved, sizeof saved);
    text_sizes(row->dims, row->shape, here, sizeof here);
    match->misfits++;
    if (!differs_in_rows(row, there)) {
        text_append(&match->wrong, "%s: %s in the file, %s here\n", there->name, saved, here);
        return;
    }
    size_t theirs = there->shape[row->counts], ours = row->shape[row->counts];
    text_append(&match->rows, "%s: %s in the file, %s here: the first %zu rows are taken, %zu %s\n", there->name, saved,
                here, theirs < ours ? theirs : ours, theirs < ours ? ours - theirs : theirs - ours,
                theirs < ours ? "begin as without the file" : "are left out");
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
        if (!used[i] && !(match->layout.ignores && match->layout.ignores(layout_bare(weights->tensors[i].name))))
            text_append(&match->extra, "%.200s\n", weights->tensors[i].name);
    memory_free(used);
}

/* Whether two layouts find the same tensors, and take the elements of some in another order. */
static bool reads_otherwise(const struct match *a, const struct match *b)
{
    for (size_t r = 0; r < a->layout.count && r < b->layout.count; r++) {
        const struct layout_row *x = &a->layout.rows[r], *y = &b->layout.rows[r];
        if (a->sources[r] != MATCH_NONE && a->sources[r] == b->sources[r] &&
            memcmp(x->strides, y->strides, x->walk_dims * sizeof *x->strides) != 0)
            return true;
    }
    return false;
}

/* Takes the layout if more is found by it than by the one before, or as much with better shapes. The layout is the
 * match's from now on. */
static void attempt(struct match *match, struct layout *layout)
{
    struct match other = {.file = match->file, .model = match->model, .layout = *layout};
    take_rows(&other);
    if (other.found > match->found || (other.found == match->found && other.misfits < match->misfits) ||
        !match->sources) {
        other.why = match->why;
        match->why = (struct text){0};
        match_release(match);
        *match = other;
    } else {
        if (other.found > 0 && other.found == match->found && other.misfits == match->misfits)
            match->is_square = reads_otherwise(match, &other);
        match_release(&other);
    }
}

/* Of a format that does not say by which program it was written. */
static void attempt_all(struct match *match)
{
    struct layout layout;
    struct error unknown;
    layout_lockstep(&layout, match->model);
    attempt(match, &layout);
    if (layout_gpt2(&layout, match->model))
        attempt(match, &layout);
    if (layout_nanogpt(&layout, match->model))
        attempt(match, &layout);
    if (layout_torch(&layout, match->model, NULL, &unknown)) {
        sequence_take(&layout, &match->file->weights, &match->why);
        attempt(match, &layout);
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
    bool is_whole = file->format == &weights_keras_whole || file->format == &weights_keras_old;
    if (is_whole || file->format == &weights_keras || file->format == &weights_keras_archive) {
        if (!layout_keras(&layout, model, error))
            return false;
        bool is_ordered = keras_order_take(&layout, model, &file->weights, is_whole, &match->why);
        attempt(match, &layout);
        if (!is_ordered)
            keras_order_check(&match->layout, &file->weights, &match->wrong);
    } else {
        attempt_all(match);
    }
    if (match->found > 0 && !match->is_square)
        return true;
    if (match->found > 0)
        error_set(error, ERROR_USAGE,
                  "%s: all products of this model that it has are square, so that nothing tells whether they are [in, "
                  "out], as in Hugging Face's GPT-2, or [out, in], as in nanoGPT: import a file with attn.c_attn",
                  file->path);
    else
        error_set(error, ERROR_USAGE,
                  "%s: none of its %zu tensors (%.200s%s) has the name of one of this model (%s, ...)%s%s", file->path,
                  file->weights.count, file->weights.count > 0 ? file->weights.tensors[0].name : "",
                  file->weights.count > 1 ? ", ..." : "", match->layout.rows[0].name,
                  match->why.length > 0 ? "; nor do they fit in their order: " : "", text_bytes(&match->why));
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
    text_release(&match->rows);
    text_release(&match->why);
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
    bool ok = match->wrong.length == 0 &&
              (partial || match->missing.length + match->extra.length + match->rows.length == 0);
    if (ok)
        return true;
    struct text words;
    text_init(&words);
    list("wrong shape:", &match->wrong, &words);
    if (!partial) {
        list("rows:", &match->rows, &words);
        list("missing:", &match->missing, &words);
        list("extra:", &match->extra, &words);
        if (match->why.length > 0)
            text_append(&words, "\n  nor do they fit in their order: %s", text_bytes(&match->why));
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
