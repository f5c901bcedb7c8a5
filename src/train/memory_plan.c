#include "train/memory_plan.h"

#include "base/partition.h"
#include "parallel/exchange.h"
#include "parallel/tree.h"

struct memory_plan memory_plan_make(const struct job *job, const struct model *model, bool two_sets, size_t ranks,
                                    size_t rank)
{
    const char *const *moments = optimizer_moments(&job->optimizer);
    size_t leaves = job->train.batch / job->train.microbatch, P = model->table.count, arrays = job->ema > 0;
    double shard = (double)exchange_shard(P, (int)ranks, (int)rank).count * sizeof(float);
    struct memory_plan plan = {.params = (double)P * sizeof(float),
                               .copies = two_sets ? 2 : 1,
                               .gradient = shard,
                               .pass = (double)model_bytes(model) + 2 * (double)leaf_bytes(&model->form, model->rows)};
    struct subtree subtrees[TREE_DEPTH];
    for (size_t k = 0; moments[k]; k++)
        arrays++;
    tree_cover(leaves, partition_first(leaves, ranks, rank), partition_count(leaves, ranks, rank), subtrees,
               &plan.slot_count);
    plan.slots = (double)plan.slot_count * plan.params;
    plan.moments = (double)arrays * shard;
    return plan;
}

double memory_plan_private(const struct memory_plan *plan)
{
    return plan->gradient + (double)plan->copies * plan->moments + plan->pass;
}

double memory_plan_shared(const struct memory_plan *plan, bool is_first)
{
    return plan->slots + (is_first ? (double)plan->copies * plan->params : 0);
}
