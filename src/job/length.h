/* How long a job is, and how far along its schedule a step is. A job file gives lengths in steps or in epochs; what an
 * epoch is in steps is known when the data is open, and changes with the batch. All pure functions. */
#ifndef JOB_LENGTH_H
#define JOB_LENGTH_H

#include "base/error.h"
#include "base/text.h"
#include "data/sampler.h"
#include "job/job.h"

#define LENGTH_BYTES 48

/* Local. The order of so many training samples, from the beginning of the job. ERROR_USAGE: an epoch would have none.
 */
bool length_sampler(const struct job *job, uint64_t samples, struct sampler *sampler, struct error *error) WARN_UNUSED;

/* Local. The last step of the job: the first that completes its epochs. After a change of the batch not before the step
 * of that change. ERROR_USAGE if it is none that can be counted to. */
bool length_steps(const struct job *job, const struct sampler *sampler, uint64_t *steps,
                  struct error *error) WARN_UNUSED;

/* Local. A length of the schedule (warmup, decay) in steps of the present batch. What is given in epochs is not
 * rounded: the rate goes by the samples that were taken, whatever the batch. (A horizon is an end: as that of
 * train.epochs it is the first step that completes it, so that a job has the rates of one with the same epochs and no
 * horizon.) */
double length_of_schedule(const struct schedule_spec *schedule, const struct sampler *sampler, double length);

/* Local. The learning rate of `step` (> sampler->first_step) in a job of `steps` steps. The schedule reaches its end at
 * schedule.horizon, by default at the last step. With unit epochs it goes by the samples that were taken, so that a
 * change of the batch leaves it where it is; with unit steps by the steps. */
double length_learning_rate(const struct job *job, const struct sampler *sampler, uint64_t steps, uint64_t step);

/* Local. The length as the job file gives it: "4 epochs", "1000 steps". */
void length_text(const struct job *job, char text[LENGTH_BYTES]);

/* Local. If `now`, which continues `saved`, has another schedule because the schedule follows the length of the job:
 * appends what that means, on one line. */
void length_explain(const struct job *saved, const struct job *now, struct text *words);

#endif
