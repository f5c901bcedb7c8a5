#include "support/test.h"
#include "train/hold.h"

#include "policy/flags.h"

#include <math.h>

static const struct deadline unknown = {.end_s = INFINITY, .warning_s = NAN};
static const struct deadline known = {.end_s = 5000, .warning_s = NAN};
static const struct deadline warned = {.end_s = 1030, .warning_s = 30, .warned = true};

static void a_known_end_is_used_to_the_last_save(void)
{
    CU_ASSERT_EQUAL(hold_limit(&known, 0, 1000, 4), 5000 - 4 - DEADLINE_LEAVE_S);
    CU_ASSERT_EQUAL(hold_limit(&known, LEAVE_DEADLINE, 1000, 4), 5000 - 4 - DEADLINE_LEAVE_S);
    CU_ASSERT_EQUAL(hold_limit(&warned, LEAVE_DEADLINE, 1000, 4), 1030 - 4 - DEADLINE_LEAVE_S);
}

static void without_a_known_end_it_is_held_without_limit(void)
{
    CU_ASSERT_EQUAL(hold_limit(&unknown, 0, 1000, 4), INFINITY);
}

/* The end of the job's time is not meant by who says "now". */
static void who_was_asked_to_leave_hurries(void)
{
    CU_ASSERT_EQUAL(hold_limit(&unknown, LEAVE_SIGTERM, 1000, 4), 1000 + HOLD_HURRY_S);
    CU_ASSERT_EQUAL(hold_limit(&known, LEAVE_SIGTERM, 1000, 4), 1000 + HOLD_HURRY_S);
    CU_ASSERT_EQUAL(hold_limit(&known, LEAVE_SIGTERM, 4990, 4), 5000 - 4 - DEADLINE_LEAVE_S);
    CU_ASSERT_EQUAL(hold_limit(&warned, LEAVE_SIGUSR2, 1000, 4), 1030 - 4 - DEADLINE_LEAVE_S);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"a known end is used to the last save", a_known_end_is_used_to_the_last_save},
        {"without a known end it is held without limit", without_a_known_end_it_is_held_without_limit},
        {"who was asked to leave hurries", who_was_asked_to_leave_hurries},
        {NULL, NULL},
    };
    return test_run("train/hold", cases);
}
