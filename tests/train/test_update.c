/* The owner's update against a second implementation (update_reference.h), and bit for bit against a world of one rank,
 * which every rank plays alone. */
#include "train/update.h"

#include "base/checksum.h"
#include "base/digest.h"
#include "base/memory.h"
#include "support/test_mpi.h"
#include "train/update_reference.h"

#include <stdio.h>
#include <string.h>

static struct world world;
static const struct world alone = {.comm = MPI_COMM_SELF, .rank = 0, .size = 1};

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

static struct update_arrays arrays_of(float *const own[ARRAYS], uint64_t *sums)
{
    return (struct update_arrays){
        .params = own[PARAMS], .moments = {own[MOMENT_0], own[MOMENT_1]}, .average = own[AVERAGE], .sums = sums};
}

/* Some arrays of a trial, as they are before the first step or zero, each as large as the shard. */
static void allocate(const struct tensor_table *table, const struct trial *trial, struct shard shard, bool is_begin,
                     float *own[ARRAYS])
{
    for (enum array a = 0; a < ARRAYS; a++) {
        bool is_moment = a == MOMENT_0 || a == MOMENT_1;
        own[a] = NULL;
        if ((is_moment && a - MOMENT_0 >= trial_moments(trial)) || (a == AVERAGE && trial->average == 0))
            continue;
        own[a] = memory_need(shard.count, sizeof(float));
        if (is_begin)
            subject_fill(table, shard, a, 0, own[a]);
    }
}

static void release(float *own[ARRAYS])
{
    for (size_t a = 0; a < ARRAYS; a++)
        memory_free(own[a]);
}

#define PERIOD 2

/* Those of the blocks whose turn it was, or of all. */
static void check_sums(float *const own[ARRAYS], const uint64_t *sums, struct shard shard, uint64_t number, bool all)
{
    size_t blocks = exchange_blocks(shard.count);
    for (size_t a = 0, array = 0; a < ARRAYS; array += own[a++] != NULL)
        for (size_t b = 0; b < blocks && own[a]; b++) {
            size_t first = b * EXCHANGE_BLOCK, left = shard.count - first;
            uint64_t sum = checksum_floats(own[a] + first, left < EXCHANGE_BLOCK ? left : EXCHANGE_BLOCK);
            CU_ASSERT_EQUAL(sums[array * blocks + b], all || b % PERIOD == number % PERIOD ? sum : 0);
        }
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
    struct optimizer_spec spec = trial_spec(trial);
    struct shard shard = exchange_shard(table->count, owners->size, owners->rank);
    float *own[ARRAYS], *other[ARRAYS], *gradient = memory_need(shard.count, sizeof *gradient);
    uint64_t *sums[2];
    for (size_t i = 0; i < 2; i++)
        sums[i] = owners != &alone ? memory_need(UPDATE_ARRAYS * exchange_blocks(shard.count), sizeof **sums) : NULL;
    allocate(table, trial, shard, true, own);
    allocate(table, trial, shard, false, other);
    struct update update;
    update_init(&update, owners, &spec, table, shard, PERIOD);
    for (uint64_t number = FIRST; number < FIRST + STEPS; number++) {
        subject_fill(table, shard, ARRAYS, number, gradient);
        const struct update_numbers numbers = {number, trial_rate(trial, number), trial_scale(trial, number),
                                               trial->average, number % 3 == 0};
        bool moves = owners != &alone && number % 2 == 0;
        uint64_t before = digest_of(own, shard.count);
        const struct update_arrays from = arrays_of(own, sums[0]), to = arrays_of(moves ? other : own, sums[moves]);
        update_run(&update, &from, &to, gradient, &numbers);
        if (to.sums)
            check_sums(moves ? other : own, to.sums, shard, number, numbers.sums_all);
        if (!moves)
            continue;
        CU_ASSERT_EQUAL(digest_of(own, shard.count), before);
        for (size_t a = 0; a < ARRAYS; a++) {
            float *left = own[a];
            own[a] = other[a];
            other[a] = left;
        }
        uint64_t *left = sums[0];
        sums[0] = sums[1];
        sums[1] = left;
    }
    CU_ASSERT_FALSE(update.blocks.fault.is_found);
    struct outcome outcome = {.square_count = 2 * update.first_piece[table->length]};
    outcome.squares = memory_need(outcome.square_count, sizeof *outcome.squares);
    memcpy(outcome.squares, update.squares, outcome.square_count * sizeof *outcome.squares);
    update_release(&update);
    update_release(&update);
    gather(owners, table, shard, own, &outcome);
    release(own);
    release(other);
    memory_free(sums[0]);
    memory_free(sums[1]);
    memory_free(gradient);
    return outcome;
}

