/* Trainers that follow each other in one process, which has initialised MPI itself: none of them leaves anything
 * behind that another one would find. */
#include "support/test_mpi.h"
#include "train/runtime.h"
#include "train/trainer.h"

#include <mpi.h>
#include <stdio.h>

#define STEPS 40

static struct runtime runtime;

/* Trains a small job in this directory, at most so many steps (0: all). */
static bool train(const char *run, const char *rate, uint64_t steps, struct trainer_outcome *outcome,
                  struct error *error)
{
    char where[4200], learning_rate[80];
    const char *overrides[] = {where, learning_rate};
    const struct session_options options = {
        .key = "", .stop_after = {.unit = steps ? PAUSE_STEPS : PAUSE_NEVER, .amount = (double)steps}};
    struct job job;
    snprintf(where, sizeof where, "run=%s", run);
    snprintf(learning_rate, sizeof learning_rate, "optimizer.learning_rate=%s", rate);
    bool ok = job_parse(
        &job, "job.yaml",
        "data: {train: {format: digits, count: 200}, validation: {format: digits, count: 32, seed: 3}}\n"
        "model: [{layer: dense, units: 16}, {layer: relu}, {layer: dense, units: 10}]\n"
        "train: {steps: 40, batch: 24, microbatch: 4}\n"
        "optimizer: {name: adamw, learning_rate: 1}\n"
        "validate: {every: 10}\n"
        "checkpoint: {every: 10}\n"
        "log: {every: 100}\n",
        overrides, 2, error);
    ok = ok && trainer_run(&runtime.world, &job, &options, outcome, error);
    job_release(&job);
    return ok;
}

static void succeeds(const char *run, const char *rate, uint64_t steps, struct trainer_outcome *outcome)
{
    struct error error = {0};
    bool ok = train(run, rate, steps, outcome, &error);
    if (!ok)
        printf("    %s\n", error.text);
    CU_ASSERT_TRUE(ok);
}

static void trainers_follow_each_other(void)
{
    char one[4096], other[4096], whole[4096];
    struct trainer_outcome outcome;
    snprintf(one, sizeof one, "%s", test_mpi_path("one"));
    snprintf(other, sizeof other, "%s", test_mpi_path("other"));
    snprintf(whole, sizeof whole, "%s", test_mpi_path("whole"));

    succeeds(one, "0.001", 15, &outcome);
    CU_ASSERT(!outcome.finished && outcome.step == 15);
    succeeds(other, "0.01", 25, &outcome); /* another job in between */
    CU_ASSERT(!outcome.finished && outcome.step == 25);
    uint64_t fingerprint = outcome.fingerprint;
    succeeds(one, "0.001", 0, &outcome);
    CU_ASSERT(outcome.finished && outcome.step == STEPS);
    uint64_t parts = outcome.fingerprint;
    succeeds(whole, "0.001", 0, &outcome);
    CU_ASSERT(outcome.finished && outcome.step == STEPS);
    CU_ASSERT_EQUAL(outcome.fingerprint, parts);
    succeeds(whole, "0.001", 0, &outcome); /* nothing is left to do */
    CU_ASSERT(outcome.finished && outcome.fingerprint == parts);
    succeeds(other, "0.01", 25, &outcome);
    CU_ASSERT(outcome.finished && outcome.fingerprint != fingerprint && outcome.fingerprint != parts);
}

static void a_failure_is_an_error_and_the_next_trainer_is_as_good(void)
{
    struct trainer_outcome outcome;
    struct error error = {0};
    char run[4096];
    snprintf(run, sizeof run, "%s", test_mpi_path("diverges"));
    CU_ASSERT_FALSE(train(run, "1e30", 0, &outcome, &error)); /* diverges */
    CU_ASSERT_EQUAL(error.kind, ERROR_STATE);
    CU_ASSERT_FALSE(train("/proc/none", "0.001", 0, &outcome, &error));
    succeeds(test_mpi_path("after"), "0.001", 0, &outcome);
    CU_ASSERT_TRUE(outcome.finished);
}

static void what_was_set_up_is_torn_down_and_mpi_stays(void)
{
    int is_finalised = 0;
    runtime_end(&runtime);
    MPI_Finalized(&is_finalised);
    CU_ASSERT_FALSE(is_finalised);
}

static void a_program_that_has_initialised_mpi_sets_up_the_rest(void)
{
    struct error error = {0};
    CU_ASSERT_TRUE(runtime_begin(&runtime, &(struct runtime_options){0}, &error));
    CU_ASSERT_FALSE(runtime.owns_mpi);
    CU_ASSERT_EQUAL(runtime_rank(), runtime.world.rank);
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"a program that has initialised MPI sets up the rest", a_program_that_has_initialised_mpi_sets_up_the_rest},
        {"trainers follow each other in one process", trainers_follow_each_other},
        {"a failure is an error, and the next trainer is as good",
         a_failure_is_an_error_and_the_next_trainer_is_as_good},
        {"what was set up is torn down, and MPI stays", what_was_set_up_is_torn_down_and_mpi_stays},
        {NULL, NULL},
    };
    return test_mpi_run(&argc, &argv, "train/trainer", cases);
}
