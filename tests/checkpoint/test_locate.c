/* Which file a word means: a path, a run, its best, a step. One rank. */
#include "checkpoint/file_support.h"
#include "checkpoint/locate.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char run[PATH_MAX];
static struct store store;

/* A file of that name, of which nothing but the name is looked at. */
static void put(uint64_t step)
{
    char path[PATH_MAX];
    store_path(&store, step, path);
    CU_ASSERT_TRUE(file_replace(path, "x", 1, &error));
}

/* A run whose newest checkpoint of step 90 knows as the best validations those of 60, 80 and 20, in this order. */
static void make_run(const char *name)
{
    struct commit commit;
    make_store(&store, name);
    snprintf(run, sizeof run, "%s", test_mpi_path(name));
    CU_ASSERT_TRUE(commit_step(&store, 90, 9, "run: x\n", &commit));
    put(60);
    put(80);
}

/* Whether run + `behind` means the checkpoint of this step. */
static bool means(const char *behind, uint64_t step)
{
    char word[PATH_MAX], path[PATH_MAX], expected[PATH_MAX];
    snprintf(word, sizeof word, "%.3000s%s", run, behind);
    store_path(&store, step, expected);
    return locate_checkpoint(word, path, &error) && strcmp(path, expected) == 0;
}

/* Whether run + `behind` is refused, for this reason. */
static bool is_refused(const char *behind, enum error_kind kind, const char *reason)
{
    char word[PATH_MAX], path[PATH_MAX];
    snprintf(word, sizeof word, "%.3000s%s", run, behind);
    return !locate_checkpoint(word, path, &error) && error.kind == kind && strstr(error.text, reason) &&
           strncmp(error.text, word, strlen(word)) == 0;
}

static void a_run_means_its_newest(void)
{
    make_run("newest");
    CU_ASSERT_TRUE(means("", 90));
    put(100);
    CU_ASSERT_TRUE(means("", 100));
}

static void a_step_behind_the_at_means_that_step(void)
{
    make_run("steps");
    CU_ASSERT_TRUE(means("@80", 80));
    CU_ASSERT_TRUE(means("@000000000080", 80));
    CU_ASSERT_TRUE(is_refused("@70", ERROR_NOT_FOUND, "no checkpoint of step 70: there are those of step 90, 80, 60"));
    for (uint64_t step = 1; step <= 20; step++)
        put(step);
    CU_ASSERT_TRUE(is_refused("@70", ERROR_NOT_FOUND, "90, 80, 60, 20, 19, 18, 17, 16, 15, 14, 13, 12 and 11 older"));
}

static void best_is_what_the_newest_knows(void)
{
    make_run("best");
    CU_ASSERT_TRUE(means("@best", 60));
    CU_ASSERT_TRUE(means("@best1", 60));
    CU_ASSERT_TRUE(means("@best2", 80));
    CU_ASSERT_TRUE(is_refused("@best3", ERROR_NOT_FOUND, "no checkpoint of step 20, where that validation was"));
    CU_ASSERT_TRUE(is_refused("@best4", ERROR_NOT_FOUND, "only the 3 best validations are known at step 90"));
    put(100); /* no checkpoint at all: the next older one is asked */
    CU_ASSERT_TRUE(means("@best", 60));
}

/* Of what a word means, which is damaged, the one before it is named, behind the words. */
static bool tells_older(const char *behind, enum error_kind kind, const char *expected)
{
    char word[PATH_MAX], path[PATH_MAX];
    snprintf(word, sizeof word, "%.3000s%s", run, behind);
    CU_ASSERT_TRUE(locate_checkpoint(word, path, &error));
    error_set(&error, kind, "damaged");
    locate_older(word, path, &error);
    return error.kind == kind && strcmp(error.text, expected) == 0;
}

static void behind_what_is_damaged_stands_the_one_before_it(void)
{
    char words[PATH_MAX + 100];
    make_run("older");
    snprintf(words, sizeof words, "damaged; the checkpoint before it is %.3000s@80", run);
    CU_ASSERT_TRUE(tells_older("", ERROR_CORRUPT, words));
    CU_ASSERT_TRUE(tells_older("@90", ERROR_IO, words));
    CU_ASSERT_TRUE(tells_older("", ERROR_USAGE, "damaged"));
    CU_ASSERT_TRUE(tells_older("@60", ERROR_CORRUPT, "damaged"));
    CU_ASSERT_TRUE(tells_older("/checkpoints/step-000000000090.h5", ERROR_CORRUPT, "damaged"));
    snprintf(words, sizeof words, "damaged; the checkpoint before it is %.3000s@60", run);
    CU_ASSERT_TRUE(tells_older("@80", ERROR_CORRUPT, words));
}

