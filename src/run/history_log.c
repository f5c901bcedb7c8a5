#include "run/history_log.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/watchdog.h"
#include "run/environment.h"
#include "run/run_files.h"

#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TRIES       3    /* to write a line into a file that is deleted again and again */
#define UNIX_DIGITS 1e-3 /* more than is lost in writing a time */

void history_log_init(struct history_log *history)
{
    *history = (struct history_log){.silent_s = NAN};
    metrics_init(&history->lines);
    text_init(&history->known);
}

void history_log_close(struct history_log *history)
{
    metrics_close(&history->lines);
    text_release(&history->known);
}

/* What is known from this byte on: some whole lines, of which metrics_write ends the last. */
static void put_known(struct history_log *history, size_t from)
{
    const struct text *known = &history->known;
    struct text lines;
    if (known->length == from)
        return;
    text_init(&lines);
    text_append_bytes(&lines, known->bytes + from, known->length - from - 1);
    metrics_write(&history->lines, &lines);
    metrics_sync(&history->lines);
    text_release(&lines);
}

/* The file as it is now; the caller owns *bytes. */
static bool read_again(const struct history_log *history, char **bytes, size_t *length)
{
    struct error error; /* it may be gone again */
    watchdog_begin(history->lines.path, 0);
    bool ok = file_read_own(history->lines.path, HISTORY_MOST, bytes, length, &error);
    watchdog_end();
    return ok;
}

/* Whether the file tells that this life has begun. Who has edited it may have written its lines otherwise, and taken
 * earlier lives away. */
static bool knows_this_life(const struct history_log *history)
{
    const struct lives_now now = {0};
    char *bytes;
    size_t length;
    struct lives lives;
    bool knows = false;
    if (!read_again(history, &bytes, &length))
        return false;
    lives_parse(&lives, bytes, length, &now);
    for (size_t i = 0; i < lives.count; i++)
        knows = knows || (lives.items[i].step == history->began_step &&
                          fabs(lives.items[i].began_unix - history->began_unix) < UNIX_DIGITS);
    lives_release(&lives);
    free(bytes);
    return knows;
}

static bool has_line(const struct history_log *history, const struct text *line)
{
    char *bytes;
    size_t length;
    if (!read_again(history, &bytes, &length))
        return false;
    bool found = memmem(bytes, length, text_bytes(line), line->length) != NULL;
    free(bytes);
    return found;
}

enum metrics_fate history_log_keep(struct history_log *history)
{
    enum metrics_fate fate = metrics_keep(&history->lines);
    if (fate == METRICS_ANEW)
        put_known(history, 0);
    else if (fate == METRICS_REPLACED && !knows_this_life(history))
        put_known(history, history->earlier);
    return fate;
}

/* Durable before training goes on: it is one line, now and then. Once more if the file was deleted or replaced
 * meanwhile and is without it now. */
static void put(struct history_log *history, struct text *line)
{
    int tries = 0;
    history_log_keep(history);
    do {
        metrics_write(&history->lines, line);
        metrics_sync(&history->lines);
    } while (history_log_keep(history) != METRICS_STAND && !has_line(history, line) && ++tries < TRIES);
    text_release(line);
}

/* A line of how this life has begun. */
static void put_and_know(struct history_log *history, struct text *line)
{
    struct text whole;
    text_init(&whole);
    text_append(&whole, "%s\n", text_bytes(line));
    put(history, line);
    text_append(&history->known, "%s", text_bytes(&whole));
    text_release(&whole);
}

static void begin_line(struct text *line, const char *event)
{
    text_init(line);
    text_append(line, "{\"event\":\"%s\",\"unix\":%.3f", event, clock_unix_exact());
}

static void append_segment(struct text *line, const struct segment *segment)
{
    text_append(line, ",\"ranks\":%" PRIu64 ",\"nodes\":%" PRIu64 ",\"hosts\":", segment->ranks, segment->nodes);
    text_append_json(line, segment->hosts);
    if (*segment->changes) {
        text_append(line, ",\"changes\":");
        text_append_json(line, segment->changes);
    }
}

