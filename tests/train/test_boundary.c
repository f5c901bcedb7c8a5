/* The boundary between two steps: what is saved there and why, when a job is finished, and with which word it ends. */
#include "train/session_support.h"

#include "base/clock.h"
#include "base/digest.h"
#include "policy/flags.h"
#include "policy/preemption.h"
#include "train/memory_watch.h"

#include <math.h>
#include <signal.h>

/* Collective. A step that is skipped: one of the parameters is no number meanwhile. */
static void skip_one_step(struct trial *trial)
{
    struct learner *learner = &trial->session.learner;
    float *params = learner_params(learner) + learner->shard.first, kept = 0;
    if (world.rank == 0) {
        kept = params[0];
        params[0] = NAN;
    }
    exchange_distribute(learner->exchange);
    memory_watch_begin(&trial->session); /* it is no fault of the memory, which may be another rank's */
    trial_step(trial);
    CU_ASSERT(trial->session.record.history.skipped_row > 0);
    exchange_settle(learner->exchange);
    if (world.rank == 0)
        params[0] = kept;
    exchange_distribute(learner->exchange);
    memory_watch_begin(&trial->session);
}

static void each_reason_saves_at_its_step(void)
{
    struct trial trial = {0};
    if (!trial_start(&trial, test_mpi_path("reasons"),
                     SETTINGS("checkpoint.every=5", "checkpoint.at=[3,5]", "checkpoint.keep_every=6",
                              "validate.every=4", "checkpoint.on_validation=true")))
        return;
    trial_begin(&trial);
    trial_train(&trial, 12);
    expect_saves(&trial, "3 at, 4 validation, 5 every+at, 6 keep_every, 8 validation, 10 every, 12 finished");
    expect_files(trial.job.run, "3 4 5 6 8 10 12");
    expect_end(trial.job.run, 10, "every", "running");
    expect_end(trial.job.run, 12, "finished", "finished");
    trial_close(&trial);
}

/* With a rate that makes the loss go up and down. */
static void a_validation_that_is_the_best_is_saved_and_stays(void)
{
    struct trial trial = {0};
    struct text best;
    uint64_t step = 0, others = 0;
    text_init(&best);
    if (!trial_start(&trial, test_mpi_path("best"),
                     SETTINGS("checkpoint.best=1", "checkpoint.keep=1", "validate.every=1",
                              "optimizer.learning_rate=1.0", "train.steps=16")))
        return;
    trial_begin(&trial);
    while (trial.session.step < 15) {
        trial_train(&trial, trial.session.step + 1);
        bool is_best = trial.session.record.history.best[0].step == trial.session.step;
        others += !is_best;
        step = is_best ? trial.session.step : step;
        if (is_best)
            text_append(&best, "%s%" PRIu64 " best", best.length ? ", " : "", step);
    }
    CU_ASSERT(step > 0 && others > 0);
    expect_saves(&trial, text_bytes(&best));
    trial_close(&trial);
    text_release(&best);
}

static void what_is_due_at_a_skipped_step_waits_for_the_next(void)
{
    struct trial trial = {0};
    if (!trial_start(&trial, test_mpi_path("waits"),
                     SETTINGS("checkpoint.every=2", "checkpoint.keep_every=3", "skip_step.nonfinite=true")))
        return;
    trial_begin(&trial);
    trial_train(&trial, 1);
    skip_one_step(&trial);
    CU_ASSERT(trial_pass(&trial, 0) && trial.session.saving.put_off == SAVE_EVERY);
    skip_one_step(&trial);
    CU_ASSERT(trial_pass(&trial, 0) && trial.session.saving.put_off == (SAVE_EVERY | SAVE_KEEP));
    expect_files(trial.job.run, "");
    trial_train(&trial, 5);
    CU_ASSERT_EQUAL(trial.session.saving.put_off, 0);
    expect_saves(&trial, "4 every+keep_every");
    expect_pinned(&trial, 4, true); /* no multiple of three: it stands in the place of one */
    trial_close(&trial);
}

