#include "use/evaluate.h"

#include "base/fault.h"
#include "base/memory.h"
#include "job/job_data.h"
#include "train/evaluator.h"
#include "use/unchanged.h"

#include <math.h>
#include <string.h>

/* Who looks for the worst samples of this rank. Letters: T terms of a sample. */
struct search {
    const struct model *model;
    const struct standard *targets; /* of the data */
    struct evaluate_sample worst[EVALUATE_WORST];
    size_t count;
    struct evaluate_sample *leaf; /* [rows] the leaf's samples so far: their losses are sums over `terms` */
    size_t *terms;                /* [rows] that count */
    size_t rows;                  /* of the leaf; 0: none */
    float *spoilt;                /* [capacity] a copy of outputs, for the loss */
    size_t capacity;
};

/* Whether a is worse than b: an order without ties. */
static bool is_worse(const struct evaluate_sample *a, const struct evaluate_sample *b)
{
    double x = isnan(a->loss) ? INFINITY : a->loss, y = isnan(b->loss) ? INFINITY : b->loss;
    return x > y || (x == y && a->index < b->index);
}

static void consider(struct evaluate_sample *worst, size_t *count, const struct evaluate_sample *sample)
{
    size_t place = *count;
    while (place > 0 && is_worse(sample, &worst[place - 1]))
        place--;
    if (place == EVALUATE_WORST)
        return;
    size_t behind = (*count < EVALUATE_WORST ? *count : EVALUATE_WORST - 1) - place;
    memmove(&worst[place + 1], &worst[place], behind * sizeof *worst);
    worst[place] = *sample;
    *count += *count < EVALUATE_WORST;
}

/* The samples of the leaf are complete. */
static void end_leaf(struct search *search)
{
    for (size_t row = 0; row < search->rows; row++) {
        struct evaluate_sample *sample = &search->leaf[row];
        sample->loss /= (double)search->terms[row]; /* NaN: none of its terms counts */
        if (search->terms[row] > 0)
            consider(search->worst, &search->count, sample);
    }
    search->rows = 0;
}

static void begin_leaf(struct search *search, const struct leaf *leaf)
{
    end_leaf(search);
    search->rows = leaf->rows;
    for (size_t row = 0; row < leaf->rows; row++) {
        search->leaf[row] = (struct evaluate_sample){.index = leaf->first + row, .label = NAN, .predicted = NAN};
        search->terms[row] = 0;
    }
}

/* What the data and the model say of a sample of one term; outputs [width] are not spoilt yet. */
static void say(const struct search *search, const struct leaf *leaf, size_t term, size_t width, const float *outputs,
                struct evaluate_sample *sample)
{
    size_t largest = 0;
    for (size_t k = 1; k < width; k++)
        largest = outputs[k] > outputs[largest] ? k : largest;
    sample->label = leaf->labels ? (double)leaf->labels[term]
                                 : standard_original(search->targets, 0, leaf->targets[term]);
    if (width > 1)
        sample->predicted = (double)largest;
    else
        sample->predicted = search->model->loss.class->has_hits ? outputs[0] > 0
                                                                : standard_original(search->targets, 0, outputs[0]);
}

static void see(void *context, const struct leaf *leaf, size_t first_term, size_t n, size_t width, const float *outputs)
{
    struct search *search = context;
    const struct model *model = search->model;
    if (first_term == 0)
        begin_leaf(search, leaf);
    if (search->capacity < n * width) {
        memory_free(search->spoilt);
        search->spoilt = memory_need(n * width, sizeof *search->spoilt);
        search->capacity = n * width;
    }
    memcpy(search->spoilt, outputs, n * width * sizeof *outputs);
    for (size_t i = 0; i < n; i++) {
        size_t term = first_term + i, row = term / model->terms;
        struct loss_sums sums = {0};
        if (model->terms == 1)
            say(search, leaf, term, width, outputs + i * width, &search->leaf[row]);
        loss_terms(&model->loss, leaf, term, 1, width, search->spoilt + i * width, false, &sums);
        search->leaf[row].loss += sums.loss;
        search->terms[row] += (size_t)sums.terms;
    }
}

/* Collective. The worst of all ranks, in the report of each. */
static void gather_worst(const struct world *world, const struct search *search, struct evaluate_report *report)
{
    enum { NUMBERS = 5 }; /* of a sample: it is there, index, loss, label, predicted */
    size_t size = (size_t)world->size, rank = (size_t)world->rank;
    double(*all)[EVALUATE_WORST][NUMBERS] = memory_need(size, sizeof *all);
    for (size_t i = 0; i < search->count; i++) {
        const struct evaluate_sample *worst = &search->worst[i];
        const double numbers[NUMBERS] = {1, (double)worst->index, worst->loss, worst->label, worst->predicted};
        memcpy(all[rank][i], numbers, sizeof numbers);
    }
    world_sum_disjoint(world, all[0][0], size * EVALUATE_WORST * NUMBERS);
    for (size_t r = 0; r < size; r++)
        for (size_t i = 0; i < EVALUATE_WORST && all[r][i][0] > 0; i++) {
            const double *numbers = all[r][i];
            consider(report->worst, &report->worst_count,
                     &(struct evaluate_sample){(uint64_t)numbers[1], numbers[2], numbers[3], numbers[4]});
        }
    memory_free(all);
}

