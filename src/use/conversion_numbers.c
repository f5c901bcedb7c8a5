/* Letters: N samples, M rows that a rank takes in a round, W numbers of a sample. */
#include "base/plural.h"
#include "use/conversion.h"

#include "base/file.h"
#include "base/memory.h"
#include "data/labels.h"
#include "h5/h5_pieces.h"
#include "use/joint_file.h"
#include "use/unchanged.h"

#include <math.h>
#include <string.h>

#define ROUND_BYTES ((size_t)8 << 20) /* of floats that a rank takes from one talk to the next, or one sample */
#define BYTES       256

enum { X, Y, PIECES };

/* Ways to keep inputs as bytes, the best one first: what each byte stands for, times the scale. */
enum { AS_BYTES, AS_SHARES, WAYS };
static const double scales[WAYS] = {[AS_BYTES] = 1, [AS_SHARES] = 1.0 / 255};

struct numbers {
    const struct world *world;
    const struct conversion_source *source;
    const struct dataset *dataset; /* of the source */
    size_t width[PIECES];          /* W of x and y */
    size_t rows;                   /* M */
    struct leaf leaf;
    uint64_t *indices; /* [M] */
    uint8_t *bytes;    /* [M, W of x or y], as they will lie in the file */
    float level[WAYS][BYTES];
    unsigned lost; /* a bit for each way in which some number so far cannot be kept */
    struct h5_piece pieces[PIECES];
    uint64_t offsets[PIECES];
    struct joint_file file;
};

/* ---- in rounds ---- */

/* Local. What becomes of samples [first, first + n), which are in the leaf. */
typedef bool take_rows(struct numbers *numbers, size_t first, size_t n, struct error *error);

static bool take(struct numbers *numbers, size_t first, size_t n, take_rows *work, struct error *error)
{
    for (size_t i = 0; i < n; i++)
        numbers->indices[i] = first + i;
    dataset_read(numbers->dataset, numbers->indices, n, &numbers->leaf);
    return !dataset_failed(numbers->dataset, error) && work(numbers, first, n, error);
}

/* Collective. All samples, each by one rank; those of a round lie together. Ends early once no way is left, if
 * `seeks`. */
static bool go_through(struct numbers *numbers, bool seeks, take_rows *work, struct error *error)
{
    const struct world *world = numbers->world;
    size_t N = numbers->dataset->count, M = numbers->rows, together = M * (size_t)world->size;
    bool ok = true;
    for (size_t first = 0; ok && first < N; first += together) {
        size_t own = first + (size_t)world->rank * M, left = own < N ? N - own : 0;
        ok = world_agree(world, left == 0 || take(numbers, own, left < M ? left : M, work, error), error);
        numbers->lost = world_union(world, numbers->lost);
        if (seeks && numbers->lost == (1U << WAYS) - 1)
            break;
    }
    return ok;
}

/* ---- how they are kept ---- */

static void set_levels(struct numbers *numbers)
{
    for (size_t way = 0; way < WAYS; way++)
        for (size_t b = 0; b < BYTES; b++) /* as array.c has it */
            numbers->level[way][b] = (float)((double)b * scales[way]);
}

/* Whether a byte stands for exactly this number; bits are compared, for the sake of -0. */
static bool find_level(const float level[BYTES], float value, uint8_t *byte)
{
    float place = value / level[BYTES - 1] * (BYTES - 1);
    if (!(place >= 0 && place < BYTES - 0.5F))
        return false;
    *byte = (uint8_t)lrintf(place);
    return memcmp(&level[*byte], &value, sizeof value) == 0;
}

static bool look(struct numbers *numbers, size_t first, size_t n, struct error *error)
{
    size_t count = n * numbers->width[X];
    uint8_t byte;
    (void)first;
    (void)error;
    for (unsigned way = 0; way < WAYS; way++)
        for (size_t i = 0; i < count && !(numbers->lost & 1U << way); i++)
            if (!find_level(numbers->level[way], numbers->leaf.inputs[i], &byte))
                numbers->lost |= 1U << way;
    return true;
}

static unsigned way_of(const struct numbers *numbers)
{
    unsigned way = 0;
    while (way < WAYS && numbers->lost & 1U << way)
        way++;
    return way;
}

/* The narrowest one; what a label becomes that does not count is its largest number. */
static enum h5_piece_type label_type(const struct leaf_form *form)
{
    size_t classes = form->classes + form->ignores;
    return classes <= UINT8_MAX + 1 ? H5_PIECE_UINT8 : classes <= UINT16_MAX + 1 ? H5_PIECE_UINT16 : H5_PIECE_INT32;
}

