#include "base/clock.h"
#include "base/say.h"
#include "cli/command.h"
#include "cli/flags.h"
#include "run/run_state.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define SHOWN_JOB 14
#define END_WIDTH 44 /* more than that of a failure's words is in --json */

static void print_seconds(int width, double seconds)
{
    struct text words;
    text_init(&words);
    text_append_seconds(&words, seconds);
    say("  %*s", width, text_bytes(&words));
    text_release(&words);
}

/* "123", or "123+2" for the life after its second requeue. */
static void print_job(const struct life *life)
{
    struct text words;
    text_init(&words);
    text_append(&words, "%s", *life->job ? life->job : "-");
    if (life->restart > 0)
        text_append(&words, "+%" PRIu64, life->restart);
    say("  %*s", SHOWN_JOB, text_bytes(&words));
    text_release(&words);
}

static void print_life(const struct life *life, size_t number, bool in_jobs)
{
    char began[CLOCK_TEXT_BYTES], steps[48] = "none";
    clock_text_exact(life->began_unix, began);
    if (life->reached > life->step)
        snprintf(steps, sizeof steps, "%" PRIu64 " to %" PRIu64, life->step + 1, life->reached);
    say("%7zu  %-20s  %5" PRIu64 "  %5" PRIu64 "  %19s", number, began, life->ranks, life->nodes, steps);
    if (isnan(life->waited_s))
        say("  %8s", "-");
    else
        print_seconds(8, life->waited_s);
    print_seconds(8, life->alive_s);
    say("  %10" PRIu64, life->lost_steps);
    print_seconds(9, life->lost_s);
    if (in_jobs)
        print_job(life);
    bool fits = strlen(life->end) <= END_WIDTH;
    say("  %-14.*s%s  %s\n", fits ? END_WIDTH : END_WIDTH - 3, life->end, fits ? "" : "...", life->hosts);
    if (*life->changes)
        say("%9schanged: %s\n", "", life->changes);
}

static void print_table(const struct lives *lives)
{
    struct lives_total total = lives_sum(lives);
    bool in_jobs = false;
    for (size_t i = 0; i < lives->count; i++)
        in_jobs = in_jobs || *lives->items[i].job;
    say("%7s  %-20s  %5s  %5s  %19s  %8s  %8s  %10s  %9s", "segment", "began", "ranks", "nodes", "steps", "waited",
        "alive", "lost steps", "lost time");
    if (in_jobs)
        say("  %*s", SHOWN_JOB, "batch job");
    say("  %-14s  %s\n", "ended by", "hosts");
    for (size_t i = 0; i < lives->count; i++)
        print_life(&lives->items[i], i + 1, in_jobs);
    struct text words;
    text_init(&words);
    text_append(&words, "%zu segment%s, %" PRIu64 " interruption%s; alive ", lives->count, lives->count == 1 ? "" : "s",
                total.interruptions, total.interruptions == 1 ? "" : "s");
    text_append_seconds(&words, total.alive_s);
    text_append(&words, ", of which lost ");
    text_append_seconds(&words, total.lost_s);
    text_append(&words, " (%.1f %%) and %" PRIu64 " step%s", total.alive_s > 0 ? 100 * total.lost_s / total.alive_s : 0,
                total.lost_steps, total.lost_steps == 1 ? "" : "s");
    say("%s\n", text_bytes(&words));
    text_release(&words);
}

static void print_json(const struct lives *lives)
{
    for (size_t i = 0; i < lives->count; i++) {
        struct text line;
        text_init(&line);
        lives_write(&lives->items[i], i + 1, &line);
        say("%s\n", text_bytes(&line));
        text_release(&line);
    }
}

static int show(const char *run, bool as_json)
{
    struct run_state state;
    struct error error;
    bool ok = run_state_look(&state, run, &error);
    if (ok && as_json)
        print_json(&state.lives);
    else if (ok)
        print_table(&state.lives);
    run_state_release(&state);
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