static void the_best_at_a_skipped_step_does_not_wait(void)
{
    struct trial trial = {0};
    if (!trial_start(
            &trial, test_mpi_path("skipped-best"),
            SETTINGS("checkpoint.every=2", "checkpoint.best=1", "validate.every=2", "skip_step.nonfinite=true")))
        return;
    trial_begin(&trial);
    trial_train(&trial, 1);
    skip_one_step(&trial);
    CU_ASSERT(trial_pass(&trial, 0) && trial.session.saving.put_off == 0);
    expect_saves(&trial, "2 every+best");
    trial_close(&trial);
}

/* What is saved at a skipped step pushes no good one out; what waited there is found by the next life. */
static void who_leaves_at_a_skipped_step_is_saved_at_once(void)
{
    struct trial trial = {0};
    const char *const *settings = SETTINGS("checkpoint.every=2", "checkpoint.keep=1", "skip_step.nonfinite=true");
    if (!trial_start(&trial, test_mpi_path("skipped-end"), settings))
        return;
    trial_begin(&trial);
    trial_train(&trial, 5);
    expect_files(trial.job.run, "4");
    skip_one_step(&trial);
    CU_ASSERT_TRUE(trial_pass(&trial, LEAVE_PAUSE));
    expect_files(trial.job.run, "4 6");
    trial_close(&trial);
    if (!trial_start(&trial, test_mpi_path("skipped-end"), settings))
        return;
    trial_begin(&trial);
    CU_ASSERT(trial.session.step == 6 && trial.session.saving.put_off == SAVE_EVERY);
    trial_train(&trial, 7);
    expect_saves(&trial, "2 every, 4 every, 6 stop-after, 7 every");
    expect_files(trial.job.run, "7");
    trial_close(&trial);
}

/* The flags say that the save of the step before still runs. */
static void a_save_that_is_due_meanwhile_is_left_out_or_waits(void)
{
    struct trial trial = {0};
    if (!trial_start(
            &trial, test_mpi_path("busy"),
            SETTINGS("checkpoint.every=1", "checkpoint.at=[3]", "checkpoint.busy=skip", "checkpoint.background=true")))
        return;
    trial_begin(&trial);
    trial_step(&trial);
    CU_ASSERT_TRUE(trial_pass(&trial, 0));
    trial_step(&trial);
    CU_ASSERT_TRUE(trial_pass(&trial, SAVER_IS_BUSY));
    CU_ASSERT(trial.session.saving.now.runs && trial.session.saving.now.step == 1);
    trial_step(&trial);
    CU_ASSERT_TRUE(trial_pass(&trial, SAVER_IS_BUSY)); /* nobody is patient about a step in a list */
    CU_ASSERT(trial.session.saving.saved_step == 1 && trial.session.saving.now.step == 3);
    expect_ok(save_finish(&trial.session, &error));
    expect_saves(&trial, "1 every, 3 every+at");
    trial_close(&trial);
}

static void a_failed_save_is_tried_again_later_and_later(void)
{
    struct trial trial = {0};
    const struct saving *saving = &trial.session.saving;
    if (!trial_start(&trial, test_mpi_path("retry"), SETTINGS("checkpoint.at=[1]", "train.steps=40")))
        return;
    trial_begin(&trial);
    break_store(trial.job.run);
    trial_train(&trial, 1);
    CU_ASSERT(saving->retry_step == 11 && saving->saved_step == UINT64_MAX);
    trial_train(&trial, 11);
    CU_ASSERT(saving->retry_step == 31 && saving->saved_step == UINT64_MAX);
    mend_store(trial.job.run);
    trial_train(&trial, 30);
    CU_ASSERT_EQUAL(saving->saved_step, UINT64_MAX);
    trial_train(&trial, 31);
    CU_ASSERT(saving->retry_step == 0 && saving->retry_wait == 0 && saving->saved_step == 31);
    expect_saves(&trial, "31 retry");
    trial_close(&trial);
}

static void another_save_that_is_due_takes_the_place_of_the_retry(void)
{
    struct trial trial = {0};
    if (!trial_start(&trial, test_mpi_path("instead"), SETTINGS("checkpoint.at=[1,6]")))
        return;
    trial_begin(&trial);
    break_store(trial.job.run);
    trial_train(&trial, 1);
    CU_ASSERT_EQUAL(trial.session.saving.retry_step, 11);
    mend_store(trial.job.run);
    trial_train(&trial, 11);
    CU_ASSERT_EQUAL(trial.session.saving.retry_step, 0);
    expect_saves(&trial, "6 at");
    trial_close(&trial);
}

