/* A session: what start_session makes and session_close gives back, whatever stands in the way of a start; and what a
 * session knows of validations, saves and limits. */
#include "train/session_support.h"

#include "base/watchdog.h"

#include <math.h>

static void not_called(const struct error *why)
{
    printf("    %s\n", why->text);
    abort();
}

static void what_is_closed_can_be_closed_and_opened_again(void)
{
    static const struct session closed;
    struct trial trial = {0};
    for (int life = 0; life < 2; life++) {
        if (!trial_start(&trial, test_mpi_path("again"), NULL))
            return;
        CU_ASSERT(trial.session.world == &world && trial.session.restore == NULL && trial.session.step == 0);
        CU_ASSERT_EQUAL(trial.session.held.lock >= 0, world.rank == 0);
        trial_close(&trial);
        CU_ASSERT_EQUAL(memcmp(&trial.session, &closed, sizeof closed), 0);
        session_close(&trial.session);
        MPI_Barrier(world.comm);
    }
}

/* Whether the run has a directory; rank 0 looks. */
static void expect_no_run(const char *run)
{
    MPI_Barrier(world.comm);
    CU_ASSERT(world.rank != 0 || access(run, F_OK) != 0);
}

static void a_start_that_fails_gives_all_back_on_all_ranks(void)
{
    static const struct {
        const char *setting, *words;
        enum error_kind kind;
    } refusals[] = {
        {"data.train={format: idx, images: /nowhere/images, labels: /nowhere/labels}", "data.train: ", ERROR_NOT_FOUND},
        {"data.validation={format: text, path: /nowhere/text, context: 4}", "data.validation: ", ERROR_USAGE},
        {"model=[{layer: dense, units: 11}]", "model: the last layer has 11 outputs", ERROR_USAGE},
        {"optimizer.groups=[{match: nothing}]", "nothing", ERROR_USAGE},
    };
    struct trial trial = {0};
    char run[PATH_MAX];
    snprintf(run, sizeof run, "%s", test_mpi_path("refused"));
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        CU_ASSERT_FALSE(trial_start_among(&trial, &world, run, SETTINGS(refusals[i].setting)));
        expect_error(&world, refusals[i].kind, refusals[i].words);
        CU_ASSERT_PTR_NULL(trial.session.world);
    }
    if (trial_start(&trial, run, NULL)) /* nobody holds it */
        trial_close(&trial);
}

/* Before anything is made on the disk. */
static void ranks_that_do_not_belong_together_are_refused(void)
{
    struct trial trial = {0};
    char run[PATH_MAX];
    bool is_last = world.rank == world.size - 1;
    if (world.size == 1)
        return;
    snprintf(run, sizeof run, "%s", test_mpi_path("unequal"));
    CU_ASSERT_FALSE(trial_start_among(&trial, &world, run, SETTINGS(is_last ? "seed=2" : "seed=1")));
    expect_error(&world, ERROR_USAGE, "the job");
    expect_no_run(run);
    CU_ASSERT_FALSE(trial_start_among(&trial, &world, run, SETTINGS("train.batch=2")));
    char words[100];
    snprintf(words, sizeof words, "%d ranks, but only 1 leaf", world.size);
    expect_error(&world, ERROR_USAGE, words);
    expect_no_run(run);
    CU_ASSERT_PTR_NULL(trial.session.world);
}

static void a_validation_is_due_and_pending_until_it_is_made(void)
{
    struct trial trial = {0};
    const struct session *session = &trial.session;
    if (!trial_start(&trial, test_mpi_path("validation"), SETTINGS("validate.every=3")))
        return;
    CU_ASSERT(session_validation_is_due(session, 3) && !session_validation_is_due(session, 4));
    CU_ASSERT_FALSE(session_validation_is_pending(session));
    trial_begin(&trial);
    trial_train(&trial, 2);
    trial_step(&trial);
    CU_ASSERT_TRUE(session_validation_is_pending(session));
    CU_ASSERT_TRUE(trial_pass(&trial, 0));
    CU_ASSERT_FALSE(session_validation_is_pending(session));
    trial_close(&trial);
    static const char *const without[] = {"validate.every=0", "data={train: {format: digits, count: 64}}"};
    for (size_t i = 0; i < 2; i++) {
        if (!trial_start(&trial, test_mpi_path(i ? "no-data" : "never"), SETTINGS("validate.every=3", without[i])))
            return;
        CU_ASSERT_FALSE(session_validation_is_due(session, 3));
        trial_close(&trial);
    }
}

/* Of what was never measured a guess; then what the last saves have taken. */
static void what_a_save_needs_is_known_from_those_before(void)
{
    struct trial trial = {0};
    const struct session *session = &trial.session;
    if (!trial_start(&trial, test_mpi_path("needs"), SETTINGS("checkpoint.background=true")))
        return;
    double guess_s = 1 + 2 * sizeof(float) * (double)session->learner.state.count / 50e6;
    CU_ASSERT(fabs(session_save_needs(session) - guess_s) < 1e-9);
    trial_begin(&trial);
    for (int save = 0; save < 2; save++) {
        trial_step(&trial);
        expect_ok(save_begin(&trial.session, 0, &error));
        double write_s = cadence_write(&session->cadence);
        double needs_s = write_s > 0 ? write_s : guess_s;
        CU_ASSERT(fabs(session_save_needs(session) - 2 * needs_s) < 1e-9); /* for the one that runs, too */
        expect_ok(save_finish(&trial.session, &error));
        CU_ASSERT_EQUAL(session_save_needs(session), cadence_write(&session->cadence));
        CU_ASSERT(session_save_needs(session) > 0 && session_save_needs(session) != guess_s);
    }
    CU_ASSERT_EQUAL(session_batch_terms(session), 8);
    trial_close(&trial);
}

