#include "run/metrics.h"
#include "support/test.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/utf8.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static struct error error;

static void assert_content(const char *path, const char *expected)
{
    char *bytes = NULL;
    size_t count;
    CU_ASSERT_TRUE(file_read(path, &bytes, &count, &error));
    CU_ASSERT_STRING_EQUAL(bytes, expected);
    free(bytes);
}

static void write_line(struct metrics *metrics, const char *words)
{
    struct text line;
    text_init(&line);
    text_append(&line, "%s", words);
    metrics_write(metrics, &line);
    text_release(&line);
}

static void lines_are_appended_over_several_lives(void)
{
    struct metrics metrics;
    const char *path = test_path("appended.jsonl");
    CU_ASSERT_TRUE(metrics_open(&metrics, path, 0, false, &error));
    write_line(&metrics, "{\"step\":1}");
    metrics_close(&metrics);
    metrics_close(&metrics);
    CU_ASSERT_TRUE(metrics_open(&metrics, path, 1, false, &error));
    write_line(&metrics, "{\"step\":2}");
    metrics_sync(&metrics);
    metrics_close(&metrics);
    assert_content(path, "{\"step\":1}\n{\"step\":2}\n");
}

static void the_age_of_the_life_that_wrote_last_is_known(void)
{
    const char *path = test_path("aged.jsonl");
    static const char told[] =
        "{\"event\":\"start\",\"step\":0,\"alive_s\":1}\n{\"step\":1,\"step_ms\":2,\"alive_s\":70.5}\n"
        "{\"event\":\"validation\",\"step\":1}\n{\"step\":2,\"alive_s\":99";
    static const char older[] = "{\"step\":1,\"alive_s\":70}\n{\"event\":\"resume\",\"step\":1}\n{\"step\":2}\n";
    static const char absurd[] = "{\"step\":1,\"alive_s\":1e300}\n";
    CU_ASSERT_TRUE(file_replace(path, told, strlen(told), &error));
    CU_ASSERT_EQUAL(metrics_look(path).alive_s, 70.5);
    CU_ASSERT_TRUE(file_replace(path, older, strlen(older), &error)); /* the newest life was one of an older version */
    CU_ASSERT_EQUAL(metrics_look(path).alive_s, 0);
    CU_ASSERT_TRUE(file_replace(path, absurd, strlen(absurd), &error));
    CU_ASSERT_EQUAL(metrics_look(path).alive_s, 0);
}

static void what_lies_beyond_the_step_is_dropped(void)
{
    struct metrics metrics;
    const char *path = test_path("beyond.jsonl");
    static const char before[] = "{\"event\":\"start\",\"step\":0}\n{\"step\":9,\"loss\":1}\n{\"step\":10,\"loss\":2}\n"
                                 "{\"event\":\"checkpoint\",\"step\":10}\n{\"step\":11,\"loss\":3}\n"
                                 "{\"event\":\"validation\",\"step\":100}\n";
    CU_ASSERT_TRUE(file_replace(path, before, strlen(before), &error));
    CU_ASSERT_TRUE(metrics_open(&metrics, path, 10, false, &error));
    metrics_close(&metrics);
    assert_content(path, "{\"event\":\"start\",\"step\":0}\n{\"step\":9,\"loss\":1}\n{\"step\":10,\"loss\":2}\n"
                         "{\"event\":\"checkpoint\",\"step\":10}\n");
}

static void a_validation_that_is_made_again_is_told_once(void)
{
    struct metrics metrics;
    const char *path = test_path("again.jsonl");
    static const char before[] = "{\"event\":\"validation\",\"step\":5}\n{\"step\":10}\n"
                                 "{\"event\":\"validation\",\"step\":10}\n{\"event\":\"stop\",\"step\":10}\n";
    CU_ASSERT_TRUE(file_replace(path, before, strlen(before), &error));
    CU_ASSERT_TRUE(metrics_open(&metrics, path, 10, false, &error));
    metrics_close(&metrics);
    assert_content(path, before);
    CU_ASSERT_TRUE(metrics_open(&metrics, path, 10, true, &error));
    metrics_close(&metrics);
    assert_content(path, "{\"event\":\"validation\",\"step\":5}\n{\"step\":10}\n{\"event\":\"stop\",\"step\":10}\n");
}

static void what_is_dropped_was_seen(void)
{
    struct metrics metrics;
    const char *path = test_path("seen.jsonl");
    static const char before[] = "{\"step\":9}\n{\"step\":12,\"loss\":3}\n{\"step\":11}\n{\"step\":99";
    CU_ASSERT_TRUE(file_replace(path, before, strlen(before), &error));
    struct metrics_seen seen = metrics_look(path);
    CU_ASSERT_EQUAL(seen.step, 12);
    CU_ASSERT_TRUE(fabs(seen.unix_s - clock_unix_exact()) < 60);
    CU_ASSERT_TRUE(metrics_open(&metrics, path, 9, false, &error));
    CU_ASSERT(metrics.seen.step == 12 && metrics.seen.unix_s == seen.unix_s);
    metrics_close(&metrics);
    CU_ASSERT_EQUAL(metrics_look(path).step, 9);
    seen = metrics_look(test_path("never.jsonl"));
    CU_ASSERT(seen.step == 0 && seen.unix_s == 0);
}

