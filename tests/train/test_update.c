/* The owner's update against a second implementation: in double, over whole tensors, from the definitions. And bit for
 * bit against a world of one rank, which every rank plays alone.
 *
 * The shards of 2, 3 and 4 ranks cut "1.dense.weight" in different places, and the frozen tensor and a statistic too.
 * It is as if a run had been resumed: the moments are old ones, and the first update is not number 1. */
#include "train/update.h"

#include "base/digest.h"
#include "base/memory.h"
#include "base/rng.h"
#include "support/test_mpi.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define FIRST 11 /* number of the first update */
#define STEPS 5

static struct world world;
static const struct world alone = {.comm = MPI_COMM_SELF, .rank = 0, .size = 1};

/* ---- what there is to update ---- */

/* A tensor, and what the groups below and its role make of the settings. */
struct subject {
    struct tensor tensor;
    double rate_factor;  /* 0: frozen; of a statistic nothing else matters */
    double weight_decay; /* < 0: the optimizer's */
    float initial;       /* parameters are of this size */
};

static struct optimizer_group groups[] = {
    {.match = (char[]){"1.*.weight"}, .rate_factor = 0.25, .weight_decay = 0.5},
    {.match = (char[]){"3.*"}, .rate_factor = 0, .weight_decay = -1},
    {.match = (char[]){"1.*"}, .rate_factor = 2, .weight_decay = -1},
    {.match = (char[]){"*.scale"}, .rate_factor = 1, .weight_decay = 0.2},
};

static const struct subject subjects[] = {
    {{.name = "0.embedding.weight", .dims = 2, .shape = {40, 50}, .role = TENSOR_EMBEDDING}, 1, 0, 1},
    {{.name = "1.dense.weight", .dims = 2, .shape = {3, 4111}, .role = TENSOR_WEIGHT}, 0.25, 0.5, 1},
    {{.name = "1.dense.bias", .dims = 1, .shape = {37}, .role = TENSOR_BIAS}, 2, 0, 0},
    {{.name = "1.batch_norm.mean", .dims = 1, .shape = {37}, .role = TENSOR_STATISTIC, .momentum = 0.1f}, 2, 0, 1},
    {{.name = "2.layer_norm.scale", .dims = 1, .shape = {37}, .role = TENSOR_NORM}, 1, 0.2, 1},
    {{.name = "3.dense.weight", .dims = 2, .shape = {7, 700}, .role = TENSOR_WEIGHT}, 0, 0, 1},
    {{.name = "4.dense.weight", .dims = 2, .shape = {11, 19}, .role = TENSOR_WEIGHT}, 1, -1, 4},
    {{.name = "5.batch_norm.mean", .dims = 1, .shape = {5001}, .role = TENSOR_STATISTIC, .momentum = 0.25f}, 1, 0, 1},
    {{.name = "3.batch_norm.mean", .dims = 1, .shape = {19}, .role = TENSOR_STATISTIC, .momentum = 0.1f}, 0, 0, 1},
};

#define SUBJECTS (sizeof subjects / sizeof *subjects)

struct trial {
    const char *name;
    struct optimizer_spec spec; /* without groups: those above are every trial's */
    float clip;                 /* gradient_scale of every other step */
    double average;             /* decay of the EMA; 0: there is none */
};

#define ADAM .beta1 = 0.8, .beta2 = 0.95, .epsilon = 1e-8