static void limits_are_those_of_the_job(void)
{
    struct trial trial = {.options = {.lost = not_called, .meeting_s = 70}};
    struct watchdog_limits always, now;
    if (!trial_start(&trial, test_mpi_path("limits"), SETTINGS("heartbeat=60")))
        return;
    session_limits(&trial.session, true, &always);
    session_limits(&trial.session, false, &now);
    CU_ASSERT_EQUAL(trial.session.heartbeat != NULL, world.size > 1);
    CU_ASSERT(always.call_s == 60 && always.meeting_s == 70);
    CU_ASSERT(now.call_s == 60 && now.meeting_s == 0); /* in training nobody knows how long a meeting takes */
    trial_close(&trial);
    if (!trial_start(&trial, test_mpi_path("no-limits"), SETTINGS("heartbeat=0")))
        return;
    session_limits(&trial.session, true, &always);
    CU_ASSERT(trial.session.heartbeat == NULL && always.call_s == 0 && always.meeting_s == 0);
    trial_close(&trial);
    watchdog_close();
}

static void saves_beside_training_have_arrays_of_their_own(void)
{
    struct trial trial = {0};
    for (int beside = 0; beside < 2; beside++) {
        if (!trial_start(&trial, test_mpi_path(beside ? "beside" : "in-front"),
                         SETTINGS(beside ? "checkpoint.background=true" : "checkpoint.background=false")))
            return;
        CU_ASSERT_EQUAL(saver_is_background(trial.session.saving.saver), beside);
        CU_ASSERT_EQUAL(trial.session.learner.other.params != NULL, beside);
        trial_close(&trial);
    }
}

/* Between two lives somebody has taken it away. */
static void a_best_model_without_its_checkpoint_is_forgotten(void)
{
    struct trial trial = {0};
    const char *const *settings = SETTINGS("checkpoint.best=1", "validate.every=2", "checkpoint.at=[3]");
    char run[PATH_MAX], path[PATH_MAX];
    snprintf(run, sizeof run, "%s", test_mpi_path("best"));
    if (!trial_start(&trial, run, settings))
        return;
    trial_begin(&trial);
    trial_train(&trial, 3);
    CU_ASSERT(trial.session.record.history.best[0].step == 2);
    store_path(&trial.session.store, 2, path);
    trial_close(&trial);
    MPI_Barrier(world.comm);
    for (int is_gone = 0; is_gone < 2; is_gone++) {
        struct hearing hearing = hearing_begin();
        bool ok = trial_start(&trial, run, settings);
        hearing_end(&hearing);
        if (is_gone)
            expect_heard(&hearing, "warning: the best model so far, of step 2, has no checkpoint: ");
        hearing_release(&hearing);
        if (!ok)
            return;
        CU_ASSERT(trial.session.step == 3 && trial.session.record.history.best_count == (is_gone ? 0 : 1));
        trial_close(&trial);
        CU_ASSERT(is_gone || world.rank != 0 || unlink(path) == 0);
        MPI_Barrier(world.comm);
    }
}

static void what_was_to_stay_for_ever_stays_if_the_job_forgets_it(void)
{
    struct trial trial = {0};
    char run[PATH_MAX];
    snprintf(run, sizeof run, "%s", test_mpi_path("kept"));
    if (!trial_start(&trial, run, SETTINGS("checkpoint.keep_every=2")))
        return;
    trial_begin(&trial);
    trial_train(&trial, 5);
    trial_close(&trial);
    struct hearing hearing = hearing_begin();
    bool ok = trial_start(&trial, run, SETTINGS("checkpoint.every=1", "checkpoint.keep=1"));
    hearing_end(&hearing);
    expect_heard(&hearing, "checkpoint.keep_every was 2: 2 checkpoints are pinned, to stay for ever all the same");
    hearing_release(&hearing);
    if (!ok)
        return;
    trial_begin(&trial);
    trial_train(&trial, 7);
    expect_files(run, "2 4 7");
    trial_close(&trial);
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"a world opens", a_world_opens},
        {"what is closed can be closed, and opened again", what_is_closed_can_be_closed_and_opened_again},
        {"a start that fails gives all back, on all ranks", a_start_that_fails_gives_all_back_on_all_ranks},
        {"ranks that do not belong together are refused", ranks_that_do_not_belong_together_are_refused},
        {"a validation is due, and pending until it is made", a_validation_is_due_and_pending_until_it_is_made},
        {"what a save needs is known from those before", what_a_save_needs_is_known_from_those_before},
        {"limits are those of the job", limits_are_those_of_the_job},
        {"saves beside training have arrays of their own", saves_beside_training_have_arrays_of_their_own},
        {"a best model without its checkpoint is forgotten", a_best_model_without_its_checkpoint_is_forgotten},
        {"what was to stay for ever stays if the job forgets it",
         what_was_to_stay_for_ever_stays_if_the_job_forgets_it},
        {"a world closes", a_world_closes},
        {0},
    };
    return session_tests_run(&argc, &argv, "train/session", cases);
}