static void set_pieces(struct numbers *numbers)
{
    const struct leaf_form *form = &numbers->dataset->about.form;
    struct h5_piece *x = &numbers->pieces[X], *y = &numbers->pieces[Y];
    unsigned way = way_of(numbers);
    *x = (struct h5_piece){.name = "x", .dims = 1 + form->input.dims, .size = {numbers->dataset->count}};
    for (size_t d = 0; d < form->input.dims; d++)
        x->size[1 + d] = form->input.size[d];
    x->type = way < WAYS ? H5_PIECE_UINT8 : H5_PIECE_FLOAT32;
    x->scale = way < WAYS && scales[way] != 1 ? scales[way] : 0;
    *y = (struct h5_piece){.name = "y", .dims = 1 + form->target.dims, .size = {numbers->dataset->count}};
    for (size_t d = 0; d < form->target.dims; d++)
        y->size[1 + d] = form->target.size[d];
    if (form->target.dims == 0 && form->terms > 1)
        y->size[y->dims++] = form->terms;
    y->type = form->classes > 0 ? label_type(form) : H5_PIECE_FLOAT32;
}

/* ---- names ---- */

/* The attribute has them, if there are any. */
static bool set_names(struct h5_piece *piece, enum label_kind kind, const struct labels *labels)
{
    if (labels->count == 0)
        return false;
    piece->attribute = label_words[kind];
    piece->texts = (const char *const *)labels->names;
    piece->text_count = labels->count;
    return true;
}

/* ---- the file ---- */

/* Rank 0. HDF5 cannot close a file that it could not write: there has to be room for what it writes itself. */
#define ROOM_OF_HDF5 ((uint64_t)4 << 20)

static bool has_room(const char *path, uint64_t bytes, struct error *error)
{
    uint64_t there = file_free_bytes(path);
    return there == UINT64_MAX || there >= bytes + ROOM_OF_HDF5 ||
           error_set(error, ERROR_FULL, "%s: %.1f MB are needed, but %.1f MB are free", path, (double)bytes / 1e6,
                     (double)there / 1e6);
}

static bool lay_out(void *context, int descriptor, const char *hidden, uint64_t *bytes, struct error *error)
{
    struct numbers *numbers = context;
    struct h5_piece *pieces = numbers->pieces;
    struct labels labels[LABEL_KINDS];
    for (size_t k = 0; k < LABEL_KINDS; k++)
        labels_init(&labels[k], &numbers->dataset->about, (enum label_kind)k);
    (void)set_names(&pieces[X], LABELS_INPUTS, &labels[LABELS_INPUTS]);
    if (!set_names(&pieces[Y], LABELS_CLASSES, &labels[LABELS_CLASSES]))
        (void)set_names(&pieces[Y], LABELS_TARGETS, &labels[LABELS_TARGETS]);
    bool ok = has_room(hidden, h5_piece_length(&pieces[X]) + h5_piece_length(&pieces[Y]), error) &&
              h5_pieces_write(descriptor, hidden, pieces, PIECES, numbers->offsets, error);
    *bytes = 0;
    for (size_t p = 0; ok && p < PIECES; p++) {
        uint64_t end = numbers->offsets[p] + h5_piece_length(&pieces[p]);
        *bytes = end > *bytes ? end : *bytes;
    }
    for (size_t k = 0; k < LABEL_KINDS; k++)
        labels_release(&labels[k]);
    return ok;
}

/* ---- the values ---- */

static bool write_rows(struct numbers *numbers, size_t piece, size_t first, size_t n, const void *values,
                       struct error *error)
{
    size_t row = numbers->width[piece] * h5_piece_bytes(numbers->pieces[piece].type);
    return joint_file_write(&numbers->file, values, n * row, numbers->offsets[piece] + first * row, error);
}

static bool refuse_change(const struct numbers *numbers, struct error *error)
{
    return error_set(error, ERROR_CORRUPT, "%s: a number of x has changed while it was read: convert it again",
                     numbers->file.path);
}

static bool write_inputs(struct numbers *numbers, size_t first, size_t n, struct error *error)
{
    size_t count = n * numbers->width[X];
    unsigned way = way_of(numbers);
    if (way == WAYS)
        return write_rows(numbers, X, first, n, numbers->leaf.inputs, error);
    for (size_t i = 0; i < count; i++)
        if (!find_level(numbers->level[way], numbers->leaf.inputs[i], &numbers->bytes[i]))
            return refuse_change(numbers, error);
    return write_rows(numbers, X, first, n, numbers->bytes, error);
}

