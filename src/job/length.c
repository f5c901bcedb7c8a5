#include "job/length.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

bool length_sampler(const struct job *job, uint64_t samples, struct sampler *sampler, struct error *error)
{
    uint64_t batch = job->train.batch, left_out = job->data.last == LAST_DROP ? samples % batch : 0;
    *sampler = (struct sampler){.seed = job->seed, .samples = samples - left_out, .left_out = left_out, .batch = batch};
    return sampler->samples > 0 || error_set(error, ERROR_USAGE,
                                             "data.last: drop would leave out all: train.batch is %" PRIu64
                                             ", but there are %" PRIu64 " samples: wrap, or a smaller batch",
                                             batch, samples);
}

/* Whole samples: what a fraction of an epoch means does not hang on the rounding of a product. At least one. */
static double epochs_as_samples(const struct sampler *sampler, double epochs)
{
    return fmax(1, round(epochs * (double)sampler->samples));
}

bool length_steps(const struct job *job, const struct sampler *sampler, uint64_t *steps, struct error *error)
{
    *steps = job->train.steps;
    if (*steps > 0)
        return true;
    double samples = epochs_as_samples(sampler, job->train.epochs);
    if (samples < 0x1p64)
        *steps = sampler_step_of(sampler, (uint64_t)samples);
    if (*steps > 0 && *steps <= JOB_STEPS_MOST)
        return true;
    return error_set(error, ERROR_USAGE,
                     "train.epochs: %g epochs of %" PRIu64 " samples are more than %" PRIu64 " steps",
                     job->train.epochs, sampler->samples, JOB_STEPS_MOST);
}

double length_of_schedule(const struct schedule_spec *schedule, const struct sampler *sampler, double length)
{
    const struct schedule_time time = {.samples = (double)sampler->samples, .batch = (double)sampler->batch};
    return schedule_length(schedule, &time, length);
}

double length_learning_rate(const struct job *job, const struct sampler *sampler, uint64_t steps, uint64_t step)
{
    bool in_epochs = job->schedule.unit == SCHEDULE_EPOCHS;
    double batch = (double)sampler->batch, horizon = job->schedule.horizon;
    struct schedule_time time = {
        .step = (double)step, .end = (double)steps, .samples = (double)sampler->samples, .batch = batch};
    /* Steps of the present batch that would have taken as many samples. */
    double shift = (double)sampler->first_sample / batch - (double)sampler->first_step;
    if (in_epochs) {
        time.step += shift;
        time.end += shift;
    }
    if (horizon > 0)
        time.end = in_epochs ? ceil(epochs_as_samples(sampler, horizon) / batch) : horizon;
    return job->optimizer.learning_rate * schedule_factor(&job->schedule, &time);
}

void length_text(const struct job *job, char text[LENGTH_BYTES])
{
    if (job->train.steps > 0)
        snprintf(text, LENGTH_BYTES, "%" PRIu64 " step%s", job->train.steps, job->train.steps == 1 ? "" : "s");
    else
        snprintf(text, LENGTH_BYTES, "%.15g epoch%s", job->train.epochs, job->train.epochs == 1 ? "" : "s");
}

void length_explain(const struct job *saved, const struct job *now, struct text *words)
{
    bool longer = saved->train.steps != now->train.steps || saved->train.epochs != now->train.epochs;
    if (!longer || !schedule_follows_job(&saved->schedule) || !schedule_follows_job(&now->schedule))
        return;
    char was[LENGTH_BYTES], is[LENGTH_BYTES];
    length_text(saved, was);
    length_text(now, is);
    text_append(
        words,
        "schedule.horizon follows the length of the job, %s -> %s: from here on the learning rate is that of the "
        "new schedule, and the result is not that of %s at once; with schedule.horizon fixed from the beginning "
        "it would be",
        was, is, is);
}
