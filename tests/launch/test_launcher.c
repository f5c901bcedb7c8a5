/* Numbers of ranks and nodes in the command lines of mpirun and srun. */
#include "launch/launcher.h"

#include "support/test.h"

static void expect(const struct words *command, const char *text)
{
    struct words expected;
    words_init(&expected);
    words_append(&expected, text);
    CU_ASSERT_EQUAL_FATAL(command->count, expected.count);
    for (size_t i = 0; i < expected.count; i++)
        CU_ASSERT_STRING_EQUAL(command->items[i], expected.items[i]);
    words_release(&expected);
}

/* On 2 of 3 nodes, with 4 of 6 slots. */
static void shrink(const char *before, const char *after)
{
    struct words command;
    words_init(&command);
    words_append(&command, before);
    launcher_shrink(&command, 2, 4, 6);
    expect(&command, after);
    words_release(&command);
}

static void numbers_of_mpirun_shrink(void)
{
    shrink("mpirun -np 6 lockstep train -n 6", "mpirun -np 4 lockstep train -n 6");
    shrink("/opt/bin/mpiexec -n 1 lockstep train", "/opt/bin/mpiexec -n 1 lockstep train");
    shrink("env A=1 mpirun -x A -c 3 lockstep train", "env A=1 mpirun -x A -c 2 lockstep train");
}

static void numbers_of_srun_shrink(void)
{
    shrink("srun -n 6 -N 3 -c 2 lockstep train -n 6", "srun -n 4 -N 2 -c 2 lockstep train -n 6");
    shrink("srun --ntasks=6 --nodes=1 lockstep train", "srun --ntasks=4 --nodes=1 lockstep train");
    shrink("srun --nodes 3 --ntasks 6 lockstep train", "srun --nodes 2 --ntasks 4 lockstep train");
    shrink("srun -n6 -N3 -u lockstep train", "srun -n4 -N2 -u lockstep train");
    shrink("srun -N3 --ntasks-per-node=2 lockstep train", "srun -N2 --ntasks-per-node=2 lockstep train");
}

static void numbers_of_others_stay(void)
{
    shrink("mpirun -np 6 nice -n 6 lockstep train", "mpirun -np 4 nice -n 6 lockstep train");
    shrink("nice -n 6 mpirun lockstep train", "nice -n 6 mpirun lockstep train");
    shrink("mpirun taskset -c 0-3 lockstep train", "mpirun taskset -c 0-3 lockstep train");
    shrink("srun -N 1-3 lockstep train", "srun -N 1-3 lockstep train");
    shrink("something -n 6 lockstep train", "something -n 6 lockstep train");
}

static void what_is_no_number_of_ranks_stays(void)
{
    shrink("mpirun -n -6 lockstep train", "mpirun -n -6 lockstep train");
    shrink("srun --ntasks= lockstep train", "srun --ntasks= lockstep train");
    shrink("mpirun -np 18446744073709551615 lockstep train", "mpirun -np 18446744073709551615 lockstep train");
    shrink("mpirun -np 4294967295 lockstep train", "mpirun -np 2863311530 lockstep train"); /* and does not overflow */
}

static void give(const char *before, bool given, const char *after)
{
    struct words command;
    words_init(&command);
    words_append(&command, before);
    CU_ASSERT_EQUAL(launcher_give_ranks(&command, 8), given);
    expect(&command, after);
    words_release(&command);
}

static void ranks_are_given_where_nobody_has_said_how_many(void)
{
    give("mpirun lockstep train -n 6", true, "mpirun -n 8 lockstep train -n 6");
    give("env A=1 srun --mpi=pmix -N 2 lockstep train", true, "env A=1 srun -n 8 --mpi=pmix -N 2 lockstep train");
    give("mpirun -np 12 lockstep train", false, "mpirun -np 12 lockstep train");
    give("srun --ntasks=12 lockstep train", false, "srun --ntasks=12 lockstep train");
    give("srun -n12 lockstep train", false, "srun -n12 lockstep train");
    give("srun --ntasks-per-node=2 lockstep train", false, "srun --ntasks-per-node=2 lockstep train");
    give("mpirun --npernode 2 lockstep train", false, "mpirun --npernode 2 lockstep train");
    give("something lockstep train", false, "something lockstep train");
}

int main(void)
{
    static const struct test_case cases[] = {
        {"numbers of mpirun shrink", numbers_of_mpirun_shrink},
        {"numbers of srun shrink", numbers_of_srun_shrink},
        {"numbers of others stay", numbers_of_others_stay},
        {"what is no number of ranks stays", what_is_no_number_of_ranks_stays},
        {"ranks are given where nobody has said how many", ranks_are_given_where_nobody_has_said_how_many},
        {0},
    };
    return test_run("launch/launcher", cases);
}
