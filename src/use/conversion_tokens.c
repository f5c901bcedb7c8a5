/* Tokens behind the header of llm.c (data/token_files.h), of uint16 if the vocabulary allows.
 *
 * Letters: T context of a window, L tokens in all. Window i of training data begins at token i; of other data at token
 * i T, but for the last one, which ends with the last token (data/windows.h). */
#include "use/conversion.h"

#include "base/file.h"
#include "base/memory.h"
#include "data/token_files.h"
#include "use/joint_file.h"
#include "use/unchanged.h"

#define ROUND_TOKENS ((size_t)1 << 20) /* that a rank takes from one talk to the next, or one window */

struct tokens {
    const struct world *world;
    const struct dataset *dataset;
    bool tiled;     /* windows stand side by side */
    size_t context; /* T */
    size_t length;  /* L */
    size_t windows; /* of a round, on each rank */
    size_t width;   /* bytes of a token in the file */
    struct leaf leaf;
    uint64_t *indices; /* [windows] */
    size_t *begins;    /* [windows] at which token each of them begins */
    uint8_t *bytes;    /* [windows, T, width] */
    struct joint_file file;
};

static bool lay_out(void *context, int descriptor, const char *hidden, uint64_t *bytes, struct error *error)
{
    const struct tokens *tokens = context;
    uint8_t header[TOKEN_HEADER_BYTES];
    *bytes = sizeof header + tokens->length * tokens->width;
    return token_files_header(tokens->length, tokens->dataset->about.form.vocabulary, header, error) &&
           (file_write_at(descriptor, header, sizeof header, 0) || error_errno(error, "cannot write %s", hidden));
}

/* Token `at` of all, which one of the windows that were read holds: `window`. */
static uint32_t token_at(const struct tokens *tokens, size_t window, size_t at)
{
    size_t T = tokens->context, place = at - tokens->begins[window];
    return (uint32_t)(place < T ? tokens->leaf.tokens[window * T + place] : tokens->leaf.labels[(window + 1) * T - 1]);
}

static void put(uint8_t *to, size_t width, uint32_t token)
{
    for (size_t b = 0; b < width; b++)
        to[b] = (uint8_t)(token >> 8 * b);
}

/* The window that begins at this token, or else the last one; `at` is a multiple of T. */
static void choose(struct tokens *tokens, size_t window, size_t at)
{
    size_t index = tokens->tiled ? at / tokens->context : at, last = tokens->dataset->count - 1;
    tokens->indices[window] = index < last ? index : last;
    tokens->begins[window] = index < last ? at : tokens->length - 1 - tokens->context;
}

/* Local. Tokens [first, first + n), from windows side by side; the last one reaches back. */
static bool take(struct tokens *tokens, size_t first, size_t n, struct error *error)
{
    size_t T = tokens->context, windows = (n + T - 1) / T;
    for (size_t w = 0; w < windows; w++)
        choose(tokens, w, first + w * T);
    dataset_read(tokens->dataset, tokens->indices, windows, &tokens->leaf);
    if (dataset_failed(tokens->dataset, error))
        return false;
    for (size_t i = 0; i < n; i++)
        put(tokens->bytes + i * tokens->width, tokens->width, token_at(tokens, i / T, first + i));
    return joint_file_write(&tokens->file, tokens->bytes, n * tokens->width, TOKEN_HEADER_BYTES + first * tokens->width,
                            error);
}

/* Collective. */
static bool go_through(struct tokens *tokens, struct error *error)
{
    const struct world *world = tokens->world;
    size_t L = tokens->length, most = tokens->windows * tokens->context, together = most * (size_t)world->size;
    bool ok = true;
    for (size_t first = 0; ok && first < L; first += together) {
        size_t own = first + (size_t)world->rank * most, left = own < L ? L - own : 0;
        ok = world_agree(world, left == 0 || take(tokens, own, left < most ? left : most, error), error);
    }
    return ok;
}

/* Local. How many tokens there are: of windows side by side the last one tells, by the labels that it repeats. */
static bool measure(struct tokens *tokens, struct error *error)
{
    size_t T = tokens->context, count = tokens->dataset->count, repeated = 0;
    tokens->length = count + T;
    if (!tokens->tiled)
        return true;
    tokens->indices[0] = count - 1;
    dataset_read(tokens->dataset, tokens->indices, 1, &tokens->leaf);
    while (repeated < T && tokens->leaf.labels[repeated] == LEAF_IGNORED)
        repeated++;
    tokens->length = 1 + count * T - repeated;
    return !dataset_failed(tokens->dataset, error);
}

/* Local. */
static bool prepare(struct tokens *tokens, struct error *error)
{
    const struct leaf_form *form = &tokens->dataset->about.form;
    size_t T = tokens->context = form->input.size[0], count = tokens->dataset->count;
    size_t all = tokens->tiled ? count : (count - 1) / T + 2; /* that it takes for all tokens */
    size_t size = (size_t)tokens->world->size, share = (all + size - 1) / size;
    tokens->width = form->vocabulary <= UINT16_MAX + 1 ? sizeof(uint16_t) : sizeof(uint32_t);
    tokens->windows = T < ROUND_TOKENS ? ROUND_TOKENS / T : 1;
    tokens->windows = tokens->windows < share ? tokens->windows : share;
    tokens->indices = memory_alloc(tokens->windows, sizeof *tokens->indices, "tokens", error);
    tokens->begins = memory_alloc(tokens->windows, sizeof *tokens->begins, "tokens", error);
    tokens->bytes = memory_alloc(tokens->windows * T, tokens->width, "tokens", error);
    return tokens->indices && tokens->begins && tokens->bytes &&
           leaf_init(&tokens->leaf, form, tokens->windows, error) && measure(tokens, error);
}

bool conversion_tokens(const struct world *world, const struct conversion_source *source, const char *path,
                       struct survey *survey, struct error *error)
{
    struct tokens tokens = {.world = world, .dataset = source->dataset, .tiled = !source->is_train};
    const struct joint_layout layout = {lay_out, &tokens};
    bool ok = world_agree(world, prepare(&tokens, error), error) &&
              joint_file_begin(&tokens.file, world, path, &layout, error) && go_through(&tokens, error) &&
              unchanged_agree(world, &source->dataset, 1, error) && joint_file_commit(&tokens.file, world, error);
    if (ok) {
        survey_tell(survey, "%s: %zu tokens, uint%zu, of a vocabulary of %zu", path, tokens.length, 8 * tokens.width,
                    source->dataset->about.form.vocabulary);
        survey_text(survey, "path", path);
        survey_key(survey, "context", "%zu", tokens.context);
    }
    joint_file_release(&tokens.file, world);
    leaf_release(&tokens.leaf);
    memory_free(tokens.indices);
    memory_free(tokens.begins);
    memory_free(tokens.bytes);
    return ok;
}
