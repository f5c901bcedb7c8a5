/* Saving at a step: what counts as saved and from when on, what is in the file, and what a save that has failed leaves.
 */
#include "train/session_support.h"

#include "policy/flags.h"

/* Collective. Until no rank works on the save that runs; its verdict is still to be taken. */
static void await_savers(const struct session *session)
{
    while (world_union(&world, save_flags(session)) & SAVER_IS_BUSY)
        test_nap(0.001);
}

/* Local. What this rank has of the parameters; the caller frees it. */
static float *copy_params(const struct session *session)
{
    const struct learner *learner = &session->learner;
    float *copy = memory_need(learner->shard.count, sizeof *copy);
    if (learner->shard.count > 0)
        memcpy(copy, learner_own_params(learner), learner->shard.count * sizeof *copy);
    return copy;
}

/* Local. Whether the checkpoint of this step has these parameters in this rank's shard. */
static bool has_params(const struct session *session, uint64_t step, const float *params)
{
    const struct shard *shard = &session->learner.shard;
    struct reader reader;
    float *values = memory_need(shard->count, sizeof *values);
    bool ok = open_checkpoint(session->job->run, step, &reader) &&
              expect_ok(reader_load(&reader, 0, shard->first, shard->count, values, &error)) &&
              (shard->count == 0 || memcmp(values, params, shard->count * sizeof *values) == 0);
    reader_close(&reader);
    memory_free(values);
    return ok;
}

static void a_save_counts_when_it_is_settled(void)
{
    struct trial trial = {0};
    struct session *session = &trial.session;
    if (!trial_start(&trial, test_mpi_path("settled"), SETTINGS("checkpoint.background=true")))
        return;
    trial_begin(&trial);
    CU_ASSERT_TRUE(save_settle(session, &error)); /* nothing runs */
    trial_train(&trial, 1);
    CU_ASSERT_FALSE(save_has_step(session));
    expect_ok(save_begin(session, SAVE_AT | SAVE_FILE, &error));
    CU_ASSERT(session->saving.now.runs && session->saving.now.step == 1);
    CU_ASSERT(save_has_step(session) && session->saving.saved_step == UINT64_MAX);
    trial_step(&trial);
    CU_ASSERT_FALSE(save_has_step(session));
    await_savers(session);
    CU_ASSERT(session->saving.saved_step == UINT64_MAX && session->record.step == 0);
    expect_ok(save_settle(session, &error));
    CU_ASSERT(!session->saving.now.runs && session->saving.saved_step == 1 && session->record.step == 1);
    expect_saves(&trial, "1 file+at");
    trial_close(&trial);
}

static void what_is_saved_is_the_state_as_it_was(void)
{
    struct trial trial = {0};
    struct session *session = &trial.session;
    struct reader reader;
    if (!trial_start(&trial, test_mpi_path("state"), SETTINGS("checkpoint.background=true")))
        return;
    trial_begin(&trial);
    trial_train(&trial, 2);
    float *before = copy_params(session);
    double loss = session->loss;
    expect_ok(save_begin(session, SAVE_AT, &error));
    trial_step(&trial);
    trial_step(&trial);
    float *after = copy_params(session);
    expect_ok(save_finish(session, &error));
    CU_ASSERT_TRUE(has_params(session, 2, before));
    CU_ASSERT(session->learner.shard.count == 0 || !has_params(session, 2, after));
    if (open_checkpoint(trial.job.run, 2, &reader)) {
        const struct record *record = &reader.record;
        CU_ASSERT(record->step == 2 && record->loss == loss && record->epoch == 0.25);
        CU_ASSERT(record->fingerprint == session->record.fingerprint && record->lineage == session->record.lineage);
        CU_ASSERT(record->segment_count == 1 && record->segments[0].first_step == 1 &&
                  record->segments[0].last_step == 2 && record->segments[0].ranks == (uint64_t)world.size);
    }
    reader_close(&reader);
    memory_free(before);
    memory_free(after);
    trial_close(&trial);
}

