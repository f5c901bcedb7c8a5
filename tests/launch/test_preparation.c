/* What a launch is given: numbers of ranks, and the environment. */
#include "launch/preparation.h"

#include "support/test.h"

#include <stdlib.h>

static const char *const variables[] = {"SLURM_PMIX_FENCE",     "LOCKSTEP_END_TIME",   "LOCKSTEP_WARNING_S",
                                        "SLURM_TASKS_PER_NODE", "SLURM_JOB_NUM_NODES", "SLURM_NTASKS",
                                        "SLURM_OVERLAP",        "SLURM_EXCLUSIVE"};

/* The command of a launch of a job of 8 leaves, in a batch job that ends at 1000 and is not preempted. */
static void make_launch(bool after_crash, const char *command, const char *expected)
{
    struct slurm_job slurm = {.is_inside = true, .is_known = true, .end_unix = 1000};
    struct preparation preparation;
    struct words given, made, wanted;
    words_init(&given);
    words_append(&given, command);
    words_init(&wanted);
    words_append(&wanted, expected);
    preparation_init(&preparation, &slurm, given.items, 8);
    preparation_make(&preparation, after_crash, &made);
    CU_ASSERT_EQUAL_FATAL(made.count, wanted.count);
    for (size_t i = 0; i < made.count; i++)
        CU_ASSERT_STRING_EQUAL(made.items[i], wanted.items[i]);
    words_release(&made);
    words_release(&wanted);
    words_release(&given);
}

static void make(const char *command, const char *expected)
{
    make_launch(false, command, expected);
}

static void slots(const char *tasks, const char *nodes, const char *asked)
{
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
        unsetenv(variables[i]);
    setenv("SLURM_TASKS_PER_NODE", tasks, 1);
    setenv("SLURM_JOB_NUM_NODES", nodes, 1);
    if (asked)
        setenv("SLURM_NTASKS", asked, 1);
}

static void ranks_are_the_slots_and_at_most_the_leaves(void)
{
    slots("3,2", "2", NULL);
    make("srun lockstep train", "srun -n 5 lockstep train");
    make("mpirun lockstep train", "mpirun lockstep train"); /* takes the slots by itself */
    slots("4(x3)", "3", NULL);
    make("srun lockstep train", "srun -n 8 lockstep train");
    make("mpirun lockstep train", "mpirun -n 8 lockstep train");
}

static void a_number_that_somebody_has_given_stays(void)
{
    slots("4(x3)", "3", NULL);
    make("srun -n 3 lockstep train", "srun -n 3 lockstep train");
    slots("2(x2)", "2", "4");
    make("srun lockstep train", "srun lockstep train"); /* sbatch --ntasks=4: srun's number as well */
}

static void the_environment_tells_of_the_end_and_has_srun_wait(void)
{
    slots("2", "1", NULL);
    make("mpirun lockstep train", "mpirun lockstep train");
    CU_ASSERT_STRING_EQUAL(getenv("LOCKSTEP_END_TIME"), "1000.000");
    CU_ASSERT_PTR_NULL(getenv("LOCKSTEP_WARNING_S"));
    CU_ASSERT_PTR_NULL(getenv("SLURM_PMIX_FENCE"));
    slots("2", "1", NULL);
    make("srun lockstep train", "srun -n 2 lockstep train");
    CU_ASSERT_STRING_EQUAL(getenv("SLURM_PMIX_FENCE"), "ring");
}

static void steps_overlap_after_a_crash(void)
{
    slots("2", "1", NULL);
    make("srun lockstep train", "srun -n 2 lockstep train");
    CU_ASSERT_PTR_NULL(getenv("SLURM_OVERLAP"));
    make_launch(true, "srun lockstep train", "srun -n 2 lockstep train");
    CU_ASSERT_STRING_EQUAL(getenv("SLURM_OVERLAP"), "1");
    slots("2", "1", NULL);
    setenv("SLURM_EXCLUSIVE", "1", 1);
    make_launch(true, "srun lockstep train", "srun -n 2 lockstep train");
    CU_ASSERT_PTR_NULL(getenv("SLURM_OVERLAP"));
}

static void what_the_user_has_set_stays(void)
{
    slots("2", "1", NULL);
    setenv("LOCKSTEP_END_TIME", "77", 1);
    setenv("SLURM_PMIX_FENCE", "tree", 1);
    make("srun lockstep train", "srun -n 2 lockstep train");
    CU_ASSERT_STRING_EQUAL(getenv("LOCKSTEP_END_TIME"), "77");
    CU_ASSERT_STRING_EQUAL(getenv("SLURM_PMIX_FENCE"), "tree");
}

int main(void)
{
    static const struct test_case cases[] = {
        {"ranks are the slots, and at most the leaves", ranks_are_the_slots_and_at_most_the_leaves},
        {"a number that somebody has given stays", a_number_that_somebody_has_given_stays},
        {"the environment tells of the end, and has srun wait", the_environment_tells_of_the_end_and_has_srun_wait},
        {"steps overlap after a crash", steps_overlap_after_a_crash},
        {"what the user has set stays", what_the_user_has_set_stays},
        {0},
    };
    return test_run("launch/preparation", cases);
}
