#include "train/evaluator.h"

#include "base/memory.h"
#include "base/partition.h"
#include "base/watchdog.h"

#include <math.h>
#include <string.h>

bool evaluator_init(struct evaluator *evaluator, const struct world *world, const struct dataset *dataset, size_t rows,
                    struct error *error)
{
    *evaluator = (struct evaluator){.dataset = dataset};
    evaluator->indices = memory_need(rows, sizeof *evaluator->indices);
    return tally_init(&evaluator->tally, world, (dataset->count + rows - 1) / rows, 3, error);
}

void evaluator_release(struct evaluator *evaluator)
{
    tally_release(&evaluator->tally);
    memory_free(evaluator->indices);
    memset(evaluator, 0, sizeof *evaluator);
}

struct evaluation evaluator_run(struct evaluator *evaluator, struct model *model, const float *params)
{
    struct tally *tally = &evaluator->tally;
    const struct dataset *dataset = evaluator->dataset;
    size_t size = (size_t)tally->world->size, rank = (size_t)tally->world->rank;
    for (size_t chunk = partition_first(tally->items, size, rank);
         chunk < partition_first(tally->items, size, rank + 1); chunk++) {
        size_t first = chunk * model->rows, left = dataset->count - first;
        size_t rows = left < model->rows ? left : model->rows;
        if (evaluator->sign)
            evaluator->sign(evaluator->context);
        for (size_t i = 0; i < rows; i++)
            evaluator->indices[i] = first + i;
        watchdog_begin("the validation data", 0);
        dataset_read(dataset, evaluator->indices, rows, &model->leaf);
        watchdog_end();
        model->leaf.first = first;
        struct loss_sums sums;
        model_evaluate_leaf(model, params, &sums);
        double *item = tally_item(tally, chunk);
        item[0] = sums.loss;
        item[1] = sums.hits;
        item[2] = sums.terms;
    }
    tally_share(tally, 0);
    double terms = tally_sum(tally, 2), loss = tally_sum(tally, 0) / terms;
    return (struct evaluation){.loss = isnan(loss) ? (double)NAN : loss, /* its sign would be printed */
                               .accuracy = loss_has_hits(&model->loss) ? tally_sum(tally, 1) / terms : NAN};
}
