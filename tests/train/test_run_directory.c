/* The run directory: who holds it, who is refused, and what becomes of it under a job. */
#include "train/session_support.h"

#include "policy/flags.h"
#include "run/environment.h"
#include "run/holder.h"
#include "run/lineage.h"
#include "run/run_files.h"
#include "train/run_directory.h"

#include <sys/stat.h>

static struct error loss; /* with which the job was ended */

/* The real one ends the process. */
static void note_loss(const struct error *why)
{
    loss = *why;
}

static bool is_locked(const char *run)
{
    char path[PATH_MAX];
    return run_file_path(run, RUN_LOCK, path) && file_is_locked(path);
}

static bool has_file(const char *run, enum run_file file)
{
    char path[PATH_MAX];
    return run_file_path(run, file, path) && access(path, F_OK) == 0;
}

/* Rank 0's work. */
static void remove_file(const char *run, enum run_file file)
{
    char path[PATH_MAX];
    CU_ASSERT(run_file_path(run, file, path) && unlink(path) == 0);
}

/* Rank 0's work: looks at once, however short ago it has looked. */
static unsigned look(struct session *session)
{
    session->held.looked_s = 0;
    return run_directory_flags(session, 1000);
}

/* The key of a supervisor on this host: of a process that lives. Who finds such a one does not wait for its end. */
static void supervisor_key(char key[SUBMISSION_KEY])
{
    char host[ENVIRONMENT_HOST];
    environment_host(host);
    snprintf(key, SUBMISSION_KEY, "%s-%ld", host, (long)getpid());
    world_share(&world, key, SUBMISSION_KEY);
}

static void a_directory_that_another_session_holds_is_refused_on_all_ranks(void)
{
    char run[PATH_MAX], key[SUBMISSION_KEY], words[SUBMISSION_KEY + 40];
    supervisor_key(key);
    snprintf(run, sizeof run, "%s", test_mpi_path("held"));
    struct trial holder = {.options.key = key}, other = {0};
    if (!trial_start(&holder, run, NULL))
        return;
    trial_begin(&holder);
    trial_train(&holder, 2);
    CU_ASSERT_FALSE(trial_start_among(&other, &world, run, NULL));
    snprintf(words, sizeof words, ": supervisor %s, process ", key);
    expect_error(&world, ERROR_BUSY, words);
    expect_error(&world, ERROR_BUSY, "another lockstep is training in ");
    CU_ASSERT_PTR_NULL(other.session.world);
    CU_ASSERT_TRUE(is_locked(run));
    trial_train(&holder, 4); /* as if nothing had happened */
    expect_ok(save_last(&holder.session, "stop-after", &error));
    trial_close(&holder);
    MPI_Barrier(world.comm);
    CU_ASSERT_FALSE(is_locked(run));
    MPI_Barrier(world.comm);
    if (!trial_start(&other, run, NULL)) /* at once */
        return;
    CU_ASSERT(is_locked(run) && other.session.step == 4);
    trial_close(&other);
}

static void what_is_no_directory_of_a_run_is_refused(void)
{
    struct trial trial = {0};
    char run[PATH_MAX], checkpoints[PATH_MAX];
    snprintf(run, sizeof run, "%s", test_mpi_path("file"));
    if (world.rank == 0)
        expect_ok(file_replace(run, "", 0, &error));
    CU_ASSERT_FALSE(trial_start_among(&trial, &world, run, NULL));
    expect_error(&world, error.kind, run);
    CU_ASSERT_PTR_NULL(trial.session.world);

    snprintf(run, sizeof run, "%s", test_mpi_path("linked"));
    snprintf(checkpoints, sizeof checkpoints, "%.3000s/checkpoints", run);
    if (world.rank == 0)
        CU_ASSERT(mkdir(run, 0777) == 0 && symlink("/tmp", checkpoints) == 0);
    CU_ASSERT_FALSE(trial_start_among(&trial, &world, run, NULL));
    expect_error(&world, ERROR_USAGE, "/checkpoints is a symbolic link, and those that lie in a run directory");
    CU_ASSERT_FALSE(is_locked(run));
}

static void a_directory_that_is_moved_ends_the_job_and_is_saved_into(void)
{
    struct trial trial = {0};
    struct session *session = &trial.session;
    char run[PATH_MAX], moved[PATH_MAX];
    snprintf(run, sizeof run, "%s", test_mpi_path("moved"));
    snprintf(moved, sizeof moved, "%s", test_mpi_path("elsewhere"));
    if (!trial_start(&trial, run, NULL))
        return;
    trial_begin(&trial);
    trial_train(&trial, 1);
    CU_ASSERT(world.rank != 0 || (look(session) == 0 && rename(run, moved) == 0));
    CU_ASSERT(world.rank != 0 || (run_directory_flags(session, 1000.4) == 0 && look(session) == LEAVE_MOVED));
    session->held.looked_s = 0;
    unsigned flags = trial_step(&trial);
    CU_ASSERT(flags == LEAVE_MOVED && trial_pass(&trial, flags));
    CU_ASSERT(session->saving.saved_step == 2 && access(run, F_OK) != 0);
    expect_end(moved, 2, "run-directory-moved", "run-directory-moved");
    MPI_Barrier(world.comm);
    CU_ASSERT(world.rank != 0 || (rename(moved, run) == 0 && look(session) == 0));
    trial_close(&trial);
}

