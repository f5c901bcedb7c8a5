/* Coming back: from which checkpoint, with which state, and what becomes of those that are no good. */
#include "train/session_support.h"

#include "policy/flags.h"

#include <fcntl.h>
#include <math.h>
#include <sys/file.h>
#include <sys/stat.h>

/* What is done to a file. */
enum damage { FLIPPED, CUT, EMPTIED, OTHER_STEP };

/* Rank 0's work. The checkpoint of a step becomes no good; OTHER_STEP: it becomes that of step 2. */
static void spoil(const char *run, uint64_t step, enum damage damage)
{
    char path[PATH_MAX], *bytes = NULL;
    struct reader reader;
    struct stat info;
    size_t count = 0;
    if (!open_checkpoint(run, step, &reader))
        return;
    snprintf(path, sizeof path, "%s", reader.path);
    CU_ASSERT_EQUAL(stat(path, &info), 0);
    if (damage == FLIPPED) {
        unsigned char byte;
        off_t place = (off_t)reader.layout.arrays[0].offset + 100;
        int fd = open(path, O_RDWR);
        CU_ASSERT_EQUAL(pread(fd, &byte, 1, place), 1);
        byte ^= 1;
        CU_ASSERT_EQUAL(pwrite(fd, &byte, 1, place), 1);
        close(fd);
    } else if (damage == OTHER_STEP) {
        char *slash = strrchr(reader.path, '/');
        snprintf(slash, strlen(slash) + 1, "/step-%012d.h5", 2);
        expect_ok(file_read(reader.path, &bytes, &count, &error) && file_replace(path, bytes, count, &error));
        free(bytes);
    } else {
        CU_ASSERT_EQUAL(truncate(path, damage == CUT ? info.st_size / 2 : 0), 0);
    }
    reader_close(&reader);
}

/* Collective. A run with checkpoints of steps 2, 4, ... `last`, whose life was killed two steps later. */
static bool make_run(const char *run, uint64_t last)
{
    struct trial trial = {0};
    if (!trial_start(&trial, run, SETTINGS("checkpoint.every=2")))
        return false;
    trial_begin(&trial);
    trial_train(&trial, last + 1);
    trial_step(&trial);
    trial_close(&trial);
    MPI_Barrier(world.comm);
    return true;
}

/* Collective. The fingerprint at the end of a run that was never interrupted. */
static uint64_t whole_fingerprint(void)
{
    static uint64_t fingerprint = 0;
    struct trial trial = {0};
    if (fingerprint != 0 || !trial_start(&trial, test_mpi_path("whole"), NULL))
        return fingerprint;
    trial_begin(&trial);
    trial_train(&trial, 12);
    fingerprint = trial.session.record.fingerprint;
    trial_close(&trial);
    return fingerprint;
}

static void an_empty_directory_starts_at_step_0(void)
{
    struct trial trial = {0};
    const struct session *session = &trial.session;
    if (!trial_start(&trial, test_mpi_path("empty/and/new"), NULL))
        return;
    CU_ASSERT(session->step == 0 && session->steps == 12 && isnan(session->loss));
    CU_ASSERT(session->saving.saved_step == UINT64_MAX && session->record.segment_count == 1);
    CU_ASSERT(session->record.lineage != 0 &&
              session->record.lineage == world_share_number(&world, session->record.lineage));
    trial_close(&trial);
}