static const struct trial trials[] = {
    {"sgd", {.kind = OPTIMIZER_SGD, .learning_rate = 0.05, .weight_decay = 0.3}, 0.5f, 0},
    {"momentum", {.kind = OPTIMIZER_SGD, .learning_rate = 0.05, .weight_decay = 0.3, .momentum = 0.9}, 1, 0.9},
    {"nesterov",
     {.kind = OPTIMIZER_SGD, .learning_rate = 0.05, .weight_decay = 0.3, .momentum = 0.9, .nesterov = true},
     0.5f,
     0},
    {"adam", {.kind = OPTIMIZER_ADAM, .learning_rate = 0.03, .weight_decay = 0.3, ADAM}, 0.5f, 0},
    {"adamw", {.kind = OPTIMIZER_ADAMW, .learning_rate = 0.03, .weight_decay = 0.3, ADAM}, 0.5f, 0.75},
    {"lamb", {.kind = OPTIMIZER_LAMB, .learning_rate = 0.03, .weight_decay = 0.3, ADAM}, 0.5f, 0.75},
    {"plain lars", {.kind = OPTIMIZER_LARS, .learning_rate = 0.1, .weight_decay = 0.3, .trust = 0.5}, 0.5f, 0},
    {"lars",
     {.kind = OPTIMIZER_LARS,
      .learning_rate = 0.1,
      .weight_decay = 0.3,
      .momentum = 0.9,
      .trust = 0.5,
      .epsilon = 1e-3},
     0.5f,
     0.9},
};

#define TRIALS (sizeof trials / sizeof *trials)

static struct optimizer_spec spec_of(const struct trial *trial)
{
    struct optimizer_spec spec = trial->spec;
    spec.groups = groups;
    spec.group_count = sizeof groups / sizeof *groups;
    return spec;
}

static size_t moments_of(const struct trial *trial)
{
    const char *const *names = optimizer_classes[trial->spec.kind]->moments(&trial->spec);
    size_t count = 0;
    while (names[count])
        count++;
    return count;
}

static void make_table(struct tensor_table *table)
{
    tensor_table_init(table);
    for (size_t s = 0; s < SUBJECTS; s++)
        tensor_table_add(table, &subjects[s].tensor);
    tensor_table_place(table);
}

static double rate_of(const struct trial *trial, uint64_t number)
{
    return trial->spec.learning_rate * (1 - 0.1 * (double)(number - FIRST));
}

static float scale_of(const struct trial *trial, uint64_t number)
{
    return number % 2 ? trial->clip : 1;
}

/* ---- the numbers that go in: each a pure function of its place ---- */

enum array { PARAMS, MOMENT_0, MOMENT_1, AVERAGE, ARRAYS };

static const char *const array_names[ARRAYS] = {"params", "moment 0", "moment 1", "average"};

static float noise(const char *what, uint64_t number, size_t element)
{
    return 2 * rng_uniform(rng_key(number, what), element) - 1;
}

/* Element e of tensor s. Parameters that are frozen have a negative zero now and then: what adds or subtracts a zero
 * does not keep its bits. */
static float initial_value(size_t s, enum array array, size_t e)
{
    float value = noise(array_names[array], s, e);
    if (array == PARAMS && subjects[s].rate_factor == 0 && e % 5 == 0)
        return -0.0f;
    if (array == PARAMS)
        return value * subjects[s].initial;
    return array == MOMENT_1 ? value * value : value; /* Adam's second is one of squares */
}

/* The norm's first gradient is zero: a tensor that has no trust ratio. */
static float gradient_value(size_t s, uint64_t number, size_t e)
{
    if (subjects[s].tensor.role == TENSOR_NORM && number == FIRST)
        return 0;
    return noise("gradient", 100 * number + s, e);
}

/* What the shard has of an array before the first step, or of the gradient of update `number` (array == ARRAYS). */
static void fill(const struct tensor_table *table, struct shard shard, enum array array, uint64_t number, float *values)
{
    memset(values, 0, shard.count * sizeof *values);
    for (size_t s = 0; s < table->length; s++)
        for (size_t e = 0; e < table->tensors[s].count; e++) {
            size_t at = table->tensors[s].offset + e;
            if (at >= shard.first && at - shard.first < shard.count)
                values[at - shard.first] = array == ARRAYS ? gradient_value(s, number, e) : initial_value(s, array, e);
        }
}

/* ---- the update in shards ---- */

