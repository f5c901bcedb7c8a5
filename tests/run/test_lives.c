/* How the lives of a run are counted from its lines: requeued, killed again and again, failed, and told oddly. (What
 * the writer of the lines makes of them: test_history_log.c.) */
#include "run/lives.h"
#include "support/test.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const struct lives_now nothing = {0};

/* Parses; the count is as expected, or the case ends. */
static void parse(struct lives *lives, size_t count, const char *lines, const struct lives_now *now)
{
    lives_parse(lives, lines, strlen(lines), now);
    CU_ASSERT_EQUAL_FATAL(lives->count, count);
}

static void each_start_of_a_requeued_job_is_a_life(void)
{
    struct lives lives;
    struct text line;
    parse(&lives, 3,
          "{\"event\":\"begin\",\"unix\":1000,\"step\":0,\"job\":\"14_3\",\"restart\":0}\n"
          "{\"event\":\"end\",\"unix\":1100,\"step\":30,\"reason\":\"SIGUSR1\",\"interrupted\":true}\n"
          "{\"event\":\"begin\",\"unix\":1400,\"step\":30,\"job\":\"14_3\",\"restart\":1}\n"
          "{\"event\":\"begin\",\"unix\":1500,\"step\":30,\"job\":\"14_3\",\"restart\":2,\"previous_step\":37,"
          "\"previous_unix\":1450}\n"
          "{\"event\":\"end\",\"unix\":1600,\"step\":90,\"reason\":\"finished\",\"interrupted\":false}\n",
          &nothing);
    for (size_t i = 0; i < 3; i++) {
        CU_ASSERT_STRING_EQUAL(lives.items[i].job, "14_3");
        CU_ASSERT_EQUAL(lives.items[i].restart, i);
    }
    CU_ASSERT(isnan(lives.items[0].waited_s) && lives.items[1].waited_s == 300 && lives.items[2].waited_s == 50);
    CU_ASSERT(lives.items[1].reason == REASON_KILLED && lives.items[1].lost_steps == 7);
    CU_ASSERT_EQUAL(lives_sum(&lives).interruptions, 2);
    text_init(&line);
    lives_write(&lives.items[1], 2, &line);
    CU_ASSERT_STRING_EQUAL(
        text_bytes(&line),
        "{\"segment\":2,\"began_unix\":1400.000,\"hosts\":\"\",\"ranks\":0,\"nodes\":0,\"version\":\"\","
        "\"job\":\"14_3\",\"restart\":1,\"step\":30,\"reached\":37,\"waited_s\":300,\"alive_s\":50,\"start_s\":null,"
        "\"end\":\"killed\",\"interrupted\":true,\"lost_steps\":7,\"lost_s\":50,\"saves\":null,\"stall_s\":null,"
        "\"write_s\":null}");
    text_release(&line);
    lives_release(&lives);
}

/* What a life has made is lost with it; what the next one has made as well, and again. */
static void lives_that_were_killed_before_their_first_save_count(void)
{
    struct lives lives;
    parse(&lives, 3,
          "{\"event\":\"begin\",\"unix\":1000,\"step\":0}\n"
          "{\"event\":\"begin\",\"unix\":2000,\"step\":0,\"previous_step\":12,\"previous_unix\":1012}\n"
          "{\"event\":\"ready\",\"start_s\":4}\n"
          "{\"event\":\"begin\",\"unix\":3000,\"step\":0,\"previous_step\":16,\"previous_unix\":2020}\n",
          &(struct lives_now){.step = 5, .unix_s = 3009, .alive_s = 8});
    CU_ASSERT(lives.items[0].reached == 12 && lives.items[0].lost_steps == 12 && lives.items[0].lost_s == 12);
    CU_ASSERT(lives.items[1].reached == 16 && lives.items[1].lost_steps == 16 && lives.items[1].lost_s == 20);
    CU_ASSERT(lives.items[2].reached == 5 && lives.items[2].lost_steps == 5 && lives.items[2].alive_s == 8);
    struct lives_total total = lives_sum(&lives);
    CU_ASSERT(total.interruptions == 3 && total.lost_steps == 33 && total.alive_s == 40 && total.start_s == 4);
    lives_release(&lives);
}

