#include "support/test.h"
#include "train/hold.h"

#include "train/preemption.h"

#include <math.h>

static const struct deadline unknown = {.end_s = INFINITY, .warning_s = NAN};
static const struct deadline known = {.end_s = 5000, .warning_s = NAN};
static const struct deadline warned = {.end_s = 1030, .warning_s = 30, .warned = true};

static void a_known_end_is_used_to_the_last_save(void)
{
    CU_ASSERT_EQUAL(hold_limit(&known, 0, 1000, 4, 1e6), 5000 - 4 - DEADLINE_LEAVE_S);
    CU_ASSERT_EQUAL(hold_limit(&known, DEADLINE_IS_DUE, 1000, 4, 0), 5000 - 4 - DEADLINE_LEAVE_S);
    CU_ASSERT_EQUAL(hold_limit(&warned, DEADLINE_IS_DUE, 1000, 4, 0), 1030 - 4 - DEADLINE_LEAVE_S);
}

static void waiting_costs_no_more_than_it_saves(void)
{
    CU_ASSERT_EQUAL(hold_limit(&unknown, 0, 1000, 4, 500), 1500);
    CU_ASSERT_EQUAL(hold_limit(&unknown, 0, 1000, 4, 5), 1000 + HOLD_LEAST_S);
}

/* The end of the job's time is not meant by who says "now". */
static void who_was_asked_to_leave_hurries(void)
{
    CU_ASSERT_EQUAL(hold_limit(&unknown, PREEMPTION_SIGTERM, 1000, 4, 500), 1000 + HOLD_HURRY_S);
    CU_ASSERT_EQUAL(hold_limit(&known, PREEMPTION_SIGTERM, 1000, 4, 500), 1000 + HOLD_HURRY_S);
    CU_ASSERT_EQUAL(hold_limit(&known, PREEMPTION_SIGTERM, 4990, 4, 500), 5000 - 4 - DEADLINE_LEAVE_S);
    CU_ASSERT_EQUAL(hold_limit(&warned, PREEMPTION_SIGUSR2, 1000, 4, 500), 1030 - 4 - DEADLINE_LEAVE_S);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"a known end is used to the last save", a_known_end_is_used_to_the_last_save},
        {"waiting costs no more than it saves", waiting_costs_no_more_than_it_saves},
        {"who was asked to leave hurries", who_was_asked_to_leave_hurries},
        {NULL, NULL},
    };
    return test_run("train/hold", cases);
}
