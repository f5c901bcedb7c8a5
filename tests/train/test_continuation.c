/* Whether a job may go on from a state that was saved, what it says of changes, and what it takes over. */
#include "train/session_support.h"

/* Collective. A run whose newest checkpoint is of step 4. */
static bool make_run(const char *run)
{
    struct trial trial = {0};
    if (!trial_start(&trial, run, SETTINGS("checkpoint.at=[4]")))
        return false;
    trial_begin(&trial);
    trial_train(&trial, 5);
    trial_close(&trial);
    return true;
}

static void what_contradicts_the_checkpoint_is_named(void)
{
    static const struct {
        const char *setting, *words;
    } refusals[] = {
        {"seed=2", "seed"},
        {"data.train.count=56", "data.train.count"},
        {"data.train.seed=1", "data.train: content with digest "},
        {"model=[{layer: dense, units: 12}, {layer: dense, units: 10}]",
         "tensor 0.dense.weight: 10x784 in the checkpoint, 12x784 here\n"
         "  tensor 0.dense.bias: 10 in the checkpoint, 12 here"},
        {"optimizer={name: adamw, learning_rate: 0.01}", "optimizer.name"},
        {"train.steps=3", "train.steps: 4 are done in the checkpoint, 3 are wanted here"},
        {"train.batch=16", "--allow-change train.batch"},
    };
    struct trial trial = {0};
    char run[PATH_MAX];
    snprintf(run, sizeof run, "%s", test_mpi_path("refused"));
    if (!make_run(run))
        return;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        CU_ASSERT_FALSE(trial_start_among(&trial, &world, run, SETTINGS(refusals[i].setting)));
        expect_error(&world, ERROR_USAGE, refusals[i].words);
        CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "step-000000000004.h5: "));
        CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "To start anew: another run:, or --fresh --overwrite"));
        expect_files(run, "4");
    }
    if (!trial_start(&trial, run, NULL))
        return;
    CU_ASSERT_EQUAL(trial.session.step, 4);
    trial_close(&trial);
}

static void what_is_permitted_is_told_and_kept_in_the_record(void)
{
    struct trial trial = {0};
    char run[PATH_MAX];
    snprintf(run, sizeof run, "%s", test_mpi_path("permitted"));
    if (!make_run(run))
        return;
    struct hearing hearing = hearing_begin();
    bool ok = trial_start(&trial, run, SETTINGS("optimizer.learning_rate=0.02", "log.every=3"));
    hearing_end(&hearing);
    if (ok) {
        const struct record *record = &trial.session.record;
        const struct segment *segment = &record->segments[record->segment_count - 1];
        expect_heard(&hearing,
                     "warning: changed on resume: optimizer.learning_rate: 0.01 -> 0.02 (changes the result)");
        expect_heard(&hearing, "Z changed on resume: log.every: 1 -> 3");
        expect_text(segment->changes, "optimizer.learning_rate: 0.01 -> 0.02 (changes the result); "
                                      "checkpoint.at: [4] -> (none); log.every: 1 -> 3");
        CU_ASSERT(record->segment_count == 2 && segment->first_step == 5);
        trial_close(&trial);
    }
    hearing_release(&hearing);
}

/* 32 samples have been taken; the next batch begins behind them. */
static void another_batch_goes_on_where_the_data_were_left(void)
{
    static const char *const keys[] = {"train.batch"};
    struct trial trial = {.options.allowed = {.keys = keys, .count = 1}};
    const struct session *session = &trial.session;
    char run[PATH_MAX];
    snprintf(run, sizeof run, "%s", test_mpi_path("batch"));
    if (!make_run(run) || !trial_start(&trial, run, SETTINGS("train.batch=16", "checkpoint.at=[6]")))
        return;
    for (int life = 0; life < 2; life++) {
        const struct sampler *sampler = &session->data.sampler;
        CU_ASSERT(sampler->batch == 16 && sampler->first_step == 4 && sampler->first_sample == 32);
        CU_ASSERT(session->record.history.sampler_step == 4 && session->record.history.sampler_sample == 32);
        CU_ASSERT_EQUAL(session->steps, 12);
        trial_begin(&trial);
        trial_train(&trial, 6);
        CU_ASSERT_EQUAL(session->record.epoch, 1);
        trial_close(&trial);
        if (life == 0 && !trial_start(&trial, run, SETTINGS("train.batch=16")))
            return;
    }
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"a world opens", a_world_opens},
        {"what contradicts the checkpoint is named", what_contradicts_the_checkpoint_is_named},
        {"what is permitted is told, and kept in the record", what_is_permitted_is_told_and_kept_in_the_record},
        {"another batch goes on where the data were left", another_batch_goes_on_where_the_data_were_left},
        {"a world closes", a_world_closes},
        {0},
    };
    return session_tests_run(&argc, &argv, "train/continuation", cases);
}
