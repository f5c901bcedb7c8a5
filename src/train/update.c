#include "train/update.h"

#include "base/checksum.h"
#include "base/memory.h"
#include "base/target.h"
#include "base/text.h"
#include "parallel/promise.h"
#include "parallel/reduction.h"

#include <math.h>
#include <string.h>

void update_init(struct update *update, const struct world *world, const struct optimizer_spec *spec,
                 const struct tensor_table *table, struct shard shard, size_t period)
{
    *update = (struct update){.world = world, .spec = spec, .period = period};
    update_blocks_init(&update->blocks, table, shard);
    update->groups = memory_need(table->length, sizeof *update->groups);
    update->first_piece = memory_need(table->length + 1, sizeof *update->first_piece);
    for (size_t t = 0; t < table->length; t++) {
        const struct tensor *tensor = &table->tensors[t];
        size_t first_block = tensor->offset / EXCHANGE_BLOCK, end = tensor->offset + tensor->count;
        update->groups[t] = optimizer_group_of(spec, tensor->name);
        update->first_piece[t + 1] = update->first_piece[t] + exchange_blocks(end) - first_block;
    }
    update->squares = memory_need(2 * update->first_piece[table->length], sizeof *update->squares);
}

void update_release(struct update *update)
{
    memory_free(update->groups);
    update_blocks_release(&update->blocks);
    memory_free(update->first_piece);
    memory_free(update->squares);
    memset(update, 0, sizeof *update);
}

#define NAMES_BYTES 1200 /* of tensors, as many as an error has room for */

static bool refuse_group(size_t group, const char *match, const struct tensor_table *table, struct error *error)
{
    struct text names;
    text_init(&names);
    for (size_t t = 0; t < table->length && names.length < NAMES_BYTES; t++)
        text_append(&names, "%s%s", t ? ", " : "", table->tensors[t].name);
    error_set(error, ERROR_USAGE, "optimizer.groups.%zu.match: '%.200s' fits no tensor%s; there are %s%s", group, match,
              group > 0 ? " that an earlier group leaves" : "", text_bytes(&names),
              names.length < NAMES_BYTES ? "" : ", ...");
    text_release(&names);
    return false;
}