/* Collective. What the meter has counted becomes the report's. */
static void take_counts(const struct meter *meter, struct evaluate_report *report)
{
    size_t K = meter->classes;
    if (K == 0)
        return;
    report->classes = K;
    report->counts = memory_need(K, sizeof *report->counts);
    memcpy(report->counts, meter->counts, K * sizeof *report->counts);
    if (!meter->confusion)
        return;
    report->confusion = memory_need(K * K, sizeof *report->confusion);
    memcpy(report->confusion, meter->confusion, K * K * sizeof *report->confusion);
}

/* Collective. */
static bool judge(const struct world *world, struct trained *trained, const struct dataset *data,
                  struct evaluate_report *report, struct error *error)
{
    struct model *model = &trained->saved.model;
    struct search search = {.model = model,
                            .targets = &data->about.target_standard,
                            .leaf = memory_need(model->rows, sizeof *search.leaf),
                            .terms = memory_need(model->rows, sizeof *search.terms)};
    const struct output_watch viewer = {.see = see, .context = &search};
    const struct evaluator_options options = {
        .meter = {.confusion = model->form.vocabulary == 0 && model->form.classes <= EVALUATE_CONFUSION},
        .viewer = &viewer};
    struct evaluator evaluator;
    bool ok = world_agree(world, evaluator_init(&evaluator, world, data, model, &options, error), error);
    if (ok && evaluator_run(&evaluator, model, trained->params, &report->evaluation)) {
        end_leaf(&search);
        gather_worst(world, &search, report);
        take_counts(&evaluator.meter, report);
        ok = world_agree(world, !dataset_failed(data, error), error);
    }
    evaluator_release(&evaluator);
    memory_free(search.leaf);
    memory_free(search.terms);
    memory_free(search.spoilt);
    return ok;
}

/* Local. `source`: of which the data are a share, or closed. */
static bool open_data(const struct trained *trained, struct dataset *source, struct dataset *data, struct error *error)
{
    const struct job *job = &trained->job;
    const struct description *about = &trained->saved.about;
    if (job->data.test.class)
        return dataset_open(data, &job->data.test, about, error) || error_prefix(error, "data.test: ");
    return job_data_open_validation(job, about, source, data, error);
}

/* Local. What the worst are called, and which they are of all that was read. */
static void name_worst(const struct dataset *data, struct evaluate_report *report)
{
    for (size_t i = 0; i < report->worst_count; i++) {
        struct evaluate_sample *sample = &report->worst[i];
        report->worst_names[i] = dataset_name_of(data, (size_t)sample->index);
        sample->index = share_sample(&data->share, sample->index);
    }
}

bool evaluate_elsewhere(struct trained *trained, const char *const *files, size_t count, struct error *error)
{
    struct dataset_spec spec, *test = &trained->job.data.test;
    if (!dataset_elsewhere(&spec, &trained->job.data.train, files, count, error))
        return false;
    if (test->class)
        option_release(dataset_rows, test);
    *test = spec;
    return true;
}

bool evaluate(const struct world *world, struct trained *trained, struct evaluate_report *report, struct error *error)
{
    const struct job *job = &trained->job;
    struct dataset source = {0}, data = {0};
    *report = (struct evaluate_report){.name = job->data.test.class ? "data.test" : "data.validation"};
    if (!job->data.test.class && !job_has_validation(job))
        return error_set(error, ERROR_USAGE,
                         "its job has neither data.test nor data.validation: name a file that is like those of "
                         "data.train, or any data, with --set 'data.test={format: ..., ...}'");
    bool ok = open_data(trained, &source, &data, error);
    ok = ok && (loss_check(&job->loss, &trained->saved.model.layers[trained->saved.model.count - 1].out,
                           &data.about.form, error) ||
                error_prefix(error, "%s: ", report->name));
    ok = world_agree(world, ok, error);
    report->samples = data.count;
    if (ok)
        fault_at(FAULT_VALIDATING, trained->step);
    ok = ok && judge(world, trained, &data, report, error) &&
         unchanged_agree(world, (struct dataset *const[]){&source, &data}, 2, error);
    if (ok)
        name_worst(&data, report);
    dataset_close(&data);
    dataset_close(&source);
    return ok;
}

void evaluate_report_release(struct evaluate_report *report)
{
    memory_free(report->counts);
    memory_free(report->confusion);
    for (size_t i = 0; i < EVALUATE_WORST; i++)
        memory_free(report->worst_names[i]);
    *report = (struct evaluate_report){0};
}