void history_log_earlier(const struct segment *segments, size_t count, struct text *lines)
{
    for (size_t i = 0; i < count; i++) {
        const struct segment *segment = &segments[i];
        enum reason reason = reason_of(segment->end);
        bool killed = reason == REASON_RUNNING || reason == REASON_INTERRUPTED;
        text_append(lines, "{\"event\":\"earlier\",\"segment\":%zu,\"unix\":%" PRId64 ",\"end_unix\":%" PRId64, i + 1,
                    segment->began_unix, segment->saved_unix);
        text_append(lines, ",\"step\":%" PRIu64 ",\"reached\":%" PRIu64, segment->first_step - 1, segment->last_step);
        append_segment(lines, segment);
        text_append(lines, ",\"reason\":");
        text_append_json(lines, killed ? reason_words[REASON_KILLED] : segment->end);
        text_append(lines, ",\"interrupted\":%s}\n", reason_interrupts(reason) ? "true" : "false");
    }
}

/* What is known of a life that could not tell its end; unix_s 0: nothing. */
static void append_seen(struct text *line, uint64_t step, double unix_s, double alive_s)
{
    if (unix_s > 0)
        text_append(line, ",\"previous_step\":%" PRIu64 ",\"previous_unix\":%.3f", step, unix_s);
    if (alive_s > 0)
        metrics_number(line, "previous_alive_s", alive_s);
}

/* Opens the file without what a power cut has left of a last line. A new one gets the segments that a checkpoint knows.
 */
static bool open_lines(struct history_log *history, const char *path, const struct segment *segments, size_t count,
                       struct error *error)
{
    if (!metrics_open(&history->lines, path, UINT64_MAX, false, error))
        return false;
    bool is_new = history->lines.kept == 0; /* or somebody has emptied it, or a full disk taken nothing */
    history_log_earlier(segments, count, &history->known);
    history->earlier = history->known.length;
    if (is_new)
        put_known(history, 0);
    return true;
}

/* Somebody may have built or installed it anew between two starts. */
static void compare_program(const struct life *last)
{
    struct text program;
    text_init(&program);
    environment_program(&program);
    if (*last->program && strncmp(last->program, text_bytes(&program), sizeof last->program - 1) != 0)
        log_warn("this is another program than at the last start of this run: %s then, %s now", last->program,
                 text_bytes(&program));
    text_release(&program);
}

double history_log_start_s(const char *run)
{
    char path[PATH_MAX], *bytes = NULL;
    size_t length;
    struct lives lives = {0};
    struct error error; /* there may be none yet */
    run_file_path(run, RUN_HISTORY, path);
    if (file_read_own(path, HISTORY_MOST, &bytes, &length, &error))
        lives_parse(&lives, bytes, length, &(struct lives_now){0});
    free(bytes);
    double start_s = lives_sum(&lives).start_s;
    lives_release(&lives);
    return start_s;
}

/* Since a life was last heard of; NaN: it was on another machine, or before this one was started again. */
static double silence_of(const struct life *life)
{
    char boot[CLOCK_BOOT_BYTES];
    clock_boot(boot);
    bool is_here = *boot && strcmp(life->boot, boot) == 0 && life->alive_s > 0;
    return is_here ? fmax(0, clock_seconds() - life->up_s - life->alive_s) : (double)NAN;
}

/* Whether the last life in this file has not told its end. What it has come to, as far as it is told: *reached. */
static bool is_last_silent(const char *path, uint64_t *reached)
{
    char *bytes = NULL;
    size_t length;
    struct lives lives = {0};
    struct error error; /* no history: nothing can be lost of it */
    if (file_read_own(path, HISTORY_MOST, &bytes, &length, &error))
        lives_parse(&lives, bytes, length, &(struct lives_now){0});
    free(bytes);
    const struct life *last = lives.count > 0 ? &lives.items[lives.count - 1] : NULL;
    bool is_silent = last && !last->ended;
    *reached = is_silent ? last->reached : 0;
    lives_release(&lives);
    return is_silent;
}

void history_log_note(const char *run, uint64_t step)
{
    char path[PATH_MAX], metrics[PATH_MAX];
    uint64_t reached;
    struct metrics lines;
    struct text line;
    struct error error;
    run_file_path(run, RUN_HISTORY, path);
    run_file_path(run, RUN_METRICS, metrics);
    if (!is_last_silent(path, &reached))
        return;
    struct metrics_seen seen = metrics_look(metrics);
    if (seen.step <= step || seen.step <= reached)
        return;
    if (metrics_open(&lines, path, UINT64_MAX, false, &error)) {
        begin_line(&line, "seen");
        append_seen(&line, seen.step, seen.unix_s, seen.alive_s);
        text_append(&line, "}");
        metrics_write(&lines, &line);
        metrics_sync(&lines);
        text_release(&line);
    }
    metrics_close(&lines);
}