static bool write_targets(struct numbers *numbers, size_t first, size_t n, struct error *error)
{
    size_t count = n * numbers->width[Y];
    const int32_t *labels = numbers->leaf.labels;
    const void *values = numbers->bytes;
    uint16_t *wide = (uint16_t *)(void *)numbers->bytes;
    enum h5_piece_type type = numbers->pieces[Y].type;
    if (type == H5_PIECE_FLOAT32 || type == H5_PIECE_INT32)
        values = labels ? (const void *)labels : numbers->leaf.targets;
    else
        for (size_t i = 0; i < count; i++)
            if (type == H5_PIECE_UINT8)
                numbers->bytes[i] = (uint8_t)labels[i];
            else
                wide[i] = (uint16_t)labels[i];
    return write_rows(numbers, Y, first, n, values, error);
}

static bool write_samples(struct numbers *numbers, size_t first, size_t n, struct error *error)
{
    return write_inputs(numbers, first, n, error) && write_targets(numbers, first, n, error);
}

/* ---- all of it ---- */

/* Local. */
static bool prepare(struct numbers *numbers, struct error *error)
{
    const struct leaf_form *form = &numbers->dataset->about.form;
    size_t W = numbers->width[X] = shape_count(&form->input), T = numbers->width[Y] = form->terms;
    size_t M = ROUND_BYTES / ((W + T) * sizeof(float)), wider = W > T ? W : T, size = (size_t)numbers->world->size;
    size_t share = (numbers->dataset->count + size - 1) / size;
    M = M < 1 ? 1 : M < share ? M : share;
    numbers->rows = M;
    numbers->indices = memory_alloc(M, sizeof *numbers->indices, "samples", error);
    numbers->bytes = memory_alloc(M, wider * sizeof(uint16_t), "samples", error);
    set_levels(numbers);
    return numbers->indices && numbers->bytes && leaf_init(&numbers->leaf, form, M, error);
}

/* LEAF_IGNORED, as it is stored. */
static const char *const ignored[H5_PIECE_TYPES] = {
    [H5_PIECE_UINT8] = "255", [H5_PIECE_UINT16] = "65535", [H5_PIECE_INT32] = "-1"};

static void tell(const struct numbers *numbers, struct survey *survey)
{
    const struct leaf_form *form = &numbers->dataset->about.form;
    const struct h5_piece *x = &numbers->pieces[X], *y = &numbers->pieces[Y];
    char shape[96];
    shape_text(&form->input, shape, sizeof shape);
    survey_tell(survey, "%s: %zu sample%s; x %s%s, %s; y %s, %zu %s", numbers->file.path, numbers->dataset->count,
                plural(numbers->dataset->count), h5_piece_name(x->type),
                x->scale != 0 ? ", a byte b being b / 255" : "", shape, h5_piece_name(y->type),
                form->classes > 0 ? form->classes : form->terms, form->classes > 0 ? "classes" : "a sample");
    survey_text(survey, "path", numbers->file.path);
    if (form->classes > 0)
        survey_key(survey, "classes", "%zu", form->classes);
    if (form->ignores)
        survey_key(survey, "ignore_label", "%s", ignored[y->type]);
}

/* Collective. */
static bool convert(struct numbers *numbers, const char *path, struct error *error)
{
    const struct world *world = numbers->world;
    const struct joint_layout layout = {lay_out, numbers};
    if (!go_through(numbers, true, look, error))
        return false;
    set_pieces(numbers);
    if (!joint_file_begin(&numbers->file, world, path, &layout, error))
        return false;
    world_share(world, numbers->offsets, sizeof numbers->offsets);
    return go_through(numbers, false, write_samples, error) &&
           unchanged_agree(world, &numbers->source->dataset, 1, error) &&
           joint_file_commit(&numbers->file, world, error);
}

bool conversion_numbers(const struct world *world, const struct conversion_source *source, const char *path,
                        struct survey *survey, struct error *error)
{
    struct numbers numbers = {.world = world, .source = source, .dataset = source->dataset};
    bool ok = world_agree(world, prepare(&numbers, error), error) && convert(&numbers, path, error);
    if (ok)
        tell(&numbers, survey);
    joint_file_release(&numbers.file, world);
    leaf_release(&numbers.leaf);
    memory_free(numbers.indices);
    memory_free(numbers.bytes);
    return ok;
}