static void the_next_save_waits_for_the_one_that_runs(void)
{
    struct trial trial = {0};
    struct session *session = &trial.session;
    if (!trial_start(&trial, test_mpi_path("next"), SETTINGS("checkpoint.background=true")))
        return;
    trial_begin(&trial);
    for (uint64_t step = 1; step <= 3; step++) {
        trial_step(&trial);
        expect_ok(save_begin(session, SAVE_EVERY, &error));
        CU_ASSERT(session->saving.now.step == step);
        CU_ASSERT_EQUAL(session->saving.saved_step, step > 1 ? step - 1 : UINT64_MAX);
    }
    trial_step(&trial);
    expect_ok(save_last(session, "SIGTERM", &error));
    CU_ASSERT(!session->saving.now.runs && session->saving.saved_step == 4);
    expect_saves(&trial, "1 every, 2 every, 3 every, 4 SIGTERM");
    expect_end(trial.job.run, 3, "every", "running");
    expect_end(trial.job.run, 4, "SIGTERM", "SIGTERM");
    trial_close(&trial);
}

/* Collective. A save of the next step, which fails; what is said of it. */
static void fail_to_save(struct trial *trial, unsigned reasons, const char *words)
{
    struct session *session = &trial->session;
    uint64_t saved_step = session->saving.saved_step, fingerprint = session->record.fingerprint;
    trial_step(trial);
    struct hearing hearing = hearing_begin();
    expect_ok(save_begin(session, reasons, &error)); /* the job goes on */
    hearing_end(&hearing);
    expect_heard(&hearing, words);
    hearing_release(&hearing);
    CU_ASSERT(!session->saving.now.runs && session->saving.saved_step == saved_step);
    CU_ASSERT_EQUAL(session->record.fingerprint, fingerprint);
}

static void a_save_that_fails_changes_nothing_but_the_plan(void)
{
    struct trial trial = {0};
    struct session *session = &trial.session;
    char run[PATH_MAX];
    snprintf(run, sizeof run, "%s", test_mpi_path("failed"));
    if (!trial_start(&trial, run, NULL))
        return;
    trial_begin(&trial);
    break_store(run);
    fail_to_save(&trial, SAVE_AT, "the save of step 1 failed, and there is no earlier checkpoint: ");
    CU_ASSERT(session->saving.retry_step == 11 && session->saving.retry_wait == 10);
    fail_to_save(&trial, SAVE_AT, "the save of step 2 failed, and there is no earlier checkpoint: ");
    CU_ASSERT(session->saving.retry_step == 22 && session->saving.retry_wait == 20);
    mend_store(run);
    trial_step(&trial);
    expect_ok(save_begin(session, SAVE_AT, &error));
    CU_ASSERT(session->saving.saved_step == 3 && session->saving.retry_step == 0 && session->saving.retry_wait == 0);
    break_store(run);
    fail_to_save(&trial, SAVE_AT, "the save of step 4 failed; the newest checkpoint is of step 3: ");
    CU_ASSERT_EQUAL(session->saving.retry_step, 14);
    mend_store(run);
    expect_saves(&trial, "3 at");
    expect_files(run, "3");
    expect_events(&trial, "checkpoint_failed", "nothing", "1 , 2 , 4 ");
    trial_close(&trial);
}

static void a_best_model_whose_save_fails_is_none(void)
{
    struct trial trial = {0};
    const struct history *history = &trial.session.record.history;
    if (!trial_start(&trial, test_mpi_path("no-best"), SETTINGS("checkpoint.best=1", "validate.every=1")))
        return;
    trial_begin(&trial);
    break_store(trial.job.run);
    trial_train(&trial, 1);
    CU_ASSERT(history->validated_step == 1 && history->best_count == 0);
    mend_store(trial.job.run);
    trial_train(&trial, 2);
    CU_ASSERT(history->best_count == 1 && history->best[0].step == 2);
    expect_saves(&trial, "2 best");
    trial_close(&trial);
}