static void files_by_which_others_know_the_run_are_made_again(void)
{
    static const enum run_file files[] = {RUN_LOCK, RUN_JOB, RUN_HISTORY};
    struct trial trial = {0};
    struct session *session = &trial.session;
    char run[PATH_MAX];
    snprintf(run, sizeof run, "%s", test_mpi_path("files"));
    if (!trial_start(&trial, run, NULL))
        return;
    trial_begin(&trial);
    struct hearing hearing = hearing_begin();
    for (size_t i = 0; i < sizeof files / sizeof *files && world.rank == 0; i++) {
        char *before = trial_read(run, run_file_names[files[i]]);
        remove_file(run, files[i]);
        CU_ASSERT_EQUAL(look(session), 0);
        char *after = trial_read(run, run_file_names[files[i]]);
        CU_ASSERT_TRUE(files[i] == RUN_LOCK ? is_locked(run) : strcmp(before, after) == 0);
        free(before);
        free(after);
    }
    hearing_end(&hearing);
    expect_heard(&hearing, "/files/.lock was deleted while the job runs; it has been made again");
    hearing_release(&hearing);
    trial_close(&trial);
}

/* The next save makes it again, with what a start looks for. */
static void a_directory_that_is_deleted_is_made_again(void)
{
    struct trial trial = {0};
    struct session *session = &trial.session;
    char run[PATH_MAX], command[PATH_MAX + 20];
    snprintf(run, sizeof run, "%s", test_mpi_path("deleted"));
    if (!trial_start(&trial, run, SETTINGS("checkpoint.every=2")))
        return;
    trial_begin(&trial);
    trial_train(&trial, 3);
    MPI_Barrier(world.comm);
    snprintf(command, sizeof command, "rm -r '%.3000s'", run);
    CU_ASSERT(world.rank != 0 || system(command) == 0);
    MPI_Barrier(world.comm);
    struct hearing hearing = hearing_begin();
    trial_train(&trial, 4);
    hearing_end(&hearing);
    expect_heard(&hearing,
                 "/deleted/checkpoints was deleted while the job runs, with all checkpoints in it; it has been");
    hearing_release(&hearing);
    CU_ASSERT_EQUAL(session->saving.saved_step, 4);
    MPI_Barrier(world.comm);
    expect_files(run, "4");
    CU_ASSERT(is_locked(run) && has_file(run, RUN_JOB) && has_file(run, RUN_LINEAGE) && has_file(run, RUN_METRICS));
    CU_ASSERT_TRUE(has_file(run, RUN_HISTORY));
    MPI_Barrier(world.comm);
    trial_close(&trial);
    if (!trial_start(&trial, run, NULL))
        return;
    CU_ASSERT(session->step == 4 && session->record.segment_count == 2);
    trial_close(&trial);
}

/* Its lock was deleted, and somebody else has made one. */
static void a_job_whose_place_was_taken_is_ended(void)
{
    struct trial trial = {.options.lost = note_loss};
    char path[PATH_MAX];
    int taken = -1;
    loss = (struct error){0};
    if (!trial_start(&trial, test_mpi_path("taken"), NULL))
        return;
    trial_begin(&trial);
    if (world.rank == 0) {
        remove_file(trial.job.run, RUN_LOCK);
        run_file_path(trial.job.run, RUN_LOCK, path);
        expect_ok(file_lock(path, 0, &taken, &error));
        look(&trial.session);
        CU_ASSERT_EQUAL(loss.kind, ERROR_LATE);
        CU_ASSERT_PTR_NOT_NULL(strstr(loss.text, "and another lockstep trains there now: this one leaves"));
        close(taken);
    }
    trial_close(&trial);
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"a world opens", a_world_opens},
        {"a directory that another session holds is refused on all ranks",
         a_directory_that_another_session_holds_is_refused_on_all_ranks},
        {"what is no directory of a run is refused", what_is_no_directory_of_a_run_is_refused},
        {"a directory that is moved ends the job, and is saved into",
         a_directory_that_is_moved_ends_the_job_and_is_saved_into},
        {"files by which others know the run are made again", files_by_which_others_know_the_run_are_made_again},
        {"a directory that is deleted is made again", a_directory_that_is_deleted_is_made_again},
        {"a job whose place was taken is ended", a_job_whose_place_was_taken_is_ended},
        {"a world closes", a_world_closes},
        {0},
    };
    return session_tests_run(&argc, &argv, "train/run_directory", cases);
}