static void who_is_asked_to_leave_saves_and_says_why(void)
{
    static const struct {
        unsigned flags;
        const char *reason;
    } ends[] = {
        {LEAVE_PAUSE, "stop-after"},
        {LEAVE_DEADLINE, "deadline"},
        {LEAVE_MOVED, "run-directory-moved"},
        {LEAVE_SIGTERM, "SIGTERM"},
        {LEAVE_SIGPWR, "SIGPWR"},
        {LEAVE_PAUSE | LEAVE_DEADLINE, "deadline"},
        {LEAVE_PAUSE | LEAVE_DEADLINE | LEAVE_MOVED, "run-directory-moved"},
        {LEAVE_MOVED | LEAVE_SIGHUP, "SIGHUP"},
        {LEAVE_SIGUSR1 | LEAVE_SIGTERM, "SIGTERM"},
        {LEAVE_SIGUSR1 | SAVE_FILE | SAVE_MINUTES, "SIGUSR1"},
    };
    struct trial trial = {0};
    if (!trial_start(&trial, test_mpi_path("ends"), NULL))
        return;
    trial_begin(&trial);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        trial_step(&trial);
        CU_ASSERT_FALSE(boundary_is_finished(&trial.session));
        CU_ASSERT_TRUE(trial_pass(&trial, ends[i].flags));
        CU_ASSERT_EQUAL(trial.session.saving.saved_step, trial.session.step);
        expect_text(boundary_reason(&trial.session, ends[i].flags), ends[i].reason);
        expect_end(trial.job.run, trial.session.step, ends[i].reason, ends[i].reason);
    }
    trial_train(&trial, 11);
    trial_step(&trial);
    CU_ASSERT_TRUE(trial_pass(&trial, LEAVE_SIGTERM)); /* too late to be asked */
    CU_ASSERT_TRUE(boundary_is_finished(&trial.session));
    expect_end(trial.job.run, 12, "finished", "finished");
    trial_close(&trial);
}

/* What is asked for from outside of one rank, and comes to all by the flags of the step. */
static void wishes_from_outside_are_heard_by_all_ranks(void)
{
    struct trial trial = {.options.stop_after = {.unit = PAUSE_STEPS, .amount = 3}};
    char path[PATH_MAX];
    if (!trial_start(&trial, test_mpi_path("outside"), NULL))
        return;
    trial_begin(&trial);
    snprintf(path, sizeof path, "%.3000s/save", trial.job.run);
    if (world.rank == 0)
        expect_ok(file_replace(path, "", 0, &error));
    unsigned flags = trial_step(&trial);
    CU_ASSERT(flags == SAVE_FILE && trial_pass(&trial, flags));
    MPI_Barrier(world.comm);
    CU_ASSERT(access(path, F_OK) != 0);
    if (world.rank == world.size - 1)
        raise(SIGALRM);
    flags = trial_step(&trial);
    CU_ASSERT(flags == SAVE_SIGNAL && trial_pass(&trial, flags));
    flags = trial_step(&trial);
    CU_ASSERT(flags == LEAVE_PAUSE && trial_pass(&trial, flags));
    expect_saves(&trial, "1 file, 2 signal, 3 stop-after");
    trial_close(&trial);
}

static void an_end_that_is_near_lets_one_step_be_made(void)
{
    struct trial trial = {0};
    char end[32];
    snprintf(end, sizeof end, "%.3f", clock_unix_exact() + 1);
    setenv("LOCKSTEP_END_TIME", end, 1);
    bool ok = trial_start(&trial, test_mpi_path("deadline"), NULL);
    unsetenv("LOCKSTEP_END_TIME");
    if (!ok)
        return;
    trial_begin(&trial);
    unsigned flags = trial_step(&trial);
    CU_ASSERT(flags == LEAVE_DEADLINE && trial_pass(&trial, flags));
    expect_end(trial.job.run, 1, "deadline", "deadline");
    trial_close(&trial);
}