static void a_failure_tells_whether_its_reason_may_be_gone(void)
{
    struct lives lives;
    parse(&lives, 2,
          "{\"event\":\"begin\",\"unix\":1000,\"step\":0}\n"
          "{\"event\":\"end\",\"unix\":1100,\"step\":30,\"reason\":\"failed: no room\",\"interrupted\":true,"
          "\"transient\":true}\n"
          "{\"event\":\"begin\",\"unix\":1200,\"step\":20}\n"
          "{\"event\":\"end\",\"unix\":1300,\"step\":25,\"reason\":\"failed: step 25\",\"interrupted\":true}\n",
          &(struct lives_now){.step = 99, .unix_s = 9999, .saved = 20});
    CU_ASSERT(lives.items[0].transient && lives.items[0].reason == REASON_FAILED && lives.items[0].ended);
    CU_ASSERT_STRING_EQUAL(lives.items[0].end, "failed: no room");
    CU_ASSERT_EQUAL(lives.items[0].lost_steps, 10);
    CU_ASSERT(!lives.items[1].transient && lives.items[1].reached == 25); /* it has told that itself */
    CU_ASSERT_EQUAL(lives.items[1].lost_steps, 5);
    CU_ASSERT_EQUAL(lives_sum(&lives).interruptions, 2);
    lives_release(&lives);
}

static void who_has_ended_is_not_told_of_by_the_next(void)
{
    struct lives lives;
    parse(&lives, 2,
          "{\"event\":\"begin\",\"unix\":1000,\"step\":0}\n"
          "{\"event\":\"end\",\"unix\":1100,\"step\":30,\"reason\":\"stop-after\",\"interrupted\":false}\n"
          "{\"event\":\"begin\",\"unix\":1200,\"step\":30,\"previous_step\":70,\"previous_unix\":1190}\n",
          &(struct lives_now){.running = true, .step = 40, .unix_s = 1300, .saved = 35});
    CU_ASSERT(lives.items[0].reached == 30 && lives.items[0].reason == REASON_STOP_AFTER);
    CU_ASSERT(!lives.items[0].interrupted && lives.items[0].lost_steps == 0 && lives.items[0].alive_s == 100);
    CU_ASSERT(lives.items[1].reason == REASON_RUNNING && !lives.items[1].ended && !lives.items[1].interrupted);
    CU_ASSERT(lives.items[1].reached == 40 && lives.items[1].lost_steps == 0);
    CU_ASSERT_EQUAL(lives_sum(&lives).interruptions, 0);
    lives_release(&lives);
}

/* A value may be an object or a list, and a text may look like a line. */
static void what_is_nested_in_a_line_is_no_line(void)
{
    struct lives lives;
    parse(
        &lives, 2,
        "{\"event\":\"begin\",\"unix\":1000,\"step\":0,\"tomorrow\":{\"event\":\"end\",\"step\":9,\"reason\":\"x\"}}\n"
        "{\"tomorrow\":[{\"event\":\"begin\",\"step\":7},{\"step\":8}],\"event\":\"ready\",\"start_s\":2}\n"
        "{\"event\":\"note\",\"text\":\"{\\\"event\\\":\\\"begin\\\",\\\"step\\\":3}\"}\n"
        "{\"tomorrow\":{\"step\":77,\"reason\":\"finished\"},\"event\":\"end\",\"unix\":1100,\"step\":10,"
        "\"reason\":\"failed: \\\"step\\\":99}\",\"interrupted\":true}\n"
        "[{\"event\":\"begin\",\"unix\":1150,\"step\":0}]\n"
        "{\"event\":\"begin\",\"unix\":1200,\"step\":10} {\"event\":\"end\"}\n"
        "{\"event\":\"begin\",\"unix\":1200,\"step\":10}\n",
        &nothing);
    CU_ASSERT(lives.items[0].step == 0 && lives.items[0].reached == 10 && lives.items[0].start_s == 2);
    CU_ASSERT(lives.items[0].ended && lives.items[0].interrupted && lives.items[0].reason == REASON_FAILED);
    CU_ASSERT_STRING_EQUAL(lives.items[0].end, "failed: \"step\":99}");
    CU_ASSERT(lives.items[1].step == 10 && !lives.items[1].ended);
    lives_release(&lives);
}