/* Whole arrays, each [table.count]; those that a trial does not have stay zero. And the table of squares that the last
 * trust ratios were made of: how it is summed shows in its bits long before it shows in a parameter's. */
struct outcome {
    float *arrays[ARRAYS];
    double *squares; /* [square_count] */
    size_t square_count;
};

static void outcome_release(struct outcome *outcome)
{
    for (size_t a = 0; a < ARRAYS; a++)
        memory_free(outcome->arrays[a]);
    memory_free(outcome->squares);
}

/* Collective over owners. Puts the shards together. */
static void gather(const struct world *owners, const struct tensor_table *table, struct shard shard,
                   float *const own[ARRAYS], struct outcome *outcome)
{
    for (size_t a = 0; a < ARRAYS; a++) {
        outcome->arrays[a] = memory_need(table->count, sizeof(float));
        if (own[a])
            memcpy(outcome->arrays[a] + shard.first, own[a], shard.count * sizeof(float));
        MPI_Allreduce(MPI_IN_PLACE, outcome->arrays[a], (int)table->count, MPI_UINT32_T, MPI_BOR, owners->comm);
    }
}

static struct update_arrays arrays_of(float *const own[ARRAYS])
{
    return (struct update_arrays){
        .params = own[PARAMS], .moments = {own[MOMENT_0], own[MOMENT_1]}, .average = own[AVERAGE]};
}

static uint64_t digest_of(float *const own[ARRAYS], size_t count)
{
    uint64_t digest = 0;
    for (size_t a = 0; a < ARRAYS; a++)
        digest = digest_chain(digest, own[a] ? digest_bytes(own[a], count * sizeof *own[a]) : 0);
    return digest;
}

/* Collective over owners. All steps of a trial. Every array is as large as the shard, so that a sanitizer sees what
 * goes beyond. Where there are several owners, or it is not the reference, every other step moves to other arrays. */
static struct outcome run(const struct world *owners, const struct tensor_table *table, const struct trial *trial)
{
    struct optimizer_spec spec = spec_of(trial);
    struct shard shard = exchange_shard(table->count, owners->size, owners->rank);
    float *own[ARRAYS] = {NULL}, *other[ARRAYS] = {NULL}, *gradient = memory_need(shard.count, sizeof *gradient);
    for (enum array a = 0; a < ARRAYS; a++) {
        bool is_moment = a == MOMENT_0 || a == MOMENT_1;
        if ((is_moment && a - MOMENT_0 >= moments_of(trial)) || (a == AVERAGE && trial->average == 0))
            continue;
        own[a] = memory_need(shard.count, sizeof(float));
        other[a] = memory_need(shard.count, sizeof(float));
        fill(table, shard, a, 0, own[a]);
    }
    struct update update;
    update_init(&update, owners, &spec, table, shard);
    for (uint64_t number = FIRST; number < FIRST + STEPS; number++) {
        fill(table, shard, ARRAYS, number, gradient);
        const struct update_numbers numbers = {number, rate_of(trial, number), scale_of(trial, number), trial->average};
        bool moves = owners != &alone && number % 2 == 0;
        uint64_t before = digest_of(own, shard.count);
        const struct update_arrays from = arrays_of(own), to = arrays_of(moves ? other : own);
        update_run(&update, &from, &to, gradient, &numbers);
        if (!moves)
            continue;
        CU_ASSERT_EQUAL(digest_of(own, shard.count), before);
        for (size_t a = 0; a < ARRAYS; a++) {
            float *left = own[a];
            own[a] = other[a];
            other[a] = left;
        }
    }
    struct outcome outcome = {.square_count = 2 * update.first_piece[table->length]};
    outcome.squares = memory_need(outcome.square_count, sizeof *outcome.squares);
    memcpy(outcome.squares, update.squares, outcome.square_count * sizeof *outcome.squares);
    update_release(&update);
    update_release(&update);
    gather(owners, table, shard, own, &outcome);
    for (size_t a = 0; a < ARRAYS; a++) {
        memory_free(own[a]);
        memory_free(other[a]);
    }
    memory_free(gradient);
    return outcome;
}