static void what_an_editor_has_written_is_read(void)
{
    struct metrics metrics;
    const char *path = test_path("edited.jsonl"), *edited = UTF8_MARK "{\"step\":1}\r\n\n{\"step\":2,\"a\":\"{\"}";
    CU_ASSERT_TRUE(file_replace(path, edited, strlen(edited), &error));
    CU_ASSERT_EQUAL(metrics_look(path).step, 2);
    CU_ASSERT_TRUE(metrics_open(&metrics, path, 5, false, &error));
    write_line(&metrics, "{\"step\":3}");
    metrics_close(&metrics);
    assert_content(path, "{\"step\":1}\r\n{\"step\":2,\"a\":\"{\"}\n{\"step\":3}\n");
    /* Two files put together; zeros that a power cut has left in front of a line. */
    static const char together[] = "{\"step\":1}\n" UTF8_MARK "{\"step\":2}\n\0\0\0{\"step\":3}\n{\"st\0ep\":4}\n";
    CU_ASSERT_TRUE(file_replace(path, together, sizeof together - 1, &error));
    CU_ASSERT_EQUAL(metrics_look(path).step, 3);
    CU_ASSERT_TRUE(metrics_open(&metrics, path, 5, false, &error));
    metrics_close(&metrics);
    assert_content(path, "{\"step\":1}\n{\"step\":2}\n{\"step\":3}\n");
    /* As many bytes as before, and others. */
    CU_ASSERT_TRUE(file_replace(path, "\n{\"step\":1}", 11, &error));
    CU_ASSERT_TRUE(metrics_open(&metrics, path, 5, false, &error));
    metrics_close(&metrics);
    assert_content(path, "{\"step\":1}\n");
}

static void a_line_that_is_cut_short_is_dropped(void)
{
    struct metrics metrics;
    const char *path = test_path("cut.jsonl");
    CU_ASSERT_TRUE(file_replace(path, "{\"step\":1}\n{\"step\":2,\"lo", 24, &error));
    CU_ASSERT_TRUE(metrics_open(&metrics, path, 5, false, &error));
    write_line(&metrics, "{\"step\":2}");
    metrics_close(&metrics);
    assert_content(path, "{\"step\":1}\n{\"step\":2}\n");
}

static void what_a_power_cut_leaves_is_dropped(void)
{
    struct metrics metrics;
    const char *path = test_path("zeros.jsonl");
    static const char before[] = "{\"step\":1}\n\0\0\0\0\0\n{\"st\0\0\n\n{\"step\":2}\n";
    CU_ASSERT_TRUE(file_replace(path, before, sizeof before - 1, &error));
    CU_ASSERT_TRUE(metrics_open(&metrics, path, 5, false, &error));
    metrics_close(&metrics);
    assert_content(path, "{\"step\":1}\n{\"step\":2}\n");
}

static void one_that_is_deleted_is_begun_anew(void)
{
    struct metrics metrics;
    CU_ASSERT_TRUE(file_make_directories(test_path("deleted"), &error));
    char path[4096];
    snprintf(path, sizeof path, "%s", test_path("deleted/metrics.jsonl"));
    CU_ASSERT_TRUE(metrics_open(&metrics, path, 0, false, &error));
    write_line(&metrics, "{\"step\":1}");
    CU_ASSERT_EQUAL(unlink(path), 0);
    CU_ASSERT_EQUAL(rmdir(test_path("deleted")), 0);
    write_line(&metrics, "{\"step\":2}");
    CU_ASSERT_EQUAL(metrics_keep(&metrics), METRICS_ANEW);
    write_line(&metrics, "{\"step\":3}");
    metrics_close(&metrics);
    assert_content(path, "{\"step\":3}\n");
}

/* As `sed -i` and rsync do it. */
static void replace(const char *path, const char *content)
{
    CU_ASSERT_TRUE(file_replace(path, content, strlen(content), &error));
}

static void in_one_that_takes_its_place_the_lines_go_on(void)
{
    struct metrics metrics;
    char path[4096];
    snprintf(path, sizeof path, "%s", test_path("replaced.jsonl"));
    CU_ASSERT_TRUE(metrics_open(&metrics, path, 0, false, &error));
    write_line(&metrics, "{\"step\":1}");
    write_line(&metrics, "{\"step\":2}");
    CU_ASSERT_EQUAL(metrics_keep(&metrics), METRICS_STAND);
    write_line(&metrics, "{\"step\":3}");
    write_line(&metrics, "{\"event\":\"a\",\"step\":3}");
    replace(path, "{\"step\":1}\n{\"step\": 3,\"edited\":true}"); /* one line less, and the last not ended */
    write_line(&metrics, "{\"step\":4}");
    CU_ASSERT_EQUAL(metrics_keep(&metrics), METRICS_REPLACED);
    CU_ASSERT_EQUAL(metrics_keep(&metrics), METRICS_STAND);
    write_line(&metrics, "{\"step\":5}");
    metrics_close(&metrics);
    assert_content(path, "{\"step\":1}\n{\"step\": 3,\"edited\":true}\n{\"event\":\"a\",\"step\":3}\n{\"step\":4}\n"
                         "{\"step\":5}\n");
    /* By a file of nothing: that is a new one. */
    CU_ASSERT_TRUE(metrics_open(&metrics, path, 5, false, &error));
    replace(path, "");
    CU_ASSERT_EQUAL(metrics_keep(&metrics), METRICS_ANEW);
    metrics_close(&metrics);
    assert_content(path, "");
}

