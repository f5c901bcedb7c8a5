/* Why a life of a run has ended: its words. */
#include "checkpoint/reason.h"

#include "support/test.h"

static void every_word_is_read_as_it_is_written(void)
{
    for (enum reason reason = REASON_OTHER; reason < REASONS; reason++)
        CU_ASSERT_EQUAL(reason_of(reason_words[reason]), reason);
    CU_ASSERT_EQUAL(reason_of("SIGUSR1"), REASON_OTHER);
    CU_ASSERT_EQUAL(reason_of(""), REASON_OTHER);
    CU_ASSERT_EQUAL(reason_of("finishe"), REASON_OTHER);
    CU_ASSERT_EQUAL(reason_of("finished "), REASON_OTHER);
}

static void a_failure_has_words(void)
{
    CU_ASSERT_EQUAL(reason_of("failed: finished: no"), REASON_FAILED);
    CU_ASSERT_STRING_EQUAL(reason_details("failed: finished: no"), "finished: no");
    CU_ASSERT_STRING_EQUAL(reason_details("failed"), "failed");
    CU_ASSERT_STRING_EQUAL(reason_details("data.h5: no such file"), "data.h5: no such file");
}

static void only_an_end_finishes(void)
{
    for (enum reason reason = REASON_OTHER; reason < REASONS; reason++)
        CU_ASSERT_EQUAL(reason_finishes(reason), reason == REASON_FINISHED || reason == REASON_EARLY_STOPPING);
}

int main(void)
{
    const struct test_case cases[] = {
        {"every word is read as it is written", every_word_is_read_as_it_is_written},
        {"a failure has words", a_failure_has_words},
        {"only an end finishes", only_an_end_finishes},
        {0},
    };
    return test_run("checkpoint/reason", cases);
}
