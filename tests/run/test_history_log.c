/* The history of a run: its lines, and the lives that they tell of. */
#include "base/file.h"
#include "run/history_log.h"
#include "support/test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct error error;
static const struct lives_now nothing = {0};

static bool is_near(double a, double b)
{
    return fabs(a - b) < 1e-6;
}

/* clang-format off */
#define BEGIN(unix, step, previous) "{\"event\":\"begin\",\"segment\":1,\"unix\":" #unix ",\"step\":" #step \
    ",\"ranks\":2,\"nodes\":1,\"hosts\":\"a,b\",\"version\":\"0.2.0\"" previous "}\n"
#define PREVIOUS(unix, step) ",\"previous_step\":" #step ",\"previous_unix\":" #unix
#define READY(start) "{\"event\":\"ready\",\"unix\":1,\"start_s\":" #start "}\n"
#define END(unix, step, reason, interrupted) "{\"event\":\"end\",\"unix\":" #unix ",\"step\":" #step ",\"reason\":\"" reason \
    "\",\"interrupted\":" #interrupted ",\"saves\":3,\"stall_s\":0.5,\"write_s\":0.6}\n"
/* clang-format on */

static void parse(struct lives *lives, const char *lines, const struct lives_now *now)
{
    lives_parse(lives, lines, strlen(lines), now);
}

static void a_life_that_has_not_told_its_end_was_killed(void)
{
    struct lives lives;
    parse(&lives,
          BEGIN(1000, 0, "") READY(10) BEGIN(2000, 60, PREVIOUS(1110, 100)) READY(20) END(2220, 160, "SIGUSR1", true)
              BEGIN(3000, 160, "") READY(30) END(3130, 200, "finished", false),
          &nothing);
    CU_ASSERT_EQUAL_FATAL(lives.count, 3);
    const struct life *killed = &lives.items[0], *preempted = &lives.items[1], *finished = &lives.items[2];
    CU_ASSERT_STRING_EQUAL(killed->end, "killed");
    CU_ASSERT(killed->interrupted && !killed->ended && killed->step == 0 && killed->reached == 100);
    CU_ASSERT(is_near(killed->alive_s, 110) && killed->lost_steps == 40);
    CU_ASSERT(is_near(killed->lost_s, 40)); /* 1 s a step; the first start is not lost */
    CU_ASSERT(killed->ranks == 2 && killed->nodes == 1);
    CU_ASSERT_STRING_EQUAL(killed->hosts, "a,b");
    CU_ASSERT_STRING_EQUAL(killed->version, "0.2.0");
    CU_ASSERT(isnan(killed->saves));
    CU_ASSERT_STRING_EQUAL(preempted->end, "SIGUSR1");
    CU_ASSERT(preempted->interrupted && preempted->lost_steps == 0 && is_near(preempted->lost_s, 20));
    CU_ASSERT(is_near(preempted->alive_s, 220) && preempted->saves == 3);
    CU_ASSERT_STRING_EQUAL(finished->end, "finished");
    CU_ASSERT(!finished->interrupted && is_near(finished->lost_s, 30));
    struct lives_total total = lives_sum(&lives);
    CU_ASSERT(total.interruptions == 2 && is_near(total.alive_s, 460) && is_near(total.lost_s, 90));
    CU_ASSERT(total.lost_steps == 40 && total.start_s == 30 && total.stall_s == 0.5 && total.write_s == 0.6);
    lives_release(&lives);
    lives_release(&lives);
}

