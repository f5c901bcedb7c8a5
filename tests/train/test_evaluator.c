/* An evaluation on these ranks against one on a single rank, bit by bit, without a session. */
#include "data/digits.h"
#include "data/formats.h"
#include "nn/layers/dense.h"
#include "nn/layers/layers.h"
#include "support/test_mpi.h"
#include "train/evaluator.h"

#include "base/memory.h"

#include <string.h>

enum { ROWS = 4, SAMPLES = 54, K = 10 }; /* 14 chunks, the last one smaller */

static struct world world;

/* What an evaluation needs. */
struct ground {
    struct dataset dataset;
    struct model model;
    float *params;
};

static bool ground_init(struct ground *ground, const struct loss_class *class, size_t units)
{
    struct digits_settings digits = {.count = SAMPLES, .std = 1};
    struct dense dense = {.units = units, .bias = true, .init = INIT_DEFAULT};
    struct layer_spec layer = {.class = &layer_dense, .settings = &dense};
    struct model_spec spec = {.layers = &layer, .count = 1};
    struct loss_spec loss = {.class = class, .delta = 1};
    struct error error;
    *ground = (struct ground){0};
    bool ok = dataset_open(&ground->dataset, &(struct dataset_spec){&dataset_digits, &digits}, NULL, &error) &&
              model_init(&ground->model, &spec, &loss, &ground->dataset.about.form, ROWS, 1, &error);
    CU_ASSERT_TRUE(ok);
    if (!ok)
        return false;
    ground->params = memory_need(ground->model.table.count, sizeof *ground->params);
    tensor_table_fill(&ground->model.table, 3, 0, ground->model.table.count, ground->params);
    return true;
}

static void ground_release(struct ground *ground)
{
    memory_free(ground->params);
    model_release(&ground->model);
    dataset_close(&ground->dataset);
}

static bool evaluate(struct evaluator *evaluator, struct ground *ground, const struct world *among,
                     struct evaluation *evaluation)
{
    const struct evaluator_options options = {.meter = {.confusion = true}};
    struct error error;
    bool ok = evaluator_init(evaluator, among, &ground->dataset, &ground->model, &options, &error) &&
              evaluator_run(evaluator, &ground->model, ground->params, evaluation);
    CU_ASSERT_TRUE(ok);
    return ok;
}

static bool are_equal(const struct evaluation *a, const struct evaluation *b)
{
    return !memcmp(a->fits, b->fits, sizeof a->fits) && !memcmp(a->values, b->values, sizeof a->values) &&
           a->is_constant == b->is_constant;
}

static bool counts_are_equal(const struct meter *a, const struct meter *b)
{
    size_t classes = a->classes;
    return classes == b->classes && (!a->counts || !memcmp(a->counts, b->counts, classes * sizeof *a->counts)) &&
           (!a->confusion || !memcmp(a->confusion, b->confusion, classes * classes * sizeof *a->confusion));
}

static void every_number_of_ranks_gives_the_same_bits(void)
{
    static const struct {
        const struct loss_class *loss;
        size_t units;
        enum metric_kind judge;
    } cases[] = {{&loss_softmax_cross_entropy, K, METRIC_F1}, {&loss_mean_squared_error, 1, METRIC_R2}};
    const struct world self = {.comm = MPI_COMM_SELF, .rank = 0, .size = 1};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ground ground;
        struct evaluator alone = {0}, all = {0};
        struct evaluation right, found, again;
        if (!ground_init(&ground, cases[i].loss, cases[i].units))
            return;
        if (evaluate(&alone, &ground, &self, &right) && evaluate(&all, &ground, &world, &found)) {
            CU_ASSERT_TRUE(are_equal(&found, &right));
            CU_ASSERT_TRUE(found.fits[cases[i].judge] && !isnan(found.values[cases[i].judge]));
            CU_ASSERT_EQUAL(memcmp(&all.spread, &alone.spread, sizeof all.spread), 0);
            CU_ASSERT_TRUE(counts_are_equal(&all.meter, &alone.meter));
            /* A second one has nothing of the first, and the spread at hand. */
            CU_ASSERT_TRUE(evaluator_run(&all, &ground.model, ground.params, &again));
            CU_ASSERT_TRUE(are_equal(&again, &right) && counts_are_equal(&all.meter, &alone.meter));
        }
        evaluator_release(&alone);
        evaluator_release(&all);
        ground_release(&ground);
    }
}

/* Against the outputs of all samples in one row, which a viewer has kept. */
struct kept {
    float outputs[SAMPLES][K];
    int32_t labels[SAMPLES];
    size_t seen;
};

