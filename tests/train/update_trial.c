#include "train/update_trial.h"

#include "base/rng.h"
#include "optim/adam.h"
#include "optim/lars.h"
#include "optim/sgd.h"

#include <string.h>

struct optimizer_group groups[GROUPS] = {
    {.match = (char[]){"1.*.weight"}, .rate_factor = 0.25, .weight_decay = 0.5},
    {.match = (char[]){"3.*"}, .rate_factor = 0, .weight_decay = -1},
    {.match = (char[]){"1.*"}, .rate_factor = 2, .weight_decay = -1},
    {.match = (char[]){"*.scale"}, .rate_factor = 1, .weight_decay = 0.2},
};

const struct subject subjects[SUBJECTS] = {
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

static struct sgd plain, heavy = {.momentum = 0.9}, ahead = {.momentum = 0.9, .nesterov = true};
static struct adam adam = {.beta1 = 0.8, .beta2 = 0.95, .epsilon = 1e-8};
static struct lars plain_lars = {.trust = 0.5}, lars = {.momentum = 0.9, .trust = 0.5, .epsilon = 1e-3};

const struct trial trials[TRIALS] = {
    {"sgd", {&optimizer_sgd, &plain, .learning_rate = 0.05, .weight_decay = 0.3}, 0.5f, 0},
    {"momentum", {&optimizer_sgd, &heavy, .learning_rate = 0.05, .weight_decay = 0.3}, 1, 0.9},
    {"nesterov", {&optimizer_sgd, &ahead, .learning_rate = 0.05, .weight_decay = 0.3}, 0.5f, 0},
    {"adam", {&optimizer_adam, &adam, .learning_rate = 0.03, .weight_decay = 0.3}, 0.5f, 0},
    {"adamw", {&optimizer_adamw, &adam, .learning_rate = 0.03, .weight_decay = 0.3}, 0.5f, 0.75},
    {"lamb", {&optimizer_lamb, &adam, .learning_rate = 0.03, .weight_decay = 0.3}, 0.5f, 0.75},
    {"plain lars", {&optimizer_lars, &plain_lars, .learning_rate = 0.1, .weight_decay = 0.3}, 0.5f, 0},
    {"lars", {&optimizer_lars, &lars, .learning_rate = 0.1, .weight_decay = 0.3}, 0.5f, 0.9},
};

struct optimizer_spec trial_spec(const struct trial *trial)
{
    struct optimizer_spec spec = trial->spec;
    spec.groups = groups;
    spec.group_count = GROUPS;
    return spec;
}

size_t trial_moments(const struct trial *trial)
{
    const char *const *names = trial->spec.class->moments(trial->spec.settings);
    size_t count = 0;
    while (names[count])
        count++;
    return count;
}

void subject_table(struct tensor_table *table)
{
    tensor_table_init(table);
    for (size_t s = 0; s < SUBJECTS; s++)
        tensor_table_add(table, &subjects[s].tensor);
    tensor_table_place(table);
}

double trial_rate(const struct trial *trial, uint64_t number)
{
    return trial->spec.learning_rate * (1 - 0.1 * (double)(number - FIRST));
}

float trial_scale(const struct trial *trial, uint64_t number)
{
    return number % 2 ? trial->clip : 1;
}

const char *const array_names[ARRAYS] = {"params", "moment 0", "moment 1", "average"};

static float noise(const char *what, uint64_t number, size_t element)
{
    return 2 * rng_uniform(rng_key(number, what), element) - 1;
}

/* Parameters that are frozen have a negative zero now and then: what adds or subtracts a zero does not keep its bits.
 */
float subject_initial(size_t s, enum array array, size_t e)
{
    float value = noise(array_names[array], s, e);
    if (array == PARAMS && subjects[s].rate_factor == 0 && e % 5 == 0)
        return -0.0f;
    if (array == PARAMS)
        return value * subjects[s].initial;
    return array == MOMENT_1 ? value * value : value; /* Adam's second is one of squares */
}

/* The norm's first gradient is zero: a tensor that has no trust ratio. */
float subject_gradient(size_t s, uint64_t number, size_t e)
{
    if (subjects[s].tensor.role == TENSOR_NORM && number == FIRST)
        return 0;
    return noise("gradient", 100 * number + s, e);
}

void subject_fill(const struct tensor_table *table, struct shard shard, enum array array, uint64_t number,
                  float *values)
{
    memset(values, 0, shard.count * sizeof *values);
    for (size_t s = 0; s < table->length; s++)
        for (size_t e = 0; e < table->tensors[s].count; e++) {
            size_t at = table->tensors[s].offset + e;
            if (at >= shard.first && at - shard.first < shard.count)
                values[at - shard.first] = array == ARRAYS ? subject_gradient(s, number, e)
                                                           : subject_initial(s, array, e);
        }
}