static void the_last_life_is_as_it_is_seen_now(void)
{
    static const char lines[] = BEGIN(1000, 0, "") READY(10);
    struct lives lives;
    parse(&lives, lines, &(struct lives_now){.running = true, .step = 50, .unix_s = 1060, .saved = 40});
    CU_ASSERT_STRING_EQUAL(lives.items[0].end, "running");
    CU_ASSERT(!lives.items[0].interrupted && lives.items[0].reached == 50 && lives.items[0].lost_steps == 0);
    CU_ASSERT(is_near(lives.items[0].alive_s, 60));
    lives_release(&lives);
    parse(&lives, lines, &(struct lives_now){.step = 50, .unix_s = 1060, .saved = 40});
    CU_ASSERT_STRING_EQUAL(lives.items[0].end, "killed");
    CU_ASSERT(lives.items[0].interrupted && lives.items[0].lost_steps == 10 && is_near(lives.items[0].lost_s, 10));
    lives_release(&lives);
    /* Killed before it made a step. */
    parse(&lives, BEGIN(1000, 30, ""), &(struct lives_now){.step = 30, .unix_s = 900, .saved = 30});
    CU_ASSERT(lives.items[0].reached == 30 && lives.items[0].alive_s == 0 && lives.items[0].lost_s == 0);
    lives_release(&lives);
    /* A newest checkpoint that turned out to be damaged: no more than what this life had made is its loss. */
    parse(&lives, BEGIN(1000, 30, "") END(1100, 50, "SIGTERM", true) BEGIN(2000, 20, ""), &nothing);
    CU_ASSERT_EQUAL(lives.items[0].lost_steps, 20);
    lives_release(&lives);
}

static void what_is_not_whole_or_not_known_is_passed_over(void)
{
    struct lives lives;
    parse(&lives, "", &nothing);
    CU_ASSERT_EQUAL(lives.count, 0);
    lives_release(&lives);
    parse(&lives,
          READY(5) "\n{\"event\":\"begin\nnonsense\n" BEGIN(1000, 0, "") "{\"event\":\"tomorrow\",\"x\":1}\n" END(
              1100, 10, "failed: \\\"no\\\"", true) "{\"event\":\"begin\",\"segm",
          &nothing);
    CU_ASSERT_EQUAL_FATAL(lives.count, 1);
    CU_ASSERT_STRING_EQUAL(lives.items[0].end, "failed: \"no\"");
    CU_ASSERT(isnan(lives.items[0].start_s));
    lives_release(&lives);
}

static void a_clock_that_was_set_makes_no_long_life(void)
{
    struct lives lives;
    static const char ended[] = ",\"reason\":\"SIGUSR1\",\"interrupted\":true,\"alive_s\":30}\n";
    char lines[2000];
    /* It begins in 1970, and is told of, or tells itself, with the right time. */
    parse(&lives, BEGIN(1000, 0, "") BEGIN(1790000000, 5, PREVIOUS(1789999990, 5)), &nothing);
    CU_ASSERT(lives.items[0].alive_s == 0 && lives_sum(&lives).alive_s == 0);
    lives_release(&lives);
    snprintf(lines, sizeof lines, "%s{\"event\":\"end\",\"unix\":1790000000,\"step\":4%s%s", BEGIN(1000, 0, ""), ended,
             BEGIN(2000, 5, ",\"previous_step\":7,\"previous_unix\":9000,\"previous_alive_s\":40"));
    parse(&lives, lines, &nothing);
    CU_ASSERT(lives.items[0].alive_s == 30);
    lives_release(&lives);
    /* Back, and by some hours. */
    parse(&lives, BEGIN(20000, 0, "") BEGIN(9100, 5, PREVIOUS(9000, 7) ",\"previous_alive_s\":40"), &nothing);
    CU_ASSERT(lives.items[0].alive_s == 40);
    lives_release(&lives);
    parse(&lives, BEGIN(20000, 0, ""), &(struct lives_now){.running = true, .unix_s = 99000, .alive_s = 50});
    CU_ASSERT(lives.items[0].alive_s == 50);
    lives_release(&lives);
    parse(&lives, BEGIN(20000, 0, ""), &(struct lives_now){.unix_s = 20060, .alive_s = 1e300});
    CU_ASSERT(lives.items[0].alive_s == 60);
    lives_release(&lives);
}

static void lines_of_another_system_are_lines(void)
{
    struct lives lives;
    parse(&lives,
          "\xEF\xBB\xBF{\"event\":\"begin\",\"unix\":1000,\"step\":0}\r\n\r\n"
          "{\"event\":\"end\",\"unix\":1100,\"step\":7,\"reason\":\"SIGTERM\"}\r\n"
          "{\"event\":\"begin\",\"unix\":1200,\"step\":7}",
          &nothing);
    CU_ASSERT_EQUAL_FATAL(lives.count, 2);
    CU_ASSERT_STRING_EQUAL(lives.items[0].end, "SIGTERM");
    CU_ASSERT_EQUAL(lives.items[1].step, 7);
    lives_release(&lives);
}