/* ---- the same from the definitions ---- */

/* One tensor in double; each [count]. */
struct expected {
    double *arrays[ARRAYS];
    double *direction;
};

/* Adam's m / (1 - b1^t) over sqrt(v / (1 - b2^t)) + epsilon, after m and v have taken in g. */
static double adam_ratio(const struct optimizer_spec *spec, uint64_t number, double g, double *m, double *v)
{
    *m = spec->beta1 * *m + (1 - spec->beta1) * g;
    *v = spec->beta2 * *v + (1 - spec->beta2) * g * g;
    double t = (double)number, mean = *m / (1 - pow(spec->beta1, t)), square = *v / (1 - pow(spec->beta2, t));
    return mean / (sqrt(square) + spec->epsilon);
}

static double direction_of(const struct optimizer_spec *spec, uint64_t number, double g, double decay, double p,
                           double *m, double *v)
{
    switch (spec->kind) {
    case OPTIMIZER_SGD:
        return g + decay * p;
    case OPTIMIZER_ADAM:
        return adam_ratio(spec, number, g + decay * p, m, v);
    case OPTIMIZER_ADAMW:
    case OPTIMIZER_LAMB:
        return adam_ratio(spec, number, g, m, v) + decay * p;
    case OPTIMIZER_LARS:
        return g;
    case OPTIMIZER_NONE:
        break;
    }
    return (double)NAN;
}

static double norm(const double *values, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += values[i] * values[i];
    return sqrt(sum);
}

static double ratio_of(const struct optimizer_spec *spec, double decay, double p, double d)
{
    if (p == 0 || d == 0)
        return 1;
    if (spec->kind == OPTIMIZER_LAMB)
        return p / d;
    return spec->kind == OPTIMIZER_LARS ? spec->trust * p / (d + decay * p + spec->epsilon) : 1;
}

static void expect_learned(const struct trial *trial, size_t s, uint64_t number, struct expected *x, size_t count)
{
    const struct optimizer_spec *spec = &trial->spec;
    double decay = subjects[s].weight_decay < 0 ? spec->weight_decay : subjects[s].weight_decay;
    double rate = rate_of(trial, number) * subjects[s].rate_factor;
    double *p = x->arrays[PARAMS], *m = x->arrays[MOMENT_0], *v = x->arrays[MOMENT_1], *d = x->direction;
    for (size_t i = 0; i < count; i++) {
        double g = (double)scale_of(trial, number) * (double)gradient_value(s, number, i);
        d[i] = direction_of(spec, number, g, decay, p[i], &m[i], &v[i]);
    }
    rate *= ratio_of(spec, decay, norm(p, count), norm(d, count));
    for (size_t i = 0; i < count; i++)
        if (spec->kind == OPTIMIZER_SGD) {
            m[i] = spec->momentum * m[i] + d[i];
            p[i] -= rate * (spec->nesterov ? d[i] + spec->momentum * m[i] : m[i]);
        } else if (spec->kind == OPTIMIZER_LARS) {
            m[i] = spec->momentum * m[i] + rate * (d[i] + decay * p[i]);
            p[i] -= m[i];
        } else {
            p[i] -= rate * d[i];
        }
}

static void expect_step(const struct trial *trial, size_t s, uint64_t number, struct expected *x, size_t count)
{
    double momentum = (double)subjects[s].tensor.momentum, *p = x->arrays[PARAMS], *average = x->arrays[AVERAGE];
    if (subjects[s].tensor.role == TENSOR_STATISTIC && subjects[s].rate_factor > 0)
        for (size_t i = 0; i < count; i++)
            p[i] = (1 - momentum) * p[i] + momentum * (double)gradient_value(s, number, i);
    else if (subjects[s].rate_factor > 0)
        expect_learned(trial, s, number, x, count);
    for (size_t i = 0; i < count; i++)
        average[i] = trial->average * average[i] + (1 - trial->average) * p[i];
}