/* The next save that succeeds stays in its place: one on the way, and the last of a life. */
static void a_save_for_ever_that_fails_is_owed(void)
{
    struct trial trial = {0};
    struct session *session = &trial.session;
    if (!trial_start(&trial, test_mpi_path("owed"), SETTINGS("checkpoint.keep_every=2", "checkpoint.at=[3]")))
        return;
    trial_begin(&trial);
    trial_train(&trial, 1);
    break_store(trial.job.run);
    trial_train(&trial, 2);
    CU_ASSERT_EQUAL(session->saving.owed, SAVE_KEEP);
    mend_store(trial.job.run);
    trial_train(&trial, 3);
    CU_ASSERT_EQUAL(session->saving.owed, 0);
    expect_pinned(&trial, 3, true);
    break_store(trial.job.run);
    trial_train(&trial, 4);
    mend_store(trial.job.run);
    trial_step(&trial);
    CU_ASSERT_TRUE(trial_pass(&trial, LEAVE_PAUSE));
    CU_ASSERT_EQUAL(session->saving.owed, 0);
    expect_pinned(&trial, 5, true);
    trial_train(&trial, 6);
    expect_pinned(&trial, 6, false); /* it stays by its number */
    expect_saves(&trial, "3 at+keep_every, 5 stop-after+keep_every, 6 keep_every");
    trial_close(&trial);
}

static void a_last_save_that_fails_says_what_there_is(void)
{
    struct trial trial = {0};
    struct session *session = &trial.session;
    char run[PATH_MAX];
    snprintf(run, sizeof run, "%s", test_mpi_path("last"));
    if (!trial_start(&trial, run, NULL))
        return;
    trial_begin(&trial);
    trial_train(&trial, 1);
    break_store(run);
    CU_ASSERT_FALSE(save_last(session, "SIGTERM", &error));
    expect_error(&world, error.kind, "could not save step 1, and there is no earlier checkpoint: ");
    mend_store(run);
    expect_ok(save_last(session, "SIGTERM", &error));
    trial_train(&trial, 2);
    break_store(run);
    CU_ASSERT_FALSE(save_last(session, "SIGTERM", &error));
    expect_error(&world, error.kind, "could not save step 2; the newest checkpoint is of step 1: ");
    CU_ASSERT_EQUAL(session->saving.saved_step, 1);
    mend_store(run);
    expect_end(run, 1, "SIGTERM", "SIGTERM");
    trial_close(&trial);
}

/* The last rank is a node whose parameters are not those of the others. */
static void nodes_that_differ_end_the_job(void)
{
    struct trial trial = {.options.ranks_per_node = 1};
    struct session *session = &trial.session;
    if (!trial_start(&trial, test_mpi_path("differ"), NULL))
        return;
    trial_begin(&trial);
    trial_train(&trial, 1);
    bool differs = world.size > 1;
    if (differs && world.rank == world.size - 1)
        learner_params(&session->learner)[5] += 1; /* not its own */
    CU_ASSERT_EQUAL(save_begin(session, SAVE_EVERY, &error), !differs);
    CU_ASSERT_EQUAL(session->saving.saved_step, differs ? UINT64_MAX : 1);
    if (differs)
        expect_error(&world, ERROR_MEMORY, "");
    expect_files(trial.job.run, differs ? "" : "1");
    trial_close(&trial);
}

/* The flags say that a rank hangs over it; then it comes back, and what it has written counts. */
static void a_save_that_is_late_is_told_once(void)
{
    struct trial trial = {0};
    struct session *session = &trial.session;
    if (!trial_start(&trial, test_mpi_path("late"), SETTINGS("checkpoint.background=true")))
        return;
    trial_begin(&trial);
    trial_step(&trial);
    expect_ok(save_begin(session, SAVE_EVERY, &error));
    save_note_late(session, SAVER_IS_LATE);
    CU_ASSERT_FALSE(session->saving.now.late);
    save_note_late(session, SAVER_IS_LATE | SAVER_IS_BUSY);
    save_note_late(session, SAVER_IS_LATE | SAVER_IS_BUSY);
    CU_ASSERT_TRUE(session->saving.now.late);
    await_savers(session);
    expect_ok(save_settle(session, &error));
    CU_ASSERT(!session->saving.now.late && session->saving.saved_step == 1);
    expect_events(&trial, "checkpoint_failed", "error", "1 the disk does not answer");
    expect_saves(&trial, "1 every");
    trial_close(&trial);
}