static double waited(const char *first, const char *second)
{
    struct lives lives;
    struct text lines;
    text_init(&lines);
    text_append(&lines,
                "{\"event\":\"begin\",\"step\":0,%s}\n"
                "{\"event\":\"end\",\"step\":7,\"reason\":\"SIGTERM\",\"alive_s\":100}\n"
                "{\"event\":\"begin\",\"step\":7,%s}\n",
                first, second);
    lives_parse(&lives, text_bytes(&lines), lines.length, &nothing);
    CU_ASSERT_EQUAL_FATAL(lives.count, 2);
    double waited_s = lives.items[1].waited_s;
    lives_release(&lives);
    text_release(&lines);
    return waited_s;
}

static void a_wait_is_no_longer_than_it_was(void)
{
    CU_ASSERT_EQUAL(waited("\"unix\":1000", "\"unix\":1130"), 30);
    CU_ASSERT_EQUAL(waited("\"unix\":1000", "\"unix\":1070"), 0); /* two nodes */
    CU_ASSERT(isnan(waited("\"unix\":1000", "\"unix\":1790000000")));
    CU_ASSERT(isnan(waited("\"unix\":1790000000", "\"unix\":1000")));
    CU_ASSERT_EQUAL(
        waited("\"unix\":1000,\"boot\":\"a\",\"up_s\":50", "\"unix\":1790000000,\"boot\":\"a\",\"up_s\":190"), 40);
    CU_ASSERT_EQUAL(waited("\"unix\":1000,\"boot\":\"a\",\"up_s\":50", "\"unix\":1130,\"boot\":\"b\",\"up_s\":9"), 30);
}

static void what_a_power_cut_or_an_editor_leaves_hides_no_life(void)
{
    struct lives lives;
    static const char lines[] = BEGIN(1000, 0, "")
        END(1100, 5, "SIGTERM", true) "\0\0\0\n"
                                      "{\"event\":\"be\0in\"}\n\0\0\0\0" BEGIN(1200, 5, "")
                                          END(1300, 7, "SIGTERM", true) "\xEF\xBB\xBF" BEGIN(
                                              1400, 7, "") "\xEF\xBB\xBF\xEF\xBB\xBF" END(1500, 9, "finished",
                                                                                          false) "\0\xEF\xBB";
    lives_parse(&lives, lines, sizeof lines - 1, &nothing);
    CU_ASSERT_EQUAL_FATAL(lives.count, 3);
    CU_ASSERT(lives.items[1].step == 5 && lives.items[1].reached == 7);
    CU_ASSERT_STRING_EQUAL(lives.items[2].end, "finished");
    lives_release(&lives);
}

static void numbers_that_nobody_can_mean_are_not_known(void)
{
    static const char *const odd[] = {"-1e308", "1e308", "1e999", "-1", "1e9", "-1e999"};
    for (size_t i = 0; i < 6; i++) {
        struct lives lives;
        struct text lines;
        text_init(&lines);
        text_append(&lines, "%s{\"event\":\"ready\",\"start_s\":%s}\n", BEGIN(1000, 0, ""), odd[i]);
        text_append(&lines, "{\"event\":\"end\",\"unix\":1030,\"step\":4,\"reason\":\"SIGUSR1\",\"alive_s\":%s",
                    odd[i]);
        text_append(&lines, ",\"stall_s\":%s,\"write_s\":%s,\"step_s\":%s}\n", odd[i], odd[i], odd[i]);
        parse(&lives, text_bytes(&lines), &nothing);
        CU_ASSERT_EQUAL_FATAL(lives.count, 1);
        const struct life *life = &lives.items[0];
        CU_ASSERT(isnan(life->start_s) && isnan(life->stall_s) && isnan(life->write_s) && isnan(life->step_s));
        CU_ASSERT(life->alive_s == 30 && life->lost_s == 0);
        lives_release(&lives);
        lines.length = 0;
        text_append(&lines, "{\"event\":\"begin\",\"unix\":%s}\n", i == 4 ? "1e300" : odd[i]);
        text_append(&lines, "{\"event\":\"end\",\"saves\":%s}\n", i == 4 ? "1e300" : odd[i]);
        parse(&lives, text_bytes(&lines), &nothing);
        CU_ASSERT(lives.items[0].began_unix == 0 && isnan(lives.items[0].saves) && lives.items[0].alive_s == 0);
        lives_release(&lives);
        text_release(&lines);
    }
}

