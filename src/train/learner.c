#include "train/learner.h"

#include "base/log.h"
#include "base/memory.h"
#include "base/watchdog.h"

#include <math.h>
#include <string.h>

_Static_assert(STATE_DIMS == TENSOR_DIMS, "a checkpoint has room for every tensor's shape");
_Static_assert(STATE_ARRAYS >= OPTIMIZER_MOMENTS + 2, "and for the parameters, all moments and the average");
_Static_assert(TENSOR_ALIGN == STATE_ALIGN, "a checkpoint knows what may lie between tensors");
_Static_assert(TENSOR_STATISTICS_ALIGN == EXCHANGE_BLOCK, "the norm is taken by blocks, without the statistics");

static size_t leaves_of(const struct job *job)
{
    return job->train.batch / job->train.microbatch;
}

bool learner_init(struct learner *learner, const struct job *job, const struct leaf_form *form, struct error *error)
{
    *learner = (struct learner){0};
    return model_describe(&learner->model, &job->model, &job->loss, form, job->train.microbatch, job->seed, error);
}

bool learner_connect(struct learner *learner, const struct world *world, const struct job *job, bool two_sets,
                     int ranks_per_node, struct error *error)
{
    const struct tensor_table *table = &learner->model.table;
    size_t leaves = leaves_of(job), copies = two_sets ? 2 : 1;
    node_open(&learner->node, world, ranks_per_node);
    learner->node_is_open = true;
    learner->shard = exchange_shard(table->count, world->size, world->rank);
    if (exchange_open(&learner->exchange, world, &learner->node, leaves, table->count, table->learned, copies, error))
        return true;
    if (!error_is_refused(error) || ranks_per_node == 1)
        return false;
    log_warn("%s: the ranks exchange messages instead, which is slower; more room in /dev/shm may help", error->text);
    error_clear(error);
    node_close(&learner->node);
    node_open(&learner->node, world, 1);
    return exchange_open(&learner->exchange, world, &learner->node, leaves, table->count, table->learned, copies,
                         error);
}

/* The state's arrays are those in use. */
static void point_state(struct learner *learner)
{
    struct state *state = &learner->state;
    size_t a = 0;
    state->arrays[a++].values = learner->used.params;
    for (size_t k = 0; k < OPTIMIZER_MOMENTS && learner->used.moments[k]; k++)
        state->arrays[a++].values = learner->used.moments[k];
    if (learner->used.average)
        state->arrays[a++].values = learner->used.average;
    for (size_t i = 0; i < a; i++)
        state->arrays[i].sums = learner->used.sums + i * exchange_blocks(learner->shard.count);
}

/* The learned arrays by name, and the tensors in them. */
static void describe_state(struct learner *learner, const char *const *moments)
{
    const struct tensor_table *table = &learner->model.table;
    struct state *state = &learner->state;
    learner->tensors = memory_need(table->length, sizeof *learner->tensors);
    for (size_t t = 0; t < table->length; t++) {
        const struct tensor *tensor = &table->tensors[t];
        learner->tensors[t] = (struct state_tensor){
            .name = tensor->name, .dims = tensor->dims, .offset = tensor->offset};
        memcpy(learner->tensors[t].shape, tensor->shape, sizeof tensor->shape);
    }
    *state = (struct state){
        .count = table->count, .shard = learner->shard, .tensors = learner->tensors, .tensor_count = table->length};
    state->arrays[state->array_count++].name = "params";
    for (size_t k = 0; moments[k]; k++)
        state->arrays[state->array_count++].name = moments[k];
    if (learner->used.average)
        state->arrays[state->array_count++].name = "ema";
    point_state(learner);
}

/* The arrays of this rank's shard, but for the parameters. */
static bool allocate_arrays(const struct learner *learner, const struct job *job, const char *const *moments,
                            struct update_arrays *arrays, struct error *error)
{
    size_t count = learner->shard.count;
    for (size_t k = 0; moments[k]; k++)
        if (!(arrays->moments[k] = memory_alloc(count, sizeof(float), "the optimizer's moments", error)))
            return false;
    if (job->ema > 0)
        arrays->average = memory_alloc(count, sizeof(float), "the average of the weights", error);
    arrays->sums = memory_need(UPDATE_ARRAYS * exchange_blocks(count), sizeof *arrays->sums);
    return job->ema == 0 || arrays->average;
}

static void release_arrays(struct update_arrays *arrays)
{
    for (size_t k = 0; k < OPTIMIZER_MOMENTS; k++)
        memory_free(arrays->moments[k]);
    memory_free(arrays->average);
    memory_free(arrays->sums);
}

/* What a proof takes of the time of a step at most; and what both take: summing a float when it is written and when it
 * is read again; a product's addition or multiplication; and whatever else is in a step of two ranks at least. */
#define PROOF_SHARE     0.01
#define PROOF_S         6e-11
#define PRODUCT_S       1e-11
#define STEP_AT_LEAST_S 5e-5
#define PASSES          3 /* forward and, twice as dear, backward */

size_t learner_proof_period(const struct model *model, const struct job *job, size_t arrays, int ranks)
{
    double flops = 0;
    for (size_t l = 0; l < model->count; l++)
        flops += model->layers[l].flops;
    double step_s = PASSES * flops * PRODUCT_S * (double)job->train.batch / ranks + STEP_AT_LEAST_S;
    double proof_s = PROOF_S * (double)(model->table.count * arrays) / ranks;
    return (size_t)fmax(1, ceil(proof_s / (PROOF_SHARE * step_s)));
}

bool learner_allocate(struct learner *learner, const struct world *world, const struct job *job, bool two_sets,
                      struct error *error)
{
    const char *const *moments = optimizer_moments(&job->optimizer);
    if (!model_allocate(&learner->model, error) || !allocate_arrays(learner, job, moments, &learner->used, error))
        return false;
    learner->used.params = learner_own_params(learner);
    if (two_sets) {
        if (!allocate_arrays(learner, job, moments, &learner->other, error))
            return false;
        learner->other.params = exchange_other_params(learner->exchange) + learner->shard.first;
    }
    describe_state(learner, moments);
    update_init(&learner->update, world, &job->optimizer, &learner->model.table, learner->shard,
                learner_proof_period(&learner->model, job, learner->state.array_count, world->size));
    return tally_init(&learner->tally, world, leaves_of(job), LEAF_NUMBERS, error);
}

void learner_close(struct learner *learner)
{
    tally_release(&learner->tally);
    watchdog_begin_meeting("the shared memory of each node is given back (MPI_Win_free)", 0, false);
    exchange_close(learner->exchange);
    if (learner->node_is_open)
        node_close(&learner->node);
    watchdog_end();
    release_arrays(&learner->used);
    release_arrays(&learner->other);
    update_release(&learner->update);
    memory_free(learner->tensors);
    model_release(&learner->model);
    memset(learner, 0, sizeof *learner);
}

void learner_turn(struct learner *learner)
{
    struct update_arrays left = learner->used;
    learner->used = learner->other;
    learner->other = left;
    exchange_turn(learner->exchange);
    point_state(learner);
}
