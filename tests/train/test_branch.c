/* A branch: a new run goes on from a checkpoint of another one, and is one of its own from its first checkpoint on. */
#include "train/session_support.h"

#include "policy/flags.h"

#include <stdio.h>
#include <string.h>

static char from[PATH_MAX], run[PATH_MAX], branch[PATH_MAX]; /* a run, one that branches off, and at what */

/* Collective. Another job's run with checkpoints of steps 2, 4, ... 12; the fingerprint of its end, and its lineage. */
static bool make_origin(uint64_t *fingerprint, uint64_t *lineage)
{
    struct trial trial = {0};
    if (!trial_start(&trial, from, SETTINGS("checkpoint.every=2")))
        return false;
    trial_begin(&trial);
    trial_train(&trial, 12);
    *fingerprint = trial.session.record.fingerprint;
    *lineage = trial.session.record.lineage;
    trial_close(&trial);
    MPI_Barrier(world.comm);
    return true;
}

/* Collective. The runs of a case, and what it branches off at. */
static bool begin_case(const char *name, const char *behind, uint64_t *fingerprint, uint64_t *lineage)
{
    char word[64];
    snprintf(word, sizeof word, "%s-from", name);
    snprintf(from, sizeof from, "%s", test_mpi_path(word));
    snprintf(run, sizeof run, "%s", test_mpi_path(name));
    snprintf(branch, sizeof branch, "%.3000s%s", from, behind);
    return make_origin(fingerprint, lineage);
}

/* With copies on the nodes, so that its own lineage does not follow from there being none. */
static void a_branch_takes_all_and_has_a_lineage_of_its_own(void)
{
    struct trial trial = {.options = {.branch = branch, .ranks_per_node = 1}};
    const struct record *record = &trial.session.record;
    char local[PATH_MAX + 40];
    uint64_t fingerprint, lineage;
    if (!begin_case("all", "@4", &fingerprint, &lineage))
        return;
    snprintf(local, sizeof local, "checkpoint.local=%s-node-%%n", run);
    struct hearing hearing = hearing_begin();
    bool ok = trial_start(&trial, run, SETTINGS(local, "checkpoint.local_every=2"));
    hearing_end(&hearing);
    expect_heard(&hearing, "a branch of ");
    hearing_release(&hearing);
    if (!ok)
        return;
    CU_ASSERT(trial.session.step == 4 && trial.session.saving.saved_step == UINT64_MAX);
    CU_ASSERT(record->lineage != lineage && record->lineage == world_share_number(&world, record->lineage));
    CU_ASSERT(strncmp(record->origin, RECORD_BRANCH, strlen(RECORD_BRANCH)) == 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(record->origin, "all-from@4 (step 4, fingerprint "));
    CU_ASSERT_EQUAL(record->segment_count, 2);
    expect_text(record->segments[0].end, "branched");
    CU_ASSERT_EQUAL(record->segments[1].first_step, 5);
    CU_ASSERT_PTR_NOT_NULL(strstr(record->segments[1].changes, "run: "));
    expect_files(run, "");
    trial_begin(&trial);
    trial_train(&trial, 12);
    CU_ASSERT_EQUAL(record->fingerprint, fingerprint);
    expect_files(run, "12");
    expect_files(from, "2 4 6 8 10 12");
    trial_close(&trial);
}

/* Collective. A start with the flag goes on from this step, and says so. */
static void expect_start(struct trial *trial, uint64_t step, const char *words)
{
    MPI_Barrier(world.comm);
    struct hearing hearing = hearing_begin();
    bool ok = trial_start(trial, run, SETTINGS("checkpoint.every=3"));
    hearing_end(&hearing);
    if (ok) {
        expect_heard(&hearing, words);
        CU_ASSERT_EQUAL(trial->session.step, step);
    }
    hearing_release(&hearing);
}