/* No file may become larger than this many bytes. Returns the limit before. */
static rlim_t limit_files(rlim_t bytes)
{
    struct rlimit limit;
    CU_ASSERT_EQUAL(getrlimit(RLIMIT_FSIZE, &limit), 0);
    rlim_t before = limit.rlim_cur;
    limit.rlim_cur = bytes;
    CU_ASSERT_EQUAL(setrlimit(RLIMIT_FSIZE, &limit), 0);
    return before;
}

/* Writes a line for which a file of so many bytes has no room. *told: what is said of it. */
static void write_beyond(struct metrics *metrics, rlim_t bytes, char told[1000])
{
    int before = dup(STDERR_FILENO), ends[2];
    CU_ASSERT_EQUAL(pipe(ends), 0); /* which has no such limit */
    dup2(ends[1], STDERR_FILENO);
    rlim_t limit = limit_files(bytes);
    write_line(metrics, "{\"step\":9,\"of\":\"some length\"}");
    limit_files(limit);
    dup2(before, STDERR_FILENO);
    close(before);
    close(ends[1]);
    ssize_t count = read(ends[0], told, 999);
    told[count > 0 ? count : 0] = '\0';
    close(ends[0]);
}

static void a_line_that_finds_no_room_takes_nothing_with_it(void)
{
    struct metrics metrics;
    char path[4096], told[1000];
    snprintf(path, sizeof path, "%s", test_path("limited.jsonl"));
    signal(SIGXFSZ, SIG_IGN);
    CU_ASSERT_TRUE(metrics_open(&metrics, path, 0, false, &error));
    write_line(&metrics, "{\"step\":1}");
    write_beyond(&metrics, 20, told);
    assert_content(path, "{\"step\":1}\n");
    CU_ASSERT_PTR_NOT_NULL(strstr(told, "lines are missing from here on: File too large"));
    CU_ASSERT_PTR_NOT_NULL(strstr(told, "ulimit -f"));
    replace(path, "{\"step\":1}\n{\"added\":true}\n");
    CU_ASSERT_EQUAL(metrics_keep(&metrics), METRICS_REPLACED);
    write_beyond(&metrics, 35, told);
    assert_content(path, "{\"step\":1}\n{\"added\":true}\n");
    /* One that was made shorter as it is. */
    CU_ASSERT_EQUAL(truncate(path, 11), 0);
    write_beyond(&metrics, 20, told);
    assert_content(path, "{\"step\":1}\n");
    metrics_close(&metrics);
}

static void numbers_are_json(void)
{
    struct text line;
    text_init(&line);
    metrics_number(&line, "a", 0.25);
    metrics_number(&line, "b", NAN);
    metrics_number(&line, "c", -INFINITY);
    CU_ASSERT_STRING_EQUAL(text_bytes(&line), ",\"a\":0.25,\"b\":null,\"c\":null");
    text_release(&line);
}

static void a_closed_one_does_nothing(void)
{
    struct metrics metrics;
    metrics_init(&metrics);
    write_line(&metrics, "{}");
    metrics_sync(&metrics);
    metrics_close(&metrics);
    CU_ASSERT_FALSE(metrics_open(&metrics, test_path("no/such/directory.jsonl"), 0, false, &error));
    CU_ASSERT_EQUAL(error.kind, ERROR_NOT_FOUND);
}

int main(void)
{
    const struct test_case cases[] = {
        {"lines are appended over several lives", lines_are_appended_over_several_lives},
        {"the age of the life that wrote last is known", the_age_of_the_life_that_wrote_last_is_known},
        {"what lies beyond the step is dropped", what_lies_beyond_the_step_is_dropped},
        {"a validation that is made again is told once", a_validation_that_is_made_again_is_told_once},
        {"what is dropped was seen", what_is_dropped_was_seen},
        {"what an editor has written is read", what_an_editor_has_written_is_read},
        {"a line that is cut short is dropped", a_line_that_is_cut_short_is_dropped},
        {"what a power cut leaves is dropped", what_a_power_cut_leaves_is_dropped},
        {"one that is deleted under the job is begun anew", one_that_is_deleted_is_begun_anew},
        {"in one that takes its place the lines go on", in_one_that_takes_its_place_the_lines_go_on},
        {"a line that finds no room takes nothing with it", a_line_that_finds_no_room_takes_nothing_with_it},
        {"numbers are JSON", numbers_are_json},
        {"a closed one does nothing", a_closed_one_does_nothing},
        {0},
    };
    return test_run("run/metrics", cases);
}