bool update_check_groups(const struct optimizer_spec *spec, const struct tensor_table *table, struct error *error)
{
    for (size_t g = 0; g < spec->group_count; g++) {
        bool used = false;
        for (size_t t = 0; t < table->length && !used; t++)
            used = optimizer_group_of(spec, table->tensors[t].name) == &spec->groups[g];
        if (!used)
            return refuse_group(g, spec->groups[g].match, table, error);
    }
    return true;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* ---- what moves how ---- */

/* What an update has at hand in all its blocks. */
struct move {
    struct update *update;
    const struct update_arrays *from, *to;
    float *gradient;
    struct optimizer_step common;
    double average_decay;
    bool sums_all;
    struct update_walk walk;
    size_t numbered; /* tensor whose these are; TENSOR_NONE */
    struct optimizer_step numbers;
};

/* It keeps its bits, whatever velocity it has; running averages too. */
static bool is_frozen(const struct update *update, size_t t)
{
    return update->groups[t] && update->groups[t]->rate_factor == 0;
}

static double norm_of(const struct update *update, size_t t, const double *squares)
{
    double sum = 0;
    for (size_t piece = update->first_piece[t]; piece < update->first_piece[t + 1]; piece++)
        sum += squares[piece];
    return sqrt(sum);
}

/* A tensor's own numbers of this step; with_trust: the norms are known. */
static const struct optimizer_step *numbers_of(struct move *move, size_t t, bool with_trust)
{
    const struct update *update = move->update;
    const struct tensor *tensor = &update->blocks.table->tensors[t];
    const struct optimizer_group *group = update->groups[t];
    const struct optimizer_class *class = update->spec->class;
    if (move->numbered == t)
        return &move->numbers;
    move->numbered = t;
    move->numbers = move->common;
    move->numbers.learning_rate *= group ? group->rate_factor : 1;
    move->numbers.weight_decay = optimizer_decay(update->spec, group, tensor->role == TENSOR_WEIGHT);
    if (class->trust && with_trust)
        move->numbers.trust = class->trust(
            update->spec->settings, &move->numbers, norm_of(update, t, update->squares),
            norm_of(update, t, update->squares + update->first_piece[update->blocks.table->length]));
    return &move->numbers;
}

/* old + momentum * (new - old), in the form that averages use everywhere. */
TARGET_CLONES static void average(float keep, float take, size_t count, float *old, const float *new)
{
    for (size_t i = 0; i < count; i++)
        old[i] = keep * old[i] + take * new[i];
}

static bool is_to_be_summed(const struct move *move, const struct update_block *block)
{
    const struct update *update = move->update;
    return move->to->sums && (move->sums_all || block->index % update->period == move->common.step % update->period);
}

/* ---- directions ---- */

/* The moments of a block of an array, at `at` [1 + k]. */
static void point_moments(const struct move *move, float *const at[UPDATE_ARRAYS], size_t first,
                          float *moments[OPTIMIZER_MOMENTS])
{
    for (size_t k = 0; k < OPTIMIZER_MOMENTS; k++)
        moments[k] = move->to->moments[k] ? at[1 + k] + first : NULL;
}

/* The moments of a block are proven, brought over, and move; the gradient becomes the direction. */
static void aim_block(struct move *move, const struct update_block *block)
{
    struct update *update = move->update;
    const struct optimizer_class *class = update->spec->class;
    const float *params = move->from->params + block->first;
    float *at[UPDATE_ARRAYS], *moments[OPTIMIZER_MOMENTS];
    size_t pieces = update->first_piece[update->blocks.table->length];
    struct update_part part;
    update_prove_block(&update->blocks, move->from, 0, block, params); /* and once more, when they move */
    for (size_t k = 0; k < OPTIMIZER_MOMENTS && move->to->moments[k]; k++) {
        const float *old = move->from->moments[k] + block->first;
        at[1 + k] = move->to->moments[k] + block->first;
        update_prove_block(&update->blocks, move->from, 1 + k, block, old);
        if (at[1 + k] != old)
            memcpy(at[1 + k], old, block->count * sizeof *old);
    }
    while (update_next_part(&update->blocks, block, &move->walk, &part)) {
        const struct tensor *tensor = &update->blocks.table->tensors[part.t];
        if (is_frozen(update, part.t) || tensor->role == TENSOR_STATISTIC)
            continue;
        size_t inside = part.first - block->first;
        size_t piece = update->first_piece[part.t] + (update->blocks.shard.first + block->first) / EXCHANGE_BLOCK -
                       tensor->offset / EXCHANGE_BLOCK;
        float *gradient = move->gradient + part.first;
        point_moments(move, at, inside, moments);
        class->direction(update->spec->settings, numbers_of(move, part.t, false), part.count, params + inside, gradient,
                         moments);
        update->squares[piece] = reduction_squares(params + inside, part.count);
        update->squares[pieces + piece] = reduction_squares(gradient, part.count);
    }
    for (size_t k = 0; k < OPTIMIZER_MOMENTS && move->to->moments[k] && move->to->sums; k++)
        *update_sum_of(&update->blocks, move->to, 1 + k, block) = checksum_floats(at[1 + k], block->count);
}

/* Collective. The directions of all tensors, and the squares of their pieces, on all ranks. */
static void find_directions(struct move *move)
{
    struct update *update = move->update;
    size_t pieces = update->first_piece[update->blocks.table->length];
    memset(update->squares, 0, 2 * pieces * sizeof *update->squares);
    for (size_t b = 0; b < exchange_blocks(update->blocks.shard.count); b++) {
        struct update_block block = update_block_of(&update->blocks, b);
        aim_block(move, &block);
    }
    move->walk = (struct update_walk){0};
    move->numbered = TENSOR_NONE;
    world_sum_disjoint(update->world, update->squares, 2 * pieces);
}

/* ---- steps ---- */

/* A part of a piece, whose arrays are at `at`. */
static void move_part(struct move *move, const struct update_block *piece, const struct update_part *part,
                      float *const at[UPDATE_ARRAYS])
{
    const struct update *update = move->update;
    const struct tensor *tensor = &update->blocks.table->tensors[part->t];
    size_t inside = part->first - piece->first;
    float *params = at[0] + inside, *gradient = move->gradient + part->first, *moments[OPTIMIZER_MOMENTS];
    if (is_frozen(update, part->t))
        return;
    if (tensor->role == TENSOR_STATISTIC) {
        average(1 - tensor->momentum, tensor->momentum, part->count, params, gradient);
        return;
    }
    point_moments(move, at, inside, moments);
    update->spec->class->update(update->spec->settings, numbers_of(move, part->t, true), part->count, params, gradient,
                                moments);
}

static void move_piece(struct move *move, const struct update_block *piece, float *const at[UPDATE_ARRAYS],
                       float *averages)
{
    struct update_part part;
    while (update_next_part(&move->update->blocks, piece, &move->walk, &part))
        move_part(move, piece, &part, at);
    if (averages)
        average((float)move->average_decay, (float)(1 - move->average_decay), piece->count, averages, at[0]);
}

/* An array's block on its way. */
struct course {
    const struct update_arrays *arrays; /* where it was, and its sum */
    const float *from;
    float *to;
    bool proves, sums;
    struct checksum before, after;
};

/* Moments that have moved with the directions are already where they go. */
static struct course course_of(const struct move *move, size_t array, const struct update_block *block, float *from,
                               float *to)
{
    bool is_moment = array > 0 && to != move->to->average;
    bool is_there = is_moment && move->update->spec->class->direction;
    const struct update_arrays *arrays = is_there ? move->to : move->from;
    return (struct course){.arrays = arrays,
                           .from = (is_there ? to : from) + block->first,
                           .to = to + block->first,
                           .proves = update_has_sum(&move->update->blocks, arrays, array, block),
                           .sums = is_to_be_summed(move, block)};
}

/* Floats of a piece: so few that loads of the next one run while this one is computed and its stores drain. */
#define PIECE_OVER   256
#define PIECE_SUMMED 512

/* Moves a block piece by piece, and sums it on the way, before and after: where it lies, or in a corner of the cache,
 * from where it is streamed to its new place. That costs memory hardly more than an update in place; over copies in the
 * cache each new line would be fetched first. */
static void move_block(struct move *move, const struct update_block *block)
{
    struct update *update = move->update;
    _Alignas(MEMORY_ALIGNMENT) float corner[UPDATE_ARRAYS][PIECE_OVER];
    float *from[UPDATE_ARRAYS], *to[UPDATE_ARRAYS], *at[UPDATE_ARRAYS];
    struct course courses[UPDATE_ARRAYS];
    size_t count = update_list(move->from, from);
    update_list(move->to, to);
    for (size_t a = 0; a < count; a++)
        courses[a] = course_of(move, a, block, from[a], to[a]);
    bool is_over = move->from != move->to, is_summed = courses[0].proves || courses[0].sums;
    size_t size = is_over ? PIECE_OVER : is_summed ? PIECE_SUMMED : EXCHANGE_BLOCK;
    for (size_t done = 0; done < block->count; done += size) {
        struct update_block piece = {block->index, block->first + done, least(block->count - done, size)};
        for (size_t a = 0; a < count; a++) {
            struct course *course = &courses[a];
            at[a] = course->to + done;
            if (course->proves)
                checksum_add(&course->before, course->from + done, piece.count);
            if (course->to != course->from)
                at[a] = memcpy(corner[a], course->from + done, piece.count * sizeof **corner);
        }
        move_piece(move, &piece, at, move->to->average ? at[count - 1] : NULL);
        for (size_t a = 0; a < count; a++) {
            if (courses[a].sums)
                checksum_add(&courses[a].after, at[a], piece.count);
            if (at[a] == corner[a])
                memory_stream(courses[a].to + done, corner[a], piece.count);
        }
    }
    for (size_t a = 0; a < count; a++) {
        if (courses[a].proves)
            update_judge(&update->blocks, courses[a].arrays, a, block, checksum_end(&courses[a].before));
        if (move->to->sums)
            *update_sum_of(&update->blocks, move->to, a, block) = courses[a].sums ? checksum_end(&courses[a].after) : 0;
    }
}

void update_run(struct update *update, const struct update_arrays *from, const struct update_arrays *to,
                float *gradient, const struct update_numbers *numbers)
{
    PROMISE_EQUAL(update->world, numbers->number);
    PROMISE_EQUAL_REAL(update->world, (double)numbers->gradient_scale);
    PROMISE_EQUAL_REAL(update->world, numbers->average_decay);
    struct move move = {.update = update,
                        .from = from,
                        .to = to,
                        .gradient = gradient,
                        .common = optimizer_step_at(update->spec, numbers->number),
                        .average_decay = numbers->average_decay,
                        .sums_all = numbers->sums_all,
                        .numbered = TENSOR_NONE};
    move.common.learning_rate = numbers->learning_rate;
    move.common.gradient_scale = numbers->gradient_scale;
    move.common.trust = 1;
    if (update->spec->class->direction)
        find_directions(&move);
    for (size_t b = 0; b < exchange_blocks(update->blocks.shard.count); b++) {
        struct update_block block = update_block_of(&update->blocks, b);
        move_block(&move, &block);
    }
    memory_stream_end();
}
