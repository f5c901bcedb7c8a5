/* The end that others have set: what the environment says of it, and which step is the last safe one. */
#include "policy/deadline.h"

#include "policy/flags.h"
#include "support/test.h"

#include <math.h>
#include <string.h>

static struct error error;

/* At 1000 s on the clock of durations it is 5000 s since 1970. */
static struct deadline deadline_of(const char *end, const char *warning)
{
    struct deadline deadline;
    CU_ASSERT_TRUE(deadline_parse(&deadline, end, warning, 1000, 5000, &error));
    return deadline;
}

static void the_environment_is_read(void)
{
    struct deadline deadline = deadline_of("5060.5", "30");
    CU_ASSERT_EQUAL(deadline.end_s, 1060.5);
    CU_ASSERT_EQUAL(deadline.warning_s, 30);
    deadline = deadline_of(NULL, NULL);
    CU_ASSERT_TRUE(isinf(deadline.end_s));
    CU_ASSERT_TRUE(isnan(deadline.warning_s));
    deadline = deadline_of("", "0");
    CU_ASSERT_TRUE(isinf(deadline.end_s));
    CU_ASSERT_EQUAL(deadline.warning_s, 0);
}

static void what_is_no_number_is_refused_by_name(void)
{
    static const char *const texts[] = {"soon", "12 s", "-1", "nan", "inf"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct deadline deadline;
        CU_ASSERT_FALSE(deadline_parse(&deadline, texts[i], NULL, 0, 0, &error));
        CU_ASSERT_EQUAL(error.kind, ERROR_USAGE);
        CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "LOCKSTEP_END_TIME="));
        CU_ASSERT_FALSE(deadline_parse(&deadline, NULL, texts[i], 0, 0, &error));
        CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "LOCKSTEP_WARNING_S="));
    }
}

static void without_an_end_no_step_is_the_last(void)
{
    struct deadline deadline = deadline_of(NULL, NULL);
    deadline_note_step(&deadline, 1e6);
    CU_ASSERT_EQUAL(deadline_flags(&deadline, 2, 1e6, 1e12), 0);
}

/* The next step and a save have to fit. */
static void the_last_safe_step_leaves_room_for_a_save(void)
{
    struct deadline deadline = deadline_of("5100", NULL); /* at 1100 */
    double reserve = deadline_reserve(4);
    CU_ASSERT_EQUAL(reserve, 6 + DEADLINE_LEAVE_S);
    deadline_note_step(&deadline, 10);
    CU_ASSERT_EQUAL(deadline_flags(&deadline, 2, 4, 1100 - reserve - 20), 0);
    CU_ASSERT_EQUAL(deadline_flags(&deadline, 2, 4, 1100 - reserve - 19.9), LEAVE_DEADLINE);
}

/* Between steps, in a validation, only the save has to. */
static void between_steps_there_is_more_time(void)
{
    struct deadline deadline = deadline_of("5100", NULL); /* at 1100 */
    double reserve = deadline_reserve(4);
    deadline_note_step(&deadline, 10);
    CU_ASSERT_EQUAL(deadline_flags(&deadline, 0, 4, 1100 - reserve), 0);
    CU_ASSERT_EQUAL(deadline_flags(&deadline, 0, 4, 1100 - reserve + 0.1), LEAVE_DEADLINE);
}

static void one_slow_step_is_forgotten(void)
{
    struct deadline deadline = deadline_of("5100", NULL);
    deadline_note_step(&deadline, 50);
    deadline_note_step(&deadline, 1);
    CU_ASSERT(deadline.step_s > 45);
    for (int i = 0; i < 300; i++)
        deadline_note_step(&deadline, 1);
    CU_ASSERT_EQUAL(deadline.step_s, 1);
}

static void a_step_in_which_the_job_was_suspended_does_not_count(void)
{
    struct deadline deadline = {.end_s = 1000};
    deadline_note_step(&deadline, 1);
    deadline_note_step(&deadline, 3600);
    CU_ASSERT_EQUAL(deadline_flags(&deadline, 2, 0, 1000 - DEADLINE_LEAVE_S - 3), 0);
    deadline_note_step(&deadline, 15); /* slow, but it may be so again */
    CU_ASSERT_NOT_EQUAL(deadline_flags(&deadline, 2, 0, 1000 - DEADLINE_LEAVE_S - 20), 0);
}

static void a_warning_with_a_known_lead_is_a_new_end(void)
{
    struct deadline deadline = deadline_of("5100", "30");
    CU_ASSERT_EQUAL(deadline_weigh(&deadline, END_IS_ANNOUNCED | LEAVE_SIGUSR1 | SAVE_SIGNAL, 1010), SAVE_SIGNAL);
    CU_ASSERT_EQUAL(deadline.end_s, 1040);
    CU_ASSERT_EQUAL(deadline_weigh(&deadline, END_IS_ANNOUNCED | LEAVE_SIGUSR1, 1020),
                    0); /* the flag stays, the end, too */
    CU_ASSERT_EQUAL(deadline.end_s, 1040);
    CU_ASSERT_EQUAL(deadline_weigh(&deadline, END_IS_ANNOUNCED | LEAVE_SIGUSR1 | LEAVE_DEADLINE, 1030),
                    LEAVE_SIGUSR1 | LEAVE_DEADLINE);
}