static void a_job_goes_on_as_if_nothing_had_happened(void)
{
    struct trial trial = {0};
    struct session *session = &trial.session;
    char run[PATH_MAX];
    snprintf(run, sizeof run, "%s", test_mpi_path("goes-on"));
    if (!trial_start(&trial, run, NULL))
        return;
    trial_begin(&trial);
    trial_train(&trial, 4);
    trial_step(&trial);
    struct history *history = &session->record.history; /* in the middle of a patience */
    history->plateau_step = 3, history->plateau_reference = 0.5, history->plateau_stale = 2, history->plateau_falls = 1;
    CU_ASSERT_TRUE(trial_pass(&trial, LEAVE_PAUSE));
    double loss = session->loss;
    uint64_t lineage = session->record.lineage;
    trial_end(&trial, "stop-after", false, NULL);

    struct hearing hearing = hearing_begin();
    bool ok = trial_start(&trial, run, NULL);
    hearing_end(&hearing);
    expect_heard(&hearing, "resumed from ");
    hearing_release(&hearing);
    if (!ok)
        return;
    CU_ASSERT(session->step == 5 && session->saving.saved_step == 5 && session->loss == loss);
    CU_ASSERT(history->plateau_step == 3 && history->plateau_reference == 0.5);
    CU_ASSERT(history->plateau_stale == 2 && history->plateau_falls == 1);
    CU_ASSERT(session->record.lineage != lineage); /* whatever copies there are on nodes, it has left them */
    CU_ASSERT_EQUAL(session->record.segment_count, 2);
    expect_text(session->record.segments[0].end, "stop-after");
    CU_ASSERT_EQUAL(session->record.segments[1].first_step, 6);
    trial_begin(&trial);
    trial_train(&trial, 12);
    CU_ASSERT(session->record.fingerprint != 0 && session->record.fingerprint == whole_fingerprint());
    trial_close(&trial);
}

/* Saved by all ranks, and gone on with by one. */
static void another_number_of_ranks_goes_on_with_the_same_bits(void)
{
    struct world alone = {.comm = MPI_COMM_NULL, .size = 1};
    struct trial trial = {0};
    char run[PATH_MAX];
    uint64_t whole = whole_fingerprint();
    snprintf(run, sizeof run, "%s", test_mpi_path("alone"));
    if (!make_run(run, 4))
        return;
    MPI_Comm_split(world.comm, world.rank == 0 ? 0 : MPI_UNDEFINED, 0, &alone.comm);
    if (world.rank == 0 && expect_ok(trial_start_among(&trial, &alone, run, NULL))) {
        CU_ASSERT_EQUAL(trial.session.step, 4);
        trial_begin(&trial);
        trial_train(&trial, 12);
        CU_ASSERT_EQUAL(trial.session.record.fingerprint, whole);
        CU_ASSERT_EQUAL(trial.session.record.segments[0].ranks, (uint64_t)world.size);
        trial_close(&trial);
    }
    if (world.rank == 0)
        MPI_Comm_free(&alone.comm);
    MPI_Barrier(world.comm);
}

/* Collective. A start goes on from this step, and says these words; what there is then. */
static void expect_resume(const char *run, uint64_t step, const char *words, const char *more, const char *files)
{
    struct trial trial = {0};
    MPI_Barrier(world.comm);
    struct hearing hearing = hearing_begin();
    bool ok = trial_start(&trial, run, NULL);
    hearing_end(&hearing);
    if (!ok)
        return;
    expect_heard(&hearing, words);
    expect_heard(&hearing, more);
    hearing_release(&hearing);
    CU_ASSERT(trial.session.step == step && trial.session.saving.saved_step == step);
    expect_files(run, files);
    trial_close(&trial);
    MPI_Barrier(world.comm);
}

static void one_that_is_no_good_is_put_aside_with_words(void)
{
    char run[PATH_MAX];
    const char *one = "1 newer checkpoint put aside as .rejected", *two = "2 newer checkpoints put aside as .rejected";
    snprintf(run, sizeof run, "%s", test_mpi_path("spoilt"));
    if (!make_run(run, 10))
        return;
    expect_resume(run, 10, "resumed from ", "step-000000000010.h5", "2 4 6 8 10");
    if (world.rank == 0)
        spoil(run, 10, FLIPPED);
    expect_resume(run, 8, "fails its digest", one, "2 4 6 8 (10)");
    if (world.rank == 0)
        spoil(run, 8, OTHER_STEP);
    expect_resume(run, 6, "step-000000000008.h5: it holds step 2", one, "2 4 6 (8) (10)");
    if (world.rank == 0) {
        spoil(run, 6, CUT);
        spoil(run, 4, EMPTIED);
    }
    expect_resume(run, 2, "warning: not a valid checkpoint: ", two, "2 (4) (6) (8) (10)");
}