/* ---- cases ---- */

static void the_table_is_cut_as_it_should_be(void)
{
    struct tensor_table table;
    subject_table(&table);
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
    subject_table(&table);
    for (size_t t = 0; t < TRIALS; t++) {
        struct outcome outcome = run(&world, &table, &trials[t]);
        for (size_t s = 0; s < SUBJECTS; s++)
            update_reference_check(&trials[t], s, &table.tensors[s], outcome.arrays);
        outcome_release(&outcome);
    }
    tensor_table_release(&table);
}

static void frozen_tensors_keep_their_bits(void)
{
    struct tensor_table table;
    subject_table(&table);
    float *initial = memory_need(table.count, sizeof *initial);
    subject_fill(&table, (struct shard){0, table.count}, PARAMS, 0, initial);
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
    subject_table(&table);
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
    subject_table(&table);
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

/* A step from arrays of which one has a flipped bit, to where `moves` says. What the update finds, and before it
 * update_blocks_prove. Returns the fault. */
static struct update_fault flip(const struct tensor_table *table, const struct trial *trial, size_t array,
                                size_t element, bool moves)
{
    struct optimizer_spec spec = trial_spec(trial);
    struct shard shard = exchange_shard(table->count, world.size, world.rank);
    float *own[ARRAYS], *other[ARRAYS], *gradient = memory_need(shard.count, sizeof *gradient);
    size_t all = UPDATE_ARRAYS * exchange_blocks(shard.count);
    uint64_t *sums = memory_need(2 * all, sizeof *sums);
    struct update update, asked;
    allocate(table, trial, shard, true, own);
    allocate(table, trial, shard, false, other);
    const struct update_arrays from = arrays_of(own, sums), to = moves ? arrays_of(other, sums + all) : from;
    update_init(&update, &world, &spec, table, shard, 1);
    update_init(&asked, &world, &spec, table, shard, 1);
    update_blocks_sum(&update.blocks, &from);
    CU_ASSERT_TRUE(update_blocks_prove(&asked.blocks, &from));
    if (own[array])
        ((unsigned char *)(own[array] + element))[2] ^= 4;
    CU_ASSERT_EQUAL(update_blocks_prove(&asked.blocks, &from), !own[array]);
    const struct update_numbers numbers = {FIRST, trial_rate(trial, FIRST), 1, trial->average, false};
    subject_fill(table, shard, ARRAYS, FIRST, gradient);
    update_run(&update, &from, &to, gradient, &numbers);
    struct update_fault fault = update.blocks.fault;
    CU_ASSERT(fault.is_found == asked.blocks.fault.is_found && fault.array == asked.blocks.fault.array &&
              fault.block == asked.blocks.fault.block);
    update_release(&update);
    update_release(&asked);
    release(own);
    release(other);
    memory_free(sums);
    memory_free(gradient);
    return fault;
}

static void a_flipped_bit_is_found_by_the_next_update(void)
{
    struct tensor_table table;
    subject_table(&table);
    size_t count = exchange_shard(table.count, world.size, world.rank).count;
    for (size_t t = 0; t < TRIALS; t++)
        for (size_t a = 0, array = 0; a < ARRAYS; a++) {
            bool is_there = a == AVERAGE ? trials[t].average > 0
                                         : a == PARAMS || a - MOMENT_0 < trial_moments(&trials[t]);
            for (size_t i = 0; i < 4; i++) {
                size_t element = (3331 * i + a) % count;
                struct update_fault fault = flip(&table, &trials[t], a, element, i % 2);
                if (fault.is_found != is_there || (is_there && fault.block != element / EXCHANGE_BLOCK))
                    printf("\n    %s, %s, element %zu: ", trials[t].name, array_names[a], element);
                CU_ASSERT_EQUAL(fault.is_found, is_there);
                CU_ASSERT(!is_there || (fault.array == array && fault.block == element / EXCHANGE_BLOCK));
            }
            array += is_there;
        }
    tensor_table_release(&table);
}

static void every_group_must_be_the_first_for_some_tensor(void)
{
    struct tensor_table table;
    struct error error = {0};
    struct optimizer_group some[] = {groups[2], groups[0]}; /* "1.*" leaves nothing to "1.*.weight" */
    struct optimizer_spec spec = trial_spec(&trials[0]);
    subject_table(&table);
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
        {"a flipped bit is found by the next update, and named", a_flipped_bit_is_found_by_the_next_update},
        {"every group must be the first that fits some tensor", every_group_must_be_the_first_for_some_tensor},
        {"a world closes", closing},
        {0},
    };
    return test_mpi_run(&argc, &argv, "train/update", cases);
}
