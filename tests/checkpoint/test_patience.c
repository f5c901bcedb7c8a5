/* How long the phases of a save may take: derived from how long they took, unless the process was stopped meanwhile. */
#include "checkpoint/patience.h"

#include "support/test.h"

static void without_experience_it_is_the_size_that_counts(void)
{
    struct patience patience = {.bytes = 5e6, .file_bytes = 50e6};
    CU_ASSERT_EQUAL(patience_of(&patience, PATIENCE_DATA), 61);
    CU_ASSERT_EQUAL(patience_of(&patience, PATIENCE_LAYOUT), 70);
}

static void what_took_long_may_take_longer(void)
{
    struct patience patience = {0};
    patience_note(&patience, PATIENCE_DATA, 10);
    patience_note(&patience, PATIENCE_DATA, 3);
    CU_ASSERT_EQUAL(patience_of(&patience, PATIENCE_DATA), 60 + 20 * 10);
    CU_ASSERT_EQUAL(patience_of(&patience, PATIENCE_PROOF), 60);
}

static void the_time_in_which_a_process_was_stopped_says_nothing(void)
{
    struct patience patience = {0};
    patience_note(&patience, PATIENCE_DATA, 3600);
    CU_ASSERT_EQUAL(patience_of(&patience, PATIENCE_DATA), 60);
    patience_expect(&patience, PATIENCE_DATA, 3600);
    CU_ASSERT_EQUAL(patience_of(&patience, PATIENCE_DATA), 60 + 20 * 3600);
}

static void what_is_set_holds(void)
{
    struct patience patience = {.fixed_s = 2, .bytes = 1e12};
    patience_note(&patience, PATIENCE_DATA, 5);
    CU_ASSERT_EQUAL(patience_of(&patience, PATIENCE_DATA), 2);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"without experience it is the size that counts", without_experience_it_is_the_size_that_counts},
        {"what took long may take longer", what_took_long_may_take_longer},
        {"the time in which a process was stopped says nothing", the_time_in_which_a_process_was_stopped_says_nothing},
        {"what is set holds", what_is_set_holds},
        {0},
    };
    return test_run("checkpoint/patience", cases);
}