static void a_life_is_written_as_json(void)
{
    struct lives lives;
    struct text line;
    text_init(&line);
    parse(&lives, BEGIN(1000.5, 0, "") READY(1.5) END(1011.5, 10, "finished", false), &nothing);
    lives_write(&lives.items[0], 1, &line);
    CU_ASSERT_STRING_EQUAL(
        text_bytes(&line),
        "{\"segment\":1,\"began_unix\":1000.500,\"hosts\":\"a,b\",\"ranks\":2,\"nodes\":1,"
        "\"version\":\"0.2.0\",\"step\":0,\"reached\":10,\"waited_s\":null,\"alive_s\":11,\"start_s\":1.5,"
        "\"end\":\"finished\",\"interrupted\":false,\"lost_steps\":0,\"lost_s\":0,\"saves\":3,"
        "\"stall_s\":0.5,\"write_s\":0.6}");
    text_release(&line);
    lives_release(&lives);
}

/* A run directory of its own. */
static const char *new_run(const char *name, char run[512])
{
    snprintf(run, 512, "%s", test_path(name));
    CU_ASSERT_TRUE(file_make_directories(run, &error));
    return run;
}

static const char *file_of(const char *run)
{
    static char path[600];
    snprintf(path, sizeof path, "%s/history.jsonl", run);
    return path;
}

static void parse_file(const char *run, struct lives *lives)
{
    char *bytes = NULL;
    size_t count;
    CU_ASSERT_TRUE_FATAL(file_read(file_of(run), &bytes, &count, &error));
    lives_parse(lives, bytes, count, &nothing);
    free(bytes);
}

static const struct segment here = {.ranks = 3, .nodes = 2, .hosts = "n1,n2"};

static void what_is_written_is_read(void)
{
    struct history_log history;
    struct lives lives;
    char run[512];
    new_run("written", run);
    CU_ASSERT_EQUAL(history_log_start_s(run), 0);
    struct lives_total total = history_log_open(&history, run, false, &nothing, NULL, 0);
    CU_ASSERT(total.interruptions == 0 && total.alive_s == 0 && history.life == 1);
    history_log_begin(&history, &here, 0, 2);
    history_log_ready(&history, 2.5);
    history_log_interval(&history, 4, 0.25, 0.75, 60);
    history_log_close(&history); /* killed */
    total = history_log_open(&history, run, false,
                             &(struct lives_now){.step = 7, .unix_s = 4e9, .alive_s = 500, .saved = 5}, NULL, 0);
    CU_ASSERT(total.interruptions == 1 && total.start_s == 2.5 && total.stall_s == 0.25 && total.write_s == 0.75);
    CU_ASSERT(total.alive_s == 500 && history.life == 2); /* what it has told, and not what the clocks say */
    CU_ASSERT(history.silent_s >= 0 && history.silent_s < 100);
    history_log_begin(&history, &here, 5, 0);
    history_log_ready(&history, 3.5);
    history_log_end(&history, 9,
                    &(struct history_log_ending){.reason = "failed: \"words\"\nand more",
                                                 .interrupted = true,
                                                 .transient = true,
                                                 .saves = 2,
                                                 .stall_s = 0.5,
                                                 .write_s = 1,
                                                 .step_s = 0.25});
    history_log_close(&history);
    history_log_close(&history);
    total = history_log_open(&history, run, false, &(struct lives_now){.step = 9, .unix_s = 5e9, .saved = 9}, NULL, 0);
    CU_ASSERT(total.interruptions == 2 && history.seen_unix == 0); /* it has told its end */
    CU_ASSERT(total.step_s == 0.75);                               /* of three ranks */
    history_log_close(&history);
    CU_ASSERT_EQUAL(history_log_start_s(run), 3.5);
    parse_file(run, &lives);
    CU_ASSERT_EQUAL_FATAL(lives.count, 2);
    CU_ASSERT(lives.items[0].reached == 7 && lives.items[0].lost_steps == 2 && lives.items[0].interrupted);
    CU_ASSERT_STRING_EQUAL(lives.items[1].end, "failed: \"words\"");
    CU_ASSERT_STRING_EQUAL(lives.items[1].hosts, "n1,n2");
    CU_ASSERT(lives.items[1].ranks == 3 && lives.items[1].saves == 2 && lives.items[1].reached == 9);
    CU_ASSERT(!lives.items[0].transient && isnan(lives.items[0].step_s));
    CU_ASSERT(lives.items[1].transient && lives.items[1].step_s == 0.25);
    lives_release(&lives);
}