struct lives_total history_log_open(struct history_log *history, const char *run, bool anew,
                                    const struct lives_now *now, const struct segment *segments, size_t count)
{
    char path[PATH_MAX], *bytes = NULL;
    size_t length;
    struct lives lives = {0};
    struct error error;
    history_log_init(history);
    run_file_path(run, RUN_HISTORY, path);
    if (anew)
        unlink(path);
    if (!open_lines(history, path, segments, count, &error) ||
        !file_read_own(path, HISTORY_MOST, &bytes, &length, &error))
        log_warn("the history of this run has a gap: %s", error.text);
    else
        lives_parse(&lives, bytes, length, now);
    free(bytes);
    struct lives_total total = lives_sum(&lives);
    history->life = lives.count + 1;
    const struct life *last = lives.count > 0 ? &lives.items[lives.count - 1] : NULL;
    history->is_finished = last && reason_finishes(last->reason);
    if (last)
        compare_program(last);
    if (last && !last->ended) {
        bool was_cut = last->reached > now->step; /* by a start that was killed itself: see history_log_note */
        history->seen_step = last->reached;
        history->seen_unix = was_cut ? last->began_unix + last->alive_s : now->unix_s;
        history->seen_alive_s = was_cut ? last->alive_s : now->alive_s;
    }
    history->silent_s = last ? silence_of(last) : (double)NAN;
    lives_release(&lives);
    return total;
}

static void append_program(struct text *line)
{
    struct text program;
    text_init(&program);
    environment_program(&program);
    text_append_json(line, text_bytes(&program));
    text_release(&program);
}

void history_log_begin(struct history_log *history, const struct segment *segment, uint64_t step, double start_s)
{
    struct text line;
    history->began_unix = clock_unix_exact() - start_s;
    history->began_step = step;
    text_init(&line);
    text_append(&line, "{\"event\":\"begin\",\"segment\":%" PRIu64 ",\"unix\":%.3f,\"step\":%" PRIu64, history->life,
                history->began_unix, step);
    append_segment(&line, segment);
    char boot[CLOCK_BOOT_BYTES];
    clock_boot(boot);
    text_append(&line, ",\"version\":\"%s\",\"program\":", LOCKSTEP_VERSION);
    append_program(&line);
    text_append(&line, ",\"boot\":");
    text_append_json(&line, boot);
    metrics_number(&line, "up_s", clock_seconds() - start_s);
    if (*environment_batch_job()) {
        text_append(&line, ",\"job\":");
        text_append_json(&line, environment_batch_job());
        text_append(&line, ",\"restart\":%" PRIu64, environment_restarts());
    }
    append_seen(&line, history->seen_step, history->seen_unix, history->seen_alive_s);
    text_append(&line, "}");
    put_and_know(history, &line);
}

void history_log_ready(struct history_log *history, double start_s)
{
    struct text line;
    begin_line(&line, "ready");
    metrics_number(&line, "start_s", start_s);
    text_append(&line, "}");
    put_and_know(history, &line);
}

void history_log_interval(struct history_log *history, uint64_t step, double stall_s, double write_s, double period_s)
{
    struct text line;
    begin_line(&line, "interval");
    text_append(&line, ",\"step\":%" PRIu64, step);
    metrics_number(&line, "stall_s", stall_s);
    metrics_number(&line, "write_s", write_s);
    metrics_number(&line, "period_s", period_s);
    text_append(&line, "}");
    put(history, &line);
}

/* What was never measured is null. */
static void append_measured(struct text *line, const char *key, double seconds)
{
    metrics_number(line, key, seconds > 0 ? seconds : (double)NAN);
}

void history_log_end(struct history_log *history, uint64_t step, const struct history_log_ending *ending)
{
    char words[LIFE_TEXT];
    struct text line;
    snprintf(words, sizeof words, "%.*s", (int)strcspn(ending->reason, "\n"), ending->reason);
    begin_line(&line, "end");
    text_append(&line, ",\"step\":%" PRIu64 ",\"reason\":", step);
    text_append_json(&line, words);
    text_append(&line, ",\"interrupted\":%s", ending->interrupted ? "true" : "false");
    if (ending->transient)
        text_append(&line, ",\"transient\":true");
    if (ending->alive_s > 0)
        metrics_number(&line, "alive_s", ending->alive_s);
    text_append(&line, ",\"saves\":%" PRIu64, ending->saves);
    append_measured(&line, "stall_s", ending->saves ? ending->stall_s : 0);
    append_measured(&line, "write_s", ending->saves ? ending->write_s : 0);
    append_measured(&line, "step_s", ending->step_s);
    text_append(&line, "}");
    put(history, &line);
}
