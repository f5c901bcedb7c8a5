/* What the metrics of a validation cost: prints how long one with all metrics that fit takes, and one with the loss
 * alone, in ms of work, medians of rounds that take turns. For scripts/bench.
 *
 *     metrics_cost ROUNDS JOB [KEY=VALUE...]      a job with validation data */
#include "base/memory.h"
#include "job/job_data.h"
#include "train/evaluator.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct ground {
    struct job job;
    struct dataset train, validation;
    struct model model;
    struct evaluator evaluator;
    float *params;
};

static bool open_ground(struct ground *ground, const struct world *world, int count, char **words, struct error *error)
{
    struct job *job = &ground->job;
    struct model *model = &ground->model;
    if (!job_read(job, words[0], (const char *const *)words + 1, (size_t)count - 1, error) ||
        !job_data_open(job, &ground->train, &ground->validation, NULL, error))
        return false;
    if (ground->validation.count == 0)
        return error_set(error, ERROR_USAGE, "the job has no data.validation");
    if (!model_init(model, &job->model, &job->loss, &ground->train.about.form, job->train.microbatch, job->seed,
                    error) ||
        !evaluator_init(&ground->evaluator, world, &ground->validation, model, NULL, error))
        return false;
    ground->params = memory_alloc(model->table.count, sizeof *ground->params, "the parameters", error);
    if (ground->params)
        tensor_table_fill(&model->table, job->seed, 0, model->table.count, ground->params);
    return ground->params;
}

static void close_ground(struct ground *ground)
{
    memory_free(ground->params);
    evaluator_release(&ground->evaluator);
    model_release(&ground->model);
    dataset_close(&ground->validation);
    dataset_close(&ground->train);
    job_release(&ground->job);
}

/* Of this process, whatever else the machine does. */
static double work_seconds(void)
{
    struct timespec work;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &work);
    return (double)work.tv_sec + 1e-9 * (double)work.tv_nsec;
}

static double with_all(struct ground *ground)
{
    struct evaluation evaluation;
    double begin_s = work_seconds();
    if (!evaluator_run(&ground->evaluator, &ground->model, ground->params, &evaluation))
        exit(1);
    return work_seconds() - begin_s;
}

static double with_loss(struct ground *ground)
{
    struct tally *tally = &ground->evaluator.tally;
    size_t rows = ground->model.rows, count = ground->validation.count;
    double begin_s = work_seconds();
    for (size_t chunk = 0, first = 0; first < count; chunk++, first += rows) {
        size_t left = count - first;
        const struct leaf_place place = {
            .dataset = &ground->validation, .position = first, .rows = left < rows ? left : rows, .first = first};
        struct loss_sums sums;
        (void)!prefetch_take(ground->evaluator.ahead, &place, NULL, &ground->model.leaf);
        model_evaluate_leaf(&ground->model, ground->params, &sums, NULL);
        *tally_item(tally, chunk) = sums.loss;
    }
    tally_share(tally, 0);
    return work_seconds() - begin_s;
}

static int compare(const void *one, const void *other)
{
    double a = *(const double *)one, b = *(const double *)other;
    return (a > b) - (a < b);
}

static double median_ms(double *seconds, size_t count)
{
    qsort(seconds, count, sizeof *seconds, compare);
    return 1e3 * seconds[count / 2];
}

static void measure(struct ground *ground, size_t rounds)
{
    double *all = memory_need(rounds, sizeof *all), *loss = memory_need(rounds, sizeof *loss);
    with_all(ground); /* the first one also finds out how far targets spread */
    for (size_t i = 0; i < rounds; i++) {
        all[i] = with_all(ground);
        loss[i] = with_loss(ground);
    }
    printf("{\"all_ms\": %.3f, \"loss_ms\": %.3f}\n", median_ms(all, rounds), median_ms(loss, rounds));
    memory_free(all);
    memory_free(loss);
}

int main(int argc, char **argv)
{
    struct error error;
    struct world world;
    struct ground ground = {0};
    int rounds = argc > 2 ? atoi(argv[1]) : 0;
    if (rounds < 1)
        return 2;
    MPI_Init(NULL, NULL);
    world_open(&world);
    bool ok = open_ground(&ground, &world, argc - 2, argv + 2, &error);
    if (ok)
        measure(&ground, (size_t)rounds);
    else
        fprintf(stderr, "metrics_cost: %s\n", error.text);
    close_ground(&ground);
    world_close(&world);
    MPI_Finalize();
    return ok ? 0 : 1;
}