static void a_torn_line_is_dropped(void)
{
    static const char torn[] = BEGIN(1000, 0, "") "{\"event\":\"end\",\"unix\":1100,\"st";
    struct history_log history;
    struct lives lives;
    char run[512];
    new_run("torn", run);
    CU_ASSERT_TRUE(file_replace(file_of(run), torn, strlen(torn), &error));
    history_log_open(&history, run, false, &(struct lives_now){.step = 3, .unix_s = 1050}, NULL, 0);
    history_log_begin(&history, &here, 2, 0);
    history_log_end(&history, 4, &(struct history_log_ending){.reason = "finished"});
    history_log_close(&history);
    parse_file(run, &lives);
    CU_ASSERT_EQUAL_FATAL(lives.count, 2);
    CU_ASSERT_STRING_EQUAL(lives.items[0].end, "killed");
    CU_ASSERT(is_near(lives.items[0].alive_s, 50) && lives.items[0].lost_steps == 1);
    CU_ASSERT_STRING_EQUAL(lives.items[1].end, "finished");
    CU_ASSERT(isnan(lives.items[1].stall_s));
    lives_release(&lives);
}

static void an_older_run_begins_with_what_its_checkpoint_knows(void)
{
    static const struct segment segments[] = {
        {.first_step = 1, .last_step = 40, .began_unix = 100, .saved_unix = 150, .ranks = 1, .end = "interrupted"},
        {.first_step = 41, .last_step = 60, .began_unix = 200, .saved_unix = 230, .ranks = 1, .end = "SIGTERM"},
        {.first_step = 61, .last_step = 90, .began_unix = 300, .saved_unix = 390, .ranks = 1, .end = "finished"}};
    struct history_log history;
    struct lives lives;
    char run[512];
    new_run("older", run);
    struct lives_total total = history_log_open(&history, run, false, &nothing, segments, 3);
    CU_ASSERT(total.interruptions == 2 && is_near(total.alive_s, 170) && history.life == 4);
    history_log_begin(&history, &here, 90, 0);
    history_log_close(&history);
    parse_file(run, &lives);
    CU_ASSERT_EQUAL_FATAL(lives.count, 4);
    CU_ASSERT(lives.items[0].step == 0 && lives.items[0].reached == 40 && lives.items[1].step == 40);
    CU_ASSERT_STRING_EQUAL(lives.items[0].end, "killed");
    CU_ASSERT_STRING_EQUAL(lives.items[1].end, "SIGTERM");
    lives_release(&lives);
    /* Only once; and not at all for a run that begins anew. */
    total = history_log_open(&history, run, false, &nothing, segments, 3);
    CU_ASSERT_EQUAL(history.life, 5);
    history_log_close(&history);
    total = history_log_open(&history, run, true, &nothing, NULL, 0);
    CU_ASSERT(total.interruptions == 0 && history.life == 1);
    history_log_close(&history);
}

static void a_history_that_is_deleted_is_begun_anew(void)
{
    static const struct segment before[] = {
        {.first_step = 1, .last_step = 40, .began_unix = 100, .saved_unix = 150, .ranks = 1, .end = "interrupted"}};
    struct history_log history;
    struct lives lives;
    char run[512];
    new_run("deleted", run);
    history_log_open(&history, run, false, &nothing, before, 1);
    history_log_begin(&history, &here, 40, 0);
    history_log_ready(&history, 2.5);
    for (int i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL(unlink(file_of(run)), 0);
        history_log_keep(&history);
        parse_file(run, &lives);
        CU_ASSERT_EQUAL_FATAL(lives.count, 2);
        CU_ASSERT(lives.items[0].reached == 40 && lives.items[1].step == 40 && lives.items[1].start_s == 2.5);
        CU_ASSERT(!lives.items[1].ended);
        lives_release(&lives);
    }
    CU_ASSERT_EQUAL(unlink(file_of(run)), 0);
    history_log_end(&history, 60, &(struct history_log_ending){.reason = "SIGTERM", .interrupted = true});
    history_log_close(&history);
    parse_file(run, &lives);
    CU_ASSERT_EQUAL_FATAL(lives.count, 2);
    CU_ASSERT(lives.items[1].reached == 60 && lives.items[1].ended);
    lives_release(&lives);
}