/* Rounding to float is all that ours may have more: a difference is measured by the array's largest element. */
static void check_near(const struct trial *trial, size_t s, enum array array, size_t count, const float *ours,
                       const double *theirs)
{
    double largest = 0;
    size_t wrong = 0;
    for (size_t i = 0; i < count; i++)
        largest = fmax(largest, fabs(theirs[i]));
    for (size_t i = 0; i < count; i++) {
        bool near = fabs((double)ours[i] - theirs[i]) <= 2e-6 * largest;
        if (!near && wrong++ == 0)
            printf("\n    %s, %s of %s [%zu]: %.9g, expected %.9g ", trial->name, array_names[array],
                   subjects[s].tensor.name, i, (double)ours[i], theirs[i]);
    }
    CU_ASSERT_EQUAL(wrong, 0);
}

static void check_tensor(const struct trial *trial, size_t s, const struct tensor *tensor,
                         const struct outcome *outcome)
{
    struct expected x;
    bool learns = tensor->role != TENSOR_STATISTIC && subjects[s].rate_factor > 0;
    x.direction = memory_need(tensor->count, sizeof *x.direction);
    for (enum array a = 0; a < ARRAYS; a++) {
        x.arrays[a] = memory_need(tensor->count, sizeof(double));
        for (size_t i = 0; i < tensor->count; i++)
            x.arrays[a][i] = (double)initial_value(s, a, i);
    }
    for (uint64_t number = FIRST; number < FIRST + STEPS; number++)
        expect_step(trial, s, number, &x, tensor->count);
    for (enum array a = 0; a < ARRAYS; a++) {
        bool is_there = a == PARAMS || (a == AVERAGE && trial->average > 0) ||
                        (a != AVERAGE && learns && a - MOMENT_0 < moments_of(trial));
        if (is_there)
            check_near(trial, s, a, tensor->count, outcome->arrays[a] + tensor->offset, x.arrays[a]);
        memory_free(x.arrays[a]);
    }
    memory_free(x.direction);
}

/* ---- cases ---- */

static void the_table_is_cut_as_it_should_be(void)
{
    struct tensor_table table;
    make_table(&table);
    const struct tensor *weight = &table.tensors[1];
    for (int size = 2; size <= 4; size++) {
        bool inside = false;
        for (int rank = 1; rank < size; rank++) {
            size_t first = exchange_shard(table.count, size, rank).first;
            inside = inside || (first > weight->offset && first < weight->offset + weight->count);
        }
        CU_ASSERT(inside);
    }
    CU_ASSERT(weight->count > 3 * EXCHANGE_BLOCK);
    tensor_table_release(&table);
}

static void every_tensor_moves_by_its_own_numbers(void)
{
    struct tensor_table table;
    make_table(&table);
    for (size_t t = 0; t < TRIALS; t++) {
        struct outcome outcome = run(&world, &table, &trials[t]);
        for (size_t s = 0; s < SUBJECTS; s++)
            check_tensor(&trials[t], s, &table.tensors[s], &outcome);
        outcome_release(&outcome);
    }
    tensor_table_release(&table);
}

static void frozen_tensors_keep_their_bits(void)
{
    struct tensor_table table;
    make_table(&table);
    float *initial = memory_need(table.count, sizeof *initial);
    fill(&table, (struct shard){0, table.count}, PARAMS, 0, initial);
    for (size_t t = 0; t < TRIALS; t++) {
        struct outcome outcome = run(&world, &table, &trials[t]);
        for (size_t s = 0; s < SUBJECTS; s++) {
            const struct tensor *tensor = &table.tensors[s];
            bool same = memcmp(outcome.arrays[PARAMS] + tensor->offset, initial + tensor->offset,
                               tensor->count * sizeof(float)) == 0;
            bool frozen = subjects[s].rate_factor == 0;
            if (same != frozen)
                printf("\n    %s, %s: %s ", trials[t].name, tensor->name, same ? "did not move" : "moved");
            CU_ASSERT_EQUAL(same, frozen);
        }
        outcome_release(&outcome);
    }
    memory_free(initial);
    tensor_table_release(&table);
}