static void what_cannot_be_meant_is_told(void)
{
    make_run("odd");
    CU_ASSERT_TRUE(is_refused("@bets", ERROR_USAGE, "and not 'bets'"));
    CU_ASSERT_TRUE(is_refused("@best0", ERROR_USAGE, "best100), and not 'best0'"));
    CU_ASSERT_TRUE(is_refused("@best101", ERROR_USAGE, "and not 'best101'"));
    CU_ASSERT_TRUE(is_refused("@", ERROR_USAGE, "and not ''"));
    CU_ASSERT_TRUE(is_refused("@-80", ERROR_USAGE, "and not '-80'"));
    CU_ASSERT_TRUE(is_refused("-not@best", ERROR_NOT_FOUND, "there is no such file, and no run directory '"));
    CU_ASSERT_TRUE(is_refused("/checkpoints", ERROR_NOT_FOUND, "is a directory, and there are no checkpoints in "));
}

static void where_no_checkpoint_opens_nobody_knows_the_best(void)
{
    char path[PATH_MAX];
    make_run("damaged");
    store_path(&store, 90, path);
    CU_ASSERT_EQUAL(unlink(path), 0);
    CU_ASSERT_TRUE(is_refused("@best", ERROR_CORRUPT, "step-000000000080.h5"));
}

static void a_path_that_is_there_wins(void)
{
    char word[PATH_MAX], path[PATH_MAX];
    make_run("wins");
    snprintf(word, sizeof word, "%.3000s@80", run);
    CU_ASSERT_TRUE(file_replace(word, "x", 1, &error));
    CU_ASSERT(locate_checkpoint(word, path, &error) && strcmp(path, word) == 0);
    snprintf(word, sizeof word, "%.3000s@80/absent", run); /* what is not there is for the reader to say */
    CU_ASSERT(locate_checkpoint(word, path, &error) && strcmp(path, word) == 0);
    make_run("a@b");
    CU_ASSERT_TRUE(means("", 90));
    CU_ASSERT_TRUE(means("@60", 60));
}

/* Whether what is made of run + `behind` is called so. */
static bool is_called(const char *behind, uint64_t step, const char *expected)
{
    char word[PATH_MAX], path[PATH_MAX], name[LOCATE_NAME];
    snprintf(word, sizeof word, "%.3000s%s", run, behind);
    CU_ASSERT_TRUE(locate_checkpoint(word, path, &error));
    locate_name(word, path, step, name);
    return strcmp(name, expected) == 0;
}

static void what_is_made_of_a_checkpoint_has_the_name_of_its_run(void)
{
    char file[PATH_MAX];
    make_run("named@x");
    CU_ASSERT_TRUE(is_called("", 90, "named@x-step-000000000090"));
    CU_ASSERT_TRUE(is_called("@80", 80, "named@x-step-000000000080"));
    CU_ASSERT_TRUE(is_called("@best", 60, "named@x-best"));
    CU_ASSERT_TRUE(is_called("@best2", 80, "named@x-best2"));
    CU_ASSERT_TRUE(is_called("/checkpoints/step-000000000060.h5", 60, "named@x-step-000000000060"));
    snprintf(file, sizeof file, "%.3000s/alone.h5", run);
    CU_ASSERT_TRUE(file_replace(file, "x", 1, &error));
    CU_ASSERT_TRUE(is_called("/alone.h5", 7, "step-000000000007"));
    CU_ASSERT_EQUAL(chdir(run), 0);
    snprintf(run, sizeof run, ".");
    CU_ASSERT_TRUE(is_called("", 90, "named@x-step-000000000090"));
}

int main(int argc, char **argv)
{
    const struct test_case cases[] = {
        {"a world opens", opening},
        {"a run means its newest", a_run_means_its_newest},
        {"a step behind the @ means that step", a_step_behind_the_at_means_that_step},
        {"best is what the newest knows", best_is_what_the_newest_knows},
        {"where no checkpoint opens, nobody knows the best", where_no_checkpoint_opens_nobody_knows_the_best},
        {"behind what is damaged stands the one before it", behind_what_is_damaged_stands_the_one_before_it},
        {"what cannot be meant is told", what_cannot_be_meant_is_told},
        {"a path that is there wins", a_path_that_is_there_wins},
        {"what is made of a checkpoint has the name of its run", what_is_made_of_a_checkpoint_has_the_name_of_its_run},
        {"a world closes", closing},
        {0},
    };
    return test_mpi_run(&argc, &argv, "checkpoint/locate", cases);
}