static void a_branch_that_is_killed_goes_on_like_any_run(void)
{
    struct trial trial = {.options.branch = branch};
    uint64_t fingerprint, lineage;
    if (!begin_case("killed", "@4", &fingerprint, &lineage))
        return;
    expect_start(&trial, 4, "a branch of ");
    trial_begin(&trial);
    trial_train(&trial, 5);
    trial_close(&trial); /* killed, and nothing saved */
    expect_start(&trial, 4, "a branch of ");
    trial_begin(&trial);
    trial_train(&trial, 7);
    trial_close(&trial);
    expect_start(&trial, 6, "-from@4 was made by an earlier start: the job goes on from step 6");
    CU_ASSERT(trial.session.record.origin && strstr(trial.session.record.origin, "(step 4, "));
    trial_close(&trial);
    trial.options.branch = NULL;
    expect_start(&trial, 6, "resumed from ");
    trial_begin(&trial);
    trial_train(&trial, 12);
    CU_ASSERT_EQUAL(trial.session.record.fingerprint, fingerprint);
    trial_close(&trial);
}

static void a_branch_of_a_branch_knows_both(void)
{
    struct trial trial = {.options.branch = branch};
    char first[PATH_MAX];
    uint64_t fingerprint, lineage;
    if (!begin_case("twice", "@4", &fingerprint, &lineage))
        return;
    expect_start(&trial, 4, "a branch of ");
    trial_begin(&trial);
    trial_train(&trial, 7);
    trial_close(&trial);
    snprintf(first, sizeof first, "%s", run);
    snprintf(branch, sizeof branch, "%.3000s", first);
    snprintf(run, sizeof run, "%s", test_mpi_path("twice-again"));
    expect_start(&trial, 6, "twice (step 6, fingerprint ");
    CU_ASSERT(strstr(trial.session.record.origin, "), which began with " RECORD_BRANCH) &&
              strstr(trial.session.record.origin, "twice-from@4 (step 4, "));
    trial_close(&trial);
}

/* Collective. The start is refused, with these words; nothing has come into the run, and the origin is as it was. */
static void expect_refused(struct trial *trial, const char *const settings[SETTINGS_MOST], enum error_kind kind,
                           const char *words, const char *files)
{
    MPI_Barrier(world.comm);
    CU_ASSERT_FALSE(trial_start_among(trial, &world, run, settings));
    expect_error(&world, kind, words);
    expect_files(run, files);
    expect_files(from, "2 4 6 8 10 12");
}

static void what_cannot_be_branched_is_refused(void)
{
    struct trial trial = {.options.branch = branch}, own = {0};
    char path[PATH_MAX];
    uint64_t fingerprint, lineage;
    if (!begin_case("refused", "@5", &fingerprint, &lineage))
        return;
    expect_refused(&trial, NULL, ERROR_USAGE, "has no checkpoint of step 5: there are those of step 12, 10, 8", "");
    snprintf(branch, sizeof branch, "%.3000s@4", from);
    expect_refused(&trial, SETTINGS("seed=2"), ERROR_USAGE, "seed: 1 in the checkpoint, 2 here", "");
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "To begin a new job with its weights alone: --init-from"));
    expect_refused(&trial, SETTINGS("train.steps=3"), ERROR_USAGE, "train.steps: 4 are done in the checkpoint", "");
    snprintf(path, sizeof path, "%.3000s/checkpoints/step-000000000004.h5", from);
    if (world.rank == 0)
        CU_ASSERT_EQUAL(truncate(path, 5000), 0);
    expect_refused(&trial, NULL, ERROR_CORRUPT, "step-000000000004.h5", ""); /* no older one, and it stays */
    snprintf(branch, sizeof branch, "%.3000s@6", from);
    if (!trial_start(&own, run, NULL))
        return;
    trial_begin(&own);
    trial_train(&own, 2);
    trial_step(&own);
    CU_ASSERT_TRUE(trial_pass(&own, LEAVE_PAUSE));
    trial_close(&own);
    expect_refused(&trial, NULL, ERROR_USAGE, "this run has a checkpoint of its own, and is no branch of another", "3");
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"a world opens", a_world_opens},
        {"a branch takes all, and has a lineage of its own", a_branch_takes_all_and_has_a_lineage_of_its_own},
        {"a branch that is killed goes on like any run", a_branch_that_is_killed_goes_on_like_any_run},
        {"a branch of a branch knows both", a_branch_of_a_branch_knows_both},
        {"what cannot be branched is refused", what_cannot_be_branched_is_refused},
        {"a world closes", a_world_closes},
        {0},
    };
    return session_tests_run(&argc, &argv, "train/branch", cases);
}