static void who_is_in_a_hurry_leaves_the_validation_to_the_next_life(void)
{
    struct trial trial = {0};
    const char *const *settings = SETTINGS("train.steps=4", "validate.every=2");
    if (!trial_start(&trial, test_mpi_path("pending"), settings))
        return;
    trial_begin(&trial);
    trial_train(&trial, 1);
    trial_step(&trial);
    CU_ASSERT_TRUE(trial_pass(&trial, LEAVE_PAUSE)); /* a pause has time */
    CU_ASSERT_EQUAL(trial.session.record.history.validated_step, 2);
    trial_train(&trial, 3);
    trial_step(&trial);
    CU_ASSERT_FALSE(boundary_is_finished(&trial.session));
    CU_ASSERT_TRUE(trial_pass(&trial, LEAVE_SIGTERM));
    CU_ASSERT_FALSE(boundary_is_finished(&trial.session));
    CU_ASSERT_EQUAL(trial.session.record.history.validated_step, 2);
    expect_end(trial.job.run, 4, "SIGTERM", "SIGTERM");
    trial_close(&trial);

    if (!trial_start(&trial, test_mpi_path("pending"), settings))
        return;
    CU_ASSERT(trial.session.step == 4 && !boundary_is_finished(&trial.session));
    trial_begin(&trial);
    CU_ASSERT(boundary_is_finished(&trial.session) && trial.session.record.history.validated_step == 4);
    expect_end(trial.job.run, 4, "finished", "finished");
    trial_close(&trial);
}

/* Also by the next life, if nobody had time for it; and not where a job pauses. */
static void the_last_step_is_validated_whatever_divides_it(void)
{
    struct trial trial = {0};
    const char *const *settings = SETTINGS("train.steps=7", "validate.every=5");
    if (!trial_start(&trial, test_mpi_path("last"), settings))
        return;
    trial_begin(&trial);
    trial_train(&trial, 5);
    trial_step(&trial);
    CU_ASSERT_TRUE(trial_pass(&trial, LEAVE_PAUSE));
    trial_step(&trial);
    CU_ASSERT_TRUE(trial_pass(&trial, LEAVE_SIGTERM));
    CU_ASSERT_FALSE(boundary_is_finished(&trial.session));
    CU_ASSERT_EQUAL(trial.session.record.history.validated_step, 5);
    trial_close(&trial);
    if (!trial_start(&trial, test_mpi_path("last"), settings))
        return;
    trial_begin(&trial);
    CU_ASSERT(boundary_is_finished(&trial.session) && trial.session.record.history.validated_step == 7);
    trial_close(&trial);
}

/* Trains up to these steps, one life after another, with a rate and an end that hang on validations; the history that
 * comes of it, and a digest of the parameters. */
static uint64_t train_lives(const char *run, size_t count, const char *const *lengths, struct history *history)
{
    uint64_t digest = 0;
    for (size_t i = 0; i < count; i++) {
        struct trial trial = {0};
        if (!trial_start(&trial, test_mpi_path(run),
                         SETTINGS(lengths[i], "validate.every=2", "early_stopping.patience=100",
                                  "schedule={name: plateau, patience: 0, factor: 0.5, threshold: 0.5}")))
            return 0;
        trial_begin(&trial);
        trial_train(&trial, trial.session.steps);
        CU_ASSERT_EQUAL(trial.session.record.history.validated_step, trial.session.steps);
        *history = trial.session.record.history;
        digest = digest_bytes(trial.session.learner.used.params, trial.session.learner.shard.count * sizeof(float));
        trial_close(&trial);
    }
    return digest;
}

/* A fall more or less at its former end would be another rate from there on. */
static void a_job_that_is_made_longer_decides_as_one_that_was_as_long(void)
{
    struct history once, twice;
    uint64_t whole = train_lives("once", 1, (const char *const[]){"train.steps=10"}, &once);
    uint64_t longer = train_lives("twice", 2, (const char *const[]){"train.steps=5", "train.steps=10"}, &twice);
    CU_ASSERT_EQUAL(whole, longer);
    CU_ASSERT(once.plateau_falls > 0 && once.plateau_falls == twice.plateau_falls);
    CU_ASSERT(once.stale == twice.stale && once.reference == twice.reference);
}

