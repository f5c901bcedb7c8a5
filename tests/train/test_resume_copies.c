/* Coming back from copies on the nodes: whether they are this job's, whole, and newer than what is in the directory.
 * Each rank is a node here. */
#include "train/session_support.h"

#include "run/lineage.h"

#include <dirent.h>

#define LOCAL_BYTES (PATH_MAX + 40)

/* A run with copies of every second step and a file of every fourth. */
struct place {
    char run[PATH_MAX];
    char local[LOCAL_BYTES]; /* the setting */
    char node[PATH_MAX];     /* this rank's directory of copies */
    uint64_t lineage;
};

static const struct session_options one_rank_per_node = {.ranks_per_node = 1};

/* Collective. Starts the job in a place, with one more setting. */
static bool start(struct trial *trial, struct place *place, const char *setting)
{
    trial->options = one_rank_per_node;
    return trial_start(trial, place->run,
                       SETTINGS(place->local, "checkpoint.local_every=2", "checkpoint.every=4", setting));
}

/* Collective. Has trained up to this step when it was killed; the newest save is a whole one. */
static bool make_place(struct place *place, const char *name, uint64_t step)
{
    struct trial trial = {0};
    snprintf(place->run, sizeof place->run, "%s", test_mpi_path(name));
    snprintf(place->local, sizeof place->local, "checkpoint.local=%s-node-%%n", place->run);
    if (!start(&trial, place, NULL))
        return false;
    snprintf(place->node, sizeof place->node, "%s", trial.session.saving.copies.directory);
    place->lineage = trial.session.record.lineage;
    trial_begin(&trial);
    trial_train(&trial, step);
    expect_ok(save_finish(&trial.session, &error));
    trial_close(&trial);
    MPI_Barrier(world.comm);
    return true;
}

/* Local. What happens to each of this rank's pieces; false: it is deleted. */
static void spoil_node(const struct place *place, bool is_cut)
{
    char path[PATH_MAX];
    size_t pieces = 0;
    DIR *directory = opendir(place->node);
    for (struct dirent *entry; directory && (entry = readdir(directory));) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%.3000s/%.200s", place->node, entry->d_name);
        CU_ASSERT_EQUAL(is_cut ? truncate(path, 1000) : unlink(path), 0);
        pieces++;
    }
    CU_ASSERT(directory && pieces > 0);
    if (directory)
        closedir(directory);
}

/* Collective. A start goes on from this step, and says these words. The trial stays open if it is true. */
static bool resumes(struct trial *trial, struct place *place, uint64_t step, const char *words)
{
    MPI_Barrier(world.comm);
    struct hearing hearing = hearing_begin();
    bool ok = start(trial, place, NULL);
    hearing_end(&hearing);
    if (ok)
        expect_heard(&hearing, words);
    hearing_release(&hearing);
    CU_ASSERT(!ok || trial->session.step == step);
    return ok;
}

static void newer_copies_are_gone_on_from(void)
{
    struct trial trial = {0};
    struct place place, whole;
    const struct session *session = &trial.session;
    if (!make_place(&whole, "whole", 11) || !start(&trial, &whole, NULL))
        return;
    trial_train(&trial, 12);
    uint64_t fingerprint = session->record.fingerprint;
    trial_close(&trial);
    if (!make_place(&place, "newer", 7) || !resumes(&trial, &place, 6, "resumed from the copies of step 6"))
        return;
    CU_ASSERT(session->saving.saved_step == 4 && session->record.lineage == place.lineage);
    CU_ASSERT_TRUE(session->saving.renew_copies);
    trial_begin(&trial);
    trial_train(&trial, 7); /* the copies are those of other nodes, perhaps: new ones at once */
    CU_ASSERT(session->saving.now.runs && session->saving.now.is_copy && session->saving.now.step == 7);
    trial_train(&trial, 8);
    CU_ASSERT(!session->saving.renew_copies && session->saving.saved_step == 8);
    trial_train(&trial, 12);
    CU_ASSERT_EQUAL(session->record.fingerprint, fingerprint);
    trial_close(&trial);
}

static void a_newer_file_is_gone_on_from(void)
{
    struct trial trial = {0};
    struct place place;
    if (!make_place(&place, "older", 9) ||
        !resumes(&trial, &place, 8, "the copies on the nodes are not used: none is whole, of this job, and newer"))
        return;
    CU_ASSERT(trial.session.saving.saved_step == 8 && trial.session.record.lineage != place.lineage);
    trial_close(&trial);
}