/* At 1000 s it is 5000 s since 1970. */
static bool hear(struct deadline *deadline, double end_unix, bool is_grace, double warning_s)
{
    const struct notice notice = {.end_unix = end_unix, .is_grace = is_grace, .warning_s = warning_s};
    return deadline_hear(deadline, &notice, 1000, 5000);
}

static void the_end_can_be_moved(void)
{
    struct deadline deadline = deadline_of("5100", "30");
    CU_ASSERT_FALSE(hear(&deadline, 5100, false, NAN));
    CU_ASSERT_TRUE(hear(&deadline, 9000, false, NAN));
    CU_ASSERT_EQUAL(deadline.end_s, 5000);
    CU_ASSERT_EQUAL(deadline.warning_s, 30);
    CU_ASSERT_FALSE(hear(&deadline, NAN, false, 5));
    CU_ASSERT_EQUAL(deadline.warning_s, 5);
    CU_ASSERT_EQUAL(deadline_weigh(&deadline, END_IS_ANNOUNCED | LEAVE_SIGUSR1, 1010), 0);
    CU_ASSERT_EQUAL(deadline.end_s, 1015);
    CU_ASSERT_FALSE(hear(&deadline, 9000, false, NAN)); /* the warning counts */
    CU_ASSERT_EQUAL(deadline.end_s, 1015);
    CU_ASSERT_TRUE(hear(&deadline, 0, true, NAN)); /* no end at all */
    CU_ASSERT_TRUE(isinf(deadline.end_s));
}

/* The grace was lowered, or raised, after the job had been told. */
static void the_end_of_an_interruption_goes_before_what_was_promised(void)
{
    static const double ends[] = {5004, 5300};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        struct deadline deadline = deadline_of("5100", "30");
        CU_ASSERT_TRUE(hear(&deadline, ends[i], true, NAN));
        CU_ASSERT_EQUAL(deadline_weigh(&deadline, END_IS_ANNOUNCED | LEAVE_SIGUSR1, 1000), 0);
        CU_ASSERT_EQUAL(deadline.end_s, ends[i] - 4000);
    }
    struct deadline unknown = deadline_of(NULL, "0");
    CU_ASSERT_EQUAL(deadline_announced(&unknown), 0);
    CU_ASSERT_TRUE(hear(&unknown, 5100, true, NAN));
    CU_ASSERT_EQUAL(deadline_announced(&unknown), END_IS_ANNOUNCED);
}

static void who_wants_to_leave_now_leaves_now(void)
{
    struct deadline known = deadline_of(NULL, "30"), unknown = deadline_of(NULL, NULL), none = deadline_of(NULL, "0");
    CU_ASSERT_EQUAL(deadline_weigh(&known, END_IS_ANNOUNCED | LEAVE_SIGUSR2, 1010), LEAVE_SIGUSR2);
    CU_ASSERT_EQUAL(deadline_weigh(&known, END_IS_ANNOUNCED | LEAVE_SIGUSR1 | LEAVE_SIGTERM, 1010),
                    LEAVE_SIGUSR1 | LEAVE_SIGTERM);
    CU_ASSERT_EQUAL(deadline_weigh(&unknown, LEAVE_SIGUSR1, 1010), LEAVE_SIGUSR1);
    CU_ASSERT_EQUAL(deadline_weigh(&none, LEAVE_SIGUSR1, 1010), LEAVE_SIGUSR1);
}

/* What an earlier life has told counts until there is something newer. */
static void an_expectation_ends_with_the_first_step(void)
{
    struct deadline deadline = deadline_of("5100", NULL);
    double reserve = deadline_reserve(1);
    deadline_expect(&deadline, 20);
    CU_ASSERT_EQUAL(deadline_flags(&deadline, 2, 1, 1100 - reserve - 40), 0);
    CU_ASSERT_EQUAL(deadline_flags(&deadline, 2, 1, 1100 - reserve - 39), LEAVE_DEADLINE);
    deadline_note_step(&deadline, 1);
    CU_ASSERT_EQUAL(deadline_flags(&deadline, 2, 1, 1100 - reserve - 2), 0);
    CU_ASSERT_EQUAL(deadline_flags(&deadline, 2, 1, 1100 - reserve - 1.9), LEAVE_DEADLINE);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"the environment is read", the_environment_is_read},
        {"what is no number is refused by name", what_is_no_number_is_refused_by_name},
        {"without an end no step is the last", without_an_end_no_step_is_the_last},
        {"an expectation ends with the first step", an_expectation_ends_with_the_first_step},
        {"the last safe step leaves room for a save", the_last_safe_step_leaves_room_for_a_save},
        {"between steps there is more time", between_steps_there_is_more_time},
        {"one slow step is forgotten", one_slow_step_is_forgotten},
        {"a step in which the job was suspended does not count", a_step_in_which_the_job_was_suspended_does_not_count},
        {"a warning with a known lead is a new end", a_warning_with_a_known_lead_is_a_new_end},
        {"the end can be moved", the_end_can_be_moved},
        {"the end of an interruption goes before what was promised",
         the_end_of_an_interruption_goes_before_what_was_promised},
        {"who wants to leave now leaves now", who_wants_to_leave_now_leaves_now},
        {0},
    };
    return test_run("policy/deadline", cases);
}