/* Each rank is a node here. */
static void copies_on_the_nodes_are_no_checkpoint(void)
{
    struct trial trial = {.options.ranks_per_node = 1};
    struct session *session = &trial.session;
    char local[PATH_MAX + 40];
    snprintf(local, sizeof local, "checkpoint.local=%s/node-%%n", test_mpi_path("local"));
    if (!trial_start(&trial, test_mpi_path("copies"),
                     SETTINGS(local, "checkpoint.local_every=2", "checkpoint.every=4", "checkpoint.background=true")))
        return;
    trial_begin(&trial);
    trial_train(&trial, 2);
    CU_ASSERT(session->saving.now.runs && session->saving.now.is_copy && session->saving.now.step == 2);
    CU_ASSERT_FALSE(save_has_step(session));
    expect_ok(save_finish(session, &error));
    CU_ASSERT(!session->saving.now.runs && session->saving.saved_step == UINT64_MAX && session->record.step == 0);
    expect_files(trial.job.run, "");
    trial_train(&trial, 4);
    CU_ASSERT(session->saving.now.step == 4 && !session->saving.now.is_copy);
    save_copies(session); /* they never make training wait for a save */
    CU_ASSERT_FALSE(session->saving.now.is_copy);
    expect_ok(save_finish(session, &error));
    trial_train(&trial, 6);
    expect_ok(save_begin(session, SAVE_FILE, &error)); /* behind them */
    expect_ok(save_finish(session, &error));
    CU_ASSERT_EQUAL(session->saving.saved_step, 6);
    expect_events(&trial, "local", "nothing", "2 , 6 ");
    expect_saves(&trial, "4 every, 6 file");
    trial_close(&trial);
}

static void copies_that_fail_are_told_and_nothing_else(void)
{
    struct trial trial = {0};
    struct session *session = &trial.session;
    char local[PATH_MAX + 40];
    snprintf(local, sizeof local, "checkpoint.local=%s", test_mpi_path("no-directory"));
    if (world.rank == 0)
        expect_ok(file_replace(strchr(local, '/'), "", 0, &error));
    if (!trial_start(&trial, test_mpi_path("no-copies"), SETTINGS(local, "checkpoint.local_every=1")))
        return;
    trial_begin(&trial);
    struct hearing hearing = hearing_begin();
    trial_train(&trial, 1);
    expect_ok(save_finish(session, &error));
    hearing_end(&hearing);
    expect_heard(&hearing, "no copies of step 1 on the nodes: ");
    hearing_release(&hearing);
    CU_ASSERT(session->saving.copies_failed && session->saving.retry_step == 0);
    trial_step(&trial);
    expect_ok(save_last(session, "SIGTERM", &error));
    CU_ASSERT_EQUAL(session->saving.saved_step, 2);
    trial_close(&trial);
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"a world opens", a_world_opens},
        {"a save counts when it is settled", a_save_counts_when_it_is_settled},
        {"what is saved is the state as it was", what_is_saved_is_the_state_as_it_was},
        {"the next save waits for the one that runs", the_next_save_waits_for_the_one_that_runs},
        {"a save that fails changes nothing but the plan", a_save_that_fails_changes_nothing_but_the_plan},
        {"a best model whose save fails is none", a_best_model_whose_save_fails_is_none},
        {"a save for ever that fails is owed", a_save_for_ever_that_fails_is_owed},
        {"a last save that fails says what there is", a_last_save_that_fails_says_what_there_is},
        {"nodes that differ end the job", nodes_that_differ_end_the_job},
        {"a save that is late is told once", a_save_that_is_late_is_told_once},
        {"copies on the nodes are no checkpoint", copies_on_the_nodes_are_no_checkpoint},
        {"copies that fail are told, and nothing else", copies_that_fail_are_told_and_nothing_else},
        {"a world closes", a_world_closes},
        {0},
    };
    return session_tests_run(&argc, &argv, "train/save", cases);
}