static void the_sum_has_the_newest_that_is_known(void)
{
    struct lives lives;
    parse(&lives, 3,
          "{\"event\":\"begin\",\"unix\":1000,\"step\":0,\"ranks\":4}\n"
          "{\"event\":\"ready\",\"start_s\":10}\n"
          "{\"event\":\"end\",\"unix\":1100,\"step\":30,\"reason\":\"SIGTERM\",\"interrupted\":true,\"alive_s\":99,"
          "\"saves\":2,\"stall_s\":0.5,\"write_s\":3,\"step_s\":0.25}\n"
          "{\"event\":\"begin\",\"unix\":1200,\"step\":30,\"ranks\":2}\n"
          "{\"event\":\"ready\",\"start_s\":20}\n"
          "{\"event\":\"interval\",\"unix\":1250,\"step\":40,\"stall_s\":0.75,\"write_s\":null}\n"
          "{\"event\":\"end\",\"unix\":1300,\"step\":60,\"reason\":\"SIGTERM\",\"interrupted\":true,\"alive_s\":101,"
          "\"saves\":0,\"stall_s\":null,\"write_s\":null,\"step_s\":null}\n"
          "{\"event\":\"begin\",\"unix\":1400,\"step\":60,\"ranks\":2}\n",
          &(struct lives_now){.running = true, .step = 60, .unix_s = 1410});
    struct lives_total total = lives_sum(&lives);
    CU_ASSERT(total.start_s == 20 && total.stall_s == 0.75 && total.write_s == 3);
    CU_ASSERT_EQUAL(total.step_s, 1); /* four ranks, a quarter of a second */
    CU_ASSERT(total.alive_s == 210 && total.lost_steps == 0 && total.lost_s == 20); /* the second start */
    CU_ASSERT(lives.items[0].saves == 2 && lives.items[1].saves == 0 && isnan(lives.items[2].saves));
    lives_release(&lives);
}

static void an_end_without_its_words_is_an_end(void)
{
    struct lives lives;
    char lines[2000], expected[LIFE_TEXT];
    parse(&lives, 1, "{\"event\":\"begin\",\"unix\":1000,\"step\":5}\n{\"event\":\"end\"}\n", &nothing);
    CU_ASSERT(lives.items[0].ended && !lives.items[0].interrupted && lives.items[0].reached == 5);
    CU_ASSERT(lives.items[0].reason == REASON_OTHER && lives.items[0].alive_s == 0);
    CU_ASSERT_STRING_EQUAL(lives.items[0].end, "unknown");
    lives_release(&lives);
    snprintf(lines, sizeof lines, "{\"event\":\"begin\",\"step\":0}\n{\"event\":\"end\",\"reason\":\"%0500d\"}\n", 7);
    parse(&lives, 1, lines, &nothing);
    memset(expected, '0', sizeof expected - 1);
    expected[sizeof expected - 1] = '\0';
    CU_ASSERT_STRING_EQUAL(lives.items[0].end, expected);
    lives_release(&lives);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"each start of a requeued job is a life", each_start_of_a_requeued_job_is_a_life},
        {"lives that were killed before their first save count", lives_that_were_killed_before_their_first_save_count},
        {"a failure tells whether its reason may be gone", a_failure_tells_whether_its_reason_may_be_gone},
        {"who has ended is not told of by the next", who_has_ended_is_not_told_of_by_the_next},
        {"what is nested in a line is no line", what_is_nested_in_a_line_is_no_line},
        {"the sum has the newest that is known", the_sum_has_the_newest_that_is_known},
        {"an end without its words is an end", an_end_without_its_words_is_an_end},
        {0},
    };
    return test_run("run/lives", cases);
}