static void one_that_takes_its_place_knows_this_life(void)
{
    struct history_log history;
    struct lives lives;
    char run[512], *old, *now;
    size_t old_bytes, now_bytes;
    new_run("replaced", run);
    history_log_open(&history, run, false, &nothing, NULL, 0);
    history_log_begin(&history, &here, 0, 0);
    history_log_end(&history, 30, &(struct history_log_ending){.reason = "SIGTERM", .interrupted = true});
    history_log_close(&history);
    CU_ASSERT_TRUE_FATAL(file_read(file_of(run), &old, &old_bytes, &error));
    history_log_open(&history, run, false, &nothing, NULL, 0);
    history_log_begin(&history, &here, 30, 0);
    history_log_ready(&history, 2.5);
    CU_ASSERT_TRUE_FATAL(file_read(file_of(run), &now, &now_bytes, &error));
    /* A copy of it, as an editor makes one, and one of an earlier day. */
    for (int i = 0; i < 2; i++) {
        CU_ASSERT_TRUE(file_replace(file_of(run), i ? old : now, i ? old_bytes : now_bytes, &error));
        history_log_keep(&history);
        parse_file(run, &lives);
        CU_ASSERT_EQUAL_FATAL(lives.count, 2);
        CU_ASSERT(lives.items[0].reached == 30 && lives.items[1].step == 30 && lives.items[1].start_s == 2.5);
        lives_release(&lives);
    }
    /* Without the lives before, and with this one in other letters. */
    static const char other[] = "{\"event\": \"begin\", \"segment\": 2, \"unix\": %.3f, \"step\": 30}\n";
    char shorter[200];
    snprintf(shorter, sizeof shorter, other, history.began_unix);
    CU_ASSERT_TRUE(file_replace(file_of(run), shorter, strlen(shorter), &error));
    history_log_keep(&history);
    parse_file(run, &lives);
    CU_ASSERT_EQUAL_FATAL(lives.count, 1);
    CU_ASSERT_EQUAL(lives.items[0].step, 30);
    lives_release(&lives);
    history_log_close(&history);
    free(old);
    free(now);
}

static void a_disk_that_takes_nothing_is_only_warned_about(void)
{
    struct history_log history;
    struct lives_total total = history_log_open(&history, "no/such/directory", false, &nothing, NULL, 0);
    CU_ASSERT_EQUAL(total.interruptions, 0);
    history_log_begin(&history, &here, 0, 0);
    history_log_end(&history, 1, &(struct history_log_ending){.reason = "finished"});
    history_log_close(&history);
}

int main(void)
{
    const struct test_case cases[] = {
        {"a life that has not told its end was killed", a_life_that_has_not_told_its_end_was_killed},
        {"the last life is as it is seen now", the_last_life_is_as_it_is_seen_now},
        {"what is not whole or not known is passed over", what_is_not_whole_or_not_known_is_passed_over},
        {"a clock that was set makes no long life", a_clock_that_was_set_makes_no_long_life},
        {"lines of another system are lines", lines_of_another_system_are_lines},
        {"a wait is no longer than it was", a_wait_is_no_longer_than_it_was},
        {"what a power cut or an editor leaves hides no life", what_a_power_cut_or_an_editor_leaves_hides_no_life},
        {"numbers that nobody can mean are not known", numbers_that_nobody_can_mean_are_not_known},
        {"a life is written as JSON", a_life_is_written_as_json},
        {"what is written is read", what_is_written_is_read},
        {"a torn line is dropped", a_torn_line_is_dropped},
        {"an older run begins with what its checkpoint knows", an_older_run_begins_with_what_its_checkpoint_knows},
        {"a history that is deleted is begun anew", a_history_that_is_deleted_is_begun_anew},
        {"one that takes its place knows this life", one_that_takes_its_place_knows_this_life},
        {"a disk that takes nothing is only warned about", a_disk_that_takes_nothing_is_only_warned_about},
        {0},
    };
    return test_run("run/history_log", cases);
}