static void if_none_is_good_nothing_is_changed(void)
{
    struct trial trial = {0};
    char run[PATH_MAX];
    snprintf(run, sizeof run, "%s", test_mpi_path("none"));
    if (!make_run(run, 4))
        return;
    if (world.rank == 0) {
        spoil(run, 4, FLIPPED);
        spoil(run, 2, FLIPPED);
    }
    MPI_Barrier(world.comm);
    CU_ASSERT_FALSE(trial_start_among(&trial, &world, run, NULL));
    expect_error(&world, ERROR_CORRUPT, "/checkpoints holds 2 checkpoints and none is valid (the last: ");
    CU_ASSERT_PTR_NULL(trial.session.world);
    expect_files(run, "2 4");
    trial.options.fresh = trial.options.overwrite = true;
    if (!trial_start(&trial, run, NULL))
        return;
    CU_ASSERT_EQUAL(trial.session.step, 0);
    expect_files(run, "");
    trial_close(&trial);
}

/* HDF5 marks a file that it writes to, which breaks the seal: that is no damage. */
static void one_that_somebody_writes_to_is_left_alone(void)
{
    struct trial trial = {0};
    char run[PATH_MAX], path[PATH_MAX];
    int fd = -1;
    snprintf(run, sizeof run, "%s", test_mpi_path("written"));
    if (!make_run(run, 4))
        return;
    if (world.rank == 0) {
        snprintf(path, sizeof path, "%.3000s/checkpoints/step-000000000004.h5", run);
        spoil(run, 4, CUT);
        fd = open(path, O_RDWR);
        CU_ASSERT_EQUAL(flock(fd, LOCK_EX | LOCK_NB), 0);
    }
    MPI_Barrier(world.comm);
    CU_ASSERT_FALSE(trial_start_among(&trial, &world, run, NULL));
    expect_error(&world, ERROR_BUSY, "step-000000000004.h5: another program has it open for writing: close it there");
    expect_files(run, "2 4");
    if (fd >= 0)
        close(fd);
    MPI_Barrier(world.comm);
    expect_resume(run, 2, "not a valid checkpoint: ", "put aside", "2 (4)");
}

static void to_begin_anew_takes_two_words(void)
{
    struct trial trial = {.options.fresh = true};
    char run[PATH_MAX];
    snprintf(run, sizeof run, "%s", test_mpi_path("anew"));
    if (!make_run(run, 4))
        return;
    CU_ASSERT_FALSE(trial_start_among(&trial, &world, run, NULL));
    expect_error(&world, ERROR_USAGE, "/checkpoints holds 2 checkpoints, the newest of step 4: without --fresh");
    expect_files(run, "2 4");
    trial.options.overwrite = true;
    if (!trial_start(&trial, run, NULL))
        return;
    CU_ASSERT(trial.session.step == 0 && trial.session.record.segment_count == 1);
    expect_files(run, "");
    trial_begin(&trial);
    trial_train(&trial, 12);
    CU_ASSERT_EQUAL(trial.session.record.fingerprint, whole_fingerprint());
    trial_close(&trial);
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"a world opens", a_world_opens},
        {"an empty directory starts at step 0", an_empty_directory_starts_at_step_0},
        {"a job goes on as if nothing had happened", a_job_goes_on_as_if_nothing_had_happened},
        {"another number of ranks goes on with the same bits", another_number_of_ranks_goes_on_with_the_same_bits},
        {"one that is no good is put aside, with words", one_that_is_no_good_is_put_aside_with_words},
        {"if none is good, nothing is changed", if_none_is_good_nothing_is_changed},
        {"one that somebody writes to is left alone", one_that_somebody_writes_to_is_left_alone},
        {"to begin anew takes two words", to_begin_anew_takes_two_words},
        {"a world closes", a_world_closes},
        {0},
    };
    return session_tests_run(&argc, &argv, "train/resume", cases);
}