static void a_job_that_becomes_no_better_is_finished(void)
{
    struct trial trial = {0};
    const char *const *settings = SETTINGS("validate.every=2", "early_stopping.patience=1",
                                           "early_stopping.min_delta=1000");
    if (!trial_start(&trial, test_mpi_path("early"), settings))
        return;
    trial_begin(&trial);
    trial_train(&trial, 3);
    CU_ASSERT_FALSE(boundary_is_finished(&trial.session));
    trial_train(&trial, 4);
    CU_ASSERT_TRUE(boundary_is_finished(&trial.session));
    expect_text(boundary_reason(&trial.session, LEAVE_SIGTERM), "early_stopping");
    expect_saves(&trial, "2 best, 4 early_stopping");
    trial_close(&trial);
    if (!trial_start(&trial, test_mpi_path("early"), settings))
        return;
    CU_ASSERT(trial.session.step == 4 && boundary_is_finished(&trial.session));
    trial_close(&trial);
}

/* The last step was skipped: by its own fault, and then by that of the parameters. */
static void a_last_state_is_saved_only_if_it_is_sound(void)
{
    struct trial trial = {0};
    for (int is_spoilt = 0; is_spoilt < 2; is_spoilt++) {
        if (!trial_start(&trial, test_mpi_path(is_spoilt ? "spoilt" : "sound"),
                         SETTINGS("train.steps=3", "skip_step.nonfinite=true")))
            return;
        trial_begin(&trial);
        trial_train(&trial, 2);
        skip_one_step(&trial);
        float *params = learner_params(&trial.session.learner);
        if (is_spoilt && world.rank == 0)
            params[0] = NAN;
        exchange_distribute(trial.session.learner.exchange);
        memory_watch_begin(&trial.session);
        CU_ASSERT_EQUAL(trial_pass(&trial, 0), !is_spoilt);
        if (is_spoilt)
            expect_error(&world, ERROR_STATE, "step 3 is the last, and its loss is nan");
        expect_files(trial.job.run, is_spoilt ? "" : "3");
        trial_close(&trial);
    }
}

/* The last case of all: from here on this process has been asked to leave. */
static void a_signal_to_one_rank_ends_the_job(void)
{
    struct trial trial = {0};
    if (!trial_start(&trial, test_mpi_path("signal"), NULL))
        return;
    trial_begin(&trial);
    if (world.rank == world.size - 1)
        raise(SIGUSR2);
    unsigned flags = trial_step(&trial);
    CU_ASSERT(flags == LEAVE_SIGUSR2 && trial_pass(&trial, flags));
    expect_end(trial.job.run, 1, "SIGUSR2", "SIGUSR2");
    trial_close(&trial);
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"a world opens", a_world_opens},
        {"each reason saves at its step", each_reason_saves_at_its_step},
        {"a validation that is the best is saved, and stays", a_validation_that_is_the_best_is_saved_and_stays},
        {"what is due at a skipped step waits for the next", what_is_due_at_a_skipped_step_waits_for_the_next},
        {"the best at a skipped step does not wait", the_best_at_a_skipped_step_does_not_wait},
        {"who leaves at a skipped step is saved at once", who_leaves_at_a_skipped_step_is_saved_at_once},
        {"a save that is due meanwhile is left out, or waits", a_save_that_is_due_meanwhile_is_left_out_or_waits},
        {"a failed save is tried again, later and later", a_failed_save_is_tried_again_later_and_later},
        {"another save that is due takes the place of the retry",
         another_save_that_is_due_takes_the_place_of_the_retry},
        {"who is asked to leave saves, and says why", who_is_asked_to_leave_saves_and_says_why},
        {"wishes from outside are heard by all ranks", wishes_from_outside_are_heard_by_all_ranks},
        {"an end that is near lets one step be made", an_end_that_is_near_lets_one_step_be_made},
        {"who is in a hurry leaves the validation to the next life",
         who_is_in_a_hurry_leaves_the_validation_to_the_next_life},
        {"the last step is validated, whatever divides it", the_last_step_is_validated_whatever_divides_it},
        {"a job that is made longer decides as one that was as long",
         a_job_that_is_made_longer_decides_as_one_that_was_as_long},
        {"a job that becomes no better is finished", a_job_that_becomes_no_better_is_finished},
        {"a last state is saved only if it is sound", a_last_state_is_saved_only_if_it_is_sound},
        {"a signal to one rank ends the job", a_signal_to_one_rank_ends_the_job},
        {"a world closes", a_world_closes},
        {0},
    };
    preemption_watch();
    return session_tests_run(&argc, &argv, "train/boundary", cases);
}