static void keep(void *context, const struct leaf *leaf, size_t first, size_t n, size_t width, const float *outputs)
{
    struct kept *kept = context;
    for (size_t i = 0; i < n && kept->seen < SAMPLES; i++, kept->seen++) {
        memcpy(kept->outputs[leaf->first + first + i], outputs + i * width, width * sizeof *outputs);
        kept->labels[leaf->first + first + i] = leaf->labels[first + i];
    }
}

static void the_sums_are_global_and_not_means_of_means(void)
{
    const struct world self = {.comm = MPI_COMM_SELF, .rank = 0, .size = 1};
    struct kept kept = {.seen = 0};
    const struct output_watch viewer = {keep, &kept};
    struct ground ground;
    struct evaluator evaluator = {0};
    struct evaluation evaluation;
    struct error error;
    double squared = 0, mean = 0, spread = 0;
    if (!ground_init(&ground, &loss_mean_squared_error, 1))
        return;
    bool ok = evaluator_init(&evaluator, &self, &ground.dataset, &ground.model,
                             &(struct evaluator_options){.viewer = &viewer}, &error) &&
              evaluator_run(&evaluator, &ground.model, ground.params, &evaluation);
    CU_ASSERT_TRUE(ok);
    CU_ASSERT_EQUAL(kept.seen, SAMPLES);
    for (size_t i = 0; i < SAMPLES; i++) {
        squared += pow((double)kept.outputs[i][0] - kept.labels[i], 2);
        mean += (double)kept.labels[i] / SAMPLES;
    }
    for (size_t i = 0; i < SAMPLES; i++)
        spread += pow(kept.labels[i] - mean, 2);
    if (ok) {
        CU_ASSERT_DOUBLE_EQUAL(evaluation.values[METRIC_RMSE], sqrt(squared / SAMPLES), 1e-12);
        CU_ASSERT_DOUBLE_EQUAL(evaluation.values[METRIC_R2], 1 - squared / spread, 1e-12);
        CU_ASSERT(isnan(evaluation.values[METRIC_ACCURACY]) && !evaluation.fits[METRIC_ACCURACY]);
    }
    evaluator_release(&evaluator);
    ground_release(&ground);
}

static void outputs_that_are_nan_are_never_right(void)
{
    struct ground ground;
    struct evaluator evaluator = {0};
    struct evaluation evaluation;
    if (!ground_init(&ground, &loss_softmax_cross_entropy, K))
        return;
    ground.params[0] = NAN;
    if (evaluate(&evaluator, &ground, &world, &evaluation)) {
        CU_ASSERT(isnan(evaluation.values[METRIC_LOSS]) && evaluation.values[METRIC_ACCURACY] == 0);
        CU_ASSERT(evaluation.values[METRIC_TOP5] == 0 && evaluation.values[METRIC_F1] == 0);
    }
    evaluator_release(&evaluator);
    ground_release(&ground);
}

/* ---- given up ---- */

static bool heed_at_once(void *context, unsigned flags)
{
    (void)flags;
    return ++*(int *)context == 1;
}

static void one_that_was_given_up_leaves_nothing_behind(void)
{
    struct ground ground;
    struct evaluator evaluator = {0}, other = {0};
    struct evaluation evaluation, right;
    struct error error;
    int talks = 0;
    if (!ground_init(&ground, &loss_mean_squared_error, 1))
        return;
    bool ok = evaluator_init(&evaluator, &world, &ground.dataset, &ground.model, NULL, &error);
    CU_ASSERT_TRUE(ok);
    evaluator.heed = heed_at_once;
    evaluator.context = &talks;
    CU_ASSERT_FALSE(ok && evaluator_run(&evaluator, &ground.model, ground.params, &evaluation));
    CU_ASSERT_TRUE(isnan(evaluator.spread));
    CU_ASSERT_TRUE(ok && evaluator_run(&evaluator, &ground.model, ground.params, &evaluation));
    if (evaluate(&other, &ground, &world, &right))
        CU_ASSERT_TRUE(are_equal(&evaluation, &right));
    evaluator_release(&evaluator);
    evaluator_release(&other);
    ground_release(&ground);
}

static void opening(void)
{
    world_open(&world);
}

static void closing(void)
{
    world_close(&world);
}

int main(int argc, char **argv)
{
    const struct test_case cases[] = {
        {"a world opens", opening},
        {"every number of ranks gives the same bits", every_number_of_ranks_gives_the_same_bits},
        {"the sums are global, and not means of means", the_sums_are_global_and_not_means_of_means},
        {"outputs that are NaN are never right", outputs_that_are_nan_are_never_right},
        {"one that was given up leaves nothing behind", one_that_was_given_up_leaves_nothing_behind},
        {"a world closes", closing},
        {0},
    };
    return test_mpi_run(&argc, &argv, "train/evaluator", cases);
}
