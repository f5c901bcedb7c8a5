#include "run/lives.h"

#include "base/json.h"
#include "base/memory.h"
#include "run/metrics.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define CLOCKS_APART_S 60.0           /* of two nodes, at most: more is a clock that was set */
#define NO_DATE        253402300800.0 /* the year 10000 */

static uint64_t step_of(const char *line, const char *key, uint64_t otherwise)
{
    double step;
    return json_number(line, key, &step) && step >= 0 && step < 0x1p53 ? (uint64_t)step : otherwise;
}

/* A date or a duration from a file, unless nobody can have meant it. */
static void take_date(const char *line, const char *key, double *unix_s)
{
    double number;
    if (json_number(line, key, &number) && number >= 0 && number < NO_DATE)
        *unix_s = number;
}

static void take_seconds(const char *line, const char *key, double *seconds)
{
    double number;
    if (json_number(line, key, &number) && clock_is_plausible(number))
        *seconds = number;
}

static struct life *last_of(struct lives *lives)
{
    return lives->count > 0 ? &lives->items[lives->count - 1] : NULL;
}

/* What it has told itself, or else what its dates say. */
static void set_alive(struct life *life, double alive_s, double end_unix)
{
    double between_s = end_unix - life->began_unix;
    if (alive_s > 0 && clock_is_plausible(alive_s))
        life->alive_s = alive_s;
    else
        life->alive_s = clock_is_plausible(between_s) ? between_s : 0;
}

/* A life that nobody has told the end of ended at this time, or later. */
static void close_silent(struct life *life, uint64_t reached, double unix_s, double alive_s, enum reason reason)
{
    if (reached >= life->reached || life->alive_s == 0) /* else more was seen of it before the metrics were cut */
        set_alive(life, alive_s, unix_s);
    if (reached > life->reached)
        life->reached = reached;
    life->reason = reason;
    snprintf(life->end, sizeof life->end, "%s", reason_words[reason]);
}

/* What a life has lost, once it is known from which step the next one goes on. */
static void settle(struct life *life, bool first, uint64_t next)
{
    double running_s = life->alive_s - (isnan(life->start_s) ? 0 : life->start_s);
    if (life->reached > next)
        life->lost_steps = life->reached - (next > life->step ? next : life->step);
    if (life->lost_steps > 0)
        life->lost_s = fmax(0, running_s) * (double)life->lost_steps / (double)(life->reached - life->step);
    if (!first && !isnan(life->start_s))
        life->lost_s += life->start_s;
}

static void settle_last(struct lives *lives, uint64_t next)
{
    if (lives->count > 0)
        settle(last_of(lives), lives->count == 1, next);
}

/* Between two lives; by a clock that nobody sets, as long as the machine has not been started again. NaN: a wall clock
 * was set between them. */
static double wait_between(const struct life *before, const struct life *life)
{
    bool same_boot = *life->boot && strcmp(life->boot, before->boot) == 0;
    double between_s = same_boot ? life->up_s - before->up_s : life->began_unix - before->began_unix;
    double waited_s = between_s - before->alive_s;
    if (waited_s < 0 && waited_s > -CLOCKS_APART_S)
        waited_s = 0;
    return clock_is_plausible(waited_s) ? waited_s : (double)NAN;
}

/* What the metrics tell of a life that has not ended: in the line `seen`, and in the begin of the next one. */
static void see(struct life *life, const char *line)
{
    double unix_s = 0, alive_s = 0;
    take_date(line, "previous_unix", &unix_s);
    take_seconds(line, "previous_alive_s", &alive_s);
    close_silent(life, step_of(line, "previous_step", 0), unix_s, alive_s, REASON_KILLED);
    life->interrupted = true;
}

static void begin(struct lives *lives, const char *line)
{
    struct life *before = last_of(lives);
    struct life life = {.waited_s = NAN, .start_s = NAN, .saves = NAN, .stall_s = NAN, .write_s = NAN, .step_s = NAN};
    take_date(line, "unix", &life.began_unix);
    life.step = life.reached = step_of(line, "step", 0);
    life.ranks = step_of(line, "ranks", 0);
    life.nodes = step_of(line, "nodes", 0);
    json_text(line, "hosts", life.hosts, sizeof life.hosts);
    json_text(line, "changes", life.changes, sizeof life.changes);
    json_text(line, "version", life.version, sizeof life.version);
    json_text(line, "program", life.program, sizeof life.program);
    json_text(line, "job", life.job, sizeof life.job);
    life.restart = step_of(line, "restart", 0);
    json_text(line, "boot", life.boot, sizeof life.boot);
    take_seconds(line, "up_s", &life.up_s);
    if (before && !before->ended)
        see(before, line);
    if (before)
        life.waited_s = wait_between(before, &life);
    settle_last(lives, life.step);
    lives->items = memory_grow(lives->items, lives->count, &lives->capacity, sizeof life);
    lives->items[lives->count++] = life;
}

