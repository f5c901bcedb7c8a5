#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "checkpoint/h5.h"
#include "checkpoint/reader.h"
#include "checkpoint/store.h"
#include "cli/command.h"
#include "cli/flags.h"
#include "train/chronicle.h"
#include "train/lives.h"
#include "train/metrics.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define END_WIDTH 44 /* more than that of a failure's words is in --json */

/* The lines that a run without a history would have, from the provenance of its newest valid checkpoint. */
static bool from_provenance(const struct store *store, const uint64_t *steps, size_t count, struct text *lines,
                            struct error *error)
{
    bool found = false;
    h5_init();
    for (size_t i = 0; i < count && !found; i++) {
        char path[PATH_MAX];
        struct reader reader = {.file = -1};
        store_path(store, steps[i], path);
        found = reader_open(&reader, path, error);
        if (found)
            chronicle_earlier(reader.record.segments, reader.record.segment_count, lines);
        reader_close(&reader);
    }
    h5_release();
    return found;
}

/* The lines of the history, or what stands for them. */
static bool read_lines(const char *run, const struct store *store, const uint64_t *steps, size_t count,
                       struct text *lines, struct error *error)
{
    char path[PATH_MAX], *bytes = NULL;
    size_t length;
    snprintf(path, sizeof path, "%s/history.jsonl", run);
    if (file_read(path, &bytes, &length, error)) {
        text_append(lines, "%s", bytes);
        free(bytes);
        return true;
    }
    if (error->kind != ERROR_NOT_FOUND)
        return false;
    if (count == 0)
        return error_set(error, ERROR_NOT_FOUND, "%s has neither a history.jsonl nor checkpoints: not a run directory?",
                         run);
    return from_provenance(store, steps, count, lines, error);
}

/* How the run stands now: is there somebody in it, how far has it come, from where would it go on. */
static struct lives_now look(const char *run, const uint64_t *steps, size_t count)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/.lock", run);
    bool running = file_is_locked(path);
    snprintf(path, sizeof path, "%s/metrics.jsonl", run);
    struct metrics_seen seen = metrics_look(path);
    return (struct lives_now){.running = running,
                              .step = seen.step,
                              .unix_s = running ? clock_unix_exact() : seen.unix_s,
                              .saved = count > 0 ? steps[0] : 0};
}

static void print_seconds(int width, double seconds)
{
    struct text words;
    text_init(&words);
    text_append_seconds(&words, seconds);
    printf("  %*s", width, text_bytes(&words));
    text_release(&words);
}

static void print_life(const struct life *life, size_t number)
{
    char began[CLOCK_TEXT_BYTES], steps[48] = "none";
    clock_text((int64_t)life->began_unix, began);
    if (life->reached > life->step)
        snprintf(steps, sizeof steps, "%" PRIu64 " to %" PRIu64, life->step + 1, life->reached);
    printf("%7zu  %-20s  %5" PRIu64 "  %5" PRIu64 "  %19s", number, began, life->ranks, life->nodes, steps);
    print_seconds(8, life->alive_s);
    printf("  %10" PRIu64, life->lost_steps);
    print_seconds(9, life->lost_s);
    bool fits = strlen(life->end) <= END_WIDTH;
    printf("  %-14.*s%s  %s\n", fits ? END_WIDTH : END_WIDTH - 3, life->end, fits ? "" : "...", life->hosts);
}

static void print_table(const struct lives *lives)
{
    struct lives_total total = lives_sum(lives);
    printf("%7s  %-20s  %5s  %5s  %19s  %8s  %10s  %9s  %-14s  %s\n", "segment", "began", "ranks", "nodes", "steps",
           "alive", "lost steps", "lost time", "ended by", "hosts");
    for (size_t i = 0; i < lives->count; i++)
        print_life(&lives->items[i], i + 1);
    struct text words;
    text_init(&words);
    text_append(&words, "%zu segment%s, %" PRIu64 " interruption%s; alive ", lives->count, lives->count == 1 ? "" : "s",
                total.interruptions, total.interruptions == 1 ? "" : "s");
    text_append_seconds(&words, total.alive_s);
    text_append(&words, ", of which lost ");
    text_append_seconds(&words, total.lost_s);
    text_append(&words, " (%.1f %%) and %" PRIu64 " step%s", total.alive_s > 0 ? 100 * total.lost_s / total.alive_s : 0,
                total.lost_steps, total.lost_steps == 1 ? "" : "s");
    printf("%s\n", text_bytes(&words));
    text_release(&words);
}

static void print_json(const struct lives *lives)
{
    for (size_t i = 0; i < lives->count; i++) {
        struct text line;
        text_init(&line);
        lives_write(&lives->items[i], i + 1, &line);
        printf("%s\n", text_bytes(&line));
        text_release(&line);
    }
}

static int show(const char *run, bool as_json)
{
    struct store store;
    struct error error;
    uint64_t *steps = NULL;
    size_t count = 0;
    struct text lines;
    text_init(&lines);
    bool ok = store_init(&store, run, 0, &error) && store_list(&store, &steps, &count, &error) &&
              read_lines(run, &store, steps, count, &lines, &error);
    if (ok) {
        struct lives lives;
        struct lives_now now = look(run, steps, count);
        lives_parse(&lives, text_bytes(&lines), &now);
        if (as_json)
            print_json(&lives);
        else
            print_table(&lives);
        lives_release(&lives);
    }
    memory_free(steps);
    text_release(&lines);
    return ok ? EXIT_FINISHED : command_fail(&error);
}

static int run(int count, char **words)
{
    bool as_json = false;
    const struct flag flags[] = {{.name = "--json", .given = &as_json}, {0}};
    struct error error;
    if (!flags_parse(flags, (struct flag_files){"a run directory", 1, 1}, &count, words, &error))
        return command_misused(&command_history, "%s", error.text);
    return show(words[0], as_json);
}

const struct command command_history = {
    .name = "history",
    .usage =
        "lockstep history RUN [--json]   every start of a run: when, where, which steps, why it ended, what was lost",
    .run = run};