static void shards_have_the_bits_of_one_rank(void)
{
    struct tensor_table table;
    make_table(&table);
    for (size_t t = 0; t < TRIALS; t++) {
        struct outcome shards = run(&world, &table, &trials[t]), whole = run(&alone, &table, &trials[t]);
        for (size_t a = 0; a < ARRAYS; a++) {
            bool same = memcmp(shards.arrays[a], whole.arrays[a], table.count * sizeof(float)) == 0;
            if (!same)
                printf("\n    %s, %s: not the same bits ", trials[t].name, array_names[a]);
            CU_ASSERT(same);
        }
        CU_ASSERT_EQUAL(shards.square_count, whole.square_count);
        CU_ASSERT(memcmp(shards.squares, whole.squares, whole.square_count * sizeof *whole.squares) == 0);
        outcome_release(&shards);
        outcome_release(&whole);
    }
    tensor_table_release(&table);
}

static void gaps_stay_zero(void)
{
    struct tensor_table table;
    make_table(&table);
    for (size_t t = 0; t < TRIALS; t++) {
        struct outcome outcome = run(&world, &table, &trials[t]);
        for (size_t a = 0; a < ARRAYS; a++) {
            size_t wrong = 0;
            for (size_t s = 0; s < SUBJECTS; s++)
                memset(outcome.arrays[a] + table.tensors[s].offset, 0, table.tensors[s].count * sizeof(float));
            for (size_t e = 0; e < table.count; e++)
                wrong += outcome.arrays[a][e] != 0;
            CU_ASSERT_EQUAL(wrong, 0);
        }
        outcome_release(&outcome);
    }
    tensor_table_release(&table);
}

static void every_group_must_be_the_first_for_some_tensor(void)
{
    struct tensor_table table;
    struct error error = {0};
    struct optimizer_group some[] = {groups[2], groups[0]}; /* "1.*" leaves nothing to "1.*.weight" */
    struct optimizer_spec spec = spec_of(&trials[0]);
    make_table(&table);
    CU_ASSERT_TRUE(update_check_groups(&spec, &table, &error));
    spec.groups = some;
    spec.group_count = 1;
    CU_ASSERT_TRUE(update_check_groups(&spec, &table, &error));
    spec.group_count = 2;
    CU_ASSERT_FALSE(update_check_groups(&spec, &table, &error));
    CU_ASSERT_EQUAL(error.kind, ERROR_USAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "groups.1.match: '1.*.weight'"));
    spec.group_count = 0;
    CU_ASSERT_TRUE(update_check_groups(&spec, &table, &error));
    tensor_table_release(&table);
}

static void opening(void)
{
    world_open(&world);
    CU_ASSERT_TRUE(world.size > 0);
}

static void closing(void)
{
    world_close(&world);
    CU_ASSERT_EQUAL(world.comm, MPI_COMM_NULL);
}

int main(int argc, char **argv)
{
    const struct test_case cases[] = {
        {"a world opens", opening},
        {"shards of 2, 3 and 4 ranks begin inside the large weight", the_table_is_cut_as_it_should_be},
        {"every tensor moves by its own rate, decay, trust or momentum", every_tensor_moves_by_its_own_numbers},
        {"frozen tensors keep their bits, all others move", frozen_tensors_keep_their_bits},
        {"the shards of all ranks have the bits of one rank", shards_have_the_bits_of_one_rank},
        {"gaps stay zero", gaps_stay_zero},
        {"every group must be the first that fits some tensor", every_group_must_be_the_first_for_some_tensor},
        {"a world closes", closing},
        {0},
    };
    return test_mpi_run(&argc, &argv, "train/update", cases);
}