static void end(struct life *life, const char *line)
{
    double end_unix = 0, alive_s = 0;
    life->ended = true;
    life->reached = step_of(line, "reached", step_of(line, "step", life->reached));
    take_date(line, "unix", &end_unix);
    take_date(line, "end_unix", &end_unix);
    take_seconds(line, "alive_s", &alive_s);
    set_alive(life, alive_s, end_unix);
    snprintf(life->end, sizeof life->end, "%s", reason_words[REASON_OTHER]);
    json_text(line, "reason", life->end, sizeof life->end);
    life->reason = reason_of(life->end);
    json_bool(line, "interrupted", &life->interrupted);
    json_bool(line, "transient", &life->transient);
    double saves;
    if (json_number(line, "saves", &saves) && saves >= 0 && saves < 0x1p53)
        life->saves = saves;
    take_seconds(line, "step_s", &life->step_s);
}

/* One line; what belongs to no life is passed over. */
static void take(struct lives *lives, const char *line)
{
    char event[16] = "";
    json_text(line, "event", event, sizeof event);
    if (strcmp(event, "begin") == 0 || strcmp(event, "earlier") == 0)
        begin(lives, line);
    struct life *life = last_of(lives);
    if (!life)
        return;
    if (strcmp(event, "seen") == 0 && !life->ended)
        see(life, line);
    take_seconds(line, "start_s", &life->start_s);
    take_seconds(line, "stall_s", &life->stall_s);
    take_seconds(line, "write_s", &life->write_s);
    if (strcmp(event, "end") == 0 || strcmp(event, "earlier") == 0)
        end(life, line);
}

void lives_parse(struct lives *lives, const char *lines, size_t count, const struct lives_now *now)
{
    *lives = (struct lives){0};
    for (const char *line = lines, *last = lines + count, *end; line < last; line = end + 1) {
        line += json_skip(line, (size_t)(last - line));
        end = memchr(line, '\n', (size_t)(last - line));
        end = end ? end : last;
        struct text whole;
        size_t length = (size_t)(end - line);
        text_init(&whole);
        text_append_bytes(&whole, line, length);
        if (strlen(text_bytes(&whole)) == length && json_is_whole(text_bytes(&whole)))
            take(lives, text_bytes(&whole));
        text_release(&whole);
    }
    struct life *last = last_of(lives);
    if (!last)
        return;
    if (!last->ended) {
        close_silent(last, now->step, now->unix_s, now->alive_s, now->running ? REASON_RUNNING : REASON_KILLED);
        last->interrupted = !now->running;
    }
    settle_last(lives, last->interrupted ? now->saved : last->reached);
}

void lives_release(struct lives *lives)
{
    memory_free(lives->items);
    *lives = (struct lives){0};
}

struct lives_total lives_sum(const struct lives *lives)
{
    struct lives_total total = {0};
    for (size_t i = 0; i < lives->count; i++) {
        const struct life *life = &lives->items[i];
        total.interruptions += life->interrupted;
        total.alive_s += life->alive_s;
        total.lost_s += life->lost_s;
        total.lost_steps += life->lost_steps;
        if (life->start_s > 0)
            total.start_s = life->start_s;
        if (life->stall_s > 0)
            total.stall_s = life->stall_s;
        if (life->write_s > 0)
            total.write_s = life->write_s;
        if (life->step_s > 0)
            total.step_s = life->step_s * (double)life->ranks;
    }
    return total;
}

void lives_write(const struct life *life, size_t number, struct text *line)
{
    text_append(line, "{\"segment\":%zu,\"began_unix\":%.3f,\"hosts\":", number, life->began_unix);
    text_append_json(line, life->hosts);
    if (*life->changes) {
        text_append(line, ",\"changes\":");
        text_append_json(line, life->changes);
    }
    text_append(line, ",\"ranks\":%" PRIu64 ",\"nodes\":%" PRIu64 ",\"version\":", life->ranks, life->nodes);
    text_append_json(line, life->version);
    if (*life->job) {
        text_append(line, ",\"job\":");
        text_append_json(line, life->job);
        text_append(line, ",\"restart\":%" PRIu64, life->restart);
    }
    text_append(line, ",\"step\":%" PRIu64 ",\"reached\":%" PRIu64, life->step, life->reached);
    metrics_number(line, "waited_s", life->waited_s);
    metrics_number(line, "alive_s", life->alive_s);
    metrics_number(line, "start_s", life->start_s);
    text_append(line, ",\"end\":");
    text_append_json(line, life->end);
    text_append(line, ",\"interrupted\":%s,\"lost_steps\":%" PRIu64, life->interrupted ? "true" : "false",
                life->lost_steps);
    metrics_number(line, "lost_s", life->lost_s);
    metrics_number(line, "saves", life->saves);
    metrics_number(line, "stall_s", life->stall_s);
    metrics_number(line, "write_s", life->write_s);
    text_append(line, "}");
}
