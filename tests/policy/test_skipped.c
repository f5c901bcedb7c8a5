#include "policy/skipped.h"
#include "support/test.h"

#include "policy/cadence.h"
#include "policy/flags.h"

#include <string.h>

static void every_kind_of_save_has_one_rule(void)
{
    static const unsigned all = SAVE_SIGNAL | SAVE_FILE | SAVE_MINUTES | SAVE_AUTO | SAVE_EVERY | SAVE_AT |
                                SAVE_VALIDATION | SAVE_BEST | SAVE_RETRY | SAVE_KEEP | LEAVE_ALL | SAVE_END |
                                SAVE_COPIES;
    unsigned seen = 0;
    for (size_t i = 0; i < skipped_rule_count; i++) {
        CU_ASSERT_EQUAL(seen & skipped_rules[i].reasons, 0);
        CU_ASSERT(strlen(skipped_rules[i].words) > 0);
        seen |= skipped_rules[i].reasons;
    }
    CU_ASSERT_EQUAL(seen, all);
    /* All that has a word in cadence.c is there, too. */
    for (unsigned bit = SAVE_SIGNAL; bit < SAVE_END; bit <<= 1) {
        struct text words;
        text_init(&words);
        cadence_words(bit, &words);
        CU_ASSERT_EQUAL(words.length > 0, (all & bit) != 0);
        text_release(&words);
    }
}

static void what_waits_and_what_does_not(void)
{
    CU_ASSERT_EQUAL(skipped_select(SAVE_EVERY | SAVE_KEEP, SKIPPED_WAITS), SAVE_EVERY | SAVE_KEEP);
    CU_ASSERT_EQUAL(skipped_select(SAVE_EVERY | SAVE_BEST, SKIPPED_SAVES), SAVE_BEST);
    CU_ASSERT_EQUAL(skipped_select(LEAVE_SIGTERM, SKIPPED_SAVES), LEAVE_SIGTERM);
    CU_ASSERT_EQUAL(skipped_select(SAVE_END, SKIPPED_SAVES), SAVE_END);
    CU_ASSERT_EQUAL(skipped_select(SAVE_COPIES, SKIPPED_DROPS), SAVE_COPIES);
    CU_ASSERT_EQUAL(skipped_select(0, SKIPPED_WAITS), 0);
}

/* What waits is known again after a start, from the numbers of the steps. */
static void what_waits_is_found_again(void)
{
    uint64_t at[] = {19, 17};
    struct job job = {.checkpoint = {.every = 5, .keep_every = 9, .at = at, .at_count = 2}};
    struct history history = {.skipped_row = 0};
    CU_ASSERT_EQUAL(skipped_waiting(&job, &history, 20, 0), 0);
    history.skipped_row = 1;
    CU_ASSERT_EQUAL(skipped_waiting(&job, &history, 20, 0), SAVE_EVERY);
    CU_ASSERT_EQUAL(skipped_waiting(&job, &history, 21, 0), 0);
    history.skipped_row = 3;
    CU_ASSERT_EQUAL(skipped_waiting(&job, &history, 20, 0), SAVE_EVERY | SAVE_AT | SAVE_KEEP);
    CU_ASSERT_EQUAL(skipped_waiting(&job, &history, 20, 19), SAVE_EVERY | SAVE_AT | SAVE_KEEP);
    job.checkpoint.on_validation = true;
    CU_ASSERT_EQUAL(skipped_waiting(&job, &history, 19, 19), SAVE_AT | SAVE_KEEP | SAVE_VALIDATION);
    history.skipped_row = 1000;
    CU_ASSERT_EQUAL(skipped_waiting(&job, &history, 3, 0), 0);
}

/* What was saved as one of the best has taken all with it that waited. */
static void nothing_waits_behind_one_of_the_best(void)
{
    struct job job = {.checkpoint = {.every = 5, .best = 1}};
    struct history history = {.skipped_row = 3, .best_count = 2, .best_most = 1, .best = {{.step = 20}, {.step = 15}}};
    CU_ASSERT_EQUAL(skipped_waiting(&job, &history, 20, 0), 0);
    CU_ASSERT_EQUAL(skipped_waiting(&job, &history, 21, 0), 0);
    CU_ASSERT(skipped_is_sound(&job, &history, 20));
    CU_ASSERT_FALSE(skipped_is_sound(&job, &history, 21));
    history.skipped_row = 6;
    CU_ASSERT_EQUAL(skipped_waiting(&job, &history, 25, 0), SAVE_EVERY);
    job.checkpoint.best = 0;
    history.skipped_row = 3;
    CU_ASSERT_EQUAL(skipped_waiting(&job, &history, 20, 0), SAVE_EVERY);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"every kind of save has one rule", every_kind_of_save_has_one_rule},
        {"what waits and what does not", what_waits_and_what_does_not},
        {"what waits is found again", what_waits_is_found_again},
        {"nothing waits behind one of the best", nothing_waits_behind_one_of_the_best},
        {NULL, NULL},
    };
    return test_run("policy/skipped", cases);
}
