#include "train/update.h"

#include "base/memory.h"
#include "base/target.h"
#include "base/text.h"
#include "parallel/promise.h"
#include "parallel/reduction.h"

#include <math.h>
#include <string.h>

void update_init(struct update *update, const struct world *world, const struct optimizer_spec *spec,
                 const struct tensor_table *table, struct shard shard)
{
    *update = (struct update){.world = world, .spec = spec, .table = table, .shard = shard};
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

/* The part of a tensor in this rank's shard: first is counted from the shard's begin. */
struct part {
    size_t first, count;
};

static struct part part_of(const struct tensor *tensor, struct shard shard)
{
    size_t begin = tensor->offset > shard.first ? tensor->offset : shard.first;
    size_t end = tensor->offset + tensor->count, shard_end = shard.first + shard.count;
    end = end < shard_end ? end : shard_end;
    return begin < end ? (struct part){begin - shard.first, end - begin} : (struct part){0, 0};
}

/* Brings elements [first, first + count) of an array over, if it moves from one place to another. */
static void carry(float *to, const float *from, size_t first, size_t count)
{
    if (to != from)
        memcpy(to + first, from + first, count * sizeof *to);
}

/* The moments of a part, brought over. */
static void carry_moments(const struct update_arrays *from, const struct update_arrays *to, size_t first, size_t count,
                          float *moments[OPTIMIZER_MOMENTS])
{
    for (size_t k = 0; k < OPTIMIZER_MOMENTS; k++) {
        moments[k] = to->moments[k] ? to->moments[k] + first : NULL;
        if (moments[k])
            carry(to->moments[k], from->moments[k], first, count);
    }
}

/* It keeps its bits, whatever velocity it has; running averages too. */
static bool is_frozen(const struct update *update, size_t t)
{
    return update->groups[t] && update->groups[t]->rate_factor == 0;
}

/* A tensor's own numbers of this step. */
static struct optimizer_step numbers_of(const struct update *update, size_t t, const struct optimizer_step *common)
{
    const struct tensor *tensor = &update->table->tensors[t];
    const struct optimizer_group *group = update->groups[t];
    struct optimizer_step numbers = *common;
    numbers.learning_rate *= group ? group->rate_factor : 1;
    numbers.weight_decay = optimizer_decay(update->spec, group, tensor->role == TENSOR_WEIGHT);
    return numbers;
}

/* old + momentum * (new - old), in the form that averages use everywhere. */
TARGET_CLONES static void average(float keep, float take, size_t count, float *old, const float *new)
{
    for (size_t i = 0; i < count; i++)
        old[i] = keep * old[i] + take * new[i];
}

/* Squares of a tensor's part by blocks, into the table of all pieces. */
static void note_squares(const struct update *update, size_t t, struct part part, const float *values, double *squares)
{
    const struct tensor *tensor = &update->table->tensors[t];
    size_t begin = update->shard.first + part.first, end = begin + part.count;
    for (size_t at = begin, next; at < end; at = next) {
        size_t block = at / EXCHANGE_BLOCK;
        next = (block + 1) * EXCHANGE_BLOCK < end ? (block + 1) * EXCHANGE_BLOCK : end;
        size_t piece = update->first_piece[t] + block - tensor->offset / EXCHANGE_BLOCK;
        squares[piece] = reduction_squares(values + (at - update->shard.first), next - at);
    }
}

static double norm_of(const struct update *update, size_t t, const double *squares)
{
    double sum = 0;
    for (size_t piece = update->first_piece[t]; piece < update->first_piece[t + 1]; piece++)
        sum += squares[piece];
    return sqrt(sum);
}

/* What an update has at hand in all its parts. */
struct move {
    struct update *update;
    const struct update_arrays *from, *to;
    float *gradient;
    struct optimizer_step common;
};

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Collective. The directions of all tensors, and the squares of their pieces, on all ranks. */
static void find_directions(const struct move *move)
{
    struct update *update = move->update;
    const struct optimizer_class *class = update->spec->class;
    size_t pieces = update->first_piece[update->table->length];
    memset(update->squares, 0, 2 * pieces * sizeof *update->squares);
    for (size_t t = 0; t < update->table->length; t++) {
        struct part part = part_of(&update->table->tensors[t], update->shard);
        if (part.count == 0 || is_frozen(update, t) || update->table->tensors[t].role == TENSOR_STATISTIC)
            continue;
        struct optimizer_step numbers = numbers_of(update, t, &move->common);
        for (size_t done = 0; done < part.count; done += EXCHANGE_BLOCK) {
            size_t first = part.first + done, count = least(part.count - done, EXCHANGE_BLOCK);
            float *moments[OPTIMIZER_MOMENTS];
            carry_moments(move->from, move->to, first, count, moments);
            class->direction(update->spec->settings, &numbers, count, move->from->params + first,
                             move->gradient + first, moments);
        }
        note_squares(update, t, part, move->from->params, update->squares);
        note_squares(update, t, part, move->gradient, update->squares + pieces);
    }
    world_sum_disjoint(update->world, update->squares, 2 * pieces);
}

/* Elements [first, first + count) of tensor t, in place. */
static void move_here(const struct move *move, size_t t, const struct optimizer_step *numbers, size_t first,
                      size_t count)
{
    const struct update *update = move->update;
    const struct tensor *tensor = &update->table->tensors[t];
    float *params = move->to->params + first, *gradient = move->gradient + first, *moments[OPTIMIZER_MOMENTS];
    carry_moments(move->to, move->to, first, count, moments);
    if (is_frozen(update, t))
        return;
    if (tensor->role == TENSOR_STATISTIC)
        average(1 - tensor->momentum, tensor->momentum, count, params, gradient);
    else
        update->spec->class->update(update->spec->settings, numbers, count, params, gradient, moments);
}

/* The same, from one place to another, by brought-over copies. */
static void move_over(const struct move *move, size_t t, const struct optimizer_step *numbers, size_t first,
                      size_t count)
{
    const struct update *update = move->update;
    bool still = is_frozen(update, t) || update->table->tensors[t].role == TENSOR_STATISTIC;
    float *moments[OPTIMIZER_MOMENTS];
    carry(move->to->params, move->from->params, first, count);
    /* With directions, the moments have been brought over, and have changed. */
    if (still || !update->spec->class->direction)
        carry_moments(move->from, move->to, first, count, moments);
    move_here(move, t, numbers, first, count);
}

#define PIECE 256 /* floats: small, so that loads of the next piece run while stores of this one drain */

/* The same for an elementwise class: in a corner of the cache, from where it is streamed to its new place. Costs the
 * memory hardly more than an update in place; over copies in the cache each new line would be fetched first. */
static void move_streamed(const struct move *move, const struct optimizer_step *numbers, size_t first, size_t count)
{
    const struct update *update = move->update;
    const struct optimizer_class *class = update->spec->class;
    _Alignas(MEMORY_ALIGNMENT) float corner[1 + OPTIMIZER_MOMENTS][PIECE];
    float *moments[OPTIMIZER_MOMENTS];
    for (size_t k = 0; k < OPTIMIZER_MOMENTS; k++)
        moments[k] = move->to->moments[k] ? corner[1 + k] : NULL;
    for (size_t end = first + count, piece; first < end; first += piece) {
        piece = least(end - first, PIECE);
        memcpy(corner[0], move->from->params + first, piece * sizeof **corner);
        for (size_t k = 0; k < OPTIMIZER_MOMENTS && moments[k]; k++)
            memcpy(moments[k], move->from->moments[k] + first, piece * sizeof **corner);
        class->update(update->spec->settings, numbers, piece, corner[0], move->gradient + first, moments);
        memory_stream(move->to->params + first, corner[0], piece);
        for (size_t k = 0; k < OPTIMIZER_MOMENTS && moments[k]; k++)
            memory_stream(move->to->moments[k] + first, moments[k], piece);
    }
}

static void move_tensor(const struct move *move, size_t t)
{
    const struct update *update = move->update;
    const struct optimizer_class *class = update->spec->class;
    struct part part = part_of(&update->table->tensors[t], update->shard);
    struct optimizer_step numbers = numbers_of(update, t, &move->common);
    if (class->trust) {
        size_t pieces = update->first_piece[update->table->length];
        numbers.trust = class->trust(update->spec->settings, &numbers, norm_of(update, t, update->squares),
                                     norm_of(update, t, update->squares + pieces));
    }
    bool over = move->from != move->to,
         elementwise = !class->direction && !is_frozen(update, t) && update->table->tensors[t].role != TENSOR_STATISTIC;
    if (over && elementwise)
        move_streamed(move, &numbers, part.first, part.count);
    else if (over)
        move_over(move, t, &numbers, part.first, part.count);
    else
        move_here(move, t, &numbers, part.first, part.count);
}

static void move_average(const struct move *move, double decay)
{
    const struct update_arrays *from = move->from, *to = move->to;
    size_t shard = move->update->shard.count;
    for (size_t first = 0; to->average && first < shard; first += EXCHANGE_BLOCK) {
        size_t count = least(shard - first, EXCHANGE_BLOCK);
        carry(to->average, from->average, first, count);
        average((float)decay, (float)(1 - decay), count, to->average + first, to->params + first);
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
                        .common = optimizer_step_at(update->spec, numbers->number)};
    move.common.learning_rate = numbers->learning_rate;
    move.common.gradient_scale = numbers->gradient_scale;
    move.common.trust = 1;
    if (update->spec->class->direction)
        find_directions(&move);
    for (size_t t = 0; t < update->table->length; t++)
        move_tensor(&move, t);
    memory_stream_end();
    move_average(&move, numbers->average_decay);
}