static void copies_of_another_job_are_not_used(void)
{
    struct trial trial = {0};
    struct place place;
    if (!make_place(&place, "another", 7))
        return;
    if (world.rank == 0)
        expect_ok(lineage_write(place.run, place.lineage + 1, &error));
    if (resumes(&trial, &place, 4, "the copies on the nodes are not used: none is whole, of this job, and newer"))
        trial_close(&trial);
}

/* Its partner has copies of its pieces, if it has one. */
static void a_node_that_is_lost_loses_nothing_if_it_has_a_partner(void)
{
    struct trial trial = {0};
    struct place place;
    bool has_partner = world.size > 1;
    if (!make_place(&place, "lost", 7))
        return;
    if (world.rank == 0)
        spoil_node(&place, false);
    if (resumes(&trial, &place, has_partner ? 6 : 4,
                has_partner ? "resumed from the copies of step 6" : "/step-000000000004.h5"))
        trial_close(&trial);
}

static void copies_that_are_no_good_are_told(void)
{
    struct trial trial = {0};
    struct place place;
    if (!make_place(&place, "spoilt", 7))
        return;
    spoil_node(&place, true);
    if (resumes(&trial, &place, 4, "warning: not a good copy: "))
        trial_close(&trial);
}

static void a_job_that_contradicts_the_copies_is_refused(void)
{
    struct trial trial = {.options = one_rank_per_node};
    struct place place;
    if (!make_place(&place, "contradicts", 7))
        return;
    CU_ASSERT_FALSE(
        trial_start_among(&trial, &world, place.run, SETTINGS(place.local, "checkpoint.local_every=2", "seed=2")));
    expect_error(&world, ERROR_USAGE, "the copies of step 6: ");
    if (resumes(&trial, &place, 6, "resumed from the copies of step 6"))
        trial_close(&trial);
}

/* Killed behind its last step, before the file of it was made. */
static void a_job_that_was_finished_in_copies_alone_saves_its_end(void)
{
    struct trial trial = {0};
    struct place place;
    const struct session *session = &trial.session;
    if (!make_place(&place, "finished", 11) || !start(&trial, &place, NULL))
        return;
    trial_train(&trial, 11);
    trial_step(&trial);
    expect_ok(save_finish(&trial.session, &error));
    save_copies(&trial.session);
    expect_ok(save_finish(&trial.session, &error));
    trial_close(&trial);
    if (!resumes(&trial, &place, 12, "resumed from the copies of step 12"))
        return;
    CU_ASSERT(boundary_is_finished(session) && session->saving.saved_step == 8);
    trial_begin(&trial);
    CU_ASSERT_EQUAL(session->saving.saved_step, 12);
    expect_end(place.run, 12, "finished", "finished");
    trial_close(&trial);
}

/* No file was made. */
static void copies_alone_are_something_to_lose(void)
{
    struct trial trial = {.options = {.fresh = true, .ranks_per_node = 1}};
    struct place place;
    if (!make_place(&place, "alone", 3))
        return;
    const char *const *settings = SETTINGS(place.local, "checkpoint.local_every=2");
    CU_ASSERT_FALSE(trial_start_among(&trial, &world, place.run, settings));
    expect_error(&world, ERROR_USAGE, " holds 1 set of copies, the newest of step 2: without --fresh");
    if (!resumes(&trial, &place, 2, "resumed from the copies of step 2"))
        return;
    CU_ASSERT_EQUAL(trial.session.saving.saved_step, UINT64_MAX);
    trial_close(&trial);
    MPI_Barrier(world.comm);
    trial.options = (struct session_options){.fresh = true, .overwrite = true, .ranks_per_node = 1};
    if (!trial_start(&trial, place.run, settings))
        return;
    CU_ASSERT(trial.session.step == 0 && access(place.node, F_OK) != 0);
    trial_close(&trial);
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"a world opens", a_world_opens},
        {"newer copies are gone on from", newer_copies_are_gone_on_from},
        {"a newer file is gone on from", a_newer_file_is_gone_on_from},
        {"copies of another job are not used", copies_of_another_job_are_not_used},
        {"a node that is lost loses nothing, if it has a partner",
         a_node_that_is_lost_loses_nothing_if_it_has_a_partner},
        {"copies that are no good are told", copies_that_are_no_good_are_told},
        {"a job that contradicts the copies is refused", a_job_that_contradicts_the_copies_is_refused},
        {"a job that was finished in copies alone saves its end",
         a_job_that_was_finished_in_copies_alone_saves_its_end},
        {"copies alone are something to lose", copies_alone_are_something_to_lose},
        {"a world closes", a_world_closes},
        {0},
    };
    return session_tests_run(&argc, &argv, "train/resume_copies", cases);
}
